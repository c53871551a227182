import { dnsAnnotations, dnsTargets } from '../config/names.ts';
import type { ServiceConfiguration } from '../config/schema.ts';

/** What has ExternalDNS publish host names with the Service's address. */
export function externalDns(...hosts: readonly string[]): Record<string, string> {
  return withEach(dnsAnnotations, hosts.join(','));
}

/** By which address ExternalDNS publishes the names of a Service that has none of its own: it would take those of nodes, or publish nothing. What a person says goes before, for each release of it. */
export function publishedAddress({ type, address, annotations = {} }: ServiceConfiguration): Record<string, string> {
  const said = saidTarget(annotations);
  return Object.keys(said).length > 0 || type === 'LoadBalancer' || address === undefined ? said : withEach(dnsTargets, address);
}

/** The address that a person says by annotation, whichever release of ExternalDNS it was said for. */
export function saidTarget(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const target = dnsTargets.map((name) => annotations[name]).find((each) => each !== undefined);
  return target === undefined ? {} : withEach(dnsTargets, target);
}

function withEach(names: readonly string[], value: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, value]));
}
