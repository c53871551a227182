import { adviseOn } from './advice.ts';
import { Checker } from './checker.ts';
import type { ConsumeFindings, Findings, LogFindings } from './checker.ts';
import { ownDelayMs } from './conditions.ts';
import { lateAnswers } from './fault-times.ts';
import { ConsumeFigures, ProduceFigures } from './figures.ts';
import type { ConsumptionEntry, CurvePoint, RegionShares } from './figures.ts';
import { HandedOver } from './handed-over.ts';
import { inFlightAt, lostBesides } from './in-flight.ts';
import { faultSpan } from './metrics.ts';
import type { Latency, Marks, Span, TimelineEntry } from './metrics.ts';
import type { Objective } from './objective.ts';
import { judgeObjectives, predictionTolerance } from './objectives.ts';
import type { AppliedConfiguration, Ending, FaultMark, Plan, StepRecord } from './plan.ts';
import { objectName } from './predict/configuration.ts';
import { predict } from './predict/predict.ts';
import type { Prediction as Predicted } from './predict/predict.ts';
import type { Attempt, Commit, Delivery, LogRecord } from './records.ts';
import type { Lines } from './store.ts';
import { ExpectedStep } from './window.ts';

export type { Predicted };

/** Version of the report's field names; docs/report.schema.json describes it. */
export const reportSchema = 'kbf-report/2';
/** Names of the producers whose records only show that everything serves, and make it warm; they are checked, but no part of the figures. */
export const probeProducer = 'probe';
export const warmUpProducer = 'warm-up';

export type Parts = Record<string, { kind: 'real' | 'reference'; version: string }>;

/** All that a run leaves besides its lines: with those, enough to judge it again at any time. */
export interface RunRecord {
  schema: 'kbf-run/2';
  startedAt: string;
  environment: string;
  parts: Parts;
  regions: string[];
  plan: Plan;
  /** Those of the first fault. */
  marks: Marks;
  faults: FaultMark[];
  steps: StepRecord[];
  configuration?: AppliedConfiguration;
  /** Consumers that were made anew, why others could not be, what else made one end, and by partition what was answered where what they were given could not be committed at the end (absent where nobody tried). */
  consumers?: { recreated: number; notRecreated: string[]; broken: string[]; notCommitted?: Record<number, string> };
  /** How far the times of any worker may be off the driver's, ms. Absent without workers, and where it could not be found out. */
  workerClocksMs?: number;
  /** First offset the group would read next, by partition. Absent when nobody could be asked. */
  committed?: Record<number, number>;
  /** How many lines each file has below its first. Absent where the driver was killed before it could tell. */
  stored?: Record<keyof Lines, number>;
  /** Whether log.ndjson holds all of the log up to its end after the load. */
  logRead: boolean;
  ending: Ending;
  /** Set where it was ended by a person's wish, and by no condition of its own. */
  interrupted?: true;
}

/** The ending of a run whose driver was killed: it stands there from the begin. */
export const driverEnded: Ending = { kind: 'inconclusive', reason: 'the driver was ended before the drill was' };

export interface Stored {
  run: RunRecord;
  attempts: Attempt[];
  log: LogRecord[];
  commits?: Commit[];
  deliveries: Delivery[];
}

export interface Report {
  schema: typeof reportSchema;
  startedAt: string;
  environment: string;
  parts: Parts;
  plan: Plan;
  fault: { name: string; region: string; tookHold: boolean; injectedMs?: number; tookHoldMs?: number; healedMs?: number; recoveredMs?: number };
  produce: {
    /** Records; `attempts` are the requests that were sent for them. */
    sent: number; ok: number; failed: number; unknown: number; attempts?: number;
    blackoutMs?: number; latencyMs?: Latency; errors: { class: string; count: number }[];
  };
  consume?: Partial<ConsumeFindings> & Pick<ConsumeFindings, 'delivered' | 'redelivered' | 'skipped'> & { blackoutMs?: number; recreated?: number; notRecreated?: number };
  log?: LogFindings;
  regions: RegionShares[];
  predicted?: Predicted;
  timeline: TimelineEntry[];
  latencyCurve?: CurvePoint[];
  consumption?: ConsumptionEntry[];
  faults?: FaultMark[];
  steps?: StepRecord[];
  configuration?: AppliedConfiguration;
  objectives: Objective[];
  /** Up to 20 examples of each finding, by the name of its objective. */
  evidence?: Record<string, string[]>;
  /** What would have to change for the objectives that were not met. */
  advice?: string[];
  verdict: 'pass' | 'fail' | 'inconclusive' | 'aborted';
  /** Why a drill was not carried out to its end. */
  reason?: string;
}

/** Judges a stored run. Pure: the same run gives the same report. What was not measured is left out, never zero. */
export function judge({ run, attempts, log, commits = [], deliveries }: Stored): Report {
  const judging = new Judging(run);
  for (const attempt of attempts) judging.attempt(attempt);
  for (const record of log) judging.logged(record);
  for (const commit of commits) judging.committed(commit);
  for (const delivery of deliveries) judging.delivered(delivery);
  return judging.report();
}

/** The same, fed line by line, so that a run of any length fits into memory: attempts first, deliveries last, but for those that the log is known to hold. */
export class Judging {
  readonly #run: RunRecord;
  readonly #checker: Checker;
  readonly #produce: ProduceFigures;
  readonly #consume = new ConsumeFigures();
  readonly #handedOver: HandedOver;
  /** By the step as the drill noted it. */
  readonly #expected: ReadonlyMap<StepRecord, ExpectedStep>;

  constructor(run: RunRecord) {
    this.#run = run;
    const wanted = run.plan.steps.flatMap((step) => (step.kind === 'expect' ? [step.objective] : []));
    this.#expected = new Map(run.steps.filter(({ kind }) => kind === 'expect').map((step, i) => [step, new ExpectedStep({ ...step, text: wanted[i] ?? step.text }, run.regions)]));
    this.#checker = new Checker(run.plan.run, { isCut: run.ending.kind !== 'complete', mode: run.plan.consumers.mode, clocksMs: clocksMs(run) });
    const [first, ...others] = run.faults;
    this.#produce = new ProduceFigures({ ...run.marks, ...pick('late', lateAnswers(run, first)) }, others.map((fault) => ({ ...fault, ...pick('late', lateAnswers(run, fault)) })));
    this.#handedOver = new HandedOver(run.plan);
  }

  attempt(attempt: Attempt): void {
    const change = this.#checker.attempt(attempt);
    if (isLoad(attempt.producer)) {
      this.#produce.add(attempt, change);
      if (change.before === undefined) this.#handedOver.add(attempt);
      for (const step of this.#expected.values()) step.add(attempt);
    }
    if (change.before !== 'ok' && change.after === 'ok') this.#consume.acknowledged(attempt);
  }

  logged(record: LogRecord): void {
    this.#checker.logged(record);
  }

  /** Whether what was fed of the log holds what was given there: then the delivery can be fed, too. */
  isLogged(delivery: Delivery): boolean {
    return this.#checker.isLogged(delivery);
  }

  committed(commit: Commit): void {
    this.#checker.committed(commit);
  }

  delivered(delivery: Delivery): void {
    this.#consume.add(delivery, { isFirst: this.#checker.delivered(delivery), isAwaited: this.#checker.isAwaited(delivery) });
  }

  report(): Report {
    const run = { ...this.#run, steps: this.#run.steps.map((step) => this.#expected.get(step)?.judged() ?? step) };
    const findings = this.#checker.findings(run.committed, run.consumers?.notCommitted);
    const span = faultSpan(run.marks);
    const { regions, samples } = this.#produce.regions(run.regions);
    const latency = this.#produce.latency();
    const produce = this.#produceFigures(span, latency?.latencyMs);
    const consume = run.logRead ? this.#consumeFigures(findings, span) : undefined;
    const { loadMs } = run.marks;
    const predictOf = (faults: RunRecord['faults']): Predicted | undefined => run.configuration && predict(run.configuration, {
      plan: run.plan, faults, ...pick('requestMs', this.#produce.slowRequestMs()), ...pick('typicalMs', this.#produce.typicalRequestMs()),
      ...(loadMs === undefined || span === undefined ? {} : { measured: { fromMs: span.fromMs - loadMs, toMs: span.toMs - loadMs } }),
    });
    const predicted = predictOf(run.faults);
    const boundsMs = run.faults.map((fault) => predictOf([fault])?.produceBlackoutMs);
    const measured = { produce, regions, ...pick('consume', consume), ...(run.logRead ? { log: findings.log } : {}), ...pick('predicted', predicted) };
    const { verdict, objectives } = judgeObjectives({
      run, samples, boundsMs, lostBesides: this.#lostBesides(boundsMs), later: this.#produce.laterRegions(run.regions), latenessMs: this.#produce.latenessMs(), latenessMaxMs: this.#produce.latenessMaxMs(), stepLatenessMs: [...this.#expected.values()].map((step) => step.latenessMs()), clockJumps: findings.clockJumps, ...measured, ...pick('notHandedOver', this.#handedOver.missing(run.marks, ownDelayMs)), ownSockets: this.#produce.ownSockets,
      ...pick('latenessInGapMs', span && this.#produce.latenessInGapMs(span)), ...pick('connectionWaitMs', this.#produce.connectionWaitMs()),
      ...pick('consumersBehindMs', run.logRead && run.marks.injectMs !== undefined ? this.#consume.behindMs(run.marks.injectMs) : undefined),
    });
    return {
      schema: reportSchema, startedAt: run.startedAt, environment: run.environment, parts: run.parts, plan: run.plan, fault: faultOf(run),
      ...measured,
      timeline: this.#produce.timeline(), latencyCurve: latency?.curve ?? [], consumption: this.#consume.timeline(run.marks),
      faults: run.faults, steps: run.steps, ...pick('configuration', run.configuration),
      objectives, evidence: { ...this.#lostRequests(), ...(run.logRead ? findings.evidence : {}) },
      advice: adviseOn({ run, objectives, produce, ...pick('predicted', predicted) }),
      verdict, ...(run.ending.kind === 'complete' ? {} : { reason: run.ending.reason }),
    };
  }

  #produceFigures(span: Span | undefined, latencyMs: Latency | undefined): Report['produce'] {
    return {
      ...this.#produce.counts, attempts: this.#produce.attempts,
      ...pick('blackoutMs', span && this.#produce.blackoutMs(span)), ...pick('latencyMs', latencyMs), errors: this.#errors(),
    };
  }

  #consumeFigures({ consume }: Findings, span: Span | undefined): Report['consume'] {
    return { ...consume, ...pick('blackoutMs', span && this.#consume.blackoutMs(span, this.#checker.partitions)), ...pick('recreated', this.#run.consumers?.recreated), ...pick('notRecreated', this.#run.consumers?.notRecreated.length) };
  }

  /** Nothing is detected later than its bound, as far as that is borne. */
  #lostBesides(boundsMs: readonly (number | undefined)[]): ReturnType<typeof lostBesides> {
    const { faults, plan, workerClocksMs, configuration = {} } = this.#run;
    const lost = [...this.#checker.ledger.notOk()].filter(({ producer }) => isLoad(producer));
    const spans = inFlightAt(faults, {
      boundsMs: boundsMs.map((ms) => ms === undefined ? undefined : ms * predictionTolerance),
      bridgesOf: (region = plan.region) => replicasIn(configuration[objectName.bridge(region)]),
      requestMs: this.#produce.slowRequestMs(), clockMs: workerClocksMs,
    });
    return lostBesides(lost, spans, plan, workerClocksMs);
  }

  /** Records that are not ok, by the class of their last attempt; the most frequent first. */
  #errors(): { class: string; count: number }[] {
    const counts = new Map<string, number>();
    for (const { producer, class: name } of this.#checker.ledger.notOk()) if (isLoad(producer)) counts.set(name, (counts.get(name) ?? 0) + 1);
    return [...counts].map(([name, count]) => ({ class: name, count })).sort((a, b) => b.count - a.count);
  }

  #lostRequests(): Record<string, string[]> {
    const lists: Record<string, string[]> = {};
    for (const { record, producer, outcome, class: name, issuedMs } of this.#checker.ledger.notOk()) {
      const list = isLoad(producer) ? lists[`produce.${outcome}`] ??= [] : [];
      if (list.length < 20) list.push(`${this.#checker.ledger.nameOf(record)} at ${Math.round(issuedMs)} ms: ${name}`);
    }
    return lists;
  }
}

/** How far the clocks of producers may be off that of the consumers: a thread reads its own, and may have been kept waiting when it set it. */
function clocksMs({ plan, workerClocksMs = Infinity }: RunRecord): number {
  return Math.max(ownDelayMs, plan.load.workers === 0 ? 0 : workerClocksMs);
}

function replicasIn({ replicas }: AppliedConfiguration[string] = {}): number | undefined {
  return typeof replicas === 'number' ? replicas : undefined;
}

function isLoad(producer: string): boolean {
  return producer !== probeProducer && producer !== warmUpProducer;
}

function faultOf({ plan, marks }: RunRecord): Report['fault'] {
  return {
    name: plan.fault, region: plan.region, tookHold: marks.tookHoldMs !== undefined,
    ...pick('injectedMs', marks.injectMs), ...pick('tookHoldMs', marks.tookHoldMs),
    ...pick('healedMs', marks.healMs), ...pick('recoveredMs', marks.recoveredMs),
  };
}

/** `{ [name]: value }`, or nothing when it was not measured. */
function pick<K extends string, T>(name: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, T>);
}
