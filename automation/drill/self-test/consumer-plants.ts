import { afterCommit, answered, giveAgain, lastMs } from './changes.ts';
import { placeOf } from './history.ts';
import type { Plant } from './plants.ts';

/** Damage to what consumers were given and committed. */
export const consumerPlants: Record<string, Plant> = {
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
  'record passed over, and nothing committed': (history, chance) => {
    const record = chance.one(history.log.filter((each) => history.deliveries.some(({ partition, offset }) => partition === each.partition && offset > each.offset)));
    if (record === undefined) return undefined;
    const { partition } = record;
    history.commits = history.commits.filter((commit) => commit.partition !== partition);
    history.committed = Object.fromEntries(Object.entries(history.committed).filter(([number]) => Number(number) !== partition));
    history.deliveries = history.deliveries.filter((delivery) => placeOf(delivery) !== placeOf(record));
    return { skipped: 1 };
  },
  'given again after it was committed': (history, chance) => {
    const commit = chance.one(answered(history));
    const record = commit && chance.one(history.log.filter(({ partition, offset }) => partition === commit.partition && offset < commit.offset));
    if (record === undefined) return undefined;
    giveAgain(history, [record], lastMs(history) + 1);
    return { redeliveredAfterCommit: 1 };
  },
  'given again by a poll at the moment of the commit\'s answer, which is no damage': (history, chance) => {
    const commit = chance.one(answered(history).filter((each) => !answered(history).some((other) => other.partition === each.partition && other.tMs < each.tMs)));
    const record = commit && chance.one(history.log.filter(({ partition, offset }) => partition === commit.partition && offset < commit.offset));
    if (history.mode === 'assign' || record === undefined) return undefined;
    giveAgain(history, [record], commit?.tMs ?? 0);
    return {};
  },
  'taken back to a commit that nobody answered': (history, chance) => {
    const partition = chance.one([...new Set(answered(history).map((commit) => commit.partition))]);
    const own = answered(history).filter((commit) => commit.partition === partition);
    const highest = Math.max(...own.map(({ offset }) => offset));
    if (partition === undefined || highest < 2) return undefined;
    const back = chance.whole(1, highest - 1);
    history.commits.unshift({ consumer: 0, instance: 'first', tMs: 0, partition, offset: back, unanswered: true });
    history.committed[partition] = back;
    const again = history.log.filter((record) => record.partition === partition && record.offset >= back && record.offset < highest);
    giveAgain(history, again, lastMs(history) + 1);
    // Nobody refuses what comes late from consumers with partitions of their own; but these do not begin at what is committed.
    return { redeliveredAfterCommit: again.length, ...(history.mode === 'assign' ? {} : { commitsLost: 1 }) };
  },
  'consumer given all of another\'s partition': (history, chance) => {
    const partition = chance.one([...new Set(history.deliveries.map((delivery) => delivery.partition))]);
    if (history.mode !== 'assign' || partition === undefined) return undefined;
    for (const delivery of history.deliveries.filter((each) => each.partition === partition)) history.deliveries.push({ ...delivery, consumer: 9, instance: 'another', askedMs: (delivery.askedMs ?? 0) + 0.5, tMs: delivery.tMs + 0.5 });
    history.deliveries.sort((a, b) => a.tMs - b.tMs);
    return { redeliveredAfterCommit: afterCommit(history) };
  },
  'commits refused to the end': (history, chance) => {
    const partition = chance.one([...new Set(history.deliveries.map((delivery) => delivery.partition))]);
    if (partition === undefined) return undefined;
    history.commits = history.commits.filter((commit) => commit.partition !== partition);
    history.committed = Object.fromEntries(Object.entries(history.committed).filter(([number]) => Number(number) !== partition));
    history.notCommitted[partition] = '500 not authorized';
    return { uncommitted: 1, redeliveredAfterCommit: afterCommit(history) };
  },
  'commit carried out though it was answered otherwise, which is no damage': (history, chance) => {
    const behind = (partition: number): number => Math.max(...history.deliveries.filter((delivery) => delivery.partition === partition).map(({ offset }) => offset + 1));
    const partition = chance.one(Object.keys(history.committed).map(Number).filter((number) => (history.committed[number] ?? 0) >= behind(number)));
    if (partition === undefined) return undefined;
    history.notCommitted[partition] = '503 remote reset';
    return {};
  },
  'commit gone': (history, chance) => {
    const partition = chance.one([...new Set(answered(history).map((commit) => commit.partition))]);
    // Below every offset that anybody asked to commit.
    const least = Math.min(...history.commits.filter((commit) => commit.partition === partition).map(({ offset }) => offset));
    if (partition === undefined || least === 0) return undefined;
    const kept = chance.whole(0, least - 1);
    if (kept === 0) history.committed = Object.fromEntries(Object.entries(history.committed).filter(([number]) => Number(number) !== partition));
    else history.committed[partition] = kept;
    return { commitsLost: 1 };
  },
};
