import assert from 'node:assert/strict';
import { credentials } from '../../sandbox/operators/strimzi/bridge-authentication.ts';
import { bridgeBasics, bridgeWorkload, refuseUnlike, trustedCertificates } from '../../sandbox/operators/strimzi/bridge-objects.ts';
import { bridgeProperties } from '../../sandbox/operators/strimzi/bridge-properties.ts';
import { labelsOf } from '../../sandbox/operators/strimzi/labels.ts';
import { Failure, type BridgeAuthentication, type KafkaBridge } from '../../sandbox/operators/strimzi/model.ts';
import { differs, finished, unhonouredWarnings } from '../../sandbox/operators/strimzi/status.ts';
import { bridge, find, names, release, secret } from './strimzi-fixtures.ts';
import { recordTopology } from './topology-fixtures.ts';

const selector = { 'strimzi.io/cluster': 'my', 'strimzi.io/name': 'my-bridge', 'strimzi.io/kind': 'KafkaBridge' };
const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;

describe('strimzi: the objects of a KafkaBridge', () => {
  it('are Strimzi\'s, by name', () => {
    assert.deepEqual(names(bridgeBasics(bridge())), ['ServiceAccount my-bridge', 'Role my-bridge', 'RoleBinding my-bridge-role', 'Service my-bridge-service']);
    assert.deepEqual(names(bridgeWorkload(bridge(), { trusted: 'PEM', credentials: '' }, release)), ['Secret my-bridge-tls-trusted-certs', 'ConfigMap my-bridge-config', 'Deployment my-bridge', 'PodDisruptionBudget my-bridge']);
  });

  it('need no rights and no Secret without TLS', () => {
    const plain = bridge(({ spec }) => { delete spec.tls; });
    assert.deepEqual([...names(bridgeBasics(plain)), ...names(bridgeWorkload(plain, { trusted: '', credentials: '' }, release))], ['ServiceAccount my-bridge', 'Service my-bridge-service', 'ConfigMap my-bridge-config', 'Deployment my-bridge', 'PodDisruptionBudget my-bridge']);
  });

  it('go with their resource, which does not control them', () => {
    for (const { metadata } of [...bridgeBasics(bridge()), ...bridgeWorkload(bridge(), { trusted: 'PEM', credentials: '' }, release)]) {
      assert.deepEqual(metadata.ownerReferences, [{ apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaBridge', name: 'my', uid: 'u1', controller: false, blockOwnerDeletion: true }]);
    }
  });

  it('put template labels where Strimzi puts them, and never into selectors', () => {
    const service = find(bridgeBasics(bridge()), 'Service', 'my-bridge-service');
    const deployment = find(bridgeWorkload(bridge(), { trusted: 'PEM', credentials: '' }, release), 'Deployment', 'my-bridge');
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
    const objects = bridgeWorkload(asked, { trusted: 'PEM', credentials: '' }, release);
    const { template } = find(objects, 'Deployment', 'my-bridge').spec as { template: { spec: { topologySpreadConstraints: unknown; containers: Record<string, unknown>[] } } };
    assert.deepEqual(template.spec.topologySpreadConstraints, [{ maxSkew: 1 }]);
    const { livenessProbe, readinessProbe, resources, image } = template.spec.containers[0] ?? {};
    assert.deepEqual([(livenessProbe as { failureThreshold: number }).failureThreshold, (readinessProbe as { periodSeconds: number }).periodSeconds, resources, image], [5, 1, { limits: { memory: '1Gi' } }, 'quay.io/strimzi/kafka-bridge:1.0.0']);
    assert.equal(find(objects, 'PodDisruptionBudget', 'my-bridge').spec['maxUnavailable'], 2);
    assert.deepEqual(unhonouredWarnings(asked, 'KafkaBridge'), []);
  });

  it('are refused where they would be another bridge: without a port, or with what nothing here can show Kafka', () => {
    const wrong = [bridge(({ spec }) => { delete spec.http; }), bridge(({ spec }) => { spec.authentication = { type: 'plain' }; })];
    const reasons = wrong.map((one) => { try { refuseUnlike(one); return undefined; } catch (error) { return (error as Failure).reason; } });
    assert.deepEqual(reasons, ['InvalidResourceException', 'UnhonouredByStandIn']);
  });

  it('change the pods\' annotations with configuration and certificates', () => {
    const annotations = (changed: string, certificates: string): unknown =>
      (find(bridgeWorkload(bridge(({ spec }) => { spec.bootstrapServers = changed; }), { trusted: certificates, credentials: '' }, release), 'Deployment', 'my-bridge').spec['template'] as { metadata: { annotations: unknown } }).metadata.annotations;
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

describe('strimzi: a bridge as the program makes it', () => {
  const deployed = async (revision: string): Promise<Record<string, unknown>> => {
    const recording = await recordTopology({ bridge: { injection: { revision } } });
    const { metadata, ...resource } = recording.inputsOf('kafka.strimzi.io/v1:KafkaBridge', 'east-bridge') as unknown as KafkaBridge;
    const made = { ...resource, metadata: { ...metadata, uid: 'u1', resourceVersion: '1' } };
    return find(bridgeWorkload(made, { trusted: 'PEM', credentials: '' }, release), 'Deployment', 'kafka-bridge-bridge').spec;
  };

  it('is made anew for another revision of the mesh, each pod before the one that it replaces ends', async () => {
    const [before, after] = [await deployed('1-22'), await deployed('1-24')];
    assert.notDeepEqual(after['template'], before['template']);
    assert.deepEqual({ ...after, template: undefined }, { ...before, template: undefined }, 'a Deployment takes no other selector');
    assert.deepEqual(after['strategy'], { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  });
});

describe('strimzi: a bridge that says who it is', () => {
  const password: BridgeAuthentication = { type: 'scram-sha-512', username: 'one', passwordSecret: { secretName: 'user', password: 'pw' } };
  const certificate: BridgeAuthentication = { type: 'tls', certificateAndKey: { secretName: 'user', certificate: 'user.crt', key: 'user.key' } };
  const saying = (authentication: BridgeAuthentication, more: Parameters<typeof bridge>[0] = () => undefined) => bridge((each) => { each.spec.authentication = authentication; more(each); });
  const lines = (from: ReturnType<typeof bridge>): string[] => bridgeProperties(from).split('\n').filter((line) => /sasl|keystore|security\.protocol/.test(line));

  it('by a password tells it the Secret, which it reads itself', () => {
    assert.deepEqual(lines(saying(password)), [
      'kafka.sasl.mechanism=SCRAM-SHA-512',
      'kafka.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="one" password="${strimzisecrets:ns/user:pw}";',
      'kafka.security.protocol=SASL_SSL',
    ]);
    assert.equal(lines(saying(password, ({ spec }) => { delete spec.tls; })).at(-1), 'kafka.security.protocol=SASL_PLAINTEXT');
  });

  it('by a certificate tells it the Secret, which it reads itself', () => {
    assert.deepEqual(lines(saying(certificate)), [
      'kafka.ssl.keystore.certificate.chain=${strimzisecrets:ns/user:user.crt}', 'kafka.ssl.keystore.key=${strimzisecrets:ns/user:user.key}', 'kafka.ssl.keystore.type=PEM', 'kafka.security.protocol=SSL',
    ]);
  });

  it('may read the Secrets that it needs, and no other', () => {
    const rights = (from: ReturnType<typeof bridge>): unknown => (find(bridgeBasics(from), 'Role', 'my-bridge') as unknown as { rules: { resourceNames: string[] }[] }).rules[0]?.resourceNames;
    assert.deepEqual(rights(bridge()), ['my-bridge-tls-trusted-certs']);
    assert.deepEqual(rights(saying(certificate)), ['my-bridge-tls-trusted-certs', 'user']);
    assert.deepEqual(rights(saying(password, ({ spec }) => { delete spec.tls; })), ['user']);
  });

  it('starts anew with another password', () => {
    const hash = (shown: string): unknown =>
      (find(bridgeWorkload(saying(password), { trusted: 'PEM', credentials: shown }, release), 'Deployment', 'my-bridge').spec['template'] as { metadata: { annotations: Record<string, string> } }).metadata.annotations['strimzi.io/auth-hash'];
    assert.notEqual(hash('one'), hash('two'));
    assert.notEqual(credentials(saying(password), new Map([['user', secret({ pw: 'one' })]])), credentials(saying(password), new Map([['user', secret({ pw: 'two' })]])));
    assert.equal(credentials(bridge(), new Map()), '');
  });

  const missing: [string, BridgeAuthentication, Map<string, ReturnType<typeof secret>>, string][] = [
    ['Secret', password, new Map(), 'Secret user not found in namespace ns'],
    ['password', password, new Map([['user', secret({ password: 'x' })]]), 'Items with key(s) [pw] are missing in Secret user'],
    ['key', certificate, new Map([['user', secret({ 'user.crt': 'x' })]]), 'Items with key(s) [user.key] are missing in Secret user'],
  ];
  for (const [what, authentication, secrets, message] of missing) {
    it(`fails for a missing ${what}`, () => assert.throws(() => credentials(saying(authentication), secrets), (error: unknown) => error instanceof Failure && error.reason === 'InvalidConfigurationException' && error.message === message));
  }
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
