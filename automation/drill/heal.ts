import { hostname } from 'node:os';
import { Cluster } from './cluster.ts';
import { healLeftovers, journaled } from './faults/journal.ts';
import type { Healed } from './faults/journal.ts';
import { Lease } from './lease.ts';

/**
 * Heals what drills left that were killed, once it is sure that none of them goes on: their stacks' Leases are held meanwhile. Throws a UserError (2) that
 * says who holds one, and (1) when a fault could not be healed.
 */
export async function healStack(where: { stateDir: string; kubeconfig: string }): Promise<Healed[]> {
  await using leases = new AsyncDisposableStack();
  const places = (await journaled(where.stateDir)).map(({ lease }) => lease);
  const distinct = places.filter(({ context, namespace }, i) => places.findIndex((other) => other.context === context && other.namespace === namespace) === i);
  for (const { context, namespace } of distinct) {
    leases.use(await Lease.take(new Cluster(where.kubeconfig, context), { namespace, holder: `kbf faults heal on ${hostname()}, process ${process.pid}`, onLost: () => undefined }));
  }
  return await healLeftovers(where);
}
