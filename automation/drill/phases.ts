import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { messageOf, UserError } from '../../errors.ts';
import { byAddress } from './addresses.ts';
import { Cluster } from './cluster.ts';
import { ConsumerGroup } from './consumers.ts';
import type { Content } from './content.ts';
import { readCredentials } from './credentials.ts';
import { entrance, tier1Of } from './entrance.ts';
import type { Clock } from './exchange.ts';
import { servingRegions, sharesOf } from './expectations.ts';
import type { KafkaView, TargetRefs } from './faults/target.ts';
import { Generator } from './generator.ts';
import { AbortCondition, guardLoad } from './guard.ts';
import { driversProducer } from './handed-over.ts';
import { Kafka } from './kafka.ts';
import { Lanes } from './lanes.ts';
import { Live } from './live.ts';
import type { Load } from './load.ts';
import { defaultMostErrors } from './load-plan.ts';
import type { Marks } from './metrics.ts';
import type { DrillOptions, Phase, ProgramOutputs } from './options.ts';
import { constant, scheduleOf } from './pacer.ts';
import { readParts, withRunningKafka } from './parts.ts';
import type { Ending, FaultMark, Plan, StepRecord } from './plan.ts';
import { leasePlaceOf } from './place.ts';
import { proxiesRepeat } from './predict/configuration.ts';
import { readConfiguration } from './predict/read.ts';
import { producer } from './producer.ts';
import type { ProducerOptions } from './producer.ts';
import type { Attempt } from './records.ts';
import { probeProducer, warmUpProducer } from './report.ts';
import type { RunRecord } from './report.ts';
import { Rounds } from './rounds.ts';
import { reachSteadyState } from './steady.ts';
import type { Appender, Lines } from './store.ts';
import { carryOutSteps } from './steps.ts';
import { arrange, healArranged, NotHealed, prepareFault, refresh } from './underFault.ts';
import type { Injection } from './underFault.ts';
import { warmUp } from './warm-up.ts';
import { drain, readLog, readUntilAbort } from './verify.ts';
import { mustAllowWorkers, Workers } from './workers/index.ts';
import { driversShare } from './workers/protocol.ts';

/** One run in progress. `marks`, `faults`, `steps` and `seen` fill as it goes on. */
export interface Drill {
  options: DrillOptions;
  plan: Plan;
  outputs: ProgramOutputs;
  clock: Clock;
  live: Live;
  /** What the load's records look like. */
  content: Content;
  store: { [K in keyof Lines]: Appender<Lines[K]> };
  /** Those of the first fault. */
  marks: Marks;
  faults: FaultMark[];
  steps: StepRecord[];
  seen: Pick<RunRecord, 'consumers' | 'committed' | 'logRead' | 'configuration' | 'workerClocksMs' | 'interrupted'> & Partial<Pick<RunRecord, 'parts'>>;
  /** Set before the first thing is made or changed: what cannot be done from then on is no refusal any more. */
  touched: boolean;
  /** Sets marks of a fault, and stores what is known of the run by now. */
  mark: (fault: FaultMark, marks: Partial<FaultMark>) => void;
  /** Begins to judge what is stored: nothing more is, but the log. */
  judgeAhead: () => Promise<void>;
  /** Ends load and fault at once. */
  stop: (why: AbortCondition) => void;
  phase: (name: Phase, detail?: string) => void;
  /** Aborted when the caller wants an end, when the run cannot be stored any more, and by `stop`. */
  signal: AbortSignal;
}

/**
 * All phases up to the judging. Heals and cleans up however they end. Throws only what is no verdict: a refusal (exit code 2, nothing was touched), a run
 * that cannot be stored, a fault that cannot be healed, a bug.
 */
export async function carryOut(drill: Drill): Promise<Ending> {
  try {
    const missing = await allPhases(drill);
    return missing === undefined ? { kind: 'complete' } : { kind: 'inconclusive', reason: missing };
  } catch (error) {
    const { signal: wanted } = drill.options;
    if (wanted?.aborted === true) drill.seen.interrupted = true;
    if (error instanceof NotHealed) throw error;
    if (wanted?.aborted === true) return { kind: 'aborted', reason: wanted.reason instanceof Error ? wanted.reason.message : String(wanted.reason) };
    if (drill.signal.reason instanceof AbortCondition) return { kind: drill.signal.reason.own ? 'inconclusive' : 'aborted', reason: drill.signal.reason.message };
    if (drill.signal.aborted) throw drill.signal.reason;
    if (error instanceof UserError && (error.exitCode !== 2 || drill.touched)) return { kind: 'inconclusive', reason: error.message };
    throw error;
  }
}

/** What kept the drill from being carried out, or undefined. */
async function allPhases(drill: Drill): Promise<string | undefined> {
  const { plan, outputs, clock, live, signal } = drill;
  await using cleanup = new AsyncDisposableStack();
  drill.phase('steady', 'topic, consumers, every region serving');
  const kafka = cleanup.use(new Kafka({ ...outputs.kafka, credentials: await readCredentials({ kubeconfig: drill.options.kubeconfig, outputs }) }));
  const view = { topic: plan.topic, leader: () => kafka.leader(plan.topic, 0), hosts: () => kafka.hosts() };
  const injections: Injection[] = [];
  // All of them, so that what cannot be done is refused before anything is.
  for (const step of plan.steps) if (step.kind === 'do') injections.push(await prepareFault(drill, step, view));
  const [first] = injections;
  if (first === undefined) return 'the plan has no fault';
  const workersPlace = placeOfWorkers(drill);
  if (plan.load.workers > 0) await mustAllowWorkers(workersPlace);
  drill.touched = true;
  const { kubeconfig, parts: installed } = drill.options;
  const way = { kubeconfig, outputs };
  const [configuration, parts] = await Promise.all([readConfiguration({ ...way, topic: plan.topic }), installed === undefined ? readParts(way) : withRunningKafka(installed, way)]);
  Object.assign(drill.seen, { configuration, parts });
  // At once, and not after all of it: without a bound, or an objective for it, no gap is short enough to pass.
  for (const [name, { unreadable }] of Object.entries(configuration)) if (unreadable !== undefined) drill.phase('steady', `${name} cannot be read, so that it bounds no gap: ${String(unreadable)}`);
  // The first thing that is made.
  signal.throwIfAborted();
  cleanup.defer(() => forget(drill, kafka));
  await kafka.createTopic(plan.topic, { partitions: plan.partitions, replicas: 3, minInsyncReplicas: 2 });
  const consumers = cleanup.adopt(consumersOf(drill), (group) => group.stop());
  const onDied = ({ message }: UserError): void => { drill.stop(new AbortCondition(message, { own: true })); };
  const generator = cleanup.adopt(await Generator.start({ tier1: tier1Of(outputs), hostname: outputs.hostname, plan: driversShare(plan), regions: outputs.regions, proxiesRepeat: mayRepeat(drill), clock, onDied }), (open) => open.close());
  const pool = cleanup.adopt(entrance(outputs, { connections: 1 }), (open) => open.destroy());
  // An interrupted drill does not wait for answers.
  const end = (): void => {
    generator.abort();
    void pool.destroy();
  };
  signal.addEventListener('abort', end, { once: true });
  // The caller's signal may outlive many drills, and keeps alive what listens to one that is made of it.
  cleanup.defer(() => { signal.removeEventListener('abort', end); });
  const probe = probeOf(drill, { dispatcher: pool, regions: await byAddress(outputs.regions), onAttempt: storing(drill, (attempt) => { live.noteUnknown(attempt); }) });
  const everyRegion = { probe, regions: servingRegions(outputs), shares: sharesOf(outputs), byPlace: outputs.tier1?.byPlace, clock, signal };
  // Nobody's pods are made anew where there is nobody to serve meanwhile.
  const idle = await reachSteadyState(everyRegion);
  if (idle !== undefined) return idle;
  for (const injection of injections) await refresh(drill, injection);
  const workers = plan.load.workers === 0 ? undefined : cleanup.adopt(await startWorkers(drill, { ...workersPlace, kafka, dispatcher: pool, refs: first.target.refs }), (open) => open.close());
  const missing = await reachSteadyState({ ...everyRegion, consumers });
  if (missing !== undefined) return missing;
  try {
    const unheard = await loadAndFaults(drill, { generator, workers, first, kafka: view, consumers });
    if (unheard !== undefined) return unheard;
  } catch (error) {
    // What was done until then is judged all the same, unless a person waits for the end or another drill has the stack.
    if (signal.aborted ? signal.reason instanceof AbortCondition && !signal.reason.lost : error instanceof UserError) await readUntilAbort(drill, { kafka, workers })
      .catch((failure: unknown) => { drill.phase('verify', `the log could not be read, so that nobody looks for damage to data: ${messageOf(failure)}`); });
    throw error;
  }
  const bounds = await drain(drill, { kafka, consumers });
  await drill.judgeAhead();
  await readLog(drill, kafka, bounds);
  return undefined;
}

interface Loaded {
  generator: Generator;
  workers: Workers | undefined;
  first: Injection;
  kafka: KafkaView;
  consumers: ConsumerGroup;
}

/** What is missing of the workers' results, or undefined. */
async function loadAndFaults(drill: Drill, { generator, workers, first, kafka, consumers }: Loaded): Promise<string | undefined> {
  const { plan, clock, live, signal, marks } = drill;
  const share = driversShare(plan);
  // What is sent before the load is no part of its shares, but hurts as much.
  const guarded = new Live(clock, []);
  const rounds = new Rounds();
  await using cleanup = new AsyncDisposableStack();
  try {
    await arrange(drill, first);
    using guard = guardLoad({ live: guarded, clock, rounds, mostErrors: plan.abortAfterErrors ?? defaultMostErrors, onBroken: drill.stop });
    const attempts: Attempt[] = [];
    await warmUp({
      start: () => inRound(rounds.begin(constant(share.rate), clock()), clock, generator.load(warmUpProducer, 'even', storing(drill, (attempt) => {
        attempts.push(attempt);
        live.noteUnknown(attempt);
        guarded.add(attempt);
      }))), attempts, clock, signal,
    });

    const beginMs = await workers?.begin() ?? clock();
    const load = inRound(rounds.begin(scheduleOf(share), beginMs), clock, generator.load(driversProducer, 'planned', storing(drill, (attempt) => {
      live.add(attempt);
      guarded.add(attempt);
    }), beginMs));
    if (workers !== undefined) await delay(beginMs - clock(), undefined, { signal });
    marks.loadMs = beginMs;
    drill.phase('load', workers === undefined ? `${plan.rate} records/s` : `${plan.rate} records/s, ${share.rate} of them from here, the others by ${plan.load.workers} workers`);
    cleanup.defer(() => load.stop().catch(() => undefined));
    cleanup.defer(() => { marks.loadEndMs ??= clock(); });
    await carryOutSteps(drill, first, kafka, consumers);
    marks.loadEndMs = clock();
    // Nothing more is sent: what is still waited for ends nothing.
    guard[Symbol.dispose]();
    const [missing] = await Promise.all([workers?.finish(), load.stop()]);
    if (workers?.clocksMs !== undefined) drill.seen.workerClocksMs = workers.clocksMs;
    return missing;
  } finally {
    await healArranged(drill, first);
  }
}

/** A load whose round is over as it is told to stop: what it then still waits for was due before. */
function inRound(end: (endMs: number) => void, clock: Clock, load: Load): Load {
  return {
    stop() {
      end(clock());
      return load.stop();
    },
  };
}

function placeOfWorkers({ outputs, options }: Drill): { cluster: Cluster; namespace: string } {
  const { context, namespace } = leasePlaceOf(outputs);
  return { cluster: new Cluster(options.kubeconfig, context), namespace };
}

async function startWorkers(drill: Drill, way: { cluster: Cluster; namespace: string; kafka: Kafka; dispatcher: Dispatcher; refs: TargetRefs }): Promise<Workers> {
  const { plan, outputs, options, clock, live, signal } = drill;
  return await Workers.start({
    ...way, stateDir: options.stateDir, clock, signal,
    settings: { plan, tier1: tier1Of(outputs), hostname: outputs.hostname, regions: outputs.regions.map(({ name, gatewayAddress }) => ({ name, gatewayAddress })), proxiesRepeat: mayRepeat(drill) },
    onLeft: (error) => { drill.phase('report', staysBehind(error)); },
    // Its end by another machine's clock is no time to wait from.
    onAttempt: storing(drill, (attempt) => { live.noteUnknown({ ...attempt, endMs: clock() }); }),
  });
}

/** Whether what a proxy answers may be about its last try alone. */
function mayRepeat({ seen, outputs }: Drill): boolean {
  return proxiesRepeat(seen.configuration ?? {}, outputs.regions.map(({ name }) => name));
}

/** Stores each attempt before anything is made of it. */
function storing({ store }: Drill, next: (attempt: Attempt) => void): (attempt: Attempt) => void {
  return (attempt) => {
    void store.attempts.append(attempt);
    next(attempt);
  };
}

function consumersOf(drill: Drill): ConsumerGroup {
  const { plan, outputs, clock, content, store } = drill;
  return new ConsumerGroup({
    tier1: outputs, hostname: outputs.hostname, group: plan.topic, topic: plan.topic, format: plan.load.format, proxiesRepeat: mayRepeat(drill), content, clock,
    consumers: plan.consumers, partitions: plan.partitions,
    onDelivery: (delivery) => void store.deliveries.append(delivery),
    onCommit: (commit) => void store.commits.append(commit),
  });
}

function probeOf(drill: Drill, way: Pick<ProducerOptions, 'dispatcher' | 'regions' | 'onAttempt'>): () => Promise<Attempt> {
  const { plan, outputs, clock } = drill;
  const sender = producer({
    ...way, lanes: new Lanes(1), hostname: outputs.hostname, topic: plan.topic, run: plan.run, name: probeProducer, proxiesRepeat: mayRepeat(drill), clock,
    content: drill.content, retry: 'none', timeoutMs: plan.requestTimeoutMs,
  });
  let sent = 0;
  return () => {
    sent += 1;
    return sender.send(sent - 1, clock());
  };
}

/** Topic and group are this run's own; that they stay behind is no reason for another verdict. A group goes by itself in time; a topic keeps all that it holds, so it is told. */
async function forget({ plan: { topic }, phase }: Drill, kafka: Kafka): Promise<void> {
  const [ended] = await Promise.allSettled([kafka.deleteTopic(topic), kafka.deleteGroup(topic)]);
  if (ended.status === 'rejected') phase('report', staysBehind(ended.reason));
}

/** Of a topic, by an error that names it. */
function staysBehind(error: unknown): string {
  return `left behind in Kafka, to be deleted with its own tools: ${messageOf(error)}`;
}
