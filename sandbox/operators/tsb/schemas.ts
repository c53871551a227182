/** OpenAPI schemas of the documented fields of TSB's kinds, by `<group>/<Kind>`; a kind that is not here takes any spec. */
type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const word: Schema = { type: 'string', minLength: 1 };
const yesOrNo: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const port: Schema = { type: 'integer', minimum: 1, maximum: 65535 };
const percent: Schema = { type: 'integer', minimum: 0, maximum: 100 };
const duration: Schema = { type: 'string', pattern: '^([0-9]+(\\.[0-9]+)?(h|m|s|ms|us|ns))+$' };
const oneOf = (...values: string[]): Schema => ({ type: 'string', enum: values });
const list = (items: Schema, minItems = 0): Schema => ({ type: 'array', items, ...(minItems > 0 ? { minItems } : {}) });
const map = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });
/** Fields beside the named ones are kept: the documentation names more than are listed here. */
const object = (properties: Record<string, Schema>, required: string[] = []): Schema =>
  ({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties, ...(required.length > 0 ? { required } : {}) });

const described = { displayName: text, description: text, deletionProtectionEnabled: yesOrNo };
const namespaceSelector = object({ names: list({ type: 'string', pattern: '^[^/]+/[^/]+$' }, 1) }, ['names']);
const workloadSelector = object({ namespace: word, labels: map(text) }, ['namespace', 'labels']);
const configMode = oneOf('BRIDGED', 'DIRECT');
const regionalFailover = list(object({ from: word, to: word }, ['from', 'to']));
const failoverSettings = object({
  topologyChoice: oneOf('NONE', 'CLUSTER', 'LOCALITY'), failoverPriority: list(word), regionalFailover, automaticLoadBalancing: object({ enabled: yesOrNo }),
});
const outlierDetection = object({
  consecutiveGatewayFailure: count, enforcingConsecutiveGatewayFailure: percent, consecutive5xx: count, enforcingConsecutive5xx: percent,
  interval: duration, baseEjectionTime: duration, maxEjectionTime: duration, maxEjectionPercent: percent,
  splitExternalLocalOriginErrors: yesOrNo, consecutiveLocalOriginFailure: count, enforcingConsecutiveLocalOriginFailure: percent,
});
const retryBackOff = object({ baseInterval: duration, maxInterval: duration }, ['baseInterval']);
const upstreamTrafficSettings = list(object({
  hosts: list(word),
  settings: object({
    authentication: object({ trafficMode: oneOf('UNSET', 'OPTIONAL', 'REQUIRED') }),
    loadBalancer: object({ simple: oneOf('UNSPECIFIED', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST'), consistentHash: object({}) }),
    resilience: object({
      circuitBreakerSensitivity: oneOf('UNSET', 'LOW', 'MEDIUM', 'HIGH', 'CUSTOM'),
      outlierDetection,
      connectionPool: object({
        tcp: object({ connectTimeout: duration, maxConnections: count, keepAlive: object({ idleTime: count, interval: count, probes: count }) }),
        http: object({
          maxRequests: count, maxRequestsPerConnection: count, requestTimeout: duration,
          retries: object({ attempts: count, perTryTimeout: duration, retryOn: text, retryBackOff }, ['attempts']),
        }),
      }),
    }),
  }),
}));
const trafficSetting = object({ outbound: object({ upstreamTrafficSettings }), inbound: object({}) });

const stringMatch = object({ exact: text, prefix: text, regex: text });
const headerChange = object({ set: map(text), add: map(text), remove: list(text) });
const clusterChoices = list(object({ name: word, labels: map(text), network: text, weight: count }));
const answers = {
  match: list(object({ uri: stringMatch, headers: map(stringMatch) })),
  modify: object({ headers: object({ request: headerChange, response: headerChange }), rewrite: object({ uri: text, authority: text }) }),
  redirect: object({ uri: text, authority: text, redirectCode: count, scheme: text, port }),
  directResponse: object({ status: { type: 'integer', minimum: 100, maximum: 599 }, body: object({ string: text }) }, ['status']),
};
const tls = object({ mode: oneOf('DISABLED', 'SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL'), secretName: text });
const server = { name: word, hostname: word, port, tls };
const unifiedServer = object({
  ...server, failoverSettings, trafficMode: oneOf('AUTO', 'INGRESS', 'EGRESS', 'TRANSIT'),
  routing: object({
    rules: list(object({
      ...answers, timeout: duration,
      route: object({ clusterDestination: object({ clusters: clusterChoices }), serviceDestination: object({ host: word, port }, ['host']) }),
    }), 1),
  }, ['rules']),
}, ['name', 'hostname', 'routing']);
const ingressServer = object({
  ...server, routing: object({ rules: list(object({ ...answers, route: object({ host: word, port }, ['host']) }), 1) }, ['rules']),
}, ['name', 'hostname', 'port', 'routing']);
const tier1Server = object({ ...server, clusters: clusterChoices, redirect: answers.redirect }, ['name', 'hostname', 'port']);

const kubeSpec = object({
  service: object({ type: oneOf('LoadBalancer', 'NodePort', 'ClusterIP'), annotations: map(text), labels: map(text), ports: list(object({ name: text, port }, ['port'])) }),
  deployment: object({ replicaCount: count, hpaSpec: object({ minReplicas: count, maxReplicas: count }), labels: map(text), podAnnotations: map(text), env: list(object({ name: word }, ['name'])) }),
  overlays: list(object({ apiVersion: text, kind: word, name: word, patches: list(object({ path: word }, ['path'])) })),
});
const install = (more: Record<string, Schema> = {}): Schema => object({ kubeSpec, connectionDrainDuration: duration, revision: text, ...more });

const internalGroup = { ...described, namespaceSelector };
const group = object({ ...internalGroup, configMode });

export const schemas: Readonly<Record<string, Schema>> = {
  'tsb.tetrate.io/Cluster': object({ ...described, network: text, tokenTtl: duration, trustDomain: text }),
  'tsb.tetrate.io/OrganizationSetting': object({
    ...described, failoverSettings, regionalFailover, defaultTrafficSetting: trafficSetting, networkSettings: object({ networkReachability: map(text) }),
  }),
  'tsb.tetrate.io/Tenant': object(described),
  'tsb.tetrate.io/TenantSetting': object({ ...described, defaultTrafficSetting: trafficSetting }),
  'tsb.tetrate.io/Workspace': object({ ...described, namespaceSelector, privileged: yesOrNo, isolationBoundary: text }, ['namespaceSelector']),
  'tsb.tetrate.io/WorkspaceSetting': object({
    ...described, failoverSettings, regionalFailover, defaultTrafficSetting: trafficSetting,
    defaultEastWestGatewaySettings: list(object({
      workloadSelector, exposedServices: list(object({ serviceLabels: map(text) }, ['serviceLabels'])),
    }, ['workloadSelector'])),
  }),
  'gateway.tsb.tetrate.io/Group': group,
  'traffic.tsb.tetrate.io/Group': group,
  'security.tsb.tetrate.io/Group': group,
  'istiointernal.tsb.tetrate.io/Group': object(internalGroup),
  'gateway.tsb.tetrate.io/Gateway': object({ ...described, workloadSelector, http: list(unifiedServer) }, ['workloadSelector']),
  'gateway.tsb.tetrate.io/IngressGateway': object({ ...described, workloadSelector, http: list(ingressServer) }, ['workloadSelector']),
  'gateway.tsb.tetrate.io/Tier1Gateway': object({ ...described, workloadSelector, externalServers: list(tier1Server) }, ['workloadSelector']),
  'traffic.tsb.tetrate.io/TrafficSetting': object({ ...described, ...(trafficSetting['properties'] as Record<string, Schema>) }),
  'install.tetrate.io/Gateway': install({ type: oneOf('UNIFIED', 'INGRESS', 'EGRESS', 'EASTWEST'), concurrency: count, terminationGracePeriodSeconds: count }),
  'install.tetrate.io/IngressGateway': install({ eastWestOnly: yesOrNo }),
  'install.tetrate.io/Tier1Gateway': install(),
  'install.tetrate.io/ControlPlane': object({ managementPlane: object({ clusterName: word }, ['clusterName']), components: object({}) }, ['managementPlane']),
};
