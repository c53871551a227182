import { Paged } from '../columns.ts';

export interface Place {
  partition: number;
  offset: number;
}

/** Stands for a record that no client of the run sent. */
export const foreign = -1;

/** Which record lies where in the log. Offsets begin near 0 and have few holes, so a place costs 5 bytes. */
export class Places {
  /** By offset: the record's number + 2, so that a foreign one is 1, and nothing is 0. */
  readonly #partitions = new Map<number, Paged>();
  readonly #copies = new Paged();
  /** Records that clash with an earlier one at their place. */
  readonly #clashes: { place: Place; record: number }[] = [];
  count = 0;

  /** False when something lies there already. */
  put({ partition, offset }: Place, record: number): boolean {
    this.count += 1;
    if (record !== foreign) this.#copies.set(record, this.#copies.get(record) + 1);
    let offsets = this.#partitions.get(partition);
    if (offsets === undefined) this.#partitions.set(partition, offsets = new Paged());
    if (offsets.get(offset) !== 0) {
      this.#clashes.push({ place: { partition, offset }, record });
      return false;
    }
    offsets.set(offset, record + 2);
    return true;
  }

  /** The record there, `foreign`, or undefined where there is nothing. */
  at({ partition, offset }: Place): number | undefined {
    const stored = this.#partitions.get(partition)?.get(offset) ?? 0;
    return stored === 0 ? undefined : stored - 2;
  }

  /** Whether the record, or one that claims the same place, lies there. */
  holds(place: Place, record: number): boolean {
    return this.at(place) === record
      || this.#clashes.some((clash) => clash.record === record && clash.place.partition === place.partition && clash.place.offset === place.offset);
  }

  copiesOf(record: number): number {
    return this.#copies.get(record);
  }

  /** Where each of the records lies. Looks through all of the log. */
  placesOf(records: ReadonlySet<number>): Map<number, Place[]> {
    const found = new Map([...records].map((record): [number, Place[]] => [record, []]));
    if (records.size === 0) return found;
    for (const { partition, offsets } of this.all()) offsets.forEach((offset, stored) => { found.get(stored - 2)?.push({ partition, offset }); });
    for (const { place, record } of this.#clashes) found.get(record)?.push(place);
    return found;
  }

  get partitions(): Iterable<number> {
    return this.#partitions.keys();
  }

  /** Offsets in use of each partition, upwards. */
  all(): { partition: number; offsets: Pick<Paged, 'forEach'> }[] {
    return [...this.#partitions].sort(([a], [b]) => a - b).map(([partition, offsets]) => ({ partition, offsets }));
  }
}

export function placeOf({ partition, offset }: Place): string {
  return `partition ${partition} offset ${offset}`;
}
