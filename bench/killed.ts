/**
 * What a driver leaves that is killed: `npm run bench:killed [-- --moments=20] [--seed=1]`. On a sandbox of its own it begins so many drills, each of a drawn fault, ends
 * each with SIGKILL at a drawn moment, together with all that it started, and lets the next command heal. Fails where anything is left then.
 */
import { cpus, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { request } from 'undici';
import type { Healed } from '../automation/drill/faults/journal.ts';
import { Chance } from '../automation/drill/self-test/chance.ts';
import { killFamily } from './family.ts';
import { BenchKbf } from './kbf.ts';
import { runBench } from './run.ts';

const { values } = parseArgs({ options: { moments: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } } });
/** Those that nothing undoes but a driver, or a minute. */
const faults = ['bridge-scale-0', 'bridge-hang', 'bridge-cut-from-kafka', 'gateway-black-hole', 'region-black-hole', 'istiod-down'];
/** A drill of this length goes through all its phases in about 40 s. */
const drill = ['--region', 'east', '--rate', '40', '--connections', '8', '--duration', '9s'];
const latestMs = 40_000;
const backWithinMs = 90_000;

await runBench(async (signal) => {
  await using kbf = await BenchKbf.open(signal);
  await kbf.run(['sandbox', 'up', '--name', 'bench']);
  await kbf.run(['up', '--sandbox', 'bench']);
  console.log(`on ${cpus().length} cores, seed ${values.seed}\nkilled after   in phase          of                       the next command says                     serves again after`);
  const chance = new Chance(Number(values.seed));
  for (let moment = 0; moment < Number(values.moments); moment += 1) {
    const fault = chance.one(faults) ?? '';
    const afterMs = Math.round(chance.number(0, latestMs));
    const phase = await killed(kbf, { fault, afterMs, signal });
    const startedAt = performance.now();
    const found = await heal(kbf);
    await undone(kbf, signal);
    const again = await heal(kbf);
    if (again.length > 0) throw new Error(`a second look found ${JSON.stringify(again)}`);
    const said = found.length === 0 ? 'nothing to heal' : found.map(({ fault: name, now }) => `${name}: ${now}`).join(', ');
    console.log([`${(afterMs / 1000).toFixed(1)} s`.padEnd(14), phase.padEnd(17), fault.padEnd(24), said.padEnd(41), `${((performance.now() - startedAt) / 1000).toFixed(1)} s`].join(' '));
  }
  const { changes } = JSON.parse(await kbf.run(['preview', '--sandbox', 'bench', '--json'])) as { changes: Record<string, number> };
  console.log(`what the next up would change: ${Object.keys(changes).every((kind) => kind === 'same') ? 'nothing' : JSON.stringify(changes)}; load average ${loadavg().map((each) => each.toFixed(1)).join(' ')}`);
});

/** Begins a drill and ends it, unless it ends itself before. @returns the phase in which it was */
async function killed(kbf: BenchKbf, { fault, afterMs, signal }: { fault: string; afterMs: number; signal: AbortSignal }): Promise<string> {
  const driver = kbf.start(['drill', '--sandbox', 'bench', '--fault', fault, ...drill, '--json']);
  const first = await Promise.race([driver.then(() => 'its end'), delay(afterMs, undefined, { signal })]);
  if (first === undefined && driver.pid !== undefined) await killFamily(driver.pid);
  const { stderr } = await driver;
  return first ?? [...stderr.matchAll(/^ *[\d.]+ \w+ +([a-z-]+)/gm)].at(-1)?.[1] ?? 'before the first';
}

async function heal(kbf: BenchKbf): Promise<Healed[]> {
  return JSON.parse(await kbf.run(['faults', 'heal', '--sandbox', 'bench', '--json'])) as Healed[];
}

/** Resolves when nothing is left of any fault: every region answers by its own name what it needs Kafka for, all that was scaled is back, and no policy of a drill is there. */
async function undone(kbf: BenchKbf, signal: AbortSignal): Promise<void> {
  const { relays } = JSON.parse(await kbf.run(['sandbox', 'status', '--name', 'bench', '--json'])) as { relays: Record<string, string> };
  const deadline = performance.now() + backWithinMs;
  let left = await leftOf(kbf, relays['central/edge/tier1:80'] ?? '');
  while (left !== undefined) {
    if (performance.now() > deadline) throw new Error(`after ${String(backWithinMs / 1000)} s still: ${left}`);
    await delay(500, undefined, { signal });
    left = await leftOf(kbf, relays['central/edge/tier1:80'] ?? '');
  }
}

async function leftOf({ kubectl }: BenchKbf, tier1: string): Promise<string | undefined> {
  const policies = await kubectl('east', ['get', 'networkpolicies', '-A', '-l', 'app.kubernetes.io/managed-by=kbf-drill', '-o', 'name']);
  if (policies !== '') return `policies ${policies}`;
  const istiod = await kubectl('east', ['get', 'deployment', '-n', 'istio-system', '-l', 'app=istiod', '-o', 'jsonpath={.items[*].status.availableReplicas}']);
  if (istiod !== '1') return `istiod has ${istiod === '' ? 'no' : istiod} replicas`;
  const bridge = await kubectl('east', ['get', 'kafkabridge', 'kafka-bridge', '-n', 'kafka-bridge', '-o', 'jsonpath={.spec.replicas} {.status.conditions[?(@.type=="Ready")].status}']);
  if (bridge !== '1 True') return `the bridge's replicas and readiness are ${bridge}`;
  for (const region of ['east', 'west']) {
    const answer = await ask(tier1, `${region}.kafka-bridge.example`);
    if (answer !== '200') return `${region} answers ${answer}`;
  }
  return undefined;
}

/** The status of a bridge's list of topics, or what went wrong. */
async function ask(tier1: string, host: string): Promise<string> {
  try {
    const { statusCode, body } = await request(`http://${tier1}/topics`, { headers: { host }, signal: AbortSignal.timeout(5000) });
    await body.dump();
    return String(statusCode);
  } catch (error) {
    return String(error);
  }
}
