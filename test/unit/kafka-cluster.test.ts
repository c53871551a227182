import assert from 'node:assert/strict';

import { serverCertificate } from '../fixtures/server-certificate.ts';
import { kafkaSecrets } from '../../components/client-secrets.ts';
import { KafkaCluster } from '../../components/kafka-cluster.ts';
import type { InstalledKafka } from '../../config/schema.ts';
import { apart, certificateOf, kafkaOf, leaf, made, operators, outputs, root, settings, type Written } from './kafka-fixtures.ts';
import { answeringCluster, record, type Recording } from './pulumi-mocks.ts';

const own = { brokerCertChainAndKey: { secretName: 'kafka-listener', certificate: 'tls.crt', key: 'tls.key' } };
const dns = (host: string) => ({ 'external-dns.alpha.kubernetes.io/hostname': host, 'external-dns.kubernetes.io/hostname': host });

const ownObjects = ['Certificate kafka-listener', 'Certificate kafka-root', 'Issuer kafka-issuer', 'Issuer kafka-self-signed'].map((object) => `cert-manager.io/v1:${object}`);
const strimziObjects = ['kafka.strimzi.io/v1:Kafka kafka', 'kafka.strimzi.io/v1:KafkaNodePool kafka-pool'];

describe('Kafka as the least settings have it', () => {
  let kafka: Recording;
  before(async () => { kafka = await made({}); });

  it('is these objects, each a child of the component in Kafka’s cluster', () => {
    assert.deepEqual(kafka.childrenOf('KafkaCluster'), ['Namespace kafka-namespace', ...ownObjects, ...strimziObjects]);
    for (const { parent, provider } of kafka.resources.filter((each) => each.parent !== undefined && !each.type.startsWith('kbf:'))) assert.deepEqual([parent, provider], ['KafkaCluster', 'here']);
  });

  it('is this Kafka', () => {
    assert.deepEqual(kafka.inputsOf('kafka.strimzi.io/v1:Kafka', 'kafka'), {
      apiVersion: 'kafka.strimzi.io/v1',
      kind: 'Kafka',
      metadata: { name: 'kafka', namespace: 'kafka-cluster', annotations: { 'pulumi.com/waitFor': 'condition=Ready' } },
      spec: {
        kafka: {
          version: '4.3.1',
          listeners: [
            {
              name: 'external',
              port: 9094,
              type: 'loadbalancer',
              tls: true,
              configuration: {
                ...own,
                bootstrap: { annotations: dns('bootstrap.kafka.example') },
                brokers: [0, 1, 2].map((broker) => ({ broker, advertisedHost: `broker-${broker}.kafka.example`, annotations: dns(`broker-${broker}.kafka.example`) })),
              },
            },
          ],
          readinessProbe: { initialDelaySeconds: 5, periodSeconds: 3, timeoutSeconds: 5 },
          jvmOptions: { javaSystemProperties: [{ name: 'sun.net.inetaddr.ttl', value: '1' }] },
          config: {
            'default.replication.factor': 3,
            'min.insync.replicas': 2,
            'offsets.topic.replication.factor': 3,
            'transaction.state.log.replication.factor': 3,
            'transaction.state.log.min.isr': 2,
            'group.initial.rebalance.delay.ms': 0,
            'socket.connection.setup.timeout.ms': 2_000,
            'broker.session.timeout.ms': 6_000,
            'broker.heartbeat.interval.ms': 1_500,
          },
        },
      },
    });
  });

  it('is this node pool', () => {
    const { metadata, spec } = kafka.inputsOf('kafka.strimzi.io/v1:KafkaNodePool', 'kafka-pool');
    assert.deepEqual(metadata, { name: 'kafka', namespace: 'kafka-cluster', labels: { 'strimzi.io/cluster': 'kafka' }, annotations: { 'strimzi.io/next-node-ids': '[0-2]' } });
    assert.deepEqual(spec, {
      replicas: 3, roles: ['controller', 'broker'], template: { pod: { topologySpreadConstraints: apart } },
      storage: { type: 'jbod', volumes: [{ id: 0, type: 'persistent-claim', size: '10Gi', deleteClaim: false, kraftMetadata: 'shared' }] },
    });
  });

  it('shows a certificate by a root of its own, for ten years and one', () => {
    const { spec: rootSpec } = kafka.inputsOf('cert-manager.io/v1:Certificate', 'kafka-root') as { spec: Written };
    assert.deepEqual([rootSpec['isCA'], rootSpec['duration'], rootSpec['secretName'], rootSpec['issuerRef']], [true, '87600h', 'kafka-listener-ca', { name: 'kafka-self-signed', kind: 'Issuer' }]);
    assert.deepEqual(rootSpec['privateKey'], { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Never' }, 'renewed, it signs what it signed before');
    // Another stack's Kafka in the cluster may have this name.
    assert.deepEqual((kafka.inputsOf('cert-manager.io/v1:Issuer', 'kafka-self-signed') as { metadata: Written }).metadata, { name: 'kafka-self-signed', namespace: 'kafka-cluster' });
    assert.deepEqual(certificateOf(kafka), {
      secretName: 'kafka-listener',
      commonName: 'kafka listener',
      dnsNames: ['bootstrap.kafka.example', 'broker-0.kafka.example', 'broker-1.kafka.example', 'broker-2.kafka.example', ...inside('kafka-kafka-external-bootstrap')],
      duration: '8760h',
      usages: ['server auth', 'digital signature', 'key encipherment'],
      privateKey: { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Always' },
      issuerRef: { name: 'kafka-listener-ca', kind: 'Issuer' },
    });
  });

  it('says where it is reached, and by which CA it is trusted', () => {
    assert.deepEqual(outputs(kafka), {
      cluster: 'here',
      bootstrapServers: 'bootstrap.kafka.example:9094',
      caCertificate: root,
      listeners: [{ name: 'external', type: 'loadbalancer', tls: true, bootstrapServers: 'bootstrap.kafka.example:9094' }],
    });
  });

  it('lets no key into the state', () => {
    assert.doesNotMatch(JSON.stringify([kafka.resources, outputs(kafka)]), /PRIVATE KEY|leaf-key/);
  });
});

/** What each type of listener has in its configuration beside a certificate, what brokers advertise, and where it is reached. */
const types: Record<string, { exposure: Written; hosts: string[]; at: string; alternatives?: string[] }> = {
  loadbalancer: {
    exposure: {
      bootstrap: { annotations: dns('bootstrap.kafka.example') },
      brokers: [0, 1, 2].map((broker) => ({ broker, advertisedHost: `broker-${broker}.kafka.example`, annotations: dns(`broker-${broker}.kafka.example`) })),
    },
    hosts: ['bootstrap.kafka.example', 'broker-0.kafka.example', 'broker-1.kafka.example', 'broker-2.kafka.example'],
    at: 'bootstrap.kafka.example:9094',
    alternatives: ['bootstrap.kafka.example'],
  },
  nodeport: {
    exposure: {
      bootstrap: { annotations: dns('bootstrap.kafka.example') },
      brokers: [0, 1, 2].map((broker) => ({ broker, advertisedHost: `broker-${broker}.kafka.example`, annotations: dns(`broker-${broker}.kafka.example`) })),
    },
    hosts: ['bootstrap.kafka.example', 'broker-0.kafka.example', 'broker-1.kafka.example', 'broker-2.kafka.example'],
    at: 'bootstrap.kafka.example:31234',
    alternatives: ['bootstrap.kafka.example'],
  },
  ingress: {
    exposure: { bootstrap: { host: 'bootstrap.kafka.example' }, brokers: [0, 1, 2].map((broker) => ({ broker, host: `broker-${broker}.kafka.example` })) },
    hosts: ['bootstrap.kafka.example', 'broker-0.kafka.example', 'broker-1.kafka.example', 'broker-2.kafka.example'],
    at: 'bootstrap.kafka.example:443',
  },
  route: {
    exposure: {},
    hosts: ['kafka-kafka-bootstrap', 'kafka-kafka-0', 'kafka-kafka-1', 'kafka-kafka-2'].map((route) => `${route}-kafka-cluster.kafka.example`),
    at: 'kafka-kafka-bootstrap-kafka-cluster.kafka.example:443',
  },
};

/** What each source of the certificate makes beside Kafka, and what clients trust then. */
const sources: Record<string, { written: Written; objects: string[]; secret: Written; ca: string; api?: string }> = {
  'own-root': { written: { source: 'own-root' }, objects: ['Namespace kafka-namespace', ...ownObjects], secret: own.brokerCertChainAndKey, ca: root },
  issuer: {
    written: { source: 'issuer', issuer: { name: 'company', kind: 'ClusterIssuer' } },
    objects: ['Namespace kafka-namespace', 'cert-manager.io/v1:Certificate kafka-listener'],
    secret: own.brokerCertChainAndKey,
    ca: root,
  },
  secret: {
    written: { source: 'secret', secret: { name: 'company', certificate: 'chain.pem', key: 'key.pem' }, caCertificate: root },
    objects: [],
    secret: { secretName: 'company', certificate: 'chain.pem', key: 'key.pem' },
    ca: root,
  },
  'self-signed': {
    written: { source: 'self-signed' },
    objects: ['Namespace kafka-namespace', 'cert-manager.io/v1:Certificate kafka-listener', 'cert-manager.io/v1:ClusterIssuer kafka-self-signed'],
    secret: { secretName: 'kafka-kafka-cluster', certificate: 'tls.crt', key: 'tls.key' },
    ca: leaf,
    api: 'v1beta2',
  },
};

describe('a listener', () => {
  for (const [type, { exposure, hosts, at, alternatives }] of Object.entries(types)) {
    for (const [source, { written, objects, secret, ca, api = 'v1' }] of Object.entries(sources)) {
      it(`of type ${type} shows a certificate of source ${source}`, async () => {
        const { cert, key } = await serverCertificate(hosts);
        const answers = operators({ company: { 'chain.pem': cert, 'key.pem': key }, 'kafka-kafka-cluster': { 'ca.crt': leaf, 'tls.key': 'leaf-key' } });
        const kafka = await made({ api, listeners: [{ type }], certificate: written }, answers);
        assert.deepEqual(kafkaOf(kafka, api)['listeners'], [{ name: 'external', port: 9094, type, tls: true, configuration: { brokerCertChainAndKey: secret, ...exposure } }]);
        assert.deepEqual(kafka.childrenOf('KafkaCluster'), [...objects, ...(api === 'v1' ? strimziObjects : ['kafka.strimzi.io/v1beta2:Kafka kafka'])]);
        if (source !== 'secret') assert.deepEqual(certificateOf(kafka)['dnsNames'], [...hosts, ...inside('kafka-kafka-external-bootstrap')]);
        const { bootstrapServers, caCertificate } = outputs(kafka);
        assert.deepEqual([bootstrapServers, caCertificate], [at, ca]);
      });
    }

    it(`of type ${type} shows a certificate of the operator`, async () => {
      const kafka = await made({ listeners: [{ type, certificate: 'operator' }] });
      const { bootstrap, ...rest } = exposure as { bootstrap?: Written };
      const configuration = { ...(bootstrap && { bootstrap: { ...bootstrap, ...(alternatives && { alternativeNames: alternatives }) } }), ...rest };
      assert.deepEqual(kafkaOf(kafka)['listeners'], [
        { name: 'external', port: 9094, type, tls: true, ...(Object.keys(configuration).length === 0 ? {} : { configuration }) },
      ]);
      assert.deepEqual(kafka.childrenOf('KafkaCluster'), ['Namespace kafka-namespace', ...strimziObjects]);
      assert.equal(outputs(kafka)['caCertificate'], root);
    });
  }

  it('whose certificate is given may be trusted by several CAs', async () => {
    const { cert, key } = await serverCertificate(types['route']?.hosts ?? []);
    const authorities: string[] = [];
    await record(() => {
      const written = { listeners: [{ type: 'route' }], certificate: { ...sources['secret']?.written, caCertificate: `${root}${leaf}` } };
      const kafka = new KafkaCluster('kafka', { ...settings(written) as InstalledKafka, cluster: answeringCluster(operators({ company: { 'chain.pem': cert, 'key.pem': key } }))('here'), givenNamespace: true });
      for (const authority of kafka.authorities) authority.apply((pem) => authorities.push(pem));
    });
    assert.deepEqual(authorities, [root, leaf]);
  });

  it('that is internal has no configuration unless it has its own certificate, for the names of Services and brokers', async () => {
    const kafka = await made({ listeners: [{ name: 'plain', type: 'internal', port: 9092, tls: false }, { name: 'tls', type: 'internal', port: 9093, certificate: 'own' }, { type: 'route' }] });
    const [plain, tls] = kafkaOf(kafka)['listeners'] as Written[];
    assert.deepEqual([plain, tls], [{ name: 'plain', port: 9092, type: 'internal', tls: false }, { name: 'tls', port: 9093, type: 'internal', tls: true, configuration: own }]);
    assert.deepEqual(certificateOf(kafka)['dnsNames'], [...inside('kafka-kafka-bootstrap'), ...inside('*.kafka-kafka-brokers'), ...(types['route']?.hosts ?? []), ...inside('kafka-kafka-external-bootstrap')]);
    assert.deepEqual((outputs(kafka)['listeners'] as Written[]).map(({ name, bootstrapServers }) => [name, bootstrapServers]), [
      ['plain', 'kafka-kafka-bootstrap.kafka-cluster.svc:9092'],
      ['tls', 'kafka-kafka-bootstrap.kafka-cluster.svc:9093'],
      ['external', 'kafka-kafka-bootstrap-kafka-cluster.kafka.example:443'],
    ]);
    assert.equal(outputs(kafka)['bootstrapServers'], 'kafka-kafka-bootstrap-kafka-cluster.kafka.example:443', 'bridges come in by the first listener from outside');
  });

  it('has the class, annotations and authentication that are given', async () => {
    const kafka = await made({ listeners: [{ type: 'loadbalancer', class: 'service.k8s.aws/nlb', annotations: { a: 'b' }, authentication: 'scram-sha-512' }, { name: 'web', type: 'ingress', port: 9095, class: 'nginx', annotations: { c: 'd' } }] });
    const [balanced, web] = kafkaOf(kafka)['listeners'] as { authentication?: unknown; configuration: { class: string; bootstrap: Written; brokers: Written[] } }[];
    assert.deepEqual(balanced?.authentication, { type: 'scram-sha-512' });
    assert.equal(balanced?.configuration.class, 'service.k8s.aws/nlb');
    assert.deepEqual(balanced?.configuration.bootstrap, { annotations: { ...dns('bootstrap.kafka.example'), a: 'b' } });
    assert.equal(web?.configuration.class, 'nginx');
    assert.deepEqual([web?.configuration.bootstrap, web?.configuration.brokers[0]], [
      { host: 'bootstrap-web.kafka.example', annotations: { c: 'd' } },
      { broker: 0, host: 'broker-0-web.kafka.example', annotations: { c: 'd' } },
    ]);
  });
});

describe('a Kafka with settings', () => {
  it('has volumes, resources, settings of brokers and days of certificates as given, settings over the safe ones', async () => {
    const kafka = await made({
      brokers: 5,
      storage: { size: '20Gi', class: 'fast', deleteClaim: true },
      resources: { requests: { cpu: '500m', memory: '2Gi' }, limits: { memory: '4Gi' } },
      config: { 'min.insync.replicas': 3, 'auto.create.topics.enable': false },
      certificate: { rootDays: 100, leafDays: 10, hosts: ['*.kafka.example'] },
    });
    const { spec } = kafka.inputsOf('kafka.strimzi.io/v1:KafkaNodePool', 'kafka-pool') as { spec: Written };
    assert.deepEqual(spec, {
      replicas: 5, roles: ['controller', 'broker'], template: { pod: { topologySpreadConstraints: apart } },
      storage: { type: 'jbod', volumes: [{ id: 0, type: 'persistent-claim', size: '20Gi', class: 'fast', deleteClaim: true, kraftMetadata: 'shared' }] },
      resources: { requests: { cpu: '500m', memory: '2Gi' }, limits: { memory: '4Gi' } },
    });
    const { config } = kafkaOf(kafka) as { config: Written };
    assert.deepEqual([config['min.insync.replicas'], config['auto.create.topics.enable'], config['default.replication.factor']], [3, false, 3]);
    const { spec: rootSpec } = kafka.inputsOf('cert-manager.io/v1:Certificate', 'kafka-root') as { spec: Written };
    assert.deepEqual([rootSpec['duration'], certificateOf(kafka)['duration'], certificateOf(kafka)['dnsNames']], ['2400h', '240h', ['*.kafka.example']]);
  });

  it('says the version of its metadata where one is asked for', async () => {
    const said = async (kafka: Written): Promise<unknown> => ((await made(kafka)).inputsOf('kafka.strimzi.io/v1:Kafka', 'kafka') as { spec: { kafka: Written } }).spec.kafka['metadataVersion'];
    assert.deepEqual([await said({}), await said({ metadataVersion: '4.2-IV1' })], [undefined, '4.2-IV1']);
  });

  it('asks an issuer that exists for no common name: some refuse one that is no host name of the certificate', async () => {
    const kafka = await made({ certificate: { source: 'issuer', issuer: { name: 'company', kind: 'ClusterIssuer' } } });
    assert.ok(!('commonName' in certificateOf(kafka)));
  });

  it('leaves a namespace as it is that has its issuer in it', async () => {
    const kafka = await made({ certificate: { source: 'issuer', issuer: { name: 'company', kind: 'Issuer' } } });
    assert.deepEqual(kafka.childrenOf('KafkaCluster'), ['cert-manager.io/v1:Certificate kafka-listener', ...strimziObjects]);
    assert.deepEqual(certificateOf(kafka)['issuerRef'], { name: 'company', kind: 'Issuer' });
    const { metadata } = kafka.inputsOf('kafka.strimzi.io/v1:Kafka', 'kafka') as { metadata: Written };
    assert.equal(metadata['namespace'], 'kafka-cluster');
  });

  it('has its topics and the operator for them', async () => {
    const kafka = await made({ topics: [{ name: 'orders', partitions: 12, config: { 'retention.ms': 1000 } }, { name: 'Old_Names', replicas: 2 }], entityOperator: { users: true } });
    const { spec } = kafka.inputsOf('kafka.strimzi.io/v1:Kafka', 'kafka') as { spec: Written };
    assert.deepEqual(spec['entityOperator'], { topicOperator: {}, userOperator: {} });
    const asking = await made({ listeners: [{ type: 'loadbalancer', authentication: 'scram-sha-512' }] });
    assert.deepEqual((asking.inputsOf('kafka.strimzi.io/v1:Kafka', 'kafka')['spec'] as Record<string, unknown>)['entityOperator'], { userOperator: {} }, 'nobody else makes such users');
    assert.deepEqual(kafka.inputsOf('kafka.strimzi.io/v1:KafkaTopic', 'kafka-topic-orders'), {
      apiVersion: 'kafka.strimzi.io/v1',
      kind: 'KafkaTopic',
      metadata: { name: 'orders', namespace: 'kafka-cluster', labels: { 'strimzi.io/cluster': 'kafka' }, annotations: { 'pulumi.com/waitFor': 'condition=Ready' } },
      spec: { partitions: 12, replicas: 3, config: { 'retention.ms': 1000 } },
    });
    const { metadata, spec: old } = kafka.inputsOf('kafka.strimzi.io/v1:KafkaTopic', 'kafka-topic-Old_Names') as { metadata: { name: string }; spec: Written };
    assert.match(metadata.name, /^old-names-[0-9a-f]{8}$/);
    assert.deepEqual(old, { topicName: 'Old_Names', partitions: 3, replicas: 2, config: {} });
  });
});

describe('a Kafka that bridges say to who they are', () => {
  const asking = (authentication: string) => ({ listeners: [{ type: 'loadbalancer', authentication }] });
  const secret = { name: 'bridge-user', key: 'password', certificate: 'user.crt' };
  const specOf = (kafka: Recording) => (kafka.inputsOf('kafka.strimzi.io/v1:Kafka', 'kafka') as { spec: Written }).spec;

  it('has a user with the password of a Secret, in a namespace that is left as it is', async () => {
    const kafka = await made(asking('scram-sha-512'), operators({ 'bridge-user': { word: 'p' } }), { type: 'scram-sha-512', username: 'bridge', secret: { ...secret, key: 'word' } });
    assert.deepEqual(kafka.childrenOf('KafkaCluster'), [...ownObjects, ...strimziObjects, 'kafka.strimzi.io/v1:KafkaUser kafka-user'].sort());
    assert.deepEqual(kafka.inputsOf('kafka.strimzi.io/v1:KafkaUser', 'kafka-user'), {
      apiVersion: 'kafka.strimzi.io/v1',
      kind: 'KafkaUser',
      metadata: { name: 'bridge', namespace: 'kafka-cluster', labels: { 'strimzi.io/cluster': 'kafka' }, annotations: { 'pulumi.com/waitFor': 'condition=Ready' } },
      spec: { authentication: { type: 'scram-sha-512', password: { valueFrom: { secretKeyRef: { name: 'bridge-user', key: 'word' } } } } },
    });
    assert.ok(!('clientsCa' in specOf(kafka)));
    assert.equal(outputs(kafka)['bootstrapServers'], 'bootstrap.kafka.example:9094');
  });

  it('trusts the CA that signed their certificate', async () => {
    const kafka = await made(asking('tls'), operators({ 'kafka-clients-ca-cert': { 'ca.crt': root }, 'kafka-clients-ca': { 'ca.key': 'k' } }), { type: 'tls', secret });
    assert.deepEqual(kafka.childrenOf('KafkaCluster'), [...ownObjects, ...strimziObjects]);
    assert.deepEqual(specOf(kafka)['clientsCa'], { generateCertificateAuthority: false });
  });

  it('needs those Secrets before', () => {
    const { namespace, name, listeners } = settings(asking('tls')) as InstalledKafka;
    const labels = { 'strimzi.io/kind': 'Kafka', 'strimzi.io/cluster': 'kafka' };
    assert.deepEqual(kafkaSecrets({ namespace, name, listeners }, { type: 'tls', secret }), [
      { path: 'bridge.authentication', namespace: 'kafka-cluster', name: 'kafka-clients-ca-cert', entries: ['ca.crt'], labels },
      { path: 'bridge.authentication', namespace: 'kafka-cluster', name: 'kafka-clients-ca', entries: ['ca.key'], labels },
    ]);
  });

  it('has a CA of Strimzi’s own for clients that are no bridges', async () => {
    const kafka = await made({ listeners: [{ type: 'loadbalancer' }, { type: 'internal', name: 'in', port: 9095, authentication: 'tls' }] });
    assert.ok(!('clientsCa' in specOf(kafka)));
    assert.ok(kafka.childrenOf('KafkaCluster').includes('Namespace kafka-namespace'));
  });
});

describe('a Kafka that exists', () => {
  it('has no objects, and its outputs are what is given', async () => {
    const kafka = await made({ existing: { bootstrapServers: 'a.example:9094,b.example:9094', caCertificate: root } });
    assert.deepEqual(kafka.resources.map(({ type }) => type), ['kbf:index:KafkaCluster']);
    assert.deepEqual(outputs(kafka), { bootstrapServers: 'a.example:9094,b.example:9094', caCertificate: root, listeners: [] });
  });
});

/** Names of a Service in its own cluster. */
function inside(service: string): string[] {
  return [`${service}.kafka-cluster.svc`, `${service}.kafka-cluster.svc.cluster.local`];
}
