import { setTimeout as delay } from 'node:timers/promises';
import type { ConsumerGroup } from './consumers.ts';
import type { Bounds, Kafka } from './kafka.ts';
import { predictionTolerance } from './objectives.ts';
import type { Drill } from './phases.ts';
import { bridgeOf, writtenWithinMs } from './predict/configuration.ts';
import { predict } from './predict/predict.ts';
import type { Workers } from './workers/index.ts';

/** What consumers have at least to come to the end of the log, and again until all of it is committed. */
const drainTimeoutMs = 60_000;
/** The load is over: its first interval does for all of them, and to look for the longest would keep the consumers waiting. */
const measured = { fromMs: 0, toMs: 0 };
/** The commit of what was given last is answered by then, unless something is wrong. */
const lastCommitMs = 2_000;

/**
 * Waits until nothing can be written any more, then lets the consumers come to the end of the log and deletes them. Returns that end, or where they came to after it: a record that somebody writes
 * still later is none that they missed.
 * A request whose outcome is unknown may still be carried out for as long as a bridge's producer tries, and one that a fault held back for as long after that was over.
 */
export async function drain(drill: Drill, { kafka, consumers }: { kafka: Kafka; consumers: ConsumerGroup }): Promise<Bounds> {
  const { live, clock, plan, outputs, signal, seen } = drill;
  const withinMs = writtenWithinMs(seen.configuration ?? {}, outputs.regions.map(({ name }) => name));
  const quietMs = Math.max(live.lastUnknownMs ?? -Infinity, live.lastReleaseMs ?? -Infinity) + withinMs - clock();
  if (quietMs > 0) {
    drill.phase('drain', `${Math.ceil(quietMs / 1000)} s, as records that were not answered, or held back by a fault, may still be written`);
    await delay(quietMs, undefined, { signal });
  }
  drill.phase('drain', 'consumers to the end of the log');
  const bounds = await kafka.bounds(plan.topic);
  await consumers.drained(bounds, patienceMs(drill), signal);
  // Of a group another member is given again, and commits, what one could not that was lost or was in a rebalance.
  if (!await consumers.committed(lastCommitMs, signal) && plan.consumers.mode === 'subscribe') {
    drill.phase('drain', 'until what consumers were given is committed');
    await consumers.committed(Math.max(patienceMs(drill), sessionMs(drill) * predictionTolerance), signal);
  }
  if (consumers.someLost) {
    drill.phase('drain', 'until a consumer that was lost is made anew');
    await consumers.settled(signal);
  }
  const notCommitted = await consumers.commitAgain(signal);
  await consumers.stop();
  const { recreated, notRecreated, broken } = consumers;
  seen.consumers = { recreated: recreated.length, notRecreated, broken, notCommitted };
  seen.committed = await kafka.committed(plan.topic, plan.topic);
  return consumers.atLeast(bounds);
}

/** How long consumers may still be given nothing by the settings in effect, as far as that is borne: a long session may outlast the load. */
function patienceMs({ plan, faults, seen: { configuration = {} }, clock }: Drill): number {
  const left = faults.map((fault) => (fault.tookHoldMs ?? fault.injectMs) + (predict(configuration, { plan, faults: [fault], measured }).consumeBlackoutMs ?? 0) * predictionTolerance - clock());
  return Math.max(drainTimeoutMs, ...left);
}

/** The longest of the bridges that say one, after which a group gives a lost member's partitions to another. */
function sessionMs({ outputs, seen: { configuration = {} } }: Drill): number {
  return Math.max(...outputs.regions.map(({ name }) => bridgeOf(configuration, name)?.sessionTimeoutMs ?? 0));
}

/**
 * Reads the log of a drill that ended itself: what harm was done until then is still of interest. Not where attempts of its workers are missing: their records
 * would be taken for nobody's.
 */
export async function readUntilAbort(drill: Drill, { kafka, workers }: { kafka: Kafka; workers: Pick<Workers, 'finish'> | undefined }): Promise<void> {
  const signal = drill.options.signal ?? new AbortController().signal;
  if (await workers?.finish(signal) === undefined) await readLog({ ...drill, signal }, kafka);
}

/** Reads the log natively and stores it, to its end or only as far as is wanted, and as far as there is any: of a partition that was cut short there is less than consumers were given. */
export async function readLog({ plan, content, store, seen, phase, signal }: Drill, kafka: Kafka, wanted?: Bounds): Promise<void> {
  phase('verify', 'reading the log');
  const there = await kafka.bounds(plan.topic);
  const bounds = new Map([...wanted ?? there].map(([partition, { begin, end }]) => {
    const last = there.get(partition)?.end ?? end;
    return [partition, { begin, end: end < last ? end : last }];
  }));
  for await (const records of kafka.read(plan.topic, bounds, content)) {
    signal.throwIfAborted();
    let unwritten: Promise<void> | undefined;
    for (const record of records) unwritten = store.log.append(record) ?? unwritten;
    await unwritten;
  }
  seen.logRead = true;
}
