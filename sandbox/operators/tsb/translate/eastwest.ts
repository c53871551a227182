import { hostPolicy } from '../resilience.ts';
import { eastWestPort } from '../model.ts';
import type { ClusterFacts, ServiceFacts } from '../model.ts';
import { destination, ownLocality } from './destination.ts';
import { istioObject, shortHash } from './objects.ts';
import type { Wanted } from './objects.ts';
import { httpRoute } from './route.ts';
import { fqdn } from './world.ts';
import type { Exposure, World } from './world.ts';

/** The subset of a Service that leaves out other clusters' endpoints: where a failover hop ends, so that it never goes on. */
export const localSubset = 'local';

/**
 * Services that other clusters may reach. Serving side: the gateway's east-west port routes a Host that is the Service's name to the
 * Service's local endpoints. Calling side: where the same Service exists, the other gateways' addresses join it as WorkloadEntries
 * with their own locality, so that Istio ranks them behind local endpoints.
 */
export function eastWest(world: World): Wanted[] {
  return world.exposures.flatMap((exposure) => [...serving(world, exposure), ...calling(world, exposure)]);
}

/** The port that crosses clusters: TSB's SNI names a port, a Host does not, so it is the Service's first HTTP port. */
export function httpPort({ ports }: ServiceFacts): ServiceFacts['ports'][number] | undefined {
  return ports.find(({ name, appProtocol }) => /^(http|grpc|h2)/.test(name) || /^(http|grpc|kubernetes\.io\/h2c)/.test(appProtocol ?? ''));
}

function serving(world: World, { setting, workspace, index, cluster, service, gateway }: Exposure): Wanted[] {
  const port = httpPort(service);
  if (port === undefined) return [];
  const host = fqdn(service);
  const name = `${workspace.metadata.name}-${index}-${service.name}-${service.namespace}`;
  const policy = hostPolicy(world.settings(workspace, { cluster, namespace: gateway.namespace }, host));
  const objects = [
    istioObject('Gateway', { name: `ewgen-${name}`, namespace: gateway.namespace }, {
      selector: gateway.labels,
      servers: [{ port: { number: eastWestPort, name: `http-${name}`, protocol: 'HTTP' }, hosts: [`*/${host}`] }],
    }),
    istioObject('VirtualService', { name: `vs-${name}`, namespace: gateway.namespace }, {
      hosts: [host], gateways: [`${gateway.namespace}/ewgen-${name}`], exportTo: ['.'],
      http: [httpRoute({}, { destinations: [{ host, port: port.port, subset: localSubset }], policy })],
    }),
    ...destination({
      namespace: gateway.namespace, host, policy, failover: world.failover(workspace),
      subsets: [{ name: localSubset, labels: ownLocality(cluster) }],
    }),
  ];
  return objects.map((object) => ({ cluster, source: setting, object }));
}

function calling(world: World, { setting, workspace, cluster: remote, service, addresses }: Exposure): Wanted[] {
  return world.exposures
    .filter((other) => other.workspace === workspace && other.cluster !== remote && fqdn(other.service) === fqdn(service))
    .filter(({ cluster }) => world.reachable(cluster, remote) && !sameLocality(cluster, remote))
    .flatMap(({ cluster, service: local }) => {
      const port = httpPort(local);
      // Without a port that crosses, the entry would join other Services of the same pods, at a port where no gateway listens.
      return port === undefined ? [] : addresses.map((address) => ({ cluster, local, port, address }));
    })
    .map(({ cluster, local, port, address }) => ({
      cluster,
      source: setting,
      object: istioObject('WorkloadEntry', { name: `k-${local.name}-${shortHash(`${remote.name}/${address}`)}`, namespace: local.namespace }, {
        address,
        labels: { ...local.selector, 'xcp.tetrate.io/cluster': remote.name, ...failoverLabels(service.labels) },
        locality: `${remote.region}/${remote.zone}`,
        ports: { [port.name]: eastWestPort },
      }),
    }));
}

/** Endpoints of such a peer could not be told from local ones: the hop that must end at local endpoints would come back. */
export function sameLocality(one: ClusterFacts, other: ClusterFacts): boolean {
  return one.region === other.region && one.zone === other.zone;
}

/** Labels of a Service that failoverPriority may name. */
export function failoverLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name.startsWith('failover.tetrate.io/')));
}
