import { nearest } from '../near.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import type { Path } from '../text.ts';
import { noRegion } from './tier1.ts';

export const tsbRules = [
  'What exists in TSB lies in what exists: a workspace that exists needs a tenant that exists, settings and groups that exist need a workspace that exists.',
  'In a workspace that exists `tsb.settings` say whose settings are in force: those that exist (`existing:`) stay as they are; a name stands for settings of the program’s own, which hold for everybody in the workspace and go with the stack. Those of tier1’s need not be said with `tier1.retries: tsb-default`, with which there are none.',
  'Regions in one group (`tsb.groups.bridges`, or one name in `tsb.groups.existing.regions`) have a `gateway.name` and `gateway.routes` of their own.',
  'Each region has an Istio internal group of its own, and with `tsb.envoyFilters: none` there is none.',
  'Groups are for regions that there are. Networks that are reached are in `tsb.setup.networks`, whose clusters are configured ones.',
  'Where `tsb.setup.reachability` is set, and `tsb.setup.networks` has the cluster of tier1 and of a region, tier1’s network reaches that of the region.',
  'Where `tsbCluster` is left to a cluster’s ControlPlane, `preview` and `up` hold the name that it says to the same rules, before anything is made in TSB.',
];

/** What is in TSB already lies in what is in TSB already. */
export function checkTsb(configuration: Readable): Finding[] {
  return [...parents(configuration), ...settings(configuration), ...unsaidSettings(configuration), ...groups(configuration), ...sharedGroups(configuration), ...checkTsbNetworks(configuration)];
}

/** What networks say of clusters, by TSB's names of these. */
export function checkTsbNetworks(configuration: Pick<Readable, 'tsb' | 'regions' | 'tier1'>): Finding[] {
  return [...setup(configuration), ...unreached(configuration)];
}

function parents({ tsb }: Readable): Finding[] {
  if (tsb?.tenant?.existing !== false) return [];
  return (['bridges', 'edge'] as const)
    .filter((name) => tsb.workspaces?.[name]?.existing === true)
    .map((name) => ({ path: ['tsb', 'workspaces', name], allowed: 'a name: a tenant that the program makes has no workspace yet; or tsb.tenant: {existing: …}' }));
}

function settings({ tsb }: Readable): Finding[] {
  return (['bridges', 'edge'] as const)
    .filter((name) => tsb?.settings?.[name]?.existing === true && tsb.workspaces?.[name]?.existing === false)
    .map((name) => ({ path: ['tsb', 'settings', name], allowed: `a name: a workspace that the program makes has no settings yet; or tsb.workspaces.${name}: {existing: …}` }));
}

/** What the program says in a workspace of somebody else's is said to everybody in it: that has to be asked for. */
function unsaidSettings({ tsb, tier1 }: Readable): Finding[] {
  if (tsb?.tenant?.existing !== true) return [];
  const says = {
    bridges: 'failover between regions, reachability of bridges that carry the failover label, and ejections, retries and timeouts of the bridges’ Services',
    edge: 'ejections, retries and timeouts of every host that is called (*)',
  };
  return (['bridges', 'edge'] as const)
    .filter((name) => tsb.workspaces?.[name]?.existing === true && tsb.settings !== undefined && tsb.settings[name] === undefined)
    // Nothing is said then.
    .filter((name) => name !== 'edge' || tier1?.retries !== 'tsb-default')
    .map((name) => ({
      path: ['tsb', 'settings', name],
      allowed: `{existing: …}, the name of settings of the workspace, which stay as they are${name === 'bridges' ? ' and have to let regions reach each other’s bridges' : ''}; or a name for settings that the program makes, for everybody in the workspace, in place of any of that name, and takes away with the stack: ${says[name]}`,
    }));
}

/** TSB knows an object by its name within its group. */
function sharedGroups({ tsb, regions = [] }: Readable): Finding[] {
  const { bridges: common, existing } = tsb?.groups ?? {};
  const groups = regions.map((region) => (region?.name === undefined ? undefined : existing?.regions?.[region.name]) ?? common);
  return (['name', 'routes'] as const).flatMap((key) => {
    const names = regions.map((region) => (key === 'routes' ? region?.gateway?.routes ?? region?.gateway?.name : region?.gateway?.name));
    return names.flatMap((name, index) => {
      const group = groups[index];
      const isFirst = names.findIndex((other, at) => other === name && groups[at] === group) === index;
      if (name === undefined || group === undefined || isFirst || (key === 'routes' && regions[index]?.gateway?.routes === undefined)) return [];
      const why = group === common ? 'as all gateways are in one group (tsb.groups.bridges)' : `as several gateways are in the group ${group} (tsb.groups.existing.regions)`;
      return [{ path: ['regions', index, 'gateway', key], allowed: `one that no other region has, ${why}` }];
    });
  });
}

function groups({ tsb, regions = [] }: Readable): Finding[] {
  const { existing } = tsb?.groups ?? {};
  const names = regions.flatMap((region) => region?.name ?? []);
  const known = names.length === regions.length ? names : undefined;
  const within = (path: Path, given: { edge?: string | undefined; regions?: Readonly<Record<string, string | undefined>> | undefined }): Finding[] => {
    const needs = (workspace: 'bridges' | 'edge') => `only with tsb.workspaces.${workspace}: {existing: …}: a workspace that the program makes has no group yet`;
    const ofRegions = Object.keys(given.regions ?? {});
    return [
      ...(given.edge !== undefined && tsb?.workspaces?.edge?.existing === false ? [{ path: [...path, 'edge'], allowed: needs('edge') }] : []),
      ...(ofRegions.length > 0 && tsb?.workspaces?.bridges?.existing === false ? [{ path: [...path, 'regions'], allowed: needs('bridges') }] : []),
      ...ofRegions.flatMap((name) => noRegion([...path, 'regions', name], name, known).map((finding) => ({ ...finding, found: 'a group for no region' }))),
    ];
  };
  const path = ['tsb', 'groups', 'existing'];
  return [...within(path, existing ?? {}), ...within([...path, 'internal'], existing?.internal ?? {}), ...internalGroups(tsb)];
}

/** TSB sends an EnvoyFilter to every cluster of its group, and knows it by its name there: a region's own is not another's. */
function internalGroups(tsb: Readable['tsb']): Finding[] {
  const { edge, regions = {} } = tsb?.groups?.existing?.internal ?? {};
  const path = ['tsb', 'groups', 'existing', 'internal'];
  const given = Object.entries(regions);
  if (tsb?.envoyFilters === 'none') return edge === undefined && given.length === 0 ? [] : [{ path, allowed: 'nothing with tsb.envoyFilters: none: there is nothing to be in them' }];
  return given
    .filter(([, group], index) => given.findIndex(([, other]) => other === group) < index)
    .map(([name]) => ({ path: [...path, 'regions', name], allowed: 'a group that no other region has: the EnvoyFilters of one region are not another’s' }));
}

/** Networks that are reached must be some cluster's, and clusters those that are configured, where all of them are. */
function setup({ tsb, regions = [], tier1 }: Pick<Readable, 'tsb' | 'regions' | 'tier1'>): Finding[] {
  const { networks = {}, reachability = {} } = tsb?.setup ?? {};
  const clusters = [...regions.map((region) => region?.tsbCluster), tier1?.tsbCluster];
  const known = clusters.flatMap((name) => name ?? []);
  const named = Object.values(networks).flatMap((network) => network ?? []);
  const unknown = (path: readonly (string | number)[], network: string): Finding[] =>
    named.includes(network) ? [] : [{ path, allowed: `a network of tsb.setup.networks: ${[...new Set(named)].join(', ') || 'there is none'}`, suggestion: nearest(network, named) }];
  return [
    ...Object.keys(networks)
      .filter((name) => known.length === clusters.length && !known.includes(name))
      .map((name) => ({ path: ['tsb', 'setup', 'networks', name], found: 'a network of no configured cluster', allowed: `what TSB calls a cluster: ${known.join(', ')}`, suggestion: nearest(name, known) })),
    ...Object.entries(reachability).flatMap(([from, to]) => [
      ...unknown(['tsb', 'setup', 'reachability', from], from).map((finding) => ({ ...finding, found: 'a network of no cluster' })),
      ...(to ?? []).flatMap((network, index) => (network === undefined ? [] : unknown(['tsb', 'setup', 'reachability', from, index], network))),
    ]),
  ];
}

/** TSB leaves gateways out whose network tier1's does not reach: their regions get no request. What a region reaches is another matter: tier1 fails over without the regions' own hop. */
function unreached({ tsb, regions = [], tier1 }: Pick<Readable, 'tsb' | 'regions' | 'tier1'>): Finding[] {
  const { networks = {}, reachability = {} } = tsb?.setup ?? {};
  const networkOf = (cluster: string | undefined): string | undefined => (cluster !== undefined && Object.hasOwn(networks, cluster) ? networks[cluster] : undefined);
  const own = networkOf(tier1?.tsbCluster);
  // Without any reachability the organization keeps what it has, which is somebody else's.
  if (Object.keys(reachability).length === 0 || own === undefined) return [];
  const needed = regions.flatMap((region) => {
    const network = networkOf(region?.tsbCluster);
    return network === undefined || network === own || reachability[own]?.includes(network) === true ? [] : [{ name: region?.name ?? '', network }];
  });
  if (needed.length === 0) return [];
  return [{
    path: ['tsb', 'setup', 'reachability', own],
    allowed: `${[...new Set([...reachability[own] ?? [], ...needed.map(({ network }) => network)])].join(', ')}: tier1 sends requests to ${needed.map(({ name, network }) => `${name} (${network})`).join(', ')}`,
  }];
}
