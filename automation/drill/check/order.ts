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
    // Requests are stored as they end, so this is sorted already, or nearly.
    group.sort((a, b) => end.at(a) - end.at(b));
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

/** Acknowledgements by partition, key and producer. */
function groups(ledger: Ledger): Iterable<number[]> {
  const { record, partition } = ledger.acknowledged;
  const byGroup = new Map<number, number[]>();
  for (let i = 0; i < record.length; i += 1) {
    const group = (partition.at(i) * ledger.keys + ledger.keyOf(record.at(i))) * ledger.producers + ledger.producerOf(record.at(i));
    const list = byGroup.get(group);
    if (list === undefined) byGroup.set(group, [i]);
    else list.push(i);
  }
  return byGroup.values();
}
