import { setTimeout as sleep } from 'node:timers/promises';
import { compatibilityPartitioner } from '@platformatic/kafka';
import { messageOf } from '../../errors.ts';
import { apiError, refusal, type Cluster } from './cluster.ts';
import type { Settings } from './config.ts';
import { HttpError } from './errors.ts';
import { Lane, laneOptions, sizeOf, type Delivery, type LaneOptions } from './lane.ts';
import type { OutgoingRecord } from './records.ts';

/**
 * The bridge's one producer, warm for everybody. (The official bridge opens one for each HTTP connection, so the first request on a
 * new connection pays 300-500 ms there and does not here.)
 */
export class BridgeProducer {
  readonly #cluster: Cluster;
  readonly #options: LaneOptions;
  readonly #maxBlockMs: number;
  readonly #stickyBytes: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #sticky = new Map<string, { partition: number; bytes: number }>();
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(cluster: Cluster, settings: Settings) {
    this.#cluster = cluster;
    this.#options = laneOptions(settings);
    this.#maxBlockMs = settings.integer('max.block.ms', 60_000);
    this.#stickyBytes = settings.integer('batch.size', 16_384);
  }

  /**
   * Sends records in their order and answers for each of them in the same order. An `HttpError` stands for a record that failed;
   * its status is the Bridge's: 404 when no metadata came in time, else 500.
   */
  async send(records: readonly OutgoingRecord[]): Promise<(Delivery | HttpError)[]> {
    const sending = this.#send(records);
    this.#underWay.add(sending);
    try {
      return await sending;
    } finally {
      this.#underWay.delete(sending);
    }
  }

  /** Waits for what is under way; the time is bounded by each record's delivery timeout. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #send(records: readonly OutgoingRecord[]): Promise<(Delivery | HttpError)[]> {
    const deliveries: Promise<Delivery | HttpError>[] = [];
    for (const record of records) {
      try {
        // One after the other up to here, so that records of one request keep their order within a partition.
        const lane = await this.#laneFor(record);
        deliveries.push(lane.send(record).catch((error: unknown) => asHttpError(error, record.topic)));
      } catch (error) {
        deliveries.push(Promise.resolve(asHttpError(error, record.topic)));
      }
    }
    return Promise.all(deliveries);
  }

  async #laneFor(record: OutgoingRecord): Promise<Lane> {
    const size = sizeOf(record);
    if (size > this.#options.maxRequestBytes) {
      throw new HttpError(500, `The message is ${String(size)} bytes when serialized which is larger than ${String(this.#options.maxRequestBytes)}, which is the value of the max.request.size configuration.`);
    }
    const partition = await this.#partitionFor(record, size);
    const key = `${record.topic}\n${String(partition)}`;
    const lane = this.#lanes.get(key) ?? new Lane(this.#cluster, record.topic, partition, this.#options);
    this.#lanes.set(key, lane);
    return lane;
  }

  async #partitionFor(record: OutgoingRecord, size: number): Promise<number> {
    const { topic, partition, key } = record;
    const started = Date.now();
    for (let refresh = false; ; refresh = true) {
      const partitions = await this.#cluster.partitions(topic, started + this.#maxBlockMs, refresh);
      if (partitions === undefined) throw new HttpError(404, `Topic ${topic} not present in metadata after ${String(this.#maxBlockMs)} ms.`);
      if (partition === undefined) return key === undefined ? this.#stickyPartition(topic, partitions.length, size) : byKey(key, partitions.length);
      if (partition < partitions.length) return partition;
      if (Date.now() - started + 100 >= this.#maxBlockMs) {
        throw new HttpError(404, `Partition ${String(partition)} of topic ${topic} with partition count ${String(partitions.length)} is not present in metadata after ${String(this.#maxBlockMs)} ms.`);
      }
      await sleep(100);
    }
  }

  // Records without a key stay with one partition for a batch's worth of bytes, then move to another: Kafka's own default.
  #stickyPartition(topic: string, count: number, size: number): number {
    const current = this.#sticky.get(topic);
    if (current !== undefined && current.partition < count && current.bytes + size <= this.#stickyBytes) {
      current.bytes += size;
      return current.partition;
    }
    const step = count > 1 && current !== undefined ? 1 + Math.floor(Math.random() * (count - 1)) : Math.floor(Math.random() * count);
    const partition = ((current?.partition ?? 0) + step) % count;
    this.#sticky.set(topic, { partition, bytes: size });
    return partition;
  }
}

// Kafka's own choice: murmur2 of the key, so that all clients put a key on the same partition.
const byKey = (key: Buffer, count: number): number => compatibilityPartitioner({ topic: '' }, key) % count;

function asHttpError(error: unknown, topic: string): HttpError {
  if (error instanceof HttpError) return error;
  const text = refusal(error) ?? messageOf(error);
  return new HttpError(500, apiError(error) === 'INVALID_TOPIC_EXCEPTION' ? `Invalid topics: [${topic}]` : text);
}
