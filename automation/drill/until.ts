import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `condition` holds, asking now and whenever one of `waiting` is called. False when it did not within `timeoutMs`.
 * Rejects with the signal's reason on abort.
 */
export function until(waiting: Set<() => void>, condition: () => boolean, { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal }): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const check = (): void => {
    if (condition()) resolve(true);
  };
  const abort = (): void => { reject(signal.reason as Error); };
  const timer = setTimeout(() => { resolve(false); }, timeoutMs);
  waiting.add(check);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  check();
  return promise.finally(() => {
    clearTimeout(timer);
    waiting.delete(check);
    signal.removeEventListener('abort', abort);
  });
}

/** Asks `condition` again and again, with a pause of `everyMs`, for at most `timeoutMs`. The last error is thrown when time is up. */
export async function poll(condition: () => Promise<boolean>, { timeoutMs, everyMs, signal }: { timeoutMs: number; everyMs: number; signal: AbortSignal }): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const last = performance.now() > deadline;
    try {
      if (await condition()) return true;
    } catch (error) {
      if (last) throw error;
    }
    if (last) return false;
    await delay(everyMs, undefined, { signal });
  }
}
