import assert from 'node:assert/strict';

import { RenderedStack, type Rendered, stackFile } from './examples-fixtures.ts';

const apps = 'apps.gke-nmocpt2-us-west1-0.nmocpt2-upic-0.gcp.sandbox.tetrate.io';
const hosts = ['bootstrap', '0', '1', '2'].map((part) => `openshift-kafka-${part}-kafka-cluster.${apps}`);
const clusters = { central: 'gke-nm-rh-colab-us-central1-0', east: 'gke-nm-rh-colab-us-east1-1', west: 'gke-nm-rh-colab-us-west1-2' };
const bridges = [`${clusters.east}/kafka-bridge`, `${clusters.west}/kafka-bridge`];
const claim = { type: 'persistent-claim', size: '1Gi', deleteClaim: false };

type Fields = Readonly<Record<string, unknown>>;

/** TSB's annotations, with whatever of its hierarchy is above. */
const under = (...above: readonly string[]): Fields =>
  Object.fromEntries(['organization', 'tenant', 'workspace', 'gatewayGroup'].flatMap((key, index) => (index < above.length ? [[`tsb.tetrate.io/${key}`, above[index]]] : [])));
const organization = under('tetrate');
const tenant = under('tetrate', 'kafka');
const bridgesWorkspace = under('tetrate', 'kafka', 'kafka-bridges');
const tier1Workspace = under('tetrate', 'kafka', 'tier1');

function manifest([apiVersion, kind]: readonly [string, string], metadata: Fields, spec?: Fields): Fields {
  return { apiVersion, kind, metadata, ...(spec === undefined ? {} : { spec }) };
}

function tsb(kind: readonly [string, string], name: string, annotations: Fields, spec: Fields): Fields {
  return manifest(kind, { name, namespace: 'tsb-conf', annotations }, spec);
}

const loadBalancer = { kubeSpec: { service: { type: 'LoadBalancer' } } };
const gatewayGroup = ['gateway.tsb.tetrate.io/v2', 'Group'] as const;
const workspace = ['tsb.tetrate.io/v2', 'Workspace'] as const;

function region(name: 'east' | 'west'): Record<string, Fields> {
  const gateway = `${name}-kafka-bridge-ig`;
  return {
    [`${name}/_cluster/namespace.kafka-bridge`]: manifest(['v1', 'Namespace'], { name: 'kafka-bridge', labels: { 'istio-injection': 'enabled' } }),
    [`${name}/kafka-bridge/kafkabridge.kafka-bridge`]: manifest(['kafka.strimzi.io/v1beta2', 'KafkaBridge'], { name: 'kafka-bridge', namespace: 'kafka-bridge' }, {
      replicas: 1,
      bootstrapServers: `${hosts[0] ?? ''}:443`,
      tls: { trustedCertificates: [{ secretName: 'openshift-cluster-ca-cert', certificate: 'ca.crt' }] },
      http: { port: 8282 },
      template: { apiService: { metadata: { labels: { failover: 'enabled' } } } },
    }),
    [`${name}/kafka-bridge/ingressgateway.${gateway}`]: manifest(['install.tetrate.io/v1alpha1', 'IngressGateway'], { name: gateway, namespace: 'kafka-bridge' }, loadBalancer),
    [`${name}/kafka-bridge/ingressgateway.${gateway}-config`]: manifest(
      ['gateway.tsb.tetrate.io/v2', 'IngressGateway'],
      { name: `${gateway}-config`, namespace: 'kafka-bridge', annotations: under('tetrate', 'kafka', 'kafka-bridges', 'kafka-bridges-gwg') },
      {
        workloadSelector: { namespace: 'kafka-bridge', labels: { app: gateway } },
        http: [{
          name: `${name}-kafka-tetrate-work`, hostname: 'kafka.tetrate.work', port: 80,
          routing: { rules: [{ route: { host: 'kafka-bridge/kafka-bridge-bridge-service.kafka-bridge.svc.cluster.local', port: 8282 } }] },
        }],
      },
    ),
  };
}

/** What the walk-through’s own manifests say, by the file that the rendering has it in: every field but names for display, of which the tenant’s stands for all. */
const manifests: Readonly<Record<string, Fields>> = {
  'openshift/_cluster/clusterissuer.selfsigned-issuer-kafka': manifest(['cert-manager.io/v1', 'ClusterIssuer'], { name: 'selfsigned-issuer-kafka' }, { selfSigned: {} }),
  'openshift/kafka-cluster/certificate.openshift-kafka-cluster': manifest(['cert-manager.io/v1', 'Certificate'], { name: 'openshift-kafka-cluster', namespace: 'kafka-cluster' }, {
    secretName: 'openshift-kafka-cluster',
    issuerRef: { name: 'selfsigned-issuer-kafka', kind: 'ClusterIssuer' },
    subject: { organizations: ['redhat'] },
    dnsNames: hosts,
  }),
  'openshift/kafka-cluster/kafka.openshift': manifest(['kafka.strimzi.io/v1beta2', 'Kafka'], { name: 'openshift', namespace: 'kafka-cluster' }, {
    kafka: {
      version: '3.4.0',
      replicas: 3,
      listeners: [
        { name: 'plain', port: 9092, type: 'internal', tls: false },
        { name: 'tls', port: 9093, type: 'internal', tls: true },
        { name: 'external', port: 9094, type: 'route', tls: true, configuration: { brokerCertChainAndKey: { secretName: 'openshift-kafka-cluster', certificate: 'tls.crt', key: 'tls.key' } } },
      ],
      config: {
        'offsets.topic.replication.factor': 3,
        'transaction.state.log.replication.factor': 3,
        'transaction.state.log.min.isr': 2,
        'default.replication.factor': 3,
        'min.insync.replicas': 2,
        'inter.broker.protocol.version': '3.3',
      },
      storage: { type: 'jbod', volumes: [{ id: 0, ...claim }] },
    },
    zookeeper: { replicas: 3, storage: claim },
    entityOperator: { topicOperator: {}, userOperator: {} },
  }),
  ...region('east'),
  ...region('west'),
  'central/_cluster/namespace.tsb-conf': manifest(['v1', 'Namespace'], { name: 'tsb-conf' }),
  'central/tsb-conf/tenant.kafka': tsb(['tsb.tetrate.io/v2', 'Tenant'], 'kafka', organization, { displayName: 'kafka Tenant' }),
  'central/tsb-conf/workspace.kafka-bridges': tsb(workspace, 'kafka-bridges', tenant, { namespaceSelector: { names: bridges } }),
  'central/tsb-conf/workspace.tier1': tsb(workspace, 'tier1', tenant, { namespaceSelector: { names: [`${clusters.central}/tier1-gateway`] } }),
  'central/tsb-conf/workspacesetting.kafka-bridge-workspace-settings': tsb(['tsb.tetrate.io/v2', 'WorkspaceSetting'], 'kafka-bridge-workspace-settings', bridgesWorkspace, {
    defaultEastWestGatewaySettings: [
      { workloadSelector: { namespace: 'kafka-bridge', labels: { istio: 'ingressgateway' } }, exposedServices: [{ serviceLabels: { failover: 'enabled' } }] },
    ],
  }),
  'central/tsb-conf/group.kafka-bridges-gwg': tsb(gatewayGroup, 'kafka-bridges-gwg', bridgesWorkspace, { namespaceSelector: { names: bridges }, configMode: 'BRIDGED' }),
  'central/tsb-conf/group.tier1-gwg': tsb(gatewayGroup, 'tier1-gwg', tier1Workspace, { namespaceSelector: { names: [`${clusters.central}/tier1-gateway`] }, configMode: 'BRIDGED' }),
  'central/_cluster/namespace.tier1-gateway': manifest(['v1', 'Namespace'], { name: 'tier1-gateway' }),
  'central/tier1-gateway/tier1gateway.install.tetrate.io.tier1-gw': manifest(['install.tetrate.io/v1alpha1', 'Tier1Gateway'], { name: 'tier1-gw', namespace: 'tier1-gateway' }, loadBalancer),
  'central/tier1-gateway/tier1gateway.gateway.tsb.tetrate.io.tier1-gw': manifest(
    ['gateway.tsb.tetrate.io/v2', 'Tier1Gateway'],
    { name: 'tier1-gw', namespace: 'tier1-gateway', annotations: under('tetrate', 'kafka', 'tier1', 'tier1-gwg') },
    {
      workloadSelector: { namespace: 'tier1-gateway', labels: { app: 'tier1-gw' } },
      externalServers: [{
        name: 'kafka-tetrate-work', hostname: 'kafka.tetrate.work', port: 80,
        clusters: [clusters.east, clusters.west].map((name) => ({ name, network: 'tier2', weight: 50 })),
      }],
    },
  ),
};

/** What the program says where the walk-through says nothing, or otherwise; docs/examples/seed.md gives the reasons. */
const marks = (name: string) => ({
  headers: {
    request: { set: { 'X-Forwarded-Host': `${name}.kafka.tetrate.work`, 'X-Forwarded-Proto': 'http' }, remove: ['Forwarded', 'X-Forwarded-Path'] },
    response: { set: { 'x-kbf-gateway': name, 'x-kbf-upstream': '%UPSTREAM_HOST%' } },
  },
});
const differences: Readonly<Record<string, Fields>> = {
  'openshift/kafka-cluster/certificate.openshift-kafka-cluster': { 'spec.duration': '2160h' },
  ...Object.fromEntries(['east', 'west'].flatMap((name) => [
    [`${name}/kafka-bridge/kafkabridge.kafka-bridge`, {
      'spec.producer': { config: { acks: 'all', 'enable.idempotence': true, 'max.block.ms': 60_000, 'request.timeout.ms': 30_000, 'delivery.timeout.ms': 120_000 } },
      'spec.consumer': { config: { 'session.timeout.ms': 45_000, 'heartbeat.interval.ms': 3_000 } },
      'spec.adminClient': { config: { 'request.timeout.ms': 30_000, 'default.api.timeout.ms': 60_000 } },
      'spec.readinessProbe': { initialDelaySeconds: 15, periodSeconds: 10, timeoutSeconds: 5 },
      'spec.template.podDisruptionBudget': { maxUnavailable: 1 },
      'spec.template.pod': { metadata: { labels: { 'kafka-bridge-failover/local': 'true' } } },
    }],
    [`${name}/kafka-bridge/ingressgateway.${name}-kafka-bridge-ig-config`, {
      'spec.http.0.routing.rules.0.modify': marks(name),
      'spec.http.1': {
        name: `${name}-pinned`, hostname: `${name}.kafka.tetrate.work`, port: 80,
        routing: { rules: [{ modify: marks(name), route: { host: 'kafka-bridge/kafka-bridge-bridge-service.kafka-bridge.svc.cluster.local', port: 8282 } }] },
      },
    }],
  ])),
  'central/tsb-conf/tenant.kafka': { 'spec.displayName': 'kafka' },
  'central/tier1-gateway/tier1gateway.gateway.tsb.tetrate.io.tier1-gw': Object.fromEntries(['east', 'west'].map((name, index) => [
    `spec.externalServers.${index + 1}`,
    { name: `${name}-kafka-tetrate-work`, hostname: `${name}.kafka.tetrate.work`, port: 80, clusters: [{ name: clusters[name as 'east' | 'west'] }] },
  ])),
};

/** What the walk-through does by commands, or takes for granted. */
const byHand = [
  'openshift/_cluster/namespace.kafka-cluster',
  ...['east', 'west'].flatMap((context) => [`${context}/_cluster/namespace.kafka-operator`, `${context}/kafka-operator/helmrelease.strimzi`]),
  ...['east', 'west'].map((context) => `${context}/kafka-bridge/secret.openshift-cluster-ca-cert`),
  'central/tsb-conf/organizationsetting.tetrate',
  ...Object.values(clusters).map((name) => `central/tsb-conf/cluster.${name}`),
  'central/_cluster/namespace.traffic',
  'central/traffic/configmap.generator',
  ...['producer', 'consumer1', 'consumer2'].map((name) => `central/traffic/deployment.${name}`),
];

/** A copy of a manifest with other values at these places. */
function changed(original: Fields, changes: Fields): Fields {
  const copy = structuredClone(original) as Record<string, unknown>;
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const place = keys.reduce((at, key) => (at[key] ?? assert.fail(`${path}: no ${key}`)) as Record<string, unknown>, copy);
    place[last] = value;
  }
  return copy;
}

/** An object without what only the engine and this program read. */
function asManifest({ metadata: { annotations = {}, ...metadata }, ...object }: Rendered): Fields {
  const ours = Object.entries(annotations).filter(([key]) => !/^(pulumi\.com|kafka-bridge-failover)\//.test(key));
  return { ...object, metadata: { ...metadata, ...(ours.length === 0 ? {} : { annotations: Object.fromEntries(ours) }) } };
}

describe('the example of the walk-through', () => {
  let stack: RenderedStack;
  before(async () => { stack = await RenderedStack.of(stackFile('seed')); });

  for (const [path, original] of Object.entries(manifests)) {
    const differs = Object.keys(differences[path] ?? {});
    it(`has ${path} field by field${differs.length === 0 ? '' : `, and besides ${differs.join(', ')}`}`, () => {
      assert.deepEqual(asManifest(stack.object(path)), changed(original, differences[path] ?? {}));
    });
  }

  it('has nothing else but what the walk-through does by hand', () => {
    assert.deepEqual(stack.paths, [...Object.keys(manifests), ...byHand].map((path) => `${path}.yaml`).sort());
  });

  it('installs the operator of its time where the walk-through does, watching more', () => {
    for (const context of ['east', 'west']) {
      const { chart, version, values } = stack.object(`${context}/kafka-operator/helmrelease.strimzi`);
      assert.deepEqual({ chart, version, values }, { chart: 'oci://quay.io/strimzi-helm/strimzi-kafka-operator', version: '0.36.0', values: { watchAnyNamespace: true } });
    }
  });

  it('trusts Kafka by the certificate itself', () => {
    for (const context of ['east', 'west']) {
      assert.deepEqual(stack.object(`${context}/kafka-bridge/secret.openshift-cluster-ca-cert`)['stringData'], { 'ca.crt': '<ca.crt of Secret kafka-cluster/openshift-kafka-cluster in cluster openshift>' });
    }
  });

  it('has the networks that the walk-through’s tier1 asks for', () => {
    const network = (cluster: string): unknown => stack.spec(`central/tsb-conf/cluster.${cluster}`);
    assert.deepEqual([clusters.central, clusters.east, clusters.west].map(network), [{ network: 'tier1' }, { network: 'tier2' }, { network: 'tier2' }]);
    assert.deepEqual(stack.spec('central/tsb-conf/organizationsetting.tetrate'), { networkSettings: { networkReachability: { tier1: 'tier2' } } });
  });

  it('produces to the walk-through’s topic every ten seconds', () => {
    const { template } = stack.spec<{ template: { spec: { containers: { env: { name: string; value: string }[] }[] } } }>('central/traffic/deployment.producer');
    const env = Object.fromEntries(template.spec.containers[0]?.env.map(({ name, value }) => [name, value]) ?? []);
    assert.deepEqual([env['URL'], env['TOPIC'], env['INTERVAL_MS']], ['http://kafka.tetrate.work', 'bridge-quickstart-topic', '10000']);
  });
});
