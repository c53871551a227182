import { setTimeout as delay } from 'node:timers/promises';

/** What an API server answered, as far as it says whether to ask again. */
export interface Answered {
  /** Absent where it was no refusal. */
  readonly status?: number | undefined;
  /** The header `retry-after`. */
  readonly retryAfter?: string | undefined;
  /** Reads what is left of it, as its connection waits for that. */
  readonly discard?: () => Promise<unknown>;
}

export interface Patience {
  /** A 429 is about having too much to do: the request was not carried out. */
  readonly tooMany: boolean;
  /** It may be carried out twice: so it may be sent again where nobody knows whether it was carried out (502, 503, 504). */
  readonly twice: boolean;
  /** For how long another try is waited for at most, ms, where that is less than 3.5 s. */
  readonly patienceMs?: number;
}

/** Before each try but the first, ms, where the API server names none. */
const pausesMs = [250, 500, 1_000];
/** Three pauses of the second that an API server with too much to do asks for. */
const longestMs = 3_500;

/** Sends a request, and up to three times again where an API server has too much to do, or is away for a moment, as while it is replaced. The last answer counts. */
export async function sentAgain<T extends Answered>(send: () => Promise<T>, { tooMany, twice, patienceMs = longestMs }: Patience): Promise<T> {
  const untilMs = performance.now() + Math.min(patienceMs, longestMs);
  for (const pauseMs of pausesMs) {
    const answer = await send();
    const isPassing = (tooMany && answer.status === 429) || (twice && [502, 503, 504].includes(answer.status ?? 0));
    // A date, which an API server does not send, is no number.
    const askedMs = Number(answer.retryAfter ?? '') * 1_000 || pauseMs;
    if (!isPassing || performance.now() + askedMs > untilMs) return answer;
    await answer.discard?.().catch(() => undefined);
    await delay(askedMs);
  }
  return await send();
}
