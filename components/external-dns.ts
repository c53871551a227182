import { dnsAnnotation } from '../config/names.ts';
import type { ServiceConfiguration } from '../config/schema.ts';

/** What has ExternalDNS publish host names with the Service's address. */
export function externalDns(...hosts: readonly string[]): Record<string, string> {
  return { [dnsAnnotation]: hosts.join(',') };
}

/** By which address ExternalDNS publishes the names of a Service that has none of its own: it would take those of nodes, or publish nothing. */
export function publishedAddress({ type, address }: ServiceConfiguration): Record<string, string> {
  return type === 'LoadBalancer' || address === undefined ? {} : { 'external-dns.alpha.kubernetes.io/target': address };
}
