import { Growing } from './columns.ts';
import type { Change } from './check/ledger.ts';
import type { LateAnswers } from './fault-times.ts';
import { Lateness } from './lateness.ts';
import { exact, longestGap, longestGapSpan, percentile, settledSpan } from './metrics.ts';
import type { Latency, Marks, Span, TimelineEntry } from './metrics.ts';
import { ownSockets } from './outcome.ts';
import type { Attempt, Delivery } from './records.ts';

const timelineStepMs = 100;
const consumptionStepMs = 250;

/** Number of requests that were due or ended in each phase: one that waited all through it says as much as one that was answered. */
export interface Samples {
  before: number;
  during: number;
  after: number;
}

export interface RegionShares {
  name: string;
  before?: number;
  during?: number;
  after?: number;
}

/** What was seen around one fault. */
export interface Shares {
  regions: RegionShares[];
  samples: Samples;
}

export interface CurvePoint {
  percentile: number;
  ms: number;
}

/** A fault's marks; with `late` it may have taken hold later than they say. */
export type FaultMarks = Marks & { late?: LateAnswers };

/** What of a request says in which phase it was. */
interface Seen extends Span {
  servedBy: string | undefined;
}

interface Phase<S = Span | undefined> {
  name: keyof Samples;
  span: S;
  /** Whose last answer until then the phase begins with. Which that is shows when all were seen: what may belong to either side is kept until then. */
  late?: LateAnswers | undefined;
  kept: Seen[];
  /** Requests that were due or ended in it. */
  seen: number;
  ended: number;
  byRegion: Map<string, number>;
}

const curve = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100];

/** What the load's clients saw, gathered attempt by attempt; about 50 bytes an attempt stay. */
export class ProduceFigures {
  readonly #okEnds = new Growing();
  readonly #latencies = new Growing();
  readonly #lateness = new Lateness();
  readonly #waits = new Growing();
  /** Latencies of what was due in the settled span. */
  readonly #settledLatencies = new Growing();
  readonly #settled: Span | undefined;
  /** By fault, in their order. */
  readonly #phases: Phase[][];
  /** Those of all faults that there were. */
  readonly #counted: Phase<Span>[];
  readonly #slots = new Map<number, TimelineEntry>();
  readonly #counts = { ok: 0, failed: 0, unknown: 0 };
  attempts = 0;
  /** Attempts for which the machine that was to send them had no socket. */
  ownSockets = 0;

  /** `marks`: those of the first fault, and of the load. `later`: those of each other fault, for which there is no time before, as it may follow at once. */
  constructor(marks: FaultMarks, later: readonly FaultMarks[] = []) {
    this.#settled = settledSpan(marks);
    this.#phases = [phasesOf(marks, marks.loadEndMs), ...later.map((fault) => phasesOf(fault, marks.loadEndMs))];
    this.#counted = this.#phases.flat().filter((phase): phase is Phase<Span> => phase.span !== undefined);
  }

  /** `change`: what the attempt changed of what is known about its record. */
  add(attempt: Attempt, change: Change): void {
    const { issuedMs, sentMs, endMs, intendedMs, outcome, region } = attempt;
    this.attempts += 1;
    if (sentMs === undefined && ownSockets.has(attempt.class)) this.ownSockets += 1;
    this.#lateness.add(attempt);
    if (this.#settled !== undefined && issuedMs >= this.#settled.fromMs && issuedMs < this.#settled.toMs) this.#waits.push((sentMs ?? endMs) - issuedMs);
    this.#countPhases({ fromMs: intendedMs, toMs: endMs, servedBy: outcome === 'ok' ? region : undefined });
    this.#countRecord(attempt, change);
    if (outcome !== 'ok') return;
    this.#okEnds.push(endMs);
    if (change.before === 'ok') return;
    // Less than nothing only where the clock went back, which the verdict then says.
    this.#latencies.push(Math.max(0, endMs - intendedMs));
    if (this.#settled !== undefined && intendedMs >= this.#settled.fromMs && endMs < this.#settled.toMs) this.#settledLatencies.push(Math.max(0, endMs - intendedMs));
  }

  #countPhases(seen: Seen): void {
    for (const phase of this.#counted) {
      const { span, late } = phase;
      if (late !== undefined && seen.toMs > span.fromMs && Math.min(seen.fromMs, seen.toMs) <= late.byMs) phase.kept.push(seen);
      else countIn(phase, span, seen);
    }
  }

  /** A record that was sent again counts once, with what became of it in the end. */
  #countRecord({ intendedMs, endMs, outcome, region }: Attempt, { before, after }: Change): void {
    const t = Math.floor(intendedMs / timelineStepMs) * timelineStepMs;
    let slot = this.#slots.get(t);
    if (slot === undefined) this.#slots.set(t, slot = { t, ok: 0, failed: 0, unknown: 0, byRegion: {} });
    if (before !== undefined) {
      slot[before] -= 1;
      this.#counts[before] -= 1;
    }
    slot[after] += 1;
    this.#counts[after] += 1;
    if (before === 'ok' || outcome !== 'ok') return;
    slot.slowestMs = Math.max(slot.slowestMs ?? 0, endMs - intendedMs);
    if (region !== undefined) slot.byRegion[region] = (slot.byRegion[region] ?? 0) + 1;
  }

  get counts(): { sent: number; ok: number; failed: number; unknown: number } {
    const { ok, failed, unknown } = this.#counts;
    return { sent: ok + failed + unknown, ok, failed, unknown };
  }

  /** The longest time without any acknowledgement, whichever producer or region it came by. Never below one interval of the load. */
  blackoutMs(span: Span): number {
    return longestGap(this.#okEnds.sorted(), span);
  }

  /** Of the ok records, from their intended times. Undefined when there are none. */
  latency(): { latencyMs: Latency; curve: CurvePoint[] } | undefined {
    const all = this.#latencies.sorted();
    if (all.length === 0) return undefined;
    return {
      latencyMs: { p50: percentile(all, 0.5), p99: percentile(all, 0.99), max: percentile(all, 1) },
      // A percentile beyond what so many samples can tell would be the maximum by another name.
      curve: curve.filter((point) => point === 100 || point === 0 || exact(all.length * (1 - point / 100)) >= 1).map((point) => ({ percentile: point, ms: percentile(all, point / 100) })),
    };
  }

  /** How late the generator handed its requests over, ms at the 99th percentile. */
  latenessMs(): number {
    return this.#lateness.percentile(0.99);
  }

  /** How late it was at the most, ms. */
  latenessMaxMs(): number {
    return this.#lateness.max;
  }

  /** How much of the longest gap it may have made itself, ms. */
  latenessInGapMs(span: Span): number {
    return this.#lateness.within(longestGapSpan(this.#okEnds.sorted(), span));
  }

  /** How long the typical request waited for a connection shortly before the fault. Undefined when none was handed over then. */
  connectionWaitMs(): number | undefined {
    return this.#waits.length === 0 ? undefined : percentile(this.#waits.sorted(), 0.5);
  }

  /** Latency of a slow record (99th percentile) shortly before the fault. Undefined when there was none. */
  slowRequestMs(): number | undefined {
    return this.#settledLatencies.length === 0 ? undefined : percentile(this.#settledLatencies.sorted(), 0.99);
  }

  /** Latency of the typical one then (median): how far away things are, whatever else the machine does. */
  typicalRequestMs(): number | undefined {
    return this.#settledLatencies.length === 0 ? undefined : percentile(this.#settledLatencies.sorted(), 0.5);
  }

  /** Around the first fault. */
  regions(names: readonly string[]): Shares {
    return sharesOf(this.#phases[0] ?? [], names);
  }

  /** Around each other fault. */
  laterRegions(names: readonly string[]): Shares[] {
    return this.#phases.slice(1).map((phases) => sharesOf(phases, names));
  }

  timeline(): TimelineEntry[] {
    return [...this.#slots.values()].sort((a, b) => a.t - b.t);
  }
}

/** During: from when the fault took hold until heal. After: from recovery, failing that from heal, until the load's end. */
function phasesOf({ loadMs, injectMs, tookHoldMs, healMs, recoveredMs, late }: FaultMarks, loadEndMs: number | undefined): Phase[] {
  const phase = (name: keyof Samples, fromMs?: number, toMs?: number): Phase =>
    ({ name, span: fromMs === undefined || toMs === undefined ? undefined : { fromMs, toMs }, kept: [], seen: 0, ended: 0, byRegion: new Map() });
  return [phase('before', loadMs, injectMs ?? loadEndMs), { ...phase('during', tookHoldMs, healMs), late }, phase('after', recoveredMs ?? healMs, loadEndMs)];
}

/** By its end, as a fault took hold with the last request that the region served: one that waited at a bridge that hung, and was answered once that went on, was not served under the fault. */
function countIn(phase: Phase, span: Span, { fromMs, toMs, servedBy }: Seen): void {
  const isIn = (ms: number): boolean => ms > span.fromMs && ms <= span.toMs;
  const isEnded = isIn(toMs);
  if (isEnded || isIn(fromMs)) phase.seen += 1;
  if (!isEnded) return;
  phase.ended += 1;
  if (servedBy !== undefined) phase.byRegion.set(servedBy, (phase.byRegion.get(servedBy) ?? 0) + 1);
}

/** The phase with what was kept, now that all is known. */
function settled(phase: Phase): Phase {
  const { span, late, kept } = phase;
  if (span === undefined || late === undefined) return phase;
  const fromMs = kept.reduce((lastMs, { toMs, servedBy }) => (servedBy === late.region && toMs <= late.byMs ? Math.max(lastMs, toMs) : lastMs), span.fromMs);
  const whole = { ...phase, byRegion: new Map(phase.byRegion) };
  for (const seen of kept) countIn(whole, { fromMs, toMs: span.toMs }, seen);
  return whole;
}

function sharesOf(counted: readonly Phase[], names: readonly string[]): Shares {
  const phases = counted.map(settled);
  const measured = phases.filter(({ seen }) => seen > 0);
  return {
    regions: names.map((name) => ({ name, ...Object.fromEntries(measured.map(({ name: phase, ended, byRegion }) => [phase, (byRegion.get(name) ?? 0) / Math.max(1, ended)])) })),
    samples: Object.fromEntries(phases.map(({ name, seen }) => [name, seen])) as unknown as Samples,
  };
}

export interface ConsumptionEntry {
  /** Begin of the slot, ms since the drill began. */
  t: number;
  /** Records given to anybody by the end of the slot. */
  delivered: number;
  /** Records acknowledged by the end of the slot, but not given to anybody. */
  lag: number;
}

/** What a delivery is to what was known before it. */
export interface Novelty {
  /** The first of what lies there. */
  isFirst: boolean;
  /** The first of a record that was acknowledged, of which one copy is enough. */
  isAwaited: boolean;
}

/** What the consumers were given when; 8 bytes a delivery stay. */
export class ConsumeFigures {
  readonly #times = new Map<number, Growing>();
  readonly #written = new Map<number, number>();
  readonly #given = new Map<number, number>();
  /** Of what was acknowledged. What nobody was told of, and copies, are nothing that a lag was of. */
  readonly #caughtUp = new Map<number, number>();

  acknowledged({ endMs }: Attempt): void {
    count(this.#written, endMs);
  }

  add({ partition, tMs }: Delivery, { isFirst, isAwaited }: Novelty): void {
    let times = this.#times.get(partition);
    if (times === undefined) this.#times.set(partition, times = new Growing());
    if (isAwaited) count(this.#caughtUp, tMs);
    // What it was given before is nothing that it waits for.
    if (!isFirst) return;
    times.push(tMs);
    count(this.#given, tMs);
  }

  /**
   * The longest time in which a partition gave its group nothing new: the worst partition counts, as the others' deliveries would hide the records of
   * the member that was lost, and one that holds records and never gave any is the worst. Never below the load's interval times the number of partitions.
   * Undefined without deliveries. `partitions`: those that hold records.
   */
  blackoutMs(span: Span, partitions: Iterable<number>): number | undefined {
    if (this.#times.size === 0) return undefined;
    const gaps = [...new Set([...this.#times.keys(), ...partitions])].map((partition) => longestGap(this.#times.get(partition)?.sorted() ?? [], span));
    return Math.max(...gaps);
  }

  /**
   * How long ago the first record was acknowledged that nobody had been given at that time, ms; 0 where all had been. In steps of 250 ms, and as a whole:
   * that records of one partition come after those of another is not seen.
   */
  behindMs(atMs: number): number {
    const end = slotOf(atMs);
    const before = (counts: Map<number, number>): [t: number, number: number][] => [...counts].filter(([t]) => t < end).sort(([one], [other]) => one - other);
    let given = before(this.#caughtUp).reduce((sum, [, number]) => sum + number, 0);
    for (const [t, number] of before(this.#written)) {
      given -= number;
      if (given < 0) return end - t;
    }
    return 0;
  }

  /** From the load's begin until its end, or the last acknowledgement or delivery after it: who is given nothing more has a lag all the same. What was given before its acknowledgement came is no negative lag. */
  timeline({ loadMs = 0, loadEndMs = -Infinity }: Marks): ConsumptionEntry[] {
    const first = slotOf(loadMs);
    const last = [...this.#given.keys(), ...this.#written.keys()].reduce((latest, t) => Math.max(latest, t), slotOf(loadEndMs));
    const upTo = (counts: Map<number, number>): number => [...counts].reduce((sum, [t, number]) => (t < first ? sum + number : sum), 0);
    let written = upTo(this.#written);
    let given = upTo(this.#given);
    let caughtUp = upTo(this.#caughtUp);
    const entries: ConsumptionEntry[] = [];
    for (let t = first; t <= last; t += consumptionStepMs) {
      written += this.#written.get(t) ?? 0;
      given += this.#given.get(t) ?? 0;
      caughtUp += this.#caughtUp.get(t) ?? 0;
      entries.push({ t, delivered: given, lag: Math.max(0, written - caughtUp) });
    }
    return entries;
  }
}

function slotOf(ms: number): number {
  return Math.floor(ms / consumptionStepMs) * consumptionStepMs;
}

function count(counts: Map<number, number>, ms: number): void {
  const slot = slotOf(ms);
  counts.set(slot, (counts.get(slot) ?? 0) + 1);
}
