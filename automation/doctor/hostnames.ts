import { isIP } from 'node:net';

import type { LiveObject } from '../../components/cluster-reader.ts';
import { loadBalancerAddress } from '../../components/gateway.ts';
import { entrancePort } from '../../components/tier1-routes.ts';
import { regionHostname } from '../../config/names.ts';
import { firstLineOf } from '../../errors.ts';
import { Check, type Finding } from './finding.ts';
import { addressesOf } from './handshake.ts';
import { apiOf, type Look, notAnswering } from './look.ts';
import { type Seen, together } from './together.ts';

/** Where the names should lead. */
interface Tier1Address {
  readonly address: string;
  /** Whose it is. */
  readonly of: string;
}

/** Whether the names that clients call lead to tier1: to its load balancer or, without one, to what the settings say stands in front of it. */
export async function judgeHostnames(look: Look): Promise<readonly Finding[]> {
  const { tier1 } = look.configuration;
  const { type, address: configured } = tier1.service;
  const check = new Check('host names', tier1.name);
  if (type !== 'LoadBalancer' && configured !== undefined) return await check.look(() => judgeAll(look, check, { address: configured, of: 'tier1.service.address' }));
  const api = apiOf(look, tier1.context);
  if (api === undefined) return [check.unchecked(notAnswering)];
  return await check.look(async () => {
    const service = await api.find<LiveObject>(`/api/v1/namespaces/${tier1.namespace}/services/${tier1.name}`);
    const address = service && loadBalancerAddress(service);
    if (address === undefined) return check.unchecked(`tier1 has no address yet: there is no ${service === undefined ? 'Service' : 'load balancer'}`);
    return await judgeAll(look, check, { address, of: "tier1's load balancer" });
  });
}

async function judgeAll(look: Look, check: Check, at: Tier1Address): Promise<Finding[]> {
  const { hostname, regions } = look.configuration;
  const own = isIP(at.address) === 0 ? await addressesOf(at.address).catch(() => []) : [at.address];
  const names = [hostname, ...regions.map(({ name }) => regionHostname(name, hostname))];
  return together(check, await Promise.all(names.map((name) => judge(look, name, { ...at, own }))));
}

async function judge({ configuration: { tier1, gcp } }: Look, name: string, { address, of, own }: Tier1Address & { own: readonly string[] }): Promise<Seen> {
  let found: string[];
  try {
    found = await addressesOf(name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const says = code === 'ENOTFOUND' ? 'there is no such host name, seen from this machine' : `cannot be looked up (${firstLineOf(error)})`;
    const published = tier1.dns === 'external-dns' ? 'ExternalDNS' : gcp?.dnsZone === undefined ? undefined : `the zone ${gcp.dnsZone}`;
    const meanwhile = curlTo(address, entrancePort(tier1.tls !== undefined));
    const remedy = published === undefined ? `Make a record for ${address}, or set tier1.dns; until then: ${meanwhile}` : `Does ${published} publish it? Until then: ${meanwhile}`;
    return { name, verdict: 'warning', says, remedy };
  }
  if (found.some((each) => own.includes(each))) return { name, verdict: 'ok', says: `lead to ${of}, ${address}` };
  return { name, verdict: 'warning', says: `lead to ${found.join(', ')}`, expected: `${of}, ${address}`, remedy: 'Correct the record, unless something stands in front of tier1 on purpose.' };
}

/** How curl finds a name that no DNS has. It takes no host name by `--resolve`. */
function curlTo(address: string, port: number): string {
  return isIP(address) === 0 ? `curl --connect-to <name>:${port}:${address}:${port}` : `curl --resolve <name>:${port}:${address}`;
}
