import type { V1Container, V1Pod } from '@kubernetes/client-node';
import type { ClusterInfo } from '../machine/clusters.ts';
import type { TreeTools } from '../machine/state.ts';
import type { EnvoyFilter } from './sidecar-filters.ts';

/** What a launcher may look at to decide how its container is started. */
export interface ContainerContext {
  readonly cluster: ClusterInfo;
  /** As the API server has it, times being strings; `status` may be old. */
  readonly pod: V1Pod;
  /** With `$(VAR)` in command and args already expanded. */
  readonly container: V1Container;
  readonly podIp: string;
  /** Absolute paths, which are the same inside the container. */
  readonly tools: TreeTools;
  /** The container's environment, resolved: envFrom, valueFrom, `$(VAR)`. */
  readonly env: Readonly<Record<string, string>>;
  /** An Envoy stands in front of the pod's containers: listen on 127.0.0.1 only. */
  readonly hasSidecar: boolean;
}

/** How a container is started. */
export interface Launch {
  /** The program, looked up in the container's PATH, and its arguments; no shell is involved. */
  readonly argv: readonly string[];
  /** Added to the container's environment, over what the pod says. */
  readonly env?: Readonly<Record<string, string>>;
  /** Content by absolute path in the container's own file system (not under /usr or a volume); mode 0644. */
  readonly files?: Readonly<Record<string, string>>;
  /** More files, which say what the mesh wants of the program. */
  readonly meshFiles?: readonly MeshFile[];
}

/** Made anew, in one step, whenever an EnvoyFilter of the cluster changes what it says. */
export interface MeshFile {
  readonly path: string;
  readonly text: (filters: Iterable<EnvoyFilter>) => string;
}

/**
 * Stands for a container image: says how its program is started here.
 * @throws UserError when the pod asks for something that it cannot be started with; it becomes an event on the pod.
 */
export type Image = (c: ContainerContext) => Launch;
