import assert from 'node:assert/strict';
import { planClusters } from '../../sandbox/machine/clusters.ts';
import { proxyv2 } from '../../sandbox/images/envoy.ts';
import type { ContainerContext } from '../../sandbox/images/image.ts';
import type { EnvoyFilter } from '../../sandbox/images/sidecar-filters.ts';

interface Bootstrap {
  readonly node: { readonly id: string; readonly locality?: object; readonly metadata?: Record<string, unknown> };
  readonly admin: { readonly address: { readonly socket_address: object } };
  readonly dynamic_resources?: { readonly ads_config?: { readonly api_type: string }; readonly lds_config?: { readonly initial_fetch_timeout: string }; readonly cds_config?: { readonly path_config_source: { readonly path: string } } };
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

const listeners = (role: string) => bootstrapOf(role).static_resources.listeners.map(({ address: { socket_address } }) => `${socket_address.address}:${socket_address.port_value}`);

describe('Envoy as proxyv2', () => {
  it('is a gateway that istiod knows by its pod, and that has all but readiness from it', () => {
    const { node, dynamic_resources: dynamic } = bootstrapOf('router');
    assert.equal(node.id, 'router~10.13.1.9~gateway-1.kafka-bridge~kafka-bridge.svc.cluster.local');
    assert.deepEqual(node.locality, { region: 'us-east1', zone: 'us-east1-a' });
    assert.equal(node.metadata?.['CLUSTER_ID'], 'east');
    assert.equal(dynamic?.ads_config?.api_type, 'DELTA_GRPC');
    assert.deepEqual(listeners('router'), ['0.0.0.0:15021']);
  });

  it('is not ready before istiod has answered', () => {
    assert.equal(bootstrapOf('router').dynamic_resources?.lds_config?.initial_fetch_timeout, '0s');
  });

  it('is a sidecar that takes the other containers\' TCP ports at the pod\'s address', () => {
    assert.deepEqual(listeners('sidecar'), ['0.0.0.0:15021', '10.13.1.9:8080', '10.13.1.9:8081']);
  });

  it('passes those ports on inside the pod, as the mesh\'s filters say', () => {
    const { meshFile } = proxyv2(context('sidecar'));
    const clusters = (filters: EnvoyFilter[]) => (JSON.parse(meshFile?.text(filters) ?? '') as { resources: { '@type': string; name: string; ping?: boolean; load_assignment: unknown }[] }).resources;
    const ping: EnvoyFilter = {
      metadata: { name: 'f', namespace: 'kafka-bridge' },
      spec: { configPatches: [{ applyTo: 'CLUSTER', match: { context: 'SIDECAR_INBOUND', cluster: { portNumber: 8081 } }, patch: { operation: 'MERGE', value: { ping: true } } }] },
    };
    assert.deepEqual(clusters([ping]).map((cluster) => [cluster['@type'], cluster.name, cluster.ping]), [
      ['type.googleapis.com/envoy.config.cluster.v3.Cluster', 'inbound|8080', undefined], ['type.googleapis.com/envoy.config.cluster.v3.Cluster', 'inbound|8081', true],
    ]);
    assert.deepEqual(bootstrapOf('sidecar').dynamic_resources?.cds_config?.path_config_source.path, meshFile?.path);
    for (const { load_assignment: to } of clusters([])) assert.match(JSON.stringify(to), /"127\.0\.0\.1"/);
  });

  it('keeps its admin interface to its own pod', () => {
    for (const role of ['router', 'sidecar']) assert.deepEqual(bootstrapOf(role).admin.address.socket_address, { address: '127.0.0.1', port_value: 15000 });
  });

  it('refuses arguments that it does not know', () => {
    assert.throws(() => proxyv2(context('waypoint')), /proxyv2 knows the arguments "proxy router" and "proxy sidecar", not "proxy waypoint"/);
  });
});
