/** The Service annotation by which ExternalDNS publishes host names with the Service's address. */
export function externalDns(...hosts: readonly string[]): Record<string, string> {
  return { 'external-dns.alpha.kubernetes.io/hostname': hosts.join(',') };
}
