import type { Attempt, Delivery, LogRecord } from '../records.ts';
import type { Chance } from './chance.ts';
import { placeOf, run } from './history.ts';
import type { Found, Generated } from './history.ts';

/** Acknowledged attempts whose record lies in the log once, where they say, and is delivered as what it is. */
export function soleAcknowledged({ attempts, log }: Generated): Attempt[] {
  const copies = Map.groupBy(log, ({ id }) => `${id?.producer}/${id?.seq}`);
  const ok = Map.groupBy(attempts.filter(({ outcome }) => outcome === 'ok'), ({ producer, seq }) => `${producer}/${seq}`);
  return [...ok].flatMap(([name, answers]) => (answers.length === 1 && copies.get(name)?.length === 1 ? answers : []));
}

export function isSame(a: Attempt, b: Attempt): boolean {
  return a.producer === b.producer && a.seq === b.seq;
}

export function pick<T>(chance: Chance, list: readonly T[], count: number): T[] {
  const rest = [...list];
  return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(chance.whole(0, rest.length - 1), 1)).flat();
}

export function partitionsOf({ log }: Generated): number[] {
  return [...new Set(log.map(({ partition }) => partition))];
}

export function answered({ commits }: Generated): Generated['commits'] {
  return commits.filter(({ unanswered }) => unanswered === undefined);
}

/** Records of which somebody told that they were sent. */
export function told({ attempts, log }: Generated): LogRecord[] {
  return log.filter(({ id }) => attempts.some(({ producer, seq }) => producer === id?.producer && seq === id.seq));
}

/** Deliveries of what lies in the log. */
export function logged({ deliveries, log }: Generated): Delivery[] {
  const places = new Set(log.map(placeOf));
  return deliveries.filter((delivery) => places.has(placeOf(delivery)));
}

export function lastMs({ deliveries, commits }: Generated): number {
  return Math.max(...deliveries.map(({ tMs }) => tMs), ...commits.map(({ tMs }) => tMs));
}

const longMs = 200_000;

/** All that was given, and committed, so much later: nothing of it before it was sent, whatever changes places. */
export function consumeLater({ deliveries, commits }: Generated): void {
  for (const delivery of deliveries) Object.assign(delivery, { askedMs: (delivery.askedMs ?? 0) + longMs, tMs: delivery.tMs + longMs });
  for (const commit of commits) commit.tMs += longMs;
}

/** Gives records to another instance, by one answer. */
export function giveAgain({ deliveries }: Generated, records: readonly LogRecord[], askedMs: number): void {
  const tMs = askedMs + longMs;
  for (const { partition, offset, id } of records) deliveries.push({ consumer: 0, instance: 'again', askedMs, tMs, partition, offset, ...(id ? { id } : {}) });
}

/** Takes records out of a partition, from one of its ends, that were all acknowledged. */
export function truncate(history: Generated, chance: Chance, order: (a: LogRecord, b: LogRecord) => number): Partial<Found> | undefined {
  const partition = chance.one(partitionsOf(history)) ?? 0;
  const records = history.log.filter((record) => record.partition === partition).sort(order);
  const sole = new Set(soleAcknowledged(history).map(placeOf));
  const firstKept = records.findIndex((record) => !sole.has(placeOf(record)));
  const cut = records.slice(0, chance.whole(1, Math.max(1, firstKept < 0 ? records.length : firstKept)));
  if (firstKept === 0 || cut.length === 0) return undefined;
  const places = new Set(cut.map(placeOf));
  const given = history.deliveries.filter((delivery) => places.has(placeOf(delivery))).length;
  history.log = history.log.filter((record) => !places.has(placeOf(record)));
  // The log of a run that was ended early was read while consumers went on.
  return { ackedLost: cut.length, ...(history.isCut ? {} : { offsetMismatch: given }) };
}

/** Takes a record out of the log, and out of what consumers were given. */
export function remove(history: Generated, attempt: Attempt): void {
  const keep = (each: { partition: number; offset: number }): boolean => placeOf(each) !== placeOf(attempt);
  history.log = history.log.filter(keep);
  history.deliveries = history.deliveries.filter(keep);
}

/** An attempt becomes the second one, after one that nobody answered, or of which is told what is given here. */
export function repeated({ attempts }: Generated, attempt: Attempt, first: Partial<Attempt> = {}): void {
  const { producer, seq, key, intendedMs, issuedMs } = attempt;
  attempts.push({ producer, seq, attempt: 0, key, intendedMs, issuedMs, sentMs: issuedMs, endMs: issuedMs, outcome: 'unknown', class: 'reset', ...first });
  attempt.attempt = 1;
}

/** Puts a record at the end of a partition; its consumer is given it only where it has come to the end. */
export function append(history: Generated, partition: number, record: Omit<LogRecord, 'partition' | 'offset'>): void {
  const { log, deliveries } = history;
  const last = Math.max(-1, ...[...log, ...deliveries].filter((each) => each.partition === partition).map((each) => each.offset));
  const isUnread = last >= 0 && !deliveries.some((delivery) => delivery.partition === partition && delivery.offset === last);
  const tMs = Math.max(0, lastMs(history)) + longMs;
  log.push({ ...record, partition, offset: last + 1 });
  if (!isUnread) deliveries.push({ consumer: 0, instance: 'last', askedMs: tMs, tMs, partition, offset: last + 1, ...(record.id ? { id: record.id } : {}) });
}

/** A copy of a record. */
export function write(history: Generated, { producer, seq, key, partition = 0 }: Attempt): void {
  append(history, partition, { key, id: { run, producer, seq } });
}

/** Two records change places, in the log and in what their clients and consumers were told. */
export function swap(history: Generated, first: Attempt, second: Attempt): void {
  const { log, deliveries } = history;
  consumeLater(history);
  const [low, high] = [placeOf(first), placeOf(second)];
  const ids = { [low]: { run, producer: second.producer, seq: second.seq }, [high]: { run, producer: first.producer, seq: first.seq } };
  for (const each of [...log, ...deliveries]) {
    const id = ids[placeOf(each)];
    if (id !== undefined) each.id = id;
  }
  [first.offset, second.offset] = [second.offset ?? 0, first.offset ?? 0];
}

/** Pairs that have an order: of the same producer, key and partition, the second sent after the first was answered. */
export function inOrder(attempts: readonly Attempt[]): (readonly [Attempt, Attempt])[] {
  return attempts.flatMap((first) => attempts.filter((second) => second.producer === first.producer && second.key === first.key && second.partition === first.partition && (second.sentMs ?? 0) > first.endMs)
    .map((second) => [first, second] as const));
}

/** By comparing every two: slow, and not as the checker does it. */
export function outOfOrder({ attempts, log }: Generated): number {
  const ok = attempts.filter(({ outcome }) => outcome === 'ok');
  // Of what nobody was told of the log tells the places.
  const untold = log.flatMap(({ partition, offset, id }) => {
    const own = attempts.filter(({ producer, seq }) => producer === id?.producer && seq === id.seq);
    const [first] = own;
    return first === undefined || own.some((attempt) => attempt.outcome === 'ok' && attempt.partition === partition && attempt.offset === offset) ? [] : [{ ...first, partition, offset, sentMs: Math.min(...own.map(({ issuedMs }) => issuedMs)) }];
  });
  return [...ok, ...untold].filter((later) => ok.some((earlier) => earlier.producer === later.producer && earlier.key === later.key && earlier.partition === later.partition && earlier.endMs < (later.sentMs ?? 0) && (earlier.offset ?? 0) > (later.offset ?? 0))).length;
}

/** The same way: every delivery against every commit. */
export function afterCommit({ commits, deliveries }: Generated): number {
  const answers = commits.filter(({ unanswered }) => unanswered === undefined);
  return deliveries.filter(({ partition, offset, askedMs = 0 }) => answers.some((commit) => commit.partition === partition && commit.tMs < askedMs && commit.offset > offset)).length;
}
