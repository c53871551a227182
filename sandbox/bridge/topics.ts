import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, type ClusterPartitionMetadata, ConfigResourceTypes } from '@platformatic/kafka';
import { apiError, before, isRetriable, refused, serverText } from './cluster.ts';
import { HttpError } from './errors.ts';

const unknownTopic = (): HttpError => new HttpError(404, 'org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does not host this topic-partition.');

interface Partition { partition: number; leader: number; replicas: { broker: number; leader: boolean; in_sync: boolean }[] }

/** Waited between two tries of a question, ms: `retry.backoff.ms` of Kafka's clients. */
const backoffMs = 100;

/** The topic reads of the API and `POST /admin/topics`. */
export class Topics {
  readonly #admin: Admin;
  readonly #patienceMs: number;

  /** @param patienceMs how long Kafka is asked for one answer: `default.api.timeout.ms` of the admin client */
  constructor(admin: Admin, patienceMs: number) {
    this.#admin = admin;
    this.#patienceMs = patienceMs;
  }

  /** Names of all topics that are not Kafka's own. */
  async list(): Promise<string[]> {
    return this.#read('listTopics', () => this.#admin.listTopics());
  }

  /** @throws HttpError 404 for a topic that is not there */
  async describe(topic: string): Promise<{ name: string; configs: Record<string, string | null>; partitions: Partition[] }> {
    const partitions = await this.partitions(topic);
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: [] };
    const [description] = await this.#read('describeConfigs', () => this.#admin.describeConfigs({ resources: [resource] }));
    const configs = Object.fromEntries((description?.configs ?? []).map(({ name, value }) => [name, value ?? null]));
    return { name: topic, configs, partitions };
  }

  /** @throws HttpError 404 for a topic that is not there */
  async partitions(topic: string): Promise<Partition[]> {
    return (await this.#partitions(topic)).map((metadata, partition) => ({
      partition,
      leader: metadata.leader,
      replicas: metadata.replicas.map((broker) => ({ broker, leader: broker === metadata.leader, in_sync: metadata.isr.includes(broker) })),
    }));
  }

  /** @throws HttpError 404 for a topic or a partition that is not there */
  async partition(topic: string, partition: number): Promise<Partition> {
    const found = (await this.partitions(topic))[partition];
    if (found === undefined) throw new HttpError(404, 'Specified partition does not exist.');
    return found;
  }

  /** The first offset of a partition and the next one to be written. @throws HttpError 404 for a topic or a partition that is not there */
  async offsets(topic: string, partition: number): Promise<{ beginning_offset: number; end_offset: number }> {
    if ((await this.#partitions(topic)).length <= partition) throw new HttpError(404, `Topic '${topic}' does not have partition with id ${String(partition)}`);
    const at = async (timestamp: bigint): Promise<number> => {
      const [listed] = await this.#read('listOffsets', () => this.#admin.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }] }));
      return Number(listed?.partitions[0]?.offset ?? -1n);
    };
    const [beginning, end] = await Promise.all([at(-2n), at(-1n)]);
    return { beginning_offset: beginning, end_offset: end };
  }

  /** @throws HttpError 500 with Kafka's text, also when the topic exists */
  async create(topic: string, partitions: number | undefined, replicas: number | undefined): Promise<void> {
    try {
      await this.#admin.createTopics({ topics: [topic], partitions: partitions ?? -1, replicas: replicas ?? -1 });
    } catch (error) {
      throw refused(error) ?? new HttpError(500, apiError(error) === 'TOPIC_ALREADY_EXISTS' ? `Topic '${topic}' already exists.` : serverText(error));
    }
  }

  async #partitions(topic: string): Promise<readonly ClusterPartitionMetadata[]> {
    const found = await this.#read('describeTopics', async () => {
      const metadata = await this.#admin.metadata({ topics: [topic], forceUpdate: true }).catch((error: unknown) => {
        if (String(error).includes('Unknown topic')) return undefined;
        throw error;
      });
      return metadata?.topics.get(topic)?.partitions ?? [];
    });
    if (found.length === 0) throw unknownTopic();
    return found;
  }

  /** As Kafka's own client has it: what only reads is asked again where a connection was lost, as when a broker restarts, until time is up. */
  async #read<T extends object>(call: string, ask: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + this.#patienceMs;
    for (;;) {
      try {
        const answer = await before(deadline, ask());
        if (answer !== undefined) return answer;
      } catch (error) {
        if (!isRetriable(error) || Date.now() + backoffMs >= deadline) throw asError(call, error);
      }
      if (Date.now() >= deadline) throw timedOut(call);
      await sleep(backoffMs);
    }
  }
}

function timedOut(call: string): HttpError {
  return new HttpError(500, `org.apache.kafka.common.errors.TimeoutException: Timed out waiting to send the call. Call: ${call}`);
}

function asError(call: string, error: unknown): HttpError {
  if (apiError(error) !== undefined) return new HttpError(500, serverText(error));
  return refused(error) ?? timedOut(call);
}
