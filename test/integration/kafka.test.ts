/** Kafka by other settings than the repository's own, and operators that come by their charts. */
import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parse, stringify } from 'yaml';
import { Environment } from '../../automation/environment.ts';
import { Workshop, root } from './support.ts';
import type { SandboxAnswer } from './support.ts';

interface Answer {
  readonly changes: Record<string, number>;
  readonly resources: readonly { readonly op: string; readonly name: string }[];
  readonly outputs: { readonly kafka: { readonly bootstrapServers: string; readonly listeners: readonly object[] } };
}

const name = 'kafka';

describe('Kafka and operators as settings have them', () => {
  let workshop: Workshop;
  let sandbox: SandboxAnswer;
  let tools: { pulumiBin: string };

  before(async () => {
    workshop = await Workshop.make();
    sandbox = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name);
    tools = await workshop.toolsOf(sandbox);
  });

  after(async () => {
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  const kubectl = (context: string, ...args: string[]): Promise<string> => workshop.kubectl(sandbox, context, ...args);

  describe('a Kafka that is reached by ports of nodes', () => {
    async function up(partitions: number): Promise<Answer> {
      const file = join(workshop.stateDir, 'Pulumi.nodeport.yaml');
      const { config } = parse(await readFile(join(root, 'Pulumi.dev.yaml'), 'utf8')) as { config: Record<string, object> };
      const key = 'kafka-bridge-failover:kafka';
      config[key] = {
        ...config[key],
        listeners: [{ type: 'nodeport' }, { name: 'plain', type: 'internal', port: 9092, tls: false }],
        resources: { requests: { memory: '512Mi' } },
        config: { 'auto.create.topics.enable': false },
        topics: [{ name: 'orders', partitions, config: { 'retention.ms': 86_400_000 } }, { name: 'Old_Names', partitions: 1 }],
        certificate: { source: 'own-root', leafDays: 30 },
      };
      await writeFile(file, stringify({ config }));
      return await workshop.json<Answer>('up', '--sandbox', name, '--config', file);
    }

    const ask = async (path: string, ...more: string[]): Promise<unknown> => JSON.parse(await workshop.inside(name, 'curl', '--silent', '--fail', ...more, `http://kafka-bridge.example${path}`));

    it('says by which port', async () => {
      const { kafka } = (await up(4)).outputs;
      assert.match(kafka.bootstrapServers, /^bootstrap\.kafka\.example:3\d{4}$/);
      assert.deepEqual(kafka.listeners, [
        { name: 'external', type: 'nodeport', tls: true, bootstrapServers: kafka.bootstrapServers },
        { name: 'plain', type: 'internal', tls: false, bootstrapServers: 'kafka-kafka-bootstrap.kafka-cluster.svc:9092' },
      ]);
    });

    it('takes records through bridges, into the topics that were asked for', async () => {
      const { partitions, configs } = await ask('/topics/orders') as { partitions: object[]; configs: Record<string, string> };
      assert.deepEqual([partitions.length, configs['retention.ms']], [4, '86400000']);
      assert.ok((await ask('/topics') as string[]).includes('Old_Names'));
      const record = ['--header', 'Content-Type: application/vnd.kafka.json.v2+json', '--data', '{"records":[{"value":"one","partition":3}]}'];
      assert.deepEqual(await ask('/topics/orders', ...record), { offsets: [{ partition: 3, offset: 0 }] });
    });

    it('has a certificate for as long as was asked for', async () => {
      const duration = await kubectl('kafka', '--namespace', 'kafka-cluster', 'get', 'certificate', 'kafka-listener', '--output', 'jsonpath={.status.notBefore} {.status.notAfter}');
      const [from = '', until = ''] = duration.split(' ');
      assert.equal(Math.round((Date.parse(until) - Date.parse(from)) / 86_400_000), 30);
    });

    it('has nothing to change the second time, and of a topic that grows only that', async () => {
      assert.deepEqual(Object.keys((await up(4)).changes), ['same']);
      const { resources } = await up(6);
      assert.deepEqual(resources.filter(({ op }) => op !== 'same').map(({ op, name: resource }) => `${op} ${resource}`), ['update kafka-topic-orders']);
      assert.equal(((await ask('/topics/orders')) as { partitions: object[] }).partitions.length, 6);
    });

    it('says that a topic keeps its replicas, and takes back configuration that is asked for no more', async () => {
      const inKafka = (...args: string[]): Promise<string> => kubectl('kafka', '--namespace', 'kafka-cluster', ...args);
      await inKafka('patch', 'kafkatopic', 'orders', '--type', 'merge', '--patch', JSON.stringify({ spec: { replicas: 1, config: null } }));
      await inKafka('wait', '--for', 'condition=NotReady', '--timeout', '60s', 'kafkatopic/orders');
      assert.equal(await inKafka('get', 'kafkatopic', 'orders', '--output', 'jsonpath={.status.conditions[0].reason}: {.status.conditions[0].message}'),
        'NotSupported: Replication factor change not supported, but required for partitions [0, 1, 2, 3, 4, 5]');
      assert.equal(((await ask('/topics/orders')) as { configs: Record<string, string> }).configs['retention.ms'], '604800000');
    });
  });

  describe('an operator', () => {
    let chart: string;
    const open = async (operators: object, more: object = {}): Promise<Environment> => Environment.open({
      program: join(root, 'test/fixtures/operators'), stack: 'dev', stateDir: join(workshop.stateDir, 'operators'), passphraseFile: join(workshop.stateDir, 'operators/passphrase'), ownBackend: true,
      pulumiBin: tools.pulumiBin, plugins: [join(root, 'sandbox/plugins/bin')], kubeconfig: sandbox.outsideKubeconfig,
      settings: { context: 'central', caFile: join(root, 'test/fixtures/certificates/root.crt'), operators, ...more },
    });
    const installed = (values: object = {}, more: object = {}): Promise<Environment> => open({ strimzi: { install: true, chart, values } }, more);
    const inCentral = (...args: string[]): Promise<string> => kubectl('central', '--namespace', 'strimzi', ...args);

    /** Leaves the state as a killed run does that was creating one object, and had not come to others. */
    async function asKilled(creating: string, ...others: string[]): Promise<void> {
      const file = join(workshop.stateDir, 'operators/state/.pulumi/stacks/operators/dev.json');
      const state = JSON.parse(await readFile(file, 'utf8')) as { checkpoint: { latest: { resources: { urn: string; custom: boolean }[]; pending_operations?: object[] } } };
      const { latest } = state.checkpoint;
      const begun = latest.resources.find(({ urn, custom }) => custom && urn.endsWith(`::${creating}`));
      assert.ok(begun, creating);
      latest.resources = latest.resources.filter((resource) => resource !== begun && !others.some((other) => resource.urn.endsWith(`::${other}`)));
      latest.pending_operations = [{ type: 'creating', resource: { ...begun, id: undefined, outputs: undefined } }];
      await writeFile(file, JSON.stringify(state));
    }

    before(async () => {
      chart = join(workshop.stateDir, 'chart');
      await cp(join(root, 'test/fixtures/charts/operator'), chart, { recursive: true });
    });

    it('that is expected and not there is missed before its objects are made, already by preview', async () => {
      const missed = {
        message: /\nCluster central: CustomResourceDefinition kafkabridges\.kafka\.strimzi\.io is not there\.\nInstall Strimzi in that cluster, or let this program do it: operators\.strimzi\.install: true\.$/,
      };
      await assert.rejects((await open({})).preview(), missed);
      await assert.rejects((await open({})).up(), missed);
    });

    it('comes by its chart before its objects, with its definitions and values', async () => {
      assert.deepEqual((await (await installed()).up()).changes, { create: 7, same: 2 });
      assert.equal(await inCentral('get', 'configmap', 'strimzi-cluster-operator', '--output', 'jsonpath={.data}'), '{"greeting":"hello","watchAnyNamespace":"true"}');
      assert.equal(await inCentral('get', 'deployment', 'strimzi-cluster-operator', '--output', 'jsonpath={.status.availableReplicas}'), '1');
      assert.deepEqual((await (await installed()).up()).changes, { same: 9 });
    });

    it('has an object that a killed run was creating, which later runs change as their own', async () => {
      const greeting = (): Promise<string> => kubectl('central', '--namespace', 'default', 'get', 'kafkabridge', 'bridge', '--output', 'jsonpath={.metadata.annotations.greeting}');
      await asKilled('bridge');
      assert.deepEqual((await (await installed({}, { greeting: 'changed' })).up()).changes, { same: 8, update: 1 });
      assert.equal(await greeting(), 'changed');
      assert.deepEqual((await (await installed()).up()).changes, { same: 8, update: 1 });
      assert.equal(await greeting(), 'none');
    });

    it('is found when it is expected', async () => {
      assert.deepEqual((await (await open({})).preview()).changes, { delete: 5, same: 4 });
    });

    it('is upgraded with its definitions, which Helm alone would leave as they are', async () => {
      const file = join(chart, 'crds/kafkabridges.yaml');
      await writeFile(file, (await readFile(file, 'utf8')).replace('replicas: { type: integer }', 'replicas: { type: integer }\n                image: { type: string }'));
      await writeFile(join(chart, 'Chart.yaml'), (await readFile(join(chart, 'Chart.yaml'), 'utf8')).replace('1.0.0', '2.0.0'));
      assert.deepEqual((await (await installed({ greeting: 'bye' })).up()).changes, { same: 7, update: 2 });
      assert.match(await kubectl('central', 'explain', 'kafkabridge.spec.image'), /FIELD: image <string>/);
      assert.equal(await inCentral('get', 'configmap', 'strimzi-cluster-operator', '--output', 'jsonpath={.data.greeting}'), 'bye');
    });

    it('goes after its objects, and its definitions stay', async () => {
      const deleted: string[] = [];
      await (await installed()).destroy({ onEvent: (event) => { if (event.kind === 'resource' && event.state === 'done' && event.op === 'delete') deleted.push(event.name); } });
      assert.ok(deleted.indexOf('bridge') < deleted.indexOf('strimzi-central'), deleted.join(', '));
      assert.equal(await kubectl('central', 'get', 'namespace', 'strimzi', '--ignore-not-found', '--output', 'name'), '');
      assert.match(await kubectl('central', 'get', 'crd', 'kafkabridges.kafka.strimzi.io', '--output', 'name'), /kafkabridges/);
    });

    it('comes again over what stayed', async () => {
      assert.deepEqual((await (await installed()).up()).changes, { create: 9 });
    });

    it('that a killed run had half installed is refused with what to do, and goes as well', async () => {
      await kubectl('central', '--namespace', 'default', 'delete', 'kafkabridge', 'bridge');
      await asKilled('strimzi-central', 'bridge');
      // Helm keeps a release in a Secret, with its status in a label too.
      const secret = 'sh.helm.release.v1.strimzi.v1';
      const base64 = (bytes: string | Buffer): string => Buffer.from(bytes).toString('base64');
      const stored = Buffer.from(await inCentral('get', 'secret', secret, '--output', 'jsonpath={.data.release}'), 'base64').toString();
      const release = JSON.parse(gunzipSync(Buffer.from(stored, 'base64')).toString()) as { info: { status: string } };
      release.info.status = 'pending-install';
      const patch = { metadata: { labels: { status: release.info.status } }, data: { release: base64(base64(gzipSync(JSON.stringify(release)))) } };
      await inCentral('patch', 'secret', secret, '--type', 'merge', '--patch', JSON.stringify(patch));

      const refused = {
        message: /^Helm did not finish installing strimzi in namespace strimzi of cluster central: /,
        remedy: /^helm uninstall strimzi -n strimzi --kube-context central; /,
      };
      await assert.rejects((await installed()).up(), refused);
      await assert.rejects((await installed()).up(), refused);
      const deleted: string[] = [];
      await (await installed()).destroy({ onEvent: (event) => { if (event.kind === 'resource' && event.state === 'done' && event.op === 'delete') deleted.push(event.name); } });
      assert.ok(deleted.includes('strimzi-central'), deleted.join(', '));
      assert.equal(await kubectl('central', 'get', 'namespace', 'strimzi', '--ignore-not-found', '--output', 'name'), '');
      await rm(chart, { recursive: true });
    });
  });
});
