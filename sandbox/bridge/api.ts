import { baseUri, type UriSource } from './base-uri.ts';
import type { Cluster } from './cluster.ts';
import type { BridgeConfig } from './config.ts';
import type { Offset } from './consumer.ts';
import { type ConsumerBody, Consumers } from './consumers.ts';
import { HttpError } from './errors.ts';
import type { TopicPartition } from './fetcher.ts';
import { log } from './log.ts';
import { mediaTypes, openApi, type Operation, type OperationId } from './operations.ts';
import { BridgeProducer } from './producer.ts';
import { formatOf, fromRecords, toRecords } from './records.ts';
import { checkRequest } from './request.ts';
import { Topics } from './topics.ts';

/** Version that `GET /` answers: the API of Strimzi Kafka Bridge 1.1.0, and not that program. */
export const version = '1.1.0-reference';

/** A request that was routed and read. */
export interface Call extends UriSource {
  readonly operation: Operation;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

/** An answer; no body means no content type either. */
export interface Answer { readonly status: number; readonly type?: string; readonly body?: Buffer }

interface Checked extends Call { readonly json: unknown }

/** The operations of the Bridge's API, apart from HTTP itself. */
export class Api {
  readonly #config: BridgeConfig;
  readonly #cluster: Cluster;
  readonly #producer: BridgeProducer;
  readonly #consumers: Consumers;
  readonly #topics: Topics;
  /** What `/ready` and `/healthy` answer; false once the bridge is stopping. */
  ready = false;

  constructor(config: BridgeConfig, cluster: Cluster) {
    this.#config = config;
    this.#cluster = cluster;
    this.#producer = new BridgeProducer(cluster, config.producer);
    this.#consumers = new Consumers(config, cluster);
    this.#topics = new Topics(cluster.admin, config.admin.integer('default.api.timeout.ms', 60_000));
  }

  /** @throws HttpError for every answer that is an error */
  async answer(call: Call): Promise<Answer> {
    const json = checkRequest(call.operation, { path: { ...call.parameters }, query: call.query, contentType: call.header('content-type'), body: call.body });
    return this.#handlers[call.operation.id]({ ...call, header: (name) => call.header(name), json });
  }

  /** Gives all consumers up: running polls end with what they have, groups are left, so that whoever goes on elsewhere need not wait for them. */
  async closeConsumers(): Promise<void> {
    await this.#consumers.close();
  }

  /** Waits for records under way, then closes the connections to Kafka. */
  async close(): Promise<void> {
    await this.#producer.flush();
    await this.#cluster.close();
  }

  readonly #handlers: Readonly<Record<OperationId, (call: Checked) => Promise<Answer> | Answer>> = {
    send: (call) => this.#send(call, undefined),
    sendToPartition: (call) => this.#send(call, Number(call.parameters['partitionid'])),
    createConsumer: (call) => this.#createConsumer(call),
    deleteConsumer: async (call) => {
      await this.#consumers.delete(...instanceOf(call));
      return noContent;
    },
    subscribe: (call) => this.#onInstance(call, (instance) => instance.subscribe(call.json as { topics?: string[] })),
    unsubscribe: (call) => this.#onInstance(call, (instance) => instance.unsubscribe()),
    listSubscriptions: (call) => this.#listSubscriptions(call),
    assign: (call) => this.#onInstance(call, (instance) => instance.assign(partitionsOf(call.json))),
    poll: (call) => this.#poll(call),
    commit: (call) => this.#onInstance(call, (instance) => instance.commit((call.json as { offsets?: Offset[] } | undefined)?.offsets)),
    seek: (call) => this.#onInstance(call, (instance) => instance.seek((call.json as { offsets?: Offset[] }).offsets ?? [])),
    seekToBeginning: (call) => this.#onInstance(call, (instance) => instance.seekTo(partitionsOf(call.json), 'earliest')),
    seekToEnd: (call) => this.#onInstance(call, (instance) => instance.seekTo(partitionsOf(call.json), 'latest')),
    listTopics: async () => kafkaJson(await this.#topics.list()),
    getTopic: async (call) => kafkaJson(await this.#topics.describe(topicOf(call))),
    listPartitions: async (call) => kafkaJson(await this.#topics.partitions(topicOf(call))),
    getPartition: async (call) => kafkaJson(await this.#topics.partition(topicOf(call), Number(call.parameters['partitionid']))),
    getOffsets: async (call) => kafkaJson(await this.#topics.offsets(topicOf(call), Number(call.parameters['partitionid']))),
    createTopic: async (call) => {
      const body = call.json as { topic_name: string; partitions_count?: number | null; replication_factor?: number | null };
      await this.#topics.create(body.topic_name, body.partitions_count ?? undefined, body.replication_factor ?? undefined);
      return kafkaJson({}, 201);
    },
    info: () => plainJson({ bridge_version: version }),
    openapi: () => plainJson(openApi),
    openapiv3: () => plainJson(openApi),
    healthy: () => ({ status: this.ready ? 200 : 500 }),
    ready: () => ({ status: this.ready ? 200 : 500 }),
    // As in the original without metricsConfig.
    metrics: () => ({ status: 404 }),
  };

  async #send(call: Checked, partition: number | undefined): Promise<Answer> {
    if (!this.#config.producerEnabled) throw new HttpError(503, 'Producer is disabled in config. To enable producer update http.producer.enabled to true');
    const format = formatOf(call.header('content-type'));
    if (format === undefined) throw new HttpError(500, 'Internal Server Error');
    const sending = this.#producer.send(toRecords(topicOf(call), partition, format, call.json));
    if (call.query.get('async') === 'true') return noContent;
    const results = await sending;
    for (const result of results) if (result instanceof HttpError) log('ERROR', `Failed to deliver record to ${topicOf(call)}: ${result.message}`);
    // Always 200: a record's failure stands in its own entry.
    return kafkaJson({ offsets: results });
  }

  #createConsumer(call: Checked): Answer {
    if (!this.#config.consumerEnabled) throw new HttpError(503, 'Consumer is disabled in config. To enable consumer update http.consumer.enabled to true');
    const body = (call.json ?? {}) as ConsumerBody;
    const name = this.#consumers.nameFor(body);
    const uri = baseUri(call, name);
    this.#consumers.create(call.parameters['groupid'] ?? '', name, body);
    return kafkaJson({ instance_id: name, base_uri: uri });
  }

  async #onInstance(call: Checked, operation: Parameters<Consumers['use']>[2]): Promise<Answer> {
    await this.#consumers.use(...instanceOf(call), operation);
    return noContent;
  }

  async #listSubscriptions(call: Checked): Promise<Answer> {
    const assignment = await this.#consumers.use(...instanceOf(call), (instance) => instance.assignment());
    const byTopic = [...Map.groupBy(assignment, ({ topic }) => topic)];
    return kafkaJson({ topics: byTopic.map(([topic]) => topic), partitions: byTopic.map(([topic, each]) => ({ [topic]: each.map(({ partition }) => partition) })) });
  }

  async #poll(call: Checked): Promise<Answer> {
    return this.#consumers.use(...instanceOf(call), async (instance) => {
      if (!instance.pollable) throw new HttpError(500, 'Consumer is not subscribed to any topics or assigned any partitions');
      if (formatOf(call.header('accept')) !== instance.format) throw new HttpError(406, 'Consumer format does not match the embedded format requested by the Accept header.');
      const body = fromRecords(instance.format, await instance.poll(Number(call.query.get('timeout') ?? 100)));
      if (body.length > Number(call.query.get('max_bytes') ?? Infinity)) throw new HttpError(422, 'Response exceeds the maximum number of bytes the consumer can receive');
      return { status: 200, type: mediaTypes[instance.format], body };
    });
  }
}

const noContent: Answer = { status: 204 };
const kafkaJson = (value: unknown, status = 200): Answer => ({ status, type: mediaTypes.kafka, body: Buffer.from(JSON.stringify(value)) });
const plainJson = (value: unknown): Answer => ({ status: 200, type: mediaTypes.plainJson, body: Buffer.from(JSON.stringify(value)) });
const topicOf = (call: Call): string => call.parameters['topicname'] ?? '';
const instanceOf = (call: Call): [string, string] => [call.parameters['groupid'] ?? '', call.parameters['name'] ?? ''];

function partitionsOf(json: unknown): TopicPartition[] {
  const { partitions } = json as { partitions?: TopicPartition[] };
  if (partitions === undefined) throw new PlainServerError();
  return partitions;
}

/** What the original fails to handle: it answers 500 with `Internal Server Error` as plain text. */
export class PlainServerError extends Error {}
