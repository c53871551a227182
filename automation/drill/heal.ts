import { hostname } from 'node:os';
import { UserError } from '../../errors.ts';
import { heard } from '../listener.ts';
import { Cluster } from './cluster.ts';
import { isDead } from './faults/driver.ts';
import { healLeftovers, journaled } from './faults/journal.ts';
import type { Healed, JournalEntry } from './faults/journal.ts';
import { Lease } from './lease.ts';
import { leftBy, whereToLook } from './left-lease.ts';
import type { LeasePlace } from './lease.ts';

/**
 * Heals what drills left that were killed, once it is sure that none of them goes on: their stacks' Leases are held meanwhile, and where one cannot be asked for, the driver
 * itself has to be seen to be dead. Throws a UserError (2) that says who holds one, and (1) when a fault could not be healed, or may not be, as nobody knows whether its drill goes on.
 * `notice` is told of other drills that were killed, whose Leases are gone after this.
 */
export async function healStack({ notice, ...where }: { stateDir: string; kubeconfig: string; notice?: (text: string) => void }): Promise<Healed[]> {
  await using leases = new AsyncDisposableStack();
  const tell = heard(notice);
  const places = (await journaled(where.stateDir)).map(({ lease }) => lease);
  const distinct = places.filter((place, i) => places.findIndex((other) => isSame(other, place)) === i);
  const unasked: { place: LeasePlace; why: UserError }[] = [];
  for (const place of distinct) {
    try {
      const holder = `kbf faults heal on ${hostname()}, process ${process.pid}`;
      const { takenFrom } = leases.use(await Lease.take(new Cluster(where.kubeconfig, place.context), { namespace: place.namespace, holder, stateDir: where.stateDir, onLost: () => undefined }));
      if (takenFrom !== undefined) tell(`${leftBy(takenFrom)}. ${whereToLook}`);
    } catch (error) {
      if (!(error instanceof UserError) || error.exitCode === 2) throw error;
      unasked.push({ place, why: error });
    }
  }
  return await healLeftovers({
    ...where,
    mustBeLeft: async (entry) => {
      const without = unasked.find(({ place }) => isSame(place, entry.refs.lease));
      if (without !== undefined) await mustBeDead(entry, without.why);
    },
  });
}

/** Heals what is left of drivers that are seen to be dead, of a stack whose Lease cannot be asked for; what is of others stays. */
export async function healOfTheDead(where: { stateDir: string; kubeconfig: string }, why: UserError): Promise<Healed[]> {
  return await healLeftovers({ ...where, mustBeLeft: (entry) => mustBeDead(entry, why) });
}

async function mustBeDead({ fault, target, at, driver }: JournalEntry, why: UserError): Promise<void> {
  if (driver !== undefined && await isDead(driver)) return;
  throw new UserError(`${fault} of ${at} on ${target} was left as it is, as its drill may be going on: ${why.message}${driver === undefined ? '' : `; its driver, process ${driver.pid} on ${driver.place.split(' ')[0] ?? ''}, is not seen to be dead from here`}`,
    { remedy: 'see that the cluster of the Lease answers, or end the drill and heal where it was driven, then try again (kbf faults heal)', cause: why });
}

function isSame(a: LeasePlace, b: LeasePlace): boolean {
  return a.context === b.context && a.namespace === b.namespace;
}
