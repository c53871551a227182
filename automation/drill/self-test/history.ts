import type { Findings, History } from '../checker.ts';
import type { ConsumersPlan } from '../plan.ts';
import type { Attempt, Commit, Delivery, LogRecord } from '../records.ts';
import type { Chance } from './chance.ts';
import { consume } from './consumers.ts';

/** A history whose lists can be changed. */
export interface Generated extends History {
  mode: ConsumersPlan['mode'];
  isCut: boolean;
  clocksMs: number;
  attempts: Attempt[];
  log: LogRecord[];
  commits: Commit[];
  deliveries: Delivery[];
  committed: Record<number, number>;
  notCommitted: Record<number, string>;
}

/** What a checker is to say of a history. */
export type Expected = Found & Counted;

/** What it is to find. */
export interface Found {
  ackedLost: number;
  offsetMismatch: number;
  phantom: number;
  /** Undefined: it cannot be told. */
  reordered: number | undefined;
  unackedPresent: number;
  clientRetry: number;
  proxyRetry: number;
  unexplained: number;
  skipped: number;
  redeliveredAfterCommit: number | undefined;
  /** Undefined: it cannot be told. */
  commitsLost: number | undefined;
  uncommitted: number;
  backwardsInPoll: number;
  clockJumps: boolean;
}

/** Counters that are no damage by themselves. */
interface Counted {
  delivered: number;
  undelivered: number;
  redelivered: number;
  backwards: number;
}

/** The same of what a checker said. */
export function said({ log, consume: given, clockJumps }: Findings): Expected {
  return {
    ackedLost: log.ackedLost, offsetMismatch: log.offsetMismatch, phantom: log.phantom, reordered: log.reordered, unackedPresent: log.unackedPresent,
    clientRetry: log.duplicates.clientRetry, proxyRetry: log.duplicates.proxyRetry ?? 0, unexplained: log.duplicates.unexplained,
    skipped: given.skipped, redeliveredAfterCommit: given.redeliveredAfterCommit, commitsLost: given.commitsLost, uncommitted: given.uncommitted ?? -1, backwardsInPoll: given.backwardsInPoll,
    delivered: given.delivered, undelivered: given.undelivered, redelivered: given.redelivered, backwards: given.backwards, clockJumps: clockJumps > 0,
  };
}

interface Written {
  atMs: number;
  partition: number;
  key: string;
  producer: string;
  seq: number;
  /** Whose answer it is. */
  attempt?: Attempt;
}

export const run = 'self-test';

/**
 * A run as it may well go: requests that overlap, fail, or are never answered although the record is written, perhaps much later; clients
 * and proxies that send again; a failover, with more of all that; holes in the log; consumers that lose their commits, their partitions or themselves;
 * producers with clocks of their own, sometimes a clock that jumps ahead, and runs that were ended early. In all of it there is nothing to be found, and what may be counted is told.
 */
export function cleanHistory(chance: Chance): { history: Generated; expected: Found } {
  const partitions = chance.whole(1, 4);
  const shape = { partitions, keys: chance.whole(1, 6), retries: chance.of(0.5), proxies: chance.of(0.4), unlucky: chance.number(0, 0.3) };
  const attempts: Attempt[] = [];
  const written: Written[] = [];
  for (const producer of ['p0', 'p1', 'probe'].slice(0, chance.whole(1, 3))) produce(chance, producer, shape, { attempts, written });
  attempts.sort((a, b) => a.endMs - b.endMs);
  const log = append(chance, written);
  const writtenMs = log.map((_, i) => written[i]?.atMs ?? 0);
  const history: Generated = { run, attempts, log, ...consume(chance, log, { partitions, writtenMs }), notCommitted: {}, isCut: chance.of(0.15), clocksMs: 0 };
  if (history.isCut) cut(history, writtenMs, chance.number(200, 1000));
  const expected = {
    ackedLost: 0, offsetMismatch: 0, phantom: 0, reordered: 0, skipped: 0, redeliveredAfterCommit: 0, commitsLost: 0, uncommitted: 0, backwardsInPoll: 0, unexplained: 0, clockJumps: false, ...copiesOf(history),
  };
  if (chance.of(0.3)) mix(chance, history.attempts);
  if (chance.of(0.2)) jump(history, chance.number(0, 1500), chance.number(10, 100_000));
  if (chance.of(0.3)) skew(history, 'p1', chance.number(-1000, 1000));
  return { history, expected };
}

/** What may be counted of a history, damaged or not: from the whole lists, not line by line as the checker does it. */
export function counted({ log, deliveries, mode }: Generated, { skipped }: Pick<Found, 'skipped'>): Counted {
  const given = new Set(deliveries.map(placeOf));
  const places = new Set(log.map(placeOf));
  const delivered = places.intersection(given).size;
  // Every one against the one before it, to the same instance; a partition of one's own has one reader, whatever it is called.
  const lists = Map.groupBy(deliveries, ({ partition, instance }) => `${partition} ${mode === 'assign' ? '' : instance}`);
  const backwards = [...lists.values()].flatMap((list) => list.filter(({ offset }, i) => offset <= (list[i - 1]?.offset ?? -1))).length;
  return { delivered, undelivered: places.size - delivered - skipped, redelivered: deliveries.length - given.size, backwards };
}

interface Shape {
  partitions: number;
  keys: number;
  retries: boolean;
  proxies: boolean;
  /** Share of requests that are not ok; three times as many while a region fails over. */
  unlucky: number;
}

function produce(chance: Chance, producer: string, shape: Shape, into: { attempts: Attempt[]; written: Written[] }): void {
  const faultMs = chance.number(0, 1000);
  let issuedMs = chance.number(0, 20);
  const count = chance.whole(10, 50);
  for (let seq = 0; seq < count; seq += 1) {
    const intendedMs = issuedMs;
    issuedMs += chance.of(0.1) ? chance.number(0, 30) : 0;
    const isFault = intendedMs > faultMs && intendedMs < faultMs + 200;
    const number = chance.whole(1, shape.keys);
    const record = { producer, seq, key: `k${number}`, partition: number % shape.partitions };
    const attempt = request(chance, { ...record, intendedMs, issuedMs }, { ...shape, unlucky: isFault ? Math.min(0.9, shape.unlucky * 3) : shape.unlucky }, into);
    // A client that sends again does so after it knows, and a record of which a proxy made copies is not sent again here: causes stay apart.
    if (shape.retries && attempt.outcome !== 'ok' && attempt.proxyAttempts === undefined && chance.of(0.7)) {
      request(chance, { ...record, intendedMs, issuedMs: attempt.endMs + chance.number(0, 50), attempt: 1 }, { ...shape, unlucky: 0.2, proxies: false }, into);
    }
    issuedMs += chance.number(0.1, 25);
  }
}

type Request = Pick<Attempt, 'producer' | 'seq' | 'key' | 'intendedMs' | 'issuedMs'> & { partition: number; attempt?: number };

function request(chance: Chance, { partition, attempt: number = 0, ...record }: Request, { unlucky, proxies }: Shape, { attempts, written }: { attempts: Attempt[]; written: Written[] }): Attempt {
  const sentMs = record.issuedMs + (chance.of(0.2) ? chance.number(0, 40) : 0);
  const endMs = sentMs + (chance.of(0.1) ? chance.number(100, 2000) : chance.number(1, 40));
  const outcome = !chance.of(unlucky) ? 'ok' : chance.of(0.5) ? 'failed' : 'unknown';
  const attempt: Attempt = { ...record, attempt: number, sentMs, endMs, outcome, class: outcome };
  attempts.push(attempt);
  const { producer, seq, key } = record;
  const write = (fromMs: number, toMs: number, answer?: Attempt): void => { written.push({ atMs: chance.number(fromMs, toMs), partition, key, producer, seq, ...(answer ? { attempt: answer } : {}) }); };
  if (proxies && outcome !== 'failed' && chance.of(0.3)) {
    attempt.proxyAttempts = chance.whole(1, 3);
    for (let i = 1; i < attempt.proxyAttempts; i += 1) if (chance.of(0.5)) write(sentMs, (sentMs + endMs) / 2);
  }
  // What nobody answered may be written long after its client gave up.
  if (outcome === 'ok') write((sentMs + endMs) / 2, endMs, attempt);
  else if (outcome === 'unknown' && chance.of(0.5)) write(sentMs, endMs + 3000);
  return attempt;
}

/** The log in the order of writing; some offsets hold no record (markers of the broker's own). Sorts `written`. */
function append(chance: Chance, written: Written[]): LogRecord[] {
  written.sort((a, b) => a.atMs - b.atMs);
  const next = new Map<number, number>();
  return written.map(({ partition, key, producer, seq, attempt }) => {
    const offset = (next.get(partition) ?? 0) + (chance.of(0.03) ? 1 : 0);
    next.set(partition, offset + 1);
    if (attempt !== undefined) Object.assign(attempt, { partition, offset });
    return { partition, offset, key, id: { run, producer, seq } };
  });
}

/** From the whole lists, not line by line as the checker does it. */
function copiesOf({ attempts, log }: Generated): Pick<Expected, 'unackedPresent' | 'clientRetry' | 'proxyRetry'> {
  const counts = { unackedPresent: 0, clientRetry: 0, proxyRetry: 0 };
  const sent = Map.groupBy(attempts, ({ producer, seq }) => `${producer}/${seq}`);
  for (const [name, copies] of Map.groupBy(log, ({ id }) => `${id?.producer}/${id?.seq}`)) {
    const own = sent.get(name);
    if (own === undefined) continue;
    if (!own.some(({ outcome }) => outcome === 'ok')) counts.unackedPresent += 1;
    counts[own.length > 1 ? 'clientRetry' : 'proxyRetry'] += copies.length - 1;
  }
  return counts;
}

/** Some were stored long after they had ended. */
function mix(chance: Chance, attempts: Attempt[]): void {
  const from = chance.whole(0, attempts.length);
  attempts.push(...attempts.splice(from, chance.whole(10, 40)));
}

/** It was ended early: requests of which nobody told, and a log that was read while consumers went on. */
function cut(history: Generated, writtenMs: readonly number[], atMs: number): void {
  const { attempts, log } = history;
  const isAlone = ({ producer, seq }: Attempt): boolean => attempts.filter((other) => other.producer === producer && other.seq === seq).length === 1;
  history.attempts = attempts.filter((attempt) => attempt.endMs <= atMs || !isAlone(attempt));
  const readMs = Math.max(atMs, ...history.attempts.map(({ endMs }) => endMs));
  history.log = log.filter((_, i) => (writtenMs[i] ?? 0) <= readMs);
}

/** A producer on another machine, whose clock is not the others', as far as is known. */
function skew(history: Generated, producer: string, byMs: number): void {
  history.clocksMs = Math.abs(byMs);
  for (const attempt of history.attempts.filter((each) => each.producer === producer)) {
    const { intendedMs, issuedMs, sentMs = issuedMs, endMs } = attempt;
    Object.assign(attempt, { intendedMs: intendedMs + byMs, issuedMs: issuedMs + byMs, sentMs: sentMs + byMs, endMs: endMs + byMs });
  }
}

/** All times from one on are so much later, or earlier. */
export function jump(history: Generated, fromMs: number, byMs: number): void {
  const moved = (ms: number): number => (ms >= fromMs ? ms + byMs : ms);
  for (const attempt of history.attempts) {
    const { sentMs } = attempt;
    Object.assign(attempt, { intendedMs: moved(attempt.intendedMs), issuedMs: moved(attempt.issuedMs), endMs: moved(attempt.endMs), ...(sentMs === undefined ? {} : { sentMs: moved(sentMs) }) });
  }
  for (const delivery of history.deliveries) {
    const { askedMs } = delivery;
    Object.assign(delivery, { tMs: moved(delivery.tMs), ...(askedMs === undefined ? {} : { askedMs: moved(askedMs) }) });
  }
  for (const commit of history.commits) commit.tMs = moved(commit.tMs);
}

export function placeOf({ partition, offset }: { partition?: number; offset?: number }): string {
  return `${partition} ${offset}`;
}
