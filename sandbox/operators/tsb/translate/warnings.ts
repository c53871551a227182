import { httpPort, sameLocality } from './eastwest.ts';
import { isTier1 } from './gateways.ts';
import { remoteGateways } from './tier1.ts';
import { fqdn, gatewayServices } from './world.ts';
import type { PlacedGateway, World } from './world.ts';
import type { ClusterFacts, TsbObject } from '../model.ts';

/** What an accepted object will not do as things stand: missing services, gateways without an address. */
export function warnings(world: World, object: TsbObject): string[] {
  const gateway = world.gateways.find((candidate) => candidate.object === object);
  if (gateway) return gatewayWarnings(world, gateway);
  return world.exposures
    .filter(({ setting }) => setting === object)
    .flatMap(({ cluster, service, addresses, workspace }) => [
      ...world.exposures.filter((other) => other.workspace === workspace && other.cluster !== cluster && fqdn(other.service) === fqdn(service) && sameLocality(cluster, other.cluster))
        .map((other) => `${cluster.name} and ${other.cluster.name} have the same region and zone: Service ${service.namespace}/${service.name} does not fail over between them`),
      ...world.exposures.filter((other) => other.workspace === workspace && other.cluster !== cluster && fqdn(other.service) === fqdn(service) && !world.reachable(cluster, other.cluster))
        .map((other) => `${unreachable(cluster, other.cluster)}: Service ${service.namespace}/${service.name} of ${cluster.name} does not fail over there`),
      ...(httpPort(service) ? [] : [`Service ${service.namespace}/${service.name} of ${cluster.name} names no HTTP port (http…, http2…, grpc…): it is not exposed`]),
      ...(addresses.length > 0 ? [] : [`no gateway of ${cluster.name} that is selected for Service ${service.namespace}/${service.name} has an address with port 15443 yet`]),
    ]);
}

function gatewayWarnings(world: World, gateway: PlacedGateway): string[] {
  return gateway.clusters.flatMap((cluster) => {
    const { namespace, labels } = gateway.spec.workloadSelector;
    const unselected = gatewayServices(cluster, gateway.spec.workloadSelector).length === 0
      ? [`no gateway with labels ${JSON.stringify(labels)} is installed in namespace ${namespace} of ${cluster.name}`] : [];
    return [...unselected, ...(gateway.spec.http ?? []).flatMap((server) => (isTier1(server)
      ? [...notReached(world, cluster, server.hostname), ...(remoteGateways(world, cluster, server.hostname).length > 0 ? [] : [`no gateway that serves "${server.hostname}" has an address yet: requests get 503`])]
      : server.routing.rules.flatMap(({ route }) => {
        const host = route?.serviceDestination?.host.split('/')[1];
        return host === undefined || cluster.services.some((service) => fqdn(service) === host) ? [] : [`Service ${host} does not exist in ${cluster.name} yet: requests get 503`];
      })))];
  });
}

/** Clusters that serve a hostname in networks that cannot be reached: their gateways are left out. */
function notReached(world: World, from: ClusterFacts, hostname: string): string[] {
  const serving = world.gateways.filter(({ spec }) => (spec.http ?? []).some((server) => server.hostname === hostname && !isTier1(server))).flatMap(({ clusters }) => clusters);
  return [...new Set(serving)].filter((to) => !world.reachable(from, to)).map((to) => `${unreachable(from, to)}: its gateway does not get requests for "${hostname}"`);
}

function unreachable(from: ClusterFacts, to: ClusterFacts): string {
  return `network "${to.network}" of ${to.name} cannot be reached from ${from.network === '' ? 'no network' : `network "${from.network}"`} of ${from.name} (networkReachability of the OrganizationSetting)`;
}
