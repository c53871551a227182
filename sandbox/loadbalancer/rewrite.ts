/** Changes within this time become one rewrite. */
const gatherMs = 5;
/** One that has failed, as on a full disk, is tried again after this. */
const againMs = 1000;

/** Writes soon after something has changed, once for many changes, and until it succeeds. */
export class Rewrite {
  readonly #write: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(write: () => void) {
    this.#write = write;
  }

  changed(): void {
    if (this.#timer === undefined) this.#runAfter(gatherMs);
  }

  #run(): void {
    this.#timer = undefined;
    try {
      this.#write();
    } catch (error) {
      console.error(`${String(error)}; trying again`);
      this.#runAfter(againMs);
    }
  }

  #runAfter(ms: number): void {
    this.#timer = setTimeout(() => { this.#run(); }, ms);
  }
}
