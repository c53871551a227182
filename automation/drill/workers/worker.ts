/** The program of a worker's pod: sends its share of the load from the given instant until it is told to end (SIGTERM), and says through Kafka what became of it. */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import { contentOf } from '../content.ts';
import { exchange } from '../exchange.ts';
import type { Clock } from '../exchange.ts';
import { Instance } from '../instance.ts';
import { Lanes } from '../lanes.ts';
import { startLoad } from '../load.ts';
import { judgeProduce } from '../outcome.ts';
import { scheduleOf } from '../pacer.ts';
import { producer } from '../producer.ts';
import type { Attempt } from '../records.ts';
import { httpDispatcher } from './http-dispatcher.ts';
import { Outbox } from './outbox.ts';
import { producerOf, topicsOf, workersShare } from './protocol.ts';
import type { Told, WorkerMessage, WorkerSettings, WorkerWord } from './protocol.ts';

/** What ended is told of so often, and so many attempts in one record: some hundred KiB, well below what a broker takes. */
const told = { everyMs: 1_000, atOnce: 500 };
/** Who was not told by then when to begin never will be. */
const startWithinMs = 600_000;
/** After the load, so often is the driver's time heard, for so long at most: there is more to say. */
const compared = { times: 10, withinMs: 10_000 };

const settings = JSON.parse(process.env['KBF_WORKER'] ?? 'null') as WorkerSettings;
const worker = Number(process.env['JOB_COMPLETION_INDEX']);
const { tier1, hostname, regions, proxiesRepeat, beganAt } = settings;
const plan = workersShare(settings.plan, worker);
const { run, connections, topic, load: { requestsPerConnection, retry } } = plan;
const { control, results } = topicsOf(plan);
/** The time of day at this process's start, and a monotonic clock from there on; the drill's, once the driver has said by how much this one is ahead. */
const clock: Clock = () => performance.timeOrigin + performance.now() - beganAt - aheadMs;
let aheadMs = 0;

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => { stop.abort(); });

const talk = httpDispatcher(tier1, { connections: 2 });
const outbox = new Outbox<WorkerMessage>(async (message) => {
  const body = JSON.stringify({ records: [{ key: producerOf(worker), value: message }] });
  const headers = { 'content-type': 'application/vnd.kafka.json.v2+json' };
  const answer = await exchange(talk, { method: 'POST', host: hostname, path: `/topics/${results}`, headers, body, timeoutMs: 10_000 }, clock);
  return judgeProduce(answer).outcome === 'ok';
});
let parts = 0;
function say(message: WorkerWord): void {
  outbox.say({ run, worker, part: parts, ...message });
  parts += 1;
}
/** Why the driver cannot be heard. */
let unheard = 'nothing was said';

say({ kind: 'ready' });
let failure: string | undefined;
try {
  const startMs = await toldToStart();
  await sendFrom(startMs);
  await compareClocks();
} catch (error) {
  failure = error instanceof Error ? error.message : String(error);
}
say({ kind: 'ended', ...(failure === undefined ? {} : { failure }) });
const heard = await outbox.empty();
console.log(failure ?? (heard ? 'done' : 'its results could not be written'));
talk.destroy();
process.exitCode = failure === undefined && heard ? 0 : 1;

/** When to begin, by the drill's clock, which is this worker's from then on. */
async function toldToStart(): Promise<number> {
  const start = await hear((told) => {
    const word = told.find((each) => each.start !== undefined)?.start;
    if (word === undefined) tellTime(told);
    return word;
  }, startWithinMs, stop.signal);
  if (start === undefined) throw new Error(stop.signal.aborted ? 'it was told to end before it was told to begin' : `it was not told to begin within ${startWithinMs / 1000} s: ${unheard}`);
  aheadMs = start.aheadMs[worker] ?? 0;
  return start.startMs;
}

/** What may be left between the clocks shows only when no load is in the way. */
async function compareClocks(): Promise<void> {
  let times = 0;
  await hear((told) => {
    const after = told.filter(({ when }) => when === 'after');
    tellTime(after);
    times += after.length === 0 ? 0 : 1;
    return times < compared.times ? undefined : true;
  }, compared.withinMs);
}

/** Of several the last took the least time. */
function tellTime(told: readonly Told[]): void {
  const last = told.at(-1);
  if (last === undefined) return;
  const saidMs = clock();
  say({ kind: 'clock', when: last.when, saidMs, laterMs: saidMs - last.saidMs });
}

/** Gives `heed` what the driver says until it has what it wants. Undefined when that took too long. A consumer of its own reads it; any consumer may be lost with its bridge. */
async function hear<T>(heed: (told: Told[]) => T | undefined, withinMs: number, signal?: AbortSignal): Promise<T | undefined> {
  const deadline = performance.now() + withinMs;
  let instance: Instance | undefined;
  let wanted: T | undefined;
  while (wanted === undefined && performance.now() < deadline && signal?.aborted !== true) {
    instance ??= await listen().catch((error: unknown) => {
      unheard = String(error);
      return undefined;
    });
    const records = await instance?.poll() ?? unheard;
    if (typeof records === 'string') {
      unheard = records;
      void instance?.delete({ lost: true });
      instance = undefined;
    } else {
      wanted = heed(records.map(({ value }) => value as Told | undefined).filter((told): told is Told => told?.run === run));
    }
    if (wanted === undefined) await delay(100, undefined, { ...(signal ? { signal } : {}) }).catch(() => undefined);
  }
  void instance?.delete({ lost: wanted === undefined });
  return wanted;
}

async function listen(): Promise<Instance> {
  const instance = await Instance.create({ dispatcher: talk, hostname, group: `${control}-${producerOf(worker)}`, topic: control, format: 'json', clock });
  if (typeof instance === 'string') throw new Error(instance);
  const wrong = await instance.assign([0]);
  if (wrong === undefined) return instance;
  void instance.delete({ lost: true });
  throw new Error(wrong);
}

async function sendFrom(startMs: number): Promise<void> {
  const pool = httpDispatcher(tier1, { connections, requestsPerConnection });
  let untold: Attempt[] = [];
  const tell = (): void => {
    for (let from = 0; from < untold.length; from += told.atOnce) say({ kind: 'attempts', attempts: untold.slice(from, from + told.atOnce) });
    untold = [];
  };
  const sender = producer({
    dispatcher: pool, lanes: new Lanes(connections), hostname, topic, run, name: producerOf(worker), content: contentOf(settings.plan),
    retry, timeoutMs: plan.requestTimeoutMs, regions, proxiesRepeat, clock, onAttempt: (attempt) => { untold.push(attempt); },
  });
  // Evenly between those of the others, where requests are evenly spaced.
  const load = startLoad(sender, scheduleOf(plan), clock, startMs + (worker / plan.load.workers) * (1000 / plan.rate));
  const timer = setInterval(tell, told.everyMs);
  if (!stop.signal.aborted) await new Promise((resolve) => { stop.signal.addEventListener('abort', resolve, { once: true }); });
  await load.stop();
  clearInterval(timer);
  tell();
  pool.destroy();
}
