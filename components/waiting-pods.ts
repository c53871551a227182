import type { V1Pod } from '@kubernetes/client-node';

import type { Kubeconfig } from './cluster-client.ts';
import type { LiveObject } from './cluster-reader.ts';
import { labelledPods } from './labelled-pods.ts';

/** What a pod waits for that is well. */
const ordinary = ['ContainerCreating', 'PodInitializing'];

/**
 * Why the pods of a Deployment are not available: what is said of the first of them of which something is said. Undefined where nothing is, and where the credentials may not look:
 * this explains a failure, and is none.
 */
export async function whyNotAvailable(kubeconfig: Kubeconfig, context: string, deployment: LiveObject): Promise<string | undefined> {
  const { selector } = (deployment['spec'] ?? {}) as { selector?: { matchLabels?: Record<string, string> } };
  const { matchLabels: labels = {} } = selector ?? {};
  if (Object.keys(labels).length === 0) return undefined;
  try {
    const pods = await labelledPods(kubeconfig, context, { namespace: deployment.metadata?.namespace ?? 'default', labels });
    const [why] = pods.flatMap((pod) => stateOf(pod).map((state) => `pod ${pod.metadata?.name ?? ''}: ${state}`));
    return why;
  } catch {
    return undefined;
  }
}

function stateOf({ status }: V1Pod): string[] {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const waiting = containers.map(({ state }) => state?.waiting).filter((each) => each?.reason !== undefined && !ordinary.includes(each.reason));
  const unmet = (type: string) => (status?.conditions ?? []).filter((condition) => condition.type === type && condition.status === 'False');
  return [...unmet('PodScheduled'), ...waiting, ...unmet('Ready')].flatMap((each) => words(each ?? {})).slice(0, 1);
}

function words({ reason = '', message = '' }: { reason?: string; message?: string }): string[] {
  const said = [reason, message].filter((part) => part !== '').join(': ');
  return said === '' ? [] : [said];
}
