import type { Schema } from './schema.ts';

/** Media types of the Bridge's API. */
export const mediaTypes = {
  kafka: 'application/vnd.kafka.v2+json',
  json: 'application/vnd.kafka.json.v2+json',
  binary: 'application/vnd.kafka.binary.v2+json',
  text: 'application/vnd.kafka.text.v2+json',
  plainJson: 'application/json',
} as const;

/** One operation of the Bridge's OpenAPI document (1.1.0): what a request must look like. */
export interface Operation {
  readonly id: OperationId;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `{name}` stands for one segment. */
  readonly path: string;
  /** `holdsRecords`: what is in it goes on to Kafka as it came. */
  readonly body?: { readonly required: boolean; readonly types: readonly string[]; readonly schema: Schema; readonly holdsRecords: boolean };
  readonly query?: Readonly<Record<string, 'boolean' | 'integer'>>;
  /** Served on the management port (8081), not on the API port. */
  readonly management?: true;
}

export type OperationId =
  | 'send' | 'sendToPartition'
  | 'createConsumer' | 'deleteConsumer' | 'subscribe' | 'unsubscribe' | 'listSubscriptions' | 'assign' | 'poll' | 'commit'
  | 'seek' | 'seekToBeginning' | 'seekToEnd'
  | 'listTopics' | 'getTopic' | 'listPartitions' | 'getPartition' | 'getOffsets' | 'createTopic'
  | 'info' | 'openapi' | 'openapiv3' | 'healthy' | 'ready' | 'metrics';

const string: Schema = { type: 'string' };
const integer: Schema = { type: 'integer' };
const object = (properties: Record<string, Schema>, required: string[] = []): Schema => ({ type: 'object', properties, required, additionalProperties: false });
const list = (items: Schema): Schema => ({ type: 'array', items });

const key: Schema = { oneOf: [{ type: 'array' }, { type: 'object' }, string] };
const value: Schema = { oneOf: [{ type: 'array' }, { type: 'object' }, string, { type: 'null' }] };
const headers = list({ type: 'object', required: ['key', 'value'], properties: { key: string, value: string } });
const record = object({ value, key, partition: integer, timestamp: integer, headers }, ['value']);
const recordToPartition = object({ value, key, headers }, ['value']);
const offset = object({ topic: string, partition: integer, offset: integer }, ['topic', 'partition', 'offset']);
const offsets = object({ offsets: list(offset) });
const partitions = object({ partitions: list(object({ topic: string, partition: integer })) });
const consumer = object({
  name: string, format: string, 'auto.offset.reset': string, 'fetch.min.bytes': integer,
  'consumer.request.timeout.ms': integer, 'enable.auto.commit': { type: 'boolean' }, 'isolation.level': string,
});
const newTopic = object({ topic_name: string, partitions_count: { type: ['integer', 'null'] }, replication_factor: { type: ['integer', 'null'] } }, ['topic_name']);

const embedded = [mediaTypes.json, mediaTypes.binary, mediaTypes.text];
const body = (schema: Schema, types: readonly string[] = [mediaTypes.kafka], required = true) => ({ required, types, schema, holdsRecords: types === embedded });
const instance = '/consumers/{groupid}/instances/{name}';
const partition = '/topics/{topicname}/partitions/{partitionid}';

export const operations: readonly Operation[] = [
  { id: 'send', method: 'POST', path: '/topics/{topicname}', body: body(object({ records: list(record) }), embedded), query: { async: 'boolean' } },
  { id: 'sendToPartition', method: 'POST', path: partition, body: body(object({ records: list(recordToPartition) }), embedded), query: { async: 'boolean' } },
  { id: 'createConsumer', method: 'POST', path: '/consumers/{groupid}', body: body(consumer, undefined, false) },
  { id: 'deleteConsumer', method: 'DELETE', path: instance },
  { id: 'subscribe', method: 'POST', path: `${instance}/subscription`, body: body(object({ topics: list(string), topic_pattern: string })) },
  { id: 'unsubscribe', method: 'DELETE', path: `${instance}/subscription` },
  { id: 'listSubscriptions', method: 'GET', path: `${instance}/subscription` },
  { id: 'assign', method: 'POST', path: `${instance}/assignments`, body: body(partitions) },
  { id: 'poll', method: 'GET', path: `${instance}/records`, query: { timeout: 'integer', max_bytes: 'integer' } },
  { id: 'commit', method: 'POST', path: `${instance}/offsets`, body: body(offsets, undefined, false) },
  { id: 'seek', method: 'POST', path: `${instance}/positions`, body: body(offsets) },
  { id: 'seekToBeginning', method: 'POST', path: `${instance}/positions/beginning`, body: body(partitions) },
  { id: 'seekToEnd', method: 'POST', path: `${instance}/positions/end`, body: body(partitions) },
  { id: 'listTopics', method: 'GET', path: '/topics' },
  { id: 'getTopic', method: 'GET', path: '/topics/{topicname}' },
  { id: 'listPartitions', method: 'GET', path: '/topics/{topicname}/partitions' },
  { id: 'getPartition', method: 'GET', path: partition },
  { id: 'getOffsets', method: 'GET', path: `${partition}/offsets` },
  { id: 'createTopic', method: 'POST', path: '/admin/topics', body: body(newTopic, [mediaTypes.json]) },
  { id: 'info', method: 'GET', path: '/' },
  { id: 'openapi', method: 'GET', path: '/openapi' },
  { id: 'openapiv3', method: 'GET', path: '/openapi/v3' },
  { id: 'healthy', method: 'GET', path: '/healthy', management: true },
  { id: 'ready', method: 'GET', path: '/ready', management: true },
  { id: 'metrics', method: 'GET', path: '/metrics', management: true },
];

/** What `/openapi` answers: which operations there are, and where; the official document says of each what it takes and answers as well. */
export const openApi = {
  openapi: '3.1.0',
  info: { title: 'Strimzi Kafka Bridge API, as the reference bridge serves it', version: '1.1.0' },
  paths: Object.fromEntries([...Map.groupBy(operations, (operation) => operation.path)].map(([path, each]) => [
    path, Object.fromEntries(each.map(({ id, method }) => [method.toLowerCase(), { operationId: id, responses: {} }])),
  ])),
};
