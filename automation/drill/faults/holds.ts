import { blipSeconds } from '../fault-times.ts';
import { chaosThere, isInjected, limitOf, makeChaos, mustBeInjected, mustDoByChaos, mustLeaveNoChaos, removeChaos } from './chaos-mesh.ts';
import type { Chaos, PlannedChaos } from './chaos-mesh.ts';
import type { Fault } from './fault.ts';
import { bridgePods, incarnations, isOver, livePods } from './pods.ts';
import type { Incarnation } from './pods.ts';
import { areHeld, holdAll, mustHaveShell, pauseAll, releaseAll, slowAll, werePausedAtOnce } from './shell.ts';
import type { Pause } from './shell.ts';
import { nameOf, refusalOf, refuse } from './target.ts';
import type { RegionRef, Target } from './target.ts';

/** Containers whose programs are stopped for a time. */
interface Held {
  containers: Incarnation[];
}

/** Containers that run by turns; or whose packets come late, where nothing in them can stop them. */
interface Slowed extends Held {
  chaos?: Chaos;
}

/** What is stopped for a moment, and once it was, how. */
interface Blip extends Held {
  pauses?: Pause[];
}

const shellNeeds = 'pods/exec in the namespace of the pods, and a shell in their image';
/** Longer than a drill holds a fault: healing comes first, unless nobody is left to heal. */
const switchMarginSeconds = 60;
const turnSeconds = 0.1;

/** What faults that hold the region's bridges have in common. */
const holdsBridges = {
  needs: shellNeeds,
  ends: 'healed or by itself',
  holdsBack: true,
  describe: describeBridge,
  prepare: (target: Target) => stoppable(bridgesWithShell(target, [target.refs.region])),
  isEffective: (target: Target, { containers }: Held) => areHeld(target, containers),
  // A container that was replaced is held by nothing, and one that runs by turns is stopped only at times.
  lasts: areSame,
  heal: release,
  isHealed: async (target: Target, { containers }: Held) => await target.bridge.readyEndpoints() >= containers.length,
} as const satisfies Partial<Fault<Held>>;

/** The bridges of the region are stopped: connections stay open, and nothing is answered. */
export const bridgeHang: Fault<Held> = {
  ...holdsBridges,
  name: 'bridge-hang',
  losesInFlight: true,
  blastRadius: 'every bridge process of one region stands still: its connections stay open and nothing is answered',
  expects: { during: 'silent' },
  lasts: async (target, held) => await areSame(target, held) && await areHeld(target, held.containers),
  inject: (target, { containers }) => holdAll(target, containers, Math.ceil(target.refs.forSeconds) + switchMarginSeconds),
};

/** The bridges of the region run half of the time, by short turns; or, where they have no shell, whatever they send is late. */
export const bridgeSlow: Fault<Slowed> = {
  ...holdsBridges,
  name: 'bridge-slow',
  blastRadius: 'every bridge process of one region runs for 0.1 s and stands still for 0.1 s, by turns; where only Chaos Mesh can do it, every packet that leaves it is 0.1 s late',
  needs: `${shellNeeds}; or Chaos Mesh`,
  expects: { during: 'any' },
  means: ({ chaos }) => (chaos === undefined ? 'by a command in its containers' : 'late packets, by NetworkChaos of Chaos Mesh'),
  async prepare(target) {
    const { region } = target.refs;
    const held = await bridgesOf(target, [region]);
    const noShell = await refusalOf(mustHaveShell(target, held.containers));
    if (noShell === undefined) return held;
    const chaos: Chaos = { kind: 'NetworkChaos', context: region.context, namespace: region.namespace, name: nameOf(target, 'bridge-slow') };
    await mustDoByChaos(target, noShell, [late(target, chaos)]);
    await mustLeaveNoChaos(target, region);
    return { ...held, chaos };
  },
  async inject(target, { containers, chaos }) {
    if (chaos === undefined) await slowAll(target, containers, { turnSeconds, seconds: Math.ceil(target.refs.forSeconds) + switchMarginSeconds });
    else await makeChaos(target, [late(target, chaos)]);
  },
  isEffective: async (target, { containers, chaos }) => (chaos === undefined ? await areHeld(target, containers) : await mustBeInjected(target, chaos, await podsOf(target))),
  lasts: async (target, slowed) => (slowed.chaos === undefined ? await areSame(target, slowed) : await isInjected(target, slowed.chaos, await podsOf(target))),
  heal: async (target, slowed) => (slowed.chaos === undefined ? await release(target, slowed) : await removeChaos(target, [slowed.chaos])),
  isHealed: async (target, slowed) => (slowed.chaos === undefined || await chaosThere(target, [slowed.chaos]) === 0) && await holdsBridges.isHealed(target, slowed),
};

/** Every bridge of every region stands still at once, for a moment. */
export const bothRegionsBlip: Fault<Blip> = {
  name: 'both-regions-blip',
  losesInFlight: true,
  holdsBack: true,
  blastRadius: `every bridge process of every region stands still for ${blipSeconds.least * 1000} to ${blipSeconds.most * 1000} ms at once, so that there is nobody to fail over to`,
  needs: `${shellNeeds}, in every region`,
  expects: { during: 'any', everywhere: true },
  ends: 'by itself',
  describe: ({ refs: { regions } }) => `the bridges of ${regions.map(({ name }) => name).join(', ')}`,
  prepare: (target) => stoppable(bridgesWithShell(target, target.refs.regions)),
  inject: async (target, blip) => { blip.pauses = await pauseAll(target, blip.containers, blipSeconds); },
  isEffective: async (target, { pauses }) => pauses !== undefined && await werePausedAtOnce(target, pauses),
  heal: release,
  isHealed: async (target, { containers }) => !await areHeld(target, containers),
};

/** The API server of the region's cluster is stopped; nobody can ask it to be let go on, so it goes on by itself. */
export const apiServerDown: Fault<Held> = {
  name: 'api-server-down',
  blastRadius: 'the API server of one region\'s cluster stands still: its operators and its istiod learn and change nothing; bridges go on with the connections and consumers that they have, until a new one comes to an official one, which since Strimzi 1.1.0 waits for it',
  needs: 'API servers that run as pods in kube-system, as kubeadm makes them, with a shell in their image, and pods/exec there',
  expects: { during: 'serves' },
  ends: 'by itself',
  describe: ({ refs: { region } }) => `the API server of cluster ${region.context}`,
  prepare: (target) => stoppable(apiServersWithShell(target)),
  inject: (target, { containers }) => holdAll(target, containers, Math.ceil(target.refs.forSeconds)),
  isEffective: async ({ region }) => !await region.answers(1_500),
  heal: async () => Promise.resolve(false),
  isHealed: ({ region }) => region.answers(1_500),
};

function describeBridge({ refs: { region } }: Target): string {
  return `the processes of KafkaBridge ${region.namespace}/${region.bridge} in cluster ${region.context}`;
}

async function bridgesOf(target: Target, regions: readonly RegionRef[]): Promise<Held> {
  const found = await Promise.all(regions.map((region) => incarnations(target.cluster(region.context), bridgePods(region), `${region.bridge}-bridge`)));
  const containers = found.flat();
  if (containers.length === 0) refuse('no bridge runs');
  return { containers };
}

async function bridgesWithShell(target: Target, regions: readonly RegionRef[]): Promise<Held> {
  const held = await bridgesOf(target, regions);
  await mustHaveShell(target, held.containers);
  return held;
}

async function apiServersWithShell(target: Target): Promise<Held> {
  const selection = { context: target.region.context, namespace: 'kube-system', labels: 'component=kube-apiserver,tier=control-plane' };
  const containers = await incarnations(target.region, selection, 'kube-apiserver');
  await mustHaveShell(target, containers);
  return { containers };
}

/** What cannot be stopped here cannot be stopped at all: Chaos Mesh kills containers and has them fail, and lets none of them go on. */
async function stoppable(held: Promise<Held>): Promise<Held> {
  const refused = await refusalOf(held);
  if (refused !== undefined) refuse(`${refused.message}, and Chaos Mesh has nothing that stops a process and lets it go on`, refused.remedy);
  return await held;
}

/** By a delay of what leaves the pods, to clients and brokers alike: it needs no target, and can have none in the other direction. */
function late(target: Target, chaos: Chaos): PlannedChaos {
  const { namespace, labels } = bridgePods(target.refs.region);
  const labelSelectors = Object.fromEntries(labels.split(',').map((label) => label.split('=') as [string, string]));
  return { ...chaos, spec: { action: 'delay', mode: 'all', selector: { namespaces: [namespace], labelSelectors, podPhaseSelectors: ['Running'] }, direction: 'to', delay: { latency: `${turnSeconds * 1000}ms` }, duration: limitOf(target) } };
}

async function podsOf(target: Target): Promise<string[]> {
  return (await livePods(target.region, bridgePods(target.refs.region))).map(({ metadata }) => metadata?.name ?? '');
}

async function areSame(target: Target, { containers }: Held): Promise<boolean> {
  return !(await Promise.all(containers.map((each) => isOver(target.cluster(each.context), each)))).includes(true);
}

async function release(target: Target, { containers }: Held): Promise<boolean> {
  return await releaseAll(target, containers) > 0;
}
