import type { GcpConfiguration } from '../config/schema.ts';
import { probeCluster } from './clusterProbe.ts';
import { kubeconfigFromGoogle } from './doctor/gke.ts';
import { isText } from './kubeconfigs.ts';
import type { Reached } from './reach.ts';

/**
 * What a cluster of GKE answers where it is now. The state has the address that Google Cloud said at the last `up`, and the control plane may have been given another one: where nobody
 * speaks as the cluster there, gcloud is asked for its address, and the cluster there. A cluster that is in no `gcp.clusters` is left as it is.
 */
export async function askedWhereItIs(reached: Reached, gcp: GcpConfiguration | undefined, signal?: AbortSignal): Promise<Reached> {
  const { context, kubeconfig, state, detail } = reached;
  if (gcp?.clusters[context] === undefined || !isText(kubeconfig) || (state !== 'unreachable' && state !== 'unusable')) return reached;
  const given = await kubeconfigFromGoogle(context, gcp, signal);
  signal?.throwIfAborted();
  if (typeof given !== 'string') return { ...reached, detail: `${detail}; whether it has another address now is not known: ${given.found.replace(/\.$/, '')}` };
  return { ...reached, ...await probeCluster({ context, kubeconfig: given }, signal) };
}
