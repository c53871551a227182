import type { Commit, Delivery, LogRecord } from '../records.ts';
import type { Chance } from './chance.ts';

interface Consumed {
  deliveries: Delivery[];
  commits: Commit[];
  /** What Kafka has as committed at the end. */
  committed: Record<number, number>;
  undelivered: number;
}

interface Late {
  arrivesMs: number;
  partition: number;
  offset: number;
}

interface Member {
  instance: string;
  freeMs: number;
  /** Where it goes on, by partition that it owns. */
  positions: Map<number, number>;
}

/**
 * Consumers of one group: they poll, commit what they got, lose commits or their answers, commit late without knowing, lose themselves and are made anew, and hand partitions over. Whoever
 * owns a partition anew begins at what is committed, so records are given again, but none is passed over.
 */
export function consume(chance: Chance, log: readonly LogRecord[], { partitions, writtenMs }: { partitions: number; writtenMs: readonly number[] }): Consumed {
  const done: Consumed = { deliveries: [], commits: [], committed: {}, undelivered: 0 };
  const members = Array.from({ length: chance.whole(1, 3) }, (_, i): Member => ({ instance: `c${i}-0`, freeMs: chance.number(0, 100), positions: new Map() }));
  const byPartition = Array.from({ length: partitions }, (_, partition) => log.flatMap((record, i) => (record.partition === partition ? [{ record, atMs: writtenMs[i] ?? 0 }] : [])));
  assign();
  const untilMs = chance.of(0.2) ? chance.number(0, Math.max(0, ...writtenMs)) : Infinity;
  const given = new Set<string>();
  let late: Late[] = [];
  for (let round = 0; round < 1000; round += 1) {
    const index = members.reduce((earliest, { freeMs }, i) => (freeMs < (members[earliest]?.freeMs ?? 0) ? i : earliest), 0);
    const member = members[index];
    if (member === undefined || member.freeMs > untilMs || given.size === log.length) break;
    late = arrive(late, done.committed, member.freeMs);
    if (chance.of(0.03)) assign();
    if (chance.of(0.06)) {
      member.instance = `c${index}-${round}`;
      for (const partition of member.positions.keys()) member.positions.set(partition, done.committed[partition] ?? 0);
    }
    poll(member, index);
  }
  arrive(late, done.committed, Number.MAX_VALUE);
  for (const list of [done.deliveries, done.commits]) list.sort((a, b) => a.tMs - b.tMs);
  done.undelivered = log.length - given.size;
  return done;

  /** A rebalance waits for all: who commits for a partition has been answered before another owns it. */
  function assign(): void {
    const atMs = Math.max(...members.map(({ freeMs }) => freeMs));
    for (const member of members) member.freeMs = atMs;
    const owners = byPartition.map(() => chance.whole(0, members.length - 1));
    for (const [i, { positions }] of members.entries()) {
      const kept = new Map(positions);
      positions.clear();
      for (const [partition, owner] of owners.entries()) if (owner === i) positions.set(partition, (chance.of(0.5) ? kept.get(partition) : undefined) ?? done.committed[partition] ?? 0);
    }
  }

  function poll(member: Member, consumer: number): void {
    const askedMs = member.freeMs;
    const tMs = askedMs + chance.number(1, 300);
    const next = new Map<number, number>();
    for (const [partition, from] of member.positions) {
      const batch = (byPartition[partition] ?? []).filter(({ record, atMs }) => record.offset >= from && atMs < tMs).slice(0, chance.whole(1, 12));
      for (const { record } of batch) {
        done.deliveries.push({ consumer, instance: member.instance, askedMs, tMs, partition, offset: record.offset, ...(record.id ? { id: record.id } : {}) });
        given.add(`${partition} ${record.offset}`);
      }
      const last = batch.at(-1);
      if (last !== undefined) next.set(partition, last.record.offset + 1);
    }
    const answeredMs = tMs + chance.number(1, 60);
    member.freeMs = answeredMs + chance.number(0, 200);
    for (const [partition, offset] of next) member.positions.set(partition, offset);
    if (next.size === 0 || chance.of(0.15)) return;
    const isAnswered = !chance.of(0.2);
    // What nobody answered may be lost, or held back on its way.
    const arrivesMs = isAnswered || chance.of(0.4) ? tMs : chance.of(0.5) ? Infinity : tMs + chance.number(100, 2000);
    for (const [partition, offset] of next) {
      if (arrivesMs === tMs) done.committed[partition] = offset;
      else late.push({ arrivesMs, partition, offset });
      done.commits.push({ consumer, instance: member.instance, partition, offset, ...(isAnswered ? { tMs: answeredMs } : { tMs, unanswered: true }) });
    }
  }
}

/** What has come to Kafka by then is committed, in the order in which it came. Returns what has not. */
function arrive(late: readonly Late[], committed: Record<number, number>, byMs: number): Late[] {
  const come = late.filter(({ arrivesMs }) => arrivesMs <= byMs).sort((a, b) => a.arrivesMs - b.arrivesMs);
  for (const { partition, offset } of come) committed[partition] = offset;
  return late.filter(({ arrivesMs }) => arrivesMs > byMs);
}
