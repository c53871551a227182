import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionPool, IS_CONTROL, type Consumer, type fetchV17, type RecordsBatch } from '@platformatic/kafka';
import { before, refused } from './cluster.ts';
import type { BridgeConfig, Settings } from './config.ts';
import { HttpError } from './errors.ts';
import type { IncomingRecord } from './records.ts';

export interface TopicPartition { readonly topic: string; readonly partition: number }
export type Reset = 'earliest' | 'latest' | 'none';

/** One assigned partition: where the reader stands, and what was fetched beyond that. */
interface State extends TopicPartition {
  /** The next offset to hand out; undefined until it was looked up. */
  position: bigint | undefined;
  /** Look the position up from this end, whatever was committed. */
  reset: Reset | undefined;
  /** The next offset to ask a broker for. */
  fetchFrom: bigint;
  buffer: IncomingRecord[];
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}-${String(partition)}`;
const errorCodes = { none: 0, offsetOutOfRange: 1 };
const logAppendTime = 8;

/**
 * Reads records of the assigned partitions, like the fetching half of Kafka's own consumer: fetches run ahead of the
 * polls by one answer per broker, and a poll answers as soon as there is anything. It has connections of its own, as a broker answers one
 * connection's requests in their order and a long fetch would hold heartbeats up.
 */
export class Fetcher {
  readonly #consumer: Consumer;
  readonly #pool: ConnectionPool;
  readonly #settings: Settings;
  readonly #fetching = new Map<number, Promise<void>>();
  #states = new Map<string, State>();

  constructor(consumer: Consumer, clientId: string, client: BridgeConfig['client'], settings: Settings) {
    this.#consumer = consumer;
    this.#settings = settings;
    const { tls, tlsServerName, sasl } = client;
    this.#pool = new ConnectionPool(clientId, {
      connectTimeout: settings.connectTimeoutMs,
      requestTimeout: settings.integer('request.timeout.ms', 30_000),
      ...(tls === undefined ? {} : { tls }),
      ...(tlsServerName === undefined ? {} : { tlsServerName }),
      ...(sasl === undefined ? {} : { sasl }),
    });
  }

  get assignment(): readonly TopicPartition[] {
    return [...this.#states.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  /** Replaces the assignment: all positions are looked up anew (what was committed counts), as after any rebalance. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#states = new Map(partitions.map((each) => [keyOf(each), { topic: each.topic, partition: each.partition, position: undefined, reset: undefined, fetchFrom: -1n, buffer: [] }]));
  }

  /** @throws HttpError 404 for a partition that is not assigned, 500 for a negative offset */
  seek(partition: TopicPartition, offset: number): void {
    if (offset < 0) throw new HttpError(500, 'seek offset must not be a negative number');
    this.#replace(partition, { position: BigInt(offset), fetchFrom: BigInt(offset), reset: undefined });
  }

  /** The position is looked up by the next poll. @throws HttpError 404 for a partition that is not assigned */
  seekTo(partition: TopicPartition, reset: 'earliest' | 'latest'): void {
    this.#replace(partition, { position: undefined, fetchFrom: -1n, reset });
  }

  #replace(partition: TopicPartition, change: Pick<State, 'position' | 'fetchFrom' | 'reset'>): void {
    const key = keyOf(partition);
    if (!this.#states.has(key)) throw new HttpError(404, `No current assignment for partition ${key}`);
    // A new object, so that an answer still under way for the old one is dropped.
    this.#states.set(key, { ...partition, ...change, buffer: [] });
  }

  /** The next offset to hand out of each partition that has one: what a commit of everything polled commits. */
  positions(): (TopicPartition & { offset: bigint })[] {
    return [...this.#states.values()].flatMap(({ topic, partition, position }) => (position === undefined ? [] : [{ topic, partition, offset: position }]));
  }

  /** Records that are there or come before the deadline (ms since the epoch); at most `max.poll.records`. @throws HttpError 500 when Kafka does not let the bridge in */
  async poll(deadline: number, signal: AbortSignal): Promise<IncomingRecord[]> {
    for (;;) {
      const missing = [...this.#states.values()].filter(({ position }) => position === undefined);
      if (missing.length > 0) await before(deadline, this.#lookUp(missing));
      const records = this.#drain();
      // What was taken out is given, whatever comes after it.
      await this.#startFetches().catch((error: unknown) => { if (records.length === 0) this.#failed(error); });
      if (records.length > 0 || Date.now() >= deadline || signal.aborted) return records;
      await untilAny([...this.#fetching.values()], deadline, signal);
    }
  }

  async close(): Promise<void> {
    this.#states.clear();
    await this.#pool.close();
  }

  #drain(): IncomingRecord[] {
    const max = this.#settings.integer('max.poll.records', 500);
    let records: IncomingRecord[] = [];
    for (const state of this.#states.values()) {
      records = records.concat(state.buffer.splice(0, max - records.length));
      if (state.position !== undefined) state.position = state.buffer[0]?.offset ?? state.fetchFrom;
    }
    return records;
  }

  async #lookUp(states: readonly State[]): Promise<void> {
    try {
      const fromCommits = states.filter((state) => isLookedUp(state, undefined));
      if (fromCommits.length > 0) await this.#fromCommits(fromCommits);
      for (const end of ['earliest', 'latest'] as const) await this.#fromEnd(end, states.filter((state) => isLookedUp(state, end)));
    } catch (error) {
      if (error instanceof HttpError) throw error;
      this.#failed(error);
      await sleep(100);
    }
  }

  // Kafka does not answer now: the poll goes on trying until its time is over, and is empty then.
  #failed(error: unknown): void {
    this.#consumer.clearMetadata();
    const never = refused(error);
    if (never !== undefined) throw never;
  }

  async #fromCommits(states: readonly State[]): Promise<void> {
    const topics = [...Map.groupBy(states, ({ topic }) => topic)].map(([topic, each]) => ({ topic, partitions: each.map(({ partition }) => partition) }));
    const committed = await this.#consumer.listCommittedOffsets({ topics });
    for (const state of states.filter((each) => isLookedUp(each, undefined))) {
      const offset = committed.get(state.topic)?.[state.partition] ?? -1n;
      if (offset >= 0n) place(state, offset);
      else this.#reset(state, `Undefined offset with no reset policy for partitions: [${keyOf(state)}]`);
    }
  }

  #reset(state: State, withoutPolicy: string): void {
    const policy = this.#settings.text('auto.offset.reset', 'latest') as Reset;
    if (policy === 'none') throw new HttpError(500, `org.apache.kafka.clients.consumer.NoOffsetForPartitionException: ${withoutPolicy}`);
    state.position = undefined;
    state.reset = policy;
  }

  async #fromEnd(end: 'earliest' | 'latest', states: readonly State[]): Promise<void> {
    if (states.length === 0) return;
    const byTopic = Map.groupBy(states, ({ topic }) => topic);
    const partitions = Object.fromEntries([...byTopic].map(([topic, each]) => [topic, each.map(({ partition }) => partition)]));
    const offsets = await this.#consumer.listOffsets({ topics: [...byTopic.keys()], partitions, timestamp: end === 'earliest' ? -2n : -1n });
    for (const state of states.filter((each) => isLookedUp(each, end))) {
      const offset = offsets.get(state.topic)?.[state.partition];
      if (offset !== undefined) place(state, offset);
    }
  }

  async #startFetches(): Promise<void> {
    const wanted = [...this.#states.values()].filter(({ position, buffer }) => position !== undefined && buffer.length === 0);
    if (wanted.length === 0) return;
    const metadata = await this.#consumer.metadata({ topics: [...new Set(wanted.map(({ topic }) => topic))] });
    const byLeader = Map.groupBy(wanted, ({ topic, partition }) => metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1);
    for (const [leader, states] of byLeader) {
      if (leader < 0) this.#consumer.clearMetadata();
      else if (!this.#fetching.has(leader)) {
        const ids = new Map(states.map(({ topic }) => [topic, metadata.topics.get(topic)?.id ?? '']));
        this.#fetching.set(leader, this.#fetch(leader, states, ids).finally(() => { this.#fetching.delete(leader); }));
      }
    }
  }

  async #fetch(node: number, states: readonly State[], ids: ReadonlyMap<string, string>): Promise<void> {
    const settings = this.#settings;
    const topics = [...Map.groupBy(states, ({ topic }) => topic)].map(([topic, each]) => ({
      topicId: ids.get(topic) ?? '',
      partitions: each.map(({ partition, fetchFrom }) => ({ partition, fetchOffset: fetchFrom, currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: settings.integer('max.partition.fetch.bytes', 1_048_576) })),
    }));
    try {
      this.#accept(states, ids, await this.#consumer.fetch({
        node, topics, connectionPool: this.#pool,
        maxWaitTime: settings.integer('fetch.max.wait.ms', 500), minBytes: settings.integer('fetch.min.bytes', 1), maxBytes: settings.integer('fetch.max.bytes', 52_428_800),
      }));
    } catch (error) {
      const { response } = error as { response?: fetchV17.FetchResponse };
      // Some partitions failed: the others' records are good.
      if (response !== undefined) this.#accept(states, ids, response);
      this.#consumer.clearMetadata();
      await sleep(100);
    }
  }

  #accept(states: readonly State[], ids: ReadonlyMap<string, string>, response: fetchV17.FetchResponse): void {
    for (const topic of response.responses) {
      for (const answer of topic.partitions) {
        const state = states.find((each) => each.partition === answer.partitionIndex && ids.get(each.topic) === topic.topicId);
        // Not the state that is assigned now: it was sought or taken away meanwhile.
        if (state === undefined || this.#states.get(keyOf(state)) !== state) continue;
        if (answer.errorCode === errorCodes.offsetOutOfRange) this.#outOfRange(state);
        else if (answer.errorCode === errorCodes.none) fill(state, answer.records ?? []);
      }
    }
  }

  #outOfRange(state: State): void {
    const policy = this.#settings.text('auto.offset.reset', 'latest') as Reset;
    state.position = undefined;
    state.reset = policy === 'none' ? 'earliest' : policy;
  }
}

/** Not where it has a position by now: a poll does not wait for its question's answer longer than it has time, the next asks again, and whichever answer comes later is old. */
function isLookedUp({ position, reset }: State, from: Reset | undefined): boolean {
  return position === undefined && reset === from;
}

function place(state: State, offset: bigint): void {
  state.position = offset;
  state.fetchFrom = offset;
  state.reset = undefined;
}

function fill(state: State, batches: readonly RecordsBatch[]): void {
  const from = state.fetchFrom;
  for (const batch of batches) {
    const next = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    if (next > state.fetchFrom) state.fetchFrom = next;
    if ((batch.attributes & IS_CONTROL) !== 0) continue;
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta);
      // A broker answers with whole batches: the first may begin before the offset that was asked for.
      if (offset < from) continue;
      const timestamp = (batch.attributes & logAppendTime) !== 0 ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta;
      state.buffer.push({ topic: state.topic, partition: state.partition, offset, timestamp, key: record.key, value: record.value, headers: record.headers });
    }
  }
}

async function untilAny(promises: readonly Promise<void>[], deadline: number, signal: AbortSignal): Promise<void> {
  // With nothing under way (no partitions, or Kafka not there) look again soon.
  const until = promises.length > 0 ? deadline : Math.min(deadline, Date.now() + 100);
  const timer = new AbortController();
  const ended = AbortSignal.any([signal, timer.signal]);
  try {
    await Promise.race([...promises, sleep(Math.max(0, until - Date.now()), undefined, { signal: ended }).catch(() => undefined)]);
  } finally {
    timer.abort();
  }
}
