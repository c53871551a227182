import type * as pulumi from '@pulumi/pulumi';

import type { ServiceConfiguration } from '../config/schema.ts';
import type { KubeSpec } from './resources/tsb.ts';

export interface GatewayService {
  /** Of the Service, as of the gateway. */
  readonly name: string;
  readonly replicas: number;
  readonly service: ServiceConfiguration;
  /** Annotations that the program itself needs. */
  readonly annotations?: Record<string, pulumi.Input<string>>;
  readonly labels?: Record<string, string>;
  /** An address that was reserved for it; takes the place of the configured one. */
  readonly address?: pulumi.Input<string> | undefined;
}

/** Pods and Service of a gateway, in the words of TSB's install kinds. */
export function kubeSpec({ name, replicas, service, annotations: own = {}, labels, address = service.address }: GatewayService): KubeSpec {
  const balanced = service.type === 'LoadBalancer';
  const annotations = {
    ...(service.internal === undefined ? {} : internalBalancer[service.internal]),
    ...(balanced || address === undefined ? {} : { [externalAddresses]: address }),
    ...own,
    ...service.annotations,
  };
  return {
    service: { type: service.type, ...(Object.keys(annotations).length === 0 ? {} : { annotations }), ...(labels === undefined ? {} : { labels }) },
    // TSB scales gateways by load, down to one pod unless told otherwise: a number of pods is also the least of them.
    ...(replicas === 1 ? {} : { deployment: { replicaCount: replicas, hpaSpec: { minReplicas: replicas, maxReplicas: Math.max(replicas, mostReplicas) } } }),
    // TSB's kubeSpec has no field for a balancer's address.
    ...(balanced && address !== undefined ? { overlays: [{ apiVersion: 'v1', kind: 'Service', name, patches: [{ path: 'spec.loadBalancerIP', value: address }] }] } : {}),
  };
}

/** TSB's own upper limit of a gateway's pods. */
const mostReplicas = 10;

/** How other clusters reach a gateway whose Service is no load balancer: TSB reads addresses there that it cannot see. */
const externalAddresses = 'xcp.tetrate.io/cluster-external-addresses';

/** Words of each cloud for a load balancer with an address inside of its network. Gateways are called from other regions, which Google has to be told. */
const internalBalancer: Readonly<Record<NonNullable<ServiceConfiguration['internal']>, Record<string, string>>> = {
  gke: { 'networking.gke.io/load-balancer-type': 'Internal', 'networking.gke.io/internal-load-balancer-allow-global-access': 'true' },
  aws: { 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal', 'service.beta.kubernetes.io/aws-load-balancer-internal': 'true' },
  azure: { 'service.beta.kubernetes.io/azure-load-balancer-internal': 'true' },
};
