import { UserError } from '../../../errors.ts';
import type { Fault } from './fault.ts';
import { makeChaos, mustBeInjected, mustDoByChaos, removeChaos } from './chaos-mesh.ts';
import type { Chaos } from './chaos-mesh.ts';
import { areOver, bridgePods, deletePods, deploymentPods, incarnations, isOver, livePods, readyPods, wouldWait } from './pods.ts';
import type { Incarnation, Selection } from './pods.ts';
import { killAll, mustHaveShell } from './shell.ts';
import { nameOf, refusalOf, refuse } from './target.ts';
import type { Target } from './target.ts';

/** Pods whose containers are ended, and which come back by themselves. */
interface Ended {
  selection: Selection;
  /** Those that were running before. */
  before: Incarnation[];
  ready: number;
  /** Who kills them, where there is no shell to do so. */
  chaos?: Chaos;
}

const killNeeds = 'pods/exec in the namespace of the pods, and a shell in their image; or Chaos Mesh';
/** What all of these have in common: the cluster itself brings back what was ended. */
const comesBack = {
  ends: 'by itself',
  heal: () => Promise.resolve(false),
  isHealed: async (target: Target, { selection, before, ready }: Ended) =>
    await readyPods(target.cluster(selection.context), selection) >= ready && await areOver(target, before),
} as const satisfies Partial<Fault<Ended>>;

/** Killed by a command in the containers themselves; where none can be run there, by Chaos Mesh. */
const killed = {
  ...comesBack,
  losesInFlight: true,
  means: ({ chaos }: Ended) => (chaos === undefined ? 'by a command in its containers' : 'by PodChaos of Chaos Mesh'),
  inject: (target: Target, ended: Ended) => kill(target, ended, ended.before),
  isEffective: async (target: Target, ended: Ended) => await isKilled(target, ended) && await areOver(target, ended.before),
  // What Chaos Mesh killed comes back by itself as well; its object does not go.
  heal: async (target: Target, { chaos }: Ended) => chaos !== undefined && await removeChaos(target, [chaos]),
} as const satisfies Partial<Fault<Ended>>;

/** Who serves one region only may be made anew all at once. */
const canBeRefreshed = {
  ...killed,
  async refresh(target: Target, ended: Ended) {
    const { selection, before } = ended;
    const cluster = target.cluster(selection.context);
    const late = (await Promise.all(before.map(async (each) => (await wouldWait(cluster, each) ? [each] : [])))).flat();
    // Who may not delete them has to wait for them.
    if (late.length === 0 || !await cluster.allows([{ verb: 'delete', group: '', resource: 'pods', namespace: selection.namespace }])) return undefined;
    await deletePods(cluster, late);
    return { ...ended, before: late };
  },
} as const satisfies Partial<Fault<Ended>>;

/** Every bridge process of the region is killed; the kubelet starts their containers again. */
export const bridgeKill: Fault<Ended> = {
  ...canBeRefreshed,
  name: 'bridge-kill',
  blastRadius: 'every bridge process of one region ends at once, with what it had in flight; the kubelet starts it again',
  needs: killNeeds,
  expects: { during: 'any' },
  describe: describeBridge,
  prepare: async (target) => await killable(target, await endedBridges(target), 'bridge-kill'),
};

/** Every bridge pod of the region is deleted, with the time to end in order that it asks for. */
export const bridgeTerminate: Fault<Ended> = {
  ...comesBack,
  name: 'bridge-terminate',
  losesInFlight: true,
  blastRadius: 'every bridge pod of one region is deleted with its grace period, whatever its disruption budget allows; others take their place',
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
  isEffective: (target, { before }) => areOver(target, before),
};

/** Every process of the region's gateway is killed. */
export const gatewayKill: Fault<Ended> = {
  ...canBeRefreshed,
  name: 'gateway-kill',
  blastRadius: 'every gateway process of one region ends at once, with every connection through it; the kubelet starts it again',
  needs: killNeeds,
  expects: { during: 'any' },
  describe: ({ gateway, refs: { region } }) => `gateway ${region.namespace}/${gateway} in cluster ${region.context}`,
  async prepare(target) {
    const { namespace } = target.refs.region;
    const selection = await deploymentPods(target.region, { namespace, name: target.gateway });
    return await killable(target, await endedOf(target, selection, await mainContainer(target, selection)), 'gateway-kill');
  },
};

/** The broker that leads a partition of the drill's topic is killed. */
export const brokerLeaderKill: Fault<Ended> = {
  ...killed,
  name: 'broker-leader-kill',
  blastRadius: 'the broker that leads partition 0 of the drill\'s topic ends at once; other brokers take over its partitions, for every client of this Kafka',
  needs: `Kafka of the program's own; ${killNeeds}`,
  expects: { during: 'serves' },
  describe: ({ kafka: { context, namespace, name } }) => `a broker of Kafka ${namespace}/${name} in cluster ${context}`,
  async prepare(target) {
    const { context, namespace, name } = target.kafka;
    return await killable(target, await endedOf(target, { context, namespace, labels: `strimzi.io/cluster=${name},strimzi.io/broker-role=true` }, 'kafka'), 'broker-kill');
  },
  async inject(target, ended) {
    const leader = await target.kafkaView.leader();
    const containers = ended.before.filter((broker) => isNode(broker, leader));
    // Nobody would be killed, and nothing would say why.
    if (containers.length === 0) throw new UserError(`the broker that leads, ${leader}, did not run when the drill began`, { remedy: 'see that every broker is ready, and run it again' });
    await kill(target, ended, containers);
  },
  isEffective: async (target, ended) => await isKilled(target, ended) && (await Promise.all(ended.before.map((broker) => isOver(target.cluster(broker.context), broker)))).includes(true),
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

async function killable(target: Target, ended: Ended, name: string): Promise<Ended> {
  const { selection: { context, namespace }, before } = ended;
  const noShell = await refusalOf(mustHaveShell(target, before));
  if (noShell === undefined) return ended;
  const chaos: Chaos = { kind: 'PodChaos', context, namespace, name: nameOf(target, name) };
  await mustDoByChaos(target, noShell, [{ ...chaos, spec: killOf(before) }]);
  return { ...ended, chaos };
}

async function kill(target: Target, { chaos }: Ended, containers: readonly Incarnation[]): Promise<void> {
  if (chaos === undefined) await killAll(target, containers);
  else await makeChaos(target, [{ ...chaos, spec: killOf(containers) }]);
}

/** What Chaos Mesh says of it; whether the containers are other ones is still to be seen. */
async function isKilled(target: Target, { chaos }: Ended): Promise<boolean> {
  return chaos === undefined || await mustBeInjected(target, chaos);
}

/** These pods and no others: a selector would find a pod that came meanwhile as well. */
function killOf(containers: readonly Incarnation[]): object {
  const namespaces = [...new Set(containers.map(({ namespace }) => namespace))];
  const pods = Object.fromEntries(namespaces.map((namespace) => [namespace, containers.filter((each) => each.namespace === namespace).map(({ pod }) => pod)]));
  return { action: 'container-kill', mode: 'all', selector: { namespaces, pods }, containerNames: [...new Set(containers.map(({ container }) => container))] };
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
