import { isIP } from 'node:net';

import * as pulumi from '@pulumi/pulumi';

import { isHostName } from './gateway.ts';
import { gcpModule } from './gcp-package.ts';

interface AddressModule {
  readonly Address: new (name: string, args: { name: string; project: string; region?: string }, opts: pulumi.CustomResourceOptions) => pulumi.CustomResource & { readonly address: pulumi.Output<string> };
}

interface RecordSetModule {
  readonly RecordSet: new (
    name: string,
    args: { project: string; managedZone: string; name: string; type: pulumi.Input<string>; ttl: number; rrdatas: pulumi.Input<string>[] },
    opts: pulumi.CustomResourceOptions,
  ) => pulumi.CustomResource;
}

export interface ReservedAddress {
  readonly project: string;
  /** Where the load balancer is that gets it; absent: the provider's own. */
  readonly region?: string | undefined;
  /** What Google Cloud calls it. */
  readonly address: string;
}

/** Reserves an external address of a region, which stays when a load balancer is made anew. It is protected: one that was given back does not come again. */
export function reserveAddress(name: string, { project, region, address }: ReservedAddress, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  const { Address } = gcpModule<AddressModule>('compute/address.js');
  return new Address(name, { name: address, project, ...(region === undefined ? {} : { region }) }, { ...opts, protect: true }).address;
}

export interface DnsRecords {
  readonly project: string;
  /** Name of the managed zone. */
  readonly zone: string;
  readonly hosts: readonly string[];
  /** An IP address, or the host name of a load balancer. */
  readonly address: pulumi.Input<string>;
}

/** A record for each host name, of the kind that its address needs. */
export function dnsRecords(name: string, { project, zone, hosts, address }: DnsRecords, opts: pulumi.CustomResourceOptions): pulumi.CustomResource[] {
  const { RecordSet } = gcpModule<RecordSetModule>('dns/recordSet.js');
  const type = pulumi.output(address).apply((target) => (isHostName(target) ? 'CNAME' : isIP(target) === 6 ? 'AAAA' : 'A'));
  const target = pulumi.output(address).apply((given) => (isHostName(given) ? `${given}.` : given));
  return hosts.map((host) => new RecordSet(`${name}-${host}`, { project, managedZone: zone, name: `${host}.`, type, ttl: secondsCached, rrdatas: [target] }, opts));
}

/** How long clients may go on with an address that was replaced. */
const secondsCached = 60;
