import { httpPort, sameLocality } from './eastwest.ts';
import { isTier1 } from './gateways.ts';
import { remoteGateways } from './tier1.ts';
import { fqdn, gatewayServices } from './world.ts';
import type { PlacedGateway, World } from './world.ts';
import type { TsbObject } from '../model.ts';

/** What an accepted object will not do as things stand: missing services, gateways without an address. */
export function warnings(world: World, object: TsbObject): string[] {
  const gateway = world.gateways.find((candidate) => candidate.object === object);
  if (gateway) return gatewayWarnings(world, gateway);
  return world.exposures
    .filter(({ setting }) => setting === object)
    .flatMap(({ cluster, service, addresses, workspace }) => [
      ...world.exposures.filter((other) => other.workspace === workspace && other.cluster !== cluster && fqdn(other.service) === fqdn(service) && sameLocality(cluster, other.cluster))
        .map((other) => `${cluster.name} and ${other.cluster.name} have the same region and zone: Service ${service.namespace}/${service.name} does not fail over between them`),
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
      ? remoteGateways(world, cluster, server.hostname).length > 0 ? [] : [`no gateway that serves "${server.hostname}" has an address yet: requests get 503`]
      : server.routing.rules.flatMap(({ route }) => {
        const host = route?.serviceDestination?.host.split('/')[1];
        return host === undefined || cluster.services.some((service) => fqdn(service) === host) ? [] : [`Service ${host} does not exist in ${cluster.name} yet: requests get 503`];
      })))];
  });
}
