/**
 * Numbers of a million records without an object for each: plain columns that grow, and numbers by an index that is dense almost
 * everywhere (offsets of a partition, sequence numbers of a producer). Each has one type of array, whatever it holds: a column that was as narrow as
 * its numbers allow took two thirds of the memory, and three times as long for each number.
 */

const pageBits = 10;
const pageSize = 1 << pageBits;

/** A column that grows at its end. What it has room for beyond that takes no memory until it is written. */
export class Growing {
  #column = new Float64Array(16);
  length = 0;

  push(value: number): void {
    if (this.length === this.#column.length) this.#grow();
    this.#column[this.length] = value;
    this.length += 1;
  }

  /** What it had before is free at once, as garbage of that size would stay for long. */
  #grow(): void {
    this.#column = new Float64Array(this.#column.buffer.transfer(2 * this.#column.byteLength));
  }

  /** 0 beyond the end. */
  at(index: number): number {
    return this.#column[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.#column[index] = value;
  }

  /** All of it, sorted upwards: to be read, before more is put in. */
  sorted(): Float64Array {
    const all = this.#column.subarray(0, this.length);
    for (let i = 1; i < all.length; i += 1) if ((all[i - 1] as number) > (all[i] as number)) return all.toSorted();
    return all;
  }

  /** Index of the last value that is below `limit`, or -1; the column has to be sorted upwards. */
  lastBelow(limit: number): number {
    return lastBelow(this.#column, limit, this.length);
  }
}

/** Whole numbers (of 31 bits) by any index, 0 where nothing was set. Costs 4 bytes an index where indices are dense. */
export class Paged {
  readonly #pages = new Map<number, Int32Array>();
  /** The page that was asked for last, which mostly is the next one, too. */
  #number = NaN;
  #page: Int32Array = none;

  get(index: number): number {
    const number = Math.floor(index / pageSize);
    if (number !== this.#number) this.#turnTo(number);
    return this.#page[index - number * pageSize] ?? 0;
  }

  set(index: number, value: number): void {
    const number = Math.floor(index / pageSize);
    if (number !== this.#number) this.#turnTo(number);
    if (this.#page === none) this.#pages.set(number, this.#page = new Int32Array(pageSize));
    this.#page[index - number * pageSize] = value;
  }

  #turnTo(number: number): void {
    this.#number = number;
    this.#page = this.#pages.get(number) ?? none;
  }

  /** Each index with a number other than 0, upwards. */
  forEach(visit: (index: number, value: number) => void): void {
    for (const [number, page] of [...this.#pages].sort(([a], [b]) => a - b)) {
      for (let i = 0; i < pageSize; i += 1) {
        const value = page[i] as number;
        if (value !== 0) visit(number * pageSize + i, value);
      }
    }
  }
}

const none = new Int32Array(0);

/** Index of the last of `sorted` (upwards, as far as `length`) that is below `limit`, or -1. */
export function lastBelow(sorted: Float64Array, limit: number, length = sorted.length): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Infinity) < limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
