import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { absoluteParts, completeContexts } from '../config/kubeconfig.ts';
import type { ContextParts } from '../config/kubeconfig.ts';
import type { Configuration } from '../config/schema.ts';
import { UserError } from '../errors.ts';
import { kubeconfigFromGoogle } from './doctor/gke.ts';
import { makeScratch } from './scratch.ts';
import { clustersInSettings } from './usedClusters.ts';
import type { UsedCluster } from './usedClusters.ts';

/** A kubeconfig file that holds every context of a stack's settings. One that was made for this is removed when its owner is done with it. */
export interface DrillKubeconfig extends AsyncDisposable {
  readonly path: string;
}

/**
 * The one file by which a drill reaches its clusters, all of them as the program does: the file that the settings name, or where they name several, or have
 * clusters of GKE, one that is made of them.
 * @param parent where a file that is made has its directory
 * @throws UserError (2) that names the cluster that cannot be reached so
 */
export async function drillKubeconfig(configuration: Configuration, parent: string): Promise<DrillKubeconfig> {
  const used = clustersInSettings(configuration);
  const [file, ...others] = new Set(used.map(({ kubeconfig }) => kubeconfig));
  if (file !== undefined && others.length === 0) return { path: file, [Symbol.asyncDispose]: () => Promise.resolve() };
  const text = JSON.stringify(merged(await Promise.all(used.map((cluster) => reached(cluster, configuration)))));
  await using made = new AsyncDisposableStack();
  const path = join(made.use(await makeScratch(parent)).path, 'kubeconfig');
  await writeFile(path, text, { mode: 0o600 });
  const kept = made.move();
  return { path, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** A context, and what it names. */
interface Reached extends ContextParts {
  readonly context: string;
}

async function reached({ context, kubeconfig, parts: standing }: UsedCluster, { gcp }: Configuration): Promise<Reached> {
  const refused = (why: string, remedy: string): UserError => new UserError(`context ${context} (${standing.join(', ')}) cannot be reached: ${why}`, { exitCode: 2, remedy });
  if (kubeconfig === undefined) {
    const given = await kubeconfigFromGoogle(context, gcp ?? { project: '', clusters: {} });
    if (typeof given !== 'string') throw refused(given.found, given.remedy ?? 'put gcloud on PATH, or name a kubeconfig that holds the context');
    const parts = completeContexts({ text: given }).get(context);
    if (parts === undefined) throw refused('what gcloud gives has no such context with a cluster and a user', 'see: gcloud container clusters get-credentials');
    return { context, ...parts };
  }
  let parts: ContextParts | undefined;
  try {
    parts = completeContexts({ file: kubeconfig }).get(context);
  } catch (error) {
    throw refused(`${kubeconfig}: ${(error as Error).message}`, 'correct the file, or the path of it in the settings');
  }
  if (parts === undefined) throw refused(`${kubeconfig} has no such context with a cluster and a user`, 'complete the file, or name another one in the settings');
  return { context, ...absoluteParts(parts, dirname(kubeconfig)) };
}

/** Two files may have one name for two clusters or users: here each is called as its context. */
function merged(all: readonly Reached[]): object {
  return {
    apiVersion: 'v1', kind: 'Config',
    clusters: all.map(({ context, cluster }) => ({ name: context, cluster })),
    users: all.map(({ context, user }) => ({ name: context, user })),
    contexts: all.map(({ context }) => ({ name: context, context: { cluster: context, user: context } })),
  };
}
