import type { FaultMark, Plan } from './plan.ts';
import type { Span } from './metrics.ts';

/** A record of the load that its client does not know to be written: when its last request was on a connection, ms since the drill began. */
export interface LostRecord {
  outcome: 'failed' | 'unknown';
  /** Absent where no connection ever took it. */
  sentMs?: number;
  endMs: number;
}

/** How many records, by what became of them. */
export interface Losses {
  failed: number;
  unknown: number;
}

/**
 * When a request can have been in flight at a fault that ends what is in flight: on a connection when it struck, or until its host was found to be gone, which is `withinMs`
 * after it took hold; without such a bound until the region served again. None of a fault that takes leave first.
 */
export function inFlightSpans(faults: readonly FaultMark[], { withinMs, clockMs = 0 }: { withinMs: number | undefined; /** How far times may be off. */ clockMs?: number | undefined }): Span[] {
  return faults.filter(({ losesInFlight }) => losesInFlight === true).map(({ injectMs, tookHoldMs = injectMs, recoveredMs = Infinity }) => ({
    fromMs: injectMs - clockMs, toMs: (withinMs === undefined ? recoveredMs : tookHoldMs + withinMs) + clockMs,
  }));
}

/**
 * Which losses cannot have been in flight at a fault: what is in flight cannot be saved without writing it twice, but that is at most one request on each connection, for each fault.
 * A client that sends again loses none that certainly was not written, and none at all where it always does.
 */
export function lostBesides(lost: readonly LostRecord[], spans: readonly Span[], { connections, load: { retry } }: Pick<Plan, 'connections' | 'load'>): Losses {
  const free = spans.map(() => connections);
  const countBesides = (outcome: LostRecord['outcome'], mayBe: boolean): number => lost.filter((record) => {
    if (record.outcome !== outcome) return false;
    const { sentMs, endMs } = record;
    const at = mayBe && sentMs !== undefined ? spans.findIndex(({ fromMs, toMs }, i) => sentMs <= toMs && endMs >= fromMs && (free[i] ?? 0) > 0) : -1;
    if (at >= 0) free[at] = (free[at] ?? 0) - 1;
    return at < 0;
  }).length;
  // Failed ones first: `produce.unknown` may be what they leave.
  const failed = countBesides('failed', retry === 'none');
  return { failed, unknown: countBesides('unknown', retry !== 'always') };
}
