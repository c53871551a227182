import type { V1Service } from '@kubernetes/client-node';
import { apiServerIp } from './clusters.ts';
import type { ClusterInfo } from './clusters.ts';
import type { Targets } from './protocol.ts';

/** The API servers, which are there from the start. */
export function apiServerTargets(clusters: readonly ClusterInfo[]): Targets {
  return Object.fromEntries(clusters.map((c) => [`${c.name}/apiserver`, { host: apiServerIp(c), port: 6443 }]));
}

/** The TCP ports of a load balancer Service that has its address, as `cluster/namespace/name:port`. */
export function serviceTargets(cluster: string, service: V1Service): Targets {
  const ip = service.status?.loadBalancer?.ingress?.[0]?.ip;
  if (ip === undefined || service.spec?.type !== 'LoadBalancer') return {};
  const prefix = `${cluster}/${service.metadata?.namespace ?? ''}/${service.metadata?.name ?? ''}`;
  return Object.fromEntries((service.spec.ports ?? [])
    .filter((p) => (p.protocol ?? 'TCP') === 'TCP')
    .map((p) => [`${prefix}:${p.port}`, { host: ip, port: p.port }]));
}

/**
 * Watches the load balancer Services of all clusters for as long as the process lives; `changed` gets all of their targets,
 * at first and whenever they change.
 */
export async function watchServices(kubeconfig: string, clusters: readonly ClusterInfo[], changed: (all: Targets) => void): Promise<void> {
  // Late, because loading it takes time that the API servers' start needs more.
  const { CoreV1Api, KubeConfig, makeInformer } = await import('@kubernetes/client-node');
  const perCluster = new Map<string, Targets>();
  await Promise.all(clusters.map(async ({ name }) => {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    config.setCurrentContext(name);
    const api = config.makeApiClient(CoreV1Api);
    const informer = makeInformer<V1Service>(config, '/api/v1/services', () => api.listServiceForAllNamespaces());
    const update = () => {
      const before = JSON.stringify(perCluster.get(name));
      const now = Object.assign({}, ...informer.list().map((service) => serviceTargets(name, service))) as Targets;
      perCluster.set(name, now);
      if (JSON.stringify(now) !== before) changed(Object.assign({}, ...perCluster.values()) as Targets);
    };
    informer.on('add', update);
    informer.on('update', update);
    informer.on('delete', update);
    informer.on('error', (error: unknown) => {
      console.error(`the watch of ${name}'s Services broke and is made anew`, error);
      setTimeout(() => void informer.start().catch(() => undefined), 1000);
    });
    await informer.start();
  }));
}
