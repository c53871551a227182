import assert from 'node:assert/strict';

import { kafkaOf, leaf, made, operators, outputs, type Written } from './kafka-fixtures.ts';

describe('the walk-through’s Kafka', () => {
  it('is the walk-through’s, field by field', async () => {
    const apps = 'apps.cluster.example';
    const hosts = ['bootstrap', '0', '1', '2'].map((name) => `openshift-kafka-${name}-kafka-cluster.${apps}`);
    const kafka = await made(
      {
        api: 'v1beta2',
        name: 'openshift',
        version: '3.4.0',
        domain: apps,
        storage: { size: '1Gi' },
        zookeeper: { storage: { size: '1Gi' } },
        config: { 'inter.broker.protocol.version': '3.3' },
        listeners: [{ name: 'plain', port: 9092, type: 'internal', tls: false }, { name: 'tls', port: 9093, type: 'internal' }, { type: 'route' }],
        certificate: { source: 'self-signed', organization: 'redhat', leafDays: 90, hosts },
        entityOperator: { topics: true, users: true },
      },
      operators({ 'openshift-kafka-cluster': { 'ca.crt': leaf } }),
    );
    const claim = { type: 'persistent-claim', size: '1Gi', deleteClaim: false };
    assert.deepEqual((kafka.inputsOf('cert-manager.io/v1:ClusterIssuer', 'kafka-self-signed')), {
      apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', metadata: { name: 'selfsigned-issuer-kafka' }, spec: { selfSigned: {} },
    });
    const { metadata, spec } = kafka.inputsOf('cert-manager.io/v1:Certificate', 'kafka-listener') as { metadata: Written; spec: Written };
    assert.deepEqual([metadata['name'], metadata['namespace']], ['openshift-kafka-cluster', 'kafka-cluster']);
    assert.deepEqual(spec, {
      secretName: 'openshift-kafka-cluster',
      issuerRef: { name: 'selfsigned-issuer-kafka', kind: 'ClusterIssuer' },
      subject: { organizations: ['redhat'] },
      dnsNames: hosts,
      // cert-manager's own default, which the walk-through leaves to it.
      duration: '2160h',
    });
    const { metadata: kafkaMetadata, ...object } = kafka.inputsOf('kafka.strimzi.io/v1beta2:Kafka', 'kafka') as { metadata: Written };
    assert.equal(kafkaMetadata['name'], 'openshift');
    assert.deepEqual(object, {
      apiVersion: 'kafka.strimzi.io/v1beta2',
      kind: 'Kafka',
      spec: {
        entityOperator: { topicOperator: {}, userOperator: {} },
        kafka: {
          config: {
            'default.replication.factor': 3,
            'inter.broker.protocol.version': '3.3',
            'min.insync.replicas': 2,
            'offsets.topic.replication.factor': 3,
            'transaction.state.log.min.isr': 2,
            'transaction.state.log.replication.factor': 3,
          },
          listeners: [
            { name: 'plain', port: 9092, tls: false, type: 'internal' },
            { name: 'tls', port: 9093, tls: true, type: 'internal' },
            {
              name: 'external',
              port: 9094,
              tls: true,
              type: 'route',
              configuration: { brokerCertChainAndKey: { secretName: 'openshift-kafka-cluster', certificate: 'tls.crt', key: 'tls.key' } },
            },
          ],
          replicas: 3,
          storage: { type: 'jbod', volumes: [{ id: 0, ...claim }] },
          version: '3.4.0',
        },
        zookeeper: { replicas: 3, storage: claim },
      },
    });
    assert.equal(outputs(kafka)['bootstrapServers'], `openshift-kafka-bootstrap-kafka-cluster.${apps}:443`);
    assert.equal(outputs(kafka)['caCertificate'], leaf);
  });
});

describe('a Kafka with ZooKeeper', () => {
  it('has volumes for that as they are asked for', async () => {
    const storage = { size: '2Gi', class: 'fast', deleteClaim: true };
    const kafka = await made({ api: 'v1beta2', version: '3.9.1', listeners: [{ type: 'route' }], zookeeper: { replicas: 5, storage } });
    const { spec } = kafka.inputsOf('kafka.strimzi.io/v1beta2:Kafka', 'kafka') as { spec: Written };
    assert.deepEqual(spec['zookeeper'], { replicas: 5, storage: { type: 'persistent-claim', ...storage } });
  });

  it('has the annotations of a route on that of each broker', async () => {
    const kafka = await made({ api: 'v1beta2', version: '3.9.1', listeners: [{ type: 'route', annotations: { a: 'b' } }] });
    const [{ configuration } = {}] = kafkaOf(kafka, 'v1beta2')['listeners'] as { configuration?: Written }[];
    const annotations = { a: 'b' };
    assert.deepEqual([configuration?.['bootstrap'], configuration?.['brokers']], [{ annotations }, [0, 1, 2].map((broker) => ({ broker, annotations }))]);
  });
});
