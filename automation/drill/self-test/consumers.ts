import type { ConsumersPlan } from '../plan.ts';
import type { Commit, Delivery, LogRecord } from '../records.ts';
import type { Chance } from './chance.ts';

interface Consumed {
  mode: ConsumersPlan['mode'];
  deliveries: Delivery[];
  commits: Commit[];
  /** What Kafka has as committed at the end. */
  committed: Record<number, number>;
}

interface Late {
  arrivesMs: number;
  partition: number;
  offset: number;
}

interface Member {
  consumer: number;
  instance: string;
  freeMs: number;
  /** Its instance has to be made anew. */
  isLost: boolean;
  /** Where it goes on, by partition that it owns. */
  positions: Map<number, number>;
}

/**
 * Consumers: they poll, commit what they got, lose commits or their answers, commit late without knowing, lose themselves and are made anew. Members of a group hand partitions over, and whoever
 * owns one anew begins at what is committed, so records are given again, but none is passed over; what comes late for it from the one before is refused. Those with partitions of
 * their own go on where they were, and what comes late is taken whenever that is.
 */
export function consume(chance: Chance, log: readonly LogRecord[], { partitions, writtenMs }: { partitions: number; writtenMs: readonly number[] }): Consumed {
  const done: Consumed = { mode: chance.of(0.3) ? 'assign' : 'subscribe', deliveries: [], commits: [], committed: {} };
  const members = Array.from({ length: chance.whole(1, 3) }, (_, consumer): Member => ({ consumer, instance: `c${consumer}-0`, freeMs: chance.number(0, 100), isLost: false, positions: new Map() }));
  const byPartition = Array.from({ length: partitions }, (_, partition) => log.flatMap((record, i) => (record.partition === partition ? [{ record, atMs: writtenMs[i] ?? 0 }] : [])));
  let late: Late[] = [];
  if (done.mode === 'subscribe') assign();
  else for (const partition of byPartition.keys()) members[partition % members.length]?.positions.set(partition, 0);
  const untilMs = chance.of(0.2) ? chance.number(0, Math.max(0, ...writtenMs)) : Infinity;
  const given = new Set<LogRecord>();
  for (let round = 0; round < 1000; round += 1) {
    const member = members.reduce((earliest, each) => (each.freeMs < earliest.freeMs ? each : earliest));
    if (member.freeMs > untilMs || given.size === log.length) break;
    late = arrive(late, done.committed, member.freeMs);
    if (done.mode === 'subscribe' && chance.of(0.03)) assign();
    if (member.isLost || chance.of(0.03)) late = replace(member, `c${member.consumer}-${round}`, done, late);
    poll(member);
  }
  arrive(late, done.committed, Number.MAX_VALUE);
  for (const list of [done.deliveries, done.commits]) list.sort((a, b) => a.tMs - b.tMs);
  return done;

  /** A rebalance waits for all: who commits for a partition has been answered before another owns it. */
  function assign(): void {
    const atMs = Math.max(...members.map(({ freeMs }) => freeMs));
    for (const member of members) member.freeMs = atMs;
    arrive(late, done.committed, atMs);
    late = [];
    const owners = byPartition.map(() => chance.whole(0, members.length - 1));
    for (const [i, { positions }] of members.entries()) {
      const kept = new Map(positions);
      positions.clear();
      for (const [partition, owner] of owners.entries()) if (owner === i) positions.set(partition, (chance.of(0.5) ? kept.get(partition) : undefined) ?? done.committed[partition] ?? 0);
    }
  }

  function poll(member: Member): void {
    const { consumer, freeMs: askedMs } = member;
    const tMs = askedMs + chance.number(1, 300);
    const next = new Map<number, number>();
    for (const [partition, from] of member.positions) {
      const batch = (byPartition[partition] ?? []).filter(({ record, atMs }) => record.offset >= from && atMs < tMs).slice(0, chance.whole(1, 12));
      for (const { record: { offset, id } } of batch) done.deliveries.push({ consumer, instance: member.instance, askedMs, tMs, partition, offset, ...(id ? { id } : {}) });
      for (const { record } of batch) given.add(record);
      const last = batch.at(-1);
      if (last !== undefined) next.set(partition, last.record.offset + 1);
    }
    const answeredMs = tMs + chance.number(1, 60);
    member.freeMs = answeredMs + chance.number(0, 200);
    for (const [partition, offset] of next) member.positions.set(partition, offset);
    if (next.size === 0 || chance.of(0.15)) return;
    const isAnswered = !chance.of(0.2);
    // What nobody answered costs its consumer the instance. It may be lost, or held back on its way.
    if (!isAnswered) Object.assign(member, { isLost: true, freeMs: member.freeMs + chance.number(0, 1000) });
    const arrivesMs = isAnswered || chance.of(0.4) ? tMs : chance.of(0.5) ? Infinity : tMs + chance.number(100, 2000);
    for (const [partition, offset] of next) {
      if (arrivesMs === tMs) done.committed[partition] = offset;
      else late.push({ arrivesMs, partition, offset });
      done.commits.push({ consumer, instance: member.instance, partition, offset, ...(isAnswered ? { tMs: answeredMs } : { tMs, unanswered: true }) });
    }
  }
}

/** Makes its instance anew. Returns what may still come late: a group that gave its partitions to another refuses what comes for them from the one before. */
function replace(member: Member, instance: string, { mode, committed }: Consumed, late: readonly Late[]): Late[] {
  Object.assign(member, { instance, isLost: false });
  if (mode === 'assign') return [...late];
  for (const partition of member.positions.keys()) member.positions.set(partition, committed[partition] ?? 0);
  return late.filter(({ partition }) => !member.positions.has(partition));
}

/** What has come to Kafka by then is committed, in the order in which it came. Returns what has not. */
function arrive(late: readonly Late[], committed: Record<number, number>, byMs: number): Late[] {
  const come = late.filter(({ arrivesMs }) => arrivesMs <= byMs).sort((a, b) => a.arrivesMs - b.arrivesMs);
  for (const { partition, offset } of come) committed[partition] = offset;
  return late.filter(({ arrivesMs }) => arrivesMs > byMs);
}
