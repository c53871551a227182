import { scheduleOf } from '../pacer.ts';
import type { Plan } from '../plan.ts';
import { driversShare } from '../workers/protocol.ts';

/** A part of the load, ms since it began. */
export interface LoadSpan {
  fromMs: number;
  toMs: number;
}

/**
 * The longest time, ms, from a record's turn until that of the `step`-th after it, within a part of the load. Follows from the plan alone. Workers have schedules of
 * their own: together nobody leaves more time than the driver's own part of the load.
 */
export function longestInterval(plan: Plan, { fromMs, toMs }: LoadSpan, step: number): number {
  const share = driversShare(plan);
  const [schedule, rest] = [scheduleOf(share), scheduleOf(share)];
  let longest = 0;
  for (let sequence = 0; ; sequence += 1) {
    const [begin, end] = [schedule(sequence), rest(sequence + step)];
    if (begin > toMs) return longest;
    if (end >= fromMs) longest = Math.max(longest, end - begin);
  }
}
