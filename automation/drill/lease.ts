import { CoordinationV1Api, V1MicroTime } from '@kubernetes/client-node';
import type { V1Lease } from '@kubernetes/client-node';
import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../errors.ts';
import { fieldManager, statusOf } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { forgetHolder, isNoted, noteHolder } from './last-holder.ts';

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
  /** After a renewal that failed. */
  retryEveryMs: number;
  /** A request of a renewal that takes longer is given up: one that hangs must not take the time of the next ones. */
  requestMs: number;
}

export interface TakeOptions {
  namespace: string;
  /** For a person. */
  holder: string;
  onLost: (why: string) => void;
  /** Where the holder keeps its journal. */
  stateDir: string;
  /** For how long the holder keeps it from being renewed itself: it lasts so much longer. */
  awayMs?: number;
  signal?: AbortSignal;
}

/** A Lease that somebody has, or left. Plain JSON: it crosses process boundaries. */
export interface HeldLease extends LeasePlace {
  holder: string;
  /** When it was renewed last, by the holder's clock, ISO 8601. */
  at: string;
}

export interface SeenLease extends HeldLease {
  /** It was just renewed. */
  goesOn: boolean;
}

/** Two requests in a row that hang leave time for another renewal. */
export const times: LeaseTimes = { durationMs: 15_000, renewEveryMs: 3_000, retryEveryMs: 1_000, requestMs: 4_000 };
const name = 'kbf-drill';

/**
 * That one drill at a time is on a stack, told to every other by a Lease in one of its clusters. A holder that died is found out by watching whether it
 * renews, as clocks of two machines may differ.
 */
export class Lease implements AsyncDisposable {
  readonly #cluster: Cluster;
  #api: CoordinationV1Api;
  readonly #namespace: string;
  readonly #holder: string;
  readonly #times: LeaseTimes;
  readonly #stateDir: string;
  #takenFrom: HeldLease | undefined;
  readonly #ended = new AbortController();
  /** When the last write that succeeded was begun: others count from no later. */
  #renewedMs = 0;
  #renewing: Promise<void> = Promise.resolve();

  private constructor(cluster: Cluster, { namespace, holder, stateDir }: Pick<TakeOptions, 'namespace' | 'holder' | 'stateDir'>, leaseTimes: LeaseTimes) {
    this.#cluster = cluster;
    this.#api = cluster.client(CoordinationV1Api);
    this.#namespace = namespace;
    this.#holder = holder;
    this.#times = leaseTimes;
    this.#stateDir = stateDir;
  }

  /**
   * Takes it, from a dead holder as well, once that has not renewed it for its duration. `onLost` is told when somebody else has it later, or may have, as it could
   * not be renewed for its duration. Throws a UserError (2) that says who holds it, and (1) where it cannot be asked for.
   */
  static async take(cluster: Cluster, { namespace, holder, stateDir, onLost, awayMs = 0, signal }: TakeOptions, leaseTimes = times): Promise<Lease> {
    const lease = new Lease(cluster, { namespace, holder, stateDir }, { ...leaseTimes, durationMs: leaseTimes.durationMs + awayMs });
    // First, so that of a cluster which does not answer it is said what it was asked for.
    await lease.#read().catch((error: unknown) => {
      if (statusOf(error) !== 403) throw error;
    });
    await cluster.mustAllow(['get', 'create', 'update', 'delete'].map((verb) => ({ verb, group: 'coordination.k8s.io', resource: 'leases', namespace })));
    await lease.#take(signal);
    await noteHolder(stateDir, holder);
    lease.#api = cluster.client(CoordinationV1Api, { timeoutMs: leaseTimes.requestMs });
    lease.#renewing = lease.#hold(onLost);
    return lease;
  }

  /**
   * Whose it is, and whether that one goes on, without taking it; undefined where there is none. To be asked where the journal of `stateDir` is empty: one that was
   * left by a driver of this very journal has nothing behind it, and is taken away. Throws a UserError where it cannot be asked for.
   */
  static async look(cluster: Cluster, { namespace, stateDir, signal }: Pick<TakeOptions, 'namespace' | 'stateDir' | 'signal'>, leaseTimes = times): Promise<SeenLease | undefined> {
    const lease = new Lease(cluster, { namespace, holder: '', stateDir }, leaseTimes);
    const watched = await lease.#watch(signal);
    if (watched === undefined) return undefined;
    const { found, isRenewed: goesOn } = watched;
    const held = lease.#held(found);
    if (goesOn || !await isNoted(stateDir, held.holder)) return { ...held, goesOn };
    if (await lease.#delete(found)) await forgetHolder(stateDir);
    return undefined;
  }

  /** From whom it was taken, where that one died and its journal is not the one that is kept here. */
  get takenFrom(): HeldLease | undefined {
    return this.#takenFrom;
  }

  async #take(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const watched = await this.#watch(signal);
      signal?.throwIfAborted();
      if (watched === undefined) {
        if (await this.#create()) return;
        continue;
      }
      const { found, isRenewed } = watched;
      if (isRenewed) throw this.#heldBy(found);
      if (!await this.#replace(found, 'taken')) continue;
      const held = this.#held(found);
      if (!await isNoted(this.#stateDir, held.holder)) this.#takenFrom = held;
      return;
    }
  }

  /** Looks until it is renewed or is to be taken for a dead one's; undefined where there is none, or no more. */
  async #watch(signal?: AbortSignal): Promise<{ found: V1Lease; isRenewed: boolean } | undefined> {
    const first = await this.#read();
    if (first === undefined) return undefined;
    // All of it, seen by this clock: how old it is already is told by two, and a living holder's renewal may take long.
    const untilMs = performance.now() + (first.spec?.leaseDurationSeconds ?? times.durationMs / 1000) * 1000;
    for (;;) {
      await delay(Math.min(500, this.#times.renewEveryMs / 4), undefined, { signal });
      const found = await this.#read();
      if (found === undefined) return undefined;
      if (!isSame(first, found)) return { found, isRenewed: true };
      if (performance.now() >= untilMs) return { found, isRenewed: false };
    }
  }

  #held(found: V1Lease): HeldLease {
    return { context: this.#cluster.context, namespace: this.#namespace, holder: found.spec?.holderIdentity ?? 'unknown', at: new Date(renewedMs(found)).toISOString() };
  }

  #heldBy({ spec }: V1Lease): UserError {
    return new UserError(`another drill is running on this stack: ${spec?.holderIdentity ?? 'unknown'} (Lease ${this.#namespace}/${name} in cluster ${this.#cluster.context}, just renewed)`,
      { exitCode: 2, code: 'drill-running', remedy: 'wait until it has ended' });
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
    const { renewEveryMs, retryEveryMs } = this.#times;
    let isRenewed = true;
    while (!signal.aborted) {
      await delay(isRenewed ? renewEveryMs : retryEveryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      isRenewed = await this.#renewOnce(lost).catch(() => false);
    }
  }

  async #renewOnce(lost: (why: string) => void): Promise<boolean> {
    const found = await this.#read();
    if (found === undefined) return await this.#create();
    if (found.spec?.holderIdentity === this.#holder) return await this.#replace(found, 'renewed');
    lost(`the stack was taken over by another drill: ${found.spec?.holderIdentity ?? 'unknown'}`);
    return false;
  }

  async #read(): Promise<V1Lease | undefined> {
    const place = { namespace: this.#namespace, name };
    return await this.#cluster.askFor(`Lease ${place.namespace}/${name} cannot be read`, () => this.#api.readNamespacedLease(place));
  }

  async #create(): Promise<boolean> {
    const namespace = this.#namespace;
    const metadata = { name, namespace, labels: { 'app.kubernetes.io/managed-by': fieldManager } };
    return await this.#write('made', () => this.#api.createNamespacedLease({ namespace, fieldManager, body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: { ...this.#spec(), acquireTime: new V1MicroTime() } } }));
  }

  async #replace(found: V1Lease, what: 'taken' | 'renewed'): Promise<boolean> {
    const spec = { ...found.spec, ...this.#spec(), ...(what === 'taken' ? { acquireTime: new V1MicroTime(), leaseTransitions: (found.spec?.leaseTransitions ?? 0) + 1 } : {}) };
    return await this.#write(what, () => this.#api.replaceNamespacedLease({ namespace: this.#namespace, name, fieldManager, body: { ...found, spec } }));
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
    if (found?.spec?.holderIdentity === this.#holder && await this.#delete(found)) await forgetHolder(this.#stateDir);
  }

  /** As it was found, and no other. @returns whether it is gone */
  async #delete({ metadata: { uid, resourceVersion } = {} }: V1Lease): Promise<boolean> {
    if (uid === undefined || resourceVersion === undefined) return false;
    return await this.#api.deleteNamespacedLease({ namespace: this.#namespace, name, body: { preconditions: { uid, resourceVersion } } }).then(() => true, () => false);
  }
}

function isSame(a: V1Lease, b: V1Lease): boolean {
  return a.spec?.holderIdentity === b.spec?.holderIdentity && renewedMs(a) === renewedMs(b);
}

function renewedMs({ spec }: V1Lease): number {
  return spec?.renewTime === undefined ? 0 : new Date(spec.renewTime).getTime();
}
