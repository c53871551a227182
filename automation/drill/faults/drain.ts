import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../../errors.ts';
import { statusOf } from '../cluster.ts';
import { takeHoldTimeoutMs } from '../fault-times.ts';
import type { Fault } from './fault.ts';
import { cordon, freeNode, isCordonedByDrill, mustCordon, uncordon } from './nodes.ts';
import type { FreeNode } from './nodes.ts';
import { areOver, bridgePods, incarnations, isOver, livePods, readyPods } from './pods.ts';
import type { Incarnation, Selection } from './pods.ts';
import type { Target } from './target.ts';
import { together } from './together.ts';

interface Drained {
  selection: Selection;
  before: Incarnation[];
  ready: number;
  /** Every node that the region's bridges run on. */
  nodes: string[];
  /** Those of them that nobody had cordoned before. */
  cordoned: FreeNode[];
}

/** What a disruption budget holds back is asked for again after so long, ms: a replacement takes seconds to be ready. */
const againMs = 1_000;

/** What `kubectl drain` does to the region's bridges: their nodes take no more pods, and the bridges' pods are evicted, as their disruption budget allows. */
export const bridgeDrain: Fault<Drained> = {
  name: 'bridge-drain',
  losesInFlight: true,
  blastRadius: 'the nodes that the bridges of one region run on are cordoned, so that they take no new pods of anybody, and every bridge pod there is evicted, as its disruption budget allows; others take their place on other nodes, or once it is healed, which ends a cordon of others made meanwhile too',
  needs: 'get and patch of nodes, and creation of pods/eviction in the bridge\'s namespace; a disruption budget that lets every pod go, which with several replicas takes another node for their replacements',
  expects: { during: 'any' },
  ends: 'healed',
  describe: ({ refs: { region } }) => `the nodes of KafkaBridge ${region.namespace}/${region.bridge} in cluster ${region.context}`,
  async prepare(target) {
    const { region } = target.refs;
    await mustCordon(target.region);
    await target.region.mustAllow([{ verb: 'create', group: '', resource: 'pods/eviction', namespace: region.namespace }]);
    const selection = bridgePods(region);
    const before = await incarnations(target.region, selection, `${region.bridge}-bridge`);
    const pods = await livePods(target.region, selection);
    const nodes = [...new Set(pods.flatMap(({ spec }) => spec?.nodeName ?? []))];
    const free = await together(nodes, (node) => freeNode(target.region, node));
    return { selection, before, ready: await readyPods(target.region, selection), nodes, cordoned: free.filter((node) => node !== undefined) };
  },
  async inject(target, { cordoned, before }, signal) {
    await together(cordoned, (node) => cordon(target.region, node));
    await evictAll(target, before, signal);
  },
  isEffective: async (target, { nodes, before }) => (await together(nodes, (node) => freeNode(target.region, node))).every((free) => free === undefined) && await areOver(target, before),
  heal: async (target, { cordoned }) => (await together(cordoned, (node) => uncordon(target.region, node))).includes(true),
  isHealed: async (target, { cordoned, selection, ready }) =>
    !(await together(cordoned, (node) => isCordonedByDrill(target.region, node))).includes(true) && await readyPods(target.region, selection) >= ready,
};

/**
 * Evicts each as soon as its disruption budget lets it go, as `kubectl drain` does, which goes on trying for ever. Here it ends once none was let go for the time that a fault has to
 * take hold: the node was not drained. A budget that lets one go after the other takes that time for each, and no longer. Resolves early on the signal.
 */
async function evictAll(target: Target, pods: readonly Incarnation[], signal: AbortSignal | undefined): Promise<void> {
  let [fewest, deadlineMs] = [pods.length, performance.now() + takeHoldTimeoutMs];
  for (let left = await heldBack(target, pods); left.length > 0 && signal?.aborted !== true; left = await heldBack(target, left)) {
    if (left.length < fewest) [fewest, deadlineMs] = [left.length, performance.now() + takeHoldTimeoutMs];
    if (performance.now() > deadlineMs) {
      const names = left.map(({ namespace, pod }) => `${namespace}/${pod}`).join(', ');
      throw new UserError(`a disruption budget held back the eviction of pod ${names} in cluster ${target.region.context} for ${takeHoldTimeoutMs / 1000} s, and kubectl drain would go on trying`,
        { remedy: 'see that the cluster has another node for the bridges, and what their PodDisruptionBudget allows' });
    }
    await delay(againMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** Asks for the eviction of each; those that a budget holds back. */
async function heldBack(target: Target, pods: readonly Incarnation[]): Promise<Incarnation[]> {
  const asked = await together(pods, async (pod) => (await isEvicted(target, pod) ? [] : [pod]));
  return asked.flat();
}

async function isEvicted({ region }: Target, run: Incarnation): Promise<boolean> {
  const { namespace, pod: name, uid } = run;
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions: { preconditions: { uid } } };
  try {
    await region.ask(`pod ${namespace}/${name} cannot be evicted`, () => region.core.createNamespacedPodEviction({ namespace, name, body }));
    return true;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404) return true;
    // Another pod of that name by now, or a budget that changed meanwhile.
    if (status === 409) return await isOver(region, run);
    if (status === 429) return false;
    throw error;
  }
}
