import { join } from 'node:path';
import type { ClusterInfo } from '../machine/clusters.ts';
import type { TreeTools } from '../machine/state.ts';
import type { Api } from './api.ts';
import type { Recorder } from './events.ts';
import type { HostParts } from './host-mounts.ts';
import type { ContainerLog } from './logs.ts';
import type { MeshFilters } from './mesh-filters.ts';
import type { AddressPool } from './network.ts';
import type { SilentPods } from './silence.ts';
import type { Pod } from './types.ts';

/** What the parts of one cluster's node share. */
export interface NodeContext {
  readonly cluster: ClusterInfo;
  readonly nodeName: string;
  readonly api: Api;
  readonly recorder: Recorder;
  readonly addresses: AddressPool;
  readonly silentPods: SilentPods;
  readonly meshFilters: MeshFilters;
  readonly tools: TreeTools;
  /** What every container sees of this machine. */
  readonly host: HostParts;
  /** The sandbox's directory. */
  readonly dir: string;
  /** Logs that are being written, by path, for those who follow them. */
  readonly openLogs: Map<string, ContainerLog>;
}

/** Pods' working files: in memory (the tree has a /run of its own), so that secrets never reach a disk and all ends with the tree. */
export const workDir = '/run/kbf-pods';

export function podWorkDir(pod: Pod): string {
  return join(workDir, pod.metadata.uid);
}

/** The pod's /etc/hosts, in all of its containers. */
export function podHostsFile(pod: Pod): string {
  return join(podWorkDir(pod), 'hosts');
}

/** As its processes see it. */
export function podHostname(pod: Pod): string {
  return (pod.spec.hostname ?? pod.metadata.name).slice(0, 63);
}

/** The cluster's host names, which the load balancer writes in place. */
export function clusterHostsFile({ dir, cluster }: Pick<NodeContext, 'dir' | 'cluster'>): string {
  return join(dir, 'clusters', cluster.name, 'hosts');
}

/** What a pod leaves on disk until it is deleted: its logs and emptyDir volumes. */
export function podDiskDir(dir: string, pod: Pod): string {
  const { namespace, name, uid } = pod.metadata;
  return join(dir, 'pods', `${namespace}_${name}_${uid}`);
}
