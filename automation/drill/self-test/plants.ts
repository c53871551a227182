import { append, consumeLater, inOrder, isSame, logged, outOfOrder, partitionsOf, pick, remove, repeated, soleAcknowledged, swap, told, truncate, write } from './changes.ts';
import type { Chance } from './chance.ts';
import { clockPlants } from './clock-plants.ts';
import { consumerPlants } from './consumer-plants.ts';
import { placeOf, run } from './history.ts';
import type { Found, Generated } from './history.ts';

/**
 * Puts one kind of damage into a clean history, in place. Returns what a checker is to say otherwise than of the clean one, or undefined when this history
 * has nothing to damage so.
 */
export type Plant = (history: Generated, chance: Chance, clean: Found) => Partial<Found> | undefined;

/** Every kind of damage, by the name that a person reads. */
export const plants: Record<string, Plant> = {
  'acknowledged record lost': (history, chance) => {
    const lost = pick(chance, soleAcknowledged(history), chance.whole(1, 3));
    for (const attempt of lost) remove(history, attempt);
    return lost.length === 0 ? undefined : { ackedLost: lost.length };
  },
  'partition cut short': (history, chance) => truncate(history, chance, (a, b) => b.offset - a.offset),
  'partition cut short at its head': (history, chance) => truncate(history, chance, (a, b) => a.offset - b.offset),
  'record written twice': (history, chance, { unexplained }) => {
    const [attempt] = pick(chance, soleAcknowledged(history).filter(({ attempt: number, proxyAttempts }) => number === 0 && proxyAttempts === undefined), 1);
    if (attempt === undefined) return undefined;
    const count = chance.whole(1, 2);
    for (let i = 0; i < count; i += 1) write(history, attempt);
    return { unexplained: unexplained + count };
  },
  'written twice by a client\'s repetition': (history, chance, { clientRetry }) => {
    const [attempt] = pick(chance, soleAcknowledged(history).filter(({ attempt: number, proxyAttempts }) => number === 0 && proxyAttempts === undefined), 1);
    if (attempt === undefined) return undefined;
    repeated(history, attempt);
    write(history, attempt);
    return { clientRetry: clientRetry + 1 };
  },
  'written twice by a proxy': (history, chance, { proxyRetry }) => {
    const [attempt] = pick(chance, soleAcknowledged(history).filter(({ attempt: number, proxyAttempts }) => number === 0 && proxyAttempts === undefined), 1);
    if (attempt === undefined) return undefined;
    attempt.proxyAttempts = 2;
    write(history, attempt);
    return { proxyRetry: proxyRetry + 1 };
  },
  'written twice where proxies repeated only what was refused': (history, chance, { unexplained }) => {
    const [attempt] = pick(chance, soleAcknowledged(history).filter(({ attempt: number, proxyAttempts }) => number === 0 && proxyAttempts === undefined), 1);
    if (attempt === undefined) return undefined;
    repeated(history, attempt, { outcome: 'failed', class: 'upstream-refused', proxyAttempts: chance.whole(2, 3) });
    write(history, attempt);
    return { unexplained: unexplained + 1 };
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
    write(history, second);
    second.offset = history.log.at(-1)?.offset ?? 0;
    return { reordered: outOfOrder(history), clientRetry: clientRetry + 1 };
  },
  'record that was never sent': (history, chance) => {
    // Of a run that was ended early its own records may not have been told of.
    const id = chance.one([{ run: 'another', producer: 'p0', seq: 0 }, undefined, ...(history.isCut ? [] : [{ run, producer: 'p0', seq: 99_999 }, { run, producer: 'nobody', seq: 0 }])]);
    append(history, chance.one(partitionsOf(history)) ?? 0, { ...(id ? { id } : {}) });
    return { phantom: 1 };
  },
  'record answered as not written': (history, chance) => {
    const failed = history.attempts.filter((attempt) => attempt.outcome === 'failed' && history.attempts.every((other) => !isSame(other, attempt) || other.outcome === 'failed'));
    const [attempt] = pick(chance, failed, 1);
    if (attempt === undefined) return undefined;
    append(history, 0, { key: attempt.key, id: { run, producer: attempt.producer, seq: attempt.seq } });
    return { phantom: 1 };
  },
  'key changed': (history, chance) => {
    const record = chance.one(told(history));
    if (record === undefined) return undefined;
    record.key = `${record.key} `;
    return { phantom: 1 };
  },
  'key gone': (history, chance) => {
    const record = chance.one(told(history));
    if (record === undefined) return undefined;
    delete record.key;
    return { phantom: 1 };
  },
  'value changed': (history, chance) => {
    const record = chance.one(told(history));
    if (record === undefined) return undefined;
    record.altered = true;
    return { phantom: 1 };
  },
  'changed on the way to a consumer': (history, chance) => {
    const delivery = chance.one(logged(history));
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
    history.deliveries.splice(0, Infinity, ...history.deliveries.filter((delivery) => placeOf(delivery) !== placeOf(second)));
    Object.assign(record ?? {}, { partition: first.partition, offset: first.offset });
    // The place that two claim, and the one that the second was answered. Where it lies now may be below what was answered before it was sent.
    return { offsetMismatch: 2, reordered: outOfOrder(history) };
  },
  'consumer given another record': (history, chance) => {
    const delivery = chance.one(logged(history));
    const other = chance.one(soleAcknowledged(history).filter((attempt) => delivery !== undefined && placeOf(attempt) !== placeOf(delivery)));
    if (delivery === undefined || other === undefined || (delivery.id?.producer === other.producer && delivery.id.seq === other.seq)) return undefined;
    delivery.id = { run, producer: other.producer, seq: other.seq };
    consumeLater(history);
    return { offsetMismatch: 1 };
  },
  'told twice of one attempt': (history, chance, { unexplained, unackedPresent }) => {
    const [attempt] = pick(chance, soleAcknowledged(history).filter(({ attempt: number, proxyAttempts }) => number === 0 && proxyAttempts === undefined), 1);
    if (attempt === undefined) return undefined;
    history.attempts.push({ ...attempt });
    write(history, attempt);
    return { unexplained: unexplained + 1, unackedPresent };
  },
  ...consumerPlants,
  ...clockPlants,
};
