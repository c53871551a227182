import { setTimeout as delay } from 'node:timers/promises';

import type { Clock } from './exchange.ts';
import type { Load } from './load.ts';
import { connectionWait } from './metrics.ts';
import type { Attempt } from './records.ts';

export interface WarmUpOptions {
  /** Begins to send, at the rate of the load that follows; records that no earlier one has sent. */
  start: () => Load;
  /** What it has attempted so far; grows as requests end. */
  attempts: readonly Attempt[];
  clock: Clock;
  signal: AbortSignal;
}

const longestMs = 30_000;
const leastMs = 2_000;
/** What a load has queued up by then it will hardly be rid of where it is only just carried: another one shows sooner that it is. */
const roundMs = 3_000;
const pauseMs = 250;
/** The typical wait for a connection at which the load is carried, ms; seen: below 1 ms once it is, hundreds while brokers and bridges are new. */
const carriedMs = 10;

/**
 * Sends the load for a while before it is measured, until it is carried: brokers, bridges and connections that were made a moment ago are
 * slow, and what queues up then is no effect of a fault. Ends after 30 s in any case; whether the load is carried is then the verdict's question.
 */
export async function warmUp({ start, attempts, clock, signal }: WarmUpOptions): Promise<void> {
  const end = clock() + longestMs;
  let carried = false;
  while (!carried && clock() < end) {
    const load = start();
    const begin = clock();
    try {
      while (!carried && clock() < Math.min(begin + roundMs, end)) {
        await delay(pauseMs, undefined, { signal });
        const now = clock();
        // What was due a second ago has ended by now if it did not have to wait.
        const wait = connectionWait(attempts, { fromMs: now - 2_000, toMs: now - 1_000 });
        carried = now - begin >= leastMs && wait !== undefined && wait <= carriedMs;
      }
    } finally {
      await load.stop();
    }
  }
}
