import type { BridgeConfiguration } from '../config/schema.ts';
import { bridgeHosts } from './bridge-hosts.ts';
import { seconds } from './resilience.ts';
import type { ConfigPatch, EnvoyFilterSpec } from './resources/istio.ts';

/**
 * What TSB has no field for. Without `update_merge_window: 0s` Envoy delivers a health change that follows another within a second late, so that every
 * re-admission of a dead host costs a second of errors. And TSB's own panic threshold of 0 answers 503 where no host of any priority passes its checks, though
 * one may well serve: bridges whose first checks are still open after a roll of all regions, or a Kafka too slow for the checks of all (seen: three requests in one of
 * many rolls). At 1 % Envoy tries them all then, and only then: while a peer is healthy, nothing goes to an own host that is not.
 */
const healthChanges = withPanic(1);
const noPanic = withPanic(0);

/** @param value percent of healthy hosts below which all are tried */
function withPanic(value: number): { common_lb_config: object } {
  return { common_lb_config: { update_merge_window: '0s', healthy_panic_threshold: { value } } };
}

/** Behind the EnvoyFilters that TSB writes for every group of gateways, whose priority is 100, with its own panic threshold. */
const afterTsb = 1_000;

/**
 * HTTP/2 pings to a host, and the end of its connections when one stays unanswered: what waits there is answered with 503 after 1.25 s instead of
 * waiting for a timeout, and that 503 ejects the host. With the time for a connection to another region (`bridge.timeouts.connectMs`) that stays below 2 s. A second
 * is more than a pause of a bridge's garbage collector takes. No check does this: Envoy lets requests that wait at a host that
 * failed its checks run on, also with `close_connections_on_host_health_failure`, which is for TCP alone (measured).
 */
const pings = { connection_keepalive: { interval: '0.25s', timeout: '1s', interval_jitter: { value: 0 } } };

/** Replaces what the proxy was told of the protocol: an Any is not merged. */
function spoken(options: Record<string, unknown>): Record<string, unknown> {
  const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return { typed_extension_protocol_options: { [type]: { '@type': `type.googleapis.com/${type}`, ...options } } };
}

const http2 = spoken({ explicit_http_config: { http2_protocol_options: pings } });

/**
 * Header of an answer by which a sidecar says that its bridge never got the request, as no connection to it could be made. For a gateway that is a 503 like that
 * of a request which broke off half way: without the mark it may not send it again.
 */
const unsentMark = 'x-kbf-unsent';

const connectionManager = 'envoy.filters.network.http_connection_manager';
const managerType = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

/**
 * What was not sent to a host is sent to the next priority at once: to the peer. Without it the repetition prefers the region's own bridge for as long as that is not out yet, which
 * Envoy's main thread tells the others, and is refused by it again (312 of 576 requests failed so while that thread was busy with a reading of its statistics).
 */
const elsewhere = {
  name: 'envoy.retry_priorities.previous_priorities',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig', update_frequency: 1 },
};

/**
 * A request can be repeated for as long as all of it is kept, and TSB has its gateways keep 32 KiB, by HTTP/2 64 KiB (its EnvoyFilter `global-gw-best-practice`): a longer one is
 * answered with 507 instead. This is Envoy's own default, and as much as Kafka's producers take by theirs (`max.request.size`).
 */
const keptBytes = 1_048_576;

const everyRoute: ConfigPatch['match'] = { context: 'GATEWAY', routeConfiguration: { vhost: { route: { action: 'ROUTE' } } } };

const kept: readonly ConfigPatch[] = [
  { applyTo: 'LISTENER', match: { context: 'GATEWAY' }, patch: { operation: 'MERGE', value: { per_connection_buffer_limit_bytes: keptBytes } } },
  {
    applyTo: 'NETWORK_FILTER',
    match: { context: 'GATEWAY', listener: { filterChain: { filter: { name: connectionManager } } } },
    patch: { operation: 'MERGE', value: { typed_config: { '@type': managerType, http2_protocol_options: { initial_stream_window_size: keptBytes } } } },
  },
];

/** Envoy's own: upstream connection failure. Of a request that was sent it says UC, upstream connection termination. */
const neverConnected = 'UF';

/** Headers of every answer that say who gave it: the region, and the bridge or gateway behind its gateway. */
export function serverMarks(region: string): Record<string, string> {
  return { 'x-kbf-gateway': region, 'x-kbf-upstream': '%UPSTREAM_HOST%' };
}

/**
 * An instance of a consumer is known to the bridge that made it, and to no other: of several in a region, all that is asked of a group goes to one, as long as that is there. The
 * group is the second part of the path, also where an instance is made. What asks for no group goes to clusters that take no heed of it.
 */
const byGroup = [{ header: { header_name: ':path', regex_rewrite: { pattern: { regex: '^/consumers/([^/?]+).*$' }, substitution: '\\1' } } }];
const oneForEach = { lb_policy: 'RING_HASH', ring_hash_lb_config: {} };

/** For a region's gateway: health checks of its bridges, which bridge serves a group, and headers that say who answered. */
export function regionFilter({ region, gateway, bridge }: { region: string; gateway: string; bridge: BridgeConfiguration }): EnvoyFilterSpec {
  const { shared, local } = bridgeHosts(bridge);
  return {
    priority: afterTsb,
    workloadSelector: { labels: { app: gateway } },
    configPatches: [
      bridgeCluster(shared, bridge),
      // Polls of a bridge without Kafka are answered with nothing for ever: a client that is told 503 makes its consumer anew in another region.
      ...(local === undefined ? [] : [bridgeCluster(local, bridge, { ...noPanic, ...oneForEach })]),
      {
        applyTo: 'ROUTE_CONFIGURATION',
        match: { context: 'GATEWAY' },
        patch: { operation: 'MERGE', value: { response_headers_to_add: Object.entries(serverMarks(region)).map(header) } },
      },
      {
        // Which answers count as `retriable-headers`, where resilience.ts has those repeated; where repetitions go; and by what a bridge of several is chosen.
        applyTo: 'HTTP_ROUTE',
        match: everyRoute,
        patch: { operation: 'MERGE', value: { route: { retry_policy: { retriable_headers: [{ name: unsentMark, present_match: true }], retry_priority: elsewhere }, hash_policy: byGroup } } },
      },
      ...kept,
    ],
  };
}

/**
 * For tier1, whose endpoints are the regions' gateways, by each of these host names. Any answer shows that a gateway lives, but for a 503: then it reaches no bridge that
 * serves this path.
 */
export function tier1Filter({ gateway, hosts, healthCheck }: { gateway: string; hosts: readonly string[]; healthCheck: BridgeConfiguration['healthCheck'] }): EnvoyFilterSpec {
  const { path } = healthCheck;
  return {
    priority: afterTsb,
    workloadSelector: { labels: { app: gateway } },
    configPatches: [
      ...hosts.map((host) => checked(host, { ...healthCheck, asking: { path, host, expected_statuses: [{ start: 200, end: 503 }, { start: 504, end: 600 }] } }, http2)),
      // Regions have priorities where one is to be first.
      { applyTo: 'HTTP_ROUTE', match: everyRoute, patch: { operation: 'MERGE', value: { route: { retry_policy: { retry_priority: elsewhere } } } } },
      ...kept,
    ],
  };
}

/**
 * For the sidecars of bridges. A gateway's own pings end at the sidecar, which answers for a bridge that hangs. What comes as HTTP/1.1 goes on as
 * HTTP/1.1, which knows no pings. And it says of what it could not send that it was not sent.
 */
export function sidecarFilter({ labels, port }: { labels: Record<string, string>; port: number }): EnvoyFilterSpec {
  const protocol = spoken({ use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: pings } });
  const marked = { filter: { response_flag_filter: { flags: [neverConnected] } }, headers_to_add: [header([unsentMark, 'true'])] };
  const typed = { '@type': managerType, local_reply_config: { mappers: [marked] } };
  return {
    workloadSelector: { labels },
    configPatches: [
      { applyTo: 'CLUSTER', match: { context: 'SIDECAR_INBOUND', cluster: { portNumber: port } }, patch: { operation: 'MERGE', value: protocol } },
      {
        applyTo: 'NETWORK_FILTER',
        match: { context: 'SIDECAR_INBOUND', listener: { filterChain: { destinationPort: port, filter: { name: connectionManager } } } },
        patch: { operation: 'MERGE', value: { typed_config: typed } },
      },
    ],
  };
}

/**
 * A bridge that is dead, hung or without Kafka is found and kept out by checks, not by live requests: by default of the list of topics, because a bridge can answer it only
 * with Kafka. Its own readiness says no more than that its server has started (strimzi-kafka-bridge#488), and a bridge that was cut off answers 200 with failed records, which
 * no gateway takes for a failure. The peer's gateway is checked in the same way: it routes the check by this host name to its own bridge.
 */
function bridgeCluster(service: string, { service: kind, healthCheck }: BridgeConfiguration, more: Record<string, unknown> = {}): ConfigPatch {
  const asking = { path: healthCheck.path, host: service };
  return kind === 'own' ? checked(service, { ...healthCheck, asking: { ...asking, codec_client_type: 'HTTP2' } }, { ...http2, ...more }) : checked(service, { ...healthCheck, asking });
}

interface Check extends Pick<BridgeConfiguration['healthCheck'], 'intervalMs' | 'timeoutMs'> {
  /** Envoy's own words for it. */
  readonly asking: object;
}

/** Envoy's interval of a cluster that no request has gone through yet, at least. */
const noTrafficMs = 2_000;

/**
 * The hosts of a service are checked actively. One that hangs is found after two intervals and two timeouts, by default 2 s at most: a check that was answered
 * just before it hung, then two that are not. A cluster that no request has gone through yet can wait longer for a check: TSB makes several of each
 * host, and uses one.
 */
function checked(service: string, { intervalMs, timeoutMs, asking }: Check, more: Record<string, unknown> = {}): ConfigPatch {
  const times = { timeout: seconds(timeoutMs), interval: seconds(intervalMs), no_traffic_interval: seconds(Math.max(noTrafficMs, intervalMs)) };
  return {
    applyTo: 'CLUSTER',
    match: { context: 'GATEWAY', cluster: { service } },
    patch: {
      operation: 'MERGE',
      value: {
        ...healthChanges,
        ...more,
        // A host that Kubernetes removed gets no more requests, whatever its last check said.
        ignore_health_on_host_removal: true,
        // A check must not let back in what failed live requests.
        outlier_detection: { successful_active_health_check_uneject_host: false },
        health_checks: [{ ...times, unhealthy_threshold: 2, healthy_threshold: 1, http_health_check: asking }],
      },
    },
  };
}

function header([key, value]: [string, string]): object {
  return { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
}
