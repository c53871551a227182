/** Installs the add-ons in all clusters, inside the tree: `node addons.ts --dir DIR`, with an IPC channel for progress. */
import { parseArgs } from 'node:util';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Agent } from 'undici';
import { messageOf } from '../../errors.ts';
import type { Addon } from '../operators/addon.ts';
import { addons } from '../operators/index.ts';
import type { FromInstaller } from './addon-runner.ts';
import { tlsClient } from './api-client.ts';
import { Applier } from './apply.ts';
import type { ClusterInfo } from './clusters.ts';
import { inside, kubeconfigWriter } from './kubeconfig.ts';
import { pkiFiles } from './pki-files.ts';
import { readJson, readState } from './state.ts';
import type { TreeTools } from './state.ts';

const { values: { dir = '' } } = parseArgs({ options: { dir: { type: 'string' } } });
/** An operator is a process that starts in seconds; several of them share a busy machine's cores. */
const availableTimeoutMs = 300_000;

try {
  await main();
} catch (error) {
  console.error(error);
  tell({ kind: 'failed', message: messageOf(error) });
  process.exitCode = 1;
}
if (process.connected) process.disconnect();

async function main(): Promise<void> {
  const state = await readState(dir);
  const tools = await readJson<TreeTools>(`${dir}/tools.json`);
  if (state === undefined || tools === undefined) throw new Error(`${dir} holds no sandbox`);
  const { ca, admin } = pkiFiles(dir);
  const write = await kubeconfigWriter(ca, admin);
  const http = await tlsClient(dir, admin);
  await Promise.all(state.clusters.map(async (cluster) => {
    const context = { clusters: state.clusters, cluster, tools, kubeconfigFor: (c: ClusterInfo) => write(inside([c])) };
    const wanted = addons.filter((addon) => addon.for(cluster));
    await install(http, cluster, await Promise.all(wanted.map(async (addon) => ({ addon, objects: await addon.objects(context) }))));
  })).finally(() => http.destroy());
}

async function install(http: Agent, cluster: ClusterInfo, wanted: { addon: Addon; objects: KubernetesObject[] }[]): Promise<void> {
  const applier = new Applier(http, cluster);
  const all = wanted.flatMap(({ objects }) => objects);
  for (const kind of ['CustomResourceDefinition', 'Namespace']) {
    await Promise.all(all.filter((o) => o.kind === kind).map((o) => applier.apply(o)));
  }
  await Promise.all(wanted.map(async ({ addon, objects }) => {
    for (const object of objects) {
      if (object.kind !== 'CustomResourceDefinition' && object.kind !== 'Namespace') await applier.apply(object);
    }
    const deployments = objects.filter((o) => o.kind === 'Deployment');
    await Promise.all(deployments.map((o) => applier.awaitCondition(o, 'Available', availableTimeoutMs)));
    tell({ kind: 'event', detail: `${addon.name} in ${cluster.name}` });
  }));
}

function tell(message: FromInstaller): void {
  process.send?.(message);
}
