import { setTimeout as delay } from 'node:timers/promises';

import type { Dispatcher } from 'undici';

import { retryAfter } from './client-retry.ts';
import type { Content } from './content.ts';
import { exchange } from './exchange.ts';
import type { Clock } from './exchange.ts';
import type { Lanes } from './lanes.ts';
import { judgeProduce, proxyAttempts, servedBy } from './outcome.ts';
import type { ServingRegion } from './outcome.ts';
import type { LoadPlan } from './plan.ts';
import type { Attempt } from './records.ts';

export interface ProducerOptions {
  dispatcher: Pick<Dispatcher, 'dispatch'>;
  /** One for each connection of the dispatcher. */
  lanes: Lanes;
  /** Global hostname, as the Host header. */
  hostname: string;
  topic: string;
  run: string;
  /** Tells this producer's records from another's of the same run. */
  name: string;
  content: Content;
  retry: LoadPlan['retry'];
  /** Once aborted, nothing is sent again. */
  signal?: AbortSignal;
  timeoutMs: number;
  regions: readonly ServingRegion[];
  /** Proxies on the way may send again what was sent. */
  proxiesRepeat: boolean;
  clock: Clock;
  /** Called with every attempt once it has ended; stores before it counts. */
  onAttempt: (attempt: Attempt) => void;
}

export interface Producer {
  /** Writes record `seq`, due at `intendedMs`, and gives its last attempt. Never rejects. */
  send(seq: number, intendedMs: number): Promise<Attempt>;
}

/** Writes one record per request through the Bridge's HTTP API; again, where the policy of retries says so. */
export function producer(options: ProducerOptions): Producer {
  const { dispatcher, lanes, hostname, topic, run, name, content, clock, timeoutMs, regions, proxiesRepeat } = options;
  const request = { method: 'POST' as const, host: hostname, path: `/topics/${topic}`, timeoutMs, lanes, headers: { 'content-type': content.type } };
  const attemptOnce = async (seq: number, intendedMs: number, number: number): Promise<Attempt> => {
    const answer = await exchange(dispatcher, { ...request, body: () => content.bodyOf({ run, producer: name, seq }) }, clock);
    const attempt: Attempt = {
      producer: name, seq, attempt: number, key: content.keyOf({ producer: name, seq }), intendedMs, issuedMs: answer.issuedMs, endMs: answer.endMs, ...judgeProduce(answer, { proxiesRepeat }),
    };
    if (answer.sentMs !== undefined) attempt.sentMs = answer.sentMs;
    if (answer.status !== undefined) attempt.status = answer.status;
    const region = servedBy(answer.headers, regions);
    if (region !== undefined) attempt.region = region;
    const tries = proxyAttempts(answer.headers);
    if (tries !== undefined) attempt.proxyAttempts = tries;
    return attempt;
  };
  return {
    async send(seq, intendedMs) {
      for (let number = 0; ; number += 1) {
        const attempt = await attemptOnce(seq, intendedMs, number);
        options.onAttempt(attempt);
        const pauseMs = retryAfter(options.retry, attempt);
        if (pauseMs === undefined) return attempt;
        await delay(pauseMs, undefined, options.signal && { signal: options.signal }).catch(() => undefined);
        if (options.signal?.aborted === true) return attempt;
      }
    },
  };
}
