/** When the n-th request (from 0) is due, in ms since the load began. Never falls with n. */
export type Schedule = (sequence: number) => number;

/** `rate` requests a second, evenly spaced. */
export function constant(rate: number): Schedule {
  return (sequence) => (sequence * 1000) / rate;
}

/**
 * What to do at `elapsedMs` when `sent` requests have gone out: how many are due by now, and how long until the next one.
 * Depends on nothing but its arguments, so that a stall of this process shows as requests that are due at once, never as
 * requests that were not made (an open loop).
 */
export function pace(schedule: Schedule, elapsedMs: number, sent: number): { due: number; waitMs: number } {
  let due = 0;
  while (schedule(sent + due) <= elapsedMs) due += 1;
  return { due, waitMs: schedule(sent + due) - elapsedMs };
}
