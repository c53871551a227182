import { bytes, floats, ints, Paged } from '../columns.ts';
import type { Attempt, LogRecord } from '../records.ts';

const flags = { ok: 1, unknown: 2, failed: 4 } as const;

/**
 * What clients were told, by record. Columns instead of objects: about 60 bytes a record and 32 an acknowledgement.
 * A record is called by its number here, in the order in which records were first heard of.
 */
export class Ledger {
  readonly #names: string[] = [];
  readonly #bySeq = new Map<string, { number: number; records: Paged }>();
  readonly #keys = new Map<string, number>();
  readonly #producer = ints();
  readonly #seq = floats();
  readonly #key = ints();
  readonly #told = bytes();
  readonly #tries = ints();
  readonly #proxyRetries = ints();
  readonly #issued = floats();
  /** Whether any proxy said how often it tried. */
  proxySpeaks = false;
  /** Every acknowledgement, in the order of the file. */
  readonly acknowledged = { record: ints(), partition: ints(), offset: floats(), sent: floats(), end: floats() };

  get size(): number {
    return this.#seq.length;
  }

  get keys(): number {
    return this.#keys.size;
  }

  add(attempt: Attempt): void {
    const record = this.#numberOf(attempt);
    this.#told.set(record, this.#told.at(record) | flags[attempt.outcome]);
    // What certainly was not written cannot have made a copy.
    if (attempt.outcome !== 'failed') this.#tries.set(record, this.#tries.at(record) + 1);
    if (attempt.proxyAttempts !== undefined) this.proxySpeaks = true;
    if (attempt.outcome !== 'failed') this.#proxyRetries.set(record, this.#proxyRetries.at(record) + Math.max(0, (attempt.proxyAttempts ?? 1) - 1));
    if (attempt.outcome !== 'ok') return;
    this.acknowledged.record.push(record);
    this.acknowledged.partition.push(attempt.partition ?? -1);
    this.acknowledged.offset.push(attempt.offset ?? -1);
    this.acknowledged.sent.push(attempt.sentMs ?? attempt.issuedMs);
    this.acknowledged.end.push(attempt.endMs);
  }

  #numberOf({ producer, seq, key, issuedMs }: Attempt): number {
    let known = this.#bySeq.get(producer);
    if (known === undefined) {
      this.#bySeq.set(producer, known = { number: this.#names.length, records: new Paged() });
      this.#names.push(producer);
    }
    const found = known.records.get(seq) - 1;
    if (found >= 0) {
      // The file is in the order of ends: a repetition may stand above the request that it repeats.
      this.#issued.set(found, Math.min(this.#issued.at(found), issuedMs));
      return found;
    }
    known.records.set(seq, this.size + 1);
    this.#producer.push(known.number);
    this.#seq.push(seq);
    this.#key.push(this.#numberOfKey(key));
    this.#told.push(0);
    this.#tries.push(0);
    this.#proxyRetries.push(0);
    this.#issued.push(issuedMs);
    return this.size - 1;
  }

  #numberOfKey(key: string): number {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    this.#keys.set(key, this.#keys.size);
    return this.#keys.size - 1;
  }

  /** The number of a record of the log, or -1 if no client ever sent it. */
  find({ producer, seq }: { producer: string; seq: number }): number {
    return (this.#bySeq.get(producer)?.records.get(seq) ?? 0) - 1;
  }

  hasKey(record: number, { key }: LogRecord): boolean {
    return key === undefined || this.#keys.get(key) === this.#key.at(record);
  }

  keyOf(record: number): number {
    return this.#key.at(record);
  }

  /** ok if any of its requests was, else unknown if any was: what a client knows of a record that it sent again. */
  outcomeOf(record: number): 'ok' | 'unknown' | 'failed' {
    const told = this.#told.at(record);
    return told & flags.ok ? 'ok' : told & flags.unknown ? 'unknown' : 'failed';
  }

  /** How many copies beyond the first clients and proxies may have made. */
  repetitionsOf(record: number): { byClient: number; byProxy: number } {
    return { byClient: Math.max(0, this.#tries.at(record) - 1), byProxy: this.#proxyRetries.at(record) };
  }

  nameOf(record: number): string {
    return `${this.#names[this.#producer.at(record)] ?? '?'}/${this.#seq.at(record)}`;
  }

  /**
   * Records that were handed over before the one that stands before them in their producer's sequence. A producer
   * numbers them as it hands them over, so its clock went back.
   */
  * issuedBackwards(): Generator<number> {
    for (const { records } of this.#bySeq.values()) {
      let last = -Infinity;
      for (const [, number] of records.entries()) {
        const issued = this.#issued.at(number - 1);
        if (issued < last) yield number - 1;
        last = issued;
      }
    }
  }
}
