import { hostPolicy } from '../resilience.ts';
import { eastWestPort } from '../model.ts';
import type { ClusterFacts, Rule, Server } from '../model.ts';
import { destination, ownLocality } from './destination.ts';
import { httpPort, localSubset } from './eastwest.ts';
import { istioObject } from './objects.ts';
import type { Wanted, WantedObject } from './objects.ts';
import { httpRoute } from './route.ts';
import type { Target } from './route.ts';
import { tier1Destination } from './tier1.ts';
import { fqdn } from './world.ts';
import type { PlacedGateway, World } from './world.ts';

/**
 * A gateway object in each cluster that it configures: an Istio Gateway with every server's port, for gateways in front of services also the
 * east-west port for the same hostname (what tier1 calls), and a VirtualService per server.
 */
export function gateways(world: World): Wanted[] {
  return world.gateways.flatMap((gateway) => gateway.clusters.flatMap((cluster) => {
    const { namespace, labels } = gateway.spec.workloadSelector;
    const { name } = gateway.object.metadata;
    const servers = gateway.spec.http ?? [];
    const routes = servers.map((server) => virtualService({ world, gateway, cluster }, server));
    const object = istioObject('Gateway', { name, namespace }, { selector: labels, servers: servers.flatMap(ports) });
    return [object, ...routes.flat()].map((wanted) => ({ cluster, source: gateway.object, object: wanted }));
  }));
}

export interface At { readonly world: World; readonly gateway: PlacedGateway; readonly cluster: ClusterFacts }

/** Whether a server chooses among clusters (the tier1 role) instead of services. */
export function isTier1({ routing }: Server): boolean {
  return routing.rules.some(({ route }) => route?.clusterDestination !== undefined);
}

export const defaultPort = 80;

/** The port that a server's clients come in by. */
export function portOf({ port, tls }: Server): number {
  return port ?? (tls?.mode === 'SIMPLE' ? 443 : defaultPort);
}

function ports(server: Server): object[] {
  const host = [`*/${server.hostname}`];
  const number = portOf(server);
  return [
    server.tls?.mode === 'SIMPLE'
      // The certificate reaches the gateway from istiod, which reads the Secret.
      ? { port: { number, name: `https-${server.name}`, protocol: 'HTTPS' }, tls: { mode: 'SIMPLE', credentialName: server.tls.secretName }, hosts: host }
      : { port: { number, name: `http-${server.name}`, protocol: 'HTTP' }, hosts: host },
    ...(isTier1(server) ? [] : [{ port: { number: eastWestPort, name: `http-ew-${server.name}`, protocol: 'HTTP' }, hosts: host }]),
  ];
}

function virtualService(at: At, server: Server): WantedObject[] {
  const { namespace } = at.gateway.spec.workloadSelector;
  const { name } = at.gateway.object.metadata;
  const routed = server.routing.rules.map((rule) => ({ rule, ...target(at, server, rule) }));
  const spec = {
    hosts: [server.hostname], gateways: [`${namespace}/${name}`], exportTo: ['.'],
    http: routed.map(({ rule, to }) => httpRoute(rule, to)),
  };
  return [istioObject('VirtualService', { name: `${name}-${server.name}`, namespace }, spec), ...routed.flatMap(({ objects }) => objects)];
}

function target(at: At, server: Server, { route }: Rule): { to: Target | undefined; objects: WantedObject[] } {
  if (route?.clusterDestination) return tier1Destination(at, server, route.clusterDestination.clusters ?? []);
  if (route?.serviceDestination) return serviceDestination(at, route.serviceDestination);
  return { to: undefined, objects: [] };
}

function serviceDestination({ world, gateway, cluster }: At, { host: reference, port }: { host: string; port?: number }): { to: Target; objects: WantedObject[] } {
  const host = reference.slice(reference.indexOf('/') + 1);
  const { namespace } = gateway.spec.workloadSelector;
  const service = cluster.services.find((candidate) => fqdn(candidate) === host);
  const exposed = world.exposures.some((exposure) => exposure.cluster === cluster && exposure.service === service);
  const policy = hostPolicy(world.settings(gateway.workspace, { cluster, namespace }, host));
  const to = {
    destinations: [{ host, port: port ?? (service && httpPort(service)?.port) ?? service?.ports[0]?.port ?? defaultPort }],
    policy,
    ...(exposed ? { authority: host } : {}), // the name by which a peer's east-west port knows the Service
  };
  const subsets = exposed ? [{ name: localSubset, labels: ownLocality(cluster) }] : [];
  return { to, objects: destination({ namespace, host, policy, failover: world.failover(gateway.workspace), subsets }) };
}
