import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../../errors.ts';
import { statusOf } from '../cluster.ts';
import { takeHoldTimeoutMs } from '../fault-times.ts';
import type { Fault } from './fault.ts';
import { cordon, freeNode, isCordonedByDrill, mustCordon, uncordon } from './nodes.ts';
import type { FreeNode } from './nodes.ts';
import { bridgePods, incarnations, livePods, podOf, readyPods } from './pods.ts';
import type { Selection } from './pods.ts';
import type { Target } from './target.ts';
import { together } from './together.ts';

interface Drained {
  selection: Selection;
  ready: number;
  /** Every node that the region's bridges run on. */
  nodes: string[];
  /** Those of them that nobody had cordoned before. */
  cordoned: FreeNode[];
}

/** A bridge's pod, with its node; without one where it has none yet. */
interface PlacedPod {
  namespace: string;
  name: string;
  uid: string;
  node: string | undefined;
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
    // Refuses where none runs.
    await incarnations(target.region, selection, `${region.bridge}-bridge`);
    const nodes = [...new Set((await podsOf(target, selection)).flatMap(({ node }) => node ?? []))];
    const free = await together(nodes, (node) => freeNode(target.region, node));
    return { selection, ready: await readyPods(target.region, selection), nodes, cordoned: free.filter((node) => node !== undefined) };
  },
  async inject(target, { selection, nodes, cordoned }, signal) {
    await together(cordoned, (node) => cordon(target.region, node));
    // Those that are there now: who is gone by now, or came since, is not who was there when the nodes were looked up.
    const placed = (await podsOf(target, selection)).filter(({ node }) => node !== undefined);
    const elsewhere = placed.find(({ node = '' }) => !nodes.includes(node));
    if (elsewhere !== undefined) throw moved(target, `pod ${elsewhere.namespace}/${elsewhere.name} is on node ${elsewhere.node ?? ''} by now, which is not cordoned`);
    if (placed.length === 0) throw moved(target, `no bridge is on ${nodes.join(', ')} any more`);
    await evictAll(target, placed, signal);
  },
  async isEffective(target, { selection, nodes }) {
    const free = await together(nodes, (node) => freeNode(target.region, node));
    return free.every((node) => node === undefined) && (await podsOf(target, selection)).every(({ node }) => node === undefined || !nodes.includes(node));
  },
  heal: async (target, { cordoned }) => (await together(cordoned, (node) => uncordon(target.region, node))).includes(true),
  isHealed: async (target, { cordoned, selection, ready }) =>
    !(await together(cordoned, (node) => isCordonedByDrill(target.region, node))).includes(true) && await readyPods(target.region, selection) >= ready,
};

/** The region's bridges as they are now, but for those on their way out. */
async function podsOf({ region }: Target, selection: Selection): Promise<PlacedPod[]> {
  return (await livePods(region, selection)).map(({ metadata, spec }) => ({ namespace: selection.namespace, name: metadata?.name ?? '', uid: metadata?.uid ?? '', node: spec?.nodeName }));
}

function moved({ region }: Target, what: string): UserError {
  return new UserError(`nothing was evicted in cluster ${region.context}, as the bridges moved while it began: ${what}`, { remedy: 'see what replaces the region\'s bridges, and run it again' });
}

/**
 * Evicts each as soon as its disruption budget lets it go, as `kubectl drain` does, which goes on trying for ever. Here it ends once none was let go for the time that a fault has to
 * take hold: the node was not drained. A budget that lets one go after the other takes that time for each, and no longer. Resolves early on the signal.
 */
async function evictAll(target: Target, pods: readonly PlacedPod[], signal: AbortSignal | undefined): Promise<void> {
  let [fewest, deadlineMs] = [pods.length, performance.now() + takeHoldTimeoutMs];
  for (let left = await heldBack(target, pods); left.length > 0 && signal?.aborted !== true; left = await heldBack(target, left)) {
    if (left.length < fewest) [fewest, deadlineMs] = [left.length, performance.now() + takeHoldTimeoutMs];
    if (performance.now() > deadlineMs) {
      const names = left.map(({ namespace, name }) => `${namespace}/${name}`).join(', ');
      throw new UserError(`a disruption budget held back the eviction of pod ${names} in cluster ${target.region.context} for ${takeHoldTimeoutMs / 1000} s, and kubectl drain would go on trying`,
        { remedy: 'see that the cluster has another node for the bridges, and what their PodDisruptionBudget allows' });
    }
    await delay(againMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** Asks for the eviction of each; those that a budget holds back. */
async function heldBack(target: Target, pods: readonly PlacedPod[]): Promise<PlacedPod[]> {
  const asked = await together(pods, async (pod) => (await isEvicted(target, pod) ? [] : [pod]));
  return asked.flat();
}

async function isEvicted({ region }: Target, { namespace, name, uid }: PlacedPod): Promise<boolean> {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions: { preconditions: { uid } } };
  try {
    await region.ask(`pod ${namespace}/${name} cannot be evicted`, () => region.core.createNamespacedPodEviction({ namespace, name, body }));
    return true;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404) return true;
    // Another pod of that name by now, or a budget that changed meanwhile.
    if (status === 409) {
      const pod = await podOf(region, { namespace, pod: name });
      return pod?.metadata?.uid !== uid || pod.metadata.deletionTimestamp !== undefined;
    }
    if (status === 429) return false;
    throw error;
  }
}
