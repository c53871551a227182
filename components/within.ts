import { setTimeout as delay } from 'node:timers/promises';

/** An API server that has not answered after this long is not waited for. */
const patienceMs = 10_000;

/** An answer of an API server. @throws if it takes too long */
export async function within<T>(answer: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = delay(patienceMs, undefined, { ref: false, signal: over.signal }).then(() => { throw new Error(`the API server has not answered for ${patienceMs / 1_000} s`); });
  try {
    return await Promise.race([answer, late]);
  } finally {
    over.abort();
    late.catch(() => undefined);
  }
}
