import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';

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
export function parentAnnotations(parents: TsbParents): Record<string, pulumi.Input<string>> {
  return Object.fromEntries(
    Object.entries(parents).flatMap(([key, value]: [string, pulumi.Input<string> | undefined]) => (value === undefined ? [] : [[`tsb.tetrate.io/${key}`, value]])),
  );
}

export interface TenantSpec {
  readonly displayName: string;
}

export interface WorkspaceSpec {
  /** `<TSB cluster>/<namespace>` each. */
  readonly namespaceSelector: { readonly names: readonly string[] };
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
      readonly connectionPool: { readonly tcp: { readonly connectTimeout: string }; readonly http: { readonly retries: Retries } };
    };
  };
}

export interface WorkspaceSettingSpec {
  readonly failoverSettings?: {
    readonly topologyChoice: 'NONE' | 'CLUSTER' | 'LOCALITY';
    readonly regionalFailover?: readonly { readonly from: string; readonly to: string }[];
  };
  readonly defaultEastWestGatewaySettings?: readonly {
    readonly workloadSelector: { readonly namespace: string; readonly labels: Record<string, string> };
    readonly exposedServices: readonly { readonly serviceLabels: Record<string, string> }[];
  }[];
  readonly defaultTrafficSetting: { readonly outbound: { readonly upstreamTrafficSettings: readonly UpstreamTrafficSetting[] } };
}

export interface GroupSpec {
  readonly namespaceSelector: { readonly names: readonly string[] };
  readonly configMode: 'BRIDGED' | 'DIRECT';
}

export interface InstallGatewaySpec {
  readonly type: 'UNIFIED';
  readonly kubeSpec: {
    /** Must be there, even empty: without it the gateway has no port for other clusters. */
    readonly service: { readonly type: 'LoadBalancer'; readonly annotations?: Record<string, string> };
  };
}

export interface HttpRule {
  readonly match?: readonly { readonly uri: { readonly prefix: string } }[];
  readonly modify?: { readonly headers: { readonly request: { readonly set: Record<string, string> } } };
  /** Of the whole request; absent: none. */
  readonly timeout: string;
  readonly route:
    | { readonly serviceDestination: { readonly host: string; readonly port: number } }
    | { readonly clusterDestination: { readonly clusters: readonly { readonly name: string }[] } };
}

export interface HttpServer {
  readonly name: string;
  readonly hostname: string;
  readonly port: number;
  readonly routing: { readonly rules: readonly HttpRule[] };
}

export interface GatewaySpec {
  readonly workloadSelector: { readonly namespace: string; readonly labels: Record<string, string> };
  readonly http: readonly HttpServer[];
}

export class Tenant extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<TenantSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: 'tsb.tetrate.io/v2', kind: 'Tenant', ...args }, opts);
  }
}

export class Workspace extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<WorkspaceSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: 'tsb.tetrate.io/v2', kind: 'Workspace', ...args }, opts);
  }
}

export class WorkspaceSetting extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<WorkspaceSettingSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: 'tsb.tetrate.io/v2', kind: 'WorkspaceSetting', ...args }, opts);
  }
}

/** A group of gateways (BRIDGED: TSB writes the Istio objects). */
export class GatewayGroup extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<GroupSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: 'gateway.tsb.tetrate.io/v2', kind: 'Group', ...args }, opts);
  }
}

/** A group of Istio objects that are written by hand (DIRECT). */
export class IstioInternalGroup extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<GroupSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: 'istiointernal.tsb.tetrate.io/v2', kind: 'Group', ...args }, opts);
  }
}

/** A gateway's Deployment and Service. */
export class InstallGateway extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<InstallGatewaySpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: 'install.tetrate.io/v1alpha1', kind: 'Gateway', ...args }, opts);
  }
}

/** A gateway's routes. */
export class Gateway extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<GatewaySpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: 'gateway.tsb.tetrate.io/v2', kind: 'Gateway', ...args }, opts);
  }
}
