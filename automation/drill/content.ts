import { Buffer } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { crc32 } from 'node:zlib';

import type { LoadPlan, Plan } from './plan.ts';
import { draws } from './random.ts';
import type { Draw } from './random.ts';
import type { RecordId } from './records.ts';

/** How a record's bytes travel over HTTP. In the log they are the same JSON text either way. */
export type Format = LoadPlan['format'];

/** What the content of a load follows from. */
export type ContentPlan = Pick<Plan, 'run' | 'keys' | 'seed'> & { load: Pick<LoadPlan, 'keyDistribution' | 'payloadBytes' | 'format'> };

export interface Content {
  /** The media type that says the format. */
  type: string;
  keyOf(id: Pick<RecordId, 'producer' | 'seq'>): string;
  /** The body of a request that writes this one record. */
  bodyOf(id: RecordId): string;
  /** Whether a record that carries an id of this run has another key or value than was sent with it. The order of fields, and spaces between them, are the Bridge's affair. */
  isAltered(id: RecordId, key: unknown, value: unknown): boolean;
}

/** What the records of a load look like. A function of seed, producer and sequence alone: the same options give the same records. */
export function contentOf({ run, keys, seed, load: { keyDistribution, payloadBytes, format } }: ContentPlan): Content {
  const numberOf = keyDistribution === 'uniform' ? ({ seq }: Pick<RecordId, 'seq'>): number => seq % keys : zipf(keys, seed);
  const keyOf = (id: Pick<RecordId, 'producer' | 'seq'>): string => `k${numberOf(id)}`;
  const padOf = padding(payloadBytes, seed);
  return {
    type: mediaType(format),
    keyOf,
    bodyOf(id) {
      const key = JSON.stringify(keyOf(id));
      const value = JSON.stringify({ ...id, pad: padOf(id) });
      return format === 'json' ? `{"records":[{"key":${key},"value":${value}}]}` : `{"records":[{"key":"${base64(key)}","value":"${base64(value)}"}]}`;
    },
    isAltered(id, key, value) {
      if (id.run !== run) return false;
      const pad = padOf(id);
      const isWhole = value === id ? pad === undefined : isDeepStrictEqual(value, pad === undefined ? id : { ...id, pad });
      return !isWhole || key !== keyOf(id);
    },
  };
}

/** The Bridge's media type for records in that format. */
export function mediaType(format: Format): string {
  return `application/vnd.kafka.${format}.v2+json`;
}

/** The key or value of a record that was given in that format, as it was written; undefined where it is no JSON text. */
export function readJson(format: Format, value: unknown): unknown {
  if (format === 'json') return value;
  try {
    return JSON.parse(Buffer.from(String(value), 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The exponent that YCSB draws its keys with: of 60 keys the first has a fifth. */
const exponent = 0.99;

/** A key number for each record: the k-th with a weight of 1/k^exponent. Each producer has draws of its own. */
function zipf(keys: number, seed: number): (id: Pick<RecordId, 'producer' | 'seq'>) => number {
  const byProducer = new Map<string, Draw>();
  const upTo = new Float64Array(keys);
  let sum = 0;
  for (let key = 0; key < keys; key += 1) {
    sum += 1 / (key + 1) ** exponent;
    upTo[key] = sum;
  }
  return ({ producer, seq }) => {
    let draw = byProducer.get(producer);
    if (draw === undefined) byProducer.set(producer, draw = draws(seed ^ crc32(producer)));
    return firstAbove(upTo, draw(seq) * sum);
  };
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

/** The random letters that fill a record's value up to `bytes`, in a field of its own; undefined where there is no room for any. Ids are ASCII: a character is a byte. */
function padding(bytes: number, seed: number): (id: RecordId) => string | undefined {
  if (bytes === 0) return () => undefined;
  const draw = draws(seed + 1);
  const letters = Array.from({ length: bytes + begins }, (_, i) => alphabet[Math.floor(draw(i) * alphabet.length)]).join('');
  return (id) => {
    const missing = bytes - JSON.stringify(id).length - padField;
    if (missing < 0) return undefined;
    const begin = id.seq % begins;
    return letters.slice(begin, begin + missing);
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
