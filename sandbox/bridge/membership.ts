import { setTimeout as sleep } from 'node:timers/promises';
import { Consumer } from '@platformatic/kafka';
import { rangeAssignor } from './assignor.ts';
import { refused } from './cluster.ts';
import type { BridgeConfig, Settings } from './config.ts';
import type { TopicPartition } from './fetcher.ts';
import { log } from './log.ts';

/** Waited between two tries to join, ms. */
const retryMs = 100;

/** The Kafka client of one consumer instance. It repeats nothing by itself; polls and commits know how long they may take. */
export function kafkaConsumer(group: string, name: string, client: BridgeConfig['client'], settings: Settings): Consumer {
  const sessionTimeout = settings.integer('session.timeout.ms', 45_000);
  return new Consumer({
    groupId: group,
    clientId: name,
    ...client,
    retries: 0,
    autocommit: false,
    sessionTimeout,
    heartbeatInterval: settings.integer('heartbeat.interval.ms', 3000),
    rebalanceTimeout: Math.max(sessionTimeout, settings.integer('max.poll.interval.ms', 300_000)),
    protocols: [{ name: 'range', version: 1 }],
    partitionAssigner: rangeAssignor,
    isolationLevel: settings.text('isolation.level', 'read_uncommitted') === 'read_committed' ? 1 : 0,
    clientRack: settings.text('client.rack', ''),
    metadataMaxAge: settings.integer('metadata.max.age.ms', 300_000),
    connectTimeout: settings.connectTimeoutMs,
    // A join may have to wait until a dead member's session is over.
    requestTimeout: Math.max(settings.integer('request.timeout.ms', 30_000), sessionTimeout + 5000),
  });
}

/**
 * Membership of a subscribed instance in its group: joined within a poll, as in the official bridge, kept by heartbeats of its own.
 * Unlike there, a rebalance that others cause is followed at once, not at the next poll: an instance that nobody polls holds nobody up.
 */
export class Membership {
  readonly #consumer: Consumer;
  #topics: readonly string[] = [];
  #pattern: RegExp | undefined;
  #joining: Promise<void> | undefined;
  #joined = false;
  /** The membership is in doubt: join, whatever the topics. */
  #stale = true;
  #pending: TopicPartition[] | undefined;
  /** What every rebalance since the last poll left to this member: whatever was given away meanwhile others may have committed, even where it is back. */
  #kept: TopicPartition[] | undefined;
  /** The generation of the group whose assignment this member knows. */
  #generation: number | undefined;

  /** @param onRebalance called before partitions may be given away, while a commit still counts */
  constructor(consumer: Consumer, onRebalance: () => void) {
    this.#consumer = consumer;
    consumer.on('consumer:group:rebalance', onRebalance);
    consumer.on('consumer:group:join', ({ assignments }) => {
      this.#generation = consumer.generationId;
      const given = (assignments ?? []).flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
      this.#kept = this.#kept?.filter((one) => has(given, one)) ?? given;
      this.#pending = given;
    });
    // A rejoin in the background failed: the next poll joins again.
    consumer.on('error', () => {
      this.#joined = false;
      this.#stale = true;
    });
  }

  get joined(): boolean {
    return this.#joined;
  }

  /** Takes effect with the next poll. */
  subscribe(to: readonly string[] | RegExp): void {
    this.#topics = to instanceof RegExp ? [] : to;
    this.#pattern = to instanceof RegExp ? to : undefined;
    this.#joined = false;
  }

  /** Starts joining where that is needed; the promise ends when it is done, or has failed for now. @throws HttpError 500 when Kafka does not let the bridge in */
  async join(listTopics: () => Promise<string[]>): Promise<void> {
    if (this.#joined) return;
    this.#joining ??= this.#join(listTopics).finally(() => { this.#joining = undefined; });
    await this.#joining;
  }

  /** What the last rebalance gave to this member, once; undefined when nothing changed since. */
  takeAssignment(): TopicPartition[] | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#kept = undefined;
    return pending;
  }

  /**
   * Whether partitions are this member's as far as it knows: a rebalance that no poll has followed yet may have given them to others. So may one of which it
   * knows the generation, with which the broker would take a commit, and not the assignment.
   */
  owns(partitions: readonly TopicPartition[]): boolean {
    if (this.#consumer.generationId !== this.#generation) return false;
    return this.#kept === undefined || partitions.every((one) => has(this.#kept, one));
  }

  async leave(): Promise<void> {
    this.#joined = false;
    this.#stale = true;
    this.#pending = undefined;
    this.#kept = undefined;
    if (this.#consumer.memberId === null) return;
    // A coordinator that does not answer forgets the member by itself when its session is over.
    await new Promise<void>((resolve) => { this.#consumer.leaveGroup(false, () => { resolve(); }); });
  }

  async #join(listTopics: () => Promise<string[]>): Promise<void> {
    try {
      const existing = await listTopics();
      const topics = this.#pattern === undefined ? this.#topics.filter((topic) => existing.includes(topic)) : existing.filter((topic) => this.#pattern?.test(topic));
      const unchanged = this.#consumer.memberId !== null && topics.join() === this.#consumer.topics.current.join();
      if (!unchanged || this.#stale) {
        this.#consumer.topics.clear();
        this.#consumer.topics.trackAll(...topics);
        await this.#consumer.joinGroup({});
        this.#stale = false;
      }
      // A topic that is not there yet is looked for again by the next poll.
      this.#joined = this.#pattern !== undefined || topics.length === this.#topics.length;
      if (!this.#joined) await sleep(retryMs);
    } catch (error) {
      log('WARN', `Consumer ${this.#consumer.clientId} has not joined group ${this.#consumer.groupId} yet: ${String(error)}`);
      this.#stale = true;
      this.#consumer.clearMetadata();
      const never = refused(error);
      if (never !== undefined) throw never;
      await sleep(retryMs);
    }
  }
}

function has(all: readonly TopicPartition[] | undefined, { topic, partition }: TopicPartition): boolean {
  return all?.some((one) => one.topic === topic && one.partition === partition) === true;
}
