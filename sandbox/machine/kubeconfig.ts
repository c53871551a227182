import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ClusterInfo } from './clusters.ts';
import { pkiFiles } from './pki-files.ts';
import type { Pair } from './pki-files.ts';
import { writePrivate } from './private-file.ts';

/** One cluster as a kubeconfig reaches it. */
export interface Endpoint { readonly cluster: ClusterInfo; readonly server: string; readonly tlsServerName?: string }

/**
 * Reads a CA and a user's certificate, and gives a function that makes kubeconfigs (YAML) of them: a context per cluster, named
 * like it, the first one current. Everything is embedded, so that the text alone suffices (in a Secret, for example).
 */
export async function kubeconfigWriter(ca: Pair, user: Pair): Promise<(endpoints: readonly Endpoint[]) => string> {
  const [caData, certData, keyData] = await Promise.all([ca.cert, user.cert, user.key].map((file) => readFile(file, 'base64')));
  return (endpoints) => stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': endpoints[0]?.cluster.name,
    clusters: endpoints.map(({ cluster, server, tlsServerName }) => ({
      name: cluster.name,
      cluster: {
        server, 'certificate-authority-data': caData,
        ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
      },
    })),
    contexts: endpoints.map(({ cluster }) => ({ name: cluster.name, context: { cluster: cluster.name, user: 'sandbox' } })),
    users: [{ name: 'sandbox', user: { 'client-certificate-data': certData, 'client-key-data': keyData } }],
  }, { lineWidth: 0 });
}

/** The clusters by their addresses inside the tree. */
export function inside(clusters: readonly ClusterInfo[]): Endpoint[] {
  return clusters.map((cluster) => ({ cluster, server: cluster.apiServer }));
}

/** Writes all kubeconfigs of a sandbox that are used inside its tree. */
export async function writeKubeconfigs(dir: string, clusters: readonly ClusterInfo[]): Promise<void> {
  const { ca, admin, agent, loadBalancer, controllerManager } = pkiFiles(dir);
  const asAdmin = await kubeconfigWriter(ca, admin);
  await writePrivate(join(dir, 'kubeconfig'), asAdmin(inside(clusters)));
  const users = { agent, loadbalancer: loadBalancer, 'controller-manager': controllerManager };
  await Promise.all(Object.entries(users).map(async ([name, pair]) => {
    const write = await kubeconfigWriter(ca, pair);
    await Promise.all(clusters.map((c) => writePrivate(join(dir, 'clusters', c.name, `${name}.kubeconfig`), write(inside([c])))));
  }));
}
