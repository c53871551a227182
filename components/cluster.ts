import * as k8s from '@pulumi/kubernetes';

import { type ClusterReader, readerOf } from './cluster-reader.ts';

/** One Kubernetes cluster as components see it: where objects go, and where fields that operators write come from. */
export interface Cluster {
  /** kubeconfig context, and the name that messages use. */
  readonly name: string;
  readonly provider: k8s.Provider;
  readonly reader: ClusterReader;
}

/**
 * Gives every kubeconfig context exactly one provider, made when it is first asked for.
 * Providers take the file's path, not its text: credentials must not enter the state.
 */
export function clustersOf(kubeconfig: string): (context: string) => Cluster {
  const clusters = new Map<string, Cluster>();
  return (context) => {
    const cluster = clusters.get(context) ?? { name: context, provider: providerOf(kubeconfig, context), reader: readerOf(kubeconfig, context) };
    clusters.set(context, cluster);
    return cluster;
  };
}

/** Every option with an environment variable behind it is set, so that the environment decides nothing. */
function providerOf(kubeconfig: string, context: string): k8s.Provider {
  return new k8s.Provider(context, {
    kubeconfig,
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
  });
}
