import type { Dispatcher } from 'undici';
import { UserError } from '../../errors.ts';
import { ConsumerGroup } from './consumers.ts';
import { contentOf } from './content.ts';
import { entrance, tier1Of } from './entrance.ts';
import type { Clock } from './exchange.ts';
import { Generator } from './generator.ts';
import { Kafka } from './kafka.ts';
import { deliveryTimeoutMs } from './kubernetes.ts';
import { Lanes } from './lanes.ts';
import type { Live } from './live.ts';
import type { Marks } from './metrics.ts';
import type { Ending } from './objectives.ts';
import type { DrillOptions, Phase, ProgramOutputs } from './options.ts';
import type { FaultMark, Plan, StepRecord } from './plan.ts';
import { producer } from './producer.ts';
import type { Producer } from './producer.ts';
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
  const generator = cleanup.adopt(await Generator.start({ tier1: tier1Of(outputs), hostname: outputs.hostname, plan, regions: outputs.regions, clock }), (open) => open.close());
  const pool = cleanup.adopt(entrance(outputs, { connections: 1 }), (open) => open.destroy());
  // An interrupted drill does not wait for answers.
  signal.addEventListener('abort', () => {
    generator.abort();
    void pool.destroy();
  }, { once: true });
  const storeThen = (next: (attempt: Attempt) => void) => (attempt: Attempt): void => {
    void drill.store.attempts.append(attempt);
    next(attempt);
  };
  const probe = probeOf(drill, pool, storeThen((attempt) => { live.noteUnknown(attempt); }));
  const missing = await reachSteadyState({ probe, consumers, regions: outputs.regions.map(({ name }) => name), clock, signal });
  if (missing !== undefined) return missing;
  const attempts: Attempt[] = [];
  await warmUp({
    start: () => generator.load(warmUpProducer, 'even', storeThen((attempt) => {
      attempts.push(attempt);
      live.noteUnknown(attempt);
    })), attempts, clock, signal,
  });

  drill.marks.loadMs = clock();
  drill.phase('load', `${plan.rate} records/s`);
  const load = generator.load('p0', 'planned', storeThen((attempt) => { live.add(attempt); }));
  cleanup.defer(() => load.stop().catch(() => undefined));
  await fault.underLoad();
  drill.marks.loadEndMs = clock();
  await load.stop();
  await drain(drill, { kafka, consumers, deliveryTimeoutMs: timeoutMs });
  await readLog(drill, kafka);
  return undefined;
}

function consumersOf({ plan, outputs, clock, store }: Drill): ConsumerGroup {
  return new ConsumerGroup({
    tier1: outputs, hostname: outputs.hostname, group: plan.topic, topic: plan.topic, format: plan.load.format, clock,
    consumers: plan.consumers, partitions: plan.partitions,
    onDelivery: (delivery) => void store.deliveries.append(delivery),
    onCommit: (commit) => void store.commits.append(commit),
  });
}

function probeOf({ plan, outputs, clock }: Drill, dispatcher: Dispatcher, onAttempt: (attempt: Attempt) => void): Producer {
  return producer({
    dispatcher, lanes: new Lanes(1), hostname: outputs.hostname, topic: plan.topic, run: plan.run, name: probeProducer, regions: outputs.regions, clock,
    content: contentOf({ ...plan.load, keys: plan.keys, seed: plan.seed }), retry: 'none', timeoutMs: plan.requestTimeoutMs, onAttempt,
  });
}

/** Topic and group are this run's own; that they stay behind is no reason for another verdict. */
async function forget(kafka: Kafka, name: string): Promise<void> {
  await Promise.allSettled([kafka.deleteTopic(name), kafka.deleteGroup(name)]);
}
