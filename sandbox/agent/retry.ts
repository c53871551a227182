import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from './api.ts';

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** For the log, in front of each failure. */
  readonly what: string;
  /** Asked after each failure: whether another try would do no good any more. */
  readonly pointless?: () => boolean;
}

const firstPauseMs = 200;
const longestPauseMs = 5000;

/**
 * Tries until an API server has answered, 0.2 s apart at first, 5 s later on: one that is busy or cut off must not leave things half done.
 * @returns The refusal, when it was one that another try would not change (a 4xx, but for 429).
 */
export async function untilAnswered(attempt: () => Promise<unknown>, { signal, what, pointless }: RetryOptions): Promise<ApiError | undefined> {
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      await attempt();
      return undefined;
    } catch (error) {
      if (error instanceof ApiError && error.code >= 400 && error.code < 500 && error.code !== 429) return error;
      console.error(`${what}: ${String(error)}`);
    }
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    if (pointless?.() === true) return undefined;
  }
  return undefined;
}

/** Whether a refusal says that the object is gone, or has changed meanwhile: another event says what to do then. */
export function isOutdated({ code }: ApiError): boolean {
  return code === 404 || code === 409;
}
