import assert from 'node:assert/strict';
import { neededBy } from '../../sandbox/operators/strimzi/availability.ts';
import { kafkaBasics, kafkaNodeObjects, nodePod, type KafkaFacts } from '../../sandbox/operators/strimzi/kafka-objects.ts';
import { type KafkaPlan, nodeIds, planKafka } from '../../sandbox/operators/strimzi/kafka-plan.ts';
import { kafkaServices } from '../../sandbox/operators/strimzi/kafka-services.ts';
import { kafkaStatus, kafkaWarnings, poolStatus } from '../../sandbox/operators/strimzi/kafka-status.ts';
import { Failure, type Kafka, type KafkaNodePool, type Listener } from '../../sandbox/operators/strimzi/model.ts';
import { unhonouredWarnings } from '../../sandbox/operators/strimzi/status.ts';
import { find, kafka, names, pool, release, secret } from './strimzi-fixtures.ts';

const planOf = (from: Kafka, pools: KafkaNodePool[]): KafkaPlan => planKafka(from, pools, release);

const plan = planOf(kafka(), [pool()]);
const address = (ip: string) => ({ status: { loadBalancer: { ingress: [{ ip }] } } });
const facts: KafkaFacts = {
  clusterId: 'id', secrets: new Map([['cert', secret({ 'tls.crt': 'CHAIN', 'tls.key': 'KEY' })]]),
  services: new Map([['kafka-kafka-external-bootstrap', address('10.0.0.1')], ['kafka-kafka-0', address('10.0.0.2')]]),
  nodeAddress: undefined, clientsCa: undefined,
};

function fails(reason: string, message: RegExp, change: (kafka: Kafka) => void, pools: KafkaNodePool[] = [pool()]): void {
  assert.throws(() => planOf(kafka(change), pools), (error: unknown) => error instanceof Failure && error.reason === reason && message.test(error.message));
}

describe('strimzi: the objects of a Kafka', () => {
  it('have Services for all ways in', () => {
    assert.deepEqual(names(kafkaServices(plan)), ['kafka-kafka-bootstrap', 'kafka-kafka-brokers', 'kafka-kafka-external-bootstrap', 'kafka-kafka-0', 'kafka-kafka-1', 'kafka-kafka-2'].map((name) => `Service ${name}`));
    const external = find(kafkaServices(plan), 'Service', 'kafka-kafka-1');
    assert.equal(external.metadata.annotations?.['external-dns.alpha.kubernetes.io/hostname'], 'broker-1.kafka.example');
    assert.deepEqual([external.spec['type'], (external.spec['selector'] as Record<string, string>)['strimzi.io/pod-name']], ['LoadBalancer', 'kafka-kafka-1']);
    assert.deepEqual(external.spec['ports'], [{ name: 'tcp-external', port: 9094, targetPort: 9094, protocol: 'TCP' }]);
  });

  it('name brokers\' Services by listener unless it is the old external one', () => {
    const other = planOf(kafka(({ spec }) => { const [listener] = spec.kafka.listeners; if (listener) { listener.name = 'outside'; listener.port = 9095; } }), [pool()]);
    assert.ok(names(kafkaServices(other)).includes('Service kafka-kafka-outside-2'));
  });

  it('show pods that are not ready in the headless Service, so that brokers find each other', () => {
    const { spec } = find(kafkaServices(plan), 'Service', 'kafka-kafka-brokers');
    assert.deepEqual([spec['clusterIP'], spec['publishNotReadyAddresses']], ['None', true]);
  });

  it('keep claims that are not to be deleted', () => {
    const claim = find(kafkaBasics(plan), 'PersistentVolumeClaim', 'data-0-kafka-kafka-0');
    assert.equal(claim.metadata.ownerReferences, undefined);
    const going = planOf(kafka(), [pool(({ spec }) => { if (spec.storage.type === 'jbod' && spec.storage.volumes[0]) spec.storage.volumes[0].deleteClaim = true; })]);
    assert.equal(find(kafkaBasics(going), 'PersistentVolumeClaim', 'data-0-kafka-kafka-0').metadata.ownerReferences?.length, 1);
  });

  it('copy the listener\'s certificate for each node', () => {
    const { data } = find(kafkaNodeObjects(plan, facts), 'Secret', 'kafka-kafka-2');
    assert.deepEqual(data, { 'external-9094.crt': Buffer.from('CHAIN').toString('base64'), 'external-9094.key': Buffer.from('KEY').toString('base64') });
  });

  it('give pods the resources of their pool', () => {
    const resources = { requests: { memory: '1Gi' }, limits: { cpu: '2' } };
    const limited = planOf(kafka(), [pool(({ spec }) => { spec.resources = resources; })]);
    const pod = (from: KafkaPlan) => { const [node] = from.nodes; assert.ok(node); return nodePod(from, node, facts) as unknown as { spec: { containers: { resources?: object }[] } }; };
    assert.deepEqual(pod(limited).spec.containers[0]?.resources, resources);
    assert.ok(!('resources' in (pod(plan).spec.containers[0] ?? {})));
  });

  it('keep pods apart as their pool says, and name no field of that', () => {
    const constraints = [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname' }];
    const apart = pool(({ spec }) => { spec.template = { pod: { topologySpreadConstraints: constraints } }; });
    const spec = (from: KafkaPlan) => nodePod(from, from.nodes[0] ?? assert.fail(), facts)['spec'] as { topologySpreadConstraints?: object[] };
    assert.deepEqual(spec(planOf(kafka(), [apart])).topologySpreadConstraints, constraints);
    assert.ok(!('topologySpreadConstraints' in spec(plan)));
    assert.deepEqual(unhonouredWarnings(apart, 'KafkaNodePool'), []);
  });

  it('start pods anew for another configuration or certificate, not for the same', () => {
    const [node] = plan.nodes;
    assert.ok(node);
    const revision = (with_: KafkaFacts, from = plan): unknown => nodePod(from, from.nodes[0] ?? node, with_).metadata.annotations?.['strimzi.io/revision'];
    const renewed: KafkaFacts = { ...facts, secrets: new Map([['cert', secret({ 'tls.crt': 'NEW', 'tls.key': 'KEY' })]]) };
    const configured = planOf(kafka(({ spec }) => { spec.kafka.config = { ...spec.kafka.config, 'num.io.threads': 2 }; }), [pool()]);
    assert.equal(revision(facts), revision(facts, planOf(kafka(), [pool()])));
    assert.notEqual(revision(facts), revision(renewed));
    assert.notEqual(revision(facts), revision(facts, configured));
    const pinned = planOf(kafka(({ spec }) => { spec.kafka.metadataVersion = '4.2'; }), [pool()]);
    assert.equal(revision(facts), revision(facts, pinned));
    assert.equal(find(kafkaNodeObjects(pinned, facts), 'ConfigMap', 'kafka-kafka-0').data['metadata.version'], '4.2');
  });
});

describe('strimzi: a broker\'s configuration', () => {
  const config = find(kafkaNodeObjects(plan, facts), 'ConfigMap', 'kafka-kafka-1').data['server.config'] ?? '';
  const values = new Map(config.trim().split('\n').map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
  const expected: [string, string][] = [
    ['node.id', '1'], ['process.roles', 'broker,controller'],
    ['controller.quorum.voters', [0, 1, 2].map((id) => `${String(id)}@kafka-kafka-${String(id)}.kafka-kafka-brokers.ns.svc:9090`).join(',')],
    ['listeners', 'CONTROLPLANE-9090://0.0.0.0:9090,REPLICATION-9091://0.0.0.0:9091,EXTERNAL-9094://0.0.0.0:9094'],
    ['advertised.listeners', 'REPLICATION-9091://kafka-kafka-1.kafka-kafka-brokers.ns.svc:9091,EXTERNAL-9094://broker-1.kafka.example:9094'],
    ['listener.security.protocol.map', 'CONTROLPLANE-9090:PLAINTEXT,REPLICATION-9091:PLAINTEXT,EXTERNAL-9094:SSL'],
    ['listener.name.external-9094.ssl.keystore.certificate.chain', '${strimzidir:/opt/kafka/listener-certificates:external-9094.crt}'], ['listener.name.external-9094.ssl.keystore.type', 'PEM'],
    ['log.dirs', '/var/lib/kafka/data-0/kafka-log1'], ['min.insync.replicas', '2'],
  ];
  for (const [key, value] of expected) it(`says ${key}`, () => assert.equal(values.get(key), value));

  it('has of what only the operator may set no more than the exceptions', () => {
    const given = { 'broker.session.timeout.ms': 6000, 'controller.quorum.fetch.timeout.ms': 1500, 'broker.id': 7, 'controller.listener.names': 'X' };
    const own = find(kafkaNodeObjects(planOf(kafka(({ spec }) => { spec.kafka.config = given; }), [pool()]), facts), 'ConfigMap', 'kafka-kafka-0').data['server.config'] ?? '';
    assert.deepEqual(Object.keys(given).filter((key) => own.split('\n').includes(`${key}=${String(given[key as keyof typeof given])}`)), ['broker.session.timeout.ms', 'controller.quorum.fetch.timeout.ms']);
  });

  it('advertises the load balancer where no host is configured', () => {
    const open = planOf(kafka(({ spec }) => { const [listener] = spec.kafka.listeners; if (listener?.configuration) delete listener.configuration.brokers; }), [pool()]);
    assert.match(find(kafkaNodeObjects(open, facts), 'ConfigMap', 'kafka-kafka-0').data['server.config'] ?? '', /EXTERNAL-9094:\/\/10\.0\.0\.2:9094/);
  });
});

describe('strimzi: a broker that knows its clients', () => {
  const knowing = (change: Partial<Listener>): KafkaPlan => planOf(kafka(({ spec }) => { spec.kafka.listeners = spec.kafka.listeners.map((listener) => ({ ...listener, ...change })); }), [pool()]);
  const lines = (of: KafkaPlan): string[] => (find(kafkaNodeObjects(of, { ...facts, clientsCa: 'CA' }), 'ConfigMap', 'kafka-kafka-0').data['server.config'] ?? '').split('\n');
  const protocol = (of: KafkaPlan): string | undefined => lines(of).find((line) => line.startsWith('listener.security.protocol.map='))?.split(',').at(-1);

  it('by a password has a listener with SASL, and those that brokers have for each other are as before', () => {
    const scram = knowing({ authentication: { type: 'scram-sha-512' } });
    assert.ok(lines(scram).includes('listener.security.protocol.map=CONTROLPLANE-9090:PLAINTEXT,REPLICATION-9091:PLAINTEXT,EXTERNAL-9094:SASL_SSL'));
    assert.equal(protocol(knowing({ tls: false, authentication: { type: 'scram-sha-512' } })), 'EXTERNAL-9094:SASL_PLAINTEXT');
    assert.deepEqual(lines(scram).filter((line) => line.includes('sasl')), [
      'listener.name.external-9094.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required ;', 'listener.name.external-9094.sasl.enabled.mechanisms=SCRAM-SHA-512',
    ]);
  });

  it('by a certificate trusts the clients\' CA, which lies in its Secret', () => {
    const tls = knowing({ authentication: { type: 'tls' } });
    assert.equal(protocol(tls), 'EXTERNAL-9094:SSL');
    assert.deepEqual(lines(tls).filter((line) => /client\.auth|truststore/.test(line)), [
      'listener.name.external-9094.ssl.client.auth=required', 'listener.name.external-9094.ssl.truststore.certificates=${strimzidir:/opt/kafka/listener-certificates:clients-ca.crt}', 'listener.name.external-9094.ssl.truststore.type=PEM',
    ]);
    assert.equal(find(kafkaNodeObjects(tls, { ...facts, clientsCa: 'CA' }), 'Secret', 'kafka-kafka-0').data['clients-ca.crt'], Buffer.from('CA').toString('base64'));
    const revision = (clientsCa: string): unknown => nodePod(tls, tls.nodes[0] ?? assert.fail(), { ...facts, clientsCa }).metadata.annotations?.['strimzi.io/revision'];
    assert.notEqual(revision('CA'), revision('OTHER'));
  });
});

describe('strimzi: node ids', () => {
  const cases: [string, Partial<{ next: string; had: number[]; replicas: number; taken: number[] }>, number[]][] = [
    ['are the lowest free ones', { taken: [0, 2] }, [1, 3, 4]], ['are those that are asked for', { next: '[7-8, 3]' }, [7, 8, 3]], ['stay once given', { had: [4, 5, 6], next: '[0-2]' }, [4, 5, 6]],
    ['grow by what is asked for', { had: [0, 1, 2], replicas: 4, next: '[10]' }, [0, 1, 2, 10]], ['shrink from the end', { had: [0, 1, 2], replicas: 1 }, [0]], ['ignore what is no range', { next: 'all' }, [0, 1, 2]],
  ];
  for (const [what, { next, had, replicas, taken }, expected] of cases) {
    it(what, () => {
      const resource = pool(({ metadata, spec }) => { spec.replicas = replicas ?? 3; if (next !== undefined) metadata.annotations = { 'strimzi.io/next-node-ids': next }; });
      if (had !== undefined) resource.status = { nodeIds: had };
      assert.deepEqual(nodeIds(resource, new Set(taken ?? [])), expected);
    });
  }

  it('of a pool that grows are none of a pool that comes after it', () => {
    const pools = ([['brokers', 'broker', 4, [0, 1, 2]], ['controllers', 'controller', 3, [3, 4, 5, 6]]] as const).map(([name, role, replicas, ids]) =>
      pool((resource) => { resource.metadata.name = name; Object.assign(resource.spec, { replicas, roles: [role] }); resource.status = { nodeIds: [...ids] }; }));
    assert.deepEqual(planOf(kafka(), pools).nodes.map(({ name }) => name), ['kafka-brokers-0', 'kafka-brokers-1', 'kafka-brokers-2', 'kafka-brokers-6', 'kafka-controllers-3', 'kafka-controllers-4', 'kafka-controllers-5']);
  });
});

describe('strimzi: a Kafka that cannot be', () => {
  it('has no pool', () => { fails('InvalidConfigurationException', /^No KafkaNodePools found for Kafka cluster kafka$/, () => undefined, []); });
  it('is of an unknown version', () => { fails('UnsupportedKafkaVersionException', /^Unsupported Kafka\.spec\.kafka\.version: 4\.1\.2\. Supported versions are: \[4\.2\.0, /, ({ spec }) => { spec.kafka.version = '4.1.2'; }); });
  it('wants more replicas than brokers', () => { fails('InvalidResourceException', /'default\.replication\.factor' should be set to 3 or less/, ({ spec }) => { spec.kafka.config = { 'default.replication.factor': 4 }; }); });
  const listening = (change: Partial<Listener>) => ({ spec }: Kafka) => { spec.kafka.listeners = spec.kafka.listeners.map((listener) => ({ ...listener, ...change })); };
  it('has a route where there are none', () => { fails('NoStackTraceThrowable', /^The OpenShift route API is not available in this Kubernetes cluster\. Exposing Kafka cluster kafka using routes is not possible\.$/, listening({ type: 'route' })); });
  it('has a listener of a type that nothing serves', () => { fails('InvalidResourceException', /listener external is of type ingress, and nothing in this cluster serves that/, listening({ type: 'ingress' })); });
  it('wants to know its clients in a way that nothing here knows', () => { fails('InvalidResourceException', /listener external wants authentication of type custom, which this stand-in does not offer \(tls, scram-sha-512 are offered\)/, listening({ authentication: { type: 'custom' } })); });
  it('wants certificates of clients without TLS', () => { fails('InvalidResourceException', /listener external cannot use tls type authentication with disabled TLS encryption/, listening({ tls: false, authentication: { type: 'tls' } })); });
  it('has TLS without a certificate', () => { fails('InvalidResourceException', /needs configuration\.brokerCertChainAndKey/, ({ spec }) => { if (spec.kafka.listeners[0]) spec.kafka.listeners[0].configuration = {}; }); });
  it('has a certificate that is not there', () => {
    assert.throws(() => kafkaNodeObjects(plan, { ...facts, secrets: new Map() }), /^Failure|Failed to process Secrets with custom certificates: \[Secret cert with custom TLS certificate does not exist\.\]/);
    assert.throws(() => kafkaNodeObjects(plan, { ...facts, secrets: new Map([['cert', secret({ 'tls.crt': 'x' })]]) }), /does not contain private key under the key tls\.key/);
  });
});

describe('strimzi: the status of a Kafka', () => {
  it('gives each listener\'s address and chain', () => {
    const { listeners, clusterId, kafkaVersion } = kafkaStatus(plan, facts, '4.3-IV0');
    assert.deepEqual(listeners, [{ name: 'external', addresses: [{ host: '10.0.0.1', port: 9094 }], bootstrapServers: '10.0.0.1:9094', certificates: ['CHAIN'] }]);
    assert.deepEqual([clusterId, kafkaVersion], ['id', '4.3.1']);
  });

  it('gives a listener with ports on nodes the address of the node', () => {
    const onNodes = planOf(kafka(({ spec }) => {
      const [listener] = spec.kafka.listeners;
      if (listener) spec.kafka.listeners.push({ ...listener, name: 'bare', port: 9095, type: 'nodeport', configuration: { ...listener.configuration, brokers: [] } });
      if (listener) listener.type = 'nodeport';
    }), [pool()]);
    const port = (nodePort: number) => ({ spec: { ports: [{ port: 9094, nodePort }] } });
    const names = ['external-bootstrap', 'bare-bootstrap'].map((name) => `kafka-kafka-${name}`).concat(['kafka-kafka-0', 'kafka-kafka-bare-0']);
    const exposed: KafkaFacts = { ...facts, nodeAddress: '10.11.0.1', services: new Map(names.map((name, index) => [name, port(30_000 + index)])) };
    const { listeners } = kafkaStatus(onNodes, exposed, '4.3-IV0') as { listeners: { bootstrapServers: string }[] };
    assert.deepEqual(listeners.map(({ bootstrapServers }) => bootstrapServers), ['10.11.0.1:30000', '10.11.0.1:30001']);
    const config = find(kafkaNodeObjects(onNodes, exposed), 'ConfigMap', 'kafka-kafka-0').data['server.config'] ?? '';
    assert.match(config, /EXTERNAL-9094:\/\/broker-0\.kafka\.example:30002,BARE-9095:\/\/10\.11\.0\.1:30003/);
    const service = find(kafkaServices(onNodes), 'Service', 'kafka-kafka-bare-0').spec;
    assert.deepEqual([service['type'], service['externalTrafficPolicy']], ['NodePort', 'Cluster']);
  });

  it('gives a pool its nodes and no Ready', () => {
    const [first] = plan.pools;
    assert.ok(first);
    const status = poolStatus(plan, first, 'id', []);
    assert.deepEqual([status['nodeIds'], status['roles'], 'conditions' in status], [[0, 1, 2], ['controller', 'broker'], false]);
  });

  it('warns of what is not wise', () => {
    const risky = planOf(kafka(({ spec }) => { spec.kafka.config = { 'inter.broker.protocol.version': '3.3' }; }), [pool(({ spec }) => { spec.replicas = 2; })]);
    assert.deepEqual(kafkaWarnings(risky).map(({ reason }) => reason), ['KafkaDefaultReplicationFactor', 'KafkaMinInsyncReplicas', 'KafkaKRaftControllerNodeCount', 'KafkaInterBrokerProtocolVersionInKRaft']);
    assert.deepEqual(kafkaWarnings(plan), []);
  });
});

describe('strimzi: a broker that is to be restarted', () => {
  const partition = (inSync: number[], minInSync = 2, replicas = [0, 1, 2]) => ({ topic: 't', index: 3, replicas, inSync, minInSync });

  it('may go while enough others have every record', () => {
    assert.equal(neededBy(1, [partition([0, 1, 2])]), undefined);
    assert.equal(neededBy(1, [partition([0, 2])]), undefined);
  });

  it('stays while one that was restarted before has not caught up', () => {
    assert.equal(neededBy(1, [partition([0, 1, 2]), partition([1, 2])]), 't-3, in sync on 1, 2 of 0, 1, 2 and written to 2');
  });

  it('goes where there is never a good time', () => {
    assert.equal(neededBy(0, [partition([0, 1], 2, [0, 1])]), undefined);
  });
});
