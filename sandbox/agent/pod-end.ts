import type { ContainerRunner } from './container.ts';

/** The end of one pod's containers: sidecars after those that they serve, all within one grace. A further call can only shorten it. */
export class PodEnd {
  readonly #containers: readonly ContainerRunner[];
  /** By the clock of `performance.now()`. */
  #deadlineMs = Infinity;
  #endsSidecars = false;

  constructor(containers: readonly ContainerRunner[]) {
    this.#containers = containers;
  }

  /** Ends all but the sidecars, and these too when they are ending already. */
  begin(graceSeconds: number): void {
    this.#shorten(graceSeconds);
    for (const container of this.#containers) if (container.kind !== 'sidecar' || this.#endsSidecars) container.stop(graceSeconds);
  }

  /** Ends the sidecars when the containers that they serve have ended, in what is left of the grace then. */
  async endSidecars(graceSeconds: number): Promise<void> {
    this.#shorten(graceSeconds);
    await Promise.all(this.#containers.filter(({ kind }) => kind === 'app').map((container) => container.ended));
    this.#endsSidecars = true;
    const sidecars = this.#containers.filter(({ kind }) => kind === 'sidecar');
    for (const sidecar of sidecars) sidecar.stop((this.#deadlineMs - performance.now()) / 1000);
    await Promise.all(sidecars.map((sidecar) => sidecar.ended));
  }

  #shorten(graceSeconds: number): void {
    this.#deadlineMs = Math.min(this.#deadlineMs, performance.now() + graceSeconds * 1000);
  }
}
