import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Admin, Consumer, FetchIsolationLevels, findErrorBy, ListOffsetTimestamps } from '@platformatic/kafka';
import type { RecordsBatch } from '@platformatic/kafka';
import { UserError } from '../../errors.ts';
import type { Content } from './content.ts';
import type { Credentials } from './credentials.ts';
import { LogRecords, parse } from './log-records.ts';
import type { LogRecord } from './records.ts';

export interface KafkaOptions {
  /** host:port, comma separated. */
  bootstrapServers: string;
  /** PEM of the CA that signed the listener's certificates. Without one the connection is not encrypted (tests only). */
  caCertificate?: string;
  /** Absent where brokers let in whoever trusts them. */
  credentials?: Credentials | undefined;
}

/** Offsets [begin, end) of each partition. */
export type Bounds = Map<number, { begin: bigint; end: bigint }>;

export interface TopicShape {
  partitions: number;
  replicas: number;
  minInsyncReplicas: number;
}

/** Whatever the brokers' own defaults are, nothing goes from a topic of a drill: a record that they compact or let expire would be taken for a lost one. */
const keepsAll = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };

/** Kafka by its own protocol, past the bridges and the mesh whose work is being judged. Every failure is a UserError that names the servers. */
export class Kafka implements AsyncDisposable {
  readonly #admin: Admin;
  readonly #reader: Consumer;
  readonly #servers: string;

  constructor({ bootstrapServers, caCertificate, credentials }: KafkaOptions) {
    this.#servers = bootstrapServers;
    const bootstrapBrokers = bootstrapServers.split(',').map((server) => server.trim());
    // The router in front of a listener of type route or ingress knows by the server name alone which broker is meant. An address cannot be one: where brokers advertise addresses beside names, Node.js warns of it and connects all the same.
    const tlsServerName = bootstrapBrokers.some((server) => isIP(hostOf(server)) === 0);
    const client = {
      clientId: 'kbf-drill', bootstrapBrokers, timeout: 10_000, retries: 3,
      ...(caCertificate === undefined ? {} : { tls: { ca: caCertificate, allowPartialTrustChain: true, ...(credentials !== undefined && 'tls' in credentials ? credentials.tls : {}) }, tlsServerName }),
      ...(credentials !== undefined && 'sasl' in credentials ? { sasl: credentials.sasl } : {}),
    };
    this.#admin = new Admin(client);
    // It only fetches: it never joins a group, so the group of this name never comes to be.
    this.#reader = new Consumer({ ...client, groupId: 'kbf-drill-reader', maxWaitTime: 500 });
  }

  createTopic(topic: string, { partitions, replicas, minInsyncReplicas }: TopicShape): Promise<void> {
    return this.#ask(`topic ${topic} cannot be made`, async () => {
      await this.#admin.createTopics({
        topics: [topic], partitions, replicas, configs: Object.entries({ ...keepsAll, 'min.insync.replicas': String(minInsyncReplicas) }).map(([name, value]) => ({ name, value })),
      });
    });
  }

  /** Resolves also where there is none, as where another try deleted it and was not answered. */
  deleteTopic(topic: string): Promise<void> {
    return this.#ask(`topic ${topic} cannot be deleted`, () => this.#admin.deleteTopics({ topics: [topic] }).catch((error: unknown) => {
      if (!(error instanceof Error) || findErrorBy(error, 'apiId', 'UNKNOWN_TOPIC_OR_PARTITION') === null) throw error;
    }));
  }

  deleteGroup(group: string): Promise<void> {
    return this.#ask(`group ${group} cannot be deleted`, () => this.#admin.deleteGroups({ groups: [group] }));
  }

  /** Node id of the broker that leads a partition. */
  leader(topic: string, partition: number): Promise<number> {
    return this.#ask(`the leader of partition ${partition} of topic ${topic} cannot be found`, async () => {
      const { topics } = await this.#admin.metadata({ topics: [topic], forceUpdate: true });
      const leader = topics.get(topic)?.partitions[partition]?.leader;
      if (leader === undefined) throw new Error('it has none');
      return leader;
    });
  }

  /** Host names or addresses of the bootstrap servers, and of the brokers as they tell their clients. */
  hosts(): Promise<string[]> {
    return this.#ask('the brokers cannot be listed', async () => {
      const { brokers } = await this.#admin.metadata({ topics: [], forceUpdate: true });
      const bootstrap = this.#servers.split(',').map((server) => server.trim().replace(/:\d+$/, ''));
      return [...new Set([...bootstrap, ...[...brokers.values()].map(({ host }) => host)])];
    });
  }

  /** Where each partition begins and ends now. */
  bounds(topic: string): Promise<Bounds> {
    return this.#ask(`the end of topic ${topic} cannot be read`, async () => {
      const metadata = await this.#admin.metadata({ topics: [topic], forceUpdate: true });
      const count = metadata.topics.get(topic)?.partitionsCount ?? 0;
      const begins = await this.#offsets(topic, count, ListOffsetTimestamps.EARLIEST);
      const ends = await this.#offsets(topic, count, ListOffsetTimestamps.LATEST);
      return new Map([...ends].map(([partition, end]) => [partition, { begin: begins.get(partition) ?? 0n, end }]));
    });
  }

  async #offsets(topic: string, count: number, timestamp: bigint): Promise<Map<number, bigint>> {
    const partitions = Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp }));
    const [listed] = await this.#admin.listOffsets({ topics: [{ name: topic, partitions }], isolationLevel: FetchIsolationLevels.READ_COMMITTED });
    return new Map(listed?.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset]));
  }

  /** First offset the group would read next, by partition; partitions it never committed are left out. */
  committed(group: string, topic: string): Promise<Record<number, number>> {
    return this.#ask(`offsets of group ${group} cannot be read`, async () => {
      const groups = await this.#admin.listConsumerGroupOffsets({ groups: [group] });
      const partitions = groups[0]?.topics.find(({ name }) => name === topic)?.partitions ?? [];
      return Object.fromEntries(partitions.filter(({ committedOffset }) => committedOffset >= 0n)
        .map(({ partitionIndex, committedOffset }) => [partitionIndex, Number(committedOffset)]));
    });
  }

  /** Every record within the bounds, compared with what was sent, read committed, some of each partition in turn; in batches, as an await for each record would cost more than the record. */
  async* read(topic: string, bounds: Bounds, content: Pick<Content, 'isAltered'>): AsyncGenerator<LogRecord[]> {
    const log = new LogRecords(content);
    for await (const { partition, records } of this.#batches(topic, bounds)) yield records.map(({ offset, key, value }) => log.of({ partition, offset }, key, value));
  }

  /** The values within the bounds, as the JSON that they are; undefined for one that is none. */
  async* values(topic: string, bounds: Bounds): AsyncGenerator<{ offset: number; value: unknown }> {
    for await (const { records } of this.#batches(topic, bounds)) for (const { offset, value } of records) yield { offset, value: parse(value) };
  }

  /** What is read next is asked for before what was read is worked on. */
  async* #batches(topic: string, bounds: Bounds): AsyncGenerator<{ partition: number; records: RawRecord[] }> {
    this.#reader.topics.track(topic);
    const ask = ({ partition, next, maxBytes }: Unread): Promise<RecordsBatch[]> => {
      const asked = this.#ask(`partition ${partition} of topic ${topic} cannot be read`, () => this.#fetchSome(topic, partition, { fetchOffset: next, maxBytes }));
      // Told to who awaits it; nobody does when the caller has gone.
      asked.catch(() => undefined);
      return asked;
    };
    const unread = [...bounds].flatMap(([partition, { begin, end }]): Unread[] => (begin < end ? [{ partition, next: begin, end, maxBytes: firstBytes }] : []));
    let asked = unread[0] && ask(unread[0]);
    for (let turn = unread.shift(); turn !== undefined && asked !== undefined; turn = unread.shift()) {
      const { partition, next: from, end } = turn;
      const batches = await asked;
      turn.next = endOf(batches) ?? from;
      if (turn.next <= from) throw new UserError(`partition ${partition} of topic ${topic} gave nothing from offset ${from} on for ${noProgressMs / 1000} s, though ${end} was its end before`);
      turn.maxBytes = bytesOfSome(batches) ?? turn.maxBytes;
      if (turn.next < end) unread.push(turn);
      asked = unread[0] && ask(unread[0]);
      yield { partition, records: batches.flatMap((batch) => recordsOf(batch, Number(from), Number(end))) };
    }
  }

  /**
   * Fetches again while nothing comes: a broker answers with nothing at once who has used up a quota (KIP-219), and where the partition's leader has just moved. What it has then
   * got, which is nothing where that goes on for too long.
   */
  async #fetchSome(topic: string, partition: number, place: FetchPlace): Promise<RecordsBatch[]> {
    const deadlineMs = performance.now() + noProgressMs;
    let batches = await this.#fetch(topic, partition, place);
    while ((endOf(batches) ?? 0n) <= place.fetchOffset && performance.now() < deadlineMs) {
      await delay(emptyPauseMs);
      batches = await this.#fetch(topic, partition, place, true);
    }
    return batches;
  }

  async #fetch(topic: string, partition: number, { fetchOffset, maxBytes }: FetchPlace, forceUpdate = false): Promise<RecordsBatch[]> {
    const metadata = await this.#reader.metadata({ topics: [topic], forceUpdate });
    const about = metadata.topics.get(topic);
    const leader = about?.partitions[partition]?.leader;
    if (about === undefined || leader === undefined) throw new Error('it has no leader');
    const response = await this.#reader.fetch({
      node: leader, isolationLevel: FetchIsolationLevels.READ_COMMITTED, minBytes: 1, maxBytes,
      topics: [{ topicId: about.id, partitions: [{ partition, currentLeaderEpoch: -1, fetchOffset, lastFetchedEpoch: -1, partitionMaxBytes: maxBytes }] }],
    });
    return response.responses.flatMap(({ partitions }) => partitions).find(({ partitionIndex }) => partitionIndex === partition)?.records ?? [];
  }

  async #ask<T>(what: string, question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (cause) {
      throw new UserError(`Kafka at ${this.#servers}: ${what}: ${innermost(cause)}`, { remedy: 'see that the brokers are up and reachable from here', cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#admin.close(), this.#reader.close(true)]);
  }
}

/**
 * So many records are asked for at once, whatever their size: what is read of them is gone before it is thought to stay. With 2 MiB of small records at once,
 * reading a million took three times the memory, and a third more time.
 */
const atOnce = 2048;
const firstBytes = 128 << 10;
const mostBytes = 2 << 20;

/** About what so many records like these take. Undefined without any. A broker gives one whole batch at least. */
function bytesOfSome(batches: readonly RecordsBatch[]): number | undefined {
  let [bytes, count] = [0, 0];
  for (const { length, records } of batches) {
    bytes += length;
    count += records.length;
  }
  return count === 0 ? undefined : Math.min(mostBytes, Math.ceil(atOnce * bytes / count));
}

/** What is left of a partition: offsets [next, end). */
interface Unread {
  readonly partition: number;
  next: bigint;
  readonly end: bigint;
  maxBytes: number;
}

interface FetchPlace {
  fetchOffset: bigint;
  maxBytes: number;
}

/** How long a partition may give nothing, though there should be more of it, and how soon it is asked again, ms. */
const [noProgressMs, emptyPauseMs] = [30_000, 250];

/** What comes after the batches. Undefined without any. */
function endOf(batches: readonly RecordsBatch[]): bigint | undefined {
  const last = batches.at(-1);
  return last === undefined ? undefined : last.firstOffset + BigInt(last.lastOffsetDelta) + 1n;
}

function isControl(attributes: number): boolean {
  return (attributes & 0x20) !== 0;
}

interface RawRecord {
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
}

function recordsOf({ attributes, firstOffset, records }: RecordsBatch, from: number, end: number): RawRecord[] {
  const wanted: RawRecord[] = [];
  if (isControl(attributes)) return wanted;
  const first = Number(firstOffset);
  for (const { offsetDelta, key, value } of records) {
    const offset = first + offsetDelta;
    if (offset >= from && offset < end) wanted.push({ offset, key, value });
  }
  return wanted;
}

/** The client wraps errors in errors; the innermost says what happened. */
function innermost(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors.at(-1));
  if (error instanceof Error) return error.cause instanceof Error ? innermost(error.cause) : error.message;
  return String(error);
}

/** Without its port; an IPv6 address stands in brackets. */
function hostOf(server: string): string {
  return server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
