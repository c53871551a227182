/** What a run may do to what the last one left: nothing that deletes records, and regions that come and go without losing a request. */
import assert from 'node:assert/strict';
import { leaveMs, regionChanges } from '../../components/departure.ts';
import { Previous } from '../../components/previous.ts';
import { skippedRegions } from '../../components/skipped.ts';
import { buildTopology } from '../../components/topology.ts';
import { refuseUnchangeable, unchangeable } from '../../components/unchangeable.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import type { Configuration } from '../../config/schema.ts';
import { answeringCluster, record, type Recording } from './pulumi-mocks.ts';
import { operators, previousOf } from './topology-fixtures.ts';

type Settings = Record<string, Record<string, unknown>>;

const tlsClient = { type: 'tls', secret: { name: 'client' } };

describe('what is running', () => {
  let running: Recording;
  let previous: Previous;

  before(async () => {
    running = await record(() => buildTopology(configuration(), answeringCluster(operators)));
    previous = previousOf(running);
  });

  it('may stay as it is', () => {
    assert.deepEqual(unchangeable(previous, configuration()), []);
  });

  it('stays in its cluster where its making failed before it was done', () => {
    // The engine has then the component, and none of its outputs.
    const failed = previousOf({ resources: running.resources, outputsOf: (name) => (['kafka', 'tsb', 'east', 'west', 'tier1'].includes(name) ? {} : running.outputsOf(name)) });
    assert.deepEqual(unchangeable(failed, configuration()), []);
    const moved = unchangeable(failed, parseMoved()).map(({ path, running: before }) => `${path}: ${before}`);
    assert.deepEqual(moved, ['kafka.context: kafka', 'regions[0].context: east', 'tsb.context: central', 'tier1.context: central']);
  });

  /** Everything in another cluster than before. */
  function parseMoved(): Configuration {
    const { kafka, regions, tsb, tier1, ...settings } = configuration();
    return { ...settings, kafka: { ...kafka, context: 'k' } as Configuration['kafka'], regions: regions.map((region, index) => (index === 0 ? { ...region, context: 'e' } : region)), tsb: { ...tsb, context: 'c' }, tier1: { ...tier1, context: 'c' } };
  }

  it('may be changed in many ways: larger volumes, other versions, more regions', () => {
    const kafka = { storage: { size: '20Gi', class: 'fast' }, version: '4.3.0' };
    assert.deepEqual(unchangeable(previous, configuration({ kafka, bridge: { timeouts: { consumersMs: 20_000 } } }, 'east', 'west', 'north')), []);
  });

  const refused: [string, Settings][] = [
    ['kafka.context', { kafka: { context: 'other' } }],
    ['kafka.namespace', { kafka: { namespace: 'other' } }],
    ['kafka.name', { kafka: { name: 'other' } }],
    ['kafka.api', { kafka: { api: 'v1beta2', version: '3.9.1' }, operators: { strimzi: { version: '0.45.1' } } }],
    ['kafka.brokers', { kafka: { brokers: 5, storage: { size: '10Gi', class: 'fast' } } }],
    ['kafka.storage.size', { kafka: { storage: { size: '9Gi', class: 'fast' } } }],
    ['kafka.storage.size', { kafka: { storage: { size: '9.5Gi', class: 'fast' } } }],
    ['kafka.storage.class', { kafka: { storage: { class: 'slow' } } }],
    ['kafka.storage.class', { kafka: { storage: { size: '10Gi' } } }],
    ['bridge.namespace', { bridge: { namespace: 'other' } }],
    ['bridge.name', { bridge: { name: 'other' } }],
    ['tsb.context', { tsb: { context: 'other' } }],
    ['tsb.namespace', { tsb: { namespace: 'other' } }],
    ['tsb.organization', { tsb: { organization: 'other' } }],
    ['tsb.tenant', { tsb: { tenant: 'other' } }],
    ['tsb.tenant', { tsb: { tenant: { existing: 'kafka' } } }],
    ['tsb.workspaces.bridges', { tsb: { workspaces: { bridges: 'other' } } }],
    ['tsb.workspaces.edge', { tsb: { workspaces: { edge: 'other' } } }],
    ['tsb.groups.edge', { tsb: { groups: { edge: 'other' } } }],
    ['kafka.certificate', { kafka: { certificate: { source: 'issuer', issuer: { name: 'i', kind: 'Issuer' } } } }],
    ['kafka.certificate.source', { kafka: { certificate: { source: 'issuer', issuer: { name: 'i', kind: 'ClusterIssuer' } } } }],
    ['bridge.port', { bridge: { port: 8282 } }],
    ['tsb.api', { tsb: { api: 'tier1gateway' } }],
    ['tier1.context', { tier1: { context: 'other' } }],
    ['tier1.namespace', { tier1: { namespace: 'other' } }],
    ['tier1.name', { tier1: { name: 'other' } }],
    ['tier1.tls', { tier1: { tls: { source: 'secret' } } }],
  ];
  for (const [path, settings] of refused) {
    it(`is not replaced because of ${path}: ${JSON.stringify(settings)}`, () => {
      assert.deepEqual([...new Set(unchangeable(previous, configuration(settings)).map((refusal) => refusal.path))], [path]);
    });
  }

  it('goes on asking its bridges what it asked them before, in namespaces that this stack made', async () => {
    const asking = (authentication: Record<string, unknown>): Settings => ({ bridge: { authentication }, kafka: { listeners: [{ type: 'loadbalancer', authentication: authentication['type'] }] } });
    const password = { type: 'scram-sha-512', username: 'u', secret: { name: 'client' } };
    const refusals = (before: Previous, settings: Settings) => unchangeable(before, configuration(settings)).map(({ path, running: was, wanted }) => [path, was, wanted]);
    const [was, wanted] = ['a namespace that this stack made', 'one that exists'];
    assert.deepEqual(refusals(previous, asking(tlsClient)), [['kafka.listeners', was, wanted], ['bridge.authentication', was, wanted]]);
    const before = previousOf(await record(() => buildTopology(configuration(asking(password)), answeringCluster(operators))));
    assert.deepEqual(refusals(before, asking({ ...password, username: 'other' })), []);
    assert.deepEqual(refusals(before, asking(tlsClient)), [['kafka.listeners', 'scram-sha-512', 'tls']]);
    assert.deepEqual(refusals(before, {}), [['kafka.listeners', 'scram-sha-512', 'no authentication of bridges']]);
    const others: Settings = { kafka: { listeners: [{ type: 'loadbalancer' }, { type: 'internal', name: 'in', port: 9095, authentication: 'tls' }] } };
    assert.deepEqual(refusals(previous, others), [], 'what no bridge comes in by');
  });

  it('has as many brokers as are wanted where these are no controllers', async () => {
    const old = (brokers: number) => configuration({ kafka: { api: 'v1beta2', version: '3.9.1', brokers }, operators: { strimzi: { version: '0.45.1' } } });
    const before = previousOf(await record(() => buildTopology(old(3), answeringCluster(operators))));
    assert.deepEqual(unchangeable(before, old(4)), []);
  });

  it('is not replaced in namespaces that others made', async () => {
    const listeners = [{ type: 'loadbalancer', authentication: 'tls' }];
    const given: Settings = { kafka: { listeners }, bridge: { authentication: tlsClient }, tier1: { tls: { source: 'secret' } } };
    const before = previousOf(await record(() => buildTopology(configuration(given), answeringCluster(operators))));
    assert.deepEqual(unchangeable(before, configuration(given)), []);
    const moved = configuration({ ...given, bridge: { ...given['bridge'], namespace: 'other' }, tier1: { ...given['tier1'], namespace: 'front' } });
    assert.deepEqual(unchangeable(before, moved).map(({ path, running: was }) => [path, was]), [['bridge.namespace', 'kafka-bridge'], ['tier1.namespace', 'edge']]);
  });

  const named = (settings: Settings) => record(() => buildTopology(configuration(settings), answeringCluster(operators))).then(previousOf);

  it('keeps the groups that it is in, whoever made them', async () => {
    const settings = { bridges: 'ws-b', edge: 'ws-e' };
    const hierarchy = { tenant: { existing: 'platform' }, workspaces: { bridges: { existing: 'ws-b' }, edge: { existing: 'ws-e' } }, settings };
    const groups = { existing: { edge: 'g', regions: { east: 'e' }, internal: { edge: 'i', regions: { east: 'ie' } } } };
    const before = await named({ tsb: { ...hierarchy, groups } });
    assert.deepEqual(unchangeable(before, configuration({ tsb: { ...hierarchy, groups } })), []);
    const other = { existing: { edge: 'g2', regions: { east: 'e2', west: 'bridges-west' }, internal: { edge: 'i2', regions: { east: 'ie2', west: 'bridges-west' } } } };
    assert.deepEqual(unchangeable(before, configuration({ tsb: { ...hierarchy, groups: other } })).map(({ path, running: was, wanted }) => [path, was, wanted]), [
      ['tsb.groups.existing.edge', 'g', 'g2'], ['tsb.groups.existing.internal.edge', 'i', 'i2'],
      ['tsb.groups.existing.regions.east', 'e', 'e2'], ['tsb.groups.existing.internal.regions.east', 'ie', 'ie2'],
      ['tsb.groups.existing.regions.west', 'one that this stack made', 'one that exists'], ['tsb.groups.existing.internal.regions.west', 'one that this stack made', 'one that exists'],
    ]);
    const moved = configuration({ tsb: { tenant: { existing: 'platform' }, workspaces: { bridges: { existing: 'ws-2' }, edge: { existing: 'ws-e' } }, settings, groups } });
    assert.deepEqual(unchangeable(before, moved).map(({ path }) => path), ['tsb.workspaces.bridges']);
  });

  it('keeps a group for each region', () => {
    const { tsb, ...rest } = configuration();
    const shared = { ...rest, tsb: { ...tsb, groups: { ...tsb.groups, bridges: 'all' } } };
    assert.deepEqual(unchangeable(previous, shared).map(({ path, running: was, wanted }) => [path, was, wanted]), [['tsb.groups.bridges', 'bridges-east', 'all']]);
  });

  it('keeps its groups where no filter may be in one any more', () => {
    assert.deepEqual(unchangeable(previous, configuration({ tsb: { envoyFilters: 'none' } })), []);
  });

  it('keeps the namespace of each operator that it installed', async () => {
    const install = (strimzi: string, certManager: string) => ({ operators: { strimzi: { install: true, namespace: strimzi }, certManager: { install: true, namespace: certManager } } });
    const before = await named(install('strimzi', 'cert-manager'));
    assert.deepEqual(unchangeable(before, configuration(install('strimzi', 'cert-manager'))), []);
    assert.deepEqual(unchangeable(before, configuration(install('other', 'cert-manager'))).map(({ path, running: was }) => [path, was]), [['operators.strimzi.namespace', 'strimzi']]);
    assert.deepEqual(unchangeable(before, configuration(install('strimzi', 'other'))).map(({ path, running: was }) => [path, was]), [['operators.certManager.namespace', 'cert-manager']]);
  });

  it('keeps each operator that it installed, and that is still needed', async () => {
    const both = { strimzi: { install: true }, certManager: { install: true } };
    const regions = ['east', 'west', 'north'];
    const before = previousOf(await record(() => buildTopology(configuration({ operators: both }, ...regions), answeringCluster(operators))));
    const refusals = (wanted: Settings, ...left: string[]) => unchangeable(before, configuration({ ...wanted }, ...(left.length === 0 ? regions : left)));
    const said = (...given: Parameters<typeof refusals>) => refusals(...given).map(({ path, running: was, wanted }) => [path, was, wanted]);
    const other = ['one that this stack installed', 'one that exists'];
    assert.deepEqual(said({ operators: { ...both, strimzi: { install: false } } }), [['operators.strimzi.install', ...other]]);
    assert.deepEqual(said({ operators: { strimzi: { install: true } } }), [['operators.certManager.install', ...other]]);
    const given = { east: {}, west: { namespace: 'theirs' } };
    assert.deepEqual(said({ operators: { ...both, strimzi: { install: true, given } } }), [['operators.strimzi.given.east', ...other], ['operators.strimzi.given.west', ...other]]);
    const [refusal] = refusals({ operators: { certManager: { install: true } } });
    assert.equal(refusal?.instead, 'The operator would be deleted with its namespace, and nobody would look after what it made: set it back, or run destroy first.');

    assert.deepEqual(said({ operators: { ...both, strimzi: { install: true, given: { kafka: {} } } } }, 'east', 'west').map(([path]) => path), ['operators.strimzi.given.kafka']);
    assert.deepEqual(said({ operators: both }, 'east', 'west'), [], 'north’s goes with it');
    const kafka = { storage: { size: '10Gi', class: 'fast' }, listeners: [{ type: 'loadbalancer', certificate: 'operator' }] };
    assert.deepEqual(said({ operators: { strimzi: { install: true } }, kafka }).map(([path]) => path), ['kafka.listeners[0].certificate'], 'nothing needs cert-manager any more');
  });

  it('has operators of others where it has installed none', async () => {
    const given = { strimzi: { install: true, given: { east: {} } } };
    const before = await named({ operators: given });
    assert.deepEqual(unchangeable(before, configuration({ operators: given })), []);
    assert.deepEqual(unchangeable(previous, configuration({ operators: { strimzi: { install: false } } })), []);
  });

  it('keeps the place of its generators, which may go', async () => {
    const asked = (more: object = {}): Settings => ({ generators: { topic: 'sales', ...more } });
    const before = await named(asked());
    assert.deepEqual(unchangeable(before, configuration(asked({ intervalMs: 10 }))), []);
    assert.deepEqual(unchangeable(before, configuration()), []);
    assert.deepEqual(unchangeable(previous, configuration(asked({ namespace: 'other' }))), [], 'there were none');
    assert.deepEqual(unchangeable(before, configuration(asked({ namespace: 'other', context: 'east' }))).map(({ path, running: was, wanted }) => [path, was, wanted]), [
      ['generators.context', 'central', 'east'], ['generators.namespace', 'traffic', 'other'],
    ]);
  });

  it('keeps ZooKeeper’s volumes', async () => {
    const old = (storage: object): Settings => ({ kafka: { api: 'v1beta2', version: '3.9.1', zookeeper: { storage } }, operators: { strimzi: { version: '0.45.1' } } });
    const before = await named(old({ size: '5Gi' }));
    assert.deepEqual(unchangeable(before, configuration(old({ size: '6Gi' }))), []);
    assert.deepEqual(unchangeable(before, configuration(old({ size: '1Gi', class: 'fast' }))).map(({ path, running: was }) => [path, was]), [
      ['kafka.zookeeper.storage.size', '5Gi'], ['kafka.zookeeper.storage.class', 'the cluster\'s default'],
    ]);
  });

  for (const api of ['gateway', 'tier1gateway']) {
    it(`keeps the address of each region’s gateway (${api})`, async () => {
      const before = previousOf(await record(() => buildTopology(configuration({ tsb: { api } }), answeringCluster(operators))));
      const { regions, ...rest } = configuration({ tsb: { api } });
      const renamed = { ...rest, regions: regions.map((region) => ({ ...region, gateway: { ...region.gateway, name: `${region.name}-gateway` } })) };
      assert.deepEqual(unchangeable(before, renamed).map(({ path, running: was, wanted }) => [path, was, wanted]), [
        ['regions[0].gateway.name', 'kafka-bridge-gateway', 'east-gateway'], ['regions[1].gateway.name', 'kafka-bridge-gateway', 'west-gateway'],
      ]);
    });
  }

  it('is told from what runs in a region that is called as another part is', () => {
    const regions = ['tier1', 'tsb'];
    const namespace = (component: string, name: string, metadata: object) => [`urn:pulumi:dev::p::kbf:index:${component}$kubernetes:core/v1:Namespace::${name}-namespace`, { outputs: { metadata } }];
    const before = new Previous(Object.fromEntries([
      namespace('Tier1Failover', 'tier1', { name: 'edge' }),
      namespace('TsbWorkspace', 'tsb', { name: 'tsb-conf' }),
      ...regions.map((name) => namespace('KafkaBridgeRegion', name, { name: 'kafka-bridge' })),
    ]));
    assert.deepEqual(unchangeable(before, configuration({}, ...regions)), []);
    assert.deepEqual(unchangeable(before, configuration({ tier1: { namespace: 'kafka-bridge' } }, ...regions)).map(({ path, running: was }) => [path, was]), [['tier1.namespace', 'edge']]);
  });

  it('is not moved to another cluster under the name of its region', () => {
    const { regions, ...rest } = configuration();
    const moved = { ...rest, regions: regions.map((region) => (region.name === 'west' ? { ...region, context: 'elsewhere' } : region)) };
    assert.deepEqual(unchangeable(previous, moved).map(({ path, running: was, wanted }) => [path, was, wanted]), [['regions[1].context', 'west', 'elsewhere']]);
  });

  it('is not given up for a Kafka that exists', () => {
    const existing = { ...configuration(), kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: 'PEM' } } };
    assert.deepEqual(unchangeable(previous, existing).map(({ path }) => path), ['kafka.existing']);
  });

  it('is said with every setting at once, and what to do instead', () => {
    assert.throws(() => { refuseUnchangeable(previous, configuration({ kafka: { namespace: 'other' }, tier1: { namespace: 'front' } })); }, (error: Error) => {
      assert.match(error.message, /nothing was changed/);
      assert.match(error.message, /kafka\.namespace: other is wanted, kafka-cluster is running\. .*stack of its own/);
      assert.match(error.message, /tier1\.namespace: front is wanted, edge is running/);
      return true;
    });
  });

  it('refuses nothing where nothing runs', () => {
    assert.deepEqual(unchangeable(new Previous({}), configuration()), []);
  });

  describe('by region', () => {
    const named = (...names: string[]) => names.map((name) => ({ name, context: name }));

    it('may grow or shrink', () => {
      assert.deepEqual(regionChanges(previous, named('east', 'west', 'north')), { arrived: ['north'], departed: [] });
      assert.deepEqual(regionChanges(previous, named('west')), { arrived: [], departed: ['east'] });
      assert.deepEqual(regionChanges(new Previous({}), named('east', 'west')), { arrived: ['east', 'west'], departed: [] });
    });

    it('does not grow and shrink at once', () => {
      assert.throws(() => regionChanges(previous, named('west', 'north')), /north cannot come in the same run in which east would go[^]*Run up with all of them first, and then without east/);
    });

    it('keeps the name of one that stays in its cluster', () => {
      const renamed = [{ name: 'asia', context: 'east' }, ...named('west')];
      assert.throws(() => regionChanges(previous, renamed), ({ message }: Error) => {
        assert.match(message, /asia cannot come in the same run in which east would go[^]*\nA region keeps its name as long as it is in its cluster, here east: call asia east again\. Where two others are there meanwhile: take east out, run up, and then put asia in\.$/);
        assert.doesNotMatch(message, /all of them first/);
        return true;
      });
    });

    it('gives what is on its way there as long as the longer of its bounds', () => {
      const { timeouts } = configuration().bridge;
      assert.equal(leaveMs({ ...timeouts, routeMs: 15_000, consumersMs: 30_000 }), 35_000);
      assert.equal(leaveMs({ ...timeouts, routeMs: 100_000, consumersMs: 30_000 }), 105_000);
    });

    it('loses no region that is skipped', () => {
      const skipped = skippedRegions(previous, { KBF_SKIP_REGIONS: 'east' });
      assert.deepEqual(regionChanges(previous, named('west'), skipped), { arrived: [], departed: [] });
    });
  });

});

function configuration(settings: Settings = {}, ...regions: string[]): Configuration {
  const names = regions.length === 0 ? ['east', 'west'] : regions;
  return parseConfiguration({
    hostname: 'bridge.example',
    kubeconfig: '/none',
    kafka: { context: 'kafka', domain: 'kafka.example', storage: { size: '10Gi', class: 'fast' }, ...settings['kafka'] },
    regions: names.map((name) => ({ name, context: name, tsbCluster: name })),
    bridge: settings['bridge'] ?? {},
    operators: settings['operators'] ?? {},
    tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka', ...settings['tsb'] },
    tier1: { context: 'central', tsbCluster: 'central', ...settings['tier1'] },
    ...(settings['generators'] && { generators: settings['generators'] }),
  }, '/', 'unchecked');
}
