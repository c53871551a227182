/**
 * What a drill stores while it runs, one JSON object a line, before anything is judged. Times ending in `Ms` are
 * milliseconds of the driver's monotonic clock since the drill began; workers set theirs by it (workers/ahead.ts).
 */

/** ok: in the log for all we were told. failed: certainly not written. unknown: either. */
export const outcomes = ['ok', 'failed', 'unknown'] as const;
export type Outcome = (typeof outcomes)[number];

/** What a record carries, as its value: enough to find it again wherever it turns up. */
export interface RecordId {
  run: string;
  producer: string;
  seq: number;
}

/** One request to write one record; a record that its client sent again has several, with the same producer and seq. */
export interface Attempt {
  producer: string;
  seq: number;
  /** 0 the first time, then counting what its client sent again. */
  attempt: number;
  key: string;
  /** When the schedule wanted it sent; latency counts from here. */
  intendedMs: number;
  /** When the generator handed it over; later than `intendedMs` is the generator's own lateness. */
  issuedMs: number;
  /** When a connection took it; absent if none ever did. */
  sentMs?: number;
  endMs: number;
  status?: number;
  outcome: Outcome;
  /** `ok`, or why not; see outcome.ts. */
  class: string;
  partition?: number;
  offset?: number;
  /** The region whose bridge answered, by the gateways' response headers. */
  region?: string;
  /** How often proxies on the way tried, where they say so. */
  proxyAttempts?: number;
}

/** One record as a consumer was given it. */
export interface Delivery {
  consumer: number;
  /** Name of the consumer instance on its bridge. */
  instance: string;
  /** When the poll that gave it was sent. */
  askedMs?: number;
  tMs: number;
  partition: number;
  offset: number;
  /** Absent when the record is not one of a drill's. */
  id?: RecordId;
  /** Its key or value is not what this drill sent with that id. */
  altered?: true;
}

/** A position that a consumer committed for its group: it was told so (204), or nobody told it anything. One that was refused is not stored. */
export interface Commit {
  consumer: number;
  instance: string;
  /** When the answer came; of one without, when it was asked for. */
  tMs: number;
  partition: number;
  /** The offset to read next. */
  offset: number;
  /** It may have been carried out, or may yet be: what a black hole held back arrives when that is over. */
  unanswered?: true;
}

/** One record as it lies in the log. */
export interface LogRecord {
  partition: number;
  offset: number;
  key?: string;
  /** Absent when the record is not one of a drill's. */
  id?: RecordId;
  /** Its key or value is not what this drill sent with that id. */
  altered?: true;
}

/** The identity inside a record's value, or undefined when the value is something else. */
export function recordId(value: unknown): RecordId | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { run, producer, seq } = value as Partial<RecordId>;
  if (typeof run !== 'string' || typeof producer !== 'string' || typeof seq !== 'number') return undefined;
  return { run, producer, seq };
}
