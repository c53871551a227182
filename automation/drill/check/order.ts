import { lastBelow } from '../columns.ts';
import type { Ledger } from './ledger.ts';

export interface Reordered {
  record: number;
  partition: number;
  offset: number;
  /** Highest offset that had been answered, for the same key, before this record was sent. */
  above: number;
}

/**
 * Records are sent over several connections without waiting for each other, so only those pairs have an order where one was
 * answered before the other was sent. Within a partition the later one must then lie above. Producers may be on machines of
 * their own, with clocks of their own, so only records of the same one are compared.
 */
export function* reordered(ledger: Ledger): Generator<Reordered> {
  const { record, partition, offset, sent, end } = ledger.acknowledged;
  for (const group of groups(ledger)) {
    // Requests are stored as they end, so this is sorted already, mostly.
    if (group.some((acknowledgement, i) => i > 0 && end.at(acknowledgement) < end.at(group[i - 1] ?? 0))) group.sort((a, b) => end.at(a) - end.at(b));
    const ends = new Float64Array(group.length);
    const highest = new Float64Array(group.length);
    let last = -1;
    group.forEach((acknowledgement, i) => {
      ends[i] = end.at(acknowledgement);
      last = Math.max(last, offset.at(acknowledgement));
      highest[i] = last;
    });
    for (const acknowledgement of group) {
      const above = highest[lastBelow(ends, sent.at(acknowledgement))] ?? -1;
      if (offset.at(acknowledgement) > above) continue;
      yield { record: record.at(acknowledgement), partition: partition.at(acknowledgement), offset: offset.at(acknowledgement), above };
    }
  }
}

/** Acknowledgements by partition, key and producer, each in the order of the file. */
function* groups(ledger: Ledger): Generator<Int32Array> {
  const { record, partition } = ledger.acknowledged;
  const numbers = new Map<number, number>();
  const groupOf = new Int32Array(record.length);
  const ends: number[] = [];
  for (let i = 0; i < record.length; i += 1) {
    const group = (partition.at(i) * ledger.keys + ledger.keyOf(record.at(i))) * ledger.producers + ledger.producerOf(record.at(i));
    let number = numbers.get(group);
    if (number === undefined) numbers.set(group, number = numbers.size);
    groupOf[i] = number;
    ends[number] = (ends[number] ?? 0) + 1;
  }
  // All of them in one array, a group behind the other.
  for (let number = 1; number < ends.length; number += 1) ends[number] = (ends[number] ?? 0) + (ends[number - 1] ?? 0);
  const members = new Int32Array(record.length);
  const begins = [...ends];
  for (let i = record.length - 1; i >= 0; i -= 1) {
    const number = groupOf[i] ?? 0;
    const place = (begins[number] ?? 0) - 1;
    begins[number] = place;
    members[place] = i;
  }
  for (const [number, end] of ends.entries()) yield members.subarray(begins[number], end);
}
