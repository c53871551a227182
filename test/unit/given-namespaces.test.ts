/** Namespaces that are there before the program: it makes none, takes none away, and says so where one is missing. */
import assert from 'node:assert/strict';

import * as pulumi from '@pulumi/pulumi';

import { lineOf } from '../../automation/doctor/finding.ts';
import { judgeNamespaces } from '../../automation/doctor/namespaces.ts';
import { configuredNamespaces } from '../../components/configured-namespaces.ts';
import { refuseForeignNamespaces } from '../../components/foreign-namespaces.ts';
import { refuseMissingNamespaces } from '../../components/missing-namespaces.ts';
import { Previous } from '../../components/previous.ts';
import { unchangeable } from '../../components/unchangeable.ts';
import { givenNamespaces } from '../../config/given-namespace.ts';
import { configuration as doctorsConfiguration, short, TwoClusters } from './doctor-fixtures.ts';
import { answeringCluster, record, type Recording } from './pulumi-mocks.ts';
import { type Changes, configuration, previousOf, recordTopology } from './topology-fixtures.ts';

/** With every part that has a namespace. */
const whole: Changes = { generators: { topic: 'orders' }, operators: { strimzi: { install: true, given: { west: {} } }, certManager: { install: true } } };
const given: Changes = { ...whole, namespaces: 'given' };
const client: Changes = { kafka: { listeners: [{ type: 'loadbalancer', authentication: 'tls' }] }, bridge: { authentication: { type: 'tls', secret: { name: 'client' } } } };
const parts = ['kafka', 'bridge', 'tsb', 'tier1', 'generators', 'operators'];

describe('a namespace is there before the program', () => {
  const why = (changes: Changes) => Object.fromEntries(Object.entries(givenNamespaces(configuration(changes))).filter(([, setting]) => setting !== undefined));

  it('by one setting for all, whatever lies in it', () => {
    assert.deepEqual(why({}), {});
    assert.deepEqual(why({ namespaces: 'given', ...client }), Object.fromEntries(parts.map((part) => [part, 'namespaces'])));
  });

  it('by what lies in it, and then no other', () => {
    assert.deepEqual(why(client), { kafka: 'kafka.listeners', bridge: 'bridge.authentication' });
    assert.deepEqual(why({ kafka: { certificate: { source: 'issuer', issuer: { name: 'i', kind: 'Issuer' } } }, tier1: { tls: { source: 'secret' } } }), { kafka: 'kafka.certificate', tier1: 'tier1.tls' });
  });
});

describe('given namespaces', () => {
  let recording: Recording;
  before(async () => { recording = await recordTopology(given); });

  it('are not made, and only those of bridges are labelled', () => {
    const written = recording.resources.filter(({ type }) => type.startsWith('kubernetes:core/v1:Namespace')).map(({ type, name, inputs }) => [type, name, inputs['metadata']]).toSorted();
    const label = { name: 'kafka-bridge', labels: { 'istio-injection': 'enabled' } };
    assert.deepEqual(written, ['east', 'west'].map((region) => ['kubernetes:core/v1:NamespacePatch', `${region}-namespace`, label]));
  });

  it('have the same objects in them as those that are made', async () => {
    const objects = ({ resources }: Recording): string[] => resources.filter(({ type }) => !type.startsWith('kubernetes:core/v1:Namespace')).map(({ type, name, provider, inputs }) => JSON.stringify([type, name, provider, inputs])).sort();
    const made = await recordTopology(whole);
    assert.ok(objects(made).length > 30);
    assert.deepEqual(objects(recording), objects(made));
  });

  it('are labelled with the mesh’s revision', async () => {
    const { inputs } = (await recordTopology({ ...given, bridge: { injection: { revision: 'asm-1' } } })).resources.find(({ name }) => name === 'west-namespace') ?? {};
    assert.deepEqual(inputs?.['metadata'], { name: 'kafka-bridge', labels: { 'istio.io/rev': 'asm-1' } });
  });
});

describe('a given namespace', () => {
  const all = configuredNamespaces(configuration(given));
  const key = ({ context, namespace }: { context: string; namespace: string }) => `${context}/${namespace}`;

  /** @param live what clusters have in place of a namespace that is as it should be */
  async function refused(live: (place: string) => object | undefined, { changes = given, skipped = [], previous = new Previous({}) }: { changes?: Changes; skipped?: string[]; previous?: Previous } = {}): Promise<string[]> {
    await record(() => undefined);
    const asked: string[] = [];
    const cluster = answeringCluster(({ kind, name }, context) => {
      asked.push(`${kind} ${context}/${name}`);
      return live(`${context}/${name}`) as Record<string, unknown> | undefined;
    });
    try {
      await refuseMissingNamespaces({ previous, configuration: configuration(changes), cluster, skipped: new Set(skipped) });
      return asked;
    } catch (error) {
      assert.ok(pulumi.RunError.isInstance(error));
      const [title, ...problems] = error.message.split('\n');
      assert.equal(title, 'Namespaces that this program does not make are not there; nothing was changed:');
      return problems.map((problem) => problem.trim());
    }
  }

  it('is asked for in its cluster, of every part', async () => {
    const places = ['central/edge', 'central/traffic', 'central/tsb-conf', 'east/kafka-bridge', 'east/strimzi', 'kafka/cert-manager', 'kafka/kafka-cluster', 'kafka/strimzi', 'west/kafka-bridge'];
    assert.deepEqual(all.map(key).sort(), places);
    assert.deepEqual((await refused(() => ({ metadata: {} }))).sort(), places.map((place) => `Namespace ${place}`));
    assert.deepEqual(await refused(() => undefined, { changes: whole }), [], 'none is given');
  });

  it('is refused where it is not there: which setting names it, where, and what to do', async () => {
    assert.deepEqual(await refused((place) => (place === 'east/kafka-bridge' || place === 'kafka/strimzi' ? undefined : { metadata: {} })), [
      'bridge.namespace: namespace kafka-bridge of cluster east is not there, and by namespaces: given the program does not make it. Make it, or have it made: kubectl --context east create namespace kafka-bridge',
      'operators.strimzi.namespace: namespace strimzi of cluster kafka is not there, and by namespaces: given the program does not make it. Make it, or have it made: kubectl --context kafka create namespace strimzi',
    ]);
  });

  it('is refused where a given Secret would lie in it, before that is missed', async () => {
    const missing = await refused(() => undefined, { changes: client });
    assert.deepEqual(missing.map((line) => line.split('. ')[0]), [
      'kafka.namespace: namespace kafka-cluster of cluster kafka is not there, and by kafka.listeners the program does not make it',
      ...['east', 'west'].map((region) => `bridge.namespace: namespace kafka-bridge of cluster ${region} is not there, and by bridge.authentication the program does not make it`),
    ]);
  });

  it('is refused while it is being deleted', async () => {
    const [problem, ...more] = await refused((place) => ({ metadata: place === 'central/edge' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {} }));
    assert.deepEqual(more, []);
    assert.match(problem ?? '', /^tier1\.namespace: namespace edge of cluster central is being deleted, and .*\. Nothing can be made in it any more: .*kubectl --context central create namespace edge$/);
  });

  it('is empty when it is made anew, whatever the state has in it: refresh is to say so', async () => {
    const previous = previousOf(await recordTopology({ ...given, generators: undefined }));
    const missing = await refused((place) => (['east/kafka-bridge', 'kafka/strimzi', 'central/traffic'].includes(place) ? undefined : { metadata: place === 'central/edge' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {} }), { previous });
    const refresh = ', and then run `kbf refresh` (or `pulumi refresh`) before `up`, as what the state has in it is gone';
    assert.deepEqual(missing.map((line) => line.slice(line.indexOf('kubectl'))), [
      `kubectl --context east create namespace kafka-bridge${refresh}`,
      `kubectl --context central create namespace edge${refresh}`,
      'kubectl --context central create namespace traffic',
      `kubectl --context kafka create namespace strimzi${refresh}`,
    ]);
  });

  it('is not asked for where a region is skipped, and is left to the engine where nobody answers', async () => {
    const missing = await refused(() => undefined, { skipped: ['east'] });
    assert.equal(missing.length, all.length - 2);
    assert.ok(!missing.some((line) => line.includes('cluster east')));
    const asked = await refused(() => { throw new Error('connect ECONNREFUSED'); });
    assert.equal(asked.length, all.length);
  });

  it('is nobody’s for the stack to refuse', async () => {
    await record(() => undefined);
    await refuseForeignNamespaces({ previous: new Previous({}), configuration: configuration(given), cluster: answeringCluster(() => ({ metadata: {} })), skipped: new Set() });
  });
});

describe('namespaces that this stack made', () => {
  const refusals = (previous: Previous, changes: Changes) => unchangeable(previous, configuration(changes)).map(({ path, running, wanted, instead }) => [path, running, wanted, instead]);
  const refusal = ['namespaces', 'a namespace that this stack made', 'one that exists', 'The namespace would be deleted with everything in it: set it back, or run destroy first.'];
  let made: Recording;
  before(async () => { made = await recordTopology(whole); });
  /** A state in which nothing but components of this kind have made theirs. */
  const only = (component: string): Previous => {
    const resources = made.resources.filter(({ type, parent }) => type !== 'kubernetes:core/v1:Namespace' || parent === component);
    assert.ok(resources.length < made.resources.length);
    return previousOf({ resources, outputsOf: (name) => made.outputsOf(name) });
  };

  it('are not given away, which would delete them', () => {
    assert.deepEqual(refusals(previousOf(made), given), [refusal]);
    assert.deepEqual(refusals(previousOf(made), whole), []);
  });

  for (const component of ['KafkaCluster', 'KafkaBridgeRegion', 'TsbWorkspace', 'Tier1Failover', 'TrafficGenerators', 'Operator']) {
    it(`are not given away where there is only that of ${component}`, () => {
      assert.deepEqual(refusals(only(component), given), [refusal]);
    });
  }

  it('may go with generators that are not wanted any more, and nothing is refused where all were given', async () => {
    assert.deepEqual(refusals(only('TrafficGenerators'), { ...given, generators: undefined }), []);
    assert.deepEqual(refusals(previousOf(await recordTopology(given)), given), []);
  });
});

describe('doctor: given namespaces', () => {
  const two = new TwoClusters();
  const judged = async () => judgeNamespaces(await two.look({ configuration: doctorsConfiguration({ namespaces: 'given' }) }));
  const inEast = ['kafka-cluster', 'kafka-bridge', 'tsb-conf', 'edge'];

  it('are there', async () => {
    for (const namespace of inEast) two.east.objects.set(`/api/v1/namespaces/${namespace}`, { metadata: {} });
    two.west.objects.set('/api/v1/namespaces/kafka-bridge', { metadata: {} });
    assert.deepEqual(short(await judged()), [`ok east: none is made; ${inEast.join(', ')}: there`, 'ok west: none is made; kafka-bridge: there']);
  });

  it('are missing, or on their way out', async () => {
    for (const namespace of inEast) two.east.objects.set(`/api/v1/namespaces/${namespace}`, { metadata: namespace === 'edge' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {} });
    const [leaving, missing, ...more] = (await judged()).map(lineOf);
    assert.match(leaving ?? '', /^fault +namespaces +east +edge is being deleted, and by namespaces: given the program does not make it\. /);
    assert.match(missing ?? '', /^fault +namespaces +west +kafka-bridge is not there, and by namespaces: given the program does not make it\. Make it, or have it made: kubectl --context west create namespace kafka-bridge/);
    assert.deepEqual(more, []);
  });

  it('say nothing about each other where one may not be read', async () => {
    for (const namespace of inEast.slice(1)) two.east.objects.set(`/api/v1/namespaces/${namespace}`, { metadata: {} });
    two.east.statuses.set('/api/v1/namespaces/edge', 403);
    two.west.objects.set('/api/v1/namespaces/kafka-bridge', { metadata: {} });
    const unread = 'unchecked east: /api/v1/namespaces/edge of cluster east cannot be read: HTTP 403, the test says 403';
    assert.deepEqual(short(await judged()), ['fault east: kafka-cluster is not there, and by namespaces: given the program does not make it', unread, 'ok west: none is made; kafka-bridge: there']);
    two.east.objects.set('/api/v1/namespaces/kafka-cluster', { metadata: {} });
    assert.deepEqual(short(await judged()), [unread, 'ok east: none is made; kafka-cluster, kafka-bridge, tsb-conf: there', 'ok west: none is made; kafka-bridge: there']);
  });

  it('have volumes of an earlier Kafka', async () => {
    for (const namespace of inEast) two.east.objects.set(`/api/v1/namespaces/${namespace}`, { metadata: {} });
    two.east.objects.set('/api/v1/namespaces/kafka-cluster/persistentvolumeclaims/data-0-kafka-kafka-0', { metadata: {} });
    const inKafkas = async (): Promise<string | undefined> => (await judged()).map(lineOf)[0];
    assert.match(await inKafkas() ?? '', /^fault +namespaces +east +kafka-cluster has volumes of an earlier Kafka kafka \(claim data-0-kafka-kafka-0\), on which a new one does not start\. Where nobody needs its records: kubectl --context east -n kafka-cluster delete pvc /);
    two.east.objects.set('/apis/kafka.strimzi.io/v1/namespaces/kafka-cluster/kafkanodepools/kafka', { metadata: {}, status: { clusterId: 'abc' } });
    assert.match(await inKafkas() ?? '', /^ok /);
    two.east.objects.delete('/apis/kafka.strimzi.io/v1/namespaces/kafka-cluster/kafkanodepools/kafka');
    two.east.objects.set('/apis/kafka.strimzi.io/v1/namespaces/kafka-cluster/kafkas/kafka', { metadata: {} });
    assert.match(await inKafkas() ?? '', /^ok /);
  });
});
