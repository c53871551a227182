import { Growing, Paged } from '../columns.ts';
import type { Attempt, LogRecord, Outcome } from '../records.ts';

const flags = { ok: 1, unknown: 2, failed: 4 } as const;

/** What an attempt changed of what is known about its record. */
export interface Change {
  /** Undefined when this was the first that was heard of it. */
  before: Outcome | undefined;
  after: Outcome;
}

/**
 * What clients were told, by record. Columns instead of objects: about 25 bytes a record, and as much an acknowledgement.
 * A record is called by its number here, in the order in which records were first heard of.
 */
export class Ledger {
  readonly #names: string[] = [];
  readonly #bySeq = new Map<string, { number: number; records: Paged }>();
  readonly #keys = new Map<string, number>();
  readonly #classes = new Map<string, number>();
  readonly #producer = new Growing();
  readonly #seq = new Growing();
  readonly #key = new Growing();
  readonly #told = new Growing();
  /** A bit for each attempt that may have written it, by its number: one that is told of twice was made once. */
  readonly #tries = new Growing();
  readonly #proxyRetries = new Growing();
  readonly #issued = new Growing();
  /** Of the last attempt: its number + 1, and its class. */
  readonly #last = new Growing();
  readonly #class = new Growing();
  /** Of the last attempt where that was not ok: most are. */
  readonly #notOk = new Map<number, Pick<Attempt, 'sentMs' | 'endMs'>>();
  /** Whether any proxy said how often it tried. */
  proxySpeaks = false;
  /** Every acknowledgement, in the order of the file. */
  readonly acknowledged = { record: new Growing(), partition: new Growing(), offset: new Growing(), sent: new Growing(), end: new Growing() };

  get size(): number {
    return this.#seq.length;
  }

  get keys(): number {
    return this.#keys.size;
  }

  get producers(): number {
    return this.#names.length;
  }

  add(attempt: Attempt): Change {
    const record = this.#numberOf(attempt);
    const before = this.#told.at(record) === 0 ? undefined : this.outcomeOf(record);
    this.#note(record, attempt);
    return { before, after: this.outcomeOf(record) };
  }

  #note(record: number, attempt: Attempt): void {
    this.#told.set(record, this.#told.at(record) | flags[attempt.outcome]);
    // What certainly was not written cannot have made a copy.
    if (attempt.outcome !== 'failed') this.#tries.set(record, this.#tries.at(record) | 1 << Math.min(attempt.attempt, 30));
    if (attempt.proxyAttempts !== undefined) this.proxySpeaks = true;
    if (attempt.outcome !== 'failed') this.#proxyRetries.set(record, this.#proxyRetries.at(record) + Math.max(0, (attempt.proxyAttempts ?? 1) - 1));
    if (attempt.attempt >= this.#last.at(record)) {
      this.#last.set(record, attempt.attempt + 1);
      this.#class.set(record, numberOf(this.#classes, attempt.class));
      if (attempt.outcome !== 'ok') this.#notOk.set(record, attempt.sentMs === undefined ? { endMs: attempt.endMs } : { sentMs: attempt.sentMs, endMs: attempt.endMs });
    }
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
    this.#key.push(numberOf(this.#keys, key));
    this.#told.push(0);
    this.#tries.push(0);
    this.#proxyRetries.push(0);
    this.#issued.push(issuedMs);
    this.#last.push(0);
    this.#class.push(0);
    return this.size - 1;
  }

  /** The number of a record of the log, or -1 if no client ever sent it. */
  find({ producer, seq }: { producer: string; seq: number }): number {
    return (this.#bySeq.get(producer)?.records.get(seq) ?? 0) - 1;
  }

  /** Every record is sent with a key: one without has another. */
  hasKey(record: number, { key }: LogRecord): boolean {
    return key !== undefined && this.#keys.get(key) === this.#key.at(record);
  }

  keyOf(record: number): number {
    return this.#key.at(record);
  }

  producerOf(record: number): number {
    return this.#producer.at(record);
  }

  /** When it was first handed over. */
  issuedOf(record: number): number {
    return this.#issued.at(record);
  }

  /** ok if any of its requests was, else unknown if any was: what a client knows of a record that it sent again. */
  outcomeOf(record: number): Outcome {
    const told = this.#told.at(record);
    return told & flags.ok ? 'ok' : told & flags.unknown ? 'unknown' : 'failed';
  }

  /** How many copies beyond the first clients and proxies may have made. */
  repetitionsOf(record: number): { byClient: number; byProxy: number } {
    return { byClient: Math.max(0, bitsIn(this.#tries.at(record)) - 1), byProxy: this.#proxyRetries.at(record) };
  }

  /** Every record that is not ok, with the class and the times of its last attempt. */
  * notOk(): Generator<{ record: number; producer: string; outcome: Exclude<Outcome, 'ok'>; class: string; issuedMs: number; sentMs?: number; endMs: number }> {
    const classes = [...this.#classes.keys()];
    for (let record = 0; record < this.size; record += 1) {
      const outcome = this.outcomeOf(record);
      if (outcome === 'ok') continue;
      const times = this.#notOk.get(record) ?? { endMs: this.#issued.at(record) };
      yield { ...times, record, outcome, producer: this.#names[this.#producer.at(record)] ?? '', class: classes[this.#class.at(record)] ?? '', issuedMs: this.#issued.at(record) };
    }
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

function bitsIn(number: number): number {
  let count = 0;
  for (let rest = number; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

function numberOf(names: Map<string, number>, name: string): number {
  let number = names.get(name);
  if (number === undefined) names.set(name, number = names.size);
  return number;
}
