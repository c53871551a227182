import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { Cluster } from '../cluster.ts';
import type { Container } from '../exec.ts';
import { refuse } from './target.ts';
import type { Target } from './target.ts';
import { together } from './together.ts';

/** One run of a container; a restart makes another. */
export interface Incarnation extends Container {
  context: string;
  uid: string;
  /** Of the container; absent while it has none. */
  id?: string;
}

/** The pods that a selector names in a namespace. */
export interface Selection {
  context: string;
  namespace: string;
  labels: string;
}

/** A KafkaBridge's pods, by the labels that Strimzi gives them. */
export function bridgePods({ context, namespace, bridge }: { context: string; namespace: string; bridge: string }): Selection {
  return { context, namespace, labels: `strimzi.io/kind=KafkaBridge,strimzi.io/cluster=${bridge}` };
}

/** Pods that are not on their way out. */
export async function livePods(cluster: Cluster, { namespace, labels }: Selection): Promise<V1Pod[]> {
  const { items } = await cluster.ask(`the pods ${labels} of namespace ${namespace} cannot be listed`, () => cluster.core.listNamespacedPod({ namespace, labelSelector: labels }));
  return items.filter(({ metadata, status }) => metadata?.deletionTimestamp === undefined && !['Succeeded', 'Failed'].includes(status?.phase ?? ''));
}

/** The runs of one container in every live pod of the selection. Refuses where there is none. */
export async function incarnations(cluster: Cluster, selection: Selection, container: string): Promise<Incarnation[]> {
  const running = (await livePods(cluster, selection)).filter((pod) => statusOf(pod, container)?.state?.running !== undefined);
  if (running.length === 0) refuse(`no container ${container} runs in the pods ${selection.labels} of namespace ${selection.namespace} in cluster ${cluster.context}`);
  return running.map((pod) => {
    const id = statusOf(pod, container)?.containerID;
    return { context: cluster.context, namespace: selection.namespace, pod: pod.metadata?.name ?? '', container, uid: pod.metadata?.uid ?? '', ...(id === undefined ? {} : { id }) };
  });
}

/** The pod of that name as it is now, if there is one. */
export async function podOf(cluster: Cluster, { namespace, pod: name }: Pick<Container, 'namespace' | 'pod'>): Promise<V1Pod | undefined> {
  return await cluster.askFor(`pod ${namespace}/${name} cannot be read`, () => cluster.core.readNamespacedPod({ namespace, name }));
}

/** Whether that run of the container is over: its pod is gone or another, it does not run, or it runs anew. */
export async function isOver(cluster: Cluster, run: Incarnation): Promise<boolean> {
  const { uid, container, id } = run;
  const pod = await podOf(cluster, run);
  if (pod?.metadata?.uid !== uid || pod.metadata.deletionTimestamp !== undefined) return true;
  const status = statusOf(pod, container);
  return status?.state?.running === undefined || status.containerID !== id;
}

/** Whether all of these runs are over. */
export async function areOver(target: Target, runs: readonly Incarnation[]): Promise<boolean> {
  return (await Promise.all(runs.map((run) => isOver(target.cluster(run.context), run)))).every(Boolean);
}

/** The kubelet starts a container at once the first time, then waits 10 s, 20 s, … up to 5 min, until it has run for so long (Kubernetes' container restart policy). */
const forgetsAfterMs = 600_000;

/** Whether the kubelet would make this run's container wait before it starts it again. */
export async function wouldWait(cluster: Cluster, run: Incarnation): Promise<boolean> {
  const { uid, container } = run;
  const pod = await podOf(cluster, run);
  const status = pod?.metadata?.uid === uid ? statusOf(pod, container) : undefined;
  const ended = status?.lastState?.terminated?.finishedAt;
  return ended !== undefined && Date.now() - new Date(ended).getTime() < forgetsAfterMs;
}

/** Deletes the pods of these runs, if they are still the same, with the time that they ask for. */
export async function deletePods(cluster: Cluster, pods: readonly Incarnation[]): Promise<void> {
  await together(pods, ({ namespace, pod: name, uid }) => cluster.ask(`pod ${namespace}/${name} cannot be deleted`, () =>
    cluster.core.deleteNamespacedPod({ namespace, name, body: { preconditions: { uid } } })));
}

/** Number of live pods of the selection that are ready. */
export async function readyPods(cluster: Cluster, selection: Selection): Promise<number> {
  return (await livePods(cluster, selection)).filter(isReady).length;
}

function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}

function statusOf({ status }: V1Pod, container: string): V1ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === container);
}

/** The pods of a Deployment, by its own selector. */
export async function deploymentPods(cluster: Cluster, { namespace, name }: { namespace: string; name: string }): Promise<Selection> {
  const deployment = await cluster.askFor(`Deployment ${namespace}/${name} cannot be read`, () => cluster.apps.readNamespacedDeployment({ namespace, name }));
  const labels = Object.entries(deployment?.spec?.selector.matchLabels ?? {});
  if (labels.length === 0) refuse(`cluster ${cluster.context} has no Deployment ${namespace}/${name}`);
  return { context: cluster.context, namespace, labels: labels.map(([key, value]) => `${key}=${value}`).join(',') };
}
