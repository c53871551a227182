import type { Fault } from './fault.ts';
import { bridgePods, deletePods, deploymentPods, incarnations, isOver, livePods, readyPods, wouldWait } from './pods.ts';
import type { Incarnation, Selection } from './pods.ts';
import { killAll, mustHaveShell } from './shell.ts';
import { refuse } from './target.ts';
import type { Target } from './target.ts';

/** Pods whose containers are ended, and which come back by themselves. */
interface Ended {
  selection: Selection;
  /** Those that were running before. */
  before: Incarnation[];
  ready: number;
}

const shellNeeds = 'pods/exec in the namespace of the pods, and a shell in their image';
/** What all of these have in common: the cluster itself brings back what was ended. */
const comesBack = {
  ends: 'by itself',
  heal: () => Promise.resolve(false),
  isHealed: async (target: Target, { selection, before, ready }: Ended) =>
    await readyPods(target.cluster(selection.context), selection) >= ready && await areEnded(target, before),
} as const satisfies Partial<Fault<Ended>>;

/** Who serves one region only may be made anew all at once. */
const canBeRefreshed = {
  ...comesBack,
  async refresh(target: Target, { selection, before }: Ended) {
    const cluster = target.cluster(selection.context);
    const late = (await Promise.all(before.map(async (each) => (await wouldWait(cluster, each) ? [each] : [])))).flat();
    // Who may not delete them has to wait for them.
    if (late.length === 0 || !await cluster.allows([{ verb: 'delete', group: '', resource: 'pods', namespace: selection.namespace }])) return false;
    await deletePods(cluster, late);
    return true;
  },
} as const satisfies Partial<Fault<Ended>>;

/** Every bridge process of the region is killed; the kubelet starts their containers again. */
export const bridgeKill: Fault<Ended> = {
  ...canBeRefreshed,
  name: 'bridge-kill',
  losesInFlight: true,
  blastRadius: 'every bridge process of one region ends at once, with what it had in flight; the kubelet starts it again',
  needs: shellNeeds,
  expects: { during: 'any' },
  describe: describeBridge,
  prepare: async (target) => await withShell(target, await endedBridges(target)),
  inject: (target, { before }) => killAll(target, before),
  isEffective: (target, { before }) => areEnded(target, before),
};

/** Every bridge pod of the region is deleted, with the time to end in order that it asks for. */
export const bridgeTerminate: Fault<Ended> = {
  ...comesBack,
  name: 'bridge-terminate',
  losesInFlight: true,
  blastRadius: 'every bridge pod of one region is deleted with its grace period, as at a node\'s drain; others take their place',
  needs: 'deletion of pods in the bridge\'s namespace',
  expects: { during: 'any' },
  describe: describeBridge,
  async prepare(target) {
    const { namespace } = target.refs.region;
    await target.region.mustAllow([{ verb: 'delete', group: '', resource: 'pods', namespace }]);
    return await endedBridges(target);
  },
  async inject(target, { before }) {
    await deletePods(target.region, before);
  },
  isEffective: (target, { before }) => areEnded(target, before),
};

/** Every process of the region's gateway is killed. */
export const gatewayKill: Fault<Ended> = {
  ...canBeRefreshed,
  name: 'gateway-kill',
  losesInFlight: true,
  blastRadius: 'every gateway process of one region ends at once, with every connection through it; the kubelet starts it again',
  needs: shellNeeds,
  expects: { during: 'any' },
  describe: ({ gateway, refs: { region } }) => `gateway ${region.namespace}/${gateway} in cluster ${region.context}`,
  async prepare(target) {
    const { namespace } = target.refs.region;
    const selection = await deploymentPods(target.region, { namespace, name: target.gateway });
    return await withShell(target, await endedOf(target, selection, await mainContainer(target, selection)));
  },
  inject: (target, { before }) => killAll(target, before),
  isEffective: (target, { before }) => areEnded(target, before),
};

/** The broker that leads a partition of the drill's topic is killed. */
export const brokerLeaderKill: Fault<Ended> = {
  ...comesBack,
  name: 'broker-leader-kill',
  losesInFlight: true,
  blastRadius: 'the broker that leads partition 0 of the drill\'s topic ends at once; other brokers take over its partitions, for every client of this Kafka',
  needs: `Kafka of the program's own; ${shellNeeds}`,
  expects: { during: 'serves' },
  describe: ({ kafka: { context, namespace, name } }) => `a broker of Kafka ${namespace}/${name} in cluster ${context}`,
  async prepare(target) {
    const { context, namespace, name } = target.kafka;
    return await withShell(target, await endedOf(target, { context, namespace, labels: `strimzi.io/cluster=${name},strimzi.io/broker-role=true` }, 'kafka'));
  },
  async inject(target, { before }) {
    const leader = await target.kafkaView.leader();
    await killAll(target, before.filter((broker) => isNode(broker, leader)));
  },
  isEffective: async (target, { before }) => (await Promise.all(before.map((broker) => isOver(target.cluster(broker.context), broker)))).includes(true),
  isHealed: async (target, { selection, ready }) => await readyPods(target.cluster(selection.context), selection) >= ready,
};

function describeBridge({ refs: { region } }: Target): string {
  return `the pods of KafkaBridge ${region.namespace}/${region.bridge} in cluster ${region.context}`;
}

async function endedBridges(target: Target): Promise<Ended> {
  const { region } = target.refs;
  return await endedOf(target, bridgePods(region), `${region.bridge}-bridge`);
}

async function endedOf(target: Target, selection: Selection, container: string): Promise<Ended> {
  const cluster = target.cluster(selection.context);
  return { selection, before: await incarnations(cluster, selection, container), ready: await readyPods(cluster, selection) };
}

async function withShell(target: Target, ended: Ended): Promise<Ended> {
  await mustHaveShell(target, ended.before);
  return ended;
}

async function areEnded(target: Target, before: readonly Incarnation[]): Promise<boolean> {
  return (await Promise.all(before.map((each) => isOver(target.cluster(each.context), each)))).every(Boolean);
}

/** Istio calls a gateway's container `istio-proxy`; a gateway of another make has one of its own. */
async function mainContainer(target: Target, selection: Selection): Promise<string> {
  const [pod] = await livePods(target.cluster(selection.context), selection);
  const names = pod?.spec?.containers.map(({ name }) => name) ?? [];
  return names.find((name) => name === 'istio-proxy') ?? names[0] ?? refuse(`the gateway has no pod in namespace ${selection.namespace} of cluster ${selection.context}`);
}

/** Strimzi ends a broker's pod name in its node id. */
function isNode({ pod }: Incarnation, id: number): boolean {
  return pod.endsWith(`-${id}`);
}
