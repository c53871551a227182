import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../../errors.ts';
import { ApiError } from '../../agent/api.ts';
import type { KubernetesCluster } from './cluster.ts';
import { Failure, type Condition, type Resource } from './model.ts';
import { finished } from './status.ts';

/** Where one pass over a resource ended. */
export type Outcome = { readonly warnings: Condition[]; readonly fields: Record<string, unknown> } & (
  | { readonly state: 'ready' }
  | { readonly state: 'waiting'; readonly waitingFor: string }
  | { readonly state: 'failed'; readonly failure: Failure }
);

/** Times in ms; the real operator's. */
const timing = { wait: 500, again: 120_000, afterFailure: 2000, timeout: 300_000 };

export interface ReconcilerOptions<T extends Resource<unknown>> {
  readonly cluster: KubernetesCluster;
  /** The resource as it is now, by `namespace/name`. */
  find(key: string): T | undefined;
  /** One pass: idempotent, and without waiting. */
  pass(resource: T): Promise<Outcome>;
  /** Kafka says at once that it is being made; others say nothing before the first pass ends. */
  readonly creating?: Condition;
  /** What a resource waits for that is being deleted. Without it all else is the garbage collector's: what was made anew would only be deleted once more. */
  readonly finalizer?: string;
  log(line: string): void;
  readonly signal: AbortSignal;
}

/**
 * Works on each resource by itself: passes until it is ready, failed or out of time, then its status is written; again when it
 * changes, and every 120 s. A change in the middle begins a new reconciliation.
 */
export class Reconciler<T extends Resource<unknown>> {
  readonly #options: ReconcilerOptions<T>;
  readonly #running = new Map<string, { changed: PromiseWithResolvers<undefined> }>();

  constructor(options: ReconcilerOptions<T>) {
    this.#options = options;
  }

  /** Told of every change of a resource, or of something that it reads. */
  changed(key: string): void {
    const running = this.#running.get(key);
    if (running !== undefined) {
      running.changed.resolve(undefined);
      return;
    }
    if (this.#options.find(key) === undefined) return;
    this.#running.set(key, { changed: Promise.withResolvers() });
    void this.#run(key).finally(() => this.#running.delete(key));
  }

  async #run(key: string): Promise<void> {
    const { find, finalizer, signal, log } = this.#options;
    let started = Date.now();
    let generation: number | undefined;
    while (!signal.aborted) {
      // Before the pass, so that a change in the middle of it counts.
      const next = Promise.withResolvers<undefined>();
      const running = this.#running.get(key);
      if (running !== undefined) running.changed = next;
      const resource = find(key);
      if (resource === undefined || isLeftToOthers(resource, finalizer)) return;
      if (resource.metadata.generation !== generation) started = Date.now();
      generation = resource.metadata.generation;
      const pause = await this.#reconcile(resource, started).catch((error: unknown) => {
        log(`${resource.kind} ${key}: ${messageOf(error)}; trying again`);
        return timing.afterFailure;
      });
      if (pause === timing.again) started = Date.now() + timing.again;
      await Promise.race([delay(pause, undefined, { signal }).catch(() => undefined), next.promise]);
    }
  }

  /** @returns how long to wait before the next pass, ms */
  async #reconcile(resource: T, started: number): Promise<number> {
    const { cluster, creating, pass, log } = this.#options;
    if (resource.metadata.annotations?.['strimzi.io/pause-reconciliation'] === 'true') {
      await cluster.writeStatus(resource, { ...resource.status, conditions: [{ type: 'ReconciliationPaused', status: 'True', lastTransitionTime: new Date().toISOString() }] });
      return timing.again;
    }
    if (resource.status?.conditions === undefined && creating !== undefined) {
      await cluster.writeStatus(resource, { conditions: [{ ...creating, lastTransitionTime: new Date().toISOString() }] });
    }
    const outcome = await pass(resource).catch((error: unknown) => asFailed(error));
    const key = `${resource.kind} ${resource.metadata.namespace}/${resource.metadata.name}`;
    if (outcome.state === 'waiting') {
      if (Date.now() - started < timing.timeout) return timing.wait;
      const failure = new Failure('StrimziTimeoutException', `Exceeded timeout of ${String(timing.timeout)}ms while waiting for ${outcome.waitingFor}`);
      if (await cluster.writeStatus(resource, finished(resource, outcome.warnings, outcome.fields, failure))) log(`${key}: ${failure.message}`);
      return timing.wait;
    }
    const failure = outcome.state === 'failed' ? outcome.failure : undefined;
    const news = await cluster.writeStatus(resource, finished(resource, outcome.warnings, outcome.fields, failure));
    if (news) log(`${key}: ${failure === undefined ? 'ready' : `${failure.reason}: ${failure.message}`}`);
    if (failure !== undefined) return timing.afterFailure;
    // The real operator sees its own writing of the status as a change, and so looks at once again.
    return news ? timing.wait : timing.again;
  }
}

function isLeftToOthers({ metadata: { deletionTimestamp, finalizers = [] } }: Resource<unknown>, finalizer: string | undefined): boolean {
  return deletionTimestamp !== undefined && (finalizer === undefined || !finalizers.includes(finalizer));
}

// What the API server refuses for good is said in the resource's status; other trouble passes.
function asFailed(error: unknown): Outcome {
  if (error instanceof ApiError && error.code >= 400 && error.code < 500 && error.code !== 409 && error.code !== 429) {
    return { state: 'failed', warnings: [], fields: {}, failure: new Failure('KubernetesClientException', error.message) };
  }
  throw error;
}
