/**
 * Lets so many requests at a time have a connection; the others wait in the order they came. The HTTP client has a queue of its own, but a
 * request that gives up there is only dropped, and at the price of its connection, when its turn comes: after a stall longer than the timeout the
 * queue holds nothing but such requests, and every connection is spent on them.
 */
export class Lanes {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(size: number) {
    this.#free = size;
  }

  /** Calls `start` as soon as there is a lane, now or later. What is returned gives the lane, or the place in the queue, up; call it once. */
  enter(start: () => void): () => void {
    if (this.#free > 0) {
      this.#free -= 1;
      start();
    } else {
      this.#waiting.add(start);
    }
    return () => {
      if (!this.#waiting.delete(start)) this.#leave();
    };
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
    } else {
      this.#waiting.delete(next);
      next();
    }
  }
}
