import { Ledger } from './check/ledger.ts';
import { latency, produceBlackout } from './metrics.ts';
import type { Span } from './metrics.ts';
import type { Attempt, Outcome } from './records.ts';

/** Figures of objectives that can be measured over a part of a run, while it goes on. */
export const windowFigures = [
  'produce.sent', 'produce.attempts', 'produce.ok', 'produce.failed', 'produce.unknown', 'produce.blackoutMs', 'produce.latencyMs.p50', 'produce.latencyMs.p99', 'produce.latencyMs.max',
] as const;
export type WindowFigure = (typeof windowFigures)[number];

/** What the load's clients saw of the records that ended in the span. What cannot be measured is absent. */
export function measureWindow(attempts: readonly Attempt[], span: Span): Partial<Record<WindowFigure, number>> {
  const within = attempts.filter(({ endMs }) => endMs >= span.fromMs && endMs < span.toMs);
  const ledger = new Ledger();
  for (const attempt of within) ledger.add(attempt);
  const outcomes = Array.from({ length: ledger.size }, (_, record) => ledger.outcomeOf(record));
  const count = (outcome: Outcome): number => outcomes.filter((each) => each === outcome).length;
  const times = latency(within);
  return {
    'produce.sent': ledger.size, 'produce.attempts': within.length, 'produce.ok': count('ok'), 'produce.failed': count('failed'), 'produce.unknown': count('unknown'),
    ...(within.length === 0 ? {} : { 'produce.blackoutMs': produceBlackout(within, span) }),
    ...(times === undefined ? {} : { 'produce.latencyMs.p50': times.p50, 'produce.latencyMs.p99': times.p99, 'produce.latencyMs.max': times.max }),
  };
}
