import type { ContainerContext } from './image.ts';
import { type EnvoyFilter, connectionManager, patchedCluster, patchedConnectionManager } from './sidecar-filters.ts';

/** Ports of Istio's data plane: readiness, and Envoy's admin interface, which is only for its own pod. */
const readinessPort = 15021;
const adminPort = 15000;

/** A gateway: everything but readiness and the way to istiod comes from istiod. */
export function gatewayBootstrap({ cluster, pod, podIp, env }: ContainerContext): object {
  const { name, namespace, labels } = pod.metadata ?? {};
  const identity = `spiffe://cluster.local/ns/${namespace}/sa/${pod.spec?.serviceAccountName}`;
  const fromIstiod = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' }; // not ready before istiod has answered
  return {
    node: {
      id: `router~${podIp}~${name}.${namespace}~${namespace}.svc.cluster.local`,
      cluster: `${labels?.['app'] ?? name}.${namespace}`,
      locality: { region: cluster.region, zone: cluster.zone },
      metadata: {
        NAME: name, NAMESPACE: namespace, LABELS: labels, CLUSTER_ID: cluster.name, INSTANCE_IPS: podIp,
        NODE_NAME: pod.spec?.nodeName, SERVICE_ACCOUNT: pod.spec?.serviceAccountName, ISTIO_VERSION: env['ISTIO_VERSION'],
      },
    },
    admin: admin(),
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC', transport_api_version: 'V3', set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' }, initial_metadata: [{ key: 'x-forwarded-client-cert', value: `URI=${identity}` }] }],
      },
      lds_config: fromIstiod,
      cds_config: fromIstiod,
    },
    static_resources: { clusters: [adminCluster(), istiodCluster()], listeners: [readinessListener()] },
  };
}

/**
 * A sidecar: each port that the pod's other containers declare is taken at the pod's address and passed on to 127.0.0.1. Plain HTTP,
 * no mTLS, no retries; a dead application is a 503, as behind any sidecar. Its ports are fixed; EnvoyFilters change how they are taken and passed on.
 * @param files where it finds `sidecarClusters` and `sidecarListeners`
 */
export function sidecarBootstrap({ pod, podIp }: ContainerContext, files: { clusters: string; listeners: string }): object {
  const from = (path: string) => ({ path_config_source: { path }, resource_api_version: 'V3' });
  return {
    node: { id: `sidecar~${podIp}~${pod.metadata?.name}.${pod.metadata?.namespace}`, cluster: 'sidecar' },
    admin: admin(),
    dynamic_resources: { cds_config: from(files.clusters), lds_config: from(files.listeners) },
    static_resources: { clusters: [adminCluster()], listeners: [readinessListener()] },
  };
}

/** What a sidecar passes its ports on to, as Envoy reads it from a file. */
export function sidecarClusters(context: ContainerContext, filters: Iterable<EnvoyFilter>): object {
  return resources(context, 'cluster.v3.Cluster', (port) => patchedCluster(applicationCluster(port), { pod: context.pod, port, filters }));
}

/** How a sidecar takes its ports, as Envoy reads it from a file. */
export function sidecarListeners(context: ContainerContext, filters: Iterable<EnvoyFilter>): object {
  const { pod, podIp } = context;
  return resources(context, 'listener.v3.Listener', (port) => {
    const route = { match: { prefix: '/' }, route: { cluster: `inbound|${port}`, timeout: '0s' } };
    return listener(`inbound|${port}`, address(podIp, port), patchedConnectionManager(httpManager(`inbound|${port}`, route), { pod, port, filters }));
  });
}

/** One of a kind for each port. */
function resources(context: ContainerContext, type: string, one: (port: number) => object): object {
  return { resources: applicationPorts(context).map((port) => ({ '@type': `type.googleapis.com/envoy.config.${type}`, ...one(port) })) };
}

function applicationPorts({ pod, container }: ContainerContext): number[] {
  return (pod.spec?.containers ?? [])
    .filter((other) => other.name !== container.name)
    .flatMap((other) => other.ports ?? [])
    .filter((port) => (port.protocol ?? 'TCP') === 'TCP')
    .map((port) => port.containerPort);
}

function admin(): object {
  return { address: address('127.0.0.1', adminPort) };
}

function adminCluster(): object {
  return cluster('admin', 'STATIC', ['127.0.0.1', adminPort]);
}

function istiodCluster(): object {
  return {
    ...cluster('xds-grpc', 'STRICT_DNS', ['istiod.istio-system.svc', 15010]),
    dns_lookup_family: 'V4_ONLY',
    ...protocols({ explicit_http_config: { http2_protocol_options: { connection_keepalive: { interval: '10s', timeout: '5s' } } } }),
  };
}

function applicationCluster(port: number): object {
  const unlimited = { max_connections: 4294967295, max_pending_requests: 4294967295, max_requests: 4294967295 };
  return {
    ...cluster(`inbound|${port}`, 'STATIC', ['127.0.0.1', port]),
    circuit_breakers: { thresholds: [unlimited] },
    ...protocols({ use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} } }),
  };
}

/** Envoy's own readiness (it has its configuration and accepts), at the path where Istio's agent answers it. */
function readinessListener(): object {
  const route = { match: { path: '/healthz/ready' }, route: { cluster: 'admin', prefix_rewrite: '/ready' } };
  return listener('readiness', address('0.0.0.0', readinessPort), httpManager('readiness', route));
}

function listener(name: string, at: object, filter: object): object {
  return { name, address: at, filter_chains: [{ filters: [filter] }] };
}

function httpManager(name: string, route: object): { name: string; typed_config: object } {
  return {
    name: connectionManager,
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      stat_prefix: name,
      server_header_transformation: 'PASS_THROUGH',
      // Its cluster may come a moment later.
      route_config: { name, validate_clusters: false, virtual_hosts: [{ name, domains: ['*'], routes: [route] }] },
      http_filters: [{
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      }],
    },
  };
}

function cluster(name: string, type: 'STATIC' | 'STRICT_DNS', [host, port]: [string, number]): object {
  const endpoint = { endpoint: { address: address(host, port) } };
  return {
    name, type, connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
  };
}

function protocols(options: object): object {
  const type = 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return { typed_extension_protocol_options: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': { '@type': type, ...options } } };
}

function address(host: string, port: number): object {
  return { socket_address: { address: host, port_value: port } };
}
