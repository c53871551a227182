import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer } from '@platformatic/kafka';
import { messageOf } from '../../errors.ts';
import { apiError, before, isRetriable, refused, type Cluster } from './cluster.ts';
import type { BridgeConfig, Settings } from './config.ts';
import { HttpError } from './errors.ts';
import { Fetcher, type TopicPartition } from './fetcher.ts';
import { kafkaConsumer, Membership } from './membership.ts';
import type { Format, IncomingRecord } from './records.ts';

export interface Offset extends TopicPartition { readonly offset: number }

const exclusive = (): HttpError => new HttpError(409, 'Subscriptions to topics, partitions, and patterns are mutually exclusive.');

/** One consumer instance of the HTTP API. Its operations run one after the other, as the original locks them. */
export class ConsumerInstance {
  readonly group: string;
  readonly name: string;
  readonly format: Format;
  readonly #cluster: Cluster;
  readonly #settings: Settings;
  readonly #consumer: Consumer;
  readonly #membership: Membership;
  readonly #fetcher: Fetcher;
  readonly #closing = new AbortController();
  #turn: Promise<unknown> = Promise.resolve();
  #mode: 'none' | 'subscribed' | 'assigned' = 'none';
  #lastAutoCommit = Date.now();
  #pollTimer: NodeJS.Timeout | undefined;

  constructor(identity: { group: string; name: string; format: Format }, cluster: Cluster, client: BridgeConfig['client'], settings: Settings) {
    this.group = identity.group;
    this.name = identity.name;
    this.format = identity.format;
    this.#cluster = cluster;
    this.#settings = settings;
    this.#consumer = kafkaConsumer(this.group, this.name, client, settings);
    this.#fetcher = new Fetcher(this.#consumer, this.name, client, settings);
    this.#membership = new Membership(this.#consumer, () => { void this.#autoCommit(true); });
  }

  /** Whether it was subscribed to or assigned anything. */
  get pollable(): boolean {
    return this.#mode !== 'none';
  }

  /** @throws HttpError 409 when partitions were assigned, or topics and a pattern are given; 422 when neither is */
  async subscribe(body: { topics?: string[]; topic_pattern?: string }): Promise<void> {
    if ((body.topics !== undefined && body.topic_pattern !== undefined) || this.#mode === 'assigned') throw exclusive();
    if (body.topics === undefined && body.topic_pattern === undefined) throw new HttpError(422, 'A list (of Topics type) or a topic_pattern must be specified.');
    await this.#inTurn(async () => {
      if (body.topics?.length === 0) await this.#drop();
      else this.#membership.subscribe(body.topics ?? javaPattern(body.topic_pattern ?? ''));
      this.#mode = 'subscribed';
    });
  }

  async unsubscribe(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#drop();
      this.#mode = 'none';
    });
  }

  /** @throws HttpError 409 when the instance is subscribed */
  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#mode === 'subscribed') throw exclusive();
    await this.#inTurn(() => {
      this.#consumer.topics.clear();
      this.#consumer.topics.trackAll(...partitions.map(({ topic }) => topic));
      this.#fetcher.assign(partitions);
      this.#mode = 'assigned';
    });
  }

  /** The partitions that the instance has now: none before its first poll has joined the group. */
  async assignment(): Promise<readonly TopicPartition[]> {
    return this.#inTurn(() => {
      this.#followRebalance();
      return this.#fetcher.assignment;
    });
  }

  /** @param timeoutMs how long to wait for a first record @throws HttpError 500 for a negative timeout */
  async poll(timeoutMs: number): Promise<IncomingRecord[]> {
    if (timeoutMs < 0) throw new HttpError(500, 'java.lang.IllegalArgumentException: Timeout must not be negative');
    return this.#inTurn(async () => {
      clearTimeout(this.#pollTimer);
      try {
        return await this.#poll(Date.now() + timeoutMs);
      } finally {
        this.#expectPoll();
      }
    });
  }

  /** Commits offsets (each the next to read), or all positions of the last poll. @throws HttpError 500 with Kafka's text */
  async commit(offsets?: readonly Offset[]): Promise<void> {
    await this.#inTurn(() => this.#commit(offsets?.map((each) => ({ ...each, offset: BigInt(each.offset) })) ?? this.#fetcher.positions()));
  }

  /** @throws HttpError 404 for a partition that the instance does not have */
  async seek(offsets: readonly Offset[]): Promise<void> {
    await this.#inTurn(() => { for (const each of offsets) this.#fetcher.seek({ topic: each.topic, partition: each.partition }, each.offset); });
  }

  /** @throws HttpError 404 for a partition that the instance does not have */
  async seekTo(partitions: readonly TopicPartition[], end: 'earliest' | 'latest'): Promise<void> {
    await this.#inTurn(() => { for (const each of partitions) this.#fetcher.seekTo(each, end); });
  }

  /** Ends a running poll with what it has. */
  interrupt(): void {
    this.#closing.abort();
  }

  /** Leaves the group, after a last commit where commits are automatic. */
  async close(): Promise<void> {
    await this.#inTurn(async () => {
      clearTimeout(this.#pollTimer);
      await this.#drop();
      await Promise.allSettled([this.#fetcher.close(), this.#consumer.close(true)]);
    });
  }

  async #poll(deadline: number): Promise<IncomingRecord[]> {
    await this.#autoCommit(false);
    do {
      if (this.#mode === 'subscribed') await before(deadline, this.#membership.join(() => this.#cluster.admin.listTopics()));
      this.#followRebalance();
    } while (this.#fetcher.assignment.length === 0 && this.#mode === 'subscribed' && !this.#membership.joined && Date.now() < deadline && !this.#closing.signal.aborted);
    // In short steps, so that a rebalance meanwhile is seen.
    for (;;) {
      const records = await this.#fetcher.poll(Math.min(deadline, Date.now() + 500), this.#closing.signal);
      if (records.length > 0 || Date.now() >= deadline || this.#closing.signal.aborted) return records;
      this.#followRebalance();
    }
  }

  #followRebalance(): void {
    const assignment = this.#membership.takeAssignment();
    if (assignment !== undefined && this.#mode === 'subscribed') this.#fetcher.assign(assignment);
  }

  // Kafka's own consumer gives its partitions up when nobody polls it for this long; so does this one.
  #expectPoll(): void {
    this.#pollTimer = setTimeout(() => { void this.#inTurn(() => this.#membership.leave()); }, this.#settings.integer('max.poll.interval.ms', 300_000)).unref();
  }

  async #drop(): Promise<void> {
    await this.#autoCommit(true);
    await this.#membership.leave();
    this.#fetcher.assign([]);
  }

  async #autoCommit(now: boolean): Promise<void> {
    if (!this.#settings.boolean('enable.auto.commit', true)) return;
    if (!now && Date.now() - this.#lastAutoCommit < this.#settings.integer('auto.commit.interval.ms', 5000)) return;
    this.#lastAutoCommit = Date.now();
    const positions = this.#fetcher.positions();
    // As in Kafka's own consumer, what fails here is tried again by the next automatic commit.
    if (positions.length > 0) await this.#send(positions).catch(() => undefined);
  }

  async #commit(offsets: readonly (TopicPartition & { offset: bigint })[]): Promise<void> {
    if (offsets.length === 0) return;
    const timeout = this.#settings.integer('default.api.timeout.ms', 60_000);
    for (const deadline = Date.now() + timeout; ;) {
      const outcome = await before(deadline, this.#send(offsets).then(() => 'done' as const, (error: unknown) => ({ error })));
      if (outcome === 'done') return;
      if (outcome !== undefined && lostMembership(outcome.error)) {
        throw new HttpError(500, 'org.apache.kafka.clients.consumer.CommitFailedException: Offset commit cannot be completed since the consumer is not part of an active group for auto partition assignment; it is likely that the consumer was kicked out of the group.');
      }
      if (outcome !== undefined && !isRetriable(outcome.error)) throw refused(outcome.error) ?? new HttpError(500, String(outcome.error));
      if (Date.now() + 100 >= deadline) throw commitTimeout(timeout, offsets);
      await sleep(100);
    }
  }

  async #send(offsets: readonly (TopicPartition & { offset: bigint })[]): Promise<void> {
    if (this.#mode === 'subscribed') {
      // The broker would take it, also when the new owner already reads from what was committed before: nobody may count on it then.
      if (this.#consumer.memberId === null || !this.#membership.owns(offsets)) throw new NotAMember();
      await this.#consumer.commit({ offsets: offsets.map((each) => ({ ...each, leaderEpoch: -1 })) });
      return;
    }
    const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, partitionOffsets]) => ({ name, partitionOffsets: partitionOffsets.map(({ partition, offset }) => ({ partition, offset })) }));
    await this.#cluster.admin.alterConsumerGroupOffsets({ groupId: this.group, topics });
  }

  async #inTurn<T>(operation: () => T | Promise<T>): Promise<T> {
    const result = this.#turn.then(operation);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

class NotAMember extends Error {}

function lostMembership(error: unknown): boolean {
  return error instanceof NotAMember || ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID'].includes(apiError(error) ?? '');
}

function commitTimeout(timeout: number, offsets: readonly (TopicPartition & { offset: bigint })[]): HttpError {
  const text = offsets.map(({ topic, partition, offset }) => `${topic}-${String(partition)}=OffsetAndMetadata{offset=${String(offset)}, leaderEpoch=null, metadata=''}`).join(', ');
  return new HttpError(500, `org.apache.kafka.common.errors.TimeoutException: Timeout of ${String(timeout)}ms expired before successfully committing offsets {${text}}`);
}

// Matches the whole name, as Java's `matches` does.
function javaPattern(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`, 'u');
  } catch (error) {
    throw new HttpError(500, `java.util.regex.PatternSyntaxException: ${messageOf(error)}`);
  }
}
