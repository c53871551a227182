import assert from 'node:assert/strict';

import type { KafkaBridgeSpec } from '../../components/resources/kafka-bridge.ts';
import { makeCertificate } from '../fixtures/made-certificate.ts';
import { balancedAt, type Changes, recordTopology, region, root } from './topology-fixtures.ts';
import type { Recording } from './pulumi-mocks.ts';

const bridge = 'kafka.strimzi.io/v1:KafkaBridge';
const reconnects = { 'socket.connection.setup.timeout.ms': 2_000, 'socket.connection.setup.timeout.max.ms': 2_000 };

describe('a region’s bridge', () => {
  it('is bounded in every client, spread and never evicted as a whole', async () => {
    const { spec } = await bridgeOf({});
    assert.deepEqual(spec, {
      replicas: 1,
      bootstrapServers: 'bootstrap.kafka.example:9094',
      tls: { trustedCertificates: [{ secretName: 'kafka-ca', certificate: 'ca.crt' }] },
      http: { port: 8080 },
      config: { 'bridge.executor.pool.size': 32 },
      producer: { config: { acks: 'all', 'enable.idempotence': true, 'max.block.ms': 3_000, 'request.timeout.ms': 3_000, 'delivery.timeout.ms': 8_000, ...reconnects } },
      consumer: { timeoutSeconds: 60, config: { 'session.timeout.ms': 6_000, 'heartbeat.interval.ms': 1_000, ...reconnects } },
      adminClient: { config: { 'request.timeout.ms': 3_000, 'default.api.timeout.ms': 8_000, ...reconnects } },
      logging: { type: 'inline', loggers: quiet('listTopics', 'listSubscriptions', admin) },
      readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 5 },
      template: {
        pod: {
          metadata: { labels: { 'kafka-bridge-failover/local': 'true' } },
          topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
            maxSkew: 1,
            topologyKey,
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: { 'strimzi.io/cluster': 'kafka-bridge', 'strimzi.io/name': 'kafka-bridge-bridge', 'strimzi.io/kind': 'KafkaBridge' } },
          })),
        },
        podDisruptionBudget: { maxUnavailable: 1 },
      },
    });
  });

  it('takes everything that is asked for', async () => {
    const { spec, recording } = await bridgeOf({
      bridge: {
        name: 'b', namespace: 'ns', port: 8181, version: '1.1.0', executorThreads: 64, maxUnavailable: 2, spread: 'host', metrics: 'jmx', injection: { revision: 'asm-1' },
        producer: { maxBlockMs: 2_000, requestTimeoutMs: 2_500, deliveryTimeoutMs: 7_000, config: { 'socket.connection.setup.timeout.ms': 4_000 } }, consumer: { config: { 'max.poll.records': 100 } }, admin: { config: { 'retries': 3 } },
        resources: { requests: { cpu: '500m', memory: '512Mi' } }, logging: { root: 'WARN', 'http.openapi.operation.send': 'DEBUG' },
        probes: { liveness: { failureThreshold: 5 }, readiness: { periodSeconds: 1 } },
      },
      regions: [region('east', { replicas: 4 }), region('west')],
    });
    assert.equal(spec.replicas, 4);
    assert.equal(spec.image, 'quay.io/strimzi/kafka-bridge:1.1.0');
    assert.equal(spec.http.port, 8181);
    const times = { 'request.timeout.ms': 2_500, 'delivery.timeout.ms': 7_000, 'max.block.ms': 2_000 };
    assert.deepEqual(spec.producer.config, { acks: 'all', 'enable.idempotence': true, ...times, ...reconnects, 'socket.connection.setup.timeout.ms': 4_000 });
    assert.equal(spec.consumer.config['max.poll.records'], 100);
    assert.deepEqual(spec.adminClient.config, { 'request.timeout.ms': 2_500, 'default.api.timeout.ms': 7_000, ...reconnects, retries: 3 });
    assert.deepEqual(spec.resources, { requests: { cpu: '500m', memory: '512Mi' } });
    assert.deepEqual(spec.logging, {
      type: 'inline',
      loggers: { ...quiet('listTopics', 'listSubscriptions', admin), 'rootLogger.level': 'WARN', 'logger.http_openapi_operation_send.name': 'http.openapi.operation.send', 'logger.http_openapi_operation_send.level': 'DEBUG' },
    });
    assert.deepEqual(spec.livenessProbe, { failureThreshold: 5 });
    assert.deepEqual(spec.readinessProbe, { initialDelaySeconds: 1, periodSeconds: 1, timeoutSeconds: 5 });
    assert.deepEqual(spec.metricsConfig, { type: 'jmxPrometheusExporter', valueFrom: { configMapKeyRef: { name: 'kafka-bridge-metrics', key: 'metrics-config.yml' } } });
    assert.deepEqual(spec.template.pod.metadata.annotations, { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8081', 'prometheus.io/path': '/metrics' });
    assert.deepEqual(spec.template.pod.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey), ['kubernetes.io/hostname']);
    assert.deepEqual(spec.template.podDisruptionBudget, { maxUnavailable: 2 });
    assert.match((recording.inputsOf('ConfigMap', 'east-metrics') as { data: Record<string, string> }).data['metrics-config.yml'] ?? '', /strimzi_bridge_kafka_/);
    assert.deepEqual(metadataOf(recording, 'Namespace', 'east-namespace'), { name: 'ns', labels: { 'istio.io/rev': 'asm-1' }, annotations: { 'kafka-bridge-failover/stack': 'test' } });
    const ports = (service: string) => (recording.inputsOf('Service', service) as { spec: { ports: unknown } }).spec.ports;
    assert.deepEqual(ports('east-shared'), [{ name: 'http2', port: 8181, targetPort: 8181 }]);
    assert.equal(metadataOf(recording, 'Service', 'east-shared')['name'], 'b-http');
    assert.equal(metadataOf(recording, 'Service', 'east-local')['name'], 'b-local');
  });

  it('says the level of each logger, however alike their names are, and of the root by either name', async () => {
    const loggers = async (logging: object) => ((await bridgeOf({ bridge: { logging }, tsb: { envoyFilters: 'none' } })).spec.logging as { loggers: unknown }).loggers;
    assert.deepEqual(await loggers({ 'a.b': 'INFO', 'a-b': 'DEBUG', a_b: 'WARN', 'a.b.2': 'ERROR' }), {
      'logger.a_b.name': 'a.b', 'logger.a_b.level': 'INFO',
      'logger.a_b_2.name': 'a-b', 'logger.a_b_2.level': 'DEBUG',
      'logger.a_b_3.name': 'a_b', 'logger.a_b_3.level': 'WARN',
      'logger.a_b_2_2.name': 'a.b.2', 'logger.a_b_2_2.level': 'ERROR',
    });
    for (const name of ['root', 'rootLogger', 'rootLogger.level']) assert.deepEqual(await loggers({ [name]: 'WARN' }), { 'rootLogger.level': 'WARN' }, name);
  });

  it('tells nothing of each check, unless it is told to, and of what nothing checks what its operator has it tell', async () => {
    const logging = async (changes: Changes) => (await bridgeOf(changes)).spec.logging?.loggers;
    for (const [path, ...quieted] of [
      ['/topics/orders', 'getTopic', 'listSubscriptions', admin], ['/topics/orders/partitions', 'listPartitions', 'listSubscriptions', admin], ['/topics/orders/partitions/0', 'getPartition', 'listSubscriptions', admin],
      ['/topics/orders/partitions/0/offsets', 'getOffsets', 'listSubscriptions', admin], ['/', 'info', 'listSubscriptions'], ['/openapi', 'openapi', 'listSubscriptions'],
    ] as const) assert.deepEqual(await logging({ bridge: { healthCheck: { path } } }), quiet(...quieted), path);
    assert.deepEqual(await logging({ bridge: { service: 'strimzi' } }), quiet('listTopics', 'info', admin), 'tier1 asks for another');
    assert.deepEqual(await logging({ bridge: { logging: { 'http.openapi.operation.listTopics': 'INFO' } } }), { ...quiet('listTopics', 'listSubscriptions', admin), 'logger.http_openapi_operation_listTopics.level': 'INFO' });
    assert.equal((await logging({ bridge: { logging: { [admin]: 'DEBUG' } } }))?.['logger.io_strimzi_kafka_bridge_KafkaBridgeAdmin.level'], 'DEBUG');
    assert.equal(await logging({ tsb: { envoyFilters: 'none' } }), undefined);
    // By the identifier that the operator's own settings have for it; another of the same name would be without effect.
    assert.deepEqual(await logging({ bridge: { logging: { 'io.strimzi.kafka.bridge': 'DEBUG', bridge: 'INFO' } }, tsb: { envoyFilters: 'none' } }), {
      'logger.bridge.name': 'io.strimzi.kafka.bridge', 'logger.bridge.level': 'DEBUG', 'logger.bridge_2.name': 'bridge', 'logger.bridge_2.level': 'INFO',
    });
  });

  it('comes from where the operator’s chart has its images', async () => {
    const image = async (values: object) => (await bridgeOf({ bridge: { version: '1.1.0' }, operators: { strimzi: { values } } })).spec.image;
    assert.equal(await image({ defaultImageRegistry: 'registry.example' }), 'registry.example/strimzi/kafka-bridge:1.1.0');
    assert.equal(await image({ kafkaBridge: { image: { registry: '', repository: '', name: '' } } }), 'quay.io/strimzi/kafka-bridge:1.1.0', 'Helm takes an empty text for none');
    assert.equal(await image({ defaultImageRegistry: 'registry.example:5000', defaultImageRepository: '' }), 'registry.example:5000/kafka-bridge:1.1.0');
    assert.equal(await image({ defaultImageRegistry: 'other', kafkaBridge: { image: { registry: 'registry.example', repository: 'mirror', name: 'bridge', tag: '1.0.0' } } }), 'registry.example/mirror/bridge:1.1.0');
  });

  it('has the fields that its operator’s release has, whichever API that serves', async () => {
    const fields = async (version: string, kafka: object) => {
      const api = 'api' in kafka ? 'v1beta2' : 'v1';
      const { spec } = await bridgeOf({ kafka: { context: 'kafka', domain: 'kafka.example', ...kafka }, operators: { strimzi: { version } } }, `kafka.strimzi.io/${api}:KafkaBridge`);
      return [spec.config, spec.consumer.timeoutSeconds];
    };
    assert.deepEqual(await fields('0.41.0', { api: 'v1beta2', version: '3.7.0' }), [undefined, undefined]);
    assert.deepEqual(await fields('0.42.0', { api: 'v1beta2', version: '3.7.0' }), [undefined, 60]);
    assert.deepEqual(await fields('0.51.0', { version: '4.2.0' }), [undefined, 60], 'v1, but not yet with options of the bridge');
    assert.deepEqual(await fields('1.0.0', { version: '4.2.0' }), [{ 'bridge.executor.pool.size': 32 }, 60]);
  });

  it('is scraped where the bridge of its operator’s release answers', async () => {
    const port = async (strimzi: object, kafka: string, version?: string) => {
      const { spec } = await bridgeOf({ kafka: { context: 'kafka', domain: 'kafka.example', version: kafka }, bridge: { metrics: 'jmx', ...(version === undefined ? {} : { version }) }, operators: { strimzi } });
      return spec.template.pod.metadata.annotations?.['prometheus.io/port'];
    };
    assert.equal(await port({ version: '0.51.0' }, '4.2.0'), '8080', 'bridge 0.33.1 answers at its API’s port');
    assert.equal(await port({ version: '0.51.0' }, '4.2.0', '0.33.1'), '8080');
    assert.equal(await port({ version: '1.0.0' }, '4.2.0'), '8081');
    assert.equal(await port({ version: '9.0.0' }, '4.3.1'), '8081');
  });

  it('says to Kafka who it is by naming a Secret, whose namespace is left as it is', async () => {
    const asking = (authentication: string) => ({ kafka: { listeners: [{ type: 'loadbalancer', authentication }] } });
    const byCertificate = await bridgeOf({ ...asking('tls'), bridge: { authentication: { type: 'tls', secret: { name: 'bridge-user' } } } });
    assert.deepEqual(byCertificate.spec.authentication, { type: 'tls', certificateAndKey: { secretName: 'bridge-user', certificate: 'user.crt', key: 'user.key' } });
    assert.deepEqual(metadataOf(byCertificate.recording, 'NamespacePatch', 'east-namespace'), { name: 'kafka-bridge', labels: { 'istio-injection': 'enabled' } });
    const byPassword = await bridgeOf({ ...asking('scram-sha-512'), bridge: { authentication: { type: 'scram-sha-512', username: 'bridge', secret: { name: 'bridge-user', key: 'ca.key' } } } });
    assert.deepEqual(byPassword.spec.authentication, { type: 'scram-sha-512', username: 'bridge', passwordSecret: { secretName: 'bridge-user', password: 'ca.key' } });
    const ofOthers = await bridgeOf({ kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: root } }, bridge: { authentication: { type: 'scram-sha-256', username: 'bridge', secret: { name: 'bridge-user' } } } });
    assert.deepEqual(ofOthers.spec.authentication, { type: 'scram-sha-256', username: 'bridge', passwordSecret: { secretName: 'bridge-user', password: 'password' } });
  });

  it('is Strimzi’s of old beside a Kafka of old: no fields that came later, and metrics by the port of the API', async () => {
    const { spec, recording } = await bridgeOf({
      kafka: { api: 'v1beta2', name: 'openshift', version: '3.4.0', domain: 'kafka.example' },
      operators: { strimzi: { version: '0.36.0' } },
      bridge: { port: 8282, service: 'strimzi', metrics: 'jmx' },
    }, 'kafka.strimzi.io/v1beta2:KafkaBridge');
    assert.equal(spec.config, undefined);
    assert.equal(spec.consumer.timeoutSeconds, undefined);
    assert.equal(spec.metricsConfig, undefined);
    assert.equal(spec.enableMetrics, true);
    assert.equal(spec.template.pod.metadata.annotations?.['prometheus.io/port'], '8282');
    assert.deepEqual(spec.template.apiService, { metadata: { labels: { failover: 'enabled' } } }, 'the Service that peers serve as well');
    assert.deepEqual(spec.tls.trustedCertificates, [{ secretName: 'openshift-cluster-ca-cert', certificate: 'ca.crt' }]);
    assert.equal(metadataOf(recording, 'Secret', 'east-trust')['name'], 'openshift-cluster-ca-cert');
    assert.ok(!recording.resources.some(({ name }) => name === 'east-shared' || name === 'east-local' || name === 'east-metrics'));
    const { spec: routes } = recording.inputsOf('gateway.tsb.tetrate.io/v2:Gateway', 'east-routes') as { spec: { http: { routing: { rules: unknown } }[] } };
    const comeBack = { headers: { request: { set: { 'X-Forwarded-Host': 'east.bridge.example', 'X-Forwarded-Proto': 'http' }, remove: ['Forwarded', 'X-Forwarded-Path'] } } };
    assert.deepEqual(routes.http[0]?.routing.rules, [
      { modify: comeBack, timeout: '30s', route: { serviceDestination: { host: 'kafka-bridge/kafka-bridge-bridge-service.kafka-bridge.svc.cluster.local', port: 8282 } } },
    ]);
  });
});

describe('a bridge’s sidecar', () => {
  const labels = async (bridge: object) => (await bridgeOf({ bridge })).spec.template.pod.metadata.labels;

  it('is anew with another revision of the mesh, which its pod names as its namespace does', async () => {
    assert.deepEqual(await labels({ injection: { revision: '1-22' } }), { 'kafka-bridge-failover/local': 'true', 'istio.io/rev': '1-22' });
    assert.deepEqual(await labels({ injection: { revision: '1-24' } }), { 'kafka-bridge-failover/local': 'true', 'istio.io/rev': '1-24' });
  });

  it('is whose the namespace says, where there are no revisions', async () => {
    assert.deepEqual(await labels({}), { 'kafka-bridge-failover/local': 'true' });
  });
});

describe('what a region trusts brokers by', () => {
  const trustedOf = async (changes: Changes) => {
    const { spec, recording } = await bridgeOf(changes);
    const { stringData } = recording.inputsOf('Secret', 'east-trust') as { stringData: Record<string, string> & { value?: Record<string, string> } };
    return { named: spec.tls.trustedCertificates, entries: stringData.value ?? stringData };
  };

  it('is an entry for each CA that is given, as Strimzi takes one of an entry', async () => {
    const { cert: renewed } = await makeCertificate('renewed', { isAuthority: true });
    const several = `${root}\n${renewed}`;
    const { named, entries } = await trustedOf({ kafka: { existing: { bootstrapServers: 'k:9093', caCertificate: several } } });
    assert.deepEqual(named, ['ca.crt', 'ca-2.crt'].map((certificate) => ({ secretName: 'kafka-ca', certificate })));
    assert.deepEqual(entries, { 'ca.crt': root, 'ca-2.crt': `${renewed.trim()}\n` });
  });

  it('is one entry, to the letter, where one is given', async () => {
    const one = `\n${root}\n\n`;
    const { named, entries } = await trustedOf({ kafka: { existing: { bootstrapServers: 'k:9093', caCertificate: one } } });
    assert.deepEqual([named, entries], [[{ secretName: 'kafka-ca', certificate: 'ca.crt' }], { 'ca.crt': one }]);
  });
});

describe('a region’s gateway', () => {
  const installed = (recording: Recording, name = 'east-gateway') => (recording.inputsOf('install.tetrate.io/v1alpha1:Gateway', name) as { spec: { kubeSpec: Record<string, unknown> } }).spec;

  it('is a load balancer with one pod unless told otherwise', async () => {
    assert.deepEqual(installed(await recordTopology()), { type: 'UNIFIED', kubeSpec: { service: { type: 'LoadBalancer' } } });
  });

  it('has the words of each cloud for an address inside of its network, under a person’s own annotations', async () => {
    for (const [internal, expected] of Object.entries({
      gke: { 'networking.gke.io/load-balancer-type': 'Internal', 'networking.gke.io/internal-load-balancer-allow-global-access': 'true' },
      aws: { 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal', 'service.beta.kubernetes.io/aws-load-balancer-internal': 'true' },
      azure: { 'service.beta.kubernetes.io/azure-load-balancer-internal': 'true' },
    })) {
      const recording = await recordTopology({ regions: [region('east', { gateway: { service: { internal, annotations: { mine: 'yes' } } } }), region('west')] });
      assert.deepEqual(installed(recording).kubeSpec['service'], { type: 'LoadBalancer', annotations: { ...expected, mine: 'yes' } }, internal);
      assert.deepEqual(installed(recording, 'west-gateway').kubeSpec['service'], { type: 'LoadBalancer' }, 'the other region is not asked');
    }
  });

  it('is of the revision of the mesh that its bridges are of, in every kind', async () => {
    const injection = { revision: 'canary' };
    for (const [api, kind] of [['gateway', 'Gateway'], ['tier1gateway', 'IngressGateway']] as const) {
      const recording = await recordTopology({ bridge: { injection }, tsb: { api } });
      assert.equal((recording.inputsOf(`install.tetrate.io/v1alpha1:${kind}`, 'east-gateway')['spec'] as { revision?: string }).revision, 'canary');
      const tier1 = recording.inputsOf(`install.tetrate.io/v1alpha1:${api === 'gateway' ? 'Gateway' : 'Tier1Gateway'}`, 'tier1-gateway')['spec'] as object;
      assert.ok(!('revision' in tier1), 'tier1 is in another cluster, with a mesh of its own');
    }
  });

  it('keeps a number of pods as the least of them, and a fixed address', async () => {
    const recording = await recordTopology({ regions: [region('east', { gateway: { name: 'east-gw', replicas: 3, service: { address: '10.9.0.1' } } }), region('west')] }, balancedAt('10.9.0.1'));
    assert.deepEqual(installed(recording).kubeSpec, {
      service: { type: 'LoadBalancer' },
      deployment: { replicaCount: 3, hpaSpec: { minReplicas: 3, maxReplicas: 10 } },
      overlays: [{ apiVersion: 'v1', kind: 'Service', name: 'east-gw', patches: [{ path: 'spec.loadBalancerIP', value: '10.9.0.1' }] }],
    });
    const { metadata, spec } = recording.inputsOf('gateway.tsb.tetrate.io/v2:Gateway', 'east-routes') as { metadata: { name: string }; spec: { workloadSelector: unknown } };
    assert.equal(metadata.name, 'east-gw');
    assert.deepEqual(spec.workloadSelector, { namespace: 'kafka-bridge', labels: { app: 'east-gw' } });
  });

  it('tells TSB how it is reached where its Service is no load balancer', async () => {
    for (const address of ['192.0.2.7', 'front.east.example']) {
      const recording = await recordTopology({ regions: [region('east', { gateway: { service: { type: 'NodePort', address } } }), region('west')] });
      assert.deepEqual(installed(recording).kubeSpec, { service: { type: 'NodePort', annotations: { 'xcp.tetrate.io/cluster-external-addresses': address } } });
      assert.equal((recording.outputsOf('east') as { gatewayAddress: string }).gatewayAddress, address);
    }
  });

  it('reads its address as an IP address or as a host name', async () => {
    const onAws = await recordTopology({}, (reference) => (reference.kind === 'Service'
      ? { status: { loadBalancer: { ingress: [{ hostname: 'lb.example' }] } } }
      : reference.kind === 'Secret' ? { data: { 'ca.crt': '' } } : { metadata: { generation: 1 }, status: { observedGeneration: 1, conditions: [{ type: 'Available', status: 'True' }] } }));
    assert.equal((onAws.outputsOf('east') as { gatewayAddress: string }).gatewayAddress, 'lb.example');
  });

  it('and its sidecars ping bridges that they speak HTTP/2 to, and no others', async () => {
    const pinging = async (service: 'own' | 'strimzi') => (await recordTopology({ bridge: { service } })).resources
      .filter(({ type, inputs }) => type.endsWith(':EnvoyFilter') && JSON.stringify(inputs).includes('connection_keepalive')).map(({ name }) => name).sort();
    assert.deepEqual(await pinging('own'), ['east-filter', 'east-filter-sidecars', 'tier1-filter', 'west-filter', 'west-filter-sidecars']);
    assert.deepEqual(await pinging('strimzi'), ['tier1-filter']);
  });

  it('says by rules who answered where no EnvoyFilter may, and is the only one to change', async () => {
    const [filtered, plain] = [await recordTopology(), await recordTopology({ tsb: { envoyFilters: 'none' } })];
    assert.ok(!plain.resources.some(({ type }) => /EnvoyFilter|istiointernal/.test(type)));
    const rules = (recording: Recording) => (recording.inputsOf('gateway.tsb.tetrate.io/v2:Gateway', 'east-routes') as { spec: { http: { routing: { rules: { modify?: { headers: Record<string, unknown> } }[] } }[] } }).spec.http.flatMap(({ routing }) => routing.rules);
    const marks = { set: { 'x-kbf-gateway': 'east', 'x-kbf-upstream': '%UPSTREAM_HOST%' } };
    assert.deepEqual(rules(plain).map(({ modify }) => modify?.headers['response']), [marks, marks, marks, marks]);
    assert.ok(rules(filtered).every(({ modify }) => modify?.headers['response'] === undefined));
    const ejection = (recording: Recording) => JSON.stringify(recording.inputsOf('tsb.tetrate.io/v2:WorkspaceSetting', 'tsb-setting-bridges')).match(/baseEjectionTime":"\d+s"/g);
    assert.deepEqual([ejection(filtered)?.[0], ejection(plain)?.[0]], ['baseEjectionTime":"2s"', 'baseEjectionTime":"10s"']);
    assert.doesNotMatch(JSON.stringify(plain.inputsOf('tsb.tetrate.io/v2:WorkspaceSetting', 'tsb-setting-bridges')), /retriable-headers/, 'no sidecar marks anything');
  });
});

/** What a bridge says of all that it asks Kafka for about topics. */
const admin = 'io.strimzi.kafka.bridge.KafkaBridgeAdmin';

/** The loggers of these operations of a bridge, or of these names, at WARN. */
function quiet(...loggers: string[]): Record<string, string> {
  return Object.fromEntries(loggers.map((logger) => (logger === admin ? logger : `http.openapi.operation.${logger}`)).flatMap((name) => {
    const id = name.replaceAll('.', '_');
    return [[`logger.${id}.name`, name], [`logger.${id}.level`, 'WARN']];
  }));
}

async function bridgeOf(changes: Changes, type = bridge): Promise<{ spec: KafkaBridgeSpec; recording: Recording }> {
  const recording = await recordTopology(changes);
  return { spec: (recording.inputsOf(type, 'east-bridge') as { spec: KafkaBridgeSpec }).spec, recording };
}

function metadataOf(recording: Recording, type: string, name: string): Record<string, unknown> {
  return (recording.inputsOf(type, name) as { metadata: Record<string, unknown> }).metadata;
}
