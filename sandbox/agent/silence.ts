import { mkdirSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Which pods are cut off from everything: the node agent marks them by files, so that the load balancer, another process, knows at once. */
export class SilentPods {
  readonly #dir: string;

  /** @param dir In memory, and the tree's own. */
  constructor(dir = '/run/kbf-silent') {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  /** @param ip The pod's address. */
  mark(ip: string, silent: boolean): void {
    if (silent) writeFileSync(join(this.#dir, ip), '');
    else rmSync(join(this.#dir, ip), { force: true });
  }

  /** Forgets what an agent before this one has marked. */
  clear(): void {
    for (const ip of this.#now()) this.mark(ip, false);
  }

  /** Tells of all of them now and whenever they change, until the signal. */
  watch(changed: (ips: ReadonlySet<string>) => void, signal: AbortSignal): void {
    const tell = () => { changed(new Set(this.#now())); };
    watch(this.#dir, { signal, persistent: false }, tell);
    tell();
  }

  #now(): string[] {
    return readdirSync(this.#dir);
  }
}
