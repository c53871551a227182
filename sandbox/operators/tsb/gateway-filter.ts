/**
 * What TSB's control plane gives the gateways of a cluster, besides the routes: the EnvoyFilter `global-gw-best-practice`, as it stands in a dump of a cluster
 * (github.com/Revolyssup/xcp-scenarios, Istio 1.28). Its buffers bound what a gateway can send again.
 */
export function gatewayFilter(): object {
  const bufferLimit = { operation: 'MERGE', value: { per_connection_buffer_limit_bytes: 32_768 } };
  const filter = 'envoy.filters.network.http_connection_manager';
  return {
    apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter', metadata: { name: 'global-gw-best-practice', namespace: 'istio-system' },
    spec: {
      workloadSelector: { labels: { istio: 'ingressgateway' } },
      configPatches: [
        {
          applyTo: 'NETWORK_FILTER',
          match: { context: 'GATEWAY', listener: { filterChain: { filter: { name: filter } } } },
          patch: {
            operation: 'MERGE',
            value: {
              typed_config: {
                '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                common_http_protocol_options: { idle_timeout: '3600s' },
                http2_protocol_options: { initial_connection_window_size: 1_048_576, initial_stream_window_size: 65_536, max_concurrent_streams: 100 },
                normalize_path: true, path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT', use_remote_address: true,
              },
            },
          },
        },
        { applyTo: 'CLUSTER', match: { context: 'GATEWAY' }, patch: bufferLimit },
        { applyTo: 'LISTENER', match: { context: 'GATEWAY' }, patch: bufferLimit },
      ],
    },
  };
}
