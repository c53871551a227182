import { draws } from '../random.ts';

/** Draws one after the other; the same seed gives the same ones. */
export class Chance {
  readonly #draw: (index: number) => number;
  #count = 0;

  constructor(seed: number) {
    this.#draw = draws(seed);
  }

  /** A number of [from, to). */
  number(from: number, to: number): number {
    return from + this.#draw(this.#count++) * (to - from);
  }

  /** A whole number of [from, to]. */
  whole(from: number, to: number): number {
    return Math.floor(this.number(from, to + 1));
  }

  /** True in so many of all cases, 0 to 1. */
  of(share: number): boolean {
    return this.number(0, 1) < share;
  }

  /** Undefined of an empty list. */
  one<T>(list: readonly T[]): T | undefined {
    return list[this.whole(0, list.length - 1)];
  }
}
