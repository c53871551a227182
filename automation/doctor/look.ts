import type { Configuration } from '../../config/schema.ts';
import type { RenderedObject } from '../render/objects.ts';
import type { ApiServer } from './apiServer.ts';
import type { Cluster } from './clusters.ts';
import { Check, type Finding } from './finding.ts';

/** What all checks look at. */
export interface Look {
  readonly configuration: Configuration;
  readonly clusters: readonly Cluster[];
  /** Every object that `up` would write. */
  readonly objects: readonly RenderedObject[];
  /** The fields that the program reads besides: kinds and namespaces by context. */
  readonly reads: readonly { readonly context: string; readonly apiVersion: string; readonly kind: string; readonly namespace: string | undefined }[];
  readonly isSandbox: boolean;
}

/** The API server of a context; undefined where it does not answer. */
export function apiOf({ clusters }: Look, context: string): ApiServer | undefined {
  return clusters.find((cluster) => cluster.context === context)?.api;
}

/** A check of every cluster, all at the same time. Those that do not answer are said not to be checked. */
export async function everyCluster(check: string, { clusters }: Pick<Look, 'clusters'>, judge: (api: ApiServer, check: Check) => Promise<Finding | readonly Finding[]>): Promise<readonly Finding[]> {
  const all = await Promise.all(clusters.map(async ({ context, api }) => {
    const each = new Check(check, context);
    return api === undefined ? [each.unchecked(notAnswering)] : await each.look(() => judge(api, each));
  }));
  return all.flat();
}

/** A finding has said why. */
export const notAnswering = 'its cluster cannot be asked';

/** The objects that a cluster is to have. */
export function objectsIn({ objects }: Pick<Look, 'objects'>, context: string): RenderedObject[] {
  return objects.filter(({ folder }) => folder !== 'gcp' && folder.context === context);
}

export function namespaceOf({ folder }: RenderedObject): string | undefined {
  return folder === 'gcp' ? undefined : folder.namespace;
}
