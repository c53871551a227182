import { dnsAnnotation } from '../names.ts';
import { nearest } from '../near.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import { type Path, valueAt } from '../text.ts';

export const tier1Rules = [
  '`tier1.weights` goes with `mode: weighted` only, has every region, and is 100 in all.',
  '`tier1.active.first` is a region, and goes with `mode: failover` and `tsb.api: gateway` only. With `tsb.api: tier1gateway` TSB ranks regions by where tier1 stands, and `active` is not said.',
  'One publishes names, `tier1.dns` or `gcp.dnsZone`, and beside `tier1.dns` no annotation of `tier1.service`; one gives tier1 its address, `tier1.service.address` or `gcp.staticAddress`, which needs `gcp.region` and a LoadBalancer that is not `internal`.',
];

/** How requests are spread over the regions. */
export function checkTier1(configuration: Readable, raw: unknown): Finding[] {
  const { tier1, regions = [] } = configuration;
  const names = regions.flatMap((region) => region?.name ?? []);
  const known = names.length === regions.length ? names : undefined;
  return [...weights(tier1, known), ...first(configuration, known), ...all(configuration, raw), ...publishing(configuration)];
}

/** What is no region's name, where all names are known. */
export function noRegion(path: Path, name: string, regions: readonly string[] | undefined): Finding[] {
  if (regions === undefined || regions.length === 0 || regions.includes(name)) return [];
  return [{ path, allowed: `the name of a region: ${regions.join(', ')}`, suggestion: nearest(name, regions) }];
}

function weights(tier1: Readable['tier1'], regions: readonly string[] | undefined): Finding[] {
  const path = ['tier1', 'weights'];
  const given = tier1?.weights;
  if (tier1?.mode === 'failover' && given !== undefined) return [{ path, allowed: 'only with mode: weighted, which fails nothing over' }];
  if (tier1?.mode !== 'weighted') return [];
  if (given === undefined) return [{ path, allowed: `a weight for every region${regions === undefined ? '' : ` (${regions.join(', ')})`}, 100 in all` }];
  const unknown = Object.keys(given).flatMap((name) => noRegion([...path, name], name, regions).map((finding) => ({ ...finding, found: 'a weight for no region' })));
  const missing = (regions ?? []).filter((name) => !Object.hasOwn(given, name));
  const sum = Object.values(given).reduce<number>((total, weight) => total + (weight ?? Number.NaN), 0);
  return [
    ...unknown,
    ...missing.map((name) => ({ path: [...path, name], allowed: 'a weight for every region; 0 for one that is to get nothing' })),
    ...(Number.isNaN(sum) || sum === 100 ? [] : [{ path, allowed: `100 in all: this is ${sum}` }]),
  ];
}

function first({ tier1, tsb }: Readable, regions: readonly string[] | undefined): Finding[] {
  const active = tier1?.active;
  if (typeof active !== 'object' || active.first === undefined) return [];
  if (tier1?.mode === 'weighted') return [{ path: ['tier1', 'active'], allowed: 'all: with mode weighted the weights say who gets requests' }];
  if (tsb?.api === 'tier1gateway') return [{ path: ['tier1', 'active'], allowed: 'all: the deprecated kinds cannot rank regions (tsb.api); or mode weighted, which fails nothing over' }];
  return noRegion(['tier1', 'active', 'first'], active.first, regions);
}

/** The deprecated kinds rank regions by where they are, from tier1's own on. Whether all serve is then not the program's to say. */
function all({ tier1, tsb }: Readable, raw: unknown): Finding[] {
  if (tier1?.mode !== 'failover' || tsb?.api !== 'tier1gateway' || valueAt(raw, ['tier1', 'active']) !== 'all') return [];
  return [{ path: ['tier1', 'active'], allowed: 'nothing: with the deprecated kinds (tsb.api) all regions serve only where tier1 stands in none of them; or tsb.api: gateway, or mode weighted, which fails nothing over' }];
}

/** One name is published once, and tier1 has one address. */
function publishing({ tier1, gcp }: Readable): Finding[] {
  const own = tier1?.service?.annotations?.[dnsAnnotation];
  const gcpOnly = (key: string, allowed: string): Finding => ({ path: ['gcp', key], allowed });
  return [
    ...(tier1?.dns !== undefined && own !== undefined ? [{ path: ['tier1', 'service', 'annotations', dnsAnnotation], allowed: `nothing beside tier1.dns: ${tier1.dns}, with which the program writes it: there every host name is published` }] : []),
    ...(tier1?.dns !== undefined && gcp?.dnsZone !== undefined ? [gcpOnly('dnsZone', `nothing beside tier1.dns: ${tier1.dns}: two would write the same records`)] : []),
    ...(tier1?.service?.address !== undefined && gcp?.staticAddress !== undefined ? [gcpOnly('staticAddress', 'nothing beside tier1.service.address: tier1 has one address')] : []),
    ...(gcp?.staticAddress !== undefined && gcp.region === undefined ? [gcpOnly('region', 'the region of the address that gcp.staticAddress reserves')] : []),
    ...(gcp?.staticAddress !== undefined && tier1?.service?.type !== undefined && tier1.service.type !== 'LoadBalancer' ? [gcpOnly('staticAddress', `only with tier1.service.type: LoadBalancer`)] : []),
    ...(gcp?.staticAddress !== undefined && tier1?.service?.internal !== undefined ? [gcpOnly('staticAddress', 'nothing beside tier1.service.internal: it reserves an address of the outside. One of the VPC, reserved in its subnetwork, is for tier1.service.address')] : []),
  ];
}
