import type { FaultMark, Plan } from './plan.ts';
import type { Span } from './metrics.ts';

/** A record of the load that its client does not know to be written: what became of its last request, and when that was on a connection, ms since the drill began. */
export interface LostRecord {
  outcome: 'failed' | 'unknown';
  class: string;
  /** Absent where no connection ever took it. */
  sentMs?: number;
  endMs: number;
}

/** How many records, by what became of them. */
export interface Losses {
  failed: number;
  unknown: number;
}

/** When a request can have been in flight at a fault that ends what is in flight. */
export interface InFlight extends Span {
  /** At how many moments it can have ended them: a host loses at one moment all that it has then. */
  moments: number;
}

/** What is known of the faults of a run besides their marks. */
export interface Circumstances {
  /** How long nobody may be answered under each, ms; undefined where nothing bounds that. */
  boundsMs: readonly (number | undefined)[];
  /** Bridges of a region; undefined where nobody could read it. */
  bridgesOf: (region: string | undefined) => number | undefined;
  /** How long a request takes where nothing is wrong. */
  requestMs?: number | undefined;
  /** How far times may be off. */
  clockMs?: number | undefined;
}

/** What was there before such a fault was seen in the cluster was there when it struck: processes are gone then. */
const endsAtOnce: ReadonlySet<string> = new Set(['bridge-kill', 'gateway-kill']);
/** Refused before any host had it, so that it cannot have been there when one was lost: who waits for such a request may have it sent again. */
const neverThere = /^(unsent-|no-healthy-upstream|upstream-(refused|connect-failure|overflow)$|bridge-refused|http-4)/;

/**
 * When a request can have been in flight at a fault, by fault; none of one that loses nothing so. One with a grace period may: not every bridge waits for its answers. On a connection
 * when it struck, or until its host was found to be gone: what was ended at once is found out by the next answer, other things within the bound after they took hold, and where there is
 * none until the region served again.
 */
export function inFlightAt(faults: readonly FaultMark[], { boundsMs, bridgesOf, requestMs = 0, clockMs = 0 }: Circumstances): InFlight[] {
  return faults.flatMap(({ fault, region, losesInFlight, injectMs, tookHoldMs = injectMs, recoveredMs = Infinity }, i) => {
    if (losesInFlight !== true) return [];
    const isAtOnce = endsAtOnce.has(fault);
    const withinMs = isAtOnce ? requestMs : boundsMs[i];
    const hosts = fault.startsWith('bridge-') ? bridgesOf(region) : undefined;
    // Pods of a gateway nobody has counted: those that are killed are so one after the other, those that say nothing any more do so together.
    return [{ fromMs: injectMs - clockMs, toMs: (withinMs === undefined ? recoveredMs : tookHoldMs + withinMs) + clockMs, moments: hosts ?? (isAtOnce ? Infinity : 1) }];
  });
}

/**
 * Which losses cannot have been in flight at a fault: what is in flight cannot be saved without writing it twice, but that is what one moment finds there, of each host, and at most one
 * request on each connection. A client that sends again loses none that certainly was not written, and none at all where it always does.
 */
export function lostBesides(lost: readonly LostRecord[], spans: readonly InFlight[], { connections, load: { retry } }: Pick<Plan, 'connections' | 'load'>, clockMs = 0): Losses {
  const mayBe = { failed: retry === 'none', unknown: retry !== 'always' };
  // Failed ones first: `produce.unknown` may be what they leave.
  let rest = (['failed', 'unknown'] as const).flatMap((outcome) => lost.filter((record) => record.outcome === outcome));
  for (const span of spans) {
    let free = connections;
    for (let moment = 0; moment < span.moments && free > 0; moment += 1) {
      const there = rest.flatMap((record) => (mayBe[record.outcome] ? during(record, span, clockMs) : []));
      const taken = new Set((span.moments === Infinity ? there : mostAtOnce(there)).slice(0, free).map(({ record }) => record));
      if (taken.size === 0) break;
      free -= taken.size;
      rest = rest.filter((record) => !taken.has(record));
    }
  }
  return { failed: rest.filter(({ outcome }) => outcome === 'failed').length, unknown: rest.filter(({ outcome }) => outcome === 'unknown').length };
}

interface There extends Span {
  record: LostRecord;
}

/** When within the span the record was on a connection, if it was. */
function during(record: LostRecord, span: Span, clockMs: number): There[] {
  const { sentMs, endMs, outcome, class: name } = record;
  if (sentMs === undefined || (outcome === 'failed' && neverThere.test(name))) return [];
  const [fromMs, toMs] = [Math.max(sentMs, span.fromMs), Math.min(endMs, span.toMs)];
  return fromMs > toMs ? [] : [{ record, fromMs: fromMs - clockMs, toMs: toMs + clockMs }];
}

/** Those of the moment at which most of them were there. */
function mostAtOnce(all: readonly There[]): There[] {
  const ends = all.map(({ toMs }) => toMs).sort((a, b) => a - b);
  const begins = all.map(({ fromMs }) => fromMs).sort((a, b) => a - b);
  let [over, most, atMs] = [0, 0, NaN];
  for (const [i, begin] of begins.entries()) {
    while ((ends[over] ?? Infinity) < begin) over += 1;
    if (i + 1 - over > most) [most, atMs] = [i + 1 - over, begin];
  }
  return all.filter(({ fromMs, toMs }) => fromMs <= atMs && toMs >= atMs);
}
