import { setTimeout as sleep } from 'node:timers/promises';
import { initProducerIdV5, NumericMap, produceV11, type MessageRecord } from '@platformatic/kafka';
import { messageOf } from '../../errors.ts';
import { apiError, before, isRetriable, refusal, type Cluster } from './cluster.ts';
import type { Settings } from './config.ts';
import { HttpError } from './errors.ts';
import type { OutgoingRecord } from './records.ts';

/** Where a record ended up; `offset` is -1 when nothing was acknowledged (`acks=0`). */
export interface Delivery { readonly partition: number; readonly offset: number }

interface Pending { readonly record: OutgoingRecord; readonly since: number; readonly bytes: number; resolve(delivery: Delivery): void; reject(error: Error): void }

interface Identity { readonly producerId: bigint; readonly producerEpoch: number; sequence: number }

/**
 * All records for one partition, in the order in which they came: one request under way at a time, and what arrives meanwhile goes
 * together in the next. With idempotence each lane has a producer id of its own, so that the trouble of one partition never
 * touches another's sequence. After an outcome that is not known the id is given up: a new one can not collide with what may still arrive.
 */
export class Lane {
  readonly #cluster: Cluster;
  readonly #topic: string;
  readonly #partition: number;
  readonly #options: LaneOptions;
  readonly #queue: Pending[] = [];
  #identity: Identity | undefined;
  #busy = false;

  constructor(cluster: Cluster, topic: string, partition: number, options: LaneOptions) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#partition = partition;
    this.#options = options;
  }

  /** @throws HttpError 500 with Kafka's text; whether the record was written is then unknown unless the text says so */
  send(record: OutgoingRecord): Promise<Delivery> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ record, since: Date.now(), bytes: sizeOf(record), resolve, reject });
      if (!this.#busy) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      try {
        const base = await this.#deliver(batch);
        for (const [index, pending] of batch.entries()) pending.resolve({ partition: this.#partition, offset: base < 0n ? -1 : Number(base) + index });
      } catch (error) {
        this.#identity = undefined;
        for (const pending of batch) pending.reject(error as Error);
      }
    }
    this.#busy = false;
  }

  #take(): Pending[] {
    let bytes = 0;
    const end = this.#queue.findIndex((pending, index) => (bytes += pending.bytes) > this.#options.maxRequestBytes && index > 0);
    return this.#queue.splice(0, end < 0 ? this.#queue.length : end);
  }

  /** The first record's offset. Tries again until the first record's delivery timeout is over. */
  async #deliver(batch: readonly Pending[]): Promise<bigint> {
    const since = batch[0]?.since ?? Date.now();
    const deadline = since + this.#options.deliveryTimeoutMs;
    const over = new AbortController();
    try {
      for (let attempt = 0; ; attempt += 1) {
        const outcome = await before(deadline, this.#request(batch, attempt > 0, over.signal).then((offset) => ({ offset }), (error: unknown) => ({ error })));
        if (outcome === undefined || ('error' in outcome && Date.now() + this.#options.retryBackoffMs >= deadline && isRetriable(outcome.error))) {
          throw new HttpError(500, `Expiring ${String(batch.length)} record(s) for ${this.#topic}-${String(this.#partition)}:${String(Date.now() - since)} ms has passed since batch creation`);
        }
        if ('offset' in outcome) return outcome.offset;
        if (!isRetriable(outcome.error)) throw new HttpError(500, kafkaText(outcome.error));
        await sleep(this.#options.retryBackoffMs);
      }
    } finally {
      over.abort();
    }
  }

  /** @param over Aborted once the batch is given up: what has not been sent by then must not be, as its clients were told and the next batch is on its way with the same first sequence. */
  async #request(batch: readonly Pending[], again: boolean, over: AbortSignal): Promise<bigint> {
    const partitions = await this.#cluster.partitions(this.#topic, Date.now() + this.#options.requestTimeoutMs, again);
    const leader = partitions?.[this.#partition]?.leader ?? -1;
    if (leader < 0) throw new Error(`no leader for ${this.#topic}-${String(this.#partition)}`);
    const connection = await this.#cluster.connection(leader);
    over.throwIfAborted();
    const { acks, compression } = this.#options;
    const identity = this.#options.idempotent ? await this.#ownIdentity(leader, over) : undefined;
    const response = await produceV11.api.async(connection, acks, this.#options.requestTimeoutMs, batch.map(({ record }) => this.#message(record)), {
      compression,
      ...(identity === undefined ? {} : { producerId: identity.producerId, producerEpoch: identity.producerEpoch, sequences: this.#sequences(identity) }),
    });
    if (identity !== undefined) identity.sequence = (identity.sequence + batch.length) % 2 ** 31;
    return typeof response === 'boolean' ? -1n : (response.responses[0]?.partitionResponses[0]?.baseOffset ?? -1n);
  }

  async #ownIdentity(broker: number, over: AbortSignal): Promise<Identity> {
    if (this.#identity !== undefined) return this.#identity;
    const { producerId, producerEpoch } = await initProducerIdV5.api.async(await this.#cluster.connection(broker), null, 2 ** 31 - 1, -1n, -1);
    over.throwIfAborted();
    this.#identity = { producerId, producerEpoch, sequence: 0 };
    return this.#identity;
  }

  // The library looks the first sequence of a batch up under this key.
  #sequences(identity: Identity): NumericMap {
    return new NumericMap([[`${this.#topic}:${String(this.#partition)}`, identity.sequence]]);
  }

  #message(record: OutgoingRecord): MessageRecord {
    return {
      topic: this.#topic,
      partition: this.#partition,
      ...(record.key === undefined ? {} : { key: record.key }),
      value: record.value as Buffer,
      headers: new Map(record.headers.map(([key, value]) => [Buffer.from(key), value])),
      ...(record.timestamp === undefined ? {} : { timestamp: record.timestamp }),
    };
  }
}

export interface LaneOptions {
  readonly acks: number;
  readonly idempotent: boolean;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly deliveryTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly maxRequestBytes: number;
}

/** Reads the settings with the defaults of Kafka's own producer. */
export function laneOptions(settings: Settings): LaneOptions {
  const acks = ['all', '-1'].includes(settings.text('acks', 'all')) ? -1 : settings.integer('acks', -1);
  return {
    acks,
    idempotent: acks === -1 && settings.boolean('enable.idempotence', true),
    compression: settings.text('compression.type', 'none') as LaneOptions['compression'],
    deliveryTimeoutMs: settings.integer('delivery.timeout.ms', 120_000),
    requestTimeoutMs: settings.integer('request.timeout.ms', 30_000),
    retryBackoffMs: settings.integer('retry.backoff.ms', 100),
    maxRequestBytes: settings.integer('max.request.size', 1_048_576),
  };
}

/** An upper bound of what a record takes in a request, in bytes, as Kafka's producer estimates it. */
export function sizeOf(record: OutgoingRecord): number {
  const headers = record.headers.reduce((sum, [key, value]) => sum + 10 + Buffer.byteLength(key) + value.length, 0);
  return 61 + 21 + 10 + (record.key?.length ?? 0) + (record.value?.length ?? 0) + headers;
}

const kafkaTexts: Readonly<Record<string, string>> = {
  MESSAGE_TOO_LARGE: 'The request included a message larger than the max message size the server will accept.',
  TOPIC_AUTHORIZATION_FAILED: 'Topic authorization failed.',
  INVALID_RECORD: 'This record has failed the validation on broker and hence will be rejected.',
  INVALID_TIMESTAMP: 'The timestamp of the message is out of acceptable range.',
};

function kafkaText(error: unknown): string {
  const name = apiError(error);
  return (name === undefined ? undefined : kafkaTexts[name]) ?? refusal(error) ?? messageOf(error);
}
