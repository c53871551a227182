import type { Attempt } from './records.ts';

/** When what happened in a drill, ms since it began. What never happened is absent. */
export interface Marks {
  loadMs?: number;
  injectMs?: number;
  /** From here on no request was served by the faulted region any more, and its endpoints were gone. */
  tookHoldMs?: number;
  healMs?: number;
  /** The region has its endpoints back and serves again. */
  recoveredMs?: number;
  loadEndMs?: number;
}

export interface Span {
  fromMs: number;
  toMs: number;
}

/**
 * The time in which faults can be felt: from the first one's inject until the load ends. Not only until the region serves again: a host that is let back in too
 * early, or a new producer on it, is felt after its first answer.
 */
export function faultSpan({ injectMs, recoveredMs, loadEndMs }: Marks): Span | undefined {
  const toMs = loadEndMs ?? recoveredMs;
  return injectMs === undefined || toMs === undefined ? undefined : { fromMs: injectMs, toMs };
}

/**
 * The longest time in ms between two consecutive events that overlaps the span. The time from the span's begin to the first event, when none
 * came before it, and from the last event to the span's end, when none came after, count too; so does the whole span when there were none.
 */
export function longestGap(timesMs: readonly number[] | Float64Array, span: Span): number {
  const { fromMs, toMs } = longestGapSpan(timesMs, span);
  return toMs - fromMs;
}

/** Where it lies; the first of several that are as long. */
export function longestGapSpan(timesMs: readonly number[] | Float64Array, { fromMs, toMs }: Span): Span {
  let longest: Span = { fromMs, toMs: fromMs };
  let lastMs: number | undefined;
  const end = (atMs: number): void => {
    const gap = { fromMs: lastMs ?? fromMs, toMs: atMs };
    if (gap.toMs - gap.fromMs > longest.toMs - longest.fromMs) longest = gap;
  };
  for (const time of sorted(timesMs)) {
    if (time > fromMs) end(time);
    lastMs = time;
    if (time >= toMs) return longest;
  }
  end(toMs);
  return longest;
}

export interface Latency {
  p50: number;
  p99: number;
  max: number;
}

/** Nearest-rank percentile of values that are sorted upwards; 0 of none. */
export function percentile(values: readonly number[] | Float64Array, share: number): number {
  return values[Math.max(0, Math.ceil(exact(share * values.length)) - 1)] ?? 0;
}

/** Without what binary fractions add or take in the 16th digit: 0.7 % of 3000 is 21, not 20.999999999999996. */
export function exact(value: number): number {
  return Number(value.toPrecision(12));
}

/** The same upwards; a copy where they are not yet. */
function sorted(values: readonly number[] | Float64Array): Float64Array {
  const all = values instanceof Float64Array ? values : Float64Array.from(values);
  return all.every((value, i) => i === 0 || (all[i - 1] ?? 0) <= value) ? all : all.toSorted();
}

/**
 * The later half of the load before the fault. What queued up while connections, producers and caches were new fell due in the half before, and
 * connections that carry the load are done with it by now.
 */
export function settledSpan({ loadMs, injectMs }: Marks): Span | undefined {
  return loadMs === undefined || injectMs === undefined ? undefined : { fromMs: (loadMs + injectMs) / 2, toMs: injectMs };
}

/**
 * How long the typical request (the median) of the span waited for a connection, ms; one that got none, until it gave up. The median, because where
 * connections keep up a stall makes some requests wait, and only where they do not keep up do most of them. Undefined when none was handed over.
 */
export function connectionWait(attempts: readonly Attempt[], { fromMs, toMs }: Span): number | undefined {
  const handedOver = attempts.filter(({ issuedMs }) => issuedMs >= fromMs && issuedMs < toMs);
  if (handedOver.length === 0) return undefined;
  return percentile(sorted(handedOver.map(({ issuedMs, sentMs, endMs }) => (sentMs ?? endMs) - issuedMs)), 0.5);
}

export interface TimelineEntry {
  /** Begin of the slot, ms since the drill began. */
  t: number;
  ok: number;
  failed: number;
  unknown: number;
  byRegion: Record<string, number>;
  /** Latency of the slowest ok record that was due in the slot, ms from then. Absent without one. */
  slowestMs?: number;
}
