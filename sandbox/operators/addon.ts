import { readFile } from 'node:fs/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import type { ClusterInfo } from '../machine/clusters.ts';
import type { ToolPaths } from '../toolchain/index.ts';

/** What an add-on knows about the sandbox and the cluster that it is installed in. */
export interface AddonContext {
  readonly clusters: readonly ClusterInfo[];
  readonly cluster: ClusterInfo;
  readonly tools: ToolPaths;
  /** A kubeconfig (YAML) for one cluster by its address inside the sandbox, as cluster-admin: for Secrets that onboard it elsewhere. */
  kubeconfigFor(cluster: ClusterInfo): string;
}

/** What an operator's chart would have installed: definitions, an operator's Deployment, its rights. */
export interface Addon {
  readonly name: string;
  for(cluster: ClusterInfo): boolean;
  /**
   * All objects, in any order: CustomResourceDefinitions are applied first and awaited, then Namespaces, then the rest in the
   * order given, by server-side apply; Deployments are awaited Available.
   */
  objects(context: AddonContext): Promise<KubernetesObject[]>;
}

const read = new Map<string, Promise<KubernetesObject[]>>();

/** The objects in a YAML file of several documents. Parsing one takes up to a second of processor time, so it is done once for all clusters. */
export function readManifests(file: string): Promise<KubernetesObject[]> {
  const objects = read.get(file) ?? readFile(file, 'utf8').then((text) =>
    parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject | null).filter((object) => object !== null));
  read.set(file, objects);
  return objects;
}
