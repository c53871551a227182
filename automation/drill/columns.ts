/**
 * Numbers of a million records without an object for each: plain columns that grow, and numbers by an index that is dense almost
 * everywhere (offsets of a partition, sequence numbers of a producer).
 */

type Column = Float64Array | Int32Array | Uint8Array;

/** A column that grows at its end. */
export class Growing<C extends Column = Float64Array> {
  #values: C;
  readonly #make: (length: number) => C;
  length = 0;

  constructor(make: (length: number) => C) {
    this.#make = make;
    this.#values = make(1024);
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = this.#make(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length] = value;
    this.length += 1;
  }

  /** 0 beyond the end. */
  at(index: number): number {
    return index < this.length ? this.#values[index] ?? 0 : 0;
  }

  set(index: number, value: number): void {
    this.#values[index] = value;
  }

  /** What it holds, without a copy; of use until the next push. */
  view(): C {
    return this.#values.subarray(0, this.length) as C;
  }
}

export const floats = (): Growing => new Growing((length) => new Float64Array(length));
export const ints = (): Growing<Int32Array> => new Growing((length) => new Int32Array(length));
export const bytes = (): Growing<Uint8Array> => new Growing((length) => new Uint8Array(length));

const pageSize = 1024;

/** Whole numbers by any index, 0 where nothing was set. Costs 4 bytes an index where indices are dense. */
export class Paged {
  readonly #pages = new Map<number, Int32Array>();

  get(index: number): number {
    const page = Math.floor(index / pageSize);
    return this.#pages.get(page)?.[index - page * pageSize] ?? 0;
  }

  set(index: number, value: number): void {
    const number = Math.floor(index / pageSize);
    let page = this.#pages.get(number);
    if (page === undefined) this.#pages.set(number, page = new Int32Array(pageSize));
    page[index - number * pageSize] = value;
  }

  /** Each index with a number other than 0, upwards. */
  * entries(): Generator<[index: number, value: number]> {
    for (const number of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const page = this.#pages.get(number) ?? [];
      for (let i = 0; i < page.length; i += 1) {
        const value = page[i] ?? 0;
        if (value !== 0) yield [number * pageSize + i, value];
      }
    }
  }
}

/** Index of the last of `sorted` (upwards) that is below `limit`, or -1. */
export function lastBelow(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Infinity) < limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
