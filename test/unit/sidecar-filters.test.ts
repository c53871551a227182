import assert from 'node:assert/strict';
import type { V1Pod } from '@kubernetes/client-node';
import { connectionManager, patchedCluster, patchedConnectionManager, unhonoured } from '../../sandbox/images/sidecar-filters.ts';
import type { EnvoyFilter } from '../../sandbox/images/sidecar-filters.ts';

const pod = { metadata: { name: 'bridge-1', namespace: 'kafka-bridge', labels: { app: 'bridge', tier: 'http' } } } as V1Pod;
const port = 8080;

type Patch = NonNullable<NonNullable<EnvoyFilter['spec']>['configPatches']>[number];

function patch(value: object, { match = {}, ...more }: Partial<Patch> = {}): Patch {
  return { applyTo: 'CLUSTER', match: { context: 'SIDECAR_INBOUND', ...match }, patch: { operation: 'MERGE', value }, ...more };
}

function filter(patches: readonly Patch[], metadata: Partial<EnvoyFilter['metadata']> = {}, labels?: Record<string, string>): EnvoyFilter {
  return { metadata: { name: 'f', namespace: 'kafka-bridge', ...metadata }, spec: { ...(labels === undefined ? {} : { workloadSelector: { labels } }), configPatches: patches } };
}

const merge = (cluster: object, ...filters: EnvoyFilter[]): object => patchedCluster(cluster, { pod, port, filters });

describe('the EnvoyFilters of a sidecar', () => {
  it('are merged into the clusters of its ports, as messages are', () => {
    assert.deepEqual(
      merge({ name: 'c', lb: { window: '1s', kept: true }, checks: ['a'] }, filter([patch({ lb: { window: '0s' }, checks: ['b'], more: 1 })])),
      { name: 'c', lb: { window: '0s', kept: true }, checks: ['a', 'b'], more: 1 },
    );
  });

  it('replace a typed value as a whole', () => {
    const options = { '@type': 'T', ping: 1 };
    assert.deepEqual(merge({ options: { '@type': 'T', other: 2 } }, filter([patch({ options })])), { options });
  });

  for (const [what, other] of [
    ['another namespace', filter([patch({ x: 1 })], { namespace: 'elsewhere' })],
    ['pods with other labels', filter([patch({ x: 1 })], {}, { app: 'bridge', tier: 'tcp' })],
    ['another port', filter([patch({ x: 1 }, { match: { cluster: { portNumber: 9090 } } })])],
    ['gateways', filter([patch({ x: 1 }, { match: { context: 'GATEWAY' } })])],
    ['another revision of the mesh', filter([patch({ x: 1 })], { labels: { 'istio.io/rev': 'tsb' } })],
  ] as const) {
    it(`are not those of ${what}`, () => {
      assert.deepEqual(merge({ name: 'c' }, other), { name: 'c' });
    });
  }

  it('are those of its own labels, of its port and of the whole mesh', () => {
    assert.deepEqual(merge(
      {}, filter([patch({ byLabel: 1 })], {}, { app: 'bridge' }), filter([patch({ byPort: 1 }, { match: { cluster: { portNumber: port } } })]),
      filter([patch({ ofAll: 1 })], { namespace: 'istio-system' }), filter([patch({ byRevision: 1 })], { labels: { 'istio.io/rev': 'default' } }),
    ), { byLabel: 1, byPort: 1, ofAll: 1, byRevision: 1 });
  });

  it('come in istiod\'s order: those of the whole mesh, then the older', () => {
    const [older, newer] = [filter([patch({ by: 'older' })], { creationTimestamp: '2026-01-01T00:00:00Z' }), filter([patch({ by: 'newer' })], { creationTimestamp: '2026-01-02T00:00:00Z' })];
    const ofAll = filter([patch({ by: 'all' })], { namespace: 'istio-system', creationTimestamp: '2026-01-03T00:00:00Z' });
    for (const order of [[older, newer, ofAll], [ofAll, newer, older]]) assert.deepEqual(merge({}, ...order), { by: 'newer' });
  });

  it('are merged into the connection manager of a port, its typed configuration too', () => {
    const taken = (filterChain: object, value: object) => patch(value, { applyTo: 'NETWORK_FILTER', match: { context: 'SIDECAR_INBOUND', listener: { filterChain: { filter: { name: connectionManager }, ...filterChain } } } });
    const manager = { name: connectionManager, typed_config: { '@type': 'T', stat_prefix: 's', mappers: ['a'] } };
    const filters = [filter([taken({ destinationPort: port }, { typed_config: { '@type': 'T', mappers: ['b'] } }), taken({ destinationPort: 9090 }, { typed_config: { other: 1 } }), patch({ ofClusters: 1 })])];
    assert.deepEqual(patchedConnectionManager(manager, { pod, port, filters }), { ...manager, typed_config: { ...manager.typed_config, mappers: ['a', 'b'] } });
    assert.deepEqual(merge({}, ...filters), { ofClusters: 1 });
    assert.deepEqual(filters.flatMap(unhonoured), []);
  });

  it('name what sidecars do not do, by the path of its fields', () => {
    const ignored = { x: 1 };
    assert.deepEqual(unhonoured(filter([
      patch(ignored), patch(ignored, { applyTo: 'LISTENER' }), patch(ignored, { match: { cluster: { name: 'inbound|8080||' } } }),
      patch(ignored, { match: { context: 'SIDECAR_OUTBOUND' } }), patch(ignored, { patch: { operation: 'ADD' } }), patch(ignored, { match: { context: 'GATEWAY' }, applyTo: 'LISTENER' }),
      patch(ignored, { applyTo: 'NETWORK_FILTER', match: { context: 'SIDECAR_INBOUND', listener: { filterChain: { filter: { name: connectionManager } } } } }),
      patch(ignored, { applyTo: 'NETWORK_FILTER', match: { context: 'SIDECAR_INBOUND', listener: { portNumber: 15006, filterChain: { filter: { name: connectionManager } } } } }),
      patch(ignored, { applyTo: 'NETWORK_FILTER', match: { context: 'SIDECAR_INBOUND', listener: { filterChain: { filter: { name: 'envoy.filters.network.tcp_proxy' } } } } }),
    ])), [1, 2, 3, 4, 6, 7, 8].map((index) => `spec.configPatches[${index}]`));
    assert.deepEqual(unhonoured(filter([patch(ignored, { applyTo: 'LISTENER' })], { labels: { 'istio.io/rev': 'tsb' } })), [], 'not read at all');
  });
});
