import type { Pod } from './types.ts';

/**
 * A pod's /etc/hosts: the cluster's names, Services of its own namespace also by their bare names (as cluster DNS would find
 * them), its own name, and what it asks for itself.
 * @param clusterText The cluster's hosts file, which the load balancer writes.
 */
export function podHosts(pod: Pod, ip: string, hostname: string, clusterText: string): string {
  const { namespace } = pod.metadata;
  const lines = clusterText.trimEnd().split('\n').map((line) => withBareNames(line, namespace));
  const aliases = (pod.spec.hostAliases ?? []).map(({ ip: address, hostnames = [] }) => `${address}\t${hostnames.join(' ')}`);
  return [...aliases, `${ip}\t${hostname}`, ...lines].map((line) => `${line}\n`).join('');
}

/** `svc.ns.svc` stands on the line of each Service, once. */
function withBareNames(line: string, namespace: string): string {
  const suffix = `.${namespace}.svc`;
  const own = line.split(/\s+/).slice(1).filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  return own.length === 0 ? line : `${line} ${own.join(' ')}`;
}
