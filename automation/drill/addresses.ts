import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { canonicalAddress } from '../../config/canonical-address.ts';
import { messageOf, UserError } from '../../errors.ts';
import { bracketed } from './bracketed.ts';
import type { ServingRegion } from './outcome.ts';

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<string[]>;

const lookupAll: Resolve = async (hostname) => (await lookup(hostname, { all: true })).map(({ address }) => address);

/**
 * The regions by the IP addresses of their gateways, as proxies tell nothing else of whom they handed a request to: one entry for each address of a load balancer that has a host
 * name. Throws a UserError where a name has none here: the region's answers would be taken for another's.
 */
export async function byAddress(regions: readonly ServingRegion[], resolve = lookupAll): Promise<ServingRegion[]> {
  const found = await Promise.all(regions.map(async ({ name, gatewayAddress }) => {
    const addresses = isIP(gatewayAddress) === 0 ? await resolve(gatewayAddress).catch((cause: unknown) => { throw unresolved({ name, gatewayAddress }, cause); }) : [gatewayAddress];
    // As Envoy writes them before a port.
    return addresses.map((address) => ({ name, gatewayAddress: bracketed(canonicalAddress(address)) }));
  }));
  return found.flat();
}

function unresolved({ name, gatewayAddress }: ServingRegion, cause: unknown): UserError {
  return new UserError(`who serves a request cannot be told: the address of region ${name}'s gateway, ${gatewayAddress}, does not resolve (${messageOf(cause)})`,
    { remedy: 'run the drill where the name can be resolved', cause });
}
