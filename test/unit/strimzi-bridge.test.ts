import assert from 'node:assert/strict';
import { bridgeBasics, bridgeWorkload, refuseUnlike, trustedCertificates } from '../../sandbox/operators/strimzi/bridge-objects.ts';
import { bridgeProperties } from '../../sandbox/operators/strimzi/bridge-properties.ts';
import { labelsOf } from '../../sandbox/operators/strimzi/labels.ts';
import { Failure } from '../../sandbox/operators/strimzi/model.ts';
import { differs, finished, unhonouredWarnings } from '../../sandbox/operators/strimzi/status.ts';
import { bridge, find, names, release, secret } from './strimzi-fixtures.ts';

const selector = { 'strimzi.io/cluster': 'my', 'strimzi.io/name': 'my-bridge', 'strimzi.io/kind': 'KafkaBridge' };
const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;

describe('strimzi: the objects of a KafkaBridge', () => {
  it('are Strimzi\'s, by name', () => {
    assert.deepEqual(names(bridgeBasics(bridge())), ['ServiceAccount my-bridge', 'Role my-bridge', 'RoleBinding my-bridge-role', 'Service my-bridge-service']);
    assert.deepEqual(names(bridgeWorkload(bridge(), 'PEM', release)), ['Secret my-bridge-tls-trusted-certs', 'ConfigMap my-bridge-config', 'Deployment my-bridge', 'PodDisruptionBudget my-bridge']);
  });

  it('need no rights and no Secret without TLS', () => {
    const plain = bridge(({ spec }) => { delete spec.tls; });
    assert.deepEqual([...names(bridgeBasics(plain)), ...names(bridgeWorkload(plain, '', release))], ['ServiceAccount my-bridge', 'Service my-bridge-service', 'ConfigMap my-bridge-config', 'Deployment my-bridge', 'PodDisruptionBudget my-bridge']);
  });

  it('go with their resource, which does not control them', () => {
    for (const { metadata } of [...bridgeBasics(bridge()), ...bridgeWorkload(bridge(), 'PEM', release)]) {
      assert.deepEqual(metadata.ownerReferences, [{ apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaBridge', name: 'my', uid: 'u1', controller: false, blockOwnerDeletion: true }]);
    }
  });

  it('put template labels where Strimzi puts them, and never into selectors', () => {
    const service = find(bridgeBasics(bridge()), 'Service', 'my-bridge-service');
    const deployment = find(bridgeWorkload(bridge(), 'PEM', release), 'Deployment', 'my-bridge');
    const { selector: matched, template, replicas } = deployment.spec as { selector: object; replicas: number; template: { metadata: { labels: Record<string, string>; annotations: Record<string, string> } } };
    assert.equal(service.metadata.labels?.['failover'], 'enabled');
    assert.equal(deployment.metadata.labels?.['failover'], undefined);
    assert.deepEqual([template.metadata.labels['local'], template.metadata.labels['failover']], ['true', undefined]);
    assert.deepEqual([matched, service.spec['selector'], replicas], [{ matchLabels: selector }, selector, 2]);
    assert.match(template.metadata.annotations['strimzi.io/configuration-hash'] ?? '', /^[0-9a-f]{8}$/);
  });

  it('carry the resource\'s own labels but those of kustomize and app.kubernetes.io', () => {
    const labelled = bridge(({ metadata }) => { metadata.labels = { team: 'a', 'app.kubernetes.io/name': 'x', 'app.kubernetes.io/part-of': 'y', 'kustomize.toolkit.fluxcd.io/name': 'z' }; });
    const labels = labelsOf({ owner: labelled, kind: 'KafkaBridge', name: 'my-bridge', type: 'kafka-bridge' });
    assert.deepEqual([labels['team'], labels['app.kubernetes.io/name'], labels['app.kubernetes.io/part-of'], labels['kustomize.toolkit.fluxcd.io/name']], ['a', 'kafka-bridge', 'strimzi-my', undefined]);
  });

  it('cannot be made with labels of Strimzi\'s own', () => {
    assert.throws(() => bridgeBasics(bridge(({ metadata }) => { metadata.labels = { 'strimzi.io/foo': 'x' }; })), (error: unknown) => error instanceof Failure && error.reason === 'IllegalArgumentException');
  });

  it('hand over to Kubernetes what it does with pods: probes, resources, spread and budget', () => {
    const asked = bridge(({ spec }) => {
      Object.assign(spec, { livenessProbe: { failureThreshold: 5 }, readinessProbe: { periodSeconds: 1 }, resources: { limits: { memory: '1Gi' } }, image: 'quay.io/strimzi/kafka-bridge:1.0.0' });
      spec.template = { ...spec.template, pod: { ...spec.template?.pod, topologySpreadConstraints: [{ maxSkew: 1 }] }, podDisruptionBudget: { maxUnavailable: 2 } };
    });
    const objects = bridgeWorkload(asked, 'PEM', release);
    const { template } = find(objects, 'Deployment', 'my-bridge').spec as { template: { spec: { topologySpreadConstraints: unknown; containers: Record<string, unknown>[] } } };
    assert.deepEqual(template.spec.topologySpreadConstraints, [{ maxSkew: 1 }]);
    const { livenessProbe, readinessProbe, resources, image } = template.spec.containers[0] ?? {};
    assert.deepEqual([(livenessProbe as { failureThreshold: number }).failureThreshold, (readinessProbe as { periodSeconds: number }).periodSeconds, resources, image], [5, 1, { limits: { memory: '1Gi' } }, 'quay.io/strimzi/kafka-bridge:1.0.0']);
    assert.equal(find(objects, 'PodDisruptionBudget', 'my-bridge').spec['maxUnavailable'], 2);
    assert.deepEqual(unhonouredWarnings(asked, 'KafkaBridge'), []);
  });

  it('are refused where they would be another bridge: without a port, or with users that nothing here knows', () => {
    const wrong = [bridge(({ spec }) => { delete spec.http; }), bridge(({ spec }) => { spec.authentication = { type: 'tls' }; })];
    const reasons = wrong.map((one) => { try { refuseUnlike(one); return undefined; } catch (error) { return (error as Failure).reason; } });
    assert.deepEqual(reasons, ['InvalidResourceException', 'UnhonouredByStandIn']);
  });

  it('change the pods\' annotations with configuration and certificates', () => {
    const annotations = (changed: string, certificates: string): unknown =>
      (find(bridgeWorkload(bridge(({ spec }) => { spec.bootstrapServers = changed; }), certificates, release), 'Deployment', 'my-bridge').spec['template'] as { metadata: { annotations: unknown } }).metadata.annotations;
    assert.notDeepEqual(annotations('a:1', 'x'), annotations('b:1', 'x'));
    assert.notDeepEqual(annotations('a:1', 'x'), annotations('a:1', 'y'));
    assert.deepEqual(annotations('a:1', 'x'), annotations('a:1', 'x'));
  });
});

describe('strimzi: a bridge\'s properties', () => {
  const text = bridgeProperties(bridge());
  const values = new Map(text.trim().split('\n').map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));

  const expected: [string, string | undefined][] = [
    ['bridge.id', 'my'], ['kafka.bootstrap.servers', 'bootstrap.kafka.example:9094'], ['kafka.ssl.truststore.certificates', '${strimzisecrets:ns/my-bridge-tls-trusted-certs:ca.crt}'],
    ['kafka.producer.acks', 'all'], ['kafka.producer.max.block.ms', '3000'], ['kafka.producer.ssl.truststore.location', undefined], ['kafka.consumer.group.id', undefined],
    ['http.host', '0.0.0.0'], ['http.port', '8080'], ['http.timeoutSeconds', '60'], ['http.cors.enabled', 'false'], ['bridge.executor.pool.size', '32'],
  ];
  for (const [key, value] of expected) it(`say ${value ?? 'nothing'} for ${key}`, () => assert.equal(values.get(key), value));

  it('end with the protocol', () => assert.equal(text.trim().split('\n').at(-1), 'kafka.security.protocol=SSL'));
});

describe('strimzi: trusted certificates', () => {
  const two = new Map([['ca', secret({ 'ca.crt': `${pem('one')}\n${pem('two')}`, 'new.crt': pem('new') })]]);

  it('are the first of each key', () => assert.equal(trustedCertificates(bridge(), two), pem('one')));

  it('are all keys of a pattern', () => {
    const wide = bridge(({ spec }) => { spec.tls = { trustedCertificates: [{ secretName: 'ca', pattern: '*.crt' }] }; });
    assert.equal(trustedCertificates(wide, two), `${pem('one')}\n${pem('new')}`);
  });

  const missing: [string, Map<string, ReturnType<typeof secret>>, string][] = [
    ['Secret', new Map(), 'Secret ca not found in namespace ns'],
    ['key', new Map([['ca', secret({ other: 'x' })]]), 'Items with key(s) [ca.crt] are missing in Secret ca'],
  ];
  for (const [what, secrets, message] of missing) {
    it(`fail for a missing ${what}`, () => assert.throws(() => trustedCertificates(bridge(), secrets), (error: unknown) => error instanceof Failure && error.reason === 'InvalidConfigurationException' && error.message === message));
  }
});

describe('strimzi: status', () => {
  it('is Ready of the generation that was worked on', () => {
    const status = finished(bridge(), [], { replicas: 2 });
    assert.equal(status['observedGeneration'], 3);
    assert.deepEqual((status['conditions'] as { type: string; status: string }[]).map(({ type, status: value }) => [type, value]), [['Ready', 'True']]);
  });

  it('is NotReady True after a failure, never Ready False', () => {
    const [condition] = finished(bridge(), [], {}, new Failure('SomeException', 'text'))['conditions'] as Record<string, string>[];
    assert.deepEqual([condition?.['type'], condition?.['status'], condition?.['reason'], condition?.['message']], ['NotReady', 'True', 'SomeException', 'text']);
  });

  it('says nothing new when only its time differs', () => {
    const status = finished(bridge(), [], { replicas: 2 });
    assert.equal(differs({ ...status, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: 'before' }] }, status), false);
    assert.equal(differs({ ...status, observedGeneration: 2 }, status), true);
  });

  it('says what is said of logging and metrics, which the reference bridge does not do', () => {
    const asked = bridge(({ spec }) => { Object.assign(spec, { logging: { type: 'inline' }, metricsConfig: { type: 'strimziMetricsReporter' } }); });
    assert.match(unhonouredWarnings(asked, 'KafkaBridge')[0]?.message ?? '', /: spec\.logging, spec\.metricsConfig$/);
  });

  it('names every field that is not honoured', () => {
    const odd = bridge(({ spec }) => { Object.assign(spec, { tracing: { type: 'opentelemetry' }, rack: {} }); Object.assign(spec.template ?? {}, { pod: { affinity: {} } }); });
    assert.match(unhonouredWarnings(odd, 'KafkaBridge')[0]?.message ?? '', /: spec\.template\.pod\.affinity, spec\.tracing, spec\.rack$/);
    assert.deepEqual(unhonouredWarnings(bridge(), 'KafkaBridge'), []);
  });
});
