import type { V1NodeSelectorRequirement, V1NodeSpec, V1Taint, V1Toleration } from '@kubernetes/client-node';
import type { Json, Pod, Stored } from './types.ts';

export type Node = Stored & { spec?: Json<V1NodeSpec> };

/** Why the cluster's one node does not take a pod, in a scheduler's words; undefined when it does. */
export function refusal(pod: Pod, node: Node): string | undefined {
  const labels = node.metadata.labels ?? {};
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)
    && (terms === undefined || terms.some(({ matchExpressions = [] }) => matchExpressions.every((requirement) => matches(requirement, labels))));
  if (!selected) return '0/1 nodes are available: 1 node(s) didn\'t match Pod\'s node affinity/selector.';
  // What a scheduler sees of a cordoned node.
  const cordon: Json<V1Taint>[] = node.spec?.unschedulable === true ? [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] : [];
  const taint = [...node.spec?.taints ?? [], ...cordon].find((t) => t.effect !== 'PreferNoSchedule' && !pod.spec.tolerations?.some((toleration) => tolerates(toleration, t)));
  if (taint === undefined) return undefined;
  return taint.key === 'node.kubernetes.io/unschedulable' ? '0/1 nodes are available: 1 node(s) were unschedulable.'
    : `0/1 nodes are available: 1 node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}.`;
}

/** Whether the pod is the default scheduler's to bind, which this agent stands for. */
export function isUnscheduled({ metadata, spec }: Pod): boolean {
  return spec.nodeName === undefined && metadata.deletionTimestamp === undefined
    && (spec.schedulingGates ?? []).length === 0 && (spec.schedulerName ?? 'default-scheduler') === 'default-scheduler';
}

function matches({ key, operator, values = [] }: V1NodeSelectorRequirement, labels: Record<string, string>): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In': return value !== undefined && values.includes(value);
    case 'NotIn': return value === undefined || !values.includes(value);
    case 'Exists': return value !== undefined;
    case 'DoesNotExist': return value === undefined;
    case 'Gt': return Number(value) > Number(values[0]);
    case 'Lt': return Number(value) < Number(values[0]);
    default: return false;
  }
}

function tolerates({ key, operator = 'Equal', value = '', effect }: V1Toleration, taint: Json<V1Taint>): boolean {
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key === undefined) return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''));
}
