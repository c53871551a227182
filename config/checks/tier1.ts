import { dnsAnnotations, regionHostname } from '../names.ts';
import { nearest } from '../near.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import { type Path, valueAt } from '../text.ts';

export const tier1Rules = [
  '`tier1.weights` goes with `mode: weighted` only, has every region, and is 100 in all.',
  '`tier1.active.first` is a region, and goes with `mode: failover` and `tsb.api: gateway` only. With `tsb.api: tier1gateway` TSB ranks regions by where tier1 stands, and `active` is not said.',
  'One publishes names, `tier1.dns` or `gcp.dnsZone`, and beside `tier1.dns` no annotation of `tier1.service`, nor beside either the annotation of a region’s gateway with one of these names.',
  'One gives tier1 its address, `tier1.service.address` or `gcp.staticAddress`, which needs a LoadBalancer that is internal neither by `internal` nor by annotation, and `gcp.region`: that of tier1’s cluster, where `gcp.clusters` has it.',
];

/** How requests are spread over the regions. */
export function checkTier1(configuration: Readable, raw: unknown): Finding[] {
  const { tier1, regions = [] } = configuration;
  const names = regions.flatMap((region) => region?.name ?? []);
  const known = names.length === regions.length ? names : undefined;
  return [...weights(tier1, known), ...first(configuration, known), ...all(configuration, raw), ...publishing(configuration), ...regionsPublishing(configuration), ...reserved(configuration)];
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

/** One name is published once. */
function publishing({ tier1, gcp }: Readable): Finding[] {
  const by = tier1?.dns;
  const own = dnsAnnotations.filter((name) => tier1?.service?.annotations?.[name] !== undefined);
  return [
    ...(by === undefined ? [] : own.map((name) => ({ path: ['tier1', 'service', 'annotations', name], allowed: `nothing beside tier1.dns: ${by}, with which the program writes it: there every host name is published` }))),
    ...(by !== undefined && gcp?.dnsZone !== undefined ? [ofGcp('dnsZone', `nothing beside tier1.dns: ${by}: two would write the same records`)] : []),
  ];
}

/** All host names lead to tier1, those of regions too. */
function regionsPublishing({ hostname, regions = [], tier1, gcp }: Readable): Finding[] {
  const by = tier1?.dns !== undefined ? 'tier1.dns' : gcp?.dnsZone !== undefined ? 'gcp.dnsZone' : undefined;
  if (by === undefined || hostname === undefined) return [];
  const published = [hostname, ...regions.flatMap((region) => (region?.name === undefined ? [] : [regionHostname(region.name, hostname)]))];
  return regions.flatMap((region, index) => dnsAnnotations.flatMap((annotation) => {
    const names = region?.gateway?.service?.annotations?.[annotation]?.split(',').map((name) => name.trim().toLowerCase().replace(/\.$/, '')) ?? [];
    const twice = names.filter((name) => published.includes(name));
    return twice.length === 0 ? [] : [{ path: ['regions', index, 'gateway', 'service', 'annotations', annotation], allowed: `no name that is published with tier1’s address (${by}): ${twice.join(', ')}` }];
  }));
}

/** Where an annotation of GKE says that a load balancer is internal. */
const balancerTypes = ['networking.gke.io/load-balancer-type', 'cloud.google.com/load-balancer-type'];

/** Tier1 has one address, and what is reserved is one of the outside and of one region. */
function reserved({ tier1, gcp }: Readable): Finding[] {
  if (gcp?.staticAddress === undefined) return [];
  const { context, service } = tier1 ?? {};
  const location = context !== undefined && Object.hasOwn(gcp.clusters ?? {}, context) ? gcp.clusters?.[context]?.location : undefined;
  const region = location?.split('-').slice(0, 2).join('-');
  const internal = balancerTypes.find((key) => service?.annotations?.[key]?.toLowerCase() === 'internal');
  const outside = 'it reserves an address of the outside. One of the VPC, reserved in its subnetwork, is for tier1.service.address';
  return [
    ...(service?.address === undefined ? [] : [ofGcp('staticAddress', 'nothing beside tier1.service.address: tier1 has one address')]),
    ...(gcp.region === undefined ? [ofGcp('region', 'the region of the address that gcp.staticAddress reserves')] : []),
    ...(gcp.region !== undefined && region !== undefined && region !== gcp.region ? [ofGcp('region', `${region}, as tier1’s cluster is there (gcp.clusters.${context ?? ''}.location): a load balancer takes no address of another region`)] : []),
    ...(service?.type !== undefined && service.type !== 'LoadBalancer' ? [ofGcp('staticAddress', `only with tier1.service.type: LoadBalancer`)] : []),
    ...(service?.internal === undefined ? [] : [ofGcp('staticAddress', `nothing beside tier1.service.internal: ${outside}`)]),
    ...(internal === undefined ? [] : [ofGcp('staticAddress', `nothing beside the annotation ${internal} of tier1.service: ${outside}`)]),
  ];
}

function ofGcp(key: string, allowed: string): Finding {
  return { path: ['gcp', key], allowed };
}
