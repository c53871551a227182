import { writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { apiServerIp, etcdIp } from './clusters.ts';
import type { ClusterInfo } from './clusters.ts';

/**
 * Builds the tree's network, from inside: a bridge per cluster in the root network namespace, a network namespace `cp-<cluster>`
 * for its control plane on that bridge (so that its link can be cut), and routes that make every Service and load balancer
 * address bindable here. Pods join the bridges later.
 */
export async function buildNetwork(clusters: readonly ClusterInfo[]): Promise<void> {
  // `ip netns` keeps its names under /run, which is ours alone as a fresh file system.
  await execa('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  // Clusters reach each other's API servers through here.
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  await ip([], ['link set lo up', `address add ${etcdIp}/32 dev lo`, ...clusters.flatMap(clusterLinks)]);
  await Promise.all(clusters.map((c) => ip(['-n', controlPlaneNamespace(c)], controlPlaneLinks(c))));
}

/** The network namespace of a cluster's API server and controller manager. */
function controlPlaneNamespace(cluster: ClusterInfo): string {
  return `cp-${cluster.name}`;
}

/** Prefixes a command so that it runs in a cluster's control plane namespace. `ip netns exec` would also remount /sys, which containers forbid. */
export function inControlPlane(cluster: ClusterInfo, argv: readonly string[]): string[] {
  return ['nsenter', `--net=/run/netns/${controlPlaneNamespace(cluster)}`, '--', ...argv];
}

function clusterLinks(c: ClusterInfo): string[] {
  const namespace = controlPlaneNamespace(c);
  return [
    // A fixed hardware address: otherwise it is that of some port, and changes as pods come and go.
    `link add br-${c.name} address ${hardwareAddress(c)} type bridge`,
    `address add ${c.nodeIp}/16 dev br-${c.name}`,
    `link set br-${c.name} up`,
    `netns add ${namespace}`,
    `link add ${namespace} type veth peer name eth0 netns ${namespace}`,
    `link set ${namespace} master br-${c.name} up`,
    `route add local ${c.serviceCidr} dev lo`,
    `route add local ${c.loadBalancerCidr} dev lo`,
  ];
}

function hardwareAddress(c: ClusterInfo): string {
  return `02:00:0a:${(10 + c.index).toString(16).padStart(2, '0')}:00:01`;
}

function controlPlaneLinks(c: ClusterInfo): string[] {
  return [
    'link set lo up',
    `address add ${apiServerIp(c)}/16 dev eth0`,
    'link set eth0 up',
    `route add default via ${c.nodeIp}`,
  ];
}

async function ip(flags: readonly string[], commands: readonly string[]): Promise<void> {
  await execa('ip', [...flags, '-batch', '-'], { input: commands.join('\n') + '\n' });
}
