import { availableParallelism, release, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1NodeSpec } from '@kubernetes/client-node';
import { ApiError } from './api.ts';
import type { NodeContext } from './node-context.ts';

/** Where the API server reaches this agent for logs. */
export const kubeletPort = 10_250;

const leaseSeconds = 40;
const renewMs = 10_000;
/** The node's status is written this often without need, as by a kubelet. */
const statusMs = 300_000;

/** Makes the cluster's Node, or takes it over from an agent before this one, and says that it is ready. */
export async function registerNode(node: NodeContext): Promise<void> {
  const path = '/api/v1/nodes';
  const metadata = { name: node.nodeName, labels: labels(node) };
  await api(node, 'POST', path, { apiVersion: 'v1', kind: 'Node', metadata, spec: { providerID: `sandbox://${node.nodeName}` } }).catch(async (error: unknown) => {
    if (!(error instanceof ApiError) || error.code !== 409) throw error;
    await api(node, 'PATCH', `${path}/${node.nodeName}`, { metadata });
  });
  await reportReady(node);
  await removeNotReadyTaint(node);
}

/** Admission puts it on every new node; a node controller, which does not run here, would take it away. */
async function removeNotReadyTaint(node: NodeContext): Promise<void> {
  const path = `/api/v1/nodes/${node.nodeName}`;
  const { spec: { taints = [] } } = await node.api.call<{ spec: V1NodeSpec }>('GET', path);
  const kept = taints.filter(({ key }) => key !== 'node.kubernetes.io/not-ready');
  if (kept.length < taints.length) await node.api.call('PATCH', path, { body: { spec: { taints: kept } }, contentType: 'application/merge-patch+json' });
}

/** Renews the node's lease and, more rarely, its status, until the signal. Failures are logged and tried again. */
export async function keepAlive(node: NodeContext, signal: AbortSignal): Promise<void> {
  let reportedAt = Date.now();
  while (!signal.aborted) {
    try {
      await renewLease(node);
      if (Date.now() - reportedAt > statusMs) {
        await reportReady(node);
        reportedAt = Date.now();
      }
    } catch (error) {
      console.error(`heartbeat of ${node.nodeName} failed: ${String(error)}`);
    }
    await delay(renewMs, undefined, { signal }).catch(() => undefined);
  }
}

function labels({ cluster, nodeName }: NodeContext): Record<string, string> {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return {
    'kubernetes.io/hostname': nodeName, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': arch,
    'topology.kubernetes.io/region': cluster.region, 'topology.kubernetes.io/zone': cluster.zone,
  };
}

async function reportReady(node: NodeContext): Promise<void> {
  const now = new Date().toISOString();
  const is = (type: string, status: string, reason: string, message: string) => ({ type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime: now });
  // Nothing is reserved and nothing is counted: pods share the machine.
  const capacity = { cpu: String(availableParallelism()), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: '500', 'ephemeral-storage': '100Gi' };
  await api(node, 'PATCH', `/api/v1/nodes/${node.nodeName}/status`, {
    status: {
      capacity, allocatable: capacity,
      addresses: [{ type: 'InternalIP', address: node.cluster.nodeIp }, { type: 'Hostname', address: node.nodeName }],
      conditions: [
        is('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'not measured'),
        is('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'not measured'),
        is('PIDPressure', 'False', 'KubeletHasSufficientPID', 'not measured'),
        is('Ready', 'True', 'KubeletReady', 'the sandbox\'s node agent runs pods'),
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
      nodeInfo: {
        architecture: process.arch === 'x64' ? 'amd64' : process.arch, operatingSystem: 'linux', kernelVersion: release(), osImage: 'sandbox',
        kubeletVersion: 'v1.34.0-sandbox', kubeProxyVersion: '', containerRuntimeVersion: 'sandbox://1', bootID: '', machineID: '', systemUUID: '',
      },
    },
  });
}

async function renewLease(node: NodeContext): Promise<void> {
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
  const spec = { holderIdentity: node.nodeName, leaseDurationSeconds: leaseSeconds, renewTime: new Date().toISOString().replace('Z', '000Z') };
  await api(node, 'PATCH', `${path}/${node.nodeName}`, { spec }).catch(async (error: unknown) => {
    if (!(error instanceof ApiError) || error.code !== 404) throw error;
    await api(node, 'POST', path, { metadata: { name: node.nodeName }, spec });
  });
}

async function api(node: NodeContext, method: 'POST' | 'PATCH', path: string, body: unknown): Promise<void> {
  await node.api.call(method, path, { body, ...(method === 'PATCH' ? { contentType: 'application/strategic-merge-patch+json' as const } : {}) });
}
