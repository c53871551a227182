/** Faults on a sandbox: what they do to clients, and what becomes of them when the driver dies. */
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import type { Healed } from '../../automation/drill/faults/journal.ts';
import type { Report } from '../../automation/drill/index.ts';
import { killFamily } from '../../bench/family.ts';
import { readLines } from '../fixtures/read-lines.ts';
import { withSeedRouting } from './seed-routing.ts';
import { Workshop, eventually } from './support.ts';
import type { SandboxAnswer } from './support.ts';

const name = 'faults';

describe('faults', () => {
  let workshop: Workshop;
  let sandbox: SandboxAnswer;

  before(async () => {
    workshop = await Workshop.make();
    sandbox = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name);
    await workshop.json('up', '--sandbox', name);
  });

  after(async () => {
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  const load = ['--rate', '40', '--connections', '8', '--duration', '9s', '--seed', '1'];
  const flags = (fault: string): string[] => ['drill', '--sandbox', name, '--fault', fault, '--region', 'east', ...load];

  const bridge = async (): Promise<{ spec: { replicas: number }; status: { conditions: { type: string; status: string }[] } }> =>
    JSON.parse(await workshop.kubectl(sandbox, 'east', '-n', 'kafka-bridge', 'get', 'kafkabridge', 'kafka-bridge', '-o', 'json')) as Awaited<ReturnType<typeof bridge>>;
  const replicas = async (): Promise<number> => (await bridge()).spec.replicas;

  for (const fault of ['bridge-kill', 'bridge-hang', 'gateway-black-hole']) {
    it(`damage no data: ${fault}`, async () => {
      const reportDir = join(workshop.stateDir, 'reports', fault);
      const { exitCode, all, stdout } = await workshop.start(...flags(fault), '--report', reportDir, '--json');
      // On a busy machine the figures may be nobody's, which the verdict then says; what is damaged is a failure anywhere.
      assert.ok([0, 3, 4].includes(exitCode ?? 1), all);
      const report = JSON.parse(stdout) as Report;
      const { verdict, produce, log, fault: seen, predicted, objectives } = report;
      console.log(`      ${verdict}: sent ${String(produce.sent)}, failed ${String(produce.failed)}, unknown ${String(produce.unknown)}, longest gap ${String(produce.blackoutMs)} ms, predicted ${String(predicted?.produceBlackoutMs)} ms`);
      assert.equal(seen.tookHold, true, all);
      assert.ok(seen.recoveredMs !== undefined, 'east serves again');
      assert.deepEqual([log?.ackedLost, log?.offsetMismatch, log?.phantom, log?.reordered, log?.duplicates.unexplained], [0, 0, 0, 0, 0]);
      assert.deepEqual(objectives.filter(({ name: objective, met }) => !met && /^consume\.(skipped|redeliveredAfterCommit)/.test(objective)), []);
      assert.deepEqual((await readdir(reportDir)).filter((file) => /\.(html|xml|md)$/.test(file)).sort(), ['junit.xml', 'report.html', 'report.md']);
    });
  }

  it('come one after the other by a plan, each seen to take hold and to be over, under a load of another shape', async () => {
    const plan = join(workshop.stateDir, 'plan.yaml');
    const faults = [
      ['fail-back', 'east'], ['istiod-down', 'east', 'for: 1s'], ['operator-down', 'east', 'for: 1s'], ['bridge-slow', 'west', 'for: 1s'], ['gateway-kill', 'east'], ['bridge-terminate', 'west'],
      ['bridge-drain', 'west', 'for: 1s'], ['tier1-restart', 'east'], ['api-server-down', 'west', 'for: 2s'], ['region-black-hole', 'east', 'for: 1s'], ['bridge-cut-from-kafka', 'west', 'for: 1s'],
      ['both-regions-blip', 'east'], ['broker-leader-kill', 'east'],
    ];
    await writeFile(plan, faults.map(([fault, region, ...more]) => `- do: { ${[`fault: ${String(fault)}`, `region: ${String(region)}`, ...more].join(', ')} }\n`).join(''));
    const reportDir = join(workshop.stateDir, 'reports', 'plan');
    // A dead broker's partitions hold up whoever asks for them, until its session ends: with few connections that is everybody.
    const shape = ['--pattern', 'poisson', '--key-distribution', 'zipf', '--format', 'binary', '--payload-bytes', '300', '--requests-per-connection', '100', '--connections', '64', '--abort-after-errors', '100%'];
    const { exitCode, all, stdout } = await workshop.start('drill', '--sandbox', name, '--plan', plan, '--rate', '40', '--duration', '9s', '--seed', '1', ...shape, '--report', reportDir, '--json');
    assert.ok([0, 3, 4].includes(exitCode ?? 1), all);
    const { verdict, produce, log, faults: seen = [], objectives, steps } = JSON.parse(stdout) as Report;
    console.log(`      ${verdict}: sent ${String(produce.sent)}, failed ${String(produce.failed)}, unknown ${String(produce.unknown)}, longest gap ${String(produce.blackoutMs)} ms`);
    assert.equal(objectives.find(({ name: objective }) => objective === 'condition.carriedOut')?.met, true, all);
    assert.deepEqual(seen.map(({ fault, tookHoldMs, recoveredMs }) => [fault, tookHoldMs !== undefined, recoveredMs !== undefined]), faults.map(([fault]) => [fault, true, true]), all);
    assert.deepEqual(steps?.map(({ kind }) => kind), faults.map(() => 'do'));
    assert.deepEqual([log?.ackedLost, log?.offsetMismatch, log?.phantom, log?.reordered, log?.duplicates.unexplained], [0, 0, 0, 0, 0]);
    assert.deepEqual(objectives.filter(({ name: objective, met }) => !met && /^consume\.(skipped|redeliveredAfterCommit)/.test(objective)), []);
    assert.deepEqual(await workshop.json('faults', 'heal', '--sandbox', name), [], 'nothing is left to heal');
  });

  it('are judged again from what was stored, to the same report', async () => {
    const reportDir = join(workshop.stateDir, 'reports', 'bridge-kill');
    const before = await readFile(join(reportDir, 'report.json'), 'utf8');
    await workshop.start('report', reportDir, '--json');
    assert.equal(await readFile(join(reportDir, 'report.json'), 'utf8'), before);
  });

  it('damage no data of a load that pods send, of whom nothing is left: bridge-kill', async () => {
    const reportDir = join(workshop.stateDir, 'reports', 'workers');
    const { exitCode, all, stdout } = await workshop.start('drill', '--sandbox', name, '--fault', 'bridge-kill', '--region', 'east', '--workers', '2',
      '--rate', '60', '--connections', '9', '--duration', '9s', '--seed', '1', '--report', reportDir, '--json');
    assert.ok([0, 3, 4].includes(exitCode ?? 1), all);
    const { verdict, plan, produce, log, fault: seen, objectives } = JSON.parse(stdout) as Report;
    const clocksMs = objectives.find(({ name: objective }) => objective === 'condition.workerClocksMs')?.measured;
    console.log(`      ${verdict}: sent ${String(produce.sent)}, failed ${String(produce.failed)}, unknown ${String(produce.unknown)}, longest gap ${String(produce.blackoutMs)} ms, workers' clocks known to ${String(clocksMs)} ms`);
    assert.equal(objectives.find(({ name: objective }) => objective === 'condition.carriedOut')?.met, true, all);
    assert.equal(seen.tookHold, true, all);
    assert.deepEqual([log?.ackedLost, log?.offsetMismatch, log?.phantom, log?.reordered, log?.duplicates.unexplained], [0, 0, 0, 0, 0]);
    assert.deepEqual(objectives.filter(({ name: objective, met }) => !met && /^consume\.(skipped|redeliveredAfterCommit)/.test(objective)), []);
    // Pods and driver have one machine and so one clock: what is told of it has to be near.
    assert.ok(typeof clocksMs === 'number' && clocksMs < 1_000, all);
    const attempts = await readLines(reportDir, 'attempts');
    const sent = new Map(['p0', 'w0', 'w1'].map((producer) => [producer, attempts.filter((attempt) => attempt.producer === producer)]));
    // 10 a second are the driver's, 25 each worker's.
    for (const [producer, its] of sent) assert.ok(its.some(({ outcome }) => outcome === 'ok') && its.length >= (producer === 'p0' ? 60 : 150), `${producer}: ${String(its.length)} attempts`);

    const { hostname } = await workshop.json<{ hostname: string }>('outputs', '--sandbox', name);
    const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
    await eventually('Job, pods, program and topics are gone', 60_000, async () => {
      const objects = await workshop.kubectl(sandbox, 'central', '--namespace', 'edge', 'get', 'jobs,pods,configmaps', '--selector', `kafka-bridge-failover/run=${plan.run}`, '--output', 'name');
      const { body } = await request(`http://${relays['central/edge/tier1:80'] ?? assert.fail('tier1 has no relay')}/topics`, { headers: { host: hostname } });
      const left = [...objects.split('\n').filter((line) => line !== ''), ...(await body.json() as string[]).filter((topic) => topic.startsWith(plan.topic))];
      if (left.length > 0) throw new Error(`there is ${left.join(', ')}`);
      return true;
    });
    assert.deepEqual(await workshop.json('faults', 'heal', '--sandbox', name), [], 'nothing is left to heal');
  });

  it('are refused while another drill is on the stack, which is named', async () => {
    // Long enough to go on whatever the second takes to come to the point.
    const first = workshop.start(...flags('bridge-scale-0'), '--duration', '2m', '--json');
    await said(first, 'load:');
    const { exitCode, stderr } = await workshop.start(...flags('bridge-scale-0'), '--json');
    first.kill('SIGINT');
    const { exitCode: interrupted } = await first;
    assert.equal(interrupted, 130);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /another drill is running on this stack: .*Lease edge\/kbf-drill in cluster central/);
  });

  for (const [moment, healed] of [['load:', []], ['observe', ['healed']], ['recover', ['over']]] as const) {
    it(`are undone after a driver was killed in "${moment.replace(':', '')}"`, async () => {
      const drill = workshop.start(...flags('bridge-scale-0'), '--json');
      await said(drill, moment);
      await killFamily(drill.pid ?? assert.fail('it has ended'));
      await drill;
      const found = await workshop.json<Healed[]>('faults', 'heal', '--sandbox', name);
      // Between two steps of healing either is right.
      const expected = moment === 'recover' && found.length === 0 ? [] : healed;
      assert.deepEqual(found.map(({ now }) => now), expected);
      assert.deepEqual(await workshop.json('faults', 'heal', '--sandbox', name), [], 'nothing is left to heal');
      await eventually('the bridge is back', 60_000, async () => {
        const { spec, status } = await bridge();
        return (spec.replicas === 1 && status.conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True')) || undefined;
      });
    });
  }

  it('are undone when the disk is full that the drill is stored on, which it says', async () => {
    const reportDir = join(workshop.stateDir, 'reports', 'full');
    await mkdir(reportDir, { recursive: true });
    // A disk of its own, where the drill sees it: it runs inside.
    await workshop.inside(name, 'mount', '-t', 'tmpfs', '-o', 'size=8m', 'none', reportDir);
    const plan = join(workshop.stateDir, 'long.yaml');
    // For longer than it takes to fill the disk, so that it is full while the fault is in effect.
    await writeFile(plan, '- do: { fault: bridge-scale-0, region: east, for: 3m }\n');
    const drill = workshop.start('drill', '--sandbox', name, '--plan', plan, ...load, '--report', reportDir, '--json');
    await said(drill, 'observe');
    assert.equal(await replicas(), 0);
    await workshop.inside(name, 'sh', '-c', `cat /dev/zero > ${reportDir}/filler 2>/dev/null; true`);
    const { exitCode, stdout, stderr } = await drill;
    assert.equal(exitCode, 1, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /kbf: \S+\/reports\/full\/\w+\.(ndjson|json) cannot be written: ENOSPC: no space left on device, write\nmake room on the disk, then run the drill again$/);
    assert.doesNotMatch(stderr, /recover/);
    assert.equal(await replicas(), 1, 'given back by the drill itself');
    assert.deepEqual(await workshop.json('faults', 'heal', '--sandbox', name), [], 'nothing is left to heal');
    await workshop.inside(name, 'umount', reportDir);
  });

  it('leave nothing that the next up would change', async () => {
    assert.deepEqual(Object.keys((await workshop.json<{ changes: object }>('preview', '--sandbox', name)).changes), ['same']);
  });

  withSeedRouting(() => ({ workshop, sandbox }));
});

/** Resolves when a drill's progress says the word, and lets it go on saying what it likes; rejects when it ends before. */
function said(drill: ReturnType<Workshop['start']>, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    drill.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(`  ${word}`)) resolve();
    });
    drill.stderr.once('end', () => { reject(new Error(`the drill ended without "${word}":\n${text}`)); });
  });
}
