import { setTimeout as sleep } from 'node:timers/promises';

/** An engine that has not said anything by then is told to stop all the same. */
const silentEngineMs = 10_000;

/**
 * Passes an abort on to the engine as the one SIGINT that it takes for "cancel"; a second would kill it. The engine
 * gets it only once it has spoken: before that it has no handler, and would die with its lock in place, and the
 * Automation API would overlook an abort that comes before its process.
 */
export class EngineStop {
  readonly #controller = new AbortController();
  readonly #done = new AbortController();
  readonly #asked: AbortSignal | undefined;
  #spoke = false;

  constructor(asked: AbortSignal | undefined) {
    this.#asked = asked;
    asked?.addEventListener('abort', this.#onAsked, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  engineSpoke(): void {
    this.#spoke = true;
    if (this.#asked?.aborted === true) this.#controller.abort();
  }

  dispose(): void {
    this.#asked?.removeEventListener('abort', this.#onAsked);
    this.#done.abort();
  }

  readonly #onAsked = (): void => {
    if (this.#spoke) this.#controller.abort();
    else sleep(silentEngineMs, undefined, { signal: this.#done.signal }).then(() => { this.#controller.abort(); }, () => undefined);
  };
}
