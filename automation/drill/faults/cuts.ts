import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { V1Pod } from '@kubernetes/client-node';
import { mustLeaveNoChaos } from './chaos-mesh.ts';
import type { Fault } from './fault.ts';
import { bridgePods, deploymentPods, livePods } from './pods.ts';
import { isPartitioned, join, mustPartition, partition, partitions, whyNotPartition } from './partitions.ts';
import { cutAll, joinAll, mustAllowPolicies, mustCutByAddress, mustCutOff, mustLeaveNoPolicy, policiesThere } from './policies.ts';
import type { Cut } from './policies.ts';
import { nameOf, refusalOf, refuse } from './target.ts';
import type { Target } from './target.ts';

/** Pods cut off the network. */
interface Cuts {
  cuts: Cut[];
  /** Absent: by NetworkPolicies. */
  by?: 'chaos-mesh';
}

const needs = 'Chaos Mesh, and pods with IPv4 addresses; or NetworkPolicies that the cluster\'s network honours, for open connections too: where it does not, the drill finds no effect and is inconclusive; no other policy that allows what is cut';

/** What it takes to cut pods off, seen, and undone. */
interface Way {
  cut(target: Target, cuts: readonly Cut[]): Promise<void>;
  isCut(target: Target, cuts: readonly Cut[]): Promise<boolean>;
  lasts(target: Target, cuts: readonly Cut[]): Promise<boolean>;
  join(target: Target, cuts: readonly Cut[]): Promise<boolean>;
  left(target: Target, cuts: readonly Cut[]): Promise<number>;
}

const arePolicies = async (target: Target, cuts: readonly Cut[]): Promise<boolean> => await policiesThere(target, cuts) === cuts.length;
const byPolicies: Way = { cut: cutAll, isCut: arePolicies, lasts: arePolicies, join: joinAll, left: policiesThere };
const byChaosMesh: Way = { cut: partition, isCut: mustPartition, lasts: isPartitioned, join, left: partitions };

function wayOf({ by }: Cuts): Way {
  return by === 'chaos-mesh' ? byChaosMesh : byPolicies;
}

/** What cutting pods off the network has in common. Only answers show whether it does: policies, and what Chaos Mesh says, prove nothing. */
const cutOff = {
  expects: { during: 'silent' },
  ends: 'healed',
  holdsBack: true,
  means: ({ by }: Cuts) => (by === 'chaos-mesh' ? 'by NetworkChaos of Chaos Mesh' : 'by NetworkPolicies'),
  inject: (target: Target, undo: Cuts) => wayOf(undo).cut(target, undo.cuts),
  isEffective: (target: Target, undo: Cuts) => wayOf(undo).isCut(target, undo.cuts),
  lasts: (target: Target, undo: Cuts) => wayOf(undo).lasts(target, undo.cuts),
  heal: (target: Target, undo: Cuts) => wayOf(undo).join(target, undo.cuts),
  isHealed: async (target: Target, undo: Cuts) => await wayOf(undo).left(target, undo.cuts) === 0,
} as const satisfies Partial<Fault<Cuts>>;

/** The bridges of the region reach no broker, and everybody else. */
export const bridgeCutFromKafka: Fault<Cuts> = {
  ...cutOff,
  name: 'bridge-cut-from-kafka',
  losesInFlight: true,
  blastRadius: 'the bridges of one region reach no broker any more; they go on answering',
  needs,
  describe: ({ refs: { region } }) => `the network from KafkaBridge ${region.namespace}/${region.bridge} in cluster ${region.context} to Kafka's brokers`,
  async prepare(target) {
    const { context, namespace, bridge } = target.refs.region;
    const addresses = await brokerAddresses(target);
    const labels = { 'strimzi.io/kind': 'KafkaBridge', 'strimzi.io/cluster': bridge };
    return await permitted(target, [{ context, namespace, name: nameOf(target, 'bridge'), labels, from: addresses.map((address) => `${address}/${isIP(address) === 6 ? '128' : '32'}`) }]);
  },
};

/** The region's gateway is off the network: packets to it vanish. */
export const gatewayBlackHole: Fault<Cuts> = {
  ...cutOff,
  name: 'gateway-black-hole',
  losesInFlight: true,
  blastRadius: 'packets to and from the gateway of one region vanish; nothing is refused or closed',
  needs,
  describe: ({ gateway, refs: { region } }) => `the network of gateway ${region.namespace}/${gateway} in cluster ${region.context}`,
  prepare: async (target) => await permitted(target, [await gatewayCut(target)]),
};

/** Gateway, bridges and mesh control plane of the region are off the network. Its API server is not: nobody could heal it. */
export const regionBlackHole: Fault<Cuts> = {
  ...cutOff,
  name: 'region-black-hole',
  losesInFlight: true,
  blastRadius: 'packets to and from gateway, bridges and istiod of one region vanish; its API server stays, by which it is healed',
  needs,
  describe: ({ refs: { region } }) => `the network of gateway, bridges and istiod in cluster ${region.context}`,
  async prepare(target) {
    const { context, namespace, bridge } = target.refs.region;
    const bridges: Cut = { context, namespace, name: nameOf(target, 'bridge'), labels: { 'strimzi.io/kind': 'KafkaBridge', 'strimzi.io/cluster': bridge } };
    return await permitted(target, [await gatewayCut(target), bridges, ...await istiodCuts(target)]);
  },
};

async function permitted(target: Target, cuts: Cut[]): Promise<Cuts> {
  const cutPods: { cut: Cut; pods: V1Pod[] }[] = [];
  for (const cut of cuts) {
    const { context, namespace, labels } = cut;
    const selection = { context, namespace, labels: Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(',') };
    const pods = await livePods(target.cluster(context), selection);
    if (pods.length === 0) refuse(`no pod has ${selection.labels} in namespace ${namespace} of cluster ${context}`);
    cutPods.push({ cut, pods });
  }
  for (const cut of cuts) {
    await mustLeaveNoPolicy(target, cut);
    await mustLeaveNoChaos(target, cut);
  }
  // Before policies, as it drops the packets of open connections for certain, which many networks exempt from policies.
  const notByChaos = await whyNotPartition(target, cutPods);
  if (notByChaos === undefined) return { cuts, by: 'chaos-mesh' };
  const refused = await refusalOf(mustBeByPolicies(target, cutPods));
  if (refused !== undefined) refuse(`${refused.message}, and ${notByChaos}`, refused.remedy);
  return { cuts };
}

async function mustBeByPolicies(target: Target, cutPods: readonly { cut: Cut; pods: V1Pod[] }[]): Promise<void> {
  await mustAllowPolicies(target, cutPods.map(({ cut }) => cut));
  for (const { cut, pods } of cutPods) {
    await mustCutByAddress(target, cut);
    await mustCutOff(target, cut, pods);
  }
}

async function gatewayCut(target: Target): Promise<Cut> {
  const { context, namespace } = target.refs.region;
  const { labels } = await deploymentPods(target.region, { namespace, name: target.gateway });
  return { context, namespace, name: nameOf(target, 'gateway'), labels: Object.fromEntries(labels.split(',').map((label) => label.split('=') as [string, string])) };
}

/** Where istiod runs in the cluster, as pods; it may as well be somewhere else. */
async function istiodCuts(target: Target): Promise<Cut[]> {
  const { context } = target.refs.region;
  const { items } = await target.region.ask('the pods of istiod cannot be listed', () => target.region.core.listPodForAllNamespaces({ labelSelector: 'app=istiod' }));
  return [...new Set(items.map(({ metadata }) => metadata?.namespace ?? ''))].map((namespace) => ({ context, namespace, name: nameOf(target, 'istiod'), labels: { app: 'istiod' } }));
}

/**
 * Every address by which the bridges may reach a broker: what bootstrap servers and the brokers' own advertised names resolve to, here and inside a
 * bridge's pod, whose DNS may say something else. Where Kafka is the program's own, its pods too: a network sees some packets after a Service's address was replaced.
 */
async function brokerAddresses(target: Target): Promise<string[]> {
  const hosts = await target.kafkaView.hosts();
  const [here, inside, pods] = await Promise.all([Promise.all(hosts.map(resolveHere)), resolveInside(target, hosts), brokerPods(target)]);
  const named = [...here.flat(), ...inside];
  // A Service leads to pods by addresses of its own family alone. By others nobody reaches a broker, and one of IPv6 would keep Chaos Mesh from being used.
  const families = new Set(named.map(isIP));
  const addresses = [...new Set([...named, ...pods.filter((address) => named.length === 0 || families.has(isIP(address)))])].sort();
  if (addresses.length === 0) refuse(`none of Kafka's host names resolves: ${hosts.join(', ')}`);
  return addresses;
}

async function resolveHere(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  return (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address);
}

/** Nothing where no command may be run in the pod, or its image cannot resolve: then what is known here has to do. */
async function resolveInside(target: Target, hosts: readonly string[]): Promise<string[]> {
  const { region } = target.refs;
  const [pod] = await livePods(target.region, bridgePods(region));
  const container = { namespace: region.namespace, pod: pod?.metadata?.name ?? '', container: `${region.bridge}-bridge` };
  const names = hosts.filter((host) => /^[a-z0-9.-]+$/i.test(host)).join(' ');
  const { output } = await target.region.sh(container, `for name in ${names}; do getent ahosts $name; done`).catch(() => ({ output: '' }));
  return output.split('\n').map((line) => line.split(/\s+/)[0] ?? '').filter((address) => isIP(address) !== 0);
}

async function brokerPods(target: Target): Promise<string[]> {
  if (target.refs.kafka === undefined) return [];
  const { context, namespace, name } = target.refs.kafka;
  const pods = await livePods(target.cluster(context), { context, namespace, labels: `strimzi.io/cluster=${name},strimzi.io/broker-role=true` });
  return pods.flatMap(({ status }) => status?.podIPs?.map(({ ip }) => ip) ?? status?.podIP ?? []);
}
