import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { execa } from 'execa';
import { parse, stringify } from 'yaml';

import { main } from '../../automation/kbf.ts';
import { filesOf } from '../../automation/render/files.ts';
import { writeFolder } from '../../automation/render/folder.ts';
import { render, type Rendering } from '../../automation/render/index.ts';
import { gcpResource, helmRelease, kubernetesObject, type RenderedObject } from '../../automation/render/objects.ts';
import { runWorker } from '../../automation/runWorker.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import { Sink } from '../fixtures/sink.ts';

const key = (name: string): string => `kafka-bridge-failover:${name}`;

/** A bit of everything: placeholders of every source, two kinds of provider, charts, a context that no folder can be named for. */
const settings = {
  hostname: 'kafka.example.com',
  kubeconfig: '/nowhere/kubeconfig',
  kafka: { context: 'default/ocp:6443/admin', name: 'openshift', domain: 'apps.example.com', listeners: [{ type: 'route' }], topics: [{ name: 'on' }] },
  regions: [{ name: 'east', context: 'gke-east' }, { name: 'west', context: 'west', tsbCluster: 'west-1' }],
  tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka' },
  tier1: { context: 'central', tls: { source: 'self-signed' } },
  operators: { strimzi: { install: true }, certManager: { install: true } },
  gcp: { project: 'my-project', region: 'us-central1', staticAddress: 'tier1', dnsZone: 'zone', clusters: { 'gke-east': { name: 'e', location: 'us-east1' } } },
};

describe('a rendering', () => {
  let rendering: Rendering;
  const content = (path: string): Record<string, unknown> => {
    const file = rendering.files.find((each) => each.path === path);
    assert.ok(file, `${path} is not among ${rendering.files.map((each) => each.path).join(', ')}`);
    return parse(file.text) as Record<string, unknown>;
  };
  before(async () => { rendering = await render(parseConfiguration(settings, '/', 'unchecked'), 'test'); });

  it('has each object in the folder of its cluster and namespace', () => {
    const paths = rendering.files.map(({ path }) => path);
    for (const path of [
      'west/_cluster/namespace.kafka-bridge.yaml',
      'west/kafka-bridge/kafkabridge.kafka-bridge.yaml',
      'gke-east/kafka-bridge/kafkabridge.kafka-bridge.yaml',
      'central/tsb-conf/workspace.bridges.yaml',
      'default%2Focp%3A6443%2Fadmin/kafka-cluster/issuer.openshift-self-signed.yaml',
      'default%2Focp%3A6443%2Fadmin/kafka-cluster/kafka.openshift.yaml',
      '_gcp/address.tier1.yaml',
    ]) assert.ok(paths.includes(path), path);
    assert.deepEqual(paths, [...paths].sort());
  });

  it('tells kinds of one name by their API group', () => {
    assert.equal(content('west/kafka-bridge/gateway.install.tetrate.io.kafka-bridge-gateway.yaml')['apiVersion'], 'install.tetrate.io/v1alpha1');
    assert.equal(content('west/kafka-bridge/gateway.gateway.tsb.tetrate.io.kafka-bridge-gateway.yaml')['apiVersion'], 'gateway.tsb.tetrate.io/v2');
  });

  it('has objects as they will be written', () => {
    const { kind, metadata, spec } = content('default%2Focp%3A6443%2Fadmin/kafka-cluster/kafka.openshift.yaml') as { kind: string; metadata: object; spec: { kafka: { version: string; listeners: { type: string }[] } } };
    assert.equal(kind, 'Kafka');
    assert.deepEqual({ ...metadata, annotations: undefined }, { name: 'openshift', namespace: 'kafka-cluster', annotations: undefined });
    assert.equal(spec.kafka.version, '4.3.1');
    assert.deepEqual(spec.kafka.listeners.map(({ type }) => type), ['route']);
  });

  it('quotes what YAML of old takes for something else than text', () => {
    const topic = rendering.files.find(({ path }) => path.endsWith('/kafkatopic.on.yaml'));
    assert.match(topic?.text ?? '', /name: "on"/);
  });

  it('says of charts which, in what version and with what values', () => {
    const { chart, version, namespace, values } = content('west/strimzi/helmrelease.strimzi.yaml');
    assert.deepEqual({ chart, version, namespace, values }, { chart: 'oci://quay.io/strimzi-helm/strimzi-kafka-operator', version: '1.2.0', namespace: 'strimzi', values: { watchAnyNamespace: true } });
  });

  it('lists what is no object', () => {
    assert.deepEqual(rendering.others.filter((other) => other.startsWith('tls:')), ['tls:index/privateKey:PrivateKey tier1-key', 'tls:index/selfSignedCert:SelfSignedCert tier1-certificate']);
  });

  it('says in place of each value that is known later what it will be, and lists all of them', () => {
    const name = 'TSB cluster name of ControlPlane istio-system/controlplane in cluster gke-east';
    const { spec } = content('central/tsb-conf/workspace.bridges.yaml') as { spec: { namespaceSelector: { names: string[] } } };
    assert.deepEqual(spec.namespaceSelector.names, [`<${name}>/kafka-bridge`, 'west-1/kafka-bridge']);
    const all = rendering.files.flatMap(({ placeholders }) => placeholders);
    assert.deepEqual(all.filter(({ file }) => file === 'central/tsb-conf/workspace.bridges.yaml'), [{ file: 'central/tsb-conf/workspace.bridges.yaml', path: 'spec.namespaceSelector.names[0]', what: name }]);
    assert.ok(all.some(({ file, path, what }) => file === '_gcp/recordset.kafka.example.com..yaml' && path === 'inputs.rrdatas[0]' && what === 'load balancer address of Service edge/tier1 in cluster central'));
    for (const { path, text, placeholders } of rendering.files) {
      assert.equal(placeholders.length, [...text.matchAll(/<[^>]+>/g)].length, `${path} has as many placeholders as are listed`);
    }
  });

  it('keeps the values of Secrets out', () => {
    const { stringData } = content('central/edge/secret.tier1-tls.yaml') as { stringData: Record<string, string> };
    assert.deepEqual(Object.keys(stringData), ['ca.crt', 'tls.crt', 'tls.key']);
    for (const value of Object.values(stringData)) assert.match(value, /^<.*>$/);
    const trust = content('west/kafka-bridge/secret.kafka-ca.yaml') as { stringData: Record<string, string> };
    assert.match(trust.stringData['ca.crt'] ?? '', /^<.*Secret kafka-cluster\/openshift-listener in cluster default\/ocp:6443\/admin>$/);
  });
});

describe('a rendering with given namespaces', () => {
  it('has none of them, but of those of bridges what is written to them', async () => {
    const { files } = await render(parseConfiguration({ ...settings, namespaces: 'given' }, '/', 'unchecked'), 'test');
    const namespaces = files.filter(({ path }) => path.includes('/_cluster/namespace.'));
    assert.deepEqual(namespaces.map(({ path }) => path), ['gke-east', 'west'].map((context) => `${context}/_cluster/namespace.kafka-bridge.yaml`));
    for (const { text } of namespaces) assert.deepEqual(parse(text), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kafka-bridge', labels: { 'istio-injection': 'enabled' } } });
    assert.ok(files.some(({ path }) => path === 'central/edge/secret.tier1-tls.yaml'), 'what is in them is there');
  });

  it('knows what is only patched', () => {
    const patch = { type: 'kubernetes:core/v1:NamespacePatch', name: 'a', provider: 'east', inputs: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'b' } } };
    assert.equal(kubernetesObject(patch, 'east').isPatch, true);
    assert.equal(kubernetesObject({ ...patch, type: 'kubernetes:core/v1:Namespace' }, 'east').isPatch, undefined);
  });
});

describe('an object as a file', () => {
  const object = (change: Partial<RenderedObject> = {}): RenderedObject => ({ folder: { context: 'east', namespace: 'ns' }, group: 'core', kind: 'Service', name: 'a', content: {}, ...change });
  const paths = (...objects: RenderedObject[]): string[] => filesOf(objects).map(({ path }) => path);

  it('has a name that every file system takes', () => {
    assert.deepEqual(paths(object({ name: '../x:y' })), ['east/ns/service...%2Fx%3Ay.yaml']);
    assert.deepEqual(paths(object({ folder: { context: '_gcp', namespace: undefined } })), ['%5Fgcp/_cluster/service.a.yaml']);
    assert.deepEqual(paths(object({ folder: { context: '..', namespace: 'ns' } })), ['%2E./ns/service.a.yaml']);
    const long = paths(object({ name: 'a'.repeat(253) }), object({ name: `${'a'.repeat(252)}b` }));
    assert.equal(new Set(long).size, 2);
    for (const path of long) assert.ok((path.split('/').at(-1) ?? '').length < 255);
  });

  it('is refused where another has its place', () => {
    assert.throws(() => paths(object(), object()), /writes east\/ns\/service\.core\.a\.yaml|writes east\/ns\/service\.a\.yaml 2 times: an object must have one owner/);
    assert.throws(() => paths(object({ group: 'x.io' }), object(), object({ group: 'x.io' })), /service\.x\.io\.a\.yaml 2 times/);
  });

  it('has its keys in one order, whatever the program’s', () => {
    const [one, other] = [{ kind: 'S', spec: { b: 1, a: { name: 'n', c: 2 } }, apiVersion: 'v1', metadata: { labels: {}, namespace: 'ns', name: 'a' } }, { metadata: { name: 'a', labels: {}, namespace: 'ns' }, apiVersion: 'v1', spec: { a: { c: 2, name: 'n' }, b: 1 }, kind: 'S' }];
    const text = (content: object): string => filesOf([object({ content: { ...content } })])[0]?.text ?? '';
    assert.equal(text(one), text(other));
    assert.deepEqual(text(one).split('\n').filter((line) => /^\w/.test(line)), ['apiVersion: v1', 'kind: S', 'metadata:', 'spec:']);
  });

  it('shows no value of a Secret, nor anything that Pulumi holds secret', () => {
    const secret = (value: unknown): unknown => ({ '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', value });
    const made = (type: string, inputs: Record<string, unknown>): string => stringify(kubernetesObject({ type, name: 'n', provider: 'east', inputs: { apiVersion: 'v1', ...inputs } }, 'east').content);
    for (const inputs of [{ stringData: { password: 'hunter2' } }, { data: { password: 'aHVudGVyMg==' } }, { stringData: secret({ password: 'hunter2' }) }]) {
      const text = made('kubernetes:core/v1:Secret', inputs);
      assert.match(text, /password: <value of password, which is kept out of this file>/);
      assert.doesNotMatch(text, /hunter2|aHVudGVyMg/);
    }
    const [certificate, key] = ['CERTIFICATE', 'PRIVATE KEY'].map((label) => `-----BEGIN ${label}-----\nMIIE\n-----END ${label}-----\n`) as [string, string];
    const pem = made('kubernetes:core/v1:Secret', { stringData: { 'ca.crt': certificate, 'both.pem': certificate + key, 'around.pem': `${certificate}hunter2\n` } });
    assert.match(pem, /ca\.crt: \|\n\s+-----BEGIN CERTIFICATE-----\n/, 'a certificate is public');
    for (const name of ['both', 'around']) assert.match(pem, new RegExp(`${name}\\.pem: <value of`));
    const map = made('kubernetes:core/v1:ConfigMap', { data: secret({ password: 'hunter2' }) });
    assert.match(map, /^data: <a secret value/m);
    assert.doesNotMatch(map, /hunter2/);
    const helm = stringify(helmRelease({ type: 'kubernetes:helm.sh/v3:Release', name: 'n', provider: 'east', inputs: { chart: 'c', values: secret({ p: 'hunter2' }) } }, 'east').content);
    const cloud = stringify(gcpResource({ type: 'gcp:compute/address:Address', name: 'n', provider: undefined, inputs: { p: secret('hunter2') } }).content);
    assert.doesNotMatch(helm + cloud, /hunter2/);
  });
});

describe('the folder of a rendering', () => {
  let parent: string;
  const list = async (folder: string): Promise<string[]> => (await readdir(join(parent, folder), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name).sort();
  const write = async (files: Record<string, string>, folder = 'out'): Promise<void> => { await writeFolder(join(parent, folder), new Map(Object.entries(files))); };
  beforeEach(async () => { parent = await mkdtemp(join(tmpdir(), 'kbf-render-')); });
  afterEach(async () => { await rm(parent, { recursive: true, force: true }); });

  it('is replaced as a whole by the next one, and nothing else is left beside it', async () => {
    await write({ 'east/a.yaml': '1', 'east/b.yaml': '1' });
    await write({ 'east/b.yaml': '2' });
    assert.deepEqual(await list('out'), ['.kbf-render', 'b.yaml']);
    assert.equal(await readFile(join(parent, 'out/east/b.yaml'), 'utf8'), '2');
    assert.deepEqual(await readdir(parent), ['out']);
  });

  it('may be there, empty, or not at all, several levels deep', async () => {
    await mkdir(join(parent, 'out'));
    await write({ a: '1' });
    await write({ a: '1' }, 'x/y/z');
    assert.deepEqual(await list('x/y/z'), ['.kbf-render', 'a']);
  });

  it('is refused, and left as it is, where it holds anything of a person’s', async () => {
    await mkdir(join(parent, 'out'));
    await writeFile(join(parent, 'out/mine.txt'), 'mine');
    await assert.rejects(write({ a: '1' }), { name: 'UserError', exitCode: 2, message: /out is not empty, and was not made by `kbf render`/ });
    await rm(join(parent, 'out/mine.txt'));
    await write({ 'east/a': '1' });
    await writeFile(join(parent, 'out/east/kustomization.yaml'), 'mine');
    await assert.rejects(write({ a: '2' }), { name: 'UserError', message: /did not make: east\/kustomization\.yaml/ });
    assert.deepEqual(await list('out'), ['.kbf-render', 'a', 'kustomization.yaml']);
    await writeFile(join(parent, 'file'), '');
    await assert.rejects(write({ a: '1' }, 'file'), { name: 'UserError', message: /file is a file/ });
    assert.deepEqual((await readdir(parent)).sort(), ['file', 'out']);
  });

  it('is refused, and soon, where the system lets nobody make one, or where there is all of it', async () => {
    for (const folder of ['/proc/kbf', '/proc/kbf/deep/down']) await assert.rejects(writeFolder(folder, new Map([['a', '1']])), { name: 'UserError', message: /^\/proc\/kbf.* cannot be written: ENOENT: / }, folder);
    await assert.rejects(writeFolder('/proc', new Map([['a', '1']])), { name: 'UserError', message: /^\/proc is not empty/ });
  });

  it('is written where a link leads', async () => {
    await mkdir(join(parent, 'real'));
    await symlink(join(parent, 'real'), join(parent, 'link'));
    await write({ a: '1' }, 'link');
    assert.deepEqual(await list('real'), ['.kbf-render', 'a']);
  });

  it('is cleared of what a killed run left beside it', async () => {
    await mkdir(join(parent, '.out.kbf-render-4194999-new'));
    await write({ a: '1' });
    assert.deepEqual(await readdir(parent), ['out']);
  });
});

describe('kbf render', function () {
  this.timeout(120_000);
  let parent: string;
  beforeEach(async () => { parent = await mkdtemp(join(tmpdir(), 'kbf-render-')); });
  afterEach(async () => { await rm(parent, { recursive: true, force: true }); });

  async function kbf(change: object, ...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const file = join(parent, 'Pulumi.test.yaml');
    await writeFile(file, stringify({ config: Object.fromEntries(Object.entries({ ...settings, ...change }).map(([name, value]) => [key(name), value])) }));
    const [stdout, stderr] = [new Sink(), new Sink()];
    const code = await main(['render', '--config', file, '--state-dir', join(parent, 'state'), ...argv], { stdout, stderr, work: runWorker });
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  it('writes the same bytes each time, and says what it wrote', async () => {
    const bytes = async (folder: string): Promise<Map<string, string>> => {
      const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
      return new Map(await Promise.all(files.map(async (file) => [file.slice(folder.length), await readFile(file, 'utf8')] as const)));
    };
    const [one, two] = [join(parent, 'one'), join(parent, 'two')];
    const first = await kbf({}, '--out', one, '--json');
    assert.equal(first.code, 0, first.stderr);
    const second = await kbf({}, '--out', two);
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(await bytes(one), await bytes(two));
    const document = JSON.parse(first.stdout) as { out: string; files: string[]; placeholders: { file: string; path: string; what: string }[]; others: string[] };
    assert.deepEqual(document.files, [...(await bytes(one)).keys()].map((path) => path.slice(1)).filter((path) => path !== '.kbf-render').sort());
    assert.ok(document.placeholders.length > 0 && document.placeholders.every(({ file }) => document.files.includes(file)));
    assert.match(second.stdout, new RegExp(`^${String(document.files.length)} objects of stack test are in ${two}`));
    assert.match(second.stdout, /<load balancer address of Service edge\/tier1 in cluster central>\n {4}_gcp\/recordset/);
    assert.ok(!existsSync(join(parent, 'state')));
  });

  it('says where pods find tier1 that no DNS leads to, though its address is known later', async () => {
    const { code, stderr } = await kbf({ gcp: undefined, generators: { topic: 'sales' } }, '--out', join(parent, 'out'));
    assert.equal(code, 0, stderr);
    const { spec } = parse(await readFile(join(parent, 'out/central/traffic/deployment.producer.yaml'), 'utf8')) as { spec: { template: { spec: { hostAliases: object[] } } } };
    assert.deepEqual(spec.template.spec.hostAliases, [
      { ip: '<load balancer address of Service edge/tier1 in cluster central>', hostnames: ['kafka.example.com', 'east.kafka.example.com', 'west.kafka.example.com'] },
    ]);
  });

  it('asks for the folder', async () => {
    const { code, stderr } = await kbf({});
    assert.equal(code, 2);
    assert.match(stderr, /required option '--out <dir>' not specified/);
  });

  it('ends with what the program says, however late it says it', async () => {
    const script = [
      `import { caught } from ${JSON.stringify(new URL('../../automation/render/index.ts', import.meta.url).href)};`,
      `import { RunError } from '@pulumi/pulumi';`,
      `const late = () => { setTimeout(() => { void Promise.reject(new RunError('tier1.context: no')); }, 10); return new Promise(() => undefined); };`,
      `await caught(late).catch((error) => { console.log(error.name, error.message); });`,
    ].join('\n');
    const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script], { cwd: fileURLToPath(new URL('../..', import.meta.url)) });
    assert.equal(stdout, 'UserError tier1.context: no');
  });

  it('writes nothing when the settings are wrong, and says so without a stack trace', async () => {
    const { code, stdout, stderr } = await kbf({ hostname: 'a b' }, '--out', join(parent, 'out'));
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /hostname: found "a b"/);
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.ok(!existsSync(join(parent, 'out')));
  });
});
