import * as pulumi from '@pulumi/pulumi';

import { regionGroup } from '../config/names.ts';
import type { BridgeConfiguration, Tier1Configuration, TsbConfiguration } from '../config/schema.ts';
import type { Cluster } from './cluster.ts';
import type { GatewayParents } from './gateway.ts';
import { ownNamespace } from './own-namespace.ts';
import { type SettingsRegion, bridgesSetting, edgeSetting } from './tsb-settings.ts';
import { TsbObjects, type WorkspaceParents } from './tsb-objects.ts';

export interface TsbRegion extends SettingsRegion {
  readonly name: string;
  /** What TSB calls the region's cluster. */
  readonly tsbCluster: pulumi.Input<string>;
}

export interface TsbWorkspaceArgs {
  /** The cluster whose GitOps takes these objects. */
  readonly cluster: Cluster;
  readonly tsb: TsbConfiguration;
  /** Whether the namespace of these objects is there before the program. */
  readonly givenNamespace: boolean;
  readonly bridge: BridgeConfiguration;
  readonly regions: readonly TsbRegion[];
  /** Where tier1 stands. */
  readonly edge: { readonly tsbCluster: pulumi.Input<string>; readonly namespace: string };
  /** Whether the program says to TSB what is tried again and who is ejected. */
  readonly retries: Tier1Configuration['retries'];
  /** What has to be over before the bridges' workspace, or what is below it, may lose a region. */
  readonly after?: pulumi.Input<pulumi.Resource[]>;
}

/** TSB's hierarchy: a tenant, a workspace each for bridges and edge with the settings of failover, and a group per gateway. */
export class TsbWorkspace extends pulumi.ComponentResource {
  readonly tenant: pulumi.Output<string>;
  readonly workspaces: pulumi.Output<{ bridges: string; edge: string }>;
  /** Names of the gateways' groups: one per region, and tier1's. */
  readonly groups: pulumi.Output<string[]>;
  /** Parents for the objects of tier1. */
  readonly edge: GatewayParents;
  readonly #regions: ReadonlyMap<string, GatewayParents>;

  constructor(name: string, args: TsbWorkspaceArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super('kbf:index:TsbWorkspace', name, {}, { ...opts, provider: args.cluster.provider });

    const { cluster, tsb, givenNamespace: given, bridge, regions, edge, after } = args;
    const { organization, namespace: namespaceName, acceptedWhen, workspaces, settings } = tsb;
    // What stays of a setup lies in it, and would go with it.
    const namespace = ownNamespace(name, { name: namespaceName, cluster: cluster.name, given }, { parent: this, retainOnDelete: tsb.setup !== undefined });
    const make = new TsbObjects({ logicalName: name, cluster, organization, namespace, namespaceName, acceptedWhen }, this);
    if (tsb.setup !== undefined) setUpNetworks(make, organization, tsb.setup);

    this.tenant = make.tenant(tsb.tenant);
    const parents = { organization, tenant: this.tenant };
    const ofRegions = regions.map(({ tsbCluster }) => pulumi.interpolate`${tsbCluster}/${bridge.namespace}`);
    const ofEdge = [pulumi.interpolate`${edge.tsbCluster}/${edge.namespace}`];
    const bridgesIn = { ...parents, workspace: make.workspace('bridges', workspaces.bridges, { parents, names: ofRegions, after }) };
    const edgeIn = { ...parents, workspace: make.workspace('edge', workspaces.edge, { parents, names: ofEdge }) };
    const resilience = { ...tsb, retries: args.retries, timeouts: bridge.timeouts };
    // Without a name they are of a workspace of the program's own: what is said in one that exists has a name in the settings.
    make.setting('bridges', settings.bridges ?? named(workspaces.bridges.name), { parents: bridgesIn, spec: bridgesSetting(bridge, regions, resilience) });
    make.setting('edge', settings.edge ?? named(workspaces.edge.name), { parents: edgeIn, spec: edgeSetting(resilience) });
    this.#regions = regionGroups(make, { args, parents: bridgesIn, names: ofRegions });
    this.edge = edgeGroups(make, { tsb, parents: edgeIn, names: ofEdge });

    this.workspaces = pulumi.output({ bridges: bridgesIn.workspace, edge: edgeIn.workspace });
    this.groups = pulumi.output([...this.#regions.values(), this.edge].map(({ gatewayGroup }) => gatewayGroup));
    this.registerOutputs({ cluster: cluster.name, tenant: this.tenant, workspaces: this.workspaces, groups: this.groups });
  }

  /** Parents for the objects of a region's gateway. */
  parentsOf(region: string): GatewayParents {
    const parents = this.#regions.get(region);
    if (parents === undefined) throw new Error(`the TSB workspace was made without region ${region}`);
    return parents;
  }
}

/** The walk-through's "network and reachability settings between clusters". */
function setUpNetworks(make: TsbObjects, organization: string, { networks, reachability, organizationSetting = organization }: NonNullable<TsbConfiguration['setup']>): void {
  for (const [cluster, network] of Object.entries(networks)) make.cluster(cluster, network);
  if (Object.keys(reachability).length > 0) make.reachability(organizationSetting, reachability);
}

interface Groups {
  readonly parents: WorkspaceParents;
  /** `<TSB cluster>/<namespace>` of each gateway. */
  readonly names: readonly pulumi.Output<string>[];
}

/**
 * Groups of each region's gateway. TSB sends an object to every cluster whose namespace its group owns, and the headers and filters of
 * a region are its own: so are its groups, unless one for all regions is asked for.
 */
function regionGroups(make: TsbObjects, { args: { tsb, regions }, parents, names }: Groups & { args: TsbWorkspaceArgs }): Map<string, GatewayParents> {
  const { bridges: common, existing } = tsb.groups;
  // In a workspace a namespace has one owner: the common group is for regions without one that exists.
  const without = regions.flatMap(({ name }, index) => (existing.regions[name] === undefined ? names.slice(index, index + 1) : []));
  const shared = common === undefined || without.length === 0 ? undefined : make.gatewayGroup(named(common), parents, without);
  return new Map(
    regions.map(({ name }, index) => {
      const own = names.slice(index, index + 1);
      const group = existing.regions[name];
      const gatewayGroup = group === undefined ? shared ?? make.gatewayGroup(named(regionGroup(name)), parents, own) : make.gatewayGroup({ name: group, existing: true }, parents, own);
      return [name, { ...parents, gatewayGroup, ...filters(make, tsb, { name: regionGroup(name), existing: existing.internal.regions[name], parents, names: own }) }];
    }),
  );
}

function edgeGroups(make: TsbObjects, { tsb, parents, names }: Groups & { tsb: TsbConfiguration }): GatewayParents {
  const { edge, existing } = tsb.groups;
  const gatewayGroup = make.gatewayGroup(existing.edge === undefined ? named(edge) : { name: existing.edge, existing: true }, parents, names);
  return { ...parents, gatewayGroup, ...filters(make, tsb, { name: edge, existing: existing.internal.edge, parents, names }) };
}

/** The group of a gateway's EnvoyFilter, where there may be one: one that exists, or one of this name. */
function filters(make: TsbObjects, { envoyFilters }: TsbConfiguration, { name, existing, parents, names }: Groups & { name: string; existing: string | undefined }): Pick<GatewayParents, 'istioInternalGroup'> {
  if (envoyFilters === 'none') return {};
  return { istioInternalGroup: existing === undefined ? make.istioGroup(name, parents, names) : pulumi.output(existing) };
}

function named(name: string): TsbConfiguration['tenant'] {
  return { name, existing: false };
}
