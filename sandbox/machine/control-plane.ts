import { join } from 'node:path';
import { startProcess, until } from '../process.ts';
import type { ManagedProcess } from '../process.ts';
import { call, tlsClient } from './api-client.ts';
import { apiServerIp, etcdIp } from './clusters.ts';
import type { ClusterInfo } from './clusters.ts';
import { inControlPlane } from './network.ts';
import { pkiFiles } from './pki-files.ts';
import type { TreeTools } from './state.ts';

/** What every process of the tree is started with. */
export interface TreeContext {
  readonly dir: string;
  readonly tools: TreeTools;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A cold start on a busy two-core machine takes about ten seconds; this is for a very busy one. */
const readyTimeoutMs = 180_000;
/** Short: all that they know is in etcd, and an API server would wait for its watchers to leave. */
const graceMs = 500;

/**
 * An API server that starts spends a third of its time on collecting garbage. So it may let its memory grow fivefold instead of twofold, as long as it stays below
 * what a few of them have room for: at that limit it collects as ever.
 */
const apiServerMemory = { GOGC: '400', GOMEMLIMIT: '600MiB' };

/** etcd for all clusters, each under a prefix of its own. Ready: `/health` answers true over TLS. */
export function startEtcd(t: TreeContext): Promise<ManagedProcess> {
  const { ca, etcd, etcdClient } = pkiFiles(t.dir);
  const url = `https://${etcdIp}:2379`;
  const peer = 'http://127.0.0.1:2380';
  return startProcess({
    name: 'etcd', env: t.env, signal: t.signal, readyTimeoutMs,
    log: join(t.dir, 'logs', 'etcd.log'),
    argv: [t.tools.etcd, '--name=sandbox', `--data-dir=${join(t.dir, 'etcd')}`,
      `--listen-client-urls=${url}`, `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=sandbox=${peer}`,
      '--client-cert-auth', `--trusted-ca-file=${ca.cert}`, `--cert-file=${etcd.cert}`, `--key-file=${etcd.key}`,
      // A sandbox survives its processes' deaths, not the machine's power loss: fsync buys nothing here.
      '--unsafe-no-fsync', '--log-level=warn'],
    ready: async (signal) => {
      const http = await tlsClient(t.dir, etcdClient);
      await until(async () => {
        const body = await call(http, `${url}/health`, { signal });
        if (!body.includes('"true"')) throw new Error(body);
      }, signal).finally(() => http.destroy());
    },
  });
}

/** A cluster's API server. Ready: `/readyz`, which includes its own start-up hooks (RBAC's defaults, priority classes). */
export function startApiServer(t: TreeContext, cluster: ClusterInfo): Promise<ManagedProcess> {
  return startProcess({
    name: `kube-apiserver (${cluster.name})`, env: { ...t.env, ...apiServerMemory }, signal: t.signal, readyTimeoutMs, graceMs,
    log: join(t.dir, 'logs', `kube-apiserver-${cluster.name}.log`),
    // In namespaces of its own, as a container, so that an exec in the pod that stands for it reaches and sees nothing else.
    argv: inControlPlane(cluster, ['unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc', '--', 'sh', '-c', '"$@"; exit $?', 'sh', t.tools.kubeApiserver, ...apiServerFlags(t.dir, cluster)]),
    ready: (signal) => answers(t, `${cluster.apiServer}/readyz`, signal),
  });
}

/**
 * A cluster's controller manager. Ready: `/healthz` answers. Its API server must be ready before: it waits for it for ten seconds
 * only, which on a busy machine is too short.
 */
export function startControllerManager(t: TreeContext, cluster: ClusterInfo, kubeconfig: string): Promise<ManagedProcess> {
  const { ca, apiServer, serviceAccount } = pkiFiles(t.dir);
  const served = apiServer(cluster);
  return startProcess({
    name: `kube-controller-manager (${cluster.name})`, env: t.env, signal: t.signal, readyTimeoutMs, graceMs,
    log: join(t.dir, 'logs', `kube-controller-manager-${cluster.name}.log`),
    argv: inControlPlane(cluster, [t.tools.kubeControllerManager,
      `--kubeconfig=${kubeconfig}`, `--controllers=${controllers.join(',')}`, '--leader-elect=false',
      `--bind-address=${apiServerIp(cluster)}`, '--secure-port=10257',
      `--tls-cert-file=${served.cert}`, `--tls-private-key-file=${served.key}`,
      `--root-ca-file=${ca.cert}`, `--service-account-private-key-file=${serviceAccount(cluster).key}`,
      // One operator installs hundreds of objects at once; the defaults (20/30) would make it wait.
      '--kube-api-qps=200', '--kube-api-burst=400', '--profiling=false']),
    ready: (signal) => answers(t, `https://${apiServerIp(cluster)}:10257/healthz`, signal),
  });
}

// What a cluster of Deployments, Jobs, Services and claims needs; no cloud, no node life cycle, no autoscaling.
const controllers = [
  'namespace', 'garbage-collector', 'deployment', 'replicaset', 'statefulset', 'job', 'disruption', 'serviceaccount',
  'serviceaccount-token', 'root-ca-certificate-publisher', 'endpoints', 'endpointslice', 'clusterrole-aggregation',
  'persistentvolume-binder', 'persistentvolume-protection', 'persistentvolumeclaim-protection', 'ttl-after-finished',
].map((name) => `${name}-controller`);

/** Resolves when a URL of the control plane answers with success. */
async function answers(t: TreeContext, url: string, signal: AbortSignal): Promise<void> {
  const http = await tlsClient(t.dir, pkiFiles(t.dir).admin);
  await until(async () => { await call(http, url, { signal }); }, signal).finally(() => http.destroy());
}

function apiServerFlags(dir: string, c: ClusterInfo): string[] {
  const { ca, etcdClient, kubeletClient, apiServer, serviceAccount } = pkiFiles(dir);
  const served = apiServer(c);
  const accounts = serviceAccount(c);
  return [
    `--etcd-servers=https://${etcdIp}:2379`, `--etcd-prefix=/${c.name}`,
    `--etcd-cafile=${ca.cert}`, `--etcd-certfile=${etcdClient.cert}`, `--etcd-keyfile=${etcdClient.key}`,
    `--bind-address=${apiServerIp(c)}`, `--advertise-address=${apiServerIp(c)}`, '--secure-port=6443',
    `--tls-cert-file=${served.cert}`, `--tls-private-key-file=${served.key}`, `--client-ca-file=${ca.cert}`,
    `--service-cluster-ip-range=${c.serviceCidr}`, '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-signing-key-file=${accounts.key}`, `--service-account-key-file=${accounts.cert}`,
    `--kubelet-certificate-authority=${ca.cert}`,
    `--kubelet-client-certificate=${kubeletClient.cert}`, `--kubelet-client-key=${kubeletClient.key}`,
    '--kubelet-preferred-address-types=InternalIP',
    // Sidecars are injected by a policy in the API server, so that no webhook has to be reachable from it.
    // An exec by kubectl passes through to the node agent as the web socket that it is; translated, it would be SPDY.
    '--feature-gates=MutatingAdmissionPolicy=true,TranslateStreamCloseWebsocketRequests=false', '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
    '--allow-privileged=true', '--profiling=false',
  ];
}
