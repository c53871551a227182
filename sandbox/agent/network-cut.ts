import type { ClusterInfo } from '../machine/clusters.ts';
import { everything } from './network-policy.ts';
import { hardwareAddress, podNamespace, veth } from './network.ts';
import { shell } from './shell.ts';
import type { SilentPods } from './silence.ts';

/** Of the rules in a pod's network namespace: probes first, then what is cut off; both before the main table (32766). */
const prefer = { probes: 10, cut: 20 };
const table = 66;

/** The node's second address, from which it probes pods: so that probes reach a pod that is cut off from all others. */
export function probeIp({ index }: Pick<ClusterInfo, 'index'>): string {
  return `10.${10 + index}.0.3`;
}

/** Gives the node its second address. */
export async function addProbeAddress(cluster: ClusterInfo): Promise<void> {
  await shell(`ip address replace ${probeIp(cluster)}/32 dev br-${cluster.name}`);
}

/**
 * What a pod is cut off from, by routes in its network namespace: packets to such an address leave by the loopback interface and are
 * dropped there without a word, packets from it are dropped as they come (strict reverse path filter). So connections that exist
 * fall silent, new ones are not answered, and all go on when the cut is over, at their next retransmission.
 */
export class NetworkCut {
  readonly #cluster: ClusterInfo;
  readonly #ip: string;
  readonly #silentPods: SilentPods;
  #cut: readonly string[] = [];
  #prepared = false;
  #settled: Promise<void> = Promise.resolve();

  /** @param ip The pod's address. */
  constructor(cluster: ClusterInfo, ip: string, silentPods: SilentPods) {
    this.#silentPods = silentPods;
    this.#cluster = cluster;
    this.#ip = ip;
  }

  /** Cuts the pod off from these blocks of addresses and no others; changes take effect in the order of the calls. @throws Error with what `ip` said. */
  set(blocks: readonly string[]): Promise<void> {
    this.#settled = this.#settled.catch(() => undefined).then(() => this.#change(blocks));
    return this.#settled;
  }

  async #change(blocks: readonly string[]): Promise<void> {
    const added = blocks.filter((block) => !this.#cut.includes(block));
    const removed = this.#cut.filter((block) => !blocks.includes(block));
    if (added.length + removed.length === 0) return;
    if (!this.#prepared) await this.#prepare();
    const rule = (verb: string) => (block: string) => `rule ${verb} pref ${prefer.cut} to ${block} lookup ${table}`;
    await shell(`ip -n ${podNamespace(this.#ip)} -batch - <<'END'\n${[...added.map(rule('add')), ...removed.map(rule('delete'))].join('\n')}\nEND\n`);
    this.#cut = blocks;
    this.#silentPods.mark(this.#ip, blocks.includes(everything));
  }

  /** The pod's network is gone. */
  forget(): void {
    // After whatever is under way: another pod may get the address.
    this.#settled = this.#settled.catch(() => undefined).then(() => { this.#silentPods.mark(this.#ip, false); });
  }

  /**
   * The reverse path filter holds for ARP too, and whoever gets no answer to that is told "unreachable" after three seconds, and
   * again for a second when the cut is over. So the bridge answers for the pod, from an entry that stays right for its address.
   */
  async #prepare(): Promise<void> {
    const namespace = podNamespace(this.#ip);
    await shell(`ip -batch - <<'END'
neighbour replace ${this.#ip} lladdr ${hardwareAddress(this.#ip)} dev br-${this.#cluster.name} nud permanent
link set ${veth(this.#ip)} type bridge_slave neigh_suppress on
END
ip -n ${namespace} -batch - <<'END'
route replace default dev lo src ${this.#ip} table ${table}
rule add pref ${prefer.probes} to ${probeIp(this.#cluster)} lookup main
END
nsenter --net=/run/netns/${namespace} sh -c 'echo 1 > /proc/sys/net/ipv4/conf/eth0/rp_filter'
`);
    this.#prepared = true;
  }
}
