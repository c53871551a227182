/** The drill's generator by itself, storing its attempts as a drill does: `ours.ts PORT RATE SECONDS CONNECTIONS DIRECTORY`. Prints a Figures. */
import { setTimeout as delay } from 'node:timers/promises';

import { startClock } from '../../automation/drill/exchange.ts';
import { Generator } from '../../automation/drill/generator.ts';
import { defaultConsumers, defaultLoad } from '../../automation/drill/load-plan.ts';
import { percentile } from '../../automation/drill/metrics.ts';
import type { Plan } from '../../automation/drill/plan.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { makeReportDirectory, openAppender } from '../../automation/drill/store.ts';

/** What one run of a generator came to. */
export interface Figures {
  ok: number;
  sent: number;
  /** Of all its threads, user and system. */
  cpuSeconds: number;
  /** How late requests began, ms at the 99th percentile. */
  lateP99Ms: number;
}

const [port = '', rate = '', seconds = '', connections = '', directory = ''] = process.argv.slice(2);
const clock = startClock();
const plan: Plan = {
  run: 'bench', fault: 'none', region: 'none', rate: Number(rate), durationSeconds: Number(seconds), connections: Number(connections), requestTimeoutMs: 10_000,
  topic: 'bench', partitions: 1, keys: 60, seed: 1, steps: [], consumers: defaultConsumers, load: defaultLoad,
};
await makeReportDirectory(directory);
const file = openAppender(directory, 'attempts', (error) => { throw error; });
const generator = await Generator.start({ tier1: { tier1Address: `127.0.0.1:${port}` }, hostname: 'bench.example', plan, regions: [], proxiesRepeat: false, clock });
await loadFor(500, () => undefined);

const before = process.cpuUsage();
const late: number[] = [];
let ok = 0;
await loadFor(Number(seconds) * 1000, (attempt) => {
  void file.append(attempt);
  // As vegeta counts it, until a connection was free for it.
  late.push((attempt.sentMs ?? attempt.endMs) - attempt.intendedMs);
  if (attempt.outcome === 'ok') ok += 1;
});
await file.close();
const { user, system } = process.cpuUsage(before);
await generator.close();
const figures: Figures = { ok, sent: late.length, cpuSeconds: (user + system) / 1e6, lateP99Ms: percentile(late.sort((a, b) => a - b), 0.99) };
console.log(JSON.stringify(figures));

async function loadFor(ms: number, onAttempt: (attempt: Attempt) => void): Promise<void> {
  const load = generator.load('p0', 'planned', onAttempt);
  await delay(ms);
  await load.stop();
}
