import type { Configuration } from '../config/schema.ts';
import type { Previous } from './previous.ts';
import { type Refusal, same } from './refusal.ts';
import { textOf } from './running.ts';

const instead = 'The reserved address would be given back, while clients call tier1 by it and whoever let it through a firewall expects it: set it back, or run destroy first.';

/** The address of Google Cloud that tier1 was given: under another name, in another project or region it is another one. */
export function otherAddress(previous: Previous, gcp: Configuration['gcp']): Refusal[] {
  const address = previous.outputsOf('kbf:index:Tier1Failover$gcp:compute/address:Address', 'tier1-address') ?? {};
  const [name, project, region] = ['name', 'project', 'region'].map((key) => textOf(address[key]));
  if (gcp?.staticAddress === undefined) return same('gcp.staticAddress', name, 'none', instead);
  return [
    ...same('gcp.staticAddress', name, gcp.staticAddress, instead),
    ...same('gcp.project', project, gcp.project, instead),
    ...(gcp.region === undefined ? [] : same('gcp.region', region, gcp.region, instead)),
  ];
}
