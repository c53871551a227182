import assert from 'node:assert/strict';

import { regionFilter, sidecarFilter, tier1Filter } from '../../components/envoy-filters.ts';
import type { EnvoyFilterSpec } from '../../components/resources/istio.ts';
import { configuration } from './topology-fixtures.ts';

type Value = Record<string, unknown>;

const { bridge } = configuration();
const ofRegion = regionFilter({ region: 'east', gateway: 'gw', bridge });
const ofTier1 = tier1Filter({ gateway: 'tier1', hosts: ['kafka.example', 'east.kafka.example'], healthCheck: bridge.healthCheck });

function valuesOf({ configPatches }: EnvoyFilterSpec, kind: string): Value[] {
  return configPatches.filter(({ applyTo }) => applyTo === kind).map(({ patch }) => patch.value);
}

describe('the EnvoyFilter of a gateway', () => {
  it('lets no host back in by a check alone, waits for none that Kubernetes took away, and tells changes at once', () => {
    for (const cluster of [...valuesOf(ofRegion, 'CLUSTER'), ...valuesOf(ofTier1, 'CLUSTER')]) {
      assert.equal(cluster['ignore_health_on_host_removal'], true);
      assert.deepEqual(cluster['outlier_detection'], { successful_active_health_check_uneject_host: false });
      assert.equal((cluster['common_lb_config'] as Value)['update_merge_window'], '0s');
    }
  });

  it('pings each host as often as it says, without anything by chance', () => {
    const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
    const pings = { connection_keepalive: { interval: '0.25s', timeout: '1s', interval_jitter: { value: 0 } } };
    const forms = [ofRegion, ofTier1, sidecarFilter({ labels: {}, port: 8080 })].flatMap((filter) => valuesOf(filter, 'CLUSTER'))
      .flatMap((cluster) => Object.entries((cluster['typed_extension_protocol_options'] as Record<string, Value>)[type] ?? {})).filter(([name]) => name !== '@type');
    assert.deepEqual(forms, [
      ...Array.from({ length: 4 }, () => ['explicit_http_config', { http2_protocol_options: pings }]),
      ['use_downstream_protocol_config', { http_protocol_options: {}, http2_protocol_options: pings }],
    ]);
  });

  it('takes any answer of a region for one that lives, but 503', () => {
    for (const cluster of valuesOf(ofTier1, 'CLUSTER')) {
      const [check] = cluster['health_checks'] as { http_health_check: Value }[];
      // Envoy's ranges do not hold their ends.
      assert.deepEqual(check?.http_health_check['expected_statuses'], [{ start: 200, end: 503 }, { start: 504, end: 600 }]);
    }
  });

  it('sends what was not sent to the next priority, and keeps as much of it as Envoy does by itself', () => {
    const type = 'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig';
    for (const filter of [ofRegion, ofTier1]) {
      const [{ route }] = valuesOf(filter, 'HTTP_ROUTE') as [{ route: { retry_policy: Value } }];
      assert.deepEqual(route.retry_policy['retry_priority'], { name: 'envoy.retry_priorities.previous_priorities', typed_config: { '@type': type, update_frequency: 1 } });
      assert.deepEqual(valuesOf(filter, 'LISTENER'), [{ per_connection_buffer_limit_bytes: 1_048_576 }]);
      const [{ typed_config: manager }] = valuesOf(filter, 'NETWORK_FILTER') as [{ typed_config: Value }];
      assert.deepEqual(manager['http2_protocol_options'], { initial_stream_window_size: 1_048_576 });
      // TSB's own filters have 0 and 100, and Istio applies higher ones later.
      assert.ok((filter.priority ?? 0) > 100);
    }
  });

  it('says who answered in place of whatever was said before', () => {
    const [headers] = valuesOf(ofRegion, 'ROUTE_CONFIGURATION').map((value) => value['response_headers_to_add']);
    assert.deepEqual(headers, [['x-kbf-gateway', 'east'], ['x-kbf-upstream', '%UPSTREAM_HOST%']].map(([key, value]) => ({ header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' })));
  });
});
