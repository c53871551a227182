import type { KubernetesObject, V1ObjectMeta } from '@kubernetes/client-node';

/** A TSB object as it lies in some cluster's API server; GitOps is on in every cluster. */
export interface TsbObject<Spec = unknown> extends KubernetesObject {
  /** Name (kube context) of the cluster that it was applied in. */
  readonly cluster: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: V1ObjectMeta & { name: string };
  readonly spec: Spec;
  readonly status?: unknown;
}

/** A Kubernetes Service as far as routing to it and through it needs. */
export interface ServiceFacts {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly appProtocol?: string }[];
  /** IP addresses at which other clusters reach it; empty unless it is a load balancer that has one. */
  readonly addresses: readonly string[];
}

/** What the operator sees of one onboarded cluster. */
export interface ClusterFacts {
  /** Kube context of the cluster. */
  readonly context: string;
  /** Name in TSB: from its ControlPlane's `spec.managementPlane.clusterName`. */
  readonly name: string;
  readonly region: string;
  readonly zone: string;
  /** Of the TSB Cluster object: labels (clusters[].labels select them) and network. */
  readonly labels: Readonly<Record<string, string>>;
  readonly network: string;
  readonly namespaces: ReadonlySet<string>;
  readonly services: readonly ServiceFacts[];
}

/** Everything that the translation depends on. */
export interface Snapshot {
  readonly objects: readonly TsbObject[];
  readonly clusters: readonly ClusterFacts[];
}

/** What `status` of a TSB object says. Names are this stand-in's: Tetrate does not publish those of its own resources. */
export interface Verdict {
  readonly state: 'ACCEPTED' | 'FAILED';
  readonly message: string;
  readonly warnings: readonly string[];
}

// Specs, by their documented fields (names as in custom resources: durations are strings like "2s", wrapped numbers plain).

export interface NamespaceSelector { readonly namespaceSelector?: { readonly names?: readonly string[] } }
export interface WorkspaceSpec extends NamespaceSelector { readonly privileged?: boolean }
export interface GroupSpec extends NamespaceSelector { readonly configMode?: 'BRIDGED' | 'DIRECT' }

export interface FailoverSettings {
  readonly topologyChoice?: 'NONE' | 'CLUSTER' | 'LOCALITY';
  readonly failoverPriority?: readonly string[];
  readonly regionalFailover?: readonly { readonly from: string; readonly to: string }[];
}

export interface OutlierDetection {
  readonly consecutiveGatewayFailure?: number;
  readonly enforcingConsecutiveGatewayFailure?: number;
  readonly consecutive5xx?: number;
  readonly enforcingConsecutive5xx?: number;
  readonly interval?: string;
  readonly baseEjectionTime?: string;
  readonly maxEjectionTime?: string;
  readonly maxEjectionPercent?: number;
  readonly splitExternalLocalOriginErrors?: boolean;
  readonly consecutiveLocalOriginFailure?: number;
  readonly enforcingConsecutiveLocalOriginFailure?: number;
}

export interface Retries {
  readonly attempts?: number;
  readonly perTryTimeout?: string;
  readonly retryOn?: string;
  readonly retryBackOff?: { readonly baseInterval?: string };
}

export interface UpstreamSettings {
  readonly resilience?: {
    readonly circuitBreakerSensitivity?: 'UNSET' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CUSTOM';
    readonly outlierDetection?: OutlierDetection;
    readonly connectionPool?: {
      readonly tcp?: {
        readonly connectTimeout?: string; readonly maxConnections?: number;
        readonly keepAlive?: { readonly idleTime?: number; readonly interval?: number; readonly probes?: number };
      };
      readonly http?: { readonly retries?: Retries; readonly maxRequests?: number; readonly maxRequestsPerConnection?: number; readonly requestTimeout?: string };
    };
  };
  readonly loadBalancer?: { readonly simple?: string; readonly consistentHash?: Readonly<Record<string, unknown>> };
}

export interface TrafficSettings {
  readonly outbound?: { readonly upstreamTrafficSettings?: readonly { readonly hosts?: readonly string[]; readonly settings?: UpstreamSettings }[] };
}

export interface WorkloadSelector { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }

/** WorkspaceSetting; TenantSetting and OrganizationSetting have subsets of it, OrganizationSetting also networkSettings. */
export interface SettingSpec {
  readonly failoverSettings?: FailoverSettings;
  readonly regionalFailover?: FailoverSettings['regionalFailover'];
  readonly defaultTrafficSetting?: TrafficSettings;
  readonly defaultEastWestGatewaySettings?: readonly {
    readonly workloadSelector: WorkloadSelector;
    readonly exposedServices?: readonly { readonly serviceLabels: Readonly<Record<string, string>> }[];
  }[];
  readonly networkSettings?: { readonly networkReachability?: Readonly<Record<string, string>> };
}

export interface StringMatch { readonly exact?: string; readonly prefix?: string; readonly regex?: string }
export interface HeaderChange { readonly set?: Readonly<Record<string, string>>; readonly add?: Readonly<Record<string, string>>; readonly remove?: readonly string[] }
export interface ClusterChoice { readonly name?: string; readonly labels?: Readonly<Record<string, string>>; readonly network?: string; readonly weight?: number }

export interface Rule {
  readonly match?: readonly { readonly uri?: StringMatch; readonly headers?: Readonly<Record<string, StringMatch>> }[];
  readonly modify?: { readonly headers?: { readonly request?: HeaderChange; readonly response?: HeaderChange }; readonly rewrite?: { readonly uri?: string; readonly authority?: string } };
  readonly timeout?: string;
  readonly route?: {
    readonly serviceDestination?: { readonly host: string; readonly port?: number };
    readonly clusterDestination?: { readonly clusters?: readonly ClusterChoice[] };
  };
  readonly redirect?: { readonly uri?: string; readonly authority?: string; readonly redirectCode?: number; readonly scheme?: string; readonly port?: number };
  readonly directResponse?: { readonly status: number; readonly body?: { readonly string?: string } };
}

export interface Server {
  readonly name: string;
  readonly hostname: string;
  readonly port?: number;
  readonly tls?: { readonly mode?: string; readonly secretName?: string };
  readonly failoverSettings?: FailoverSettings;
  readonly routing: { readonly rules: readonly Rule[] };
}

export interface GatewaySpec { readonly workloadSelector: WorkloadSelector; readonly http?: readonly Server[] }

/** The gateways' ports that every installed gateway has: what a person calls, and what other clusters' gateways call. */
export const eastWestPort = 15443;
