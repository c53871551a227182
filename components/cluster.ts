import { isAbsolute, relative } from 'node:path';

import * as k8s from '@pulumi/kubernetes';

import type { Kubeconfig } from './cluster-client.ts';
import { type ClusterReader, plainError, readerOf } from './cluster-reader.ts';
import type { Configuration } from '../config/schema.ts';
import { gkeKubeconfig } from './gke.ts';

/** One Kubernetes cluster as components see it: where objects go, and where fields that operators write come from. */
export interface Cluster {
  /** kubeconfig context, and the name that messages use. */
  readonly name: string;
  readonly provider: k8s.Provider;
  readonly reader: ClusterReader;
  /** For a process that the engine starts, where it starts the program. */
  readonly kubeconfig: Kubeconfig;
}

/** Gives every context of a configuration exactly one provider, made when it is first asked for. */
export function clustersOf(configuration: Configuration): (context: string) => Cluster {
  const clusters = new Map<string, Cluster>();
  return (context) => {
    const known = clusters.get(context);
    if (known !== undefined) return known;
    const kubeconfig = kubeconfigOf(context, configuration);
    const given = asInput(kubeconfig);
    const cluster = { name: context, provider: providerOf(given, context), reader: readerOf(kubeconfig, context), kubeconfig: given };
    clusters.set(context, cluster);
    return cluster;
  };
}

/** A place without a kubeconfig has a cluster that Google Cloud tells of. */
function kubeconfigOf(context: string, { kafka, regions, tsb, tier1, generators, gcp }: Configuration): Kubeconfig {
  const places = [...(kafka.existing === undefined ? [kafka] : []), ...regions, tsb, tier1, ...(generators ? [generators] : [])];
  const file = places.find((place) => place.context === context && place.kubeconfig !== undefined)?.kubeconfig;
  if (file !== undefined) return { file };
  if (gcp === undefined) throw plainError(`context ${context} has no kubeconfig, and gcp.clusters does not have it`);
  return { text: gkeKubeconfig(context, gcp) };
}

/**
 * As the state has it: the path of a file in the program's directory begins there, so that it is the same in every checkout, where another one would be a
 * change. The engine starts providers and commands in that directory.
 */
function asInput(kubeconfig: Kubeconfig): Kubeconfig {
  if (!('file' in kubeconfig)) return kubeconfig;
  const path = relative(process.cwd(), kubeconfig.file);
  return path === '..' || path.startsWith('../') || isAbsolute(path) ? kubeconfig : { file: path };
}

/**
 * Providers take a file by its path, not its text: credentials must not enter the state. A text has none.
 * Every option with an environment variable behind it is set, so that the environment decides nothing. With the provider that is pinned
 * PULUMI_K8S_ENABLE_PATCH_FORCE still does, as it has no option for it: the driver takes the variable away.
 */
function providerOf(kubeconfig: Kubeconfig, context: string): k8s.Provider {
  return new k8s.Provider(context, {
    kubeconfig: 'file' in kubeconfig ? kubeconfig.file : kubeconfig.text,
    context,
    // The same cluster stays the same cluster when its address or credentials change: nothing is replaced.
    clusterIdentifier: context,
    deleteUnreachable: false,
    skipUpdateUnreachable: false,
    enableServerSideApply: true,
    enableConfigMapMutable: false,
    enableSecretMutable: true,
    suppressDeprecationWarnings: false,
    suppressHelmHookWarnings: false,
    ...newerOptions,
  });
}

/** Of providers since 4.29; the SDK of an older one leaves out what it does not know, and its provider does the same by itself. */
const newerOptions = {
  // What stayed after a destroy, or was begun by a run that was killed, is taken over. Namespaces of others are refused before: see foreign-namespaces.ts.
  upsertExistingObjects: true,
  // Where it is meant, an object says so itself.
  enablePatchForce: false,
};
