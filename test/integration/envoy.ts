/** What the tests read of an Envoy's config dump. */
export interface EnvoyConfig {
  readonly clusters: readonly Cluster[];
  readonly routes: readonly RouteConfiguration[];
  readonly endpoints: readonly Assignment[];
  readonly listeners: readonly Listening[];
}

interface Listening {
  readonly name: string;
  readonly per_connection_buffer_limit_bytes?: number;
  readonly filter_chains?: readonly { readonly filters?: readonly { readonly name: string; readonly typed_config?: { readonly http2_protocol_options?: { readonly initial_stream_window_size?: number } } }[] }[];
}

interface Cluster {
  readonly name: string;
  readonly connect_timeout?: string;
  readonly lb_policy?: string;
  readonly outlier_detection?: Readonly<Record<string, unknown>>;
  readonly common_lb_config?: { readonly update_merge_window?: string; readonly healthy_panic_threshold?: { readonly value?: number } };
  readonly health_checks?: readonly { readonly interval: string; readonly timeout: string; readonly http_health_check?: { readonly path: string } }[];
  readonly ignore_health_on_host_removal?: boolean;
  readonly typed_extension_protocol_options?: Readonly<Record<string, Partial<Record<'explicit_http_config' | 'use_downstream_protocol_config', { readonly http2_protocol_options?: { readonly connection_keepalive?: object } }>>>>;
}

interface RouteConfiguration {
  readonly virtual_hosts: readonly {
    readonly domains: readonly string[];
    readonly routes: readonly {
      readonly match: { readonly prefix?: string };
      readonly route?: { readonly cluster?: string; readonly weighted_clusters?: unknown; readonly retry_policy?: { readonly retry_on?: string; readonly retriable_headers?: readonly { readonly name: string }[]; readonly retry_priority?: { readonly name: string } }; readonly hash_policy?: readonly { readonly header?: { readonly header_name: string } }[] };
    }[];
  }[];
}

interface Assignment {
  readonly cluster_name: string;
  readonly endpoints?: readonly {
    readonly priority?: number;
    readonly locality?: { readonly region?: string };
    readonly lb_endpoints?: readonly { readonly endpoint: { readonly address: { readonly socket_address: { readonly address: string; readonly port_value: number } } } }[];
  }[];
}

interface Section {
  readonly dynamic_active_clusters?: readonly { readonly cluster: Cluster }[];
  readonly dynamic_listeners?: readonly { readonly active_state?: { readonly listener: Listening } }[];
  readonly dynamic_route_configs?: readonly { readonly route_config: RouteConfiguration }[];
  readonly dynamic_endpoint_configs?: readonly { readonly endpoint_config: Assignment }[];
}

/** Reads the answer of `/config_dump?include_eds`: only what istiod sent, nothing static. */
export function envoyConfig(dump: string): EnvoyConfig {
  const { configs } = JSON.parse(dump) as { configs: readonly Section[] };
  return {
    clusters: configs.flatMap((section) => section.dynamic_active_clusters ?? []).map(({ cluster }) => cluster),
    routes: configs.flatMap((section) => section.dynamic_route_configs ?? []).map(({ route_config: route }) => route),
    endpoints: configs.flatMap((section) => section.dynamic_endpoint_configs ?? []).map(({ endpoint_config: endpoint }) => endpoint),
    listeners: configs.flatMap((section) => section.dynamic_listeners ?? []).flatMap(({ active_state: active }) => (active === undefined ? [] : [active.listener])),
  };
}

/** How much of a request each listener keeps, in bytes: by HTTP/1.1, and by HTTP/2. */
export function keptBytes({ listeners }: EnvoyConfig): (number | undefined)[][] {
  return listeners.map(({ per_connection_buffer_limit_bytes: connection, filter_chains: chains = [] }) => [
    connection, ...chains.flatMap(({ filters = [] }) => filters).map(({ typed_config: typed }) => typed?.http2_protocol_options?.initial_stream_window_size),
  ]);
}

/** The clusters of this name: one, or none. */
export function clustersOf({ clusters }: EnvoyConfig, name: string): Cluster[] {
  return clusters.filter((cluster) => cluster.name === name);
}

/** How hosts are pinged by HTTP/2. */
export function pingsOf(cluster: Cluster | undefined): object | undefined {
  const protocol = cluster?.typed_extension_protocol_options?.['envoy.extensions.upstreams.http.v3.HttpProtocolOptions'];
  return (protocol?.explicit_http_config ?? protocol?.use_downstream_protocol_config)?.http2_protocol_options?.connection_keepalive;
}

/** Where requests for a cluster go: one entry a locality, first priorities first. */
export function destinations({ endpoints }: EnvoyConfig, cluster: string): { priority: number; region: string; addresses: string[] }[] {
  return endpoints.filter((assignment) => assignment.cluster_name === cluster).flatMap((assignment) => assignment.endpoints ?? []).map((group) => ({
    priority: group.priority ?? 0,
    region: group.locality?.region ?? '',
    addresses: (group.lb_endpoints ?? []).map(({ endpoint: { address: { socket_address: at } } }) => `${at.address}:${String(at.port_value)}`),
  })).sort((a, b) => a.priority - b.priority || a.region.localeCompare(b.region));
}

/** The routes of a host name, over all listeners. */
export function routesOf({ routes }: EnvoyConfig, host: string): { prefix: string; cluster: string; retryOn: string | undefined; retriableHeaders: string[]; retryPriority: string | undefined; hashed: string | undefined; weighted: boolean }[] {
  return routes.flatMap((route) => route.virtual_hosts).filter(({ domains }) => domains.includes(host)).flatMap((virtualHost) => virtualHost.routes).map(({ match, route }) => ({
    prefix: match.prefix ?? '', cluster: route?.cluster ?? '', retryOn: route?.retry_policy?.retry_on, retriableHeaders: (route?.retry_policy?.retriable_headers ?? []).map(({ name }) => name), retryPriority: route?.retry_policy?.retry_priority?.name, hashed: route?.hash_policy?.[0]?.header?.header_name, weighted: route?.weighted_clusters !== undefined,
  }));
}

interface Pod {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly serviceAccountName: string };
  readonly status: { readonly podIP: string };
}

/** Where the admin interface of an Envoy of `asSidecar` is. */
export const askingPort = 15_999;

/** For an Envoy that asks istiod for what a pod's sidecar in a real mesh would be told. */
export function asSidecar({ metadata: { name, namespace, labels }, spec: { serviceAccountName: account }, status: { podIP } }: Pod, { cluster, istiod }: { cluster: string; istiod: string }): object {
  const at = (address: string, port: number): object => ({ socket_address: { address, port_value: port } });
  const http2 = { explicit_http_config: { http2_protocol_options: {} } };
  const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const fromIstiod = { ads: {}, resource_api_version: 'V3' };
  return {
    node: {
      id: `sidecar~${podIP}~${name}.${namespace}~${namespace}.svc.cluster.local`, cluster: name,
      metadata: { NAME: name, NAMESPACE: namespace, LABELS: labels, CLUSTER_ID: cluster, INSTANCE_IPS: podIP, SERVICE_ACCOUNT: account },
    },
    admin: { address: at('127.0.0.1', askingPort) },
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC', transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' }, initial_metadata: [{ key: 'x-forwarded-client-cert', value: `URI=spiffe://cluster.local/ns/${namespace}/sa/${account}` }] }],
      },
      lds_config: fromIstiod, cds_config: fromIstiod,
    },
    static_resources: {
      // The mesh's agent gives certificates by sds-grpc. There is none here: listeners that ask for one are taken, and wait for it.
      clusters: [['xds-grpc', at(istiod, 15010)], ['sds-grpc', at('127.0.0.1', 1)]].map(([cluster, address]) => ({
        name: cluster, type: 'STATIC', connect_timeout: '1s', load_assignment: { cluster_name: cluster, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
        typed_extension_protocol_options: { [type]: { '@type': `type.googleapis.com/${type}`, ...http2 } },
      })),
    },
  };
}

interface Listener {
  readonly name: string;
  readonly filter_chains: readonly {
    readonly filter_chain_match?: { readonly destination_port?: number };
    readonly filters: readonly { readonly name: string; readonly typed_config: { readonly local_reply_config?: object } }[];
  }[];
}

interface Told {
  readonly active_state?: { readonly listener: Listener };
  readonly warming_state?: { readonly listener: Listener };
}

/** How the connection managers of a port answer by themselves: one for each chain that takes the port. Also of listeners that wait for certificates. */
export function localRepliesOf(dump: string, port: number): (object | undefined)[] {
  const { configs } = JSON.parse(dump) as { configs: readonly { readonly dynamic_listeners?: readonly Told[] }[] };
  return configs.flatMap(({ dynamic_listeners: listeners = [] }) => listeners)
    .flatMap(({ active_state: active, warming_state: warming }) => (active ?? warming)?.listener.filter_chains ?? [])
    .filter(({ filter_chain_match: match }) => match?.destination_port === port)
    .flatMap(({ filters }) => filters.filter(({ name }) => name === 'envoy.filters.network.http_connection_manager')).map(({ typed_config: manager }) => manager.local_reply_config);
}
