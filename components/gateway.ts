import type * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import type { LiveObject } from './cluster-reader.ts';
import { accepted, untilReady } from './ready.ts';
import { EnvoyFilter, type EnvoyFilterSpec } from './resources/istio.ts';
import { Gateway, type GatewaySpec, InstallGateway, parentAnnotations, type TsbParents } from './resources/tsb.ts';

/** Where a gateway's objects belong in TSB: its groups and what is above them. */
export type GatewayParents = Required<TsbParents>;

/** One gateway: its objects have one name in one namespace. */
export interface GatewayPlace {
  /** What the names of the Pulumi resources begin with. */
  readonly logicalName: string;
  readonly cluster: Cluster;
  readonly namespace: k8s.core.v1.Namespace;
  readonly namespaceName: string;
  /** Of the objects, and of the Deployment and the Service that TSB makes. */
  readonly name: string;
  readonly tsb: GatewayParents;
  /** See the configuration's `tsb.acceptedWhen`. */
  readonly acceptedWhen: string | undefined;
}

/** What a gateway does. */
export interface GatewayContent {
  /** Annotations of its Service. */
  readonly service: { readonly annotations?: Record<string, string> };
  readonly routes: GatewaySpec;
  /** What has to be there before it does. */
  readonly after?: pulumi.Input<pulumi.Resource[]>;
  /** What TSB has no field for. */
  readonly filter: EnvoyFilterSpec;
}

/** A gateway's pods and Service, and an output that is known when its routes are taken. */
export interface ConfiguredGateway {
  readonly install: InstallGateway;
  readonly routed: pulumi.Output<unknown>;
}

/** Makes a gateway's pods and Service, its routes and its filter. */
export function configuredGateway(place: GatewayPlace, { service, routes, after = [], filter }: GatewayContent, parent: pulumi.Resource): ConfiguredGateway {
  const { logicalName, cluster, namespace, namespaceName, name, tsb, acceptedWhen } = place;
  const { gatewayGroup, istioInternalGroup, ...workspace } = tsb;
  const metadata = { name, namespace: namespace.metadata.name };
  const object = (apiVersion: string, kind: string) => ({ apiVersion, kind, namespace: namespaceName, name });

  const taken = untilReady(object('gateway.tsb.tetrate.io/v2', 'Gateway'), cluster, accepted(acceptedWhen), ({ annotations, options }) => {
    const inGroup = { ...parentAnnotations({ ...workspace, gatewayGroup }), ...annotations };
    return new Gateway(`${logicalName}-routes`, { metadata: { ...metadata, annotations: inGroup }, spec: routes }, { parent, dependsOn: after, ...options });
  });
  untilReady(object('networking.istio.io/v1alpha3', 'EnvoyFilter'), cluster, accepted(acceptedWhen), ({ annotations, options }) => {
    const inGroup = { ...parentAnnotations({ ...workspace, istioInternalGroup }), ...annotations };
    return new EnvoyFilter(`${logicalName}-filter`, { metadata: { ...metadata, labels: { 'istio.io/rev': 'tsb' }, annotations: inGroup }, spec: filter }, { parent, ...options });
  });
  const install = new InstallGateway(`${logicalName}-gateway`, { metadata, spec: { type: 'UNIFIED', kubeSpec: { service: { type: 'LoadBalancer', ...service } } } }, { parent });
  return { install, routed: taken.id };
}

const timeoutMs = 300_000;

/** The address by which a gateway is reached, once its pods are available: an IP address, or a host name where the cloud gives one. */
export function gatewayAddress(install: InstallGateway, gateway: { namespace: string; name: string }, { reader }: Cluster): pulumi.Output<string> {
  return install.id
    .apply(() => reader.awaitField({ apiVersion: 'apps/v1', kind: 'Deployment', ...gateway }, { select: availableGeneration, what: 'available pod', timeoutMs }))
    .apply(() => reader.awaitField({ apiVersion: 'v1', kind: 'Service', ...gateway }, { select: loadBalancerAddress, what: 'load balancer address', timeoutMs }));
}

function availableGeneration(deployment: LiveObject): number | undefined {
  const { observedGeneration, conditions } = (deployment['status'] ?? {}) as { observedGeneration?: number; conditions?: { type: string; status: string }[] };
  const available = conditions?.some(({ type, status }) => type === 'Available' && status === 'True') === true;
  return available && observedGeneration === deployment.metadata?.generation ? observedGeneration : undefined;
}

function loadBalancerAddress(service: LiveObject): string | undefined {
  const { loadBalancer } = (service['status'] ?? {}) as { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } };
  const [first] = loadBalancer?.ingress ?? [];
  return first?.ip ?? first?.hostname;
}
