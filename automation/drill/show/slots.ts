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
const sourceStepMs = 100;

/** The report's timeline in at most 240 slots of the same length, with none left out: an hour's drill is as easy to read as a short one. */
export function slotsOf(timeline: readonly TimelineEntry[]): Slots {
  const [first, last] = [timeline[0], timeline.at(-1)];
  if (first === undefined || last === undefined) return { stepMs: sourceStepMs, slots: [] };
  const stepMs = roundStep((last.t - first.t + sourceStepMs) / mostSlots);
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

/** The next of 100, 200, 500, 1000, … ms that is no shorter. */
function roundStep(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(ms, sourceStepMs)));
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

/** At most `most` of the points, evenly chosen, the last among them. */
export function thinned<T>(points: readonly T[], most = mostSlots): readonly T[] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, i) => points[Math.round(i * (points.length - 1) / (most - 1))] as T);
}
