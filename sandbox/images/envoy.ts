import { join } from 'node:path';
import type { ContainerContext, Image, Launch } from './image.ts';
import { gatewayBootstrap, sidecarBootstrap, sidecarClusters, sidecarListeners } from './envoy-bootstrap.ts';

/**
 * `docker.io/istio/proxyv2`: a plain Envoy. `proxy router` is a gateway that takes all its configuration from istiod;
 * `proxy sidecar` is a plain proxy in front of the pod's other containers, which follows the cluster's EnvoyFilters.
 */
export const proxyv2: Image = (context) => {
  const role = context.container.args?.[1];
  if (role === 'router') return launch(context, gatewayBootstrap(context));
  if (role === 'sidecar') {
    return {
      ...launch(context, sidecarBootstrap(context, { clusters: clustersFile, listeners: listenersFile })),
      meshFiles: [
        { path: clustersFile, text: (filters) => JSON.stringify(sidecarClusters(context, filters), null, 1) },
        { path: listenersFile, text: (filters) => JSON.stringify(sidecarListeners(context, filters), null, 1) },
      ],
    };
  }
  throw new Error(`proxyv2 knows the arguments "proxy router" and "proxy sidecar", not "${(context.container.args ?? []).join(' ')}"`);
};

const bootstrapFile = '/etc/istio/proxy/envoy.json';
const clustersFile = '/etc/istio/proxy/clusters.json';
const listenersFile = '/etc/istio/proxy/listeners.json';

function launch({ tools, env }: ContainerContext, bootstrap: object): Launch {
  const drainSeconds = env['TERMINATION_DRAIN_DURATION_SECONDS'] ?? '5';
  return {
    argv: ['/bin/bash', join(tools.project, 'sandbox/images/envoy.sh'), drainSeconds,
      tools.envoy, '--config-path', bootstrapFile, '--disable-hot-restart', '--log-level', 'warning',
      '--concurrency', env['ISTIO_CONCURRENCY'] ?? '1', '--drain-strategy', 'immediate', '--drain-time-s', drainSeconds],
    files: { [bootstrapFile]: JSON.stringify(bootstrap, null, 1) },
  };
}
