import { regionHostname } from '../../config/names.ts';
import { Check, type Finding, firstLine } from './finding.ts';
import { addressesOf } from './handshake.ts';
import { apiOf, type Look, notAnswering } from './look.ts';
import { type Seen, together } from './together.ts';

interface Service {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] } };
}

/** Whether the names that clients call lead to tier1. */
export async function judgeHostnames(look: Look): Promise<readonly Finding[]> {
  const { hostname, regions, tier1 } = look.configuration;
  const check = new Check('host names', tier1.name);
  const api = apiOf(look, tier1.context);
  if (api === undefined) return [check.unchecked(notAnswering)];
  return await check.look(async () => {
    const service = await api.find<Service>(`/api/v1/namespaces/${tier1.namespace}/services/${tier1.name}`);
    const [entry] = service?.status?.loadBalancer?.ingress ?? [];
    const address = entry?.ip ?? entry?.hostname;
    if (address === undefined) return check.unchecked(`tier1 has no address yet: there is no ${service === undefined ? 'Service' : 'load balancer'}`);
    const own = entry?.ip === undefined ? await addressesOf(address).catch(() => []) : [entry.ip];
    const names = [hostname, ...regions.map(({ name }) => regionHostname(name, hostname))];
    return together(check, await Promise.all(names.map((name) => judge(look, name, { address, own }))));
  });
}

async function judge({ configuration: { tier1, gcp } }: Look, name: string, { address, own }: { address: string; own: readonly string[] }): Promise<Seen> {
  let found: string[];
  try {
    found = await addressesOf(name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const says = code === 'ENOTFOUND' ? 'there is no such host name, seen from this machine' : `cannot be looked up (${firstLine(error)})`;
    const published = tier1.dns === 'external-dns' ? 'ExternalDNS' : gcp?.dnsZone === undefined ? undefined : `the zone ${gcp.dnsZone}`;
    const meanwhile = `curl --resolve <name>:${tier1.tls === undefined ? '80' : '443'}:${address}`;
    const remedy = published === undefined ? `Make a record for ${address}, or set tier1.dns; until then: ${meanwhile}` : `Does ${published} publish it? Until then: ${meanwhile}`;
    return { name, verdict: 'warning', says, remedy };
  }
  if (found.some((each) => own.includes(each))) return { name, verdict: 'ok', says: `lead to tier1's load balancer, ${address}` };
  return { name, verdict: 'warning', says: `lead to ${found.join(', ')}`, expected: `tier1's load balancer, ${address}`, remedy: 'Correct the record, unless something stands in front of tier1 on purpose.' };
}
