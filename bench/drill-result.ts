/** What a series of drills came to beside what was aimed at. Pure. */
import { median } from '../automation/drill/confidence.ts';
import type { Report } from '../automation/drill/report.ts';
import type { Limits } from './drill-aims.ts';

/** What the bench reads of a report. */
export type Judged = Pick<Report, 'verdict' | 'reason'> & {
  produce: Pick<Report['produce'], 'failed' | 'unknown' | 'blackoutMs'>;
  consume?: { blackoutMs?: number };
  log?: { ackedLost: number; duplicates: { unexplained: number } };
  predicted?: { produceBlackoutMs?: number };
};

export interface Result {
  /** Drills that came to their end and answered their question; the figures are theirs. */
  conclusive: number;
  /** Drills that ended themselves, as no region served for 10 s or too much failed: worse than any aim, and without figures. */
  endedThemselves: number;
  /** Absent where none measured it. */
  lostMost?: number;
  gapMedianMs?: number;
  gapWorstMs?: number;
  consumersMedianMs?: number;
  consumersWorstMs?: number;
  timesPredicted?: number;
  /** Of all drills: damage is damage, however one ended. */
  ackedLost: number;
  unexplained: number;
}

const defaultTimesPredicted = 1.5;

export function resultOf(reports: readonly Judged[]): Result {
  const conclusive = reports.filter(({ verdict, reason }) => reason === undefined && (verdict === 'pass' || verdict === 'fail'));
  const gaps = conclusive.flatMap(({ produce }) => produce.blackoutMs ?? []);
  const consumers = conclusive.flatMap(({ consume }) => consume?.blackoutMs ?? []);
  const shares = conclusive.flatMap(({ produce, predicted }) => (produce.blackoutMs === undefined || predicted?.produceBlackoutMs === undefined ? [] : produce.blackoutMs / predicted.produceBlackoutMs));
  const [gapMedianMs, consumersMedianMs] = [gaps, consumers].map((values) => median(values.toSorted((a, b) => a - b)));
  return {
    conclusive: conclusive.length,
    endedThemselves: reports.filter(({ verdict, reason }) => verdict === 'aborted' || (verdict === 'fail' && reason !== undefined)).length,
    ...(conclusive.length === 0 ? {} : { lostMost: Math.max(...conclusive.map(({ produce }) => produce.failed + produce.unknown)) }),
    ...(gapMedianMs === undefined ? {} : { gapMedianMs, gapWorstMs: Math.max(...gaps) }),
    ...(consumersMedianMs === undefined ? {} : { consumersMedianMs, consumersWorstMs: Math.max(...consumers) }),
    ...(shares.length === 0 ? {} : { timesPredicted: Math.max(...shares) }),
    ackedLost: sum(reports.map(({ log }) => log?.ackedLost ?? 0)), unexplained: sum(reports.map(({ log }) => log?.duplicates.unexplained ?? 0)),
  };
}

/** All that is damaged, or was aimed at and missed, one phrase each. Without a conclusive drill no figure is. */
export function missed(result: Result, limits: Limits, connections: number): string[] {
  const { conclusive, endedThemselves, ackedLost, unexplained, lostMost, timesPredicted } = result;
  const worst = [...(endedThemselves > 0 ? [`${endedThemselves} ended themselves`] : []), ...(ackedLost > 0 ? [`${ackedLost} acknowledged and lost`] : []), ...(unexplained > 0 ? [`${unexplained} duplicates unexplained`] : [])];
  if (conclusive === 0) return worst;
  const over = (what: string, value: number | undefined, most: number | undefined, shown: (value: number) => string): string[] => {
    if (most === undefined) return [];
    if (value === undefined) return [`${what} not measured`];
    return value > most ? [`${what} ${shown(value)} of ${shown(most)}`] : [];
  };
  return [
    ...worst,
    ...over('lost', lostMost, limits.lostPerConnection === undefined ? undefined : limits.lostPerConnection * connections, String),
    ...over('gap median', result.gapMedianMs, limits.gapMedianMs, ms),
    ...over('gap worst', result.gapWorstMs, limits.gapWorstMs, ms),
    ...over('consumers worst', result.consumersWorstMs, limits.consumersWorstMs, ms),
    // Nothing is predicted of some faults.
    ...over('of predicted', timesPredicted, limits.timesPredicted ?? (timesPredicted === undefined ? undefined : defaultTimesPredicted), (value) => `${value.toFixed(2)} times`),
  ];
}

/** What is aimed at, as a person reads it beside the figures. */
export function aimText({ lostPerConnection, gapMedianMs, gapWorstMs, consumersWorstMs, timesPredicted = defaultTimesPredicted }: Limits, connections: number): string {
  return [
    ...(lostPerConnection === undefined ? [] : [`≤ ${lostPerConnection * connections} lost`]),
    ...(gapMedianMs === undefined ? [] : [`gap median ≤ ${ms(gapMedianMs)}`]),
    ...(gapWorstMs === undefined ? [] : [`gap worst ≤ ${ms(gapWorstMs)}`]),
    ...(consumersWorstMs === undefined ? [] : [`consumers ≤ ${ms(consumersWorstMs)}`]),
    `≤ ${timesPredicted} times predicted`,
  ].join(', ');
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
