import type { V1LabelSelector, V1NetworkPolicy, V1NetworkPolicySpec, V1Pod } from '@kubernetes/client-node';
import { fieldManager, statusOf } from '../cluster.ts';
import type { Right } from '../cluster.ts';
import { mustBeOfThisRun, refuse, runLabel } from './target.ts';
import type { Target } from './target.ts';
import { together } from './together.ts';

/** Pods to cut off, by a NetworkPolicy of this name. */
export interface Cut {
  context: string;
  namespace: string;
  name: string;
  labels: Record<string, string>;
  /** Networks (CIDR) that the pods do not reach any more; absent: they reach nobody, and nobody reaches them. */
  from?: string[];
}

/** Refuses where the credentials may not make and remove the policies. That the cluster's network honours them is seen by their effect alone. */
export async function mustAllowPolicies(target: Target, cuts: readonly Cut[]): Promise<void> {
  for (const { context, namespace } of cuts) {
    await target.cluster(context).mustAllow(['create', 'get', 'list', 'delete'].map((verb) => rightTo(verb, namespace)));
  }
}

/** Refuses where a policy is there that a drill left which nobody here can heal: its journal is elsewhere. What one may not list is not known. */
export async function mustLeaveNoPolicy(target: Target, { context, namespace }: Pick<Cut, 'context' | 'namespace'>): Promise<void> {
  if (!await target.cluster(context).allows([rightTo('list', namespace)])) return;
  const drills = (await policiesOf(target, { context, namespace })).filter(isDrills);
  mustBeOfThisRun(target, drills, { kind: 'NetworkPolicy', resource: 'networkpolicy', context, namespace, harm: 'it still cuts pods off' });
}

/** Refuses where the pods of a cut have other policies that allow something of what it cuts: policies add up, so that the pods would not be cut off, and the drill be one of another fault. */
export async function mustCutOff(target: Target, cut: Cut, pods: readonly V1Pod[]): Promise<void> {
  const { context, namespace } = cut;
  const others = (await policiesOf(target, cut)).filter((policy) => !isDrills(policy) && allowsInto(policy, cut) && pods.some(({ metadata }) => selects(policy.spec?.podSelector ?? {}, metadata?.labels ?? {})));
  if (others.length > 0) {
    refuse(`NetworkPolicy ${others.map(({ metadata }) => `${namespace}/${metadata?.name ?? ''}`).join(', ')} in cluster ${context} allows traffic of the pods that are to be cut off (${Object.entries(cut.labels).map((label) => label.join('=')).join(',')}): policies add up, so that what it allows would not be cut`,
      'choose another fault (kbf faults list), or take the policy away for the drill');
  }
}

/**
 * Refuses where the cluster has Cilium and networks are cut, not everything: to Cilium a network (CIDR) is never a pod or node of its own cluster
 * (docs.cilium.io, "Layer 3 Policies"), so that DNS and the control plane would be cut off as well, and the drill be one of another fault.
 */
export async function mustCutByAddress(target: Target, { context, from }: Cut): Promise<void> {
  if (from === undefined) return;
  if (!await target.cluster(context).serves('cilium.io')) return;
  refuse(`cluster ${context} has Cilium, whose policies know pods and nodes of the cluster by no address: one that leaves out the brokers would cut pods off from DNS and the control plane as well`,
    'install Chaos Mesh there, which cuts by address, or choose another fault (kbf faults list)');
}

async function policiesOf(target: Target, { context, namespace }: Pick<Cut, 'context' | 'namespace'>): Promise<V1NetworkPolicy[]> {
  const cluster = target.cluster(context);
  return (await cluster.ask(`the NetworkPolicies of namespace ${namespace} cannot be listed`, () => cluster.networking.listNamespacedNetworkPolicy({ namespace }))).items;
}

function isDrills({ metadata }: V1NetworkPolicy): boolean {
  return metadata?.labels?.['app.kubernetes.io/managed-by'] === fieldManager;
}

function rightTo(verb: string, namespace: string): Right {
  return { verb, group: 'networking.k8s.io', resource: 'networkpolicies', namespace };
}

/** Whether a policy allows anything in a direction that is cut. */
function allowsInto({ spec }: V1NetworkPolicy, { from }: Cut): boolean {
  const { ingress = [], egress = [], policyTypes = ['Ingress', ...(egress.length > 0 ? ['Egress'] : [])] } = spec ?? {};
  return (from === undefined && ingress.length > 0 && policyTypes.includes('Ingress')) || (egress.length > 0 && policyTypes.includes('Egress'));
}

function selects({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector, labels: Record<string, string>): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) && matchExpressions.every(({ key, operator, values = [] }) => {
    const value = labels[key];
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    const isOne = value !== undefined && values.includes(value);
    return operator === 'In' ? isOne : !isOne;
  });
}

export async function cutAll(target: Target, cuts: readonly Cut[]): Promise<void> {
  await together(cuts, async (cut) => {
    const { context, namespace, name } = cut;
    const cluster = target.cluster(context);
    const metadata = { name, namespace, labels: { 'app.kubernetes.io/managed-by': fieldManager, [runLabel]: target.refs.run } };
    await cluster.ask(`NetworkPolicy ${namespace}/${name} cannot be made`, () => cluster.networking.createNamespacedNetworkPolicy({
      namespace, fieldManager, body: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec: specOf(cut) },
    }));
  });
}

/** Returns whether any of them was still there. */
export async function joinAll(target: Target, cuts: readonly Cut[]): Promise<boolean> {
  const removed = await together(cuts, async ({ context, namespace, name }) => {
    const cluster = target.cluster(context);
    try {
      await cluster.ask(`NetworkPolicy ${namespace}/${name} cannot be removed`, () => cluster.networking.deleteNamespacedNetworkPolicy({ namespace, name }));
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  });
  return removed.includes(true);
}

/** How many of the policies exist. */
export async function policiesThere(target: Target, cuts: readonly Cut[]): Promise<number> {
  const found = await Promise.all(cuts.map(async ({ context, namespace, name }) => {
    const cluster = target.cluster(context);
    return await cluster.askFor(`NetworkPolicy ${namespace}/${name} cannot be read`, () => cluster.networking.readNamespacedNetworkPolicy({ namespace, name }));
  }));
  return found.filter((policy) => policy !== undefined).length;
}

function specOf({ labels, from }: Cut): V1NetworkPolicySpec {
  const podSelector = { matchLabels: labels };
  if (from === undefined) return { podSelector, policyTypes: ['Ingress', 'Egress'] };
  const isV6 = (cidr: string): boolean => cidr.includes(':');
  // An address family that is not named would be cut off as a whole.
  const allBut = (cidr: string, except: string[]): object => ({ ipBlock: { cidr, ...(except.length === 0 ? {} : { except }) } });
  return { podSelector, policyTypes: ['Egress'], egress: [{ to: [allBut('0.0.0.0/0', from.filter((cidr) => !isV6(cidr))), allBut('::/0', from.filter(isV6))] }] };
}
