import { V1MicroTime } from '@kubernetes/client-node';
import type { V1Lease } from '@kubernetes/client-node';
import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../errors.ts';
import { fieldManager, statusOf } from './cluster.ts';
import type { Cluster } from './cluster.ts';

/** Where a stack's Lease is. */
export interface LeasePlace {
  context: string;
  namespace: string;
}

export interface LeaseTimes {
  /** A holder that has not renewed for so long is taken for dead. */
  durationMs: number;
  /** Well below the duration, so that a few renewals may fail. */
  renewEveryMs: number;
}

export interface TakeOptions {
  namespace: string;
  /** For a person. */
  holder: string;
  onLost: (why: string) => void;
  /** For how long the holder keeps it from being renewed itself: it lasts so much longer. */
  awayMs?: number;
  signal?: AbortSignal;
}

const times: LeaseTimes = { durationMs: 15_000, renewEveryMs: 3_000 };
const name = 'kbf-drill';

/**
 * That one drill at a time is on a stack, told to every other by a Lease in one of its clusters. A holder that died is found out by watching whether it
 * renews, as clocks of two machines may differ.
 */
export class Lease implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly #holder: string;
  readonly #times: LeaseTimes;
  readonly #ended = new AbortController();
  /** When the last write that succeeded was begun: others count from no later. */
  #renewedMs = 0;
  #renewing: Promise<void> = Promise.resolve();

  private constructor(cluster: Cluster, namespace: string, holder: string, leaseTimes: LeaseTimes) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#holder = holder;
    this.#times = leaseTimes;
  }

  /**
   * Takes it, from a dead holder as well, once that has not renewed it for its duration. `onLost` is told when somebody else has it later, or may have, as it could
   * not be renewed for its duration. Throws a UserError (2) that says who holds it, and (1) where it cannot be asked for.
   */
  static async take(cluster: Cluster, { namespace, holder, onLost, awayMs = 0, signal }: TakeOptions, leaseTimes = times): Promise<Lease> {
    const lease = new Lease(cluster, namespace, holder, { ...leaseTimes, durationMs: leaseTimes.durationMs + awayMs });
    // First, so that of a cluster which does not answer it is said what it was asked for.
    await lease.#read().catch((error: unknown) => {
      if (statusOf(error) !== 403) throw error;
    });
    await cluster.mustAllow(['get', 'create', 'update', 'delete'].map((verb) => ({ verb, group: 'coordination.k8s.io', resource: 'leases', namespace })));
    await lease.#take(signal);
    lease.#renewing = lease.#hold(onLost);
    return lease;
  }

  async #take(signal?: AbortSignal): Promise<void> {
    const { renewEveryMs } = this.#times;
    let seen: V1Lease | undefined;
    let waitUntilMs = 0;
    for (;;) {
      const found = await this.#read();
      if (found === undefined) {
        if (await this.#create()) return;
        continue;
      }
      if (seen !== undefined && !isSame(seen, found)) throw this.#heldBy(found);
      if (seen === undefined) {
        seen = found;
        // All of it, seen by this clock: how old it is already is told by two, and a living holder's renewal may take long.
        waitUntilMs = performance.now() + (found.spec?.leaseDurationSeconds ?? times.durationMs / 1000) * 1000;
      }
      if (performance.now() >= waitUntilMs && await this.#replace(found, 'taken')) return;
      await delay(Math.min(500, renewEveryMs / 4), undefined, { signal });
    }
  }

  #heldBy({ spec }: V1Lease): UserError {
    return new UserError(`another drill is running on this stack: ${spec?.holderIdentity ?? 'unknown'} (Lease ${this.#namespace}/${name} in cluster ${this.#cluster.context}, just renewed)`,
      { exitCode: 2, remedy: 'wait until it has ended' });
  }

  /** Renews it until it is given up. Of a cluster that does not answer nobody knows whether it answers others, who may take it over when its time is up. */
  async #hold(onLost: (why: string) => void): Promise<void> {
    const lost = (why: string): void => {
      if (this.#ended.signal.aborted) return;
      this.#ended.abort();
      onLost(why);
    };
    const { durationMs } = this.#times;
    // A clock of its own, as a call may take longer than what is left.
    const watch = setInterval(() => {
      if (performance.now() - this.#renewedMs >= durationMs) {
        lost(`Lease ${this.#namespace}/${name} in cluster ${this.#cluster.context} could not be renewed for ${durationMs / 1000} s: another drill may have the stack by now`);
      }
    }, Math.min(500, durationMs / 10));
    try {
      await this.#renew(lost);
    } finally {
      clearInterval(watch);
    }
  }

  async #renew(lost: (why: string) => void): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await delay(this.#times.renewEveryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const found = await this.#read().catch(() => null);
      if (found === null) continue;
      if (found === undefined) {
        await this.#create().catch(() => false);
      } else if (found.spec?.holderIdentity === this.#holder) {
        await this.#replace(found, 'renewed').catch(() => false);
      } else {
        lost(`the stack was taken over by another drill: ${found.spec?.holderIdentity ?? 'unknown'}`);
      }
    }
  }

  async #read(): Promise<V1Lease | undefined> {
    const place = { namespace: this.#namespace, name };
    return await this.#cluster.askFor(`Lease ${place.namespace}/${name} cannot be read`, () => this.#cluster.coordination.readNamespacedLease(place));
  }

  async #create(): Promise<boolean> {
    const namespace = this.#namespace;
    const metadata = { name, namespace, labels: { 'app.kubernetes.io/managed-by': fieldManager } };
    return await this.#write('made', () => this.#cluster.coordination.createNamespacedLease({ namespace, fieldManager, body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: { ...this.#spec(), acquireTime: new V1MicroTime() } } }));
  }

  async #replace(found: V1Lease, what: 'taken' | 'renewed'): Promise<boolean> {
    const spec = { ...found.spec, ...this.#spec(), ...(what === 'taken' ? { acquireTime: new V1MicroTime(), leaseTransitions: (found.spec?.leaseTransitions ?? 0) + 1 } : {}) };
    return await this.#write(what, () => this.#cluster.coordination.replaceNamespacedLease({ namespace: this.#namespace, name, fieldManager, body: { ...found, spec } }));
  }

  #spec(): NonNullable<V1Lease['spec']> {
    return { holderIdentity: this.#holder, leaseDurationSeconds: Math.ceil(this.#times.durationMs / 1000), renewTime: new V1MicroTime() };
  }

  /** False when somebody else was first. */
  async #write(what: string, write: () => Promise<V1Lease>): Promise<boolean> {
    const begunMs = performance.now();
    try {
      await this.#cluster.ask(`Lease ${this.#namespace}/${name} cannot be ${what}`, write);
      this.#renewedMs = begunMs;
      return true;
    } catch (error) {
      if (statusOf(error) === 409) return false;
      throw error;
    }
  }

  /** Lets the next one have it at once. Where that fails, it runs out. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#renewing;
    const found = await this.#read().catch(() => undefined);
    const { uid, resourceVersion } = found?.metadata ?? {};
    if (found?.spec?.holderIdentity !== this.#holder || uid === undefined || resourceVersion === undefined) return;
    await this.#cluster.coordination.deleteNamespacedLease({ namespace: this.#namespace, name, body: { preconditions: { uid, resourceVersion } } }).catch(() => undefined);
  }
}

function isSame(a: V1Lease, b: V1Lease): boolean {
  return a.spec?.holderIdentity === b.spec?.holderIdentity && renewedMs(a) === renewedMs(b);
}

function renewedMs({ spec }: V1Lease): number {
  return spec?.renewTime === undefined ? 0 : new Date(spec.renewTime).getTime();
}
