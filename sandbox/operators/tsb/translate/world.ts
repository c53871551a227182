import type { Hierarchy, Placed } from '../hierarchy.ts';
import { owns } from '../hierarchy.ts';
import type {
  ClusterFacts, FailoverSettings, GatewaySpec, ServiceFacts, SettingSpec, TrafficSettings, TsbObject, UpstreamSettings, WorkloadSelector, WorkspaceSpec,
} from '../model.ts';
import { eastWestPort } from '../model.ts';
import { upstreamSettings } from '../resilience.ts';
import { gatewaySpec } from './unify.ts';

/** A gateway object that was accepted, in the unified Gateway's form whatever its kind. */
export interface PlacedGateway extends Placed {
  readonly spec: GatewaySpec;
  readonly workspace: TsbObject<WorkspaceSpec>;
  /** Clusters whose namespace it configures. */
  readonly clusters: readonly ClusterFacts[];
}

/** A Service that a workspace lets other clusters reach through one of its gateways' east-west port. */
export interface Exposure {
  readonly setting: TsbObject;
  readonly workspace: TsbObject<WorkspaceSpec>;
  /** Position of the setting among the workspace's east-west settings, for names. */
  readonly index: number;
  readonly cluster: ClusterFacts;
  readonly service: ServiceFacts;
  readonly gateway: WorkloadSelector;
  /** Where other clusters reach that gateway; empty while it has no address. */
  readonly addresses: readonly string[];
}

/** The accepted objects, by what the translation asks. */
export interface World {
  readonly clusters: readonly ClusterFacts[];
  readonly gateways: readonly PlacedGateway[];
  readonly exposures: readonly Exposure[];
  /** Client side: how the gateways of a workspace's namespace treat an upstream host. */
  settings(workspace: TsbObject<WorkspaceSpec>, at: { cluster: ClusterFacts; namespace: string }, host: string): UpstreamSettings;
  /** Server side: how clients order the endpoints of what a workspace serves. */
  failover(workspace: TsbObject<WorkspaceSpec> | undefined): FailoverSettings;
  /** Whether traffic may go from one cluster's network to another's. */
  reachable(from: ClusterFacts, to: ClusterFacts): boolean;
}

export function buildWorld({ placed }: Pick<Hierarchy, 'placed'>, clusters: readonly ClusterFacts[]): World {
  const of = (kind: string): readonly Placed[] => placed.filter(({ object }) => object.kind === kind);
  const organization = of('OrganizationSetting')[0]?.object.spec as SettingSpec | undefined;
  const workspaceSetting = (workspace: TsbObject | undefined): SettingSpec | undefined =>
    of('WorkspaceSetting').find((setting) => setting.workspace === workspace)?.object.spec as SettingSpec | undefined;
  const tenantSetting = (workspace: TsbObject): SettingSpec | undefined =>
    of('TenantSetting').find(({ object }) => tenant(object) === tenant(workspace))?.object.spec as SettingSpec | undefined;
  return {
    clusters,
    gateways: placed.flatMap((place) => gateway(place, clusters)),
    exposures: of('WorkspaceSetting').flatMap((setting) => exposures(setting, clusters)),
    settings: (workspace, { cluster, namespace }, host) => upstreamSettings([
      ...of('TrafficSetting').filter((place) => place.workspace === workspace && owns(place, cluster.name, namespace)).map(({ object }) => object.spec as TrafficSettings),
      workspaceSetting(workspace)?.defaultTrafficSetting, tenantSetting(workspace)?.defaultTrafficSetting, organization?.defaultTrafficSetting,
    ], host),
    failover: (workspace) => failover(workspaceSetting(workspace)) ?? failover(organization) ?? {},
    reachable: (from, to) => reachable(organization?.networkSettings?.networkReachability ?? {}, from.network, to.network),
  };
}

/** Services of a cluster that carry a gateway's labels and have the east-west port. */
export function gatewayServices(cluster: ClusterFacts, { namespace, labels }: WorkloadSelector): readonly ServiceFacts[] {
  return cluster.services.filter((service) =>
    service.namespace === namespace && hasLabels(service.labels, labels) && service.ports.some(({ port }) => port === eastWestPort));
}

export function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

export function fqdn({ name, namespace }: Pick<ServiceFacts, 'name' | 'namespace'>): string {
  return `${name}.${namespace}.svc.cluster.local`;
}

function gateway(place: Placed, clusters: readonly ClusterFacts[]): PlacedGateway[] {
  const spec = gatewaySpec(place.object);
  if (spec === undefined || place.workspace === undefined) return [];
  const { namespace } = spec.workloadSelector;
  return [{ ...place, workspace: place.workspace, spec, clusters: clusters.filter((cluster) => cluster.namespaces.has(namespace) && owns(place, cluster.name, namespace)) }];
}

function exposures({ object, workspace }: Placed, clusters: readonly ClusterFacts[]): Exposure[] {
  if (workspace === undefined) return [];
  const settings = (object.spec as SettingSpec).defaultEastWestGatewaySettings ?? [];
  return clusters.flatMap((cluster) => cluster.services
    .filter((service) => owns({ workspace }, cluster.name, service.namespace) && !isGateway(service))
    .flatMap((service) => {
      const index = settings.findIndex(({ exposedServices }) =>
        !exposedServices?.length || exposedServices.some(({ serviceLabels }) => hasLabels(service.labels, serviceLabels)));
      const gateway = settings[index]?.workloadSelector; // the first matching item wins
      if (gateway === undefined || !owns({ workspace }, cluster.name, gateway.namespace)) return [];
      const addresses = gatewayServices(cluster, gateway).flatMap((found) => found.addresses);
      return [{ setting: object, workspace, index, cluster, service, gateway, addresses }];
    }));
}

function isGateway(service: ServiceFacts): boolean {
  return service.ports.some(({ port }) => port === eastWestPort);
}

function failover(setting: SettingSpec | undefined): FailoverSettings | undefined {
  return setting?.failoverSettings ?? (setting?.regionalFailover && { regionalFailover: setting.regionalFailover });
}

/** The three documented conditions: same network, a destination without one, or one that the source's network may reach (one-way). */
function reachable(reachability: Readonly<Record<string, string>>, from: string, to: string): boolean {
  return to === '' || from === to || (reachability[from] ?? '').split(',').map((name) => name.trim()).includes(to);
}

function tenant({ metadata }: TsbObject): string {
  return metadata.annotations?.['tsb.tetrate.io/tenant'] ?? '';
}
