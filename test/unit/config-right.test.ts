import assert from 'node:assert/strict';

import { parseConfiguration, problemsOf } from '../../config/configuration.ts';
import { type ConfigurationFiles, configurationFiles, validConfiguration } from './configuration-fixtures.ts';

type Raw = Record<string, unknown>;

describe('settings that are nearly wrong', () => {
  let files: ConfigurationFiles;
  before(() => { files = configurationFiles(); });
  after(() => { files[Symbol.dispose](); });

  /** Paths of what is wrong. */
  const wrong = (raw: Raw): string[] => problemsOf(raw, { directory: files.directory, contexts: 'checked' }).map(({ path }) => path);
  /** The valid settings, with these over those of each concern. */
  const settings = (changes: Record<string, object>): Raw => {
    const whole = validConfiguration();
    return { ...whole, ...Object.fromEntries(Object.entries(changes).map(([concern, change]) => [concern, Array.isArray(change) ? change : { ...whole[concern] as object, ...change }])) };
  };

  it('are paths that every bridge answers', () => {
    for (const path of ['/', '/openapi', '/topics', '/topics/orders', '/topics/orders/partitions', '/topics/orders/partitions/0', '/topics/orders/partitions/0/offsets']) {
      assert.deepEqual(wrong(settings({ bridge: { healthCheck: { path } } })), [], path);
    }
  });

  it('are values that Kafka has', () => {
    const configs = { producer: { 'compression.type': ' zstd' }, consumer: { 'auto.offset.reset': 'by_duration:PT1H', 'isolation.level': 'read_committed' }, admin: { 'client.dns.lookup': 'use_all_dns_ips' } };
    assert.deepEqual(wrong(settings({ bridge: Object.fromEntries(Object.entries(configs).map(([client, config]) => [client, { config }])) })), []);
  });

  it('are settings of brokers that Strimzi leaves to everybody, though others of their kind are its own', () => {
    const times = ['broker.session.timeout.ms', 'broker.heartbeat.interval.ms', 'controller.socket.timeout.ms', 'controller.quorum.election.backoff.max.ms', 'controller.quorum.election.timeout.ms', 'controller.quorum.fetch.timeout.ms'];
    assert.deepEqual(wrong(settings({ kafka: { config: Object.fromEntries(times.map((name) => [name, name.includes('heartbeat') ? 1_000 : 2_000])) } })), []);
  });

  it('are IPv6 addresses in every way that they are written, which are handed on in one', () => {
    for (const [address, canonical] of [['2001:DB8::10', '2001:db8::10'], ['2001:db8:0::10', '2001:db8::10'], ['::ffff:a00:1', '::ffff:10.0.0.1'], ['10.0.0.1', '10.0.0.1']]) {
      assert.equal(parseConfiguration(settings({ tier1: { service: { address } } }), files.directory).tier1.service.address, canonical);
    }
  });

  it('are metadata of the version that Kafka itself has, and of one that is later than any known', () => {
    assert.deepEqual(wrong(settings({ kafka: { version: '4.3.0', metadataVersion: '4.3' } })), []);
    for (const metadataVersion of ['4.4', '4.4-IV7']) assert.deepEqual(wrong({ ...settings({ kafka: { version: '4.4.0', metadataVersion } }), operators: { strimzi: { version: '1.99.0' } } }), [], metadataVersion);
  });

  it('are heartbeats of brokers that twice fit into their lease, and any with ZooKeeper, which grants none', () => {
    for (const config of [{ 'broker.session.timeout.ms': 3_000 }, { 'broker.heartbeat.interval.ms': 3_000 }, { 'broker.session.timeout.ms': 9_001, 'broker.heartbeat.interval.ms': 4_500 }]) assert.deepEqual(wrong(settings({ kafka: { config } })), [], JSON.stringify(config));
    assert.deepEqual(wrong({ ...settings({ kafka: { api: 'v1beta2', version: '3.9.2', config: { 'broker.session.timeout.ms': 1 } } }), operators: { strimzi: { version: '0.45.2' } } }), []);
  });

  it('are names as long as they may be, and numbers with blanks around them, as Kafka reads them', () => {
    const [east, west] = validConfiguration()['regions'] as Raw[];
    assert.deepEqual(wrong(settings({ kafka: { name: 'k'.repeat(38), config: { 'num.partitions': ' 3 ' } }, bridge: { name: 'b'.repeat(48) }, regions: [{ ...east, name: 'r'.repeat(55) }, west ?? {}] })), []);
  });

  it('are ports and ids at their bounds', () => {
    for (const port of [1_023, 14_999, 15_091, 65_535]) assert.deepEqual(wrong(settings({ bridge: { port } })), [], String(port));
    for (const project of ['little', 'p'.repeat(30)]) assert.deepEqual(wrong({ ...validConfiguration(), gcp: { project } }), [], project);
    for (const port of [1, 65_535]) assert.deepEqual(wrong({ ...validConfiguration(), kafka: { existing: { bootstrapServers: `k:${port}`, caCertificate: { file: 'root.crt' } } } }), [], String(port));
  });

  it('are clusters of GKE that have one name in two places', () => {
    const clusters = { east: { name: 'bridges', location: 'us-east1' }, west: { name: 'bridges', location: 'us-west1' } };
    assert.deepEqual(wrong({ ...validConfiguration(), gcp: { project: 'my-project', clusters } }), []);
  });

  it('are requests of all that the limits allow', () => {
    const amounts = { cpu: '500m', memory: '1Gi' };
    assert.deepEqual(wrong(settings({ bridge: { resources: { requests: amounts, limits: { cpu: '0.5', memory: '1024Mi' } } }, kafka: { resources: { requests: amounts, limits: amounts } } })), []);
  });

  it('are volumes whose size Kubernetes does not write in k, and memory that it does', () => {
    for (const size of ['10737418240', '1234567e3', '1.5Ti', '2.5T']) assert.deepEqual(wrong(settings({ kafka: { storage: { size } } })), [], size);
    for (const memory of ['104857600k', '104857600000']) assert.deepEqual(wrong(settings({ bridge: { resources: { limits: { memory } } } })), [], memory);
  });

  it('are charts that nobody installs, and namespaces of operators that are installed elsewhere only', () => {
    assert.deepEqual(wrong(settings({ operators: { strimzi: { chart: './absent.tgz' } } })), []);
    assert.deepEqual(wrong(settings({ kafka: { namespace: 'strimzi' }, operators: { strimzi: { install: true, given: { kafka: { namespace: 'theirs' } } } } })), []);
    const certificate = { source: 'secret', secret: { name: 's' }, caCertificate: { file: 'root.crt' } };
    assert.deepEqual(wrong(settings({ kafka: { namespace: 'cert-manager', certificate }, operators: { certManager: { install: true } } })), []);
  });

  it('are host names of a certificate that a listener without TLS does not show', () => {
    const listeners = [{ type: 'loadbalancer' }, { type: 'internal', name: 'plain', port: 9092, tls: false, certificate: 'own' }];
    assert.deepEqual(wrong(settings({ kafka: { listeners, certificate: { hosts: ['*.kafka.example'] } } })), []);
  });

  it('are groups of tier1 called like a region’s, where nothing is made of that name', () => {
    const existing = { tenant: { existing: 'k' }, workspaces: { edge: { existing: 'e' } }, settings: { edge: { existing: 's' } } };
    assert.deepEqual(wrong(settings({ tsb: { ...existing, envoyFilters: 'none', groups: { edge: 'bridges-east', existing: { edge: 'g' } } } })), []);
  });

  it('are scram-sha-256 for a Kafka that exists, whose user may have any name', () => {
    const authentication = { type: 'scram-sha-256', username: 'Bridge User', secret: { name: 'bridge-password' } };
    const raw = { ...settings({ bridge: { authentication } }), kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: { file: 'root.crt' } } } };
    assert.deepEqual(parseConfiguration(raw, files.directory).bridge.authentication, { ...authentication, secret: { name: 'bridge-password', key: 'password' } });
  });

  it('are namespaces of others that are given', () => {
    const raw = settings({ tier1: { namespace: 'istio-system' } });
    assert.deepEqual(wrong(raw), ['tier1.namespace']);
    assert.deepEqual(wrong({ ...raw, namespaces: 'given' }), []);
  });

  it('are names that people give, also those that secrets have', () => {
    const regions = [{ name: 'token', context: 'east', tsbCluster: 'password' }, { name: 'west', context: 'west', tsbCluster: 'west' }];
    const existing = { tenant: { existing: 'k' }, workspaces: { bridges: { existing: 'b' } }, settings: { bridges: 's' } };
    const groups = { existing: { regions: { token: 'g' }, internal: { regions: { token: 'h' } } } };
    assert.deepEqual(wrong(settings({ regions, tier1: { mode: 'weighted', weights: { token: 50, west: 50 } }, tsb: { ...existing, groups, setup: { networks: { password: 'n' } } } })), []);
  });

  describe('are networks', () => {
    const apart = { central: 'n', c0: 'n0', c1: 'n1', c2: 'n2' };
    const regionsIn = (...places: (string | undefined)[]) => places.map((place, index) => ({ name: `r${String(index)}`, context: ['east', 'west', 'kafka'][index], tsbCluster: `c${String(index)}`, ...(place === undefined ? {} : { locality: { region: place } }) }));
    const unreached = (regions: object[], setup: object): string[] => wrong(settings({ regions, tsb: { setup } }));

    it('that tier1 reaches, whatever regions reach: it fails over without their own hop', () => {
      assert.deepEqual(unreached(regionsIn('a', 'b', 'c'), { networks: apart, reachability: { n: ['n0', 'n1', 'n2'] } }), []);
    });

    it('whose reachability the organization has from somebody else', () => {
      assert.deepEqual(unreached(regionsIn('a', 'b', 'c'), { networks: apart }), []);
    });

    it('that are one', () => {
      assert.deepEqual(unreached(regionsIn('a', 'b', 'c'), { networks: { central: 'n', c0: 'n', c1: 'n', c2: 'n' } }), []);
    });

    it('of which TSB knows more than the settings', () => {
      assert.deepEqual(unreached(regionsIn('a', 'b', 'c'), {}), []);
      assert.deepEqual(unreached(regionsIn('a', 'b', 'c'), { networks: { central: 'n', c0: 'n0', c1: 'n1' }, reachability: { n: ['n0', 'n1'] } }), [], 'the network of a cluster');
      const [, ...named] = regionsIn('a', 'b', 'c');
      assert.deepEqual(unreached([{ name: 'r0', context: 'east' }, ...named], { networks: { central: 'n', c1: 'n1', c2: 'n2' }, reachability: { n: ['n1', 'n2'] } }), [], 'the name of a cluster');
    });
  });
});
