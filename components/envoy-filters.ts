import type { BridgeConfiguration } from '../config/schema.ts';
import { bridgeHosts } from './bridge-hosts.ts';
import type { ConfigPatch, EnvoyFilterSpec } from './resources/istio.ts';

/**
 * What TSB has no field for. Without `update_merge_window: 0s` Envoy delivers a health change that follows another
 * within a second late, so that every re-admission of a dead host costs a second of errors.
 */
const mergeWindow = { common_lb_config: { update_merge_window: '0s' } };

/** Headers of every answer that say who gave it: the region, and the bridge or gateway behind its gateway. */
export function serverMarks(region: string): Record<string, string> {
  return { 'x-kbf-gateway': region, 'x-kbf-upstream': '%UPSTREAM_HOST%' };
}

/** For a region's gateway: health checks of its bridges, and headers that say who answered. */
export function regionFilter({ region, gateway, bridge }: { region: string; gateway: string; bridge: BridgeConfiguration }): EnvoyFilterSpec {
  const { shared, local } = bridgeHosts(bridge);
  return {
    workloadSelector: { labels: { app: gateway } },
    configPatches: [
      ...[shared, ...(local === undefined ? [] : [local])].map((service) => cluster(service, bridge.service)),
      {
        applyTo: 'ROUTE_CONFIGURATION',
        match: { context: 'GATEWAY' },
        patch: { operation: 'MERGE', value: { response_headers_to_add: Object.entries(serverMarks(region)).map(header) } },
      },
    ],
  };
}

/** For tier1, whose endpoints are the regions' gateways. */
export function tier1Filter(gateway: string): EnvoyFilterSpec {
  return {
    workloadSelector: { labels: { app: gateway } },
    configPatches: [{ applyTo: 'CLUSTER', match: { context: 'GATEWAY' }, patch: { operation: 'MERGE', value: mergeWindow } }],
  };
}

/**
 * A dead or hung bridge is found and kept out by checks, not by live requests. The peer's gateway is checked in the same way: it
 * routes the check by this host name to its own bridge.
 */
function cluster(service: string, kind: BridgeConfiguration['service']): ConfigPatch {
  return {
    applyTo: 'CLUSTER',
    match: { context: 'GATEWAY', cluster: { service } },
    patch: {
      operation: 'MERGE',
      value: {
        ...mergeWindow,
        // A host that Kubernetes removed gets no more requests, whatever its last check said.
        ignore_health_on_host_removal: true,
        // The check is shallow: it must not let back in what failed live requests.
        outlier_detection: { successful_active_health_check_uneject_host: false },
        health_checks: [
          {
            timeout: '0.5s',
            interval: '0.25s',
            no_traffic_interval: '0.25s',
            unhealthy_threshold: 2,
            healthy_threshold: 1,
            http_health_check: { path: '/', host: service, ...(kind === 'own' ? { codec_client_type: 'HTTP2' } : {}) },
          },
        ],
      },
    },
  };
}

function header([key, value]: [string, string]): object {
  return { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
}
