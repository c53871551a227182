import type { ConsumptionEntry } from '../figures.ts';
import type { TimelineEntry } from '../metrics.ts';

/** Requests of a slot of time. */
export interface Slot {
  /** Begin, ms since the drill began. */
  t: number;
  /** Shorter than the others only in the last slot. */
  lengthMs: number;
  served: Record<string, number>;
  /** Acknowledged, by nobody knows which region. */
  elsewhere: number;
  failed: number;
  unknown: number;
  /** Latency of the slowest acknowledged request, ms. Absent where nobody recorded it. */
  slowestMs?: number;
}

export interface Slots {
  /** Length of a slot, ms. */
  stepMs: number;
  slots: Slot[];
}

/** More than this cannot be told apart on a page. */
const mostSlots = 240;
/** Of the report's timeline, and of its consumption. */
const [sourceStepMs, consumptionStepMs] = [100, 250];

/** The report's timeline in at most 240 slots of the same length, with none left out: an hour's drill is as easy to read as a short one. */
export function slotsOf(timeline: readonly TimelineEntry[]): Slots {
  const [first, last] = [timeline[0], timeline.at(-1)];
  if (first === undefined || last === undefined) return { stepMs: sourceStepMs, slots: [] };
  const stepMs = stepOf(last.t - first.t + sourceStepMs, sourceStepMs);
  const slots = Array.from({ length: Math.floor((last.t - first.t) / stepMs) + 1 }, (_, i): Slot => {
    const t = first.t + i * stepMs;
    return { t, lengthMs: Math.min(stepMs, last.t + sourceStepMs - t), served: {}, elsewhere: 0, failed: 0, unknown: 0 };
  });
  for (const entry of timeline) {
    const slot = slots[Math.floor((entry.t - first.t) / stepMs)];
    if (slot !== undefined) add(slot, entry);
  }
  return { stepMs, slots };
}

/** The source's own step, or the next of 100, 200, 500, 1000, … ms that is long enough for the span. */
function stepOf(spanMs: number, ownMs: number): number {
  const ms = spanMs / mostSlots;
  if (ms <= ownMs) return ownMs;
  const power = 10 ** Math.floor(Math.log10(ms));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= ms) ?? 10 * power;
}

function add(slot: Slot, { ok, failed, unknown, byRegion, slowestMs }: TimelineEntry & { slowestMs?: number }): void {
  let named = 0;
  for (const [region, served] of Object.entries(byRegion)) {
    slot.served[region] = (slot.served[region] ?? 0) + served;
    named += served;
  }
  slot.elsewhere += ok - named;
  slot.failed += failed;
  slot.unknown += unknown;
  if (slowestMs !== undefined) slot.slowestMs = Math.max(slot.slowestMs ?? 0, slowestMs);
}

/** What consumers were given in a slot of time. */
export interface ConsumptionSlot {
  /** Begin, ms since the drill began. */
  t: number;
  /** Shorter than the others only in the last slot. */
  lengthMs: number;
  /** Records given to anybody by its end. */
  delivered: number;
  /** The most records in it that were acknowledged, but not given to anybody. */
  lag: number;
}

/** The report's consumption in at most 241 slots of the same length: a lag of some seconds is seen in a drill of hours as well. */
export function consumptionSlotsOf(consumption: readonly ConsumptionEntry[]): { stepMs: number; slots: ConsumptionSlot[] } {
  const firstMs = consumption[0]?.t ?? 0;
  const endMs = (consumption.at(-1)?.t ?? 0) + consumptionStepMs;
  const stepMs = stepOf(endMs - firstMs, consumptionStepMs);
  const slots: ConsumptionSlot[] = [];
  for (const { t: atMs, delivered, lag } of consumption) {
    const t = firstMs + Math.floor((atMs - firstMs) / stepMs) * stepMs;
    const last = slots.at(-1);
    if (last?.t === t) Object.assign(last, { delivered, lag: Math.max(last.lag, lag) });
    else slots.push({ t, lengthMs: Math.min(stepMs, endMs - t), delivered, lag });
  }
  return { stepMs, slots };
}
