import { Consumption } from './check/consumption.ts';
import type { ConsumeFindings } from './check/consumption.ts';
import { Evidence, Examples } from './check/evidence.ts';
import { Ledger } from './check/ledger.ts';
import type { Change } from './check/ledger.ts';
import { reordered } from './check/order.ts';
import type { Untold } from './check/order.ts';
import { foreign, Places, placeOf } from './check/places.ts';
import type { ConsumersPlan } from './plan.ts';
import type { Attempt, Commit, Delivery, LogRecord, RecordId } from './records.ts';

export type { ConsumeFindings } from './check/consumption.ts';

export interface LogFindings {
  /** Acknowledged, and nowhere in the log. */
  ackedLost: number;
  /** Acknowledged at a place where the log holds something else, two records at one place, a consumer was given another record than the log holds there, or another key or value than was sent with it. */
  offsetMismatch: number;
  /** In the log, but never sent, sent with another key or value, or answered in a way that says it was not written. */
  phantom: number;
  /** Sent after another record of its key was answered, yet below it in the same partition. Absent when the clock went back. */
  reordered?: number;
  /** In the log though its client was never told so. */
  unackedPresent: number;
  /** Copies beyond the first, by cause. `proxyRetry` is absent where no proxy said how often it tried. */
  duplicates: { clientRetry: number; proxyRetry?: number; unexplained: number };
}

export interface Findings {
  log: LogFindings;
  consume: ConsumeFindings;
  /** Times that contradict each other: the clock that all times were taken from went back, or ahead between a producer and a consumer. */
  clockJumps: number;
  /** Up to 20 records for each finding, by the name that its objective has. */
  evidence: Record<string, string[]>;
}

/** What a checker has to know of a run besides its lines. */
export interface Circumstances {
  /** It was ended early, so that requests may not have been told of, and records may have been written and given after the log was read. Default: it was not. */
  isCut?: boolean;
  /** Whether consumers are members of a group (the default), or have partitions of their own. */
  mode?: ConsumersPlan['mode'];
  /** How far the producers' clocks may be off that of the consumers, ms. Default 0. */
  clocksMs?: number;
}

/** A stored run as far as its data goes. */
export interface History extends Circumstances {
  run: string;
  attempts: Iterable<Attempt>;
  log: Iterable<LogRecord>;
  commits?: Iterable<Commit>;
  deliveries: Iterable<Delivery>;
  /** First offset the group would read next, by partition, as Kafka says; what lies below was to be delivered. */
  committed?: Readonly<Record<number, number>>;
  /** What was answered, by partition, where what consumers had been given could not be committed at the end. Absent where they did not try. */
  notCommitted?: Readonly<Record<number, string>>;
}

/** What happened to the data, from what clients were told, what the log holds and what consumers were given. Pure. */
export function check(history: History): Findings {
  const checker = new Checker(history.run, history);
  for (const attempt of history.attempts) checker.attempt(attempt);
  for (const record of history.log) checker.logged(record);
  for (const commit of history.commits ?? []) checker.committed(commit);
  for (const delivery of history.deliveries) checker.delivered(delivery);
  return checker.findings(history.committed, history.notCommitted);
}

/**
 * The same, fed line by line: first every attempt, then the log, the commits and the deliveries, each in the order of its file.
 * Unknown outcomes are never counted as lost or as written. docs/verdict.md says where each rule comes from.
 */
export class Checker {
  readonly #run: string;
  readonly #isCut: boolean;
  readonly #clocksMs: number;
  readonly #evidence = new Evidence();
  readonly ledger = new Ledger();
  readonly #places = new Places();
  readonly #consumption: Consumption;
  #offsetMismatch = 0;
  #phantom = 0;
  #clockJumps = 0;
  /** Records that do not lie where they were said to be, but elsewhere. */
  readonly #misplaced = new Set<number>();
  /** When each instance was given something last. */
  readonly #lastGiven = new Map<string, number>();

  constructor(run: string, { isCut = false, mode = 'subscribe', clocksMs = 0 }: Circumstances = {}) {
    this.#run = run;
    this.#isCut = isCut;
    this.#clocksMs = clocksMs;
    this.#consumption = new Consumption(this.#places, this.#evidence, mode);
  }

  /** Those that hold records. */
  get partitions(): Iterable<number> {
    return this.#places.partitions;
  }

  attempt(attempt: Attempt): Change {
    const { issuedMs, sentMs = issuedMs, endMs, producer, seq } = attempt;
    if (sentMs < issuedMs || endMs < sentMs) this.#clockWentBack(`${producer}/${seq} was handed over at ${issuedMs} ms, sent at ${sentMs}, answered at ${endMs}`);
    return this.ledger.add(attempt);
  }

  /** Compared as it comes. */
  logged(record: LogRecord): void {
    const { id } = record;
    const number = this.#numberOf(id);
    if (!this.#places.put(record, number)) {
      this.#offsetMismatch += 1;
      this.#evidence.note('log.offsetMismatch', `two records at ${placeOf(record)}`);
    }
    const hasKey = number >= 0 && this.ledger.hasKey(number, record);
    if (hasKey && record.altered !== true) return;
    if (this.#isCut && number < 0 && id?.run === this.#run) return;
    this.#phantom += 1;
    this.#evidence.note('log.phantom', hasKey ? `${this.ledger.nameOf(number)} at ${placeOf(record)} has another value than it was sent with`
      : number >= 0 ? `${this.ledger.nameOf(number)} at ${placeOf(record)} has ${record.key === undefined ? 'no key' : `the key ${record.key}`}, with which it was not sent`
      : id?.run === this.#run ? `${id.producer}/${id.seq} at ${placeOf(record)}, never sent` : `a record of another origin at ${placeOf(record)}`);
  }

  committed(commit: Commit): void {
    this.#consumption.commit(commit);
  }

  /** Whether what was fed of the log holds what was given there, as it was sent: then nothing that is fed later changes what is made of the delivery. */
  isLogged(delivery: Delivery): boolean {
    return delivery.altered !== true && this.#places.at(delivery) === this.#numberOf(delivery.id);
  }

  /** Whether this was the first time that a consumer was given the record there. */
  delivered(delivery: Delivery): boolean {
    const { id, tMs, askedMs = tMs } = delivery;
    if (tMs < askedMs) this.#clockWentBack(`${placeOf(delivery)} was asked for at ${askedMs} ms and given at ${tMs}`);
    // A consumer asks again only when it was answered.
    const last = this.#lastGiven.get(delivery.instance) ?? tMs;
    if (tMs < last) this.#clockWentBack(`${placeOf(delivery)} was given at ${tMs} ms, after another to the same consumer at ${last}`);
    this.#lastGiven.set(delivery.instance, tMs);
    const number = this.#numberOf(id);
    if (number >= 0 && tMs + this.#clocksMs < this.ledger.issuedOf(number)) this.#clockWentBack(`${this.ledger.nameOf(number)} was given to consumer ${delivery.consumer} at ${tMs} ms, and handed over at ${this.ledger.issuedOf(number)}`);
    const { isFirst, isSame } = this.#consumption.deliver(delivery, number);
    if (isSame && delivery.altered !== true) return isFirst;
    if (this.#isCut && this.#places.at(delivery) === undefined) return isFirst;
    this.#offsetMismatch += 1;
    this.#evidence.note('log.offsetMismatch', `${id === undefined ? 'a record of another origin' : `${id.producer}/${id.seq}`} was given to consumer ${delivery.consumer} as ${placeOf(delivery)}, ${isSame ? 'with another key or value than it was sent with' : `where the log holds ${this.#holds(delivery)}`}`);
    return isFirst;
  }

  /** Notes that its record was given. Whether that was the first time, of one that was acknowledged: a copy brings nothing new. */
  isAwaited({ id }: Delivery): boolean {
    const number = this.#numberOf(id);
    return number >= 0 && this.ledger.give(number);
  }

  findings(committed?: Readonly<Record<number, number>>, notCommitted?: Readonly<Record<number, string>>): Findings {
    for (const record of this.ledger.issuedBackwards()) this.#clockWentBack(`${this.ledger.nameOf(record)} was handed over before the record before it`);
    const told = this.#checkTold();
    const present = this.#checkPresent();
    const steady = this.#clockJumps === 0;
    const consume = this.#consumption.findings({ committed, notCommitted }, steady);
    return {
      log: {
        ackedLost: told, offsetMismatch: this.#offsetMismatch, phantom: this.#phantom,
        // Both rest on what came before what by the clock.
        ...(steady ? { reordered: this.#checkOrder() } : {}),
        ...present,
      },
      consume, clockJumps: this.#clockJumps, evidence: this.#evidence.byFinding(),
    };
  }

  /** Lost or not where they were said to be: each acknowledgement against the log. Returns the number of lost records. */
  #checkTold(): number {
    const { record, partition, offset } = this.ledger.acknowledged;
    const lost = new Set<number>();
    for (let i = 0; i < record.length; i += 1) {
      const number = record.at(i);
      const place = { partition: partition.at(i), offset: offset.at(i) };
      if (this.#places.copiesOf(number) === 0) {
        if (!lost.has(number)) this.#evidence.note('log.ackedLost', `${this.ledger.nameOf(number)}, answered ${placeOf(place)}`);
        lost.add(number);
      } else if (this.#places.holds(place, number) === false) {
        this.#misplaced.add(number);
        this.#offsetMismatch += 1;
        this.#evidence.note('log.offsetMismatch', `${this.ledger.nameOf(number)} was answered ${placeOf(place)}, where the log holds ${this.#holds(place)}`);
      }
    }
    return lost.size;
  }

  /** What lies in the log: was it to be there, and how often. */
  #checkPresent(): Pick<LogFindings, 'unackedPresent' | 'duplicates'> {
    const examples = new Examples();
    let unackedPresent = 0;
    const copies = { byClient: 0, byProxy: 0, unexplained: 0 };
    for (let record = 0; record < this.ledger.size; record += 1) {
      const count = this.#places.copiesOf(record);
      if (count === 0) continue;
      const outcome = this.ledger.outcomeOf(record);
      if (outcome === 'unknown') {
        unackedPresent += 1;
        examples.note('log.unackedPresent', record);
      } else if (outcome === 'failed') {
        this.#phantom += 1;
        examples.note('log.phantom', record, ', answered as not written');
      }
      if (count === 1) continue;
      const { byClient, byProxy, unexplained } = causesOf(count - 1, this.ledger.repetitionsOf(record));
      copies.byClient += byClient;
      copies.byProxy += byProxy;
      copies.unexplained += unexplained;
      examples.note(`log.duplicates.${unexplained > 0 ? 'unexplained' : byProxy > 0 ? 'proxyRetry' : 'clientRetry'}`, record);
    }
    examples.tell(this.ledger, this.#places, this.#evidence);
    const { byClient: clientRetry, byProxy: proxyRetry, unexplained } = copies;
    return { unackedPresent, duplicates: { clientRetry, ...(this.ledger.proxySpeaks ? { proxyRetry } : {}), unexplained } };
  }

  #checkOrder(): number {
    let count = 0;
    for (const { record, partition, offset, above } of reordered(this.ledger, this.#untold())) {
      count += 1;
      this.#evidence.note('log.reordered', `${this.ledger.nameOf(record)} at ${placeOf({ partition, offset })}, sent after offset ${above} was answered`);
    }
    return count;
  }

  /** What lies in the log where its client was never told of it: all of an unanswered record, and of one that was acknowledged each copy besides. */
  #untold(): Untold[] {
    const records = new Set<number>();
    for (let record = 0; record < this.ledger.size; record += 1) {
      const copies = this.#places.copiesOf(record);
      if (copies > 1 || (copies === 1 && this.ledger.outcomeOf(record) !== 'ok')) records.add(record);
    }
    for (const record of this.#misplaced) records.add(record);
    if (records.size === 0) return [];
    const told = new Set<string>();
    const { record, partition, offset } = this.ledger.acknowledged;
    for (let i = 0; i < record.length; i += 1) {
      const number = record.at(i);
      if (!records.has(number)) continue;
      const place = { partition: partition.at(i), offset: offset.at(i) };
      if (this.#places.holds(place, number)) told.add(`${number} at ${placeOf(place)}`);
    }
    return [...this.#places.placesOf(records)].flatMap(([number, places]) => places.filter((place) => !told.has(`${number} at ${placeOf(place)}`)).map((place) => ({ record: number, ...place })));
  }

  /** The number of a record of this run that somebody sent; any other's is `foreign`. */
  #numberOf(id: RecordId | undefined): number {
    return id?.run === this.#run ? this.ledger.find(id) : foreign;
  }

  #holds(place: { partition: number; offset: number }): string {
    const number = this.#places.at(place);
    return number === undefined ? 'nothing' : number === foreign ? 'a record that nobody sent' : this.ledger.nameOf(number);
  }

  #clockWentBack(what: string): void {
    this.#clockJumps += 1;
    this.#evidence.note('condition.clock', what);
  }
}

/** A client's repetitions explain copies first, then a proxy's; what is left nothing explains. */
function causesOf(extra: number, possible: { byClient: number; byProxy: number }): { byClient: number; byProxy: number; unexplained: number } {
  const byClient = Math.min(extra, possible.byClient);
  const byProxy = Math.min(extra - byClient, possible.byProxy);
  return { byClient, byProxy, unexplained: extra - byClient - byProxy };
}
