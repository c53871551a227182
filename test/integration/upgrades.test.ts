/**
 * Versions that are raised on a running stack, in the order that Strimzi documents, each by an `up` of its own, while a client works: a
 * request that fails, and a record that is gone, is a fault.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { Load } from './load.ts';
import { operatorChart } from './operator-chart.ts';
import { readRecords } from './records.ts';
import { Workshop, eventually, root } from './support.ts';
import type { SandboxAnswer } from './support.ts';

interface Answer {
  readonly changes: Record<string, number>;
  readonly resources: readonly { readonly op: string; readonly name: string }[];
}

interface Versions { readonly operator: string; readonly kafka: string; readonly bridge: string; readonly metadata?: string }

interface KafkaStatus {
  readonly kafkaVersion: string;
  readonly kafkaMetadataVersion: string;
  readonly operatorLastSuccessfulVersion: string;
  readonly conditions: readonly { readonly type: string; readonly reason?: string; readonly message?: string }[];
}

const name = 'upgrades';
const hostname = 'kafka-bridge.example';
const regions = ['east', 'west'];
const clusters = ['kafka', ...regions];
/** Both operators serve the older Kafka, and run both bridges. */
const versions: Versions = { operator: '1.1.0', kafka: '4.2.1', bridge: '1.0.0', metadata: '4.2-IV1' };
const newest: Versions = { operator: '1.2.0', kafka: '4.3.1', bridge: '1.1.0' };

describe('versions that are raised while clients work', () => {
  let workshop: Workshop;
  let sandbox: SandboxAnswer;
  let charts: Record<string, string>;
  let load: Load | undefined;
  const acked: string[] = [];

  before(async () => {
    workshop = await Workshop.make();
    sandbox = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name);
    const tools = await workshop.toolsOf<{ strimziCrds: string }>(sandbox);
    charts = Object.fromEntries(await Promise.all(['1.1.0', '1.2.0'].map(async (version) => [version, await operatorChart(join(workshop.stateDir, 'charts', version), version, tools.strimziCrds)] as const)));
    // The sandbox brings an operator along: here the program has its own.
    for (const cluster of clusters) await kubectl(cluster, 'delete', 'namespace/kafka-operator', 'clusterrole/strimzi-cluster-operator', 'clusterrolebinding/strimzi-cluster-operator');
    await up(versions);
  });

  afterEach(async () => {
    await load?.stop();
    acked.push(...load?.acked ?? []);
    load = undefined;
  });

  after(async () => {
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  const kubectl = (context: string, ...args: string[]): Promise<string> => workshop.kubectl(sandbox, context, ...args);

  /** The repository's own settings with these versions. */
  async function up({ operator, kafka, bridge, metadata }: Versions): Promise<Answer> {
    const file = join(workshop.stateDir, 'Pulumi.upgrades.yaml');
    const { config } = parse(await readFile(join(root, 'Pulumi.dev.yaml'), 'utf8')) as { config: Record<string, object> };
    const key = (concern: string): string => `kafka-bridge-failover:${concern}`;
    config[key('operators')] = { strimzi: { install: true, version: operator, chart: charts[operator] } };
    config[key('kafka')] = { ...config[key('kafka')], version: kafka, ...(metadata === undefined ? {} : { metadataVersion: metadata }) };
    config[key('bridge')] = { version: bridge };
    await writeFile(file, stringify({ config }));
    return await workshop.json<Answer>('up', '--sandbox', name, '--config', file);
  }

  async function tier1(): Promise<string> {
    const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
    return relays['central/edge/tier1:80'] ?? assert.fail('tier1 has no relay');
  }

  /** A client of tier1 that has had answers from all regions. */
  async function startLoad(): Promise<Load> {
    const started = load = new Load(await tier1(), hostname);
    await eventually(`answers from ${regions.join(' and ')}`, 30_000, () => Promise.resolve(regions.every((region) => started.shares(0)[region] !== undefined) || undefined));
    return started;
  }

  const changed = ({ resources }: Answer): string[] => resources.filter(({ op }) => op !== 'same').map(({ op, name: resource }) => `${op} ${resource}`).sort();

  async function imagesOf(context: string, namespace: string, kind: string): Promise<string[]> {
    const images = await kubectl(context, '--namespace', namespace, 'get', 'pods', '--selector', `strimzi.io/kind=${kind}`, '--output', 'jsonpath={.items[*].spec.containers[0].image}');
    return [...new Set(images.split(' '))];
  }

  const brokers = (): Promise<string[]> => imagesOf('kafka', 'kafka-cluster', 'Kafka');
  const bridges = async (): Promise<string[]> => [...new Set((await Promise.all(regions.map((region) => imagesOf(region, 'kafka-bridge', 'KafkaBridge')))).flat())];
  const kafkaStatus = async (): Promise<KafkaStatus> => JSON.parse(await kubectl('kafka', '--namespace', 'kafka-cluster', 'get', 'kafka', 'kafka', '--output', 'jsonpath={.status}')) as KafkaStatus;

  it('begin with the older ones', async () => {
    assert.deepEqual([await brokers(), await bridges()], [['quay.io/strimzi/kafka:1.1.0-kafka-4.2.1'], ['quay.io/strimzi/kafka-bridge:1.0.0']]);
    const { kafkaVersion, kafkaMetadataVersion, operatorLastSuccessfulVersion } = await kafkaStatus();
    assert.deepEqual([operatorLastSuccessfulVersion, kafkaVersion, kafkaMetadataVersion], ['1.1.0', '4.2.1', '4.2-IV1']);
  });

  it('and with a group of consumers: brokers then have a topic of their own that restarts must spare', async () => {
    await (await startLoad()).stop();
    assert.ok((await readRecords(await tier1(), hostname, 'load')).length > 0);
  });

  it('the operator first, with its definitions: brokers start anew from its image, one at a time', async () => {
    const started = await startLoad();
    const names = clusters.map((cluster) => `update strimzi-${cluster}`);
    const definitions = clusters.map((cluster) => `update strimzi-${cluster}-kafkas.kafka.strimzi.io`);
    assert.deepEqual(changed(await up({ ...versions, operator: '1.2.0' })), [...definitions, ...names].sort());
    await eventually('the new operator is done', 180_000, async () => (await kafkaStatus()).operatorLastSuccessfulVersion === '1.2.0' || undefined);
    await started.unharmed();
    assert.deepEqual([await brokers(), await bridges()], [['quay.io/strimzi/kafka:1.2.0-kafka-4.2.1'], ['quay.io/strimzi/kafka-bridge:1.0.0']]);
    assert.match(await kubectl('east', 'explain', 'kafka.status.clusterSecurity'), /FIELD: clusterSecurity/);
  });

  it('then Kafka, broker after broker', async () => {
    const started = await startLoad();
    assert.deepEqual(changed(await up({ ...versions, operator: '1.2.0', kafka: '4.3.1' })), ['update kafka']);
    await started.unharmed();
    assert.deepEqual(await brokers(), ['quay.io/strimzi/kafka:1.2.0-kafka-4.3.1']);
    const { kafkaVersion, kafkaMetadataVersion } = await kafkaStatus();
    assert.deepEqual([kafkaVersion, kafkaMetadataVersion], ['4.3.1', '4.2-IV1']);
  });

  it('then the bridges, a new one being there before the old one goes', async () => {
    const started = await startLoad();
    assert.deepEqual(changed(await up({ ...newest, metadata: '4.2-IV1' })), ['update east-bridge', 'update west-bridge']);
    await eventually('only new bridges', 60_000, async () => { const images = await bridges(); return images.length === 1 && images[0]?.endsWith(':1.1.0') ? true : undefined; });
    await started.unharmed();
  });

  it('and Kafka\'s metadata last, when nobody wants to go back any more', async () => {
    const started = await startLoad();
    assert.deepEqual(changed(await up(newest)), ['update kafka']);
    await eventually('the metadata version follows', 60_000, async () => (await kafkaStatus()).kafkaMetadataVersion === '4.3-IV0' || undefined);
    await started.unharmed();
    assert.deepEqual(Object.keys((await up(newest)).changes), ['same']);
  });

  it('and every record that was acknowledged meanwhile is there', async () => {
    const records = await readRecords(await tier1(), hostname, 'load');
    console.log(`      ${String(acked.length)} records acknowledged, ${String(records.length)} read`);
    assert.ok(acked.length > 100, 'the client produced next to nothing');
    const found = new Set(records);
    assert.deepEqual(acked.filter((id) => !found.has(id)), []);
    assert.equal(found.size, records.length, 'records are there twice');
  });

  it('but Kafka does not go back, once its metadata is the new one\'s', async () => {
    const kafkaVersion = (version: string): Promise<string> => kubectl('kafka', '--namespace', 'kafka-cluster', 'patch', 'kafka', 'kafka', '--type', 'merge', '--patch', JSON.stringify({ spec: { kafka: { version } } }));
    await kafkaVersion('4.2.1');
    const { reason, message } = await eventually('it is refused', 30_000, async () => (await kafkaStatus()).conditions.find(({ type }) => type === 'NotReady'));
    assert.deepEqual([reason, message], ['KafkaUpgradeException', 'The current metadata version (4.3-IV0) has to be lower or equal to the Kafka broker version we are downgrading to (4.2.1)']);
    assert.deepEqual(await brokers(), ['quay.io/strimzi/kafka:1.2.0-kafka-4.3.1']);
    await kafkaVersion('4.3.1');
    await eventually('it is ready again', 30_000, async () => (await kafkaStatus()).conditions.some(({ type }) => type === 'Ready') || undefined);
  });
});
