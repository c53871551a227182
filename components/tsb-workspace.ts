import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import type { ObjectReference } from './cluster-reader.ts';
import type { GatewayParents } from './gateway.ts';
import { bridgeGateway, bridgeNamespace, bridgesWorkspace, edgeGroup, edgeWorkspace, failoverLabel, regionGroup, tsbNamespace } from '../config/names.ts';
import { accepted, untilReady } from './ready.ts';
import { bridgeTraffic, tier1Traffic } from './resilience.ts';
import { GatewayGroup, IstioInternalGroup, parentAnnotations, Tenant, type TsbParents, Workspace, WorkspaceSetting, type WorkspaceSettingSpec } from './resources/tsb.ts';

export interface TsbRegion {
  readonly name: string;
  /** What TSB calls the region's cluster. */
  readonly tsbCluster: string;
  /** Where its nodes are; when every region says so, failover goes from each region to the next. */
  readonly locality?: { readonly region: string } | undefined;
}

export interface TsbWorkspaceArgs {
  /** The cluster whose GitOps takes these objects. */
  readonly cluster: Cluster;
  readonly organization: string;
  readonly tenant: string;
  readonly regions: readonly TsbRegion[];
  /** Where tier1 stands. */
  readonly edge: { readonly tsbCluster: string; readonly namespace: string };
  /** Longest single try of a request to a bridge, in milliseconds. */
  readonly perTryMs: number;
  /** What has to be over before the bridges' workspace may lose a region. */
  readonly after?: pulumi.Input<pulumi.Resource[]>;
  /** See the configuration's `tsb.acceptedWhen`. */
  readonly acceptedWhen?: string | undefined;
}

/** TSB's hierarchy: a tenant, a workspace each for bridges and edge with the settings of failover, and a group per gateway. */
export class TsbWorkspace extends pulumi.ComponentResource {
  readonly tenant: pulumi.Output<string>;
  readonly workspaces: pulumi.Output<{ bridges: string; edge: string }>;
  /** Names of the groups: one per region, and tier1's. */
  readonly groups: pulumi.Output<string[]>;
  /** Parents for the objects of tier1. */
  readonly edge: GatewayParents;
  readonly #regions: ReadonlyMap<string, GatewayParents>;

  constructor(name: string, args: TsbWorkspaceArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super('kbf:index:TsbWorkspace', name, {}, { ...opts, provider: args.cluster.provider });

    const namespace = new k8s.core.v1.Namespace(`${name}-namespace`, { metadata: { name: tsbNamespace } }, { parent: this });
    const make = new TsbObjects(name, args, namespace.metadata.name, this);
    this.tenant = make.tenant(args.tenant);
    const inTenant = { organization: args.organization, tenant: this.tenant };
    const bridges = make.workspace(bridgesWorkspace, inTenant, args.regions.map(bridgeNamespaceOf), args.after);
    const edge = make.workspace(edgeWorkspace, inTenant, [`${args.edge.tsbCluster}/${args.edge.namespace}`]);
    make.setting(bridgesWorkspace, { ...inTenant, workspace: bridges }, bridgesSetting(args));
    make.setting(edgeWorkspace, { ...inTenant, workspace: edge }, { defaultTrafficSetting: { outbound: { upstreamTrafficSettings: tier1Traffic() } } });
    this.#regions = new Map(
      args.regions.map((region) => [region.name, make.groups(regionGroup(region.name), { ...inTenant, workspace: bridges }, bridgeNamespaceOf(region))]),
    );
    this.edge = make.groups(edgeGroup, { ...inTenant, workspace: edge }, `${args.edge.tsbCluster}/${args.edge.namespace}`);

    this.workspaces = pulumi.output({ bridges, edge });
    this.groups = pulumi.output([...this.#regions.values(), this.edge].map(({ gatewayGroup }) => gatewayGroup));
    this.registerOutputs({ cluster: args.cluster.name, tenant: this.tenant, workspaces: this.workspaces, groups: this.groups });
  }

  /** Parents for the objects of a region's gateway. */
  parentsOf(region: string): GatewayParents {
    const parents = this.#regions.get(region);
    if (parents === undefined) throw new Error(`the TSB workspace was made without region ${region}`);
    return parents;
  }
}

interface WorkspaceParents {
  readonly organization: string;
  readonly tenant: pulumi.Output<string>;
  readonly workspace: pulumi.Output<string>;
}

/** Makes the objects of one TsbWorkspace. What each returns is known when TSB has taken the object, so that children come later. */
class TsbObjects {
  readonly #name: string;
  readonly #args: TsbWorkspaceArgs;
  readonly #namespace: pulumi.Output<string>;
  readonly #parent: pulumi.Resource;

  constructor(name: string, args: TsbWorkspaceArgs, namespace: pulumi.Output<string>, parent: pulumi.Resource) {
    this.#name = name;
    this.#args = args;
    this.#namespace = namespace;
    this.#parent = parent;
  }

  tenant(tenant: string): pulumi.Output<string> {
    return this.#make({ apiVersion: 'tsb.tetrate.io/v2', kind: 'Tenant', name: tenant }, { organization: this.#args.organization }, (metadata, options) => {
      return new Tenant(`${this.#name}-tenant`, { metadata, spec: { displayName: tenant } }, options);
    });
  }

  workspace(workspace: string, parents: Omit<WorkspaceParents, 'workspace'>, names: readonly string[], after: pulumi.Input<pulumi.Resource[]> = []): pulumi.Output<string> {
    return this.#make({ apiVersion: 'tsb.tetrate.io/v2', kind: 'Workspace', name: workspace }, parents, (metadata, options) => {
      return new Workspace(`${this.#name}-workspace-${workspace}`, { metadata, spec: { namespaceSelector: { names } } }, { ...options, dependsOn: after });
    });
  }

  setting(workspace: string, parents: WorkspaceParents, spec: WorkspaceSettingSpec): void {
    this.#make({ apiVersion: 'tsb.tetrate.io/v2', kind: 'WorkspaceSetting', name: workspace }, parents, (metadata, options) => {
      return new WorkspaceSetting(`${this.#name}-setting-${workspace}`, { metadata, spec }, options);
    });
  }

  /** A gateway's two groups. The headers and filters of a region are its own, so its groups are, too. */
  groups(group: string, parents: WorkspaceParents, namespace: string): GatewayParents {
    const namespaceSelector = { names: [namespace] };
    const gatewayGroup = this.#make({ apiVersion: 'gateway.tsb.tetrate.io/v2', kind: 'Group', name: group }, parents, (metadata, options) => {
      return new GatewayGroup(`${this.#name}-gateways-${group}`, { metadata, spec: { namespaceSelector, configMode: 'BRIDGED' } }, options);
    });
    const istioInternalGroup = this.#make({ apiVersion: 'istiointernal.tsb.tetrate.io/v2', kind: 'Group', name: group }, parents, (metadata, options) => {
      return new IstioInternalGroup(`${this.#name}-istio-${group}`, { metadata, spec: { namespaceSelector, configMode: 'DIRECT' } }, options);
    });
    return { ...parents, gatewayGroup, istioInternalGroup };
  }

  #make(object: Omit<ObjectReference, 'namespace'>, parents: TsbParents, make: Make): pulumi.Output<string> {
    const { cluster, acceptedWhen } = this.#args;
    return untilReady({ ...object, namespace: tsbNamespace }, cluster, accepted(acceptedWhen), ({ annotations, options }) =>
      make({ name: object.name, namespace: this.#namespace, annotations: { ...parentAnnotations(parents), ...annotations } }, { parent: this.#parent, ...options }),
    ).metadata.name;
  }
}

type Make = (metadata: k8s.types.input.meta.v1.ObjectMeta, options: pulumi.CustomResourceOptions) => k8s.apiextensions.CustomResource;

/** Each region's gateway reaches the peers' bridges by their gateways, for Services that carry the failover label. */
function bridgesSetting({ regions, perTryMs }: TsbWorkspaceArgs): WorkspaceSettingSpec {
  const regionalFailover = failoverRing(regions);
  return {
    failoverSettings: { topologyChoice: 'CLUSTER', ...(regionalFailover && { regionalFailover }) },
    defaultEastWestGatewaySettings: [
      { workloadSelector: { namespace: bridgeNamespace, labels: { app: bridgeGateway } }, exposedServices: [{ serviceLabels: failoverLabel }] },
    ],
    defaultTrafficSetting: { outbound: { upstreamTrafficSettings: bridgeTraffic(perTryMs) } },
  };
}

/** From each region to the next, the last to the first; undefined unless every region says where it is, and no two are in one place. */
function failoverRing(regions: readonly TsbRegion[]): { from: string; to: string }[] | undefined {
  const places = regions.flatMap(({ locality }) => (locality === undefined ? [] : [locality.region]));
  if (places.length < regions.length || new Set(places).size < places.length) return undefined;
  return places.map((from, index) => ({ from, to: places[(index + 1) % places.length] ?? from }));
}

function bridgeNamespaceOf({ tsbCluster }: TsbRegion): string {
  return `${tsbCluster}/${bridgeNamespace}`;
}
