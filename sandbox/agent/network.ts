import { readdir } from 'node:fs/promises';
import type { ClusterInfo } from '../machine/clusters.ts';
import { shell } from './shell.ts';

/** Hands out a cluster's pod addresses, 10.x.1.1 up; one that was given back is taken again as late as possible. */
export class AddressPool {
  readonly #prefix: string;
  readonly #taken = new Set<string>();
  #next = 0;

  constructor(cluster: Pick<ClusterInfo, 'podCidr'>) {
    this.#prefix = cluster.podCidr.split('.').slice(0, 2).join('.');
  }

  /** Takes the preferred address when it is free and the cluster's, else the next one. @throws Error when all are taken. */
  take(preferred?: string): string {
    if (preferred !== undefined && this.#isOurs(preferred) && !this.#taken.has(preferred)) {
      this.#taken.add(preferred);
      return preferred;
    }
    for (let tried = 0; tried < perOctet * perOctet; tried++) {
      const address = this.#at(this.#next);
      this.#next = (this.#next + 1) % (perOctet * perOctet);
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      return address;
    }
    throw new Error(`all ${perOctet * perOctet} pod addresses of ${this.#prefix}.0.0/16 are taken`);
  }

  give(address: string): void {
    this.#taken.delete(address);
  }

  #at(n: number): string {
    return `${this.#prefix}.${1 + Math.floor(n / perOctet)}.${1 + n % perOctet}`;
  }

  #isOurs(address: string): boolean {
    return address.startsWith(`${this.#prefix}.`) && !/\.0\.\d+$|\.(0|255)$|\.255\.\d+$/.test(address);
  }
}

/** 1 to 254: 10.x.0 holds the node and the control plane. */
const perOctet = 254;

/** The name of a pod's network namespace, for `ip netns`. */
export function podNamespace(ip: string): string {
  return `pod-${ip}`;
}

/** Makes a pod's network namespace with an interface on its cluster's bridge. @throws Error with what `ip` said. */
export async function createPodNetwork(cluster: ClusterInfo, ip: string): Promise<void> {
  const namespace = podNamespace(ip);
  await shell(`ip -batch - <<'END'
netns add ${namespace}
link add ${veth(ip)} type veth peer name eth0 address ${hardwareAddress(ip)} netns ${namespace}
link set ${veth(ip)} master br-${cluster.name} up
END
ip -n ${namespace} -batch - <<'END'
link set lo up
address add ${ip}/16 dev eth0
link set eth0 up
route add default via ${cluster.nodeIp}
END
`);
}

/** The interface goes at once; the namespace itself when its last process has ended. */
export async function removePodNetwork(ip: string): Promise<void> {
  await shell(`ip link delete ${veth(ip)} 2>/dev/null || true\nip netns delete ${podNamespace(ip)}\n`);
}

/** Removes what an agent that did not end in order has left. */
export async function removeLeftNetworks(): Promise<void> {
  const names = await readdir('/run/netns').catch(() => []);
  for (const name of names.filter((n) => n.startsWith('pod-'))) await removePodNetwork(name.slice('pod-'.length));
}

/** It follows from the address: neighbours stay right when an address is taken again. */
export function hardwareAddress(ip: string): string {
  return ['02', '00', ...ip.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'))].join(':');
}

/** The node's end of a pod's interface; 15 characters at most. */
export function veth(ip: string): string {
  return `v${ip.split('.').slice(1).join('-')}`;
}
