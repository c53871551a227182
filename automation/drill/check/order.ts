import { lastBelow } from '../columns.ts';
import type { Ledger } from './ledger.ts';

export interface Reordered {
  record: number;
  partition: number;
  offset: number;
  /** Highest offset that had been answered, for the same key, before this record was sent. */
  above: number;
}

/** A record, or a copy of one, whose client does not know that it lies there. */
export interface Untold {
  record: number;
  partition: number;
  offset: number;
}

/**
 * Records are sent over several connections without waiting for each other, so only those pairs have an order where one was
 * answered before the other was sent. Within a partition the later one must then lie above. Producers may be on machines of
 * their own, with clocks of their own, so only records of the same one are compared. Where nobody was told of a place it is the log that tells it: the record came there after it was first sent.
 */
export function* reordered(ledger: Ledger, untold: readonly Untold[]): Generator<Reordered> {
  const { record, partition, offset, sent, end } = ledger.acknowledged;
  const groupOf = (number: number, of: number): number => (of * ledger.keys + ledger.keyOf(number)) * ledger.producers + ledger.producerOf(number);
  const others = Map.groupBy(untold, (each) => groupOf(each.record, each.partition));
  for (const { key, members: group } of groups(ledger, groupOf)) {
    // Requests are stored as they end, so this is sorted already, mostly.
    if (group.some((acknowledgement, i) => i > 0 && end.at(acknowledgement) < end.at(group[i - 1] ?? 0))) group.sort((a, b) => end.at(a) - end.at(b));
    const ends = new Float64Array(group.length);
    const highest = new Float64Array(group.length);
    let last = -1;
    const below: number[] = [];
    for (let i = 0; i < group.length; i += 1) {
      const acknowledgement = group[i] as number;
      ends[i] = end.at(acknowledgement);
      // Most lie above all that were answered before them, and so above those that were answered before they were sent.
      if (offset.at(acknowledgement) > last) last = offset.at(acknowledgement);
      else below.push(acknowledgement);
      highest[i] = last;
    }
    for (const acknowledgement of below) {
      const above = highest[lastBelow(ends, sent.at(acknowledgement))] ?? -1;
      if (offset.at(acknowledgement) > above) continue;
      yield { record: record.at(acknowledgement), partition: partition.at(acknowledgement), offset: offset.at(acknowledgement), above };
    }
    for (const other of others.get(key) ?? []) {
      const above = highest[lastBelow(ends, ledger.issuedOf(other.record))] ?? -1;
      if (other.offset < above) yield { ...other, above };
    }
  }
}

/** Acknowledgements by partition, key and producer, each in the order of the file. */
function* groups({ acknowledged: { record, partition } }: Ledger, groupOf: (record: number, partition: number) => number): Generator<{ key: number; members: Int32Array }> {
  const numbers = new Map<number, number>();
  const numberOf = new Int32Array(record.length);
  const ends: number[] = [];
  for (let i = 0; i < record.length; i += 1) {
    const group = groupOf(record.at(i), partition.at(i));
    let number = numbers.get(group);
    if (number === undefined) numbers.set(group, number = numbers.size);
    numberOf[i] = number;
    ends[number] = (ends[number] ?? 0) + 1;
  }
  // All of them in one array, a group behind the other.
  for (let number = 1; number < ends.length; number += 1) ends[number] = (ends[number] ?? 0) + (ends[number - 1] ?? 0);
  const members = new Int32Array(record.length);
  const begins = [...ends];
  for (let i = record.length - 1; i >= 0; i -= 1) {
    const number = numberOf[i] ?? 0;
    const place = (begins[number] ?? 0) - 1;
    begins[number] = place;
    members[place] = i;
  }
  for (const [key, number] of numbers) yield { key, members: members.subarray(begins[number], ends[number]) };
}
