/**
 * Numbers of a million records without an object for each: plain columns that grow, and numbers by an index that is dense almost
 * everywhere (offsets of a partition, sequence numbers of a producer).
 */

type Column = Float64Array | Int32Array | Uint8Array;

const chunkBits = 10;
const chunkSize = 1 << chunkBits;

/** A column that grows at its end, chunk by chunk: none of it is ever copied to grow. */
export class Growing<C extends Column = Float64Array> {
  readonly #chunks: C[] = [];
  readonly #make: (length: number) => C;
  length = 0;

  constructor(make: (length: number) => C) {
    this.#make = make;
  }

  push(value: number): void {
    const place = this.length & (chunkSize - 1);
    if (place === 0) this.#chunks.push(this.#make(chunkSize));
    (this.#chunks[this.#chunks.length - 1] as C)[place] = value;
    this.length += 1;
  }

  /** 0 beyond the end. */
  at(index: number): number {
    return index < this.length ? this.#chunks[index >> chunkBits]?.[index & (chunkSize - 1)] ?? 0 : 0;
  }

  set(index: number, value: number): void {
    const chunk = this.#chunks[index >> chunkBits];
    if (chunk !== undefined) chunk[index & (chunkSize - 1)] = value;
  }

  /** A copy, sorted upwards. */
  sorted(): Float64Array {
    const all = new Float64Array(this.length);
    let last = -Infinity;
    let isSorted = true;
    for (let i = 0; i < this.length; i += 1) {
      const value = this.at(i);
      if (value < last) isSorted = false;
      all[i] = last = value;
    }
    return isSorted ? all : all.sort();
  }

  /** Index of the last value that is below `limit`, or -1; the column has to be sorted upwards. */
  lastBelow(limit: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle) < limit) low = middle + 1;
      else high = middle;
    }
    return low - 1;
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
