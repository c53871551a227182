import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as pulumi from '@pulumi/pulumi';
import fc from 'fast-check';

import { parseConfiguration } from '../../config/configuration.ts';
import { readConfiguration } from '../../config/stack-settings.ts';
import { ConfigurationError } from '../../config/problems.ts';
import { type ConfigurationFiles, configurationFiles, seedConfiguration, validConfiguration as valid } from './configuration-fixtures.ts';

type Raw = Record<string, unknown>;

describe('the configuration', () => {
  let files: ConfigurationFiles;
  let directory: string;
  before(() => { ({ directory } = files = configurationFiles()); });
  after(() => { files[Symbol.dispose](); });

  const problemsOf = (raw: unknown): string[] => {
    try {
      parseConfiguration(raw, directory);
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems.map(({ path, found, allowed, suggestion }) => `${path}|${found}|${allowed}|${suggestion ?? ''}`);
      throw error;
    }
    return [];
  };

  it('fills in every default', () => {
    const configuration = parseConfiguration(valid(), directory);
    assert.deepEqual(configuration.kafka, {
      context: 'kafka',
      kubeconfig: join(directory, 'kubeconfig'),
      namespace: 'kafka-cluster',
      name: 'kafka',
      api: 'v1',
      version: '4.3.1',
      brokers: 3,
      zookeeper: undefined,
      storage: { size: '10Gi', deleteClaim: false },
      config: {},
      domain: 'kafka.example',
      listeners: [{ name: 'external', type: 'loadbalancer', port: 9094, tls: true, annotations: {}, certificate: 'own' }],
      certificate: { source: 'own-root', rootDays: 3_650, leafDays: 365 },
      topics: [],
      entityOperator: { topics: false, users: false },
    });
    assert.equal(configuration.regions[0]?.replicas, 1);
    assert.equal(configuration.tier1.mode, 'failover');
    assert.equal(configuration.kubeconfig, join(directory, 'kubeconfig'));
  });

  it('has each place’s kubeconfig as a path, and none where GKE says how the cluster is reached', () => {
    const raw = { ...valid(), gcp: { project: 'my-project', clusters: { east: { name: 'c', location: 'us-east1' } } }, generators: { topic: 't' } };
    at(raw, 'kafka', { kubeconfig: join(directory, 'other'), context: 'central' });
    at(raw, 'tier1', { context: 'kafka' });
    at(raw, 'tsb', { context: 'kafka' });
    const { kafka, regions, generators } = parseConfiguration(raw, directory);
    assert.equal(kafka.existing === undefined && kafka.kubeconfig, join(directory, 'other'));
    assert.deepEqual(regions.map(({ kubeconfig }) => kubeconfig), [undefined, join(directory, 'kubeconfig')]);
    assert.deepEqual([generators?.context, generators?.kubeconfig], ['kafka', join(directory, 'kubeconfig')]);
  });

  it('has certificates as text, wherever they come from', () => {
    const caCertificate = readFileSync(join(directory, 'root.crt'), 'utf8');
    for (const given of [caCertificate, { file: 'root.crt' }]) {
      assert.deepEqual(parseConfiguration({ ...valid(), kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: given } } }, directory).kafka, {
        existing: { bootstrapServers: 'k:9094', caCertificate },
      });
    }
  });

  it('takes names of what exists for names of what is made', () => {
    const raw = valid();
    at(raw, 'tsb', { tenant: { existing: 'kafka' }, workspaces: { bridges: { existing: 'ours' } }, settings: { bridges: 'ours' } });
    const { tenant, workspaces } = parseConfiguration(raw, directory).tsb;
    assert.deepEqual([tenant, workspaces.bridges, workspaces.edge], [{ name: 'kafka', existing: true }, { name: 'ours', existing: true }, { name: 'edge', existing: false }]);
  });

  it('takes the walk-through’s versions, listeners and names', () => {
    const { kafka } = parseConfiguration(seedConfiguration(), directory, 'unchecked');
    assert.ok(kafka.existing === undefined);
    assert.deepEqual(kafka.zookeeper, { replicas: 3, storage: { size: '1Gi', deleteClaim: false } });
    assert.deepEqual(kafka.listeners.map(({ certificate }) => certificate), ['operator', 'operator', 'own']);
  });

  it('has time limits by default of which the inner ones end first', () => {
    const { bridge } = parseConfiguration(valid(), directory);
    const { producer, consumer, timeouts, healthCheck } = bridge;
    assert.ok(producer.requestTimeoutMs < producer.deliveryTimeoutMs);
    assert.ok(producer.maxBlockMs + producer.deliveryTimeoutMs < timeouts.perTryMs);
    assert.ok(timeouts.perTryMs < timeouts.routeMs && timeouts.connectMs < healthCheck.timeoutMs);
    assert.ok(timeouts.consumersMs < consumer.idleTimeoutSeconds * 1_000);
    assert.deepEqual(consumer, { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 1_000, idleTimeoutSeconds: 60, config: {} });
  });

  it('takes other times of the admin client beside those of the producer', () => {
    for (const config of [{ 'default.api.timeout.ms': 20_000 }, { 'request.timeout.ms': 8_000 }, { 'request.timeout.ms': '10000', 'default.api.timeout.ms': '10000' }]) {
      assert.deepEqual(problemsOf({ ...valid(), bridge: { admin: { config } } }), []);
    }
  });

  it('takes parts in one cluster by two contexts, and clusters that one server stands before', () => {
    const shared = { ...valid(), kubeconfig: 'tier1-in-east' };
    at(shared, 'tier1', { tsbCluster: 'east' });
    for (const raw of [shared, { ...valid(), kubeconfig: 'one-server' }, { ...valid(), kubeconfig: 'one-proxy' }]) assert.deepEqual(problemsOf(raw), []);
  });

  it('takes a namespace for Kafka that its issuer is in, and cert-manager’s name for one where it is not', () => {
    const raw = { ...valid(), bridge: { namespace: 'cert-manager' }, operators: { certManager: { install: true } } };
    at(raw, 'kafka', { namespace: 'default', certificate: { source: 'issuer', issuer: { name: 'i', kind: 'Issuer' } } });
    assert.deepEqual(problemsOf(raw), []);
  });

  it('takes topics with fewer copies that say so themselves, and gateways of one name in groups of their own', () => {
    const raw = valid();
    at(raw, 'kafka', { topics: [{ name: 'one', replicas: 1, config: { 'min.insync.replicas': 1 } }, { name: 'two', replicas: 2, config: { 'min.insync.replicas': '1' } }] });
    at(raw, 'tsb', { tenant: { existing: 'k' }, workspaces: { bridges: { existing: 'b' } }, settings: { bridges: { existing: 's' } }, groups: { bridges: 'g', existing: { regions: { east: 'e' } } } });
    assert.deepEqual(problemsOf(raw), []);
  });

  it('takes addresses by name where nothing assigns them, keys of annotations with a domain, and every form of a condition', () => {
    const conditions = ['condition=Ready', 'condition=Ready=False', 'jsonpath={.status.state}=ACCEPTED', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', 'jsonpath={.metadata.annotations.example\\.com/taken}'];
    for (const acceptedWhen of conditions) {
      const raw = valid();
      at(raw, 'tsb', { acceptedWhen });
      at(raw, 'tier1', { service: { type: 'NodePort', address: 'front.example', annotations: { 'metallb.io/address-pool': 'a', 'plain_key.1': 'b' } } });
      region(raw, 0, { replicas: 3, gateway: { service: { type: 'ClusterIP', address: '2600:1900::1' } } });
      raw['bridge'] = { maxUnavailable: 2 };
      assert.deepEqual(problemsOf(raw), [], acceptedWhen);
    }
  });

  it('takes every form of an amount of bytes that has a size', () => {
    for (const size of ['1Mi', '1.5Gi', '.5Gi', '2000000', '1e9', '10G', '1Pi']) {
      const raw = { ...valid(), bridge: { resources: { limits: { memory: size } } } };
      at(raw, 'kafka', { storage: { size } });
      assert.deepEqual(problemsOf(raw), [], size);
    }
  });

  it('takes classes of each kind, early metadata, settings as Kafka reads them, and certificates that some listener shows', () => {
    const caCertificate = { file: 'root.crt' };
    const right: Raw[] = [
      { listeners: [{ type: 'ingress', class: `${'n'.repeat(100)}.internal` }, { type: 'loadbalancer', name: 'lb', port: 9095, class: 'service.k8s.aws/nlb' }] },
      { metadataVersion: '3.3' }, { metadataVersion: '4.0-IV1' },
      { config: { 'auto.create.topics.enable': 'False', 'num.partitions': '1' } },
      { listeners: [{ type: 'loadbalancer', certificate: 'operator' }, { type: 'internal', name: 'tls', port: 9093, certificate: 'own' }], certificate: { source: 'issuer', issuer: { name: 'i', kind: 'ClusterIssuer' } } },
      ...['kafka-listener', 'kafka-kafka-prod', 'other-cluster-ca-cert'].map((name) => ({ certificate: { source: 'secret', secret: { name }, caCertificate } })),
    ];
    for (const change of right) {
      const raw = valid();
      at(raw, 'kafka', change);
      assert.deepEqual(problemsOf(raw), [], JSON.stringify(change));
    }
    assert.deepEqual(problemsOf({ ...valid(), kafka: { existing: { bootstrapServers: '10.0.0.1:9094,10.0.0.1:9095,k:9094', caCertificate } } }), []);
    const several = readFileSync(join(directory, 'root.crt'), 'utf8').repeat(2);
    assert.deepEqual(problemsOf({ ...valid(), kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: several } } }), [], 'as while a CA is renewed');
  });

  it('takes one namespace for operators of which a cluster needs only one', () => {
    const raw: Raw = { ...valid(), operators: { strimzi: { install: true, namespace: 'ops' }, certManager: { install: true, namespace: 'ops' } } };
    at(raw, 'kafka', { listeners: [{ type: 'loadbalancer', certificate: 'operator' }] });
    at(raw, 'tier1', { tls: { source: 'cert-manager', issuer: { name: 'i', kind: 'ClusterIssuer' } } });
    assert.deepEqual(problemsOf(raw), []);
  });

  it('takes names of TSB’s objects that are the same where nothing of the program’s has them twice', () => {
    const existing = { tenant: { existing: 'k' }, workspaces: { bridges: { existing: 'b' }, edge: { existing: 'e' } }, settings: { bridges: 'b', edge: 'e' } };
    const right: Raw[] = [
      { ...existing, settings: { bridges: { existing: 'default' }, edge: { existing: 'default' } } },
      { ...existing, groups: { existing: { edge: 'g', internal: { edge: 'g', regions: { east: 'bridges-east' } } } } },
      { ...existing, groups: { edge: 'bridges-east', existing: { regions: { east: 'x' }, internal: { regions: { east: 'y' } } } } },
      { envoyFilters: 'none', groups: { bridges: 'all', edge: 'bridges-east' } },
    ];
    for (const tsb of right) {
      const raw = valid();
      at(raw, 'tsb', tsb);
      for (const index of [0, 1]) region(raw, index, { gateway: { name: `gateway-${index}` } });
      assert.deepEqual(problemsOf(raw), [], JSON.stringify(tsb));
    }
  });

  it('takes a workspace of tier1 that exists without a word on its settings where it would say nothing there', () => {
    const raw = valid();
    at(raw, 'tsb', { tenant: { existing: 'k' }, workspaces: { edge: { existing: 'e' } } });
    at(raw, 'tier1', { retries: 'tsb-default' });
    assert.deepEqual(problemsOf(raw), []);
  });

  it('takes tier1’s address from the region of its zone, and other names for ExternalDNS in regions', () => {
    const raw: Raw = { ...valid(), gcp: { project: 'my-project', region: 'us-central1', staticAddress: 'a', clusters: { central: { name: 'c', location: 'us-central1-ai1a' } } } };
    at(raw, 'tier1', { dns: 'external-dns', service: { annotations: { 'networking.gke.io/load-balancer-type': 'External' } } });
    region(raw, 0, { gateway: { service: { annotations: { 'external-dns.alpha.kubernetes.io/hostname': 'gateway.east.example' } } } });
    assert.deepEqual(problemsOf(raw), []);
  });

  it('takes polls of any length where consumers never go', () => {
    const raw = seedConfiguration();
    at(raw, 'bridge', { timeouts: { consumersMs: 100_000 } });
    assert.deepEqual(parseConfiguration(raw, directory, 'unchecked').bridge.timeouts.consumersMs, 100_000);
  });

  it('takes for no secret what only says where one is, or whether there is one', () => {
    const harmless: Raw[] = [
      { authentication: { type: 'tls', enabled: true } }, { auth: true }, { auth: 'enabled' }, { auth: 'scram-sha-512' }, { auth: { existingSecret: 'registry' } }, { imagePullSecrets: [{ name: 'registry' }] },
      { extraEnvs: [{ name: 'AWS_REGION', value: 'us-east1' }, { name: 'PASSWORD_FILE', value: '/run/password' }, { name: 'PASSWORD', value: '' }, { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 's', key: 'password' } } }] },
      { credentials: { existingSecret: 's' }, credentialsSecret: 's', note: 'eyJ.eyJ.x' },
      { passwordSecret: 's', tokenTtlSeconds: 60, secretName: 'token-of-mine' },
    ];
    for (const values of harmless) assert.deepEqual(problemsOf({ ...valid(), operators: { strimzi: { values } } }), [], JSON.stringify(values));
    assert.deepEqual(problemsOf({ ...valid(), bridge: { consumer: { config: { 'interceptor.auth.user': 'me', 'interceptor.pwd.file': '/run/pwd' } } } }), []);
  });

  it('repeats no variable that is a secret where its list is wrong', () => {
    const [problem] = problemsOf({ ...valid(), operators: { strimzi: { values: [{ name: 'AWS_SECRET_ACCESS_KEY', value: 'hunter2' }] } } }).filter((one) => one.startsWith('operators.strimzi.values|'));
    assert.equal(problem?.split('|')[1], '[{"name":"AWS_SECRET_ACCESS_KEY","value":"…"}]');
  });

  it('takes connections longer than a check where nothing checks, or TSB says how long they take', () => {
    for (const [concern, change] of [['tsb', { envoyFilters: 'none' }], ['tier1', { retries: 'tsb-default' }]] as const) {
      assert.deepEqual(problemsOf({ ...valid(), [concern]: { ...valid()[concern] as object, ...change }, bridge: { timeouts: { connectMs: 2_000 } } }), [], concern);
    }
  });

  it('takes tries as long as the walk-through’s where nothing bounds a request', () => {
    const raw: Raw = { ...valid(), bridge: { service: 'strimzi', timeouts: { consumersMs: 5_000 } } };
    at(raw, 'tsb', { api: 'tier1gateway' });
    at(raw, 'tier1', { retries: 'tsb-default' });
    assert.deepEqual(problemsOf(raw), []);
  });

  it('reports every problem at once, also those between values', () => {
    const raw = valid();
    raw['hostname'] = 'x';
    at(raw, 'kafka', { brokers: 1, context: 'nowhere' });
    region(raw, 1, { name: 'east' });
    raw['bridge'] = { timeouts: { perTryMs: 20_000 } };
    assert.deepEqual(
      problemsOf(raw).map((problem) => problem.split('|')[0]).sort(),
      ['bridge.timeouts.perTryMs', 'hostname', 'kafka.brokers', 'kafka.context', 'regions[1].name'],
    );
  });

  it('is taken or refused with reasons, whatever stands in it', () => {
    const whole = { ...seedConfiguration(), generators: { topic: 't' }, gcp: { project: 'my-project' } };
    const paths = pathsIn(whole).filter((path) => path.length > 0);
    const anything = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, '', 0, -1, 1.5, true, [], {}, [[]], [null], { secure: 'v1:x' }, '-----BEGIN PRIVATE KEY-----'));
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom(...paths), anything), { minLength: 1, maxLength: 3 }), (changes) => {
      const raw = structuredClone(whole);
      for (const [path, value] of changes) replace(raw, path, structuredClone(value));
      try {
        // No file has a list with holes, which a change behind the end of one makes.
        parseConfiguration(JSON.parse(JSON.stringify(raw)), directory);
      } catch (error) {
        assert.ok(error instanceof ConfigurationError, String(error));
        // What was written stands in quotes, where such words may be.
        for (const { path, found, allowed } of error.problems) assert.doesNotMatch(`${path}: ${found}; ${allowed}`.replaceAll(/"(?:[^"\\]|\\.)*(?:"|$)/g, (quoted) => (quoted.includes('PRIVATE KEY') ? quoted : '""')), /^:|; $|undefined|NaN|Invalid|\[object|PRIVATE KEY|\n/);
      }
    }), { numRuns: 300 });
  });

  it('refuses a configuration that is not there at all', () => {
    assert.deepEqual(
      problemsOf({}).map((problem) => problem.split('|')[0]),
      ['hostname', 'kafka', 'regions', 'tsb', 'tier1'],
    );
  });

  it('is wrong use, with a message of one line for each problem', () => {
    const raw = valid();
    region(raw, 1, { context: 'wset' });
    assert.throws(() => parseConfiguration(raw, directory), (error: unknown) => {
      assert.ok(error instanceof ConfigurationError);
      assert.equal(error.exitCode, 2);
      assert.equal(
        error.message,
        'The configuration has one problem:\n' +
          `  regions[1].context: found "wset" (did you mean "west"?); allowed: a complete context of ${join(directory, 'kubeconfig')}: central, east, kafka, west`,
      );
      return true;
    });
  });

  it('reaches Pulumi as an error without a stack trace', async () => {
    await pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'kafka-bridge-failover', 'test');
    pulumi.runtime.setAllConfig({ 'kafka-bridge-failover:hostname': 'x', 'other:hostname': 'y', 'kafka-bridge-failover:regions': '[{"name":"east"' });
    assert.throws(readConfiguration, (error: unknown) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.match(String(error), /hostname: found "x"/);
      assert.match(String(error), /regions: found "\[\{\\"name/);
      return true;
    });
  });

  it('takes no setting that Pulumi has encrypted, and repeats none', async () => {
    await pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'kafka-bridge-failover', 'test');
    pulumi.runtime.setAllConfig({ 'kafka-bridge-failover:hostname': 'hunter2', 'kafka-bridge-failvoer:regions': '[]' });
    process.env['PULUMI_CONFIG_SECRET_KEYS'] = '["kafka-bridge-failover:hostname"]';
    try {
      assert.throws(readConfiguration, (error: unknown) => {
        assert.match(String(error), /^ {2}hostname: found an encrypted value \(secure:\)/m);
        assert.match(String(error), /^ {2}kafka-bridge-failvoer:regions: found a key of another project \(did you mean "kafka-bridge-failover:regions"\?\)/m);
        assert.doesNotMatch(String(error), /hunter2/);
        return true;
      });
    } finally {
      delete process.env['PULUMI_CONFIG_SECRET_KEYS'];
    }
  });

  it('is read from what Pulumi hands over', async () => {
    await pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'kafka-bridge-failover', 'test');
    const raw = { ...valid(), kubeconfig: join(directory, 'kubeconfig') };
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(raw).map(([key, value]) => [`kafka-bridge-failover:${key}`, typeof value === 'string' ? value : JSON.stringify(value)])),
    );
    assert.deepEqual(readConfiguration(), parseConfiguration(raw, directory));
  });
});

function pathsIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  return typeof value === 'object' && value !== null ? [path, ...Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...path, key]))] : [path];
}

/** Puts a value where the path leads, if it still does. */
function replace(raw: unknown, path: readonly string[], value: unknown): void {
  const holder = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown> | null | undefined)?.[key], raw);
  if (typeof holder === 'object' && holder !== null) (holder as Raw)[path.at(-1) ?? ''] = value;
}

function at(raw: Raw, concern: string, change: Raw): void {
  raw[concern] = { ...(raw[concern] as Raw), ...change };
}

function region(raw: Raw, index: number, change: Raw): void {
  raw['regions'] = (raw['regions'] as Raw[]).map((one, at) => (at === index ? { ...one, ...change } : one));
}
