import type { LoadPlan } from './plan.ts';
import type { Attempt } from './records.ts';

/** The first pause is about a round trip, as most failures are over with the next connection; from then on it doubles. */
const firstPauseMs = 25;
const longestPauseMs = 1_000;
/** No record is begun again later than this after it was due: a load has to end. */
const retryForMs = 15_000;

/**
 * How long to wait before the record is sent once more, ms; undefined when it is not. Depends on nothing but its arguments. With `safe` only
 * what certainly was not written is sent again. With `always` also what may have been, as many clients do; the log may then hold the
 * record twice, and that is the client's doing.
 */
export function retryAfter(policy: LoadPlan['retry'], { outcome, attempt, intendedMs, endMs }: Pick<Attempt, 'outcome' | 'attempt' | 'intendedMs' | 'endMs'>): number | undefined {
  if (outcome === 'ok' || policy === 'none' || (outcome === 'unknown' && policy === 'safe')) return undefined;
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
  return endMs + pauseMs - intendedMs > retryForMs ? undefined : pauseMs;
}
