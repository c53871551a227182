import assert from 'node:assert/strict';
import { planClusters } from '../../sandbox/machine/clusters.ts';
import { proxyv2 } from '../../sandbox/images/envoy.ts';
import type { ContainerContext } from '../../sandbox/images/image.ts';
import type { EnvoyFilter } from '../../sandbox/images/sidecar-filters.ts';

interface Bootstrap {
  readonly node: { readonly id: string; readonly locality?: object; readonly metadata?: Record<string, unknown> };
  readonly admin: { readonly address: { readonly socket_address: object } };
  readonly dynamic_resources?: { readonly ads_config?: { readonly api_type: string }; readonly lds_config?: { readonly initial_fetch_timeout: string; readonly path_config_source: { readonly path: string } }; readonly cds_config?: { readonly path_config_source: { readonly path: string } } };
  readonly static_resources: { readonly listeners: { readonly address: { readonly socket_address: { readonly address: string; readonly port_value: number } } }[] };
}

function context(role: string): ContainerContext {
  const cluster = planClusters(2).find(({ name }) => name === 'east');
  assert.ok(cluster);
  const container = { name: 'istio-proxy', args: ['proxy', role], ports: [{ containerPort: 15021 }] };
  const application = { name: 'bridge', ports: [{ containerPort: 8080 }, { containerPort: 8081 }, { containerPort: 53, protocol: 'UDP' }] };
  return {
    cluster, container, podIp: '10.13.1.9', env: { ISTIO_VERSION: '1.31.4' }, hasSidecar: role === 'sidecar',
    pod: { metadata: { name: 'gateway-1', namespace: 'kafka-bridge', labels: { app: 'gateway' } }, spec: { nodeName: 'east-node', serviceAccountName: 'gateway-service-account', containers: [container, application] } },
    tools: { envoy: '/tools/envoy', node: '/tools/node', project: '/project' },
  } as unknown as ContainerContext;
}

function bootstrapOf(role: string): Bootstrap {
  const [file] = Object.values(proxyv2(context(role)).files ?? {});
  return JSON.parse(file ?? '') as Bootstrap;
}

interface Address { readonly address: { readonly socket_address: { readonly address: string; readonly port_value: number } } }

const addresses = (listeners: readonly Address[]) => listeners.map(({ address: { socket_address } }) => `${socket_address.address}:${socket_address.port_value}`);

/** What a sidecar reads from a file of its own. */
function sidecarFile<Resource>(which: 'clusters' | 'listeners', filters: EnvoyFilter[] = []): { path: string; resources: Resource[] } {
  const file = proxyv2(context('sidecar')).meshFiles?.find(({ path }) => path.endsWith(`/${which}.json`));
  assert.ok(file);
  return { path: file.path, ...JSON.parse(file.text(filters)) as { resources: Resource[] } };
}

type Patch = NonNullable<NonNullable<EnvoyFilter['spec']>['configPatches']>[number];

function filterOf(value: object, patch: Patch): EnvoyFilter {
  return { metadata: { name: 'f', namespace: 'kafka-bridge' }, spec: { configPatches: [{ ...patch, patch: { operation: 'MERGE', value } }] } };
}

describe('Envoy as proxyv2', () => {
  it('is a gateway that istiod knows by its pod, and that has all but readiness from it', () => {
    const { node, dynamic_resources: dynamic } = bootstrapOf('router');
    assert.equal(node.id, 'router~10.13.1.9~gateway-1.kafka-bridge~kafka-bridge.svc.cluster.local');
    assert.deepEqual(node.locality, { region: 'us-east1', zone: 'us-east1-a' });
    assert.equal(node.metadata?.['CLUSTER_ID'], 'east');
    assert.equal(dynamic?.ads_config?.api_type, 'DELTA_GRPC');
    assert.deepEqual(addresses(bootstrapOf('router').static_resources.listeners), ['0.0.0.0:15021']);
  });

  it('is not ready before istiod has answered', () => {
    assert.equal(bootstrapOf('router').dynamic_resources?.lds_config?.initial_fetch_timeout, '0s');
  });

  it('is a sidecar that takes the other containers\' TCP ports at the pod\'s address', () => {
    const { path, resources } = sidecarFile<Address>('listeners');
    const { static_resources: own, dynamic_resources: dynamic } = bootstrapOf('sidecar');
    assert.deepEqual(addresses([...own.listeners, ...resources]), ['0.0.0.0:15021', '10.13.1.9:8080', '10.13.1.9:8081']);
    assert.equal(dynamic?.lds_config?.path_config_source.path, path);
  });

  it('takes those ports as the mesh\'s filters say', () => {
    const filterChain = { destinationPort: 8081, filter: { name: 'envoy.filters.network.http_connection_manager' } };
    const said = filterOf({ typed_config: { local_reply_config: { mappers: [] } } }, { applyTo: 'NETWORK_FILTER', match: { context: 'SIDECAR_INBOUND', listener: { filterChain } } });
    const { resources } = sidecarFile<{ '@type': string; filter_chains: { filters: { typed_config: { stat_prefix: string; local_reply_config?: object } }[] }[] }>('listeners', [said]);
    assert.deepEqual(resources.flatMap((each) => each.filter_chains.flatMap(({ filters }) => filters.map(({ typed_config: manager }) => [each['@type'], manager.stat_prefix, manager.local_reply_config]))), [
      ['type.googleapis.com/envoy.config.listener.v3.Listener', 'inbound|8080', undefined], ['type.googleapis.com/envoy.config.listener.v3.Listener', 'inbound|8081', { mappers: [] }],
    ]);
  });

  it('passes those ports on inside the pod, as the mesh\'s filters say', () => {
    const ping = filterOf({ ping: true }, { applyTo: 'CLUSTER', match: { context: 'SIDECAR_INBOUND', cluster: { portNumber: 8081 } } });
    const { path, resources } = sidecarFile<{ '@type': string; name: string; ping?: boolean; load_assignment: unknown }>('clusters', [ping]);
    assert.deepEqual(resources.map((cluster) => [cluster['@type'], cluster.name, cluster.ping]), [
      ['type.googleapis.com/envoy.config.cluster.v3.Cluster', 'inbound|8080', undefined], ['type.googleapis.com/envoy.config.cluster.v3.Cluster', 'inbound|8081', true],
    ]);
    assert.deepEqual(bootstrapOf('sidecar').dynamic_resources?.cds_config?.path_config_source.path, path);
    for (const { load_assignment: to } of resources) assert.match(JSON.stringify(to), /"127\.0\.0\.1"/);
  });

  it('keeps its admin interface to its own pod', () => {
    for (const role of ['router', 'sidecar']) assert.deepEqual(bootstrapOf(role).admin.address.socket_address, { address: '127.0.0.1', port_value: 15000 });
  });

  it('refuses arguments that it does not know', () => {
    assert.throws(() => proxyv2(context('waypoint')), /proxyv2 knows the arguments "proxy router" and "proxy sidecar", not "proxy waypoint"/);
  });
});
