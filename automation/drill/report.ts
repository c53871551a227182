import { check } from './checker.ts';
import type { LogFindings } from './checker.ts';
import { connectionWait, consumeBlackout, faultSpan, latency, lateness, produceBlackout, settledSpan, shares, timeline } from './metrics.ts';
import type { Latency, Marks, TimelineEntry } from './metrics.ts';
import { judgeObjectives } from './objectives.ts';
import type { Ending, Objective } from './objectives.ts';
import type { AppliedConfiguration, FaultMark, Plan, StepRecord } from './plan.ts';
import type { Attempt, Delivery, LogRecord } from './records.ts';

/** Version of the report's field names; docs/report.schema.json describes it. */
export const reportSchema = 'kbf-report/1';
/** Names of the producers whose records only show that everything serves, and make it warm; they are checked, but no part of the figures. */
export const probeProducer = 'probe';
export const warmUpProducer = 'warm-up';
const timelineStepMs = 100;

export type Parts = Record<string, { kind: 'real' | 'reference'; version: string }>;

/** All that a run leaves besides its lines: with those, enough to judge it again at any time. */
export interface RunRecord {
  schema: 'kbf-run/1';
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
  consumers?: { recreated: number };
  /** First offset the group would read next, by partition. Absent when nobody could be asked. */
  committed?: Record<number, number>;
  /** Whether log.ndjson holds all of the log up to its end after the load. */
  logRead: boolean;
  ending: Ending;
}

export interface Stored {
  run: RunRecord;
  attempts: Attempt[];
  deliveries: Delivery[];
  log: LogRecord[];
}

export interface Predicted {
  produceBlackoutMs?: number;
  consumeBlackoutMs?: number;
  terms: { of: 'produce' | 'consume'; name: string; ms: number; from: string }[];
  why: string;
}

export interface Report {
  schema: typeof reportSchema;
  startedAt: string;
  environment: string;
  parts: Parts;
  plan: Plan;
  fault: { name: string; region: string; tookHold: boolean; injectedMs?: number; tookHoldMs?: number; healedMs?: number; recoveredMs?: number };
  produce: {
    sent: number; ok: number; failed: number; unknown: number;
    blackoutMs?: number; latencyMs?: Latency; errors: { class: string; count: number }[];
  };
  consume?: { delivered: number; redelivered: number; skipped: number; blackoutMs?: number; recreated?: number };
  log?: LogFindings;
  regions: { name: string; before?: number; during?: number; after?: number }[];
  timeline: TimelineEntry[];
  objectives: Objective[];
  /** The faults as they went, where there were several or more is known than `fault` says. */
  faults?: FaultMark[];
  /** Up to 20 examples for each finding, by the name of its objective. */
  evidence?: Record<string, string[]>;
  /** The bounds that the applied configuration implies, and the terms that make them. */
  predicted?: Predicted;
  /** Latency of the ok requests from their intended times, ms, by percentile (0 to 100). */
  latencyCurve?: { percentile: number; ms: number }[];
  /** Records delivered so far, and acknowledged ones that were not, by ms since the drill began. */
  consumption?: { t: number; delivered: number; lag: number }[];
  steps?: StepRecord[];
  configuration?: AppliedConfiguration;
  /** What to change, the most valuable first. */
  advice?: string[];
  /** Why the drill was aborted or is inconclusive. */
  reason?: string;
  verdict: 'pass' | 'fail' | 'inconclusive' | 'aborted';
}

/** Judges a stored run. Pure: the same run gives the same report. What was not measured is left out, never zero. */
export function judge({ run, attempts, deliveries, log }: Stored): Report {
  const load = attempts.filter(({ producer }) => producer !== probeProducer && producer !== warmUpProducer);
  const findings = run.logRead ? check({ run: run.plan.run, attempts, deliveries, log, ...pick('committed', run.committed) }) : undefined;
  const span = faultSpan(run.marks);
  const settled = settledSpan(run.marks);
  const counts = outcomes(load);
  const { regions, samples } = regionShares(run, load);
  const { verdict, objectives } = judgeObjectives({
    plan: run.plan, regions, samples, ending: run.ending,
    tookHold: run.marks.tookHoldMs !== undefined, latenessMs: lateness(load),
    ...pick('connectionWaitMs', settled && connectionWait(load, settled)), ...pick('produce', load.length > 0 ? counts : undefined), ...pick('findings', findings),
  });
  return {
    schema: reportSchema, startedAt: run.startedAt, environment: run.environment, parts: run.parts, plan: run.plan,
    fault: faultOf(run),
    produce: {
      sent: load.length, ...counts,
      ...pick('blackoutMs', span && produceBlackout(load, span)), ...pick('latencyMs', latency(load)), errors: errorTable(load),
    },
    ...pick('consume', findings && {
      delivered: findings.consume.delivered, redelivered: findings.consume.redelivered, skipped: findings.consume.skipped,
      ...pick('blackoutMs', span && consumeBlackout(deliveries, span)), ...pick('recreated', run.consumers?.recreated),
    }),
    ...pick('log', findings?.log),
    regions, timeline: timeline(load, timelineStepMs), objectives, verdict,
  };
}

function faultOf({ plan, marks }: RunRecord): Report['fault'] {
  return {
    name: plan.fault, region: plan.region, tookHold: marks.tookHoldMs !== undefined,
    ...pick('injectedMs', marks.injectMs), ...pick('tookHoldMs', marks.tookHoldMs),
    ...pick('healedMs', marks.healMs), ...pick('recoveredMs', marks.recoveredMs),
  };
}

/** Shares before the fault, from when it took hold until heal, and from recovery (failing that, from heal) until the load's end. */
function regionShares({ marks, regions }: RunRecord, load: readonly Attempt[]): { regions: Report['regions']; samples: Samples } {
  const { loadMs, injectMs, tookHoldMs, healMs, recoveredMs, loadEndMs } = marks;
  const between = (fromMs?: number, toMs?: number): ReturnType<typeof shares> =>
    fromMs === undefined || toMs === undefined ? undefined : shares(load, regions, { fromMs, toMs });
  const before = between(loadMs, injectMs ?? loadEndMs);
  const during = between(tookHoldMs, healMs);
  const after = between(recoveredMs ?? healMs, loadEndMs);
  return {
    regions: regions.map((name) => ({
      name, ...pick('before', before?.byRegion[name]), ...pick('during', during?.byRegion[name]), ...pick('after', after?.byRegion[name]),
    })),
    samples: { before: before?.count ?? 0, during: during?.count ?? 0, after: after?.count ?? 0 },
  };
}

/** Number of requests sent in each phase. */
export interface Samples {
  before: number;
  during: number;
  after: number;
}

function outcomes(load: readonly Attempt[]): { ok: number; failed: number; unknown: number } {
  const count = { ok: 0, failed: 0, unknown: 0 };
  for (const { outcome } of load) count[outcome] += 1;
  return count;
}

function errorTable(load: readonly Attempt[]): { class: string; count: number }[] {
  const failures = Map.groupBy(load.filter(({ outcome }) => outcome !== 'ok'), (attempt) => attempt.class);
  return [...failures].map(([name, list]) => ({ class: name, count: list.length })).sort((a, b) => b.count - a.count);
}

/** `{ [name]: value }`, or nothing when it was not measured. */
function pick<K extends string, T>(name: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, T>);
}
