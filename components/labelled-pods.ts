import type { V1Pod, V1PodList } from '@kubernetes/client-node';

import { getterOf, type Kubeconfig } from './cluster-client.ts';

/** Pods of a namespace that have all of these labels. */
export async function labelledPods(kubeconfig: Kubeconfig | { readonly text: string }, context: string, { namespace, labels }: { namespace: string; labels: Readonly<Record<string, string>> }): Promise<V1Pod[]> {
  const selector = Object.entries(labels).map(([label, value]) => `${label}=${value}`).join(',');
  const list = await getterOf(kubeconfig, context)(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?labelSelector=${encodeURIComponent(selector)}`);
  return (list as V1PodList | undefined)?.items ?? [];
}
