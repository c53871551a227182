import type { Dispatcher } from 'undici';
import { UserError } from '../../errors.ts';
import { ConsumerGroup } from './consumers.ts';
import { entrance } from './entrance.ts';
import type { Clock } from './exchange.ts';
import { Kafka } from './kafka.ts';
import { deliveryTimeoutMs } from './kubernetes.ts';
import { Lanes } from './lanes.ts';
import type { Live } from './live.ts';
import { startLoad } from './load.ts';
import type { Marks } from './metrics.ts';
import type { Ending } from './objectives.ts';
import type { DrillOptions, Phase, ProgramOutputs } from './options.ts';
import { constant } from './pacer.ts';
import type { FaultMark, Plan, StepRecord } from './plan.ts';
import { producer } from './producer.ts';
import type { Attempt } from './records.ts';
import { probeProducer, warmUpProducer } from './report.ts';
import type { RunRecord } from './report.ts';
import { reachSteadyState } from './steady.ts';
import type { Appender, Lines } from './store.ts';
import { NotHealed, prepareFault } from './underFault.ts';
import { warmUp } from './warm-up.ts';
import { drain, readLog } from './verify.ts';

/** One run in progress. `marks`, `faults`, `steps` and `seen` fill as it goes on. */
export interface Drill {
  options: DrillOptions;
  plan: Plan;
  outputs: ProgramOutputs;
  clock: Clock;
  live: Live;
  store: { [K in keyof Lines]: Appender<Lines[K]> };
  /** Those of the first fault. */
  marks: Marks;
  faults: FaultMark[];
  steps: StepRecord[];
  seen: Pick<RunRecord, 'consumers' | 'committed' | 'logRead'>;
  phase: (name: Phase, detail?: string) => void;
  /** Aborted when the caller wants an end, and when the run cannot be stored any more. */
  signal: AbortSignal;
}

/**
 * All phases up to the judging. Heals and cleans up however they end. Throws only what is no verdict: a run that cannot be stored, a
 * fault that cannot be healed, a bug.
 */
export async function carryOut(drill: Drill): Promise<Ending> {
  try {
    const missing = await allPhases(drill);
    return missing === undefined ? { kind: 'complete' } : { kind: 'inconclusive', reason: missing };
  } catch (error) {
    if (error instanceof NotHealed) throw error;
    const { signal: wanted } = drill.options;
    if (wanted?.aborted === true) return { kind: 'aborted', reason: wanted.reason instanceof Error ? wanted.reason.message : String(wanted.reason) };
    if (drill.signal.aborted) throw drill.signal.reason;
    if (error instanceof UserError) return { kind: 'inconclusive', reason: error.message };
    throw error;
  }
}

/** What kept the drill from being carried out, or undefined. */
async function allPhases(drill: Drill): Promise<string | undefined> {
  const { plan, outputs, clock, live, signal } = drill;
  await using cleanup = new AsyncDisposableStack();
  drill.phase('steady', 'topic, consumers, every region serving');
  const fault = await prepareFault(drill);
  const timeoutMs = await deliveryTimeoutMs(drill.options.kubeconfig, outputs.regions);
  const kafka = cleanup.use(new Kafka(outputs.kafka));
  cleanup.defer(() => forget(kafka, plan.topic));
  await kafka.createTopic(plan.topic, { partitions: plan.partitions, replicas: 3, minInsyncReplicas: 2 });
  const consumers = cleanup.adopt(consumersOf(drill), (group) => group.stop());
  const pool = cleanup.adopt(poolOf(drill), (open) => open.destroy());
  // An interrupted drill does not wait for answers.
  signal.addEventListener('abort', () => void pool.destroy(), { once: true });
  const lanes = new Lanes(plan.connections);
  const produce = (name: string, onAttempt: (attempt: Attempt) => void): ReturnType<typeof producer> => producer({
    dispatcher: pool, lanes, hostname: outputs.hostname, topic: plan.topic, run: plan.run, name, keys: plan.keys, clock,
    timeoutMs: plan.requestTimeoutMs, regions: outputs.regions,
    onAttempt: (attempt) => {
      drill.store.attempts.append(attempt);
      onAttempt(attempt);
    },
  });
  const probe = produce(probeProducer, (attempt) => { live.noteUnknown(attempt); });
  const missing = await reachSteadyState({ probe, consumers, regions: outputs.regions.map(({ name }) => name), clock, signal });
  if (missing !== undefined) return missing;
  const attempts: Attempt[] = [];
  const warm = produce(warmUpProducer, (attempt) => {
    attempts.push(attempt);
    live.noteUnknown(attempt);
  });
  await warmUp({ producer: warm, attempts, rate: plan.rate, clock, signal });

  drill.marks.loadMs = clock();
  drill.phase('load', `${plan.rate} records/s`);
  const load = startLoad(produce('p0', (attempt) => { live.add(attempt); }), constant(plan.rate), clock);
  cleanup.defer(() => load.stop());
  await fault.underLoad();
  drill.marks.loadEndMs = clock();
  await load.stop();
  await drain(drill, { kafka, consumers, deliveryTimeoutMs: timeoutMs });
  await readLog(drill, kafka);
  return undefined;
}

function consumersOf({ plan, outputs, clock, store }: Drill): ConsumerGroup {
  return new ConsumerGroup({
    tier1: outputs, hostname: outputs.hostname, group: plan.topic, topic: plan.topic, size: plan.consumers.count, clock,
    onDelivery: (delivery) => { store.deliveries.append(delivery); },
  });
}

function poolOf({ plan, outputs }: Drill): Dispatcher {
  return entrance(outputs, plan.connections);
}

/** Topic and group are this run's own; that they stay behind is no reason for another verdict. */
async function forget(kafka: Kafka, name: string): Promise<void> {
  await Promise.allSettled([kafka.deleteTopic(name), kafka.deleteGroup(name)]);
}
