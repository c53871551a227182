import type { ClusterFacts, ServiceFacts, TsbObject } from '../../sandbox/operators/tsb/model.ts';

/** A small TSB: two regions with a bridge each, tier1 in central; every part can be changed by the tests. */
export function snapshotOf(objects: TsbObject[] = everything(), clusters: ClusterFacts[] = [central(), region('east', '10.213.0.1'), region('west', '10.214.0.1')]) {
  return { objects, clusters };
}

export function everything(): TsbObject[] {
  return [
    ...['central', 'east', 'west'].map((name) => tsb(['tsb.tetrate.io/v2', 'Cluster', name], {}, { parents: {} })),
    tsb(['tsb.tetrate.io/v2', 'Tenant', 'kafka'], {}, { parents: {} }),
    workspace('bridges', ['east/kafka-bridge', 'west/kafka-bridge']),
    workspace('edge', ['central/edge']),
    tsb(['tsb.tetrate.io/v2', 'WorkspaceSetting', 'bridges'], bridgesSetting(), { parents: { tenant: 'kafka', workspace: 'bridges' } }),
    group('gateway', 'bridges-east', 'bridges', 'east/kafka-bridge'),
    group('gateway', 'bridges-west', 'bridges', 'west/kafka-bridge'),
    group('gateway', 'edge', 'edge', 'central/edge'),
    regionGateway('east'), regionGateway('west'), tier1Gateway(),
  ];
}

export function tsb([apiVersion, kind, name]: [string, string, string], spec: object, { cluster = 'central', namespace = 'tsb-conf', parents }: { cluster?: string; namespace?: string; parents: Record<string, string> }): TsbObject {
  const annotations = Object.fromEntries(Object.entries({ organization: 'tetrate', ...parents }).map(([level, value]) => [`tsb.tetrate.io/${level}`, value]));
  return { cluster, apiVersion, kind, metadata: { name, namespace, annotations, generation: 1 }, spec };
}

export function workspace(name: string, names: string[]): TsbObject {
  return tsb(['tsb.tetrate.io/v2', 'Workspace', name], { namespaceSelector: { names } }, { parents: { tenant: 'kafka' } });
}

export function group(kind: 'gateway' | 'istiointernal', name: string, workspaceName: string, namespace: string): TsbObject {
  return tsb([`${kind}.tsb.tetrate.io/v2`, 'Group', name], { namespaceSelector: { names: [namespace] }, ...(kind === 'gateway' ? { configMode: 'BRIDGED' } : {}) }, { parents: { tenant: 'kafka', workspace: workspaceName } });
}

export function bridgesSetting(settings: object = {}): object {
  return {
    defaultEastWestGatewaySettings: [{ workloadSelector: { namespace: 'kafka-bridge', labels: { app: 'kafka-bridge-gateway' } }, exposedServices: [{ serviceLabels: { failover: 'enabled' } }] }],
    ...settings,
  };
}

export function regionGateway(cluster: string): TsbObject {
  const service = (name: string) => ({ serviceDestination: { host: `kafka-bridge/${name}.kafka-bridge.svc.cluster.local`, port: 8080 } });
  const server = (name: string, hostname: string) => ({
    name, hostname, port: 80,
    routing: { rules: [
      { match: [{ uri: { prefix: '/consumers' } }], modify: { headers: { request: { set: { 'X-Forwarded-Host': `${cluster}.kafka.example` }, remove: ['Forwarded'] } } }, route: service('kafka-bridge-local') },
      { route: service('kafka-bridge-http'), timeout: '15s' },
    ] },
  });
  return tsb(['gateway.tsb.tetrate.io/v2', 'Gateway', 'kafka-bridge-gateway'], {
    workloadSelector: { namespace: 'kafka-bridge', labels: { app: 'kafka-bridge-gateway' } },
    http: [server('global', 'kafka.example'), server('pinned', `${cluster}.kafka.example`)],
  }, { cluster, namespace: 'kafka-bridge', parents: { tenant: 'kafka', workspace: 'bridges', gatewayGroup: `bridges-${cluster}` } });
}

export function tier1Gateway(clusters: object[] = [{ name: 'east' }, { name: 'west' }]): TsbObject {
  return tsb(['gateway.tsb.tetrate.io/v2', 'Gateway', 'tier1'], {
    workloadSelector: { namespace: 'edge', labels: { app: 'tier1' } },
    http: [
      { name: 'global', hostname: 'kafka.example', port: 80, routing: { rules: [{ route: { clusterDestination: { clusters } } }] } },
      { name: 'east', hostname: 'east.kafka.example', port: 80, routing: { rules: [{ route: { clusterDestination: { clusters: [{ name: 'east' }] } } }] } },
    ],
  }, { namespace: 'edge', parents: { tenant: 'kafka', workspace: 'edge', gatewayGroup: 'edge' } });
}

export function central(): ClusterFacts {
  return cluster('central', 'us-central1', ['edge', 'tsb-conf'], [gatewayService('tier1', 'edge', '10.212.0.1')]);
}

export function region(name: string, gatewayAddress: string): ClusterFacts {
  const bridge = (service: string, labels: Record<string, string>, selector: Record<string, string>): ServiceFacts =>
    ({ name: service, namespace: 'kafka-bridge', labels, selector, ports: [{ name: 'http2', port: 8080 }], addresses: [] });
  return cluster(name, `us-${name}1`, ['kafka-bridge'], [
    gatewayService('kafka-bridge-gateway', 'kafka-bridge', gatewayAddress),
    bridge('kafka-bridge-http', { failover: 'enabled' }, { 'strimzi.io/cluster': 'kafka-bridge' }),
    bridge('kafka-bridge-local', {}, { 'strimzi.io/cluster': 'kafka-bridge', local: 'true' }),
  ]);
}

function cluster(name: string, regionName: string, namespaces: string[], services: ServiceFacts[]): ClusterFacts {
  return { context: name, name, region: regionName, zone: `${regionName}-a`, labels: {}, network: '', namespaces: new Set(namespaces), services };
}

function gatewayService(name: string, namespace: string, address: string): ServiceFacts {
  return { name, namespace, labels: { app: name, istio: 'ingressgateway' }, selector: { app: name }, ports: [{ name: 'http2', port: 80 }, { name: 'tls', port: 15443 }], addresses: [address] };
}
