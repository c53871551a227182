import { latency, produceBlackout } from './metrics.ts';
import type { Span } from './metrics.ts';
import type { Attempt } from './records.ts';

/** Figures of objectives that can be measured over a part of a run, while it goes on. */
export const windowFigures = [
  'produce.sent', 'produce.attempts', 'produce.ok', 'produce.failed', 'produce.unknown', 'produce.blackoutMs', 'produce.latencyMs.p50', 'produce.latencyMs.p99', 'produce.latencyMs.max',
] as const;
export type WindowFigure = (typeof windowFigures)[number];

/** What the load's clients saw of the records that ended in the span. What cannot be measured is absent. */
export function measureWindow(attempts: readonly Attempt[], span: Span): Partial<Record<WindowFigure, number>> {
  const within = attempts.filter(({ endMs }) => endMs >= span.fromMs && endMs < span.toMs);
  const fates = [...Map.groupBy(within, ({ producer, seq }) => `${producer}/${seq}`).values()].map(fateOf);
  const count = (fate: Attempt['outcome']): number => fates.filter((each) => each === fate).length;
  const times = latency(within);
  return {
    'produce.sent': fates.length, 'produce.attempts': within.length, 'produce.ok': count('ok'), 'produce.failed': count('failed'), 'produce.unknown': count('unknown'),
    ...(within.length === 0 ? {} : { 'produce.blackoutMs': produceBlackout(within, span) }),
    ...(times === undefined ? {} : { 'produce.latencyMs.p50': times.p50, 'produce.latencyMs.p99': times.p99, 'produce.latencyMs.max': times.max }),
  };
}

/** A record is in the log if any attempt was answered so, and may be if any was not answered. */
function fateOf(attempts: readonly Attempt[]): Attempt['outcome'] {
  const outcomes = attempts.map(({ outcome }) => outcome);
  return outcomes.includes('ok') ? 'ok' : outcomes.includes('unknown') ? 'unknown' : 'failed';
}
