import type { Dispatcher } from 'undici';
import { exchange, header } from './exchange.ts';
import type { Clock } from './exchange.ts';
import type { Lanes } from './lanes.ts';
import { judgeProduce, servedBy } from './outcome.ts';
import type { ServingRegion } from './outcome.ts';
import type { Attempt, RecordId } from './records.ts';

export interface ProducerOptions {
  dispatcher: Dispatcher;
  /** One for each connection of the dispatcher. */
  lanes: Lanes;
  /** Global hostname, as the Host header. */
  hostname: string;
  topic: string;
  run: string;
  /** Tells this producer's records from another's of the same run. */
  name: string;
  /** Number of different record keys. */
  keys: number;
  timeoutMs: number;
  regions: readonly ServingRegion[];
  clock: Clock;
  /** Called with every attempt once it has ended; stores before it counts. */
  onAttempt: (attempt: Attempt) => void;
}

export interface Producer {
  /** Writes record `seq`, due at `intendedMs`. Never rejects. */
  send(seq: number, intendedMs: number): Promise<Attempt>;
}

/** Writes one record per request through the Bridge's HTTP API. */
export function producer(options: ProducerOptions): Producer {
  const { dispatcher, lanes, hostname, topic, run, name, clock, timeoutMs } = options;
  const request = {
    method: 'POST' as const, host: hostname, path: `/topics/${topic}`, timeoutMs, lanes,
    headers: { 'content-type': 'application/vnd.kafka.json.v2+json' },
  };
  return {
    async send(seq, intendedMs) {
      const key = `k${seq % options.keys}`;
      const value: RecordId = { run, producer: name, seq };
      const answer = await exchange(dispatcher, { ...request, body: JSON.stringify({ records: [{ key, value }] }) }, clock);
      const attempt: Attempt = {
        producer: name, seq, attempt: 0, key, intendedMs, issuedMs: answer.issuedMs, endMs: answer.endMs, ...judgeProduce(answer),
      };
      if (answer.sentMs !== undefined) attempt.sentMs = answer.sentMs;
      if (answer.status !== undefined) attempt.status = answer.status;
      const region = servedBy(answer.headers, options.regions);
      if (region !== undefined) attempt.region = region;
      const tries = header(answer, 'x-envoy-attempt-count');
      if (tries !== undefined) attempt.proxyAttempts = Number(tries);
      options.onAttempt(attempt);
      return attempt;
    },
  };
}
