/** The kinds that the stand-in knows: one table for definitions, watches, parents and warnings. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** Parents that annotations `tsb.tetrate.io/<parent>` name; all of them are required. */
  readonly parents: readonly Parent[];
  /**
   * Fields of `spec` that the translation honours: a tree whose leaves (true) stand for all below them. What is set beside them is
   * named in the status. Undefined: the whole spec only describes (names, descriptions).
   */
  readonly honoured: Honoured;
}

export type Parent = 'organization' | 'tenant' | 'workspace' | 'gatewayGroup' | 'trafficGroup' | 'securityGroup' | 'istioInternalGroup';
export type Honoured = true | { readonly [field: string]: Honoured };

const described = { displayName: true, description: true, deletionProtectionEnabled: true } as const;
const selector = { ...described, namespaceSelector: true } as const;
const failoverSettings = { topologyChoice: true, failoverPriority: true, regionalFailover: true } as const;
const outlierDetection = {
  consecutiveGatewayFailure: true, enforcingConsecutiveGatewayFailure: true, consecutive5xx: true, enforcingConsecutive5xx: true, interval: true,
  baseEjectionTime: true, maxEjectionTime: true, maxEjectionPercent: true, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailure: true,
  enforcingConsecutiveLocalOriginFailure: true,
} as const;
const upstreamTrafficSettings = {
  hosts: true,
  settings: {
    resilience: {
      circuitBreakerSensitivity: true, outlierDetection,
      connectionPool: {
        tcp: { connectTimeout: true, maxConnections: true, keepAlive: true },
        http: {
          retries: { attempts: true, perTryTimeout: true, retryOn: true, retryBackOff: { baseInterval: true } },
          maxRequests: true, maxRequestsPerConnection: true, requestTimeout: true,
        },
      },
    },
    loadBalancer: { simple: true, consistentHash: { httpHeaderName: true, useSourceIp: true, httpCookie: true } },
  },
} as const;
const defaultTrafficSetting = { outbound: { upstreamTrafficSettings } } as const;
const tls = { mode: true, secretName: true } as const;
const clusters = { name: true, labels: true, network: true, weight: true } as const;
const headers = { request: { set: true, add: true, remove: true }, response: { set: true, add: true, remove: true } } as const;
const answers = {
  match: true, modify: { headers, rewrite: { uri: true, authority: true } },
  redirect: { uri: true, authority: true, redirectCode: true, scheme: true, port: true },
  directResponse: { status: true, body: { string: true } },
} as const;
/** Groups of Istio's own objects have no mode, as they are always DIRECT; of the others' modes only that of gateways decides anything here. */
const group = (name: string, mode: 'read' | 'unread' = 'unread'): Kind => ({
  apiVersion: `${name}.tsb.tetrate.io/v2`, kind: 'Group', plural: 'groups', parents: ['organization', 'tenant', 'workspace'],
  honoured: { ...selector, ...(mode === 'read' ? { configMode: true } : {}) },
});

export const kinds: readonly Kind[] = [
  { apiVersion: 'tsb.tetrate.io/v2', kind: 'Cluster', plural: 'clusters', parents: ['organization'], honoured: { ...described, network: true } },
  { apiVersion: 'tsb.tetrate.io/v2', kind: 'OrganizationSetting', plural: 'organizationsettings', parents: ['organization'],
    honoured: { ...described, failoverSettings, regionalFailover: true, defaultTrafficSetting, networkSettings: { networkReachability: true } } },
  { apiVersion: 'tsb.tetrate.io/v2', kind: 'Tenant', plural: 'tenants', parents: ['organization'], honoured: described },
  { apiVersion: 'tsb.tetrate.io/v2', kind: 'TenantSetting', plural: 'tenantsettings', parents: ['organization', 'tenant'], honoured: { ...described, defaultTrafficSetting } },
  { apiVersion: 'tsb.tetrate.io/v2', kind: 'Workspace', plural: 'workspaces', parents: ['organization', 'tenant'], honoured: { ...selector, privileged: true } },
  { apiVersion: 'tsb.tetrate.io/v2', kind: 'WorkspaceSetting', plural: 'workspacesettings', parents: ['organization', 'tenant', 'workspace'],
    honoured: {
      ...described, failoverSettings, regionalFailover: true, defaultTrafficSetting,
      defaultEastWestGatewaySettings: { workloadSelector: true, exposedServices: { serviceLabels: true } },
    } },
  group('gateway', 'read'), group('traffic'), group('security'), group('istiointernal'),
  { apiVersion: 'gateway.tsb.tetrate.io/v2', kind: 'Gateway', plural: 'gateways', parents: ['organization', 'tenant', 'workspace', 'gatewayGroup'],
    honoured: {
      ...described, workloadSelector: true,
      http: {
        name: true, hostname: true, port: true, tls, failoverSettings, trafficMode: true,
        routing: { rules: { ...answers, timeout: true, route: { clusterDestination: { clusters }, serviceDestination: { host: true, port: true } } } },
      },
    } },
  { apiVersion: 'gateway.tsb.tetrate.io/v2', kind: 'IngressGateway', plural: 'ingressgateways', parents: ['organization', 'tenant', 'workspace', 'gatewayGroup'],
    honoured: {
      ...described, workloadSelector: true,
      http: { name: true, hostname: true, port: true, tls, routing: { rules: { ...answers, route: { host: true, port: true } } } },
    } },
  { apiVersion: 'gateway.tsb.tetrate.io/v2', kind: 'Tier1Gateway', plural: 'tier1gateways', parents: ['organization', 'tenant', 'workspace', 'gatewayGroup'],
    honoured: { ...described, workloadSelector: true, externalServers: { name: true, hostname: true, port: true, tls, clusters, redirect: true } } },
  { apiVersion: 'traffic.tsb.tetrate.io/v2', kind: 'TrafficSetting', plural: 'trafficsettings', parents: ['organization', 'tenant', 'workspace', 'trafficGroup'],
    honoured: { ...described, outbound: { upstreamTrafficSettings } } },
  { apiVersion: 'traffic.tsb.tetrate.io/v2', kind: 'ServiceRoute', plural: 'serviceroutes', parents: ['organization', 'tenant', 'workspace', 'trafficGroup'], honoured: described },
  { apiVersion: 'traffic.tsb.tetrate.io/v2', kind: 'ServiceTrafficSetting', plural: 'servicetrafficsettings', parents: ['organization', 'tenant', 'workspace', 'trafficGroup'], honoured: described },
  { apiVersion: 'security.tsb.tetrate.io/v2', kind: 'SecuritySetting', plural: 'securitysettings', parents: ['organization', 'tenant', 'workspace', 'securityGroup'], honoured: described },
];

const kubeSpec = {
  service: { type: true, annotations: true, labels: true, ports: true },
  deployment: { replicaCount: true, hpaSpec: { minReplicas: true }, labels: true, podAnnotations: true, resources: true, env: true },
  overlays: true, // judged one by one: see the translation of install objects
} as const;
const install = (kind: string, plural: string, more: Honoured = {}): Kind => ({
  apiVersion: 'install.tetrate.io/v1alpha1', kind, plural, parents: [],
  honoured: { kubeSpec, connectionDrainDuration: true, ...(more === true ? {} : more) },
});

/** Kinds that make gateways' Deployments and Services in their own cluster and namespace. */
export const installKinds: readonly Kind[] = [
  install('Gateway', 'gateways', { type: true, concurrency: true, terminationGracePeriodSeconds: true }),
  install('IngressGateway', 'ingressgateways', { eastWestOnly: true }),
  install('Tier1Gateway', 'tier1gateways'),
];

export const controlPlaneKind: Kind = {
  apiVersion: 'install.tetrate.io/v1alpha1', kind: 'ControlPlane', plural: 'controlplanes', parents: [], honoured: { managementPlane: { clusterName: true } },
};

/** The Istio kinds that the translation writes; in an Istio internal group a person writes them. */
export const istioKinds = [
  { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', plural: 'serviceentries' },
  { apiVersion: 'networking.istio.io/v1', kind: 'WorkloadEntry', plural: 'workloadentries' },
  { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', plural: 'destinationrules' },
  { apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter', plural: 'envoyfilters' },
  { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', plural: 'gateways' },
  { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', plural: 'virtualservices' },
] as const;

/** Fields that are set in a spec but do nothing here, as paths (`spec.http.tls.secretName`), each once. */
export function unhonoured(honoured: Honoured, value: unknown, path = 'spec'): string[] {
  if (honoured === true || value === null || value === undefined) return [];
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => unhonoured(honoured, item, path)))];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([field, below]) => {
    const known = Object.hasOwn(honoured, field) ? honoured[field] : undefined;
    return known === undefined ? [`${path}.${field}`] : unhonoured(known, below, `${path}.${field}`);
  });
}
