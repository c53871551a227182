import { hostPolicy } from '../resilience.ts';
import { eastWestPort } from '../model.ts';
import type { ClusterChoice, ClusterFacts, FailoverSettings, Server } from '../model.ts';
import { destination } from './destination.ts';
import { failoverLabels } from './eastwest.ts';
import { defaultPort, isTier1 } from './gateways.ts';
import type { At } from './gateways.ts';
import { istioObject, multiclusterNamespace, shortHash } from './objects.ts';
import type { WantedObject } from './objects.ts';
import type { Target } from './route.ts';
import { gatewayServices, hasLabels } from './world.ts';
import type { PlacedGateway, World } from './world.ts';

/** An address at which a cluster serves a hostname. */
export interface RemoteGateway { readonly cluster: ClusterFacts; readonly address: string; readonly labels: Readonly<Record<string, string>>; readonly gateway: PlacedGateway; readonly server: Server }

/**
 * From a tier1 gateway to the clusters that serve its hostname. Weights make a subset per cluster, which no failover leaves; without
 * weights all named clusters are one destination whose endpoints are ranked by locality.
 */
export function tier1Destination({ world, gateway, cluster }: At, server: Server, choices: readonly ClusterChoice[]): { to: Target; objects: WantedObject[] } {
  const host = server.hostname;
  const { namespace } = gateway.spec.workloadSelector;
  const remotes = remoteGateways(world, cluster, host);
  const policy = clientProtocol(hostPolicy(world.settings(gateway.workspace, { cluster, namespace }, host)));
  const allSubsets = subsetsOf(gateway, host, remotes);
  const weighted = choices.some(({ weight }) => weight !== undefined);
  const chosen = subsetsFor(choices, remotes);
  const entry = istioObject('ServiceEntry', { name: `global-gateway-${host}`, namespace: multiclusterNamespace }, {
    hosts: [host], location: 'MESH_INTERNAL', resolution: 'STATIC',
    ports: [{ number: defaultPort, name: 'http', protocol: 'HTTP' }],
    endpoints: remotes.map((remote) => ({
      address: remote.address, ports: { http: eastWestPort }, locality: `${remote.cluster.region}/${remote.cluster.zone}`,
      labels: {
        ...remote.labels, 'xcp.tetrate.io/cluster': remote.cluster.name,
        ...Object.assign({}, ...allSubsets.filter(({ clusters }) => clusters.includes(remote.cluster.name)).map(({ labels }) => labels)) as Record<string, string>,
      },
    })),
  });
  const to = {
    destinations: chosen.length === 0
      ? [{ host, port: defaultPort }]
      : chosen.map(({ name, weight }) => ({ host, port: defaultPort, subset: name, ...(weighted ? { weight: weight ?? 0 } : {}) })),
    authority: host,
    policy,
  };
  const subsets = allSubsets.map(({ name, labels }) => ({ name, labels }));
  const objects = destination({ namespace, host, policy, failover: failoverOf(world, server, remotes), subsets });
  return { to, objects: remotes.length === 0 ? objects : [entry, ...objects] };
}

/** Every gateway in front of services that serves a hostname and can be reached from a cluster. */
export function remoteGateways(world: World, from: ClusterFacts, host: string): RemoteGateway[] {
  return world.gateways.flatMap((gateway) => (gateway.spec.http ?? [])
    .filter((server) => server.hostname === host && !isTier1(server))
    .flatMap((server) => gateway.clusters
      .filter((cluster) => world.reachable(from, cluster))
      .flatMap((cluster) => gatewayServices(cluster, gateway.spec.workloadSelector).flatMap(({ addresses, labels }) =>
        addresses.map((address) => ({ cluster, address, labels: failoverLabels(labels), gateway, server }))))));
}

/** The TSB clusters that a choice (by name, labels or network) means. */
export function chosenClusters({ name, labels, network }: ClusterChoice, clusters: readonly ClusterFacts[]): readonly ClusterFacts[] {
  return clusters.filter((cluster) => (name === undefined || cluster.name === name)
    && (labels === undefined || hasLabels(cluster.labels, labels)) && (network === undefined || cluster.network === network));
}

interface Subset { readonly name: string; readonly clusters: readonly string[]; readonly labels: Readonly<Record<string, string>>; readonly weight?: number }

function subsetsFor(choices: readonly ClusterChoice[], remotes: readonly RemoteGateway[]): Subset[] {
  const serving = [...new Set(remotes.map(({ cluster }) => cluster))];
  if (choices.some(({ weight }) => weight !== undefined)) {
    return choices.flatMap((choice) => chosenClusters(choice, serving).map(({ name }) => ({
      name, clusters: [name], labels: { 'xcp.tetrate.io/cluster': name }, ...(choice.weight === undefined ? {} : { weight: choice.weight }),
    })));
  }
  const names = [...new Set(choices.flatMap((choice) => chosenClusters(choice, serving).map(({ name }) => name)))].sort();
  if (names.length === 0) return [];
  const joined = names.join('-');
  const name = joined.length <= 40 ? joined : shortHash(joined);
  return [{ name, clusters: names, labels: { [`clusters.tsb.tetrate.io/${name}`]: 'true' } }];
}

/** All subsets that any rule of this gateway needs of a hostname: they share one ServiceEntry and one DestinationRule. */
function subsetsOf(gateway: PlacedGateway, host: string, remotes: readonly RemoteGateway[]): Subset[] {
  const all = (gateway.spec.http ?? []).filter(({ hostname }) => hostname === host)
    .flatMap(({ routing }) => routing.rules.flatMap(({ route }) => subsetsFor(route?.clusterDestination?.clusters ?? [], remotes)));
  return [...new Map(all.map((subset) => [subset.name, subset])).values()];
}

/** failoverSettings are the serving side's; the tier1 server's own come first, as they are for exactly this hop. */
function failoverOf(world: World, server: Server, remotes: readonly RemoteGateway[]): FailoverSettings {
  return server.failoverSettings ?? remotes[0]?.server.failoverSettings ?? world.failover(remotes[0]?.gateway.workspace);
}

/** Towards other gateways TSB speaks the protocol of the client. */
function clientProtocol(policy: ReturnType<typeof hostPolicy>): ReturnType<typeof hostPolicy> {
  const { tcp, http } = policy.trafficPolicy['connectionPool'] as { tcp: object; http: object };
  return { ...policy, trafficPolicy: { ...policy.trafficPolicy, connectionPool: { tcp, http: { ...http, useClientProtocol: true } } } };
}
