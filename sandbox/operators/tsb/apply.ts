import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import { messageOf } from '../../../errors.ts';
import { root, writtenKinds } from './cluster.ts';
import type { WatchedCluster } from './cluster.ts';
import { ApiError } from './connection.ts';
import { installKinds, istioKinds, kinds } from './kinds.ts';
import type { TsbObject, Verdict } from './model.ts';
import { transitional } from './transition.ts';
import type { Wanted, WantedObject } from './translate/objects.ts';

const hashAnnotation = 'tsb-operator/hash';

export interface ApplyOptions {
  readonly cluster: WatchedCluster;
  readonly wanted: readonly Wanted[];
  /** Whether objects that are no longer wanted go: not before every cluster was seen once. */
  readonly prune: boolean;
  readonly log: (line: string) => void;
  /** How long a change takes to every Envoy, in milliseconds. */
  readonly propagationMs?: number;
}

export interface Failure {
  readonly message: string;
  /** The TSB object that wanted it, where one did. */
  readonly source?: TsbObject;
  /** Whether the API server refused the content: trying again would not help. */
  readonly refused: boolean;
}

/** istiod collects changes for a moment, and Envoy takes up new clusters only with their endpoints; a busy machine takes its time for both. */
const usualPropagationMs = 2_000;

/**
 * Brings one cluster to what is wanted; answers what could not be done. New things come first, and what others still point to goes last,
 * so that nothing points into the void meanwhile. A cluster that does not answer is left alone until it does.
 */
export async function applyDifference({ cluster, wanted, prune, log, propagationMs = usualPropagationMs }: ApplyOptions): Promise<Failure[]> {
  const { context } = cluster.connection;
  const live = new Map(cluster.owned().map((object) => [key(object), object]));
  const failures: Failure[] = [];
  const attempt = async (what: string, action: () => Promise<unknown>, source?: TsbObject): Promise<void> => {
    if (cluster.connection.silent) return;
    try {
      await action();
      log(`${context}: ${what}`);
    } catch (error) {
      const message = `${context}: not ${what}: ${messageOf(error)}`;
      failures.push({ message, refused: error instanceof ApiError && error.status === 422, ...(source ? { source } : {}) });
    }
  };
  const put = async ({ object, source }: Pick<Wanted, 'object' | 'source'>): Promise<void> => {
    const hash = createHash('sha256').update(JSON.stringify(object)).digest('hex').slice(0, 16);
    if (isAsApplied(cluster, live.get(key(object)), hash)) return;
    const annotated = { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [hashAnnotation]: hash } } };
    await attempt(`applied ${label(object)}`, async () => {
      const stored = await cluster.connection.apply(path(object), annotated) as KubernetesObject;
      cluster.generations.set(key(object), stored.metadata?.generation ?? 0);
    }, source);
  };
  const ordered = inOrder(wanted);
  const between = new Map(ordered.flatMap(({ object, source }) => {
    const meanwhile = transitional(live.get(key(object)), object);
    return meanwhile === undefined ? [] : [[key(object), { object: meanwhile, source }] as const];
  }));
  for (const meanwhile of between.values()) await put(meanwhile);
  if (between.size > 0) await delay(propagationMs);
  for (const one of ordered) if (!between.has(key(one.object))) await put(one);
  if (between.size > 0) await delay(propagationMs);
  for (const one of ordered) if (between.has(key(one.object))) await put(one);
  const keep = new Set(wanted.map(({ object }) => key(object)));
  for (const [unwanted, object] of prune ? live : []) {
    if (!keep.has(unwanted)) await attempt(`deleted ${label(object)}`, () => cluster.connection.delete(path(object)));
  }
  return failures;
}

/** Istio objects that a person changed are put right again; a gateway's Deployment may be scaled or restarted by hand. */
function isAsApplied({ generations }: WatchedCluster, live: KubernetesObject | undefined, hash: string): boolean {
  if (live?.metadata?.annotations?.[hashAnnotation] !== hash) return false;
  const known = generations.get(key(live));
  return known === undefined || known === live.metadata.generation || !(live.apiVersion ?? '').includes('istio.io');
}

/** Writes the verdict into the object's status, if it does not stand there already. */
export async function writeStatus(cluster: WatchedCluster, object: TsbObject, verdict: Verdict): Promise<void> {
  const status = { ...verdict, observedGeneration: object.metadata.generation ?? 0 };
  const written = (object.status ?? {}) as Record<string, unknown>;
  if (Object.entries(status).every(([field, value]) => JSON.stringify(written[field]) === JSON.stringify(value))) return;
  await cluster.connection.mergePatch(`${path(object)}/status`, { status });
}

function inOrder(wanted: readonly Wanted[]): Wanted[] {
  const rank = (object: WantedObject): number => writtenKinds.findIndex(({ kind, apiVersion }) => kind === object.kind && apiVersion === object.apiVersion);
  return [...wanted].sort((one, other) => rank(one.object) - rank(other.object));
}

function path(object: KubernetesObject): string {
  const known = [...writtenKinds, ...istioKinds, ...kinds, ...installKinds].find(({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind);
  if (known === undefined) throw new Error(`no path for ${object.apiVersion} ${object.kind}`);
  return `${root(known.apiVersion)}/namespaces/${object.metadata?.namespace}/${known.plural}/${object.metadata?.name}`;
}

function key(object: KubernetesObject): string {
  return `${object.apiVersion} ${label(object)}`;
}

function label({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata?.namespace}/${metadata?.name}`;
}
