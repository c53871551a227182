import { messageOf } from '../../errors.ts';
import { HttpError } from './errors.ts';
import { parseJson } from './json.ts';
import { mediaTypes } from './operations.ts';

/** How keys and values are embedded in a request or an answer. */
export type Format = 'json' | 'binary' | 'text';

/** One record on its way to Kafka. `timestamp` is in ms since the epoch. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number | undefined;
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
  readonly headers: readonly (readonly [string, Buffer])[];
  readonly timestamp: bigint | undefined;
}

/** One record as it was read from Kafka. */
export interface IncomingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
}

/** The format that a media type stands for, exactly as written; `undefined` for any other. */
export function formatOf(mediaType: string | undefined): Format | undefined {
  return (['json', 'binary', 'text'] as const).find((format) => mediaTypes[format] === mediaType);
}

interface RecordBody { key?: unknown; value: unknown; partition?: unknown; timestamp?: unknown; headers?: { key: string; value: string }[] }

/**
 * The records of a produce request whose body passed the schema.
 * @throws HttpError 422 with the original's text for what the schema lets through and the conversion does not
 */
export function toRecords(topic: string, partition: number | undefined, format: Format, body: unknown): OutgoingRecord[] {
  const { records } = body as { records?: RecordBody[] };
  if (records === undefined) {
    throw new HttpError(422, 'Cannot invoke "com.fasterxml.jackson.databind.node.ArrayNode.iterator()" because "jsonArray" is null');
  }
  return records.map((record) => toRecord(topic, partition, format, record));
}

function toRecord(topic: string, partition: number | undefined, format: Format, record: RecordBody): OutgoingRecord {
  const chosen = partition ?? (record.partition === undefined ? undefined : integer(record.partition));
  const timestamp = record.timestamp === undefined ? undefined : BigInt(integer(record.timestamp));
  const outgoing = {
    topic,
    partition: chosen,
    key: 'key' in record ? encode(format, record.key, 'key') : undefined,
    value: encode(format, record.value, 'value'),
    headers: (record.headers ?? []).map(({ key, value }) => [key, decodeBase64(value)] as const),
    timestamp,
  };
  if (timestamp !== undefined && timestamp < 0n) throw new HttpError(422, `Invalid timestamp: ${String(timestamp)}. Timestamp should always be non-negative or null.`);
  if (chosen !== undefined && chosen < 0) throw new HttpError(422, `Invalid partition: ${String(chosen)}. Partition number should always be non-negative or null.`);
  return outgoing;
}

const integer = (value: unknown): number => Number(JSON.stringify(value));

function encode(format: Format, value: unknown, what: 'key' | 'value'): Buffer {
  if (format === 'json') return Buffer.from(JSON.stringify(value));
  if (format === 'binary') return decodeBase64(asText(value));
  if (typeof value !== 'string') throw new HttpError(422, `Because the embedded format is 'text', the ${what} must be a string`);
  return Buffer.from(value);
}

// Jackson's asText(): what the Bridge decodes when a binary value is no string. So null becomes the bytes of "null" decoded.
const asText = (value: unknown): string => (typeof value === 'string' ? value : value === null ? 'null' : '');

function decodeBase64(text: string): Buffer {
  const illegal = /[^A-Za-z0-9+/=]/.exec(text)?.[0];
  if (illegal !== undefined) throw new HttpError(422, `Illegal base64 character ${illegal.charCodeAt(0).toString(16)}`);
  const digits = text.replace(/={1,2}$/, '');
  if (digits.includes('=')) throw new HttpError(422, 'Input byte array has incorrect ending byte at ' + String(digits.indexOf('=') + 1));
  if (digits.length % 4 === 1) throw new HttpError(422, 'Last unit does not have enough valid bits');
  if (text.length > digits.length && text.length % 4 !== 0) throw new HttpError(422, 'Input byte array has wrong 4-byte ending unit');
  return Buffer.from(digits, 'base64');
}

/**
 * The body of a poll's answer.
 * @throws HttpError 406 when a record is not JSON and the consumer's format is: the Bridge then gives up the whole batch
 */
export function fromRecords(format: Format, records: readonly IncomingRecord[]): Buffer {
  return Buffer.from(JSON.stringify(records.map((record) => ({
    topic: record.topic,
    key: record.key === null ? null : decode(format, record.key),
    value: record.value === null ? null : decode(format, record.value),
    partition: record.partition,
    offset: Number(record.offset),
    timestamp: Number(record.timestamp),
    ...(record.headers.length === 0 ? {} : { headers: record.headers.map(([key, value]) => ({ key: key?.toString('utf8') ?? '', value: value?.toString('base64') ?? null })) }),
  }))));
}

function decode(format: Format, bytes: Buffer): unknown {
  if (format === 'binary') return bytes.toString('base64');
  if (format === 'text') return bytes.toString('utf8');
  try {
    return parseJson(bytes.toString('utf8'));
  } catch (error) {
    throw new HttpError(406, `Failed to decode:${messageOf(error)}`);
  }
}
