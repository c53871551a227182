import { shellWord } from '../../config/shell-word.ts';
import { Cluster } from './cluster.ts';
import { Lease } from './lease.ts';
import type { HeldLease, SeenLease } from './lease.ts';
import { outputsOf } from './options.ts';
import type { DrillOptions } from './options.ts';
import { leasePlaceOf } from './place.ts';

/** The trace that a drill has left in its clusters where it was driven elsewhere: its Lease. For when the journal of `stateDir` is empty. Throws a UserError where it cannot be looked at. */
export async function lookForLease({ kubeconfig, stateDir, signal, ...deployed }: Pick<DrillOptions, 'outputs' | 'environment' | 'kubeconfig' | 'stateDir' | 'signal'>): Promise<SeenLease | undefined> {
  const { context, namespace } = leasePlaceOf(outputsOf(deployed));
  try {
    return await Lease.look(new Cluster(kubeconfig, context), { namespace, stateDir, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Of a Lease whose holder died, and whose journal is not here. */
export function leftBy({ holder, at, context, namespace }: HeldLease): string {
  return `a driver that was killed left the Lease ${namespace}/kbf-drill in cluster ${context}: ${holder}, which renewed it last at ${at}. What it did is in the journal of its own state directory, not in this one`;
}

export const whereToLook = 'Run kbf faults heal where that directory is. If it is gone, look in every cluster of the stack for KafkaBridges, and Deployments of istiod and of Strimzi\'s operator, with 0 replicas, for objects with the label app.kubernetes.io/managed-by=kbf-drill, and for cordoned nodes with kbf-drill in their managed fields';

/** The same, for who has seen to it. */
export function howToForget({ context, namespace }: HeldLease): string {
  return `Then delete the Lease, so that nobody is told of it again: kubectl --context ${shellWord(context)} --namespace ${namespace} delete lease kbf-drill`;
}
