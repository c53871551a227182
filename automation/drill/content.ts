import { Buffer } from 'node:buffer';

import type { LoadPlan } from './plan.ts';
import { draws } from './random.ts';
import type { RecordId } from './records.ts';

/** How a record's bytes travel over HTTP. In the log they are the same JSON text either way. */
export type Format = LoadPlan['format'];

export interface ContentOptions extends Pick<LoadPlan, 'keyDistribution' | 'payloadBytes' | 'format'> {
  /** Number of different keys. */
  keys: number;
  seed: number;
}

export interface Content {
  /** The media type that says the format. */
  type: string;
  keyOf(seq: number): string;
  /** The body of a request that writes this one record. */
  bodyOf(id: RecordId): string;
}

/** What the records of a load look like. A function of seed and sequence alone: the same options give the same records. */
export function contentOf({ keys, keyDistribution, payloadBytes, format, seed }: ContentOptions): Content {
  const keyNumber = keyDistribution === 'uniform' ? (seq: number): number => seq % keys : zipf(keys, seed);
  const keyOf = (seq: number): string => `k${keyNumber(seq)}`;
  const pad = padding(payloadBytes, seed);
  return {
    type: mediaType(format),
    keyOf,
    bodyOf(id) {
      const key = JSON.stringify(keyOf(id.seq));
      const value = pad(JSON.stringify(id), id.seq);
      return format === 'json' ? `{"records":[{"key":${key},"value":${value}}]}` : `{"records":[{"key":"${base64(key)}","value":"${base64(value)}"}]}`;
    },
  };
}

/** The Bridge's media type for records in that format. */
export function mediaType(format: Format): string {
  return `application/vnd.kafka.${format}.v2+json`;
}

/** The value of a record that was given in that format, as it was written; undefined where it is no JSON text. */
export function readValue(format: Format, value: unknown): unknown {
  if (format === 'json') return value;
  try {
    return JSON.parse(Buffer.from(String(value), 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The exponent that YCSB draws its keys with: of 60 keys the first has a fifth. */
const exponent = 0.99;

/** A key number for each sequence: the k-th with a weight of 1/k^exponent. */
function zipf(keys: number, seed: number): (seq: number) => number {
  const draw = draws(seed);
  const upTo = new Float64Array(keys);
  let sum = 0;
  for (let key = 0; key < keys; key += 1) {
    sum += 1 / (key + 1) ** exponent;
    upTo[key] = sum;
  }
  return (seq) => firstAbove(upTo, draw(seq) * sum);
}

/** Index of the first of the rising values that is above `limit`. */
function firstAbove(values: Float64Array, limit: number): number {
  let from = 0;
  let to = values.length - 1;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((values[middle] ?? 0) > limit) to = middle;
    else from = middle + 1;
  }
  return from;
}

const padField = ',"pad":""'.length;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Padding begins at another of so many places for each record, so that a batch of records does not compress to one of them. */
const begins = 1024;

/** Adds a field of random letters to a JSON object, up to `bytes` in all. Ids are ASCII: a character is a byte. */
function padding(bytes: number, seed: number): (id: string, seq: number) => string {
  const draw = draws(seed + 1);
  const letters = bytes === 0 ? '' : Array.from({ length: bytes + begins }, (_, i) => alphabet[Math.floor(draw(i) * alphabet.length)]).join('');
  return (id, seq) => {
    const missing = bytes - id.length - padField;
    if (missing < 0) return id;
    const begin = seq % begins;
    return `${id.slice(0, -1)},"pad":"${letters.slice(begin, begin + missing)}"}`;
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
