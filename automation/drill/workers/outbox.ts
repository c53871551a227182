import { setTimeout as delay } from 'node:timers/promises';

/** Nobody can wait longer than this for what is left to say at the end. */
const lastForMs = 60_000;

/** Says one thing after the other, each until it was heard, so that what is said arrives in order and whole, and some of it perhaps twice. */
export class Outbox<T> {
  readonly #send: (message: T) => Promise<boolean>;
  readonly #waiting: T[] = [];
  #running: Promise<void> | undefined;
  #deadline = Infinity;

  /** `send` resolves to whether the message certainly arrived. */
  constructor(send: (message: T) => Promise<boolean>) {
    this.#send = send;
  }

  say(message: T): void {
    this.#waiting.push(message);
    this.#running ??= this.#run();
  }

  /** Resolves when all was said, to true; or when that took too long, to false. */
  async empty(): Promise<boolean> {
    this.#deadline = performance.now() + lastForMs;
    await this.#running;
    return this.#waiting.length === 0;
  }

  async #run(): Promise<void> {
    for (let pauseMs = 100; performance.now() < this.#deadline;) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      if (await this.#send(next)) {
        this.#waiting.shift();
        pauseMs = 100;
      } else {
        await delay(pauseMs);
        pauseMs = Math.min(1_000, pauseMs * 2);
      }
    }
    this.#running = undefined;
  }
}
