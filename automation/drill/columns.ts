/**
 * Numbers of a million records without an object for each: plain columns that grow, and numbers by an index that is dense almost
 * everywhere (offsets of a partition, sequence numbers of a producer).
 */

type Column = Float64Array | Int32Array | Uint8Array;

const chunkBits = 10;
const chunkSize = 1 << chunkBits;

/** Puts a number into a column that is as narrow as its numbers allow, and returns that or, where it was too narrow, a wider one: most columns hold nothing but small numbers. */
function put(column: Column, place: number, value: number): Column {
  column[place] = value;
  if (column[place] === value) return column;
  const wider = column instanceof Uint8Array && (value | 0) === value ? Int32Array.from(column) : Float64Array.from(column);
  wider[place] = value;
  return wider;
}

/** A column that grows at its end, chunk by chunk: none of it is ever copied to grow. */
export class Growing {
  readonly #chunks: Column[] = [];
  length = 0;

  push(value: number): void {
    const place = this.length & (chunkSize - 1);
    if (place === 0) this.#chunks.push(new Uint8Array(chunkSize));
    this.length += 1;
    this.set(this.length - 1, value);
  }

  /** 0 beyond the end. */
  at(index: number): number {
    return index < this.length ? this.#chunks[index >> chunkBits]?.[index & (chunkSize - 1)] ?? 0 : 0;
  }

  set(index: number, value: number): void {
    const number = index >> chunkBits;
    const chunk = this.#chunks[number];
    if (chunk !== undefined) this.#chunks[number] = put(chunk, index & (chunkSize - 1), value);
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

/** Whole numbers by any index, 0 where nothing was set. Costs 1 to 4 bytes an index where indices are dense. */
export class Paged {
  readonly #pages = new Map<number, Column>();

  get(index: number): number {
    const page = Math.floor(index / chunkSize);
    return this.#pages.get(page)?.[index - page * chunkSize] ?? 0;
  }

  set(index: number, value: number): void {
    const number = Math.floor(index / chunkSize);
    const page = this.#pages.get(number);
    const written = put(page ?? new Uint8Array(chunkSize), index - number * chunkSize, value);
    if (written !== page) this.#pages.set(number, written);
  }

  /** Each index with a number other than 0, upwards. */
  * entries(): Generator<[index: number, value: number]> {
    for (const number of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const page = this.#pages.get(number) ?? [];
      for (let i = 0; i < page.length; i += 1) {
        const value = page[i] ?? 0;
        if (value !== 0) yield [number * chunkSize + i, value];
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
