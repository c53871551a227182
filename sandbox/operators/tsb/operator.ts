import { setTimeout as delay } from 'node:timers/promises';
import { applyDifference, writeStatus } from './apply.ts';
import { watchCluster } from './cluster.ts';
import type { WatchedCluster } from './cluster.ts';
import type { Connection } from './connection.ts';
import { translate } from './translate/index.ts';

export interface OperatorOptions {
  readonly connections: readonly Connection[];
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Operator {
  /** Whether every cluster was seen and brought to what TSB's objects say once. */
  readonly ready: boolean;
}

/** Changes come in bursts (a whole `pulumi up`): this long a burst is waited for before translating, in milliseconds. */
const debounceMs = 20;
/** After a failure everything is tried again, in milliseconds. */
const retryMs = 1000;

/** Follows TSB's objects in all clusters and keeps the clusters as they say, until the signal. */
export function runOperator({ connections, log, signal }: OperatorOptions): Operator {
  const state: { ready: boolean; changed: boolean; wake: () => void } = { ready: false, changed: true, wake: () => undefined };
  const onChange = (): void => {
    state.changed = true;
    state.wake();
  };
  signal.addEventListener('abort', () => state.wake());
  const clusters = connections.map((connection) => watchCluster(connection, { onChange, log, signal }));
  void (async () => {
    while (!signal.aborted) {
      if (!state.changed) await new Promise<void>((resolve) => { state.wake = resolve; });
      await delay(debounceMs, undefined, { signal }).catch(() => undefined);
      state.changed = false;
      const allSeen = clusters.every(({ synced }) => synced);
      const failures = await reconcile(clusters, log).catch((error: unknown) => [error instanceof Error ? error.stack ?? error.message : String(error)]);
      for (const failure of failures) log(`failed: ${failure}`);
      if (allSeen && failures.length === 0) state.ready = true;
      if (failures.length > 0) setTimeout(onChange, retryMs).unref();
    }
  })();
  return {
    get ready() {
      return state.ready;
    },
  };
}

async function reconcile(all: readonly WatchedCluster[], log: (line: string) => void): Promise<string[]> {
  const seen = all.filter(({ synced }) => synced);
  const objects = seen.flatMap((cluster) => cluster.tsbObjects());
  const clusterObjects = objects.filter(({ kind }) => kind === 'Cluster');
  const facts = seen.flatMap((cluster) => cluster.facts(clusterObjects) ?? []);
  const { wanted, verdicts } = translate({ objects, clusters: facts });
  const prune = seen.length === all.length && facts.length === all.length;
  const failures = await Promise.all(seen.map((cluster) => applyDifference({
    cluster, prune, log, wanted: wanted.filter((one) => one.cluster.context === cluster.connection.context).map(({ object }) => object),
  })));
  const written = await Promise.allSettled([...verdicts].map(async ([object, verdict]) => {
    const cluster = seen.find(({ connection }) => connection.context === object.cluster);
    if (cluster) await writeStatus(cluster, object, verdict);
  }));
  return [...failures.flat(), ...written.flatMap((result) => (result.status === 'rejected' && !isGone(result.reason) ? [String(result.reason)] : []))];
}

/** The object was deleted meanwhile: nothing is left to write. */
function isGone(error: unknown): boolean {
  return (error as { status?: unknown } | undefined)?.status === 404;
}
