import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { UserError } from '../../errors.ts';
import type { ClusterInfo } from '../machine/clusters.ts';

/** Which Service has which load balancer address, kept in a file, so that one keeps its address while it lives. */
export class BalancerAddresses {
  readonly #file: string;
  /** By cluster name and the Service's uid. */
  readonly #taken: Record<string, Record<string, string>>;

  /** @throws UserError when the file is there but is not what was written. */
  constructor(file: string) {
    this.#file = file;
    try {
      this.#taken = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>> : {};
    } catch (error) {
      throw new UserError(`${file} is not readable as JSON`, { remedy: 'Remove it: all load balancer addresses are then given anew.', cause: error });
    }
  }

  /** The Service's address, 10.x.0.1 up. @throws Error when none is left. */
  of(cluster: Pick<ClusterInfo, 'name' | 'loadBalancerCidr'>, uid: string): string {
    const taken = this.#taken[cluster.name] ??= {};
    const known = taken[uid];
    if (known !== undefined) return known;
    const prefix = cluster.loadBalancerCidr.split('.').slice(0, 2).join('.');
    const used = new Set(Object.values(taken));
    for (let n = 1; n < 65_000; n++) {
      const address = `${prefix}.${Math.floor(n / 250)}.${1 + (n - 1) % 250}`;
      if (used.has(address)) continue;
      taken[uid] = address;
      this.#save();
      return address;
    }
    throw new Error(`no load balancer address is left in ${cluster.name}`);
  }

  /** Gives back the addresses of all Services but these. */
  keepOnly(cluster: Pick<ClusterInfo, 'name'>, uids: ReadonlySet<string>): void {
    const taken = this.#taken[cluster.name] ?? {};
    const kept = Object.entries(taken).filter(([uid]) => uids.has(uid));
    if (kept.length === Object.keys(taken).length) return;
    this.#taken[cluster.name] = Object.fromEntries(kept);
    this.#save();
  }

  #save(): void {
    const draft = `${this.#file}.tmp`;
    writeFileSync(draft, JSON.stringify(this.#taken, null, 2) + '\n', { mode: 0o600 });
    renameSync(draft, this.#file);
  }
}
