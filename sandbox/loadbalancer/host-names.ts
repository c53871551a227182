import { hasAddress } from './endpoints.ts';
import type { EndpointSlice, Service } from './endpoints.ts';

/** A line of a hosts file. */
export interface HostLine { readonly address: string; readonly names: readonly string[] }

/** As ExternalDNS reads it from 0.22.0 on. */
const published = 'external-dns.kubernetes.io/hostname';

/** Names as cluster DNS has them: a Service's, and its pods' where it is headless. @param slices Those of the Service. */
export function clusterNames({ metadata, spec }: Service, slices: readonly EndpointSlice[]): HostLine[] {
  const service = dnsNames(`${metadata.name}.${metadata.namespace ?? 'default'}`);
  if (hasAddress(spec.clusterIP)) return [{ address: spec.clusterIP, names: service }];
  const ready = slices.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return ready.flatMap(({ addresses, hostname }) => addresses.map((address) => ({
    address, names: [...hostname === undefined ? [] : dnsNames(`${hostname}.${metadata.name}.${metadata.namespace ?? 'default'}`), ...service],
  })));
}

/** Names that ExternalDNS would publish for a Service: with its load balancer's address, or with the node's where it has ports on nodes. */
export function publishedNames({ metadata, spec }: Service, balancerIp: string | undefined, nodeIp: string): HostLine[] {
  const address = spec.type === 'LoadBalancer' ? balancerIp : spec.type === 'NodePort' ? nodeIp : undefined;
  if (address === undefined) return [];
  const names = (metadata.annotations?.[published] ?? '').split(',').map((name) => name.trim().replace(/\.$/, '')).filter((name) => name !== '');
  return names.length === 0 ? [] : [{ address, names }];
}

/** The Service that is only another name for one that is known here. */
export function aliases(service: Service, known: readonly HostLine[]): HostLine[] {
  const { type, externalName } = service.spec;
  if (type !== 'ExternalName' || externalName === undefined) return [];
  const { name, namespace = 'default' } = service.metadata;
  return known.filter(({ names }) => names.includes(externalName)).map(({ address }) => ({ address, names: dnsNames(`${name}.${namespace}`) }));
}

/** The text of a hosts file, the same for the same lines in whatever order. */
export function hostsText(lines: readonly HostLine[]): string {
  const text = [...new Set(lines.map(({ address, names }) => `${address}\t${names.join(' ')}\n`))].sort().join('');
  return `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${text}`;
}

function dnsNames(base: string): string[] {
  return [base, `${base}.svc`, `${base}.svc.cluster.local`];
}
