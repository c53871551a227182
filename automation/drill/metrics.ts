import type { Attempt, Delivery } from './records.ts';

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

/** The time in which the fault can be felt: from inject until the region serves again (or the load ends). */
export function faultSpan({ injectMs, recoveredMs, loadEndMs }: Marks): Span | undefined {
  const toMs = recoveredMs ?? loadEndMs;
  return injectMs === undefined || toMs === undefined ? undefined : { fromMs: injectMs, toMs };
}

/**
 * The longest time in ms between two consecutive events that overlaps the span. The time from the span's begin to the first event, when none
 * came before it, and from the last event to the span's end, when none came after, count too; so does the whole span when there were none.
 */
export function longestGap(timesMs: readonly number[], { fromMs, toMs }: Span): number {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const before = sorted.findLast((time) => time <= fromMs) ?? fromMs;
  const after = sorted.find((time) => time >= toMs) ?? toMs;
  const times = [before, ...sorted.filter((time) => time > fromMs && time < toMs), after];
  return Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? time)));
}

/** The longest time without any acknowledgement, whichever producer or region it came by. Never below one interval of the load. */
export function produceBlackout(attempts: readonly Attempt[], span: Span): number {
  return longestGap(attempts.filter(({ outcome }) => outcome === 'ok').map(({ endMs }) => endMs), span);
}

/**
 * The longest time in which a partition gave its group nothing: the worst partition counts, as the others' deliveries
 * would hide the records of the member that was lost. Never below the load's interval times the number of partitions.
 */
export function consumeBlackout(deliveries: readonly Delivery[], span: Span): number | undefined {
  const byPartition = Map.groupBy(deliveries, ({ partition }) => partition);
  const gaps = [...byPartition.values()].map((given) => longestGap(given.map(({ tMs }) => tMs), span));
  return gaps.length === 0 ? undefined : Math.max(...gaps);
}

export interface Latency {
  p50: number;
  p99: number;
  max: number;
}

/** Latency in ms of the acknowledged requests from their intended times, or undefined when there are none. */
export function latency(attempts: readonly Attempt[]): Latency | undefined {
  const sorted = attempts.filter(({ outcome }) => outcome === 'ok').map(({ endMs, intendedMs }) => endMs - intendedMs).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), max: percentile(sorted, 1) };
}

/** Nearest-rank percentile of values that are sorted upwards; 0 of none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** How late the generator handed its requests over, ms at the 99th percentile. Not the system's slowness: that is in the latency. */
export function lateness(attempts: readonly Attempt[]): number {
  return percentile(attempts.map(({ issuedMs, intendedMs }) => issuedMs - intendedMs).sort((a, b) => a - b), 0.99);
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
  return percentile(handedOver.map(({ issuedMs, sentMs, endMs }) => (sentMs ?? endMs) - issuedMs).sort((a, b) => a - b), 0.5);
}

/**
 * Share (0..1) of the requests sent in the span that each region served, and the number of requests. What failed counts as served
 * by none, so that the shares then sum up to less than 1. Undefined when nothing was sent.
 */
export function shares(attempts: readonly Attempt[], regions: readonly string[], span: Span): { count: number; byRegion: Record<string, number> } | undefined {
  const sent = attempts.filter(({ sentMs, issuedMs }) => (sentMs ?? issuedMs) >= span.fromMs && (sentMs ?? issuedMs) < span.toMs);
  if (sent.length === 0) return undefined;
  const share = (name: string): number => sent.filter(({ outcome, region }) => outcome === 'ok' && region === name).length / sent.length;
  return { count: sent.length, byRegion: Object.fromEntries(regions.map((name) => [name, share(name)])) };
}

export interface TimelineEntry {
  /** Begin of the slot, ms since the drill began. */
  t: number;
  ok: number;
  failed: number;
  unknown: number;
  byRegion: Record<string, number>;
}

/** Requests by the slot of time in which they were due: outcomes, and the region that served where one did. */
export function timeline(attempts: readonly Attempt[], stepMs: number): TimelineEntry[] {
  const slots = new Map<number, TimelineEntry>();
  for (const { intendedMs, outcome, region } of attempts) {
    const t = Math.floor(intendedMs / stepMs) * stepMs;
    const slot = slots.get(t) ?? { t, ok: 0, failed: 0, unknown: 0, byRegion: {} };
    slots.set(t, slot);
    slot[outcome] += 1;
    if (outcome === 'ok' && region !== undefined) slot.byRegion[region] = (slot.byRegion[region] ?? 0) + 1;
  }
  return [...slots.values()].sort((a, b) => a.t - b.t);
}
