import { createHash } from 'node:crypto';
import type { KubernetesObject } from '@kubernetes/client-node';
import { root, writtenKinds } from './cluster.ts';
import type { WatchedCluster } from './cluster.ts';
import { installKinds, istioKinds, kinds } from './kinds.ts';
import type { TsbObject, Verdict } from './model.ts';
import type { WantedObject } from './translate/objects.ts';

const hashAnnotation = 'tsb-operator/hash';

export interface ApplyOptions {
  readonly cluster: WatchedCluster;
  readonly wanted: readonly WantedObject[];
  /** Whether objects that are no longer wanted go: not before every cluster was seen once. */
  readonly prune: boolean;
  readonly log: (line: string) => void;
}

/** Brings one cluster to what is wanted; answers what could not be done. New things come first, so that nothing points into the void. */
export async function applyDifference({ cluster, wanted, prune, log }: ApplyOptions): Promise<string[]> {
  const { context } = cluster.connection;
  const live = new Map(cluster.owned().map((object) => [key(object), object]));
  const failures: string[] = [];
  const attempt = async (what: string, action: () => Promise<unknown>): Promise<void> => {
    try {
      await action();
      log(`${context}: ${what}`);
    } catch (error) {
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const object of inOrder(wanted)) {
    const hash = createHash('sha256').update(JSON.stringify(object)).digest('hex').slice(0, 16);
    if (live.get(key(object))?.metadata?.annotations?.[hashAnnotation] === hash) continue;
    const annotated = { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [hashAnnotation]: hash } } };
    await attempt(`applied ${label(object)}`, () => cluster.connection.apply(path(object), annotated));
  }
  const keep = new Set(wanted.map(key));
  for (const [unwanted, object] of prune ? live : []) {
    if (!keep.has(unwanted)) await attempt(`deleted ${label(object)}`, () => cluster.connection.delete(path(object)));
  }
  return failures;
}

/** Writes the verdict into the object's status, if it does not stand there already. */
export async function writeStatus(cluster: WatchedCluster, object: TsbObject, verdict: Verdict): Promise<void> {
  const status = { ...verdict, observedGeneration: object.metadata.generation ?? 0 };
  const written = (object.status ?? {}) as Record<string, unknown>;
  if (Object.entries(status).every(([field, value]) => JSON.stringify(written[field]) === JSON.stringify(value))) return;
  await cluster.connection.mergePatch(`${path(object)}/status`, { status });
}

function inOrder(wanted: readonly WantedObject[]): WantedObject[] {
  const rank = (object: WantedObject): number => writtenKinds.findIndex(({ kind, apiVersion }) => kind === object.kind && apiVersion === object.apiVersion);
  return [...wanted].sort((one, other) => rank(one) - rank(other));
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
