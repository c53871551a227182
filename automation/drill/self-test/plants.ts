import type { Attempt, LogRecord } from '../records.ts';
import type { Chance } from './chance.ts';
import { jump, run } from './history.ts';
import type { Expected, Generated } from './history.ts';

/**
 * Puts one kind of damage into a clean history, in place. Returns what a checker is to say otherwise than of the clean one, or undefined when this history
 * has nothing to damage so.
 */
export type Plant = (history: Generated, chance: Chance, clean: Expected) => Partial<Expected> | undefined;

/** Every kind of damage, by the name that a person reads. */
export const plants: Record<string, Plant> = {
  'acknowledged record lost': (history, chance) => {
    const lost = pick(chance, soleAcknowledged(history), chance.whole(1, 3));
    const unread = lost.filter((attempt) => remove(history, attempt)).length;
    return lost.length === 0 ? undefined : { ackedLost: lost.length, undelivered: -unread };
  },
  'partition cut short': (history, chance) => {
    const partition = chance.one(partitionsOf(history)) ?? 0;
    const tail = history.log.filter((record) => record.partition === partition).sort((a, b) => b.offset - a.offset);
    const sole = new Set(soleAcknowledged(history).map(placeOf));
    const firstKept = tail.findIndex((record) => !sole.has(placeOf(record)));
    const cut = tail.slice(0, chance.whole(1, Math.max(1, firstKept < 0 ? tail.length : firstKept)));
    if (firstKept === 0 || cut.length === 0) return undefined;
    const places = new Set(cut.map(placeOf));
    const unread = cut.filter((record) => !history.deliveries.some((delivery) => placeOf(delivery) === placeOf(record))).length;
    history.log.splice(0, Infinity, ...history.log.filter((record) => !places.has(placeOf(record))));
    return { ackedLost: cut.length, offsetMismatch: history.deliveries.filter((delivery) => places.has(placeOf(delivery))).length, undelivered: -unread };
  },
  'record written twice': (history, chance, { unexplained }) => {
    const [attempt] = pick(chance, soleAcknowledged(history).filter(({ attempt: number, proxyAttempts }) => number === 0 && proxyAttempts === undefined), 1);
    if (attempt === undefined) return undefined;
    const count = chance.whole(1, 2);
    const unread = Array.from({ length: count }, () => write(history, attempt)).filter(Boolean).length;
    return { unexplained: unexplained + count, undelivered: unread };
  },
  'written twice by a client\'s repetition': (history, chance, { clientRetry }) => {
    const [attempt] = pick(chance, soleAcknowledged(history).filter(({ attempt: number, proxyAttempts }) => number === 0 && proxyAttempts === undefined), 1);
    if (attempt === undefined) return undefined;
    repeated(history, attempt);
    return { clientRetry: clientRetry + 1, undelivered: write(history, attempt) ? 1 : 0 };
  },
  'written twice by a proxy': (history, chance, { proxyRetry }) => {
    const [attempt] = pick(chance, soleAcknowledged(history).filter(({ attempt: number, proxyAttempts }) => number === 0 && proxyAttempts === undefined), 1);
    if (attempt === undefined) return undefined;
    attempt.proxyAttempts = 2;
    return { proxyRetry: proxyRetry + 1, undelivered: write(history, attempt) ? 1 : 0 };
  },
  'order of a key changed': (history, chance) => {
    const pair = chance.one(inOrder(soleAcknowledged(history)));
    if (pair === undefined) return undefined;
    swap(history, ...pair);
    return { reordered: outOfOrder(history) };
  },
  'order of an unanswered record changed': (history, chance, { reordered, unackedPresent }) => {
    const pair = chance.one(inOrder(soleAcknowledged(history).filter(({ attempt }) => attempt === 0)));
    if (pair === undefined || reordered === undefined) return undefined;
    const [, second] = pair;
    swap(history, ...pair);
    delete second.partition;
    delete second.offset;
    Object.assign(second, { outcome: 'unknown', class: 'reset' });
    return { reordered: outOfOrder(history), unackedPresent: unackedPresent + 1 };
  },
  'order of the copy of a repeated record changed': (history, chance, { clientRetry }) => {
    const pair = chance.one(inOrder(soleAcknowledged(history).filter(({ attempt, proxyAttempts }) => attempt === 0 && proxyAttempts === undefined)));
    if (pair === undefined) return undefined;
    const [, second] = pair;
    swap(history, ...pair);
    // What was acknowledged lies at the end, where it was written by the repetition.
    repeated(history, second);
    const isUnread = write(history, second);
    second.offset = history.log.at(-1)?.offset ?? 0;
    return { reordered: outOfOrder(history), clientRetry: clientRetry + 1, undelivered: isUnread ? 1 : 0 };
  },
  'record that was never sent': (history, chance) => {
    const id = chance.one([{ run, producer: 'p0', seq: 99_999 }, { run, producer: 'nobody', seq: 0 }, { run: 'another', producer: 'p0', seq: 0 }, undefined]);
    return { phantom: 1, undelivered: append(history, chance.one(partitionsOf(history)) ?? 0, { ...(id ? { id } : {}) }) ? 1 : 0 };
  },
  'record answered as not written': (history, chance) => {
    const failed = history.attempts.filter((attempt) => attempt.outcome === 'failed' && history.attempts.every((other) => !isSame(other, attempt) || other.outcome === 'failed'));
    const [attempt] = pick(chance, failed, 1);
    if (attempt === undefined) return undefined;
    return { phantom: 1, undelivered: append(history, 0, { key: attempt.key, id: { run, producer: attempt.producer, seq: attempt.seq } }) ? 1 : 0 };
  },
  'key changed': (history, chance) => {
    const record = chance.one(history.log);
    if (record === undefined) return undefined;
    record.key = `${record.key} `;
    return { phantom: 1 };
  },
  'key gone': (history, chance) => {
    const record = chance.one(history.log);
    if (record === undefined) return undefined;
    delete record.key;
    return { phantom: 1 };
  },
  'value changed': (history, chance) => {
    const record = chance.one(history.log);
    if (record === undefined) return undefined;
    record.altered = true;
    return { phantom: 1 };
  },
  'changed on the way to a consumer': (history, chance) => {
    const delivery = chance.one(history.deliveries);
    if (delivery === undefined) return undefined;
    delivery.altered = true;
    return { offsetMismatch: 1 };
  },
  'wrong offset answered': (history, chance) => {
    const [attempt] = pick(chance, soleAcknowledged(history), 1);
    if (attempt === undefined) return undefined;
    // In a partition where its key is not, so that nothing else follows from it.
    Object.assign(attempt, { partition: 77, offset: chance.whole(0, 1000) });
    return { offsetMismatch: 1 };
  },
  'two records at one offset': (history, chance) => {
    const [first, second] = pick(chance, soleAcknowledged(history), 2);
    if (first === undefined || second === undefined) return undefined;
    const record = history.log.find((each) => placeOf(each) === placeOf(second));
    const given = history.deliveries.some((delivery) => placeOf(delivery) === placeOf(second));
    history.deliveries.splice(0, Infinity, ...history.deliveries.filter((delivery) => placeOf(delivery) !== placeOf(second)));
    Object.assign(record ?? {}, { partition: first.partition, offset: first.offset });
    // The place that two claim, and the one that the second was answered. Where it lies now may be below what was answered before it was sent.
    return { offsetMismatch: 2, reordered: outOfOrder(history), undelivered: given ? 0 : -1 };
  },
  'consumer given another record': (history, chance) => {
    const delivery = chance.one(history.deliveries);
    const other = chance.one(soleAcknowledged(history).filter((attempt) => delivery !== undefined && placeOf(attempt) !== placeOf(delivery)));
    if (delivery === undefined || other === undefined || (delivery.id?.producer === other.producer && delivery.id.seq === other.seq)) return undefined;
    delivery.id = { run, producer: other.producer, seq: other.seq };
    return { offsetMismatch: 1 };
  },
  'given upside down by one answer': ({ deliveries }, chance) => {
    const pairs = deliveries.flatMap((delivery, i) => {
      const next = deliveries[i + 1];
      return next?.instance === delivery.instance && next.askedMs === delivery.askedMs && next.partition === delivery.partition ? [[i, delivery, next] as const] : [];
    });
    const pair = chance.one(pairs);
    if (pair === undefined) return undefined;
    const [i, first, second] = pair;
    deliveries.splice(i, 2, second, first);
    return { backwardsInPoll: 1 };
  },
  'record passed over': (history, chance) => {
    const below = history.log.filter(({ partition, offset }) => offset < (history.committed[partition] ?? 0));
    const record = chance.one(below);
    if (record === undefined) return undefined;
    history.deliveries.splice(0, Infinity, ...history.deliveries.filter((delivery) => placeOf(delivery) !== placeOf(record)));
    return { skipped: 1 };
  },
  'given again after it was committed': (history, chance) => {
    const commit = chance.one(history.commits.filter(({ unanswered }) => unanswered === undefined));
    // Not where a commit that nobody answered may have taken the group back.
    const below = history.commits.filter(({ partition, unanswered }) => partition === commit?.partition && unanswered === true).reduce((least, { offset }) => Math.min(least, offset), commit?.offset ?? 0);
    const record = commit && chance.one(history.log.filter(({ partition, offset }) => partition === commit.partition && offset < below));
    if (record === undefined) return undefined;
    const endMs = Math.max(...history.deliveries.map(({ tMs }) => tMs), ...history.commits.map(({ tMs }) => tMs));
    history.deliveries.push({ consumer: 0, instance: 'late', askedMs: endMs + 1, tMs: endMs + 2, partition: record.partition, offset: record.offset, ...(record.id ? { id: record.id } : {}) });
    return { redeliveredAfterCommit: 1 };
  },
  'commit gone': (history, chance) => {
    const answered = history.commits.filter(({ unanswered }) => unanswered === undefined);
    const partition = chance.one([...new Set(answered.map((commit) => commit.partition))]);
    // Below every offset that anybody asked to commit.
    const least = Math.min(...history.commits.filter((commit) => commit.partition === partition).map(({ offset }) => offset));
    if (partition === undefined || least === 0) return undefined;
    const kept = chance.whole(0, least - 1);
    if (kept === 0) history.committed = Object.fromEntries(Object.entries(history.committed).filter(([number]) => Number(number) !== partition));
    else history.committed[partition] = kept;
    return { commitsLost: 1 };
  },
  'told twice of one attempt': (history, chance, { unexplained, unackedPresent }) => {
    const [attempt] = pick(chance, soleAcknowledged(history).filter(({ attempt: number, proxyAttempts }) => number === 0 && proxyAttempts === undefined), 1);
    if (attempt === undefined) return undefined;
    history.attempts.push({ ...attempt });
    return { unexplained: unexplained + 1, unackedPresent, undelivered: write(history, attempt) ? 1 : 0 };
  },
  'clock gone back': (history, chance) => {
    return goBack(history, chance) === undefined ? undefined : { clockJumps: true, reordered: undefined, redeliveredAfterCommit: undefined, commitsLost: undefined };
  },
  'loss while the clock went back': (history, chance) => {
    const [lost] = pick(chance, soleAcknowledged(history), 1);
    if (lost === undefined || goBack(history, chance) === undefined) return undefined;
    return { ackedLost: 1, undelivered: remove(history, lost) ? -1 : 0, clockJumps: true, reordered: undefined, redeliveredAfterCommit: undefined, commitsLost: undefined };
  },
};

const leastBackMs = 1000;

/** Between two records of a producer, by more than the time between them: less is no more than a clock that went on slowly. */
function goBack(history: Generated, chance: Chance): number | undefined {
  const first = history.attempts.filter(({ attempt }) => attempt === 0);
  const later = chance.one(first.filter(({ producer, seq, issuedMs }) => first.some((other) => other.producer === producer && other.seq === seq - 1 && other.issuedMs > issuedMs - leastBackMs)));
  if (later === undefined) return undefined;
  const backMs = chance.number(leastBackMs, 100_000);
  jump(history, later.issuedMs, -backMs);
  return backMs;
}

/** Acknowledged attempts whose record lies in the log once, where they say, and is delivered as what it is. */
function soleAcknowledged({ attempts, log }: Generated): Attempt[] {
  const copies = Map.groupBy(log, ({ id }) => `${id?.producer}/${id?.seq}`);
  const ok = Map.groupBy(attempts.filter(({ outcome }) => outcome === 'ok'), ({ producer, seq }) => `${producer}/${seq}`);
  return [...ok].flatMap(([name, answers]) => (answers.length === 1 && copies.get(name)?.length === 1 ? answers : []));
}

function isSame(a: Attempt, b: Attempt): boolean {
  return a.producer === b.producer && a.seq === b.seq;
}

function pick<T>(chance: Chance, list: readonly T[], count: number): T[] {
  const rest = [...list];
  return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(chance.whole(0, rest.length - 1), 1)).flat();
}

function partitionsOf({ log }: Generated): number[] {
  return [...new Set(log.map(({ partition }) => partition))];
}

function placeOf({ partition, offset }: { partition?: number; offset?: number }): string {
  return `${partition} ${offset}`;
}

/** Takes a record out of the log, and out of what consumers were given. True when they had not been given it. */
function remove(history: Generated, attempt: Attempt): boolean {
  const keep = (each: { partition: number; offset: number }): boolean => placeOf(each) !== placeOf(attempt);
  const before = history.deliveries.length;
  history.log.splice(0, Infinity, ...history.log.filter(keep));
  history.deliveries.splice(0, Infinity, ...history.deliveries.filter(keep));
  return history.deliveries.length === before;
}

/** An attempt becomes the second one, after one that nobody answered. */
function repeated({ attempts }: Generated, attempt: Attempt): void {
  const { producer, seq, key, intendedMs, issuedMs } = attempt;
  attempts.push({ producer, seq, attempt: 0, key, intendedMs, issuedMs, sentMs: issuedMs, endMs: issuedMs, outcome: 'unknown', class: 'reset' });
  attempt.attempt = 1;
}

/** Puts a record at the end of a partition; its consumer is given it only where it has come to the end. True when it is not. */
function append({ log, deliveries }: Generated, partition: number, record: Omit<LogRecord, 'partition' | 'offset'>): boolean {
  const last = Math.max(-1, ...log.filter((each) => each.partition === partition).map((each) => each.offset));
  const isUnread = last >= 0 && !deliveries.some((delivery) => delivery.partition === partition && delivery.offset === last);
  const tMs = Math.max(0, ...deliveries.map((delivery) => delivery.tMs)) + 1;
  log.push({ ...record, partition, offset: last + 1 });
  if (!isUnread) deliveries.push({ consumer: 0, instance: 'last', askedMs: tMs, tMs, partition, offset: last + 1, ...(record.id ? { id: record.id } : {}) });
  return isUnread;
}

/** A copy of a record. True when no consumer is given it. */
function write(history: Generated, { producer, seq, key, partition = 0 }: Attempt): boolean {
  return append(history, partition, { key, id: { run, producer, seq } });
}

/** Two records change places, in the log and in what their clients and consumers were told. */
function swap({ log, deliveries }: Generated, first: Attempt, second: Attempt): void {
  const [low, high] = [placeOf(first), placeOf(second)];
  const ids = { [low]: { run, producer: second.producer, seq: second.seq }, [high]: { run, producer: first.producer, seq: first.seq } };
  for (const each of [...log, ...deliveries]) {
    const id = ids[placeOf(each)];
    if (id !== undefined) each.id = id;
  }
  [first.offset, second.offset] = [second.offset ?? 0, first.offset ?? 0];
}

/** Pairs that have an order: of the same producer, key and partition, the second sent after the first was answered. */
function inOrder(attempts: readonly Attempt[]): (readonly [Attempt, Attempt])[] {
  return attempts.flatMap((first) => attempts.filter((second) => second.producer === first.producer && second.key === first.key && second.partition === first.partition && (second.sentMs ?? 0) > first.endMs)
    .map((second) => [first, second] as const));
}

/** By comparing every two: slow, and not as the checker does it. */
function outOfOrder({ attempts, log }: Generated): number {
  const ok = attempts.filter(({ outcome }) => outcome === 'ok');
  // Of what nobody was told of the log tells the places.
  const untold = log.flatMap(({ partition, offset, id }) => {
    const own = attempts.filter(({ producer, seq }) => producer === id?.producer && seq === id.seq);
    const [first] = own;
    return first === undefined || own.some((attempt) => attempt.outcome === 'ok' && attempt.partition === partition && attempt.offset === offset) ? [] : [{ ...first, partition, offset, sentMs: Math.min(...own.map(({ issuedMs }) => issuedMs)) }];
  });
  return [...ok, ...untold].filter((later) => ok.some((earlier) => earlier.producer === later.producer && earlier.key === later.key && earlier.partition === later.partition && earlier.endMs < (later.sentMs ?? 0) && (earlier.offset ?? 0) > (later.offset ?? 0))).length;
}
