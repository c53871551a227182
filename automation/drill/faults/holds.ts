import { blipSeconds } from '../fault-times.ts';
import type { Fault } from './fault.ts';
import { bridgePods, incarnations, isOver } from './pods.ts';
import type { Incarnation } from './pods.ts';
import { areHeld, holdAll, mustHaveShell, pauseAll, releaseAll, slowAll, werePausedAtOnce } from './shell.ts';
import type { Pause } from './shell.ts';
import { refuse } from './target.ts';
import type { RegionRef, Target } from './target.ts';

/** Containers whose programs are stopped for a time. */
interface Held {
  containers: Incarnation[];
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
  prepare: (target: Target) => bridgesOf(target, [target.refs.region]),
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

/** The bridges of the region run half of the time, by short turns. */
export const bridgeSlow: Fault<Held> = {
  ...holdsBridges,
  name: 'bridge-slow',
  blastRadius: 'every bridge process of one region runs for 0.1 s and stands still for 0.1 s, by turns',
  expects: { during: 'any' },
  inject: (target, { containers }) => slowAll(target, containers, { turnSeconds, seconds: Math.ceil(target.refs.forSeconds) + switchMarginSeconds }),
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
  prepare: (target) => bridgesOf(target, target.refs.regions),
  inject: async (target, blip) => { blip.pauses = await pauseAll(target, blip.containers, blipSeconds); },
  isEffective: async (target, { pauses }) => pauses !== undefined && await werePausedAtOnce(target, pauses),
  heal: release,
  isHealed: async (target, { containers }) => !await areHeld(target, containers),
};

/** The API server of the region's cluster is stopped; nobody can ask it to be let go on, so it goes on by itself. */
export const apiServerDown: Fault<Held> = {
  name: 'api-server-down',
  blastRadius: 'the API server of one region\'s cluster stands still: its operators and its istiod learn and change nothing',
  needs: 'API servers that run as pods in kube-system, as kubeadm makes them, with a shell in their image, and pods/exec there',
  expects: { during: 'serves' },
  ends: 'by itself',
  describe: ({ refs: { region } }) => `the API server of cluster ${region.context}`,
  async prepare(target) {
    const selection = { context: target.region.context, namespace: 'kube-system', labels: 'component=kube-apiserver,tier=control-plane' };
    const containers = await incarnations(target.region, selection, 'kube-apiserver');
    await mustHaveShell(target, containers);
    return { containers };
  },
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
  await mustHaveShell(target, containers);
  return { containers };
}

async function areSame(target: Target, { containers }: Held): Promise<boolean> {
  return !(await Promise.all(containers.map((each) => isOver(target.cluster(each.context), each)))).includes(true);
}

async function release(target: Target, { containers }: Held): Promise<boolean> {
  return await releaseAll(target, containers) > 0;
}
