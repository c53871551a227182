import { BlockList } from 'node:net';
import type { V1IPBlock, V1LabelSelector } from '@kubernetes/client-node';
import { selects } from './selector.ts';
import type { Pod, Stored } from './types.ts';

interface Peer { readonly ipBlock?: V1IPBlock }
interface Rule { readonly ports?: readonly unknown[]; readonly peers?: readonly Peer[] }

/** As it travels: the client library's model calls a field by another name. */
export type NetworkPolicy = Stored & {
  readonly spec?: {
    readonly podSelector?: V1LabelSelector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly from?: readonly Peer[]; readonly ports?: readonly unknown[] }[];
    readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports?: readonly unknown[] }[];
  };
};

/** All addresses. */
export const everything = '0.0.0.0/0';
/** No pod here has one of these. */
const everythingOfIPv6 = '::/0';

/** What a policy denies, as blocks of addresses; a direction that it does not speak of is undefined. */
interface Denied { readonly ingress?: readonly string[]; readonly egress?: readonly string[] }

/**
 * The addresses that a pod is cut off from: in each direction what all policies deny that select it, as Kubernetes adds up what they
 * allow. A cut is one of routes, so it works both ways. Policies that are not honoured are not counted.
 */
export function cutsOf(pod: Pick<Pod, 'metadata'>, policies: Iterable<NetworkPolicy>): string[] {
  const selecting = [...policies].filter(({ metadata, spec }) => metadata.namespace === pod.metadata.namespace && selects(spec?.podSelector ?? {}, pod.metadata.labels));
  const denied = selecting.filter((policy) => unhonoured(policy).length === 0).map(deniedBy);
  const inAll = (direction: keyof Denied) => {
    const [first = [], ...others] = denied.flatMap((policy) => policy[direction] === undefined ? [] : [policy[direction]]);
    return others.reduce(common, first);
  };
  const all = [...new Set([...inAll('ingress'), ...inAll('egress')])];
  return all.filter((block) => !all.some((other) => other !== block && contains(other, block))).sort();
}

/** What a policy says that this node agent cannot do, as field paths; such a policy has no effect at all. */
export function unhonoured({ spec }: NetworkPolicy): string[] {
  const { ingress, egress } = rulesOf(spec);
  const strange = [...strangeIn('ingress', 'from', ingress ?? []), ...strangeIn('egress', 'to', egress ?? [])];
  if (strange.length > 0) return strange;
  const denied = deniedBy({ spec });
  // Routes know no direction: what is cut is cut both ways.
  if (denied.egress === undefined && (denied.ingress ?? []).length > 0) return ['spec.ingress (without the same in spec.egress)'];
  if (denied.ingress === undefined && denied.egress?.includes(everything) === true) return ['spec.egress (denying all without the same in spec.ingress)'];
  const differ = denied.ingress !== undefined && denied.ingress.length > 0 && [...denied.ingress].sort().join() !== [...denied.egress ?? []].sort().join();
  return differ ? ['spec.ingress (denying other addresses than spec.egress)'] : [];
}

/** A direction's rules; undefined where the policy does not speak of it. */
function rulesOf(spec: NetworkPolicy['spec']): { ingress?: readonly Rule[]; egress?: readonly Rule[] } {
  const { policyTypes = ['Ingress', ...(spec?.egress === undefined ? [] : ['Egress'])], ingress = [], egress = [] } = spec ?? {};
  return {
    ...(policyTypes.includes('Ingress') ? { ingress: ingress.map(({ from = [], ports = [] }) => ({ ports, peers: ofHere(from) })) } : {}),
    ...(policyTypes.includes('Egress') ? { egress: egress.map(({ to = [], ports = [] }) => ({ ports, peers: ofHere(to) })) } : {}),
  };
}

/** Without what is said of IPv6 besides. */
function ofHere(peers: readonly Peer[]): readonly Peer[] {
  return peers.filter(({ ipBlock }, index) => index === 0 || ipBlock?.cidr !== everythingOfIPv6);
}

function deniedBy({ spec }: Pick<NetworkPolicy, 'spec'>): Denied {
  const denied = ([rule]: readonly Rule[]) => rule === undefined ? [everything] : rule.peers?.[0]?.ipBlock?.except ?? [];
  const { ingress, egress } = rulesOf(spec);
  return { ...(ingress === undefined ? {} : { ingress: denied(ingress) }), ...(egress === undefined ? {} : { egress: denied(egress) }) };
}

/** Only these rules are known: none at all, one that allows all, one that allows all addresses except some. */
function strangeIn(direction: 'ingress' | 'egress', peersField: 'from' | 'to', rules: readonly Rule[]): string[] {
  const path = `spec.${direction}`;
  if (rules.length > 1) return [`${path}[1]`];
  return rules.flatMap(({ ports = [], peers = [] }) => [
    ...(ports.length > 0 ? [`${path}[0].ports`] : []),
    ...(peers.length > 1 ? [`${path}[0].${peersField}[1]`] : []),
    ...peers.flatMap((peer) => Object.keys(peer).filter((key) => key !== 'ipBlock').map((key) => `${path}[0].${peersField}[0].${key}`)),
    ...(peers[0]?.ipBlock !== undefined && peers[0].ipBlock.cidr !== everything ? [`${path}[0].${peersField}[0].ipBlock.cidr`] : []),
  ]);
}

/** The addresses that are in both. */
function common(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.flatMap((one) => b.flatMap((other) => contains(one, other) ? [other] : contains(other, one) ? [one] : []));
}

function contains(outer: string, inner: string): boolean {
  const [[base, length], [address, innerLength]] = [parse(outer), parse(inner)];
  const list = new BlockList();
  list.addSubnet(base, length);
  return length <= innerLength && list.check(address);
}

function parse(block: string): [address: string, length: number] {
  const [address = '', length = '32'] = block.split('/');
  return [address, Number(length)];
}
