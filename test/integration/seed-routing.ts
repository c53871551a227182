/** The walk-through's weights and TSB's own retries: what they cost, as a drill and the log show it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { stringify } from 'yaml';
import type { Report } from '../../automation/drill/index.ts';
import { proxyAttempts } from '../../automation/drill/outcome.ts';
import { readRecords } from './records.ts';
import { root } from './support.ts';
import type { SandboxAnswer, Workshop } from './support.ts';

const hostname = 'kafka-bridge.example';
const topic = 'repeated';

/** On a sandbox whose stack runs; its settings are the example's afterwards. */
export function withSeedRouting(place: () => { workshop: Workshop; sandbox: SandboxAnswer }): void {
  describe('with the walk-through\'s routing', () => {
    let workshop: Workshop;
    let sandbox: SandboxAnswer;
    let settings: string;
    let tier1: string;

    before(async () => {
      ({ workshop, sandbox } = place());
      // The same stack, other settings.
      settings = join(workshop.stateDir, 'Pulumi.dev.yaml');
      await copyFile(join(root, 'examples/seed-routing/Pulumi.seed-routing.yaml'), settings);
      await workshop.json('up', '--sandbox', sandbox.name, '--config', settings);
      const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', sandbox.name);
      tier1 = relays['central/edge/tier1:80'] ?? assert.fail('tier1 has no relay');
    });

    it('lose the share of a region whose gateway is silent', async () => {
      const plan = join(workshop.stateDir, 'plan.yaml');
      // Longer than clients wait. A connection for each request that is held up, so that the other region's go on.
      await writeFile(plan, stringify([{ do: { fault: 'gateway-black-hole', region: 'east', for: '13s' } }]));
      const { exitCode, all, stdout } = await workshop.start('drill', '--sandbox', sandbox.name, '--config', settings, '--plan', plan, '--rate', '40', '--connections', '300', '--duration', '20s', '--abort-after-errors', '95%', '--json');
      assert.ok([3, 4].includes(exitCode ?? 1), all);
      const { verdict, produce, timeline, fault, objectives, advice = [] } = JSON.parse(stdout) as Report;
      console.log(`      ${verdict}: sent ${String(produce.sent)}, failed ${String(produce.failed)}, unknown ${String(produce.unknown)}, longest gap ${String(produce.blackoutMs)} ms`);
      assert.equal(objectives.find(({ name }) => name === 'prediction.failover')?.met, false, all);
      assert.ok(advice.some((text) => text.includes('set tier1.mode to failover')), advice.join('\n'));
      // What was due in its first seconds: east's share, which west never takes over.
      const { tookHoldMs = assert.fail(all) } = fault;
      const due = timeline.filter(({ t }) => t >= tookHoldMs && t < tookHoldMs + 2500);
      const count = (what: 'ok' | 'failed' | 'unknown'): number => due.reduce((sum, slot) => sum + slot[what], 0);
      const lost = (count('failed') + count('unknown')) / (count('ok') + count('failed') + count('unknown'));
      assert.ok(lost > 0.2 && lost < 0.8, `${lost.toFixed(2)} of what was due is lost`);
    });

    it('write records twice, as what a bridge had is sent again', async () => {
      const inBroker = (script: string): Promise<string> => workshop.kubectl(sandbox, 'kafka', '--namespace', 'kafka-cluster', 'exec', 'kafka-kafka-0', '--container', 'kafka', '--', 'sh', '-c', script);
      const inBridge = (script: string): Promise<string> => workshop.kubectl(sandbox, 'east', '--namespace', 'kafka-bridge', 'exec', 'deploy/kafka-bridge-bridge', '--container', 'kafka-bridge-bridge', '--', 'sh', '-c', script);
      const pool = new Pool(`http://${tier1}`, { connections: 32 });
      const round = (): Promise<Answer>[] => Array.from({ length: 32 }, () => produce(pool, randomUUID()));
      try {
        // A bridge has one batch of each partition under way: so many partitions, so many records.
        const made = await ask(pool, '/admin/topics', { topic_name: topic, partitions_count: 32, replication_factor: 3 });
        assert.equal(made.statusCode, 201);
        await Promise.all(round());
        // While a broker stands still nothing is acknowledged, though the others write it down: every request is in the hands of a bridge that then dies.
        // It has to stand before the first request is sent: of those that were under way some are answered, and the others wait until the cluster has left it out.
        // The shell that stops everything else is the one that looks, as any other that is there by then stands still with it, and so is what lets it go on in the end begun after it.
        await inBroker(`kill -STOP -1; setsid sh -c 'sleep 20; kill -CONT -1' </dev/null >/dev/null 2>&1 &
          for _ in $(seq 50); do for f in /proc/[0-9]*/stat; do case "$(cat $f 2>/dev/null)" in *") T "*) exit 0;; esac; done; sleep 0.1; done
          echo 'nothing stands still' >&2; exit 1`);
        const waiting = round();
        assert.equal(await Promise.race([...waiting, sleep(700)]), undefined, 'one was acknowledged while the broker stood still');
        // The shell dies with what it kills.
        await inBridge('kill -KILL -1').catch(() => '');
        await sleep(500);
        await inBroker('kill -CONT -1');
        const answers = await Promise.all(waiting);
        // Of east's gateway tier1 has had so many errors that it is left out.
        const written = await readRecords(tier1, `west.${hostname}`, topic);
        const twice = answers.filter(({ id }) => written.filter((each) => each === id).length > 1);
        const told = twice.filter(({ tries }) => tries > 1);
        console.log(`      of ${String(answers.length)} records ${String(twice.length)} are there twice, ${String(told.length)} of them by the gateways' own account`);
        assert.ok(told.length > 0, JSON.stringify(answers));
      } finally {
        await pool.close();
      }
    });
  });
}

interface Answer { readonly id: string; readonly tries: number }

/** Writes one record, whatever becomes of it, and answers how often gateways say that they tried. */
async function produce(pool: Pool, id: string): Promise<Answer> {
  const { headers } = await ask(pool, `/topics/${topic}`, { records: [{ key: id, value: { id } }] });
  return { id, tries: proxyAttempts(headers as Record<string, string | string[]>) ?? 0 };
}

async function ask(pool: Pool, path: string, body: object): Promise<Dispatcher.ResponseData> {
  const answer = await pool.request({ method: 'POST', path, headers: { host: hostname, 'content-type': 'application/vnd.kafka.json.v2+json' }, body: JSON.stringify(body) });
  await answer.body.dump();
  return answer;
}
