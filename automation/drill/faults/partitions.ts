import type { V1Pod } from '@kubernetes/client-node';
import { chaosThere, isInjected, limitOf, makeChaos, mustBeInjected, removeChaos, whyNotByChaos } from './chaos-mesh.ts';
import type { PlannedChaos } from './chaos-mesh.ts';
import { livePods } from './pods.ts';
import type { Cut } from './policies.ts';
import type { Target } from './target.ts';
import { together } from './together.ts';

/**
 * Cuts by Chaos Mesh. It drops packets inside the pods' own network, both ways, whatever connection they are of, and whatever policies allow; the kubelet's probes too where
 * everything is cut.
 */

/** Why Chaos Mesh cannot cut these pods off; undefined where it can. */
export async function whyNotPartition(target: Target, cuts: readonly { cut: Cut; pods: readonly V1Pod[] }[]): Promise<string | undefined> {
  const why = await whyNotByChaos(target, cuts.map(({ cut }) => planned(target, cut)));
  if (why !== undefined) return why;
  for (const { cut, pods } of cuts) {
    // Its rules are iptables', which know IPv4 alone.
    const addresses = cut.from ?? pods.flatMap(({ status }) => status?.podIPs?.map(({ ip }) => ip) ?? []);
    const v6 = addresses.find((address) => address.includes(':'));
    if (v6 !== undefined) return `Chaos Mesh cuts IPv4 alone, and there is ${v6} in cluster ${cut.context}`;
    const onHost = pods.find(({ spec }) => spec?.hostNetwork === true);
    if (onHost !== undefined) return `Chaos Mesh leaves alone what is on its node's own network, as pod ${cut.namespace}/${onHost.metadata?.name ?? ''} in cluster ${cut.context} is`;
  }
  return undefined;
}

export async function partition(target: Target, cuts: readonly Cut[]): Promise<void> {
  await makeChaos(target, cuts.map((cut) => planned(target, cut)));
}

/** Throws a UserError that says why they are not cut off yet. */
export async function mustPartition(target: Target, cuts: readonly Cut[]): Promise<boolean> {
  await together(cuts, async (cut) => await mustBeInjected(target, planned(target, cut), await podsOf(target, cut)));
  return true;
}

/** False as well once there is another pod, which is not cut off. */
export async function isPartitioned(target: Target, cuts: readonly Cut[]): Promise<boolean> {
  return (await together(cuts, async (cut) => await isInjected(target, planned(target, cut), await podsOf(target, cut)))).every(Boolean);
}

export async function join(target: Target, cuts: readonly Cut[]): Promise<boolean> {
  return await removeChaos(target, cuts.map((cut) => planned(target, cut)));
}

export async function partitions(target: Target, cuts: readonly Cut[]): Promise<number> {
  return await chaosThere(target, cuts.map((cut) => planned(target, cut)));
}

function planned(target: Target, { context, namespace, name, labels, from }: Cut): PlannedChaos {
  const selector = { namespaces: [namespace], labelSelectors: labels, podPhaseSelectors: ['Running'] };
  return {
    kind: 'NetworkChaos', context, namespace, name,
    // Without a target it is everybody.
    spec: { action: 'partition', mode: 'all', selector, direction: 'both', duration: limitOf(target), ...(from === undefined ? {} : { externalTargets: from }) },
  };
}

async function podsOf(target: Target, { context, namespace, labels }: Cut): Promise<string[]> {
  const selection = { context, namespace, labels: Object.entries(labels).map((label) => label.join('=')).join(',') };
  return (await livePods(target.cluster(context), selection)).map(({ metadata }) => metadata?.name ?? '');
}
