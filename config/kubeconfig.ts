import { homedir } from 'node:os';
import { resolve } from 'node:path';

import { KubeConfig } from '@kubernetes/client-node';

/** The contexts of a kubeconfig file that name a cluster and a user which the file has too; or why the file is of no use. */
export type KubeconfigContexts = { readonly contexts: readonly string[] } | { readonly unreadable: string };

/** Absolute path of a kubeconfig file; `~/` is the person's home, anything else relative lies in `directory`. */
export function kubeconfigPath(path: string, directory: string): string {
  return path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : resolve(directory, path);
}

/** Reads the contexts of the file at an absolute path. Never throws: what is wrong with the file is a finding among others. */
export function kubeconfigContexts(path: string): KubeconfigContexts {
  const kubeconfig = new KubeConfig();
  try {
    kubeconfig.loadFromFile(path);
  } catch (error) {
    return { unreadable: reason(error) };
  }
  const usable = kubeconfig.getContexts().filter(({ cluster, user }) => kubeconfig.getCluster(cluster) !== null && kubeconfig.getUser(user) !== null);
  return { contexts: usable.map(({ name }) => name).sort() };
}

function reason(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'no such file';
  const [line] = String(error instanceof Error ? error.message : error).split('\n');
  return line ?? 'cannot be read';
}
