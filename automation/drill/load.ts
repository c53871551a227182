import type { Clock } from './exchange.ts';
import { pace } from './pacer.ts';
import type { Schedule } from './pacer.ts';
import type { Producer } from './producer.ts';

export interface Load {
  /** Sends what is due by now, and nothing more; resolves once every request has ended, at the latest after the producer's timeout. Safe to repeat. */
  stop(): Promise<void>;
}

/**
 * Sends record 0, 1, 2... when they are due, whether or not earlier ones were answered, until stopped. A request that finds
 * every connection busy waits for one, and its latency shows that. The schedule begins at `begin` of the clock.
 */
export function startLoad(producer: Producer, schedule: Schedule, clock: Clock, begin = clock()): Load {
  const pending = new Set<Promise<unknown>>();
  let sent = 0;
  let timer: NodeJS.Timeout | undefined;
  const send = (): void => {
    const request = producer.send(sent, begin + schedule(sent)).finally(() => pending.delete(request));
    pending.add(request);
    sent += 1;
  };
  const sendDue = (): number => {
    const { due, waitMs } = pace(schedule, clock() - begin, sent);
    for (let i = 0; i < due; i += 1) send();
    return waitMs;
  };
  const tick = (): void => { timer = setTimeout(tick, sendDue()); };
  tick();
  return {
    async stop() {
      // A thread that stalled until it was told to stop owes what was due meanwhile: it is late, not left out.
      if (timer !== undefined) sendDue();
      clearTimeout(timer);
      timer = undefined;
      await Promise.all(pending);
    },
  };
}
