/**
 * By how much the clock of another machine is ahead of the driver's, as far as it is known: what was said by the one was heard by the other later, never
 * earlier. Said both ways, that bounds it from both sides; the quickest of many bound it best.
 */
export class Ahead {
  #leastMs = -Infinity;
  #mostMs = Infinity;

  /** What the other said at `saidMs` of its clock, the driver heard at `heardMs` of its own. */
  heard(saidMs: number, heardMs: number): void {
    this.#leastMs = Math.max(this.#leastMs, saidMs - heardMs);
  }

  /** The other heard the driver so long, by both clocks, after it had spoken. */
  told(laterMs: number): void {
    this.#mostMs = Math.min(this.#mostMs, laterMs);
  }

  /** What it is off by that at most, ms; infinite while only one has been heard. */
  get errorMs(): number {
    return Math.abs(this.#mostMs - this.#leastMs) / 2;
  }

  get middleMs(): number {
    return (this.#mostMs + this.#leastMs) / 2;
  }

  /** What is left of it at most where both clocks were to be the same, ms. */
  get mostOffMs(): number {
    return Math.max(Math.abs(this.#leastMs), Math.abs(this.#mostMs));
  }
}
