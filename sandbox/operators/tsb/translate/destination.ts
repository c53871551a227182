import type { ClusterFacts, FailoverSettings } from '../model.ts';
import { localityLbSetting } from '../resilience.ts';
import type { HostPolicy } from '../resilience.ts';
import { istioObject } from './objects.ts';
import type { WantedObject } from './objects.ts';

export interface DestinationArgs {
  /** Namespace of the gateways that the rule is for. */
  readonly namespace: string;
  readonly host: string;
  readonly policy: HostPolicy;
  readonly failover: FailoverSettings;
  readonly subsets?: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[];
}

/**
 * The upstream settings of one host for one namespace's gateways: a DestinationRule that only that namespace sees, and an EnvoyFilter
 * for what a DestinationRule cannot say.
 */
export function destination({ namespace, host, policy, failover, subsets }: DestinationArgs): WantedObject[] {
  const { loadBalancer, ...rest } = policy.trafficPolicy;
  const trafficPolicy = { ...rest, loadBalancer: { ...(loadBalancer as object), localityLbSetting: localityLbSetting(failover) } };
  const rule = istioObject('DestinationRule', { name: host, namespace }, { host, exportTo: ['.'], trafficPolicy, ...(subsets?.length ? { subsets } : {}) });
  if (Object.keys(policy.envoyOutlierDetection).length === 0) return [rule];
  return [rule, istioObject('EnvoyFilter', { name: `${host}-outlier-detection`, namespace }, {
    priority: -10, // before a person's own filters, which may want to change it
    configPatches: [{
      applyTo: 'CLUSTER',
      match: { context: 'GATEWAY', cluster: { service: host } },
      patch: { operation: 'MERGE', value: { outlier_detection: policy.envoyOutlierDetection } },
    }],
  })];
}

/** Label of a subset that holds a cluster's own endpoints only: Istio gives every endpoint its locality as labels. */
export function ownLocality({ region, zone }: ClusterFacts): Record<string, string> {
  return { 'topology.kubernetes.io/region': region, 'topology.kubernetes.io/zone': zone };
}
