import { dnsAnnotation } from '../config/names.ts';

/** What has ExternalDNS publish host names with the Service's address. */
export function externalDns(...hosts: readonly string[]): Record<string, string> {
  return { [dnsAnnotation]: hosts.join(',') };
}
