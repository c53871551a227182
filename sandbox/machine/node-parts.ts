import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startProcess, until } from '../process.ts';
import type { ManagedProcess } from '../process.ts';
import { getJson, tlsClient } from './api-client.ts';
import { kubernetesServiceIp } from './clusters.ts';
import type { ClusterInfo } from './clusters.ts';
import type { TreeContext } from './control-plane.ts';
import { pkiFiles } from './pki-files.ts';

/** The node agent of all clusters, one process. Ready: every cluster's Node has the condition Ready. */
export function startAgent(t: TreeContext, clusters: readonly ClusterInfo[]): Promise<ManagedProcess> {
  return startOurs(t, 'node-agent', 'sandbox/agent/main.ts', async (signal) => {
    const http = await tlsClient(t.dir, pkiFiles(t.dir).admin);
    await Promise.all(clusters.map((c) => until(async () => {
      const node = await getJson<NodeStatus>(http, `${c.apiServer}/api/v1/nodes/${c.name}-node`, signal);
      if (!node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) {
        throw new Error(`the node of ${c.name} is not Ready`);
      }
    }, signal))).finally(() => http.destroy());
  });
}

/** The load balancer of all clusters, one process. Ready: every cluster's `kubernetes` Service takes connections. */
export function startLoadBalancer(t: TreeContext, clusters: readonly ClusterInfo[]): Promise<ManagedProcess> {
  return startOurs(t, 'load-balancer', 'sandbox/loadbalancer/main.ts', async (signal) => {
    await Promise.all(clusters.map((c) => until(() => takesConnections(kubernetesServiceIp(c), 443), signal)));
  });
}

interface NodeStatus { status?: { conditions?: { type: string; status: string }[] } }

function startOurs(t: TreeContext, name: string, program: string, ready: (signal: AbortSignal) => Promise<void>): Promise<ManagedProcess> {
  return startProcess({
    name, ready, env: t.env, signal: t.signal, readyTimeoutMs: 120_000,
    // The agent ends its pods with their own grace periods first.
    graceMs: 20_000,
    log: join(t.dir, 'logs', `${name}.log`),
    argv: [t.tools.node, join(t.tools.project, program), '--dir', t.dir],
  });
}

async function takesConnections(host: string, port: number): Promise<void> {
  const socket = connect({ host, port, timeout: 1000 });
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
