import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';

import { customResource } from './custom-resource.ts';
import type { CustomResourceArgs } from './custom-resource.ts';

/** Where an object belongs in TSB's hierarchy. Objects in the cluster say so by annotations; parents come first. */
export interface TsbParents {
  readonly organization: pulumi.Input<string>;
  readonly tenant?: pulumi.Input<string>;
  readonly workspace?: pulumi.Input<string>;
  readonly gatewayGroup?: pulumi.Input<string>;
  readonly istioInternalGroup?: pulumi.Input<string>;
}

/** The annotations that put an object under its parents. */
export function parentAnnotations(parents: { readonly [K in keyof TsbParents]?: TsbParents[K] | undefined }): Record<string, pulumi.Input<string>> {
  return Object.fromEntries(
    Object.entries(parents).flatMap(([key, value]: [string, pulumi.Input<string> | undefined]) => (value === undefined ? [] : [[`tsb.tetrate.io/${key}`, value]])),
  );
}

/** A cluster as TSB knows it. TSB takes the object as the whole of what is said of the cluster. */
export interface ClusterSpec {
  /** Clusters of one network reach each other; others only as the organization's reachability says. */
  readonly network: string;
}

export interface OrganizationSettingSpec {
  /** From a network to those that it reaches, with commas between; one way. */
  readonly networkSettings: { readonly networkReachability: Record<string, string> };
}

export interface TenantSpec {
  readonly displayName: string;
}

interface NamespaceSelector {
  /** `<TSB cluster>/<namespace>` each. */
  readonly names: readonly pulumi.Input<string>[];
}

export interface WorkspaceSpec {
  readonly namespaceSelector: NamespaceSelector;
}

export interface OutlierDetection {
  readonly splitExternalLocalOriginErrors: boolean;
  readonly consecutiveLocalOriginFailure: number;
  readonly consecutiveGatewayFailure: number;
  readonly interval: string;
  readonly baseEjectionTime: string;
  readonly maxEjectionTime: string;
  readonly maxEjectionPercent: number;
}

export interface Retries {
  /** 0 switches retries off; absent, TSB makes two, also of what may have been sent. */
  readonly attempts: number;
  readonly retryOn?: string;
  readonly perTryTimeout?: string;
  readonly retryBackOff?: { readonly baseInterval: string };
}

export interface UpstreamTrafficSetting {
  readonly hosts: readonly string[];
  readonly settings: {
    readonly resilience: {
      readonly circuitBreakerSensitivity: 'CUSTOM';
      readonly outlierDetection: OutlierDetection;
      readonly connectionPool: {
        readonly tcp: { readonly connectTimeout: string };
        /** `requestTimeout`: of the whole request, where a route says none. */
        readonly http: { readonly retries: Retries; readonly requestTimeout?: string };
      };
    };
  };
}

/** How clients of a host rank the clusters that serve it. */
export interface FailoverSettings {
  /** NONE: all alike; CLUSTER: by region, network and zone. */
  readonly topologyChoice?: 'NONE' | 'CLUSTER' | 'LOCALITY';
  readonly regionalFailover?: readonly { readonly from: string; readonly to: string }[];
  /** Labels of gateways' Services, `name=value`: those that have it come first. Takes the place of topologyChoice. */
  readonly failoverPriority?: readonly string[];
}

export interface WorkspaceSettingSpec {
  readonly failoverSettings?: FailoverSettings;
  readonly defaultEastWestGatewaySettings?: readonly {
    readonly workloadSelector: { readonly namespace: string; readonly labels: Record<string, string> };
    readonly exposedServices: readonly { readonly serviceLabels: Record<string, string> }[];
  }[];
  readonly defaultTrafficSetting?: { readonly outbound: { readonly upstreamTrafficSettings: readonly UpstreamTrafficSetting[] } };
}

export interface GroupSpec {
  readonly namespaceSelector: NamespaceSelector;
}

export interface GatewayGroupSpec extends GroupSpec {
  readonly configMode: 'BRIDGED';
}

/** Pods and Service of a gateway. */
export interface KubeSpec {
  /** Must be there, even empty: without it the gateway has no port for other clusters. */
  readonly service: {
    readonly type: 'LoadBalancer' | 'NodePort' | 'ClusterIP';
    readonly annotations?: Record<string, pulumi.Input<string>>;
    readonly labels?: Record<string, string>;
  };
  readonly deployment?: { readonly replicaCount: number; readonly hpaSpec: { readonly minReplicas: number; readonly maxReplicas: number } };
  /** Changes to the objects that TSB makes, for what it has no field for. */
  readonly overlays?: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly patches: readonly { readonly path: string; readonly value: pulumi.Input<string> }[];
  }[];
}

export interface InstallGatewaySpec {
  /** Only of the unified kind. */
  readonly type?: 'UNIFIED';
  /** Of the mesh that the gateway belongs to; absent: the default one. */
  readonly revision?: string;
  readonly kubeSpec: KubeSpec;
}

/** A cluster among which a gateway chooses. Weights, where one has them, switch failover off. */
export interface ClusterChoice {
  readonly name: pulumi.Input<string>;
  readonly weight?: number;
  /** Deprecated; only clusters of this network are meant. */
  readonly network?: pulumi.Input<string | undefined>;
}

interface RuleMatch {
  readonly match?: readonly { readonly uri: { readonly prefix: string } }[];
  readonly modify?: { readonly headers: { readonly request?: HeaderChange; readonly response?: HeaderChange } };
}

export interface HeaderChange {
  readonly set?: Record<string, string>;
  /** Beside what is there already. */
  readonly add?: Record<string, string>;
  readonly remove?: readonly string[];
}

interface ServiceDestination {
  /** `<namespace>/<fully qualified name>` */
  readonly host: string;
  readonly port: number;
}

export interface HttpRule extends RuleMatch {
  /** Of the whole request; absent: none. */
  readonly timeout?: string;
  readonly route: { readonly serviceDestination: ServiceDestination } | { readonly clusterDestination: { readonly clusters: readonly ClusterChoice[] } };
}

interface Server {
  readonly name: string;
  readonly hostname: string;
  readonly port: number;
  /** `secretName`: a Secret of the gateway's namespace. */
  readonly tls?: { readonly mode: 'SIMPLE'; readonly secretName: pulumi.Input<string> };
}

export interface HttpServer extends Server {
  readonly failoverSettings?: FailoverSettings;
  readonly routing: { readonly rules: readonly HttpRule[] };
}

interface WorkloadSelector {
  readonly workloadSelector: { readonly namespace: string; readonly labels: Record<string, string> };
}

/** The unified kind, for both roles. */
export interface GatewaySpec extends WorkloadSelector {
  readonly http: readonly HttpServer[];
}

/** Deprecated: in front of services. A rule has no timeout. */
export interface IngressGatewaySpec extends WorkloadSelector {
  readonly http: readonly (Server & { readonly routing: { readonly rules: readonly (RuleMatch & { readonly route: ServiceDestination })[] } })[];
}

/** Deprecated: in front of clusters. There are no rules: all paths of a host go the same way. */
export interface Tier1GatewaySpec extends WorkloadSelector {
  readonly externalServers: readonly (Server & { readonly clusters: readonly ClusterChoice[] })[];
}

/** What a gateway does, in the kind that says it. */
export type GatewayRoutes =
  | { readonly kind: 'Gateway'; readonly spec: GatewaySpec }
  | { readonly kind: 'IngressGateway'; readonly spec: IngressGatewaySpec }
  | { readonly kind: 'Tier1Gateway'; readonly spec: Tier1GatewaySpec };

export class TsbCluster extends customResource<ClusterSpec>('tsb.tetrate.io/v2', 'Cluster') {}
export class OrganizationSetting extends customResource<OrganizationSettingSpec>('tsb.tetrate.io/v2', 'OrganizationSetting') {}
export class Tenant extends customResource<TenantSpec>('tsb.tetrate.io/v2', 'Tenant') {}
export class Workspace extends customResource<WorkspaceSpec>('tsb.tetrate.io/v2', 'Workspace') {}
export class WorkspaceSetting extends customResource<WorkspaceSettingSpec>('tsb.tetrate.io/v2', 'WorkspaceSetting') {}

/** A group of gateways (BRIDGED: TSB writes the Istio objects). */
export class GatewayGroup extends customResource<GatewayGroupSpec>('gateway.tsb.tetrate.io/v2', 'Group') {}

/** A group of Istio objects that are written by hand: always in DIRECT mode, which it has no field to say. */
export class IstioInternalGroup extends customResource<GroupSpec>('istiointernal.tsb.tetrate.io/v2', 'Group') {}

/** A gateway's Deployment and Service; its kind is the one of its routes. */
export class InstallGateway extends k8s.apiextensions.CustomResource {
  constructor(name: string, { kind, ...args }: CustomResourceArgs<InstallGatewaySpec> & Pick<GatewayRoutes, 'kind'>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: 'install.tetrate.io/v1alpha1', kind, ...args }, opts);
  }
}

/** A gateway's routes. */
export class Gateway extends k8s.apiextensions.CustomResource {
  constructor(name: string, { metadata, ...routes }: { metadata: k8s.types.input.meta.v1.ObjectMeta } & GatewayRoutes, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: 'gateway.tsb.tetrate.io/v2', metadata, ...routes }, opts);
  }
}
