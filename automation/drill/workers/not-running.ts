import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';

import type { Cluster } from '../cluster.ts';
import { runLabel } from '../faults/target.ts';

/** What a pod waits for that is well. */
const ordinary = ['ContainerCreating', 'PodInitializing'];

/**
 * Why a Job's pods do not run, or are not made: what the cluster says of the first of which it says something. Undefined where it says nothing, and where
 * the credentials may not look: this explains a failure, and is none.
 */
export async function whyNotRunning(cluster: Cluster, { namespace, job, run, workers }: { namespace: string; job: string; run: string; workers: number }): Promise<string | undefined> {
  const [pods, events] = await Promise.all([
    itemsOf(cluster.core.listNamespacedPod({ namespace, labelSelector: `${runLabel}=${run}` })),
    itemsOf(cluster.core.listNamespacedEvent({ namespace, fieldSelector: 'type=Warning' })),
  ]);
  const lastOf = (kind: string, name: string): string | undefined => {
    const last = events.filter(({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === name).sort((a, b) => timeOf(b) - timeOf(a))[0];
    return last && words(last);
  };
  for (const pod of pods) {
    const name = pod.metadata?.name ?? '';
    // Its events are of what may be over, such as a ConfigMap that it waited for.
    const why = stateOf(pod) ?? (pod.status?.phase === 'Pending' ? lastOf('Pod', name) : undefined);
    if (why !== undefined) return `pod ${namespace}/${name}: ${why}`;
  }
  const why = pods.length < workers ? lastOf('Job', job) : undefined;
  return why === undefined ? undefined : `Job ${namespace}/${job}: ${why}`;
}

async function itemsOf<T>(listed: Promise<{ items: T[] }>): Promise<T[]> {
  return await listed.then(({ items }) => items, () => []);
}

function stateOf({ status }: V1Pod): string | undefined {
  const { waiting, terminated } = status?.containerStatuses?.[0]?.state ?? {};
  if (waiting?.reason !== undefined && !ordinary.includes(waiting.reason)) return words(waiting);
  if (terminated !== undefined) return words({ ...terminated, message: terminated.message ?? `exit code ${terminated.exitCode}` });
  if (status?.phase === 'Failed') return words(status);
  const unscheduled = status?.conditions?.find((condition) => condition.type === 'PodScheduled' && condition.status === 'False');
  return unscheduled && words(unscheduled);
}

function words({ reason = '', message = '' }: { reason?: string; message?: string }): string | undefined {
  return [reason, message].filter((part) => part !== '').join(': ') || undefined;
}

/** Those of newer reporters have one of the two alone. */
function timeOf({ lastTimestamp, eventTime }: CoreV1Event): number {
  return (lastTimestamp ?? eventTime)?.getTime() ?? 0;
}
