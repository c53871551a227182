import * as pulumi from '@pulumi/pulumi';

import { canonicalAddress } from '../config/canonical-address.ts';
import type { ServiceConfiguration } from '../config/schema.ts';
import type { Cluster } from './cluster.ts';
import type { FieldWanted, LiveObject } from './cluster-reader.ts';
import { type GatewayService, kubeSpec } from './gateway-service.ts';
import { internalFilter } from './internal-filter.ts';
import { accepted, untilReady } from './ready.ts';
import type { EnvoyFilterSpec } from './resources/istio.ts';
import { Gateway, type GatewayRoutes, InstallGateway, parentAnnotations, type TsbParents } from './resources/tsb.ts';

/** Where a gateway's objects belong in TSB: its groups and what is above them. Without an internal group no EnvoyFilter may be written. */
export type GatewayParents = Required<Omit<TsbParents, 'istioInternalGroup'>> & Pick<TsbParents, 'istioInternalGroup'>;

/** One gateway: its objects have one name in one namespace. */
export interface GatewayPlace {
  /** What the names of the Pulumi resources begin with. */
  readonly logicalName: string;
  readonly cluster: Cluster;
  /** Known when it is there. */
  readonly namespace: pulumi.Input<string>;
  readonly namespaceName: string;
  /** Of the objects, and of the Deployment and the Service that TSB makes. */
  readonly name: string;
  /** Of the object with the routes; the gateway's own unless there is one. */
  readonly routesName?: string | undefined;
  readonly tsb: GatewayParents;
  /** See the configuration's `tsb.acceptedWhen`. */
  readonly acceptedWhen: string | undefined;
}

/** What a gateway does. */
export interface GatewayContent {
  readonly service: Omit<GatewayService, 'name'>;
  /** Of the mesh; undefined: the default one. */
  readonly revision?: string | undefined;
  readonly routes: GatewayRoutes;
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

/** Makes a gateway's pods and Service, its routes and, where there may be one, its filter. */
export function configuredGateway(place: GatewayPlace, { service, revision, routes, after = [], filter }: GatewayContent, parent: pulumi.Resource): ConfiguredGateway {
  const { logicalName, cluster, namespace, namespaceName, name, routesName = name, tsb, acceptedWhen } = place;
  const metadata = { name, namespace };

  const reference = { apiVersion: 'gateway.tsb.tetrate.io/v2', kind: routes.kind, namespace: namespaceName, name: routesName };
  const taken = untilReady(reference, cluster, accepted(acceptedWhen), ({ annotations, options }) => {
    const inGroup = { ...parentAnnotations({ ...tsb, istioInternalGroup: undefined }), ...annotations };
    return new Gateway(`${logicalName}-routes`, { metadata: { name: routesName, namespace, annotations: inGroup }, ...routes }, { parent, dependsOn: after, ...options });
  });
  internalFilter({ ...place, resourceName: `${logicalName}-filter` }, filter, parent);
  const { kind } = routes;
  const spec = { ...(kind === 'Gateway' ? { type: 'UNIFIED' as const } : {}), ...(revision === undefined ? {} : { revision }), kubeSpec: kubeSpec({ name, ...service }) };
  const install = new InstallGateway(`${logicalName}-gateway`, { kind, metadata, spec }, { parent });
  return { install, routed: taken.id };
}

const timeoutMs = 300_000;

/**
 * The address by which a gateway is reached, once its pods are available: an IP address, or a host name where the cloud gives one. Without a
 * load balancer it is what is configured as such; a load balancer is waited for until it has the address that is wanted, if any.
 * @param address that was reserved for it; takes the place of the configured one
 */
export function gatewayAddress(
  install: InstallGateway, gateway: { namespace: string; name: string },
  { cluster, service, address = service.address }: { cluster: Cluster; service: ServiceConfiguration; address?: pulumi.Input<string> | undefined },
): pulumi.Output<string> {
  const madeOf = install.kind.apply((kind) => ({ apiVersion: 'install.tetrate.io/v1alpha1', kind, ...gateway }));
  const available = pulumi.all([install.id, madeOf]).apply(([, origin]) => cluster.reader.awaitField({ apiVersion: 'apps/v1', kind: 'Deployment', ...gateway }, { select: availableGeneration, what: 'available pod', madeOf: origin, timeoutMs }));
  const { type } = service;
  if (type !== 'LoadBalancer' && address !== undefined) return pulumi.all([available, address]).apply(([, given]) => given);
  const field = type === 'LoadBalancer' ? balancerAddress : () => ({ select: clusterAddress, what: 'address in its cluster' });
  return pulumi.all([available, address, madeOf]).apply(([, wanted, origin]) => cluster.reader.awaitField({ apiVersion: 'v1', kind: 'Service', ...gateway }, { ...field(wanted), madeOf: origin, timeoutMs }));
}

function availableGeneration(deployment: LiveObject): number | undefined {
  const { observedGeneration, conditions } = (deployment['status'] ?? {}) as { observedGeneration?: number; conditions?: { type: string; status: string }[] };
  const available = conditions?.some(({ type, status }) => type === 'Available' && status === 'True') === true;
  return available && observedGeneration === deployment.metadata?.generation ? observedGeneration : undefined;
}

/** An address that was there before another one was wanted stays until the cloud has taken it away, and where the cloud does not look at what is wanted it stays for good. */
function balancerAddress(wanted: string | undefined): Pick<FieldWanted<string>, 'select' | 'what' | 'which'> {
  const what = 'load balancer address';
  if (wanted === undefined) return { select: loadBalancerAddress, what };
  return {
    select: (service) => addressesOf(service).find((address) => canonicalAddress(address) === canonicalAddress(wanted)),
    what,
    which: `${wanted} (wanted by spec.loadBalancerIP, which not every cloud looks at)`,
  };
}

export function loadBalancerAddress(service: LiveObject): string | undefined {
  return addressesOf(service)[0];
}

function addressesOf(service: LiveObject): string[] {
  const { loadBalancer } = (service['status'] ?? {}) as { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } };
  return (loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
}

/** Its last part begins with a letter, as no IP address does. What is neither is an address that is not known yet. */
export function isHostName(address: string): boolean {
  return /^([a-z0-9-]+\.)+[a-z][a-z0-9-]*$/i.test(address);
}

function clusterAddress(service: LiveObject): string | undefined {
  return ((service['spec'] ?? {}) as { clusterIP?: string }).clusterIP;
}
