import * as pulumi from '@pulumi/pulumi';

import { shellWord } from '../config/shell-word.ts';
import { firstLineOf } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { type LiveObject, type ObjectReference, plainError } from './cluster-reader.ts';

export interface TsbClusterName {
  readonly cluster: Cluster;
  /** Where it is configured: `regions[0].tsbCluster`. */
  readonly path: string;
  readonly configured: string | undefined;
}

/**
 * What TSB calls a cluster. The cluster says it itself, in its control plane; a configured name is checked against that where it can be
 * read, and is enough where it cannot.
 * @returns an output only where a preview cannot know it yet
 * @throws pulumi.RunError when they differ, or when neither says a name
 */
export async function tsbClusterName({ cluster, path, configured }: TsbClusterName): Promise<pulumi.Input<string>> {
  const { name, why } = await asked(cluster);
  if (name === undefined && configured !== undefined) return configured;
  if (name === undefined) {
    // Before its first run a cluster may not be there; the plan is made all the same.
    if (pulumi.runtime.isDryRun()) return cluster.reader.awaitField(controlPlane, { select: clusterName, what: 'TSB cluster name', timeoutMs });
    throw plainError(
      `${path} is not set, and cluster ${cluster.name} does not say what TSB calls it: ${why}.\n` +
        `Set ${path} to the cluster's name (tctl get clusters), or see whether the cluster is onboarded: kubectl --context ${shellWord(cluster.name)} get controlplane -n istio-system`,
    );
  }
  if (configured !== undefined && configured !== name) {
    throw plainError(
      `${path} is ${JSON.stringify(configured)}, but TSB calls cluster ${cluster.name} ${JSON.stringify(name)}: its ControlPlane istio-system/controlplane says so.\n` +
        `Set ${path} to ${JSON.stringify(name)} or leave it out; if that is another cluster, its context is wrong.`,
    );
  }
  return name;
}

const controlPlane: ObjectReference = { apiVersion: 'install.tetrate.io/v1alpha1', kind: 'ControlPlane', namespace: 'istio-system', name: 'controlplane' };

/** A cluster that takes longer is one that cannot be read. */
const timeoutMs = 10_000;

async function asked({ reader }: Cluster): Promise<{ name?: string | undefined; why: string }> {
  try {
    const object = await Promise.race([reader.read(controlPlane), new Promise<never>((_, reject) => { setTimeout(() => { reject(new Error(`no answer within ${timeoutMs / 1_000} s`)); }, timeoutMs).unref(); })]);
    if (object === undefined) return { why: 'there is no ControlPlane istio-system/controlplane' };
    return { name: clusterName(object), why: 'its ControlPlane istio-system/controlplane has no spec.managementPlane.clusterName' };
  } catch (error) {
    return { why: `it cannot be asked: ${firstLineOf(error)}` };
  }
}

function clusterName(object: LiveObject): string | undefined {
  const { managementPlane } = (object['spec'] ?? {}) as { managementPlane?: { clusterName?: string } };
  return managementPlane?.clusterName;
}
