import type { Plan } from './plan.ts';
import { draws } from './random.ts';

/** When the n-th request (from 0) is due, in ms since the load began. Depends on n alone, and never falls with it. */
export type Schedule = (sequence: number) => number;

/** `rate` requests a second, evenly spaced. */
export function constant(rate: number): Schedule {
  return (sequence) => (sequence * 1000) / rate;
}

/**
 * A rate that goes evenly from `from` to `to` requests a second over `durationMs`, and stays there. The n-th request is due when the area
 * under the rate is n: the root of `from·t + (to − from)·t²/2d = n`, in the form that is exact for equal rates too.
 */
export function ramp({ from, to, durationMs }: { from: number; to: number; durationMs: number }): Schedule {
  const duration = durationMs / 1000;
  const slope = (to - from) / duration;
  const sentByEnd = ((from + to) / 2) * duration;
  return (sequence) => {
    if (sequence >= sentByEnd) return durationMs + ((sequence - sentByEnd) * 1000) / to;
    if (sequence === 0) return 0;
    return (2000 * sequence) / (from + Math.sqrt(Math.max(0, from * from + 2 * slope * sequence)));
  };
}

/** So many times are drawn at once. Of every such block only the begin is kept, so that a long load needs no memory. */
const blockSize = 1024;

/**
 * Requests that know nothing of each other, `rate` a second on average: the times between them are drawn from the exponential distribution.
 * The same seed gives the same times.
 */
export function poisson(rate: number, seed: number): Schedule {
  const draw = draws(seed);
  const begins = [0];
  const times = new Float64Array(blockSize);
  let drawn = -1;
  const drawBlock = (block: number): void => {
    let at = begins[block] ?? 0;
    for (let i = 0; i < blockSize; i += 1) {
      times[i] = at;
      at -= (Math.log1p(-draw(block * blockSize + i)) * 1000) / rate;
    }
    begins[block + 1] = at;
    drawn = block;
  };
  return (sequence) => {
    const block = Math.floor(sequence / blockSize);
    while (begins.length <= block) drawBlock(begins.length - 1);
    if (drawn !== block) drawBlock(block);
    return times[sequence % blockSize] ?? 0;
  };
}

/** The times of a plan's load. A ramp without a begin of its own begins at one request a second. */
export function scheduleOf({ load: { pattern, rampFrom = 1 }, rate, durationSeconds, seed }: Pick<Plan, 'load' | 'rate' | 'durationSeconds' | 'seed'>): Schedule {
  if (pattern === 'constant') return constant(rate);
  return pattern === 'poisson' ? poisson(rate, seed) : ramp({ from: rampFrom, to: rate, durationMs: durationSeconds * 1000 });
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
