import { PlainJson } from './plain-json.ts';
import { outcomes } from './records.ts';
import type { Attempt, Delivery, LogRecord, Outcome, RecordId } from './records.ts';

const [comma, colon, open, close] = [44, 58, 123, 125];

/** Where a field's value is kept: among the numbers, or among the texts behind them. An id is an object of its own. */
const numberNames = ['seq', 'attempt', 'intendedMs', 'issuedMs', 'sentMs', 'endMs', 'status', 'partition', 'offset', 'proxyAttempts', 'consumer', 'askedMs', 'tMs'] as const;
const textNames = ['run', 'producer', 'key', 'outcome', 'class', 'region', 'instance'] as const;
const slots = Object.fromEntries([...numberNames, ...textNames, 'id'].map((name, slot) => [name, slot])) as Record<(typeof numberNames)[number] | (typeof textNames)[number] | 'id', number>;
const { seq, attempt, intendedMs, issuedMs, sentMs, endMs, status, partition, offset, proxyAttempts, consumer, askedMs, tMs, run, producer, key, outcome, class: name, region, instance, id } = slots;
const slotOf = new Map<string, number>(Object.entries(slots));

const bits = (...of: number[]): number => of.reduce((sum, slot) => sum | 1 << slot, 0);
/** What each kind of line always has. */
const needs = { attempts: bits(seq, attempt, intendedMs, issuedMs, endMs, producer, key, outcome, name), deliveries: bits(consumer, tMs, partition, offset, instance), log: bits(partition, offset), id: bits(run, producer, seq) };

/** The kinds of lines of which a run has as many as records, and what a record carries as its value. */
export interface PlainKinds {
  id: RecordId;
  attempts: Attempt;
  deliveries: Delivery;
  log: LogRecord;
}

/**
 * Reads a run's lines as they are written here: objects without spaces, of known fields, mostly in the order of the line before. JSON.parse, with its strings and
 * its garbage, was most of what judging a million records took. A line that is anything else is not read, and left to it.
 */
export class PlainLines<K extends keyof PlainKinds> {
  readonly #kind: K;
  readonly #json = new PlainJson();
  readonly #numbers = new Float64Array(numberNames.length);
  /** By slot; those of the line before stand until they are read again. */
  readonly #texts = new Array<string>(run + textNames.length).fill('');
  /** A bit for each slot that the line had. */
  #has = 0;
  #id: RecordId | undefined;
  /** The fields in the order of the line before: `"name":`, and the slot. */
  readonly #order: { name: Uint8Array; slot: number }[] = [];
  #place = 0;

  constructor(kind: K) {
    this.#kind = kind;
  }

  /** Behind the object that was read last. */
  get end(): number {
    return this.#json.at;
  }

  /** What the object that begins there holds; undefined when it is not as plain as that. */
  read(bytes: Buffer, begin: number): PlainKinds[K] | undefined {
    this.#json.bytes = bytes;
    this.#json.at = begin;
    this.#has = 0;
    this.#id = undefined;
    this.#place = 0;
    if (!this.#readObject() || !this.#isWhole()) return undefined;
    return this.#make() as PlainKinds[K] | undefined;
  }

  /** A line may have more of the known fields than it needs. A record's value with more is left to JSON.parse, and so compared with what was sent. */
  #isWhole(): boolean {
    return this.#kind === 'id' ? this.#has === needs.id : this.#hasAll(needs[this.#kind]);
  }

  #make(): PlainKinds[keyof PlainKinds] | undefined {
    switch (this.#kind) {
      case 'attempts': return (outcomes as readonly string[]).includes(this.#text(outcome)) ? this.#attempt() : undefined;
      case 'deliveries': return this.#delivery();
      case 'log': return this.#logRecord();
      default: return this.#recordId();
    }
  }

  #readObject(): boolean {
    const json = this.#json;
    if (!json.is(open)) return false;
    do {
      const slot = this.#readName();
      if (slot < 0 || !(slot === id ? this.#readId() : this.#readValue(slot))) return false;
      this.#has |= 1 << slot;
    } while (json.is(comma));
    return json.is(close);
  }

  /** The slot of the field that is next, or -1. */
  #readName(): number {
    const expected = this.#order[this.#place];
    this.#place += 1;
    if (expected !== undefined && this.#json.are(expected.name)) return expected.slot;
    const text = this.#json.text();
    const slot = text === undefined ? undefined : slotOf.get(text);
    if (slot === undefined || !this.#json.is(colon)) return -1;
    this.#order[this.#place - 1] = { name: Buffer.from(`"${String(text)}":`), slot };
    return slot;
  }

  #readValue(slot: number): boolean {
    if (slot < numberNames.length) {
      const value = this.#json.number();
      this.#numbers[slot] = value;
      return !Number.isNaN(value);
    }
    const text = this.#json.text(this.#texts[slot]);
    if (text !== undefined) this.#texts[slot] = text;
    return text !== undefined;
  }

  /** Not one within another, nor two. */
  #readId(): boolean {
    if (this.#hasAll(1 << id)) return false;
    this.#has |= 1 << id;
    if (!this.#readObject() || !this.#hasAll(needs.id)) return false;
    this.#id = this.#recordId();
    return true;
  }

  #recordId(): RecordId {
    return { run: this.#text(run), producer: this.#text(producer), seq: this.#number(seq) };
  }

  #attempt(): Attempt {
    const read: Attempt = {
      producer: this.#text(producer), seq: this.#number(seq), attempt: this.#number(attempt), key: this.#text(key), intendedMs: this.#number(intendedMs), issuedMs: this.#number(issuedMs), endMs: this.#number(endMs),
      outcome: this.#text(outcome) as Outcome, class: this.#text(name),
    };
    if (this.#hasAll(1 << sentMs)) read.sentMs = this.#number(sentMs);
    if (this.#hasAll(1 << status)) read.status = this.#number(status);
    if (this.#hasAll(1 << partition)) read.partition = this.#number(partition);
    if (this.#hasAll(1 << offset)) read.offset = this.#number(offset);
    if (this.#hasAll(1 << region)) read.region = this.#text(region);
    if (this.#hasAll(1 << proxyAttempts)) read.proxyAttempts = this.#number(proxyAttempts);
    return read;
  }

  #delivery(): Delivery {
    const read: Delivery = { consumer: this.#number(consumer), instance: this.#text(instance), tMs: this.#number(tMs), partition: this.#number(partition), offset: this.#number(offset) };
    if (this.#hasAll(1 << askedMs)) read.askedMs = this.#number(askedMs);
    if (this.#id !== undefined) read.id = this.#id;
    return read;
  }

  #logRecord(): LogRecord {
    const read: LogRecord = { partition: this.#number(partition), offset: this.#number(offset) };
    if (this.#hasAll(1 << key)) read.key = this.#text(key);
    if (this.#id !== undefined) read.id = this.#id;
    return read;
  }

  #hasAll(wanted: number): boolean {
    return (this.#has & wanted) === wanted;
  }

  #number(slot: number): number {
    return this.#numbers[slot] as number;
  }

  #text(slot: number): string {
    return this.#texts[slot] as string;
  }
}
