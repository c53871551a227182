import { setTimeout as delay } from 'node:timers/promises';
import { applyDifference, writeStatus } from './apply.ts';
import type { Failure } from './apply.ts';
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
  let retry: NodeJS.Timeout | undefined;
  const clusters = connections.map((connection) => watchCluster(connection, { onChange, log, signal }));
  void (async () => {
    let told = new Set<string>();
    while (!signal.aborted) {
      if (!state.changed) await new Promise<void>((resolve) => { state.wake = resolve; });
      await delay(debounceMs, undefined, { signal }).catch(() => undefined);
      state.changed = false;
      const allSeen = clusters.every(({ synced }) => synced);
      const failures = await reconcile(clusters, log).catch((error: unknown) => [{ message: error instanceof Error ? error.stack ?? error.message : String(error), refused: false }]);
      for (const { message } of failures) if (!told.has(message)) log(message);
      told = new Set(failures.map(({ message }) => message));
      const again = failures.some(({ refused }) => !refused);
      if (allSeen && !again) state.ready = true;
      clearTimeout(retry);
      if (again) retry = setTimeout(onChange, retryMs).unref();
    }
  })();
  return {
    get ready() {
      return state.ready;
    },
  };
}

async function reconcile(all: readonly WatchedCluster[], log: (line: string) => void): Promise<Failure[]> {
  const seen = all.filter(({ synced }) => synced);
  const objects = seen.flatMap((cluster) => cluster.tsbObjects());
  const clusterObjects = objects.filter(({ kind }) => kind === 'Cluster');
  const facts = seen.flatMap((cluster) => cluster.facts(clusterObjects) ?? []);
  const { wanted, verdicts } = translate({ objects, clusters: facts });
  const prune = seen.length === all.length && facts.length === all.length;
  // A cluster that does not answer holds up nobody: it is brought up to date once it answers again.
  const silent = seen.filter(({ connection }) => connection.silent);
  for (const { connection } of silent) void connection.get('/version').catch(() => undefined);
  const answering = seen.filter((cluster) => !silent.includes(cluster));
  const failures: Failure[] = [...silent.map(({ connection }) => ({ message: `${connection.context} does not answer`, refused: false })), ...(await Promise.all(answering.map((cluster) => applyDifference({
    cluster, prune, log, wanted: wanted.filter((one) => one.cluster.context === cluster.connection.context),
  })))).flat()];
  const written = await Promise.allSettled([...verdicts].map(async ([object, verdict]) => {
    const cluster = answering.find(({ connection }) => connection.context === object.cluster);
    const refusal = failures.find(({ source, refused }) => refused && source === object);
    if (cluster) await writeStatus(cluster, object, refusal ? { ...verdict, state: 'FAILED', message: refusal.message } : verdict);
  }));
  return [...failures, ...written.flatMap((result) => (result.status === 'rejected' && !isGone(result.reason) ? [{ message: String(result.reason), refused: false }] : []))];
}

/** The object was deleted meanwhile: nothing is left to write. */
function isGone(error: unknown): boolean {
  return (error as { status?: unknown } | undefined)?.status === 404;
}
