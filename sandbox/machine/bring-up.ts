import { join } from 'node:path';
import type { TreeContext } from './control-plane.ts';
import { startApiServer, startControllerManager, startEtcd } from './control-plane.ts';
import type { ClusterInfo } from './clusters.ts';
import { startAgent, startLoadBalancer } from './node-parts.ts';
import type { Supervisor } from './supervisor.ts';

/** Servers of a later stage are stopped before those of an earlier one. */
const stages = { etcd: 0, controlPlane: 1, loadBalancer: 2, agent: 3 };

/**
 * Starts everything that makes the clusters: etcd, then all API servers at once, each one's controller manager as soon as it
 * is ready, then the node agent and the load balancer. Resolves when all of them are ready.
 */
export async function bringUp(
  t: TreeContext, clusters: readonly ClusterInfo[], supervisor: Supervisor, say: (phase: string, detail?: string) => void,
): Promise<void> {
  await supervisor.keep(stages.etcd, () => startEtcd(t));
  say('etcd');
  await Promise.all(clusters.map(async (cluster) => {
    await supervisor.keep(stages.controlPlane, () => startApiServer(t, cluster), { again: true });
    const kubeconfig = join(t.dir, 'clusters', cluster.name, 'controller-manager.kubeconfig');
    await supervisor.keep(stages.controlPlane, () => startControllerManager(t, cluster, kubeconfig));
    say('cluster', cluster.name);
  }));
  await Promise.all([
    supervisor.keep(stages.loadBalancer, () => startLoadBalancer(t, clusters), { again: true }),
    supervisor.keep(stages.agent, () => startAgent(t, clusters), { again: true }),
  ]);
  say('nodes');
}
