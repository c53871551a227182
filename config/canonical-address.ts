import { isIPv6, SocketAddress } from 'node:net';

/** An address in the one way of several in which programs write it (RFC 5952); a host name, and an IPv4 address, as it is. */
export function canonicalAddress(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}
