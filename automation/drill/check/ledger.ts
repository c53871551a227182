import { Growing, Paged } from '../columns.ts';
import type { Attempt, LogRecord, Outcome } from '../records.ts';

const flags = { ok: 1, unknown: 2, failed: 4 } as const;
/** Beside these: a consumer was given it. */
const given = 8;

/** What an attempt changed of what is known about its record. */
export interface Change {
  /** Undefined when this was the first that was heard of it. */
  before: Outcome | undefined;
  after: Outcome;
}

/**
 * What clients were told, by record. Columns instead of objects: about 30 bytes a record, and 40 an acknowledgement.
 * A record is called by its number here, in the order in which records were first heard of.
 */
export class Ledger {
  readonly #names: string[] = [];
  readonly #bySeq = new Map<string, { number: number; records: Paged }>();
  readonly #keys = new Map<string, number>();
  readonly #producer = new Paged();
  readonly #seq = new Growing();
  readonly #key = new Paged();
  readonly #told = new Paged();
  /** A bit for each attempt that may have written it, by its number: one that is told of twice was made once. */
  readonly #tries = new Paged();
  /** Of those that were tried again. */
  readonly #proxyRetries = new Paged();
  readonly #issued = new Growing();
  /** Number of the last attempt; most have only the first, which is 0. */
  readonly #last = new Paged();
  /** Of the last attempt where that was not ok: most are. */
  readonly #notOk = new Map<number, Pick<Attempt, 'class' | 'sentMs' | 'endMs'>>();
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
    const before = this.#told.get(record) === 0 ? undefined : this.outcomeOf(record);
    this.#note(record, attempt, before === undefined);
    return { before, after: this.outcomeOf(record) };
  }

  #note(record: number, attempt: Attempt, isFirst: boolean): void {
    this.#told.set(record, this.#told.get(record) | flags[attempt.outcome]);
    // What certainly was not written cannot have made a copy.
    if (attempt.outcome !== 'failed') this.#tries.set(record, this.#tries.get(record) | 1 << Math.min(attempt.attempt, 30));
    const { proxyAttempts } = attempt;
    if (proxyAttempts !== undefined) this.proxySpeaks = true;
    if (proxyAttempts !== undefined && proxyAttempts > 1 && attempt.outcome !== 'failed') this.#proxyRetries.set(record, this.#proxyRetries.get(record) + proxyAttempts - 1);
    if (isFirst || attempt.attempt > this.#last.get(record)) this.#noteLast(record, attempt);
    if (attempt.outcome !== 'ok') return;
    this.acknowledged.record.push(record);
    this.acknowledged.partition.push(attempt.partition ?? -1);
    this.acknowledged.offset.push(attempt.offset ?? -1);
    this.acknowledged.sent.push(attempt.sentMs ?? attempt.issuedMs);
    this.acknowledged.end.push(attempt.endMs);
  }

  #noteLast(record: number, { attempt, outcome, class: name, sentMs, endMs }: Attempt): void {
    if (attempt > 0) this.#last.set(record, attempt);
    if (outcome !== 'ok') this.#notOk.set(record, { class: name, endMs, ...(sentMs === undefined ? {} : { sentMs }) });
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
    const record = this.size;
    known.records.set(seq, record + 1);
    this.#producer.set(record, known.number);
    this.#key.set(record, numberOf(this.#keys, key));
    this.#seq.push(seq);
    this.#issued.push(issuedMs);
    return record;
  }

  /** The number of a record of the log, or -1 if no client ever sent it. */
  find({ producer, seq }: { producer: string; seq: number }): number {
    return (this.#bySeq.get(producer)?.records.get(seq) ?? 0) - 1;
  }

  /** Every record is sent with a key: one without has another. */
  hasKey(record: number, { key }: LogRecord): boolean {
    return key !== undefined && this.#keys.get(key) === this.#key.get(record);
  }

  keyOf(record: number): number {
    return this.#key.get(record);
  }

  producerOf(record: number): number {
    return this.#producer.get(record);
  }

  /** When it was first handed over. */
  issuedOf(record: number): number {
    return this.#issued.at(record);
  }

  /** ok if any of its requests was, else unknown if any was: what a client knows of a record that it sent again. */
  outcomeOf(record: number): Outcome {
    const told = this.#told.get(record);
    return told & flags.ok ? 'ok' : told & flags.unknown ? 'unknown' : 'failed';
  }

  /** Notes that a consumer was given it. Whether that was awaited: it was acknowledged, and nobody had been given it, wherever it lies. All attempts have to be there. */
  give(record: number): boolean {
    const told = this.#told.get(record);
    this.#told.set(record, told | given);
    return (told & (flags.ok | given)) === flags.ok;
  }

  /** How many copies beyond the first clients and proxies may have made. */
  repetitionsOf(record: number): { byClient: number; byProxy: number } {
    return { byClient: Math.max(0, bitsIn(this.#tries.get(record)) - 1), byProxy: this.#proxyRetries.get(record) };
  }

  /** Every record that is not ok, with the class and the times of its last attempt. */
  * notOk(): Generator<{ record: number; producer: string; outcome: Exclude<Outcome, 'ok'>; class: string; issuedMs: number; sentMs?: number; endMs: number }> {
    for (let record = 0; record < this.size; record += 1) {
      const outcome = this.outcomeOf(record);
      if (outcome === 'ok') continue;
      const last = this.#notOk.get(record) ?? { class: '', endMs: this.#issued.at(record) };
      yield { ...last, record, outcome, producer: this.#names[this.#producer.get(record)] ?? '', issuedMs: this.#issued.at(record) };
    }
  }

  nameOf(record: number): string {
    return `${this.#names[this.#producer.get(record)] ?? '?'}/${this.#seq.at(record)}`;
  }

  /**
   * Records that were handed over before the one that stands before them in their producer's sequence. A producer
   * numbers them as it hands them over, so its clock went back.
   */
  issuedBackwards(): number[] {
    const backwards: number[] = [];
    for (const { records } of this.#bySeq.values()) {
      let last = -Infinity;
      records.forEach((_, number) => {
        const issued = this.#issued.at(number - 1);
        if (issued < last) backwards.push(number - 1);
        last = issued;
      });
    }
    return backwards;
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
