/** Settings that the other tests do not have, on one sandbox: somebody's issuer, traffic, TSB's networks, checks inside `up`; and a second stack before the first one's Kafka. */
import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool } from 'undici';
import { parse, stringify } from 'yaml';
import type { Finding } from '../../automation/doctor/finding.ts';
import { Workshop, eventually, root } from './support.ts';
import type { SandboxAnswer } from './support.ts';

interface Outputs {
  readonly hostname: string;
  readonly url: string;
  readonly caCertificate: string;
  readonly kafka: { readonly bootstrapServers: string; readonly caCertificate: string };
}

interface Answer {
  readonly changes: Record<string, number>;
  readonly resources: readonly { readonly op: string; readonly name: string }[];
  readonly outputs: Outputs;
}

interface Examination { readonly counts: Record<string, number>; readonly findings: readonly Finding[] }

type Settings = Record<string, unknown>;

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const name = 'variants';
const topic = 'sales';
const firstHost = 'kafka-bridge.example';
const secondHost = 'front.example';

const object = (apiVersion: string, kind: string, metadata: object, more: object = {}): object => ({ apiVersion, kind, metadata, ...more });

/** What an administrator of Kafka's cluster has made before: an issuer beside Kafka, and what tier1 of the second stack is to show. */
const authority = [
  object('v1', 'Namespace', { name: 'kafka-cluster' }),
  object('cert-manager.io/v1', 'Issuer', { name: 'self-signed', namespace: 'kafka-cluster' }, { spec: { selfSigned: {} } }),
  object('cert-manager.io/v1', 'Certificate', { name: 'authority', namespace: 'kafka-cluster' }, { spec: { commonName: 'authority', isCA: true, secretName: 'authority', issuerRef: { name: 'self-signed', kind: 'Issuer' } } }),
  object('cert-manager.io/v1', 'Issuer', { name: 'authority', namespace: 'kafka-cluster' }, { spec: { ca: { secretName: 'authority' } } }),
  object('cert-manager.io/v1', 'Certificate', { name: 'front', namespace: 'kafka-cluster' }, { spec: { dnsNames: [secondHost, `*.${secondHost}`], secretName: 'front', issuerRef: { name: 'authority', kind: 'Issuer' } } }),
];

describe('variants of a stack', function () {
  this.timeout(600_000); // four clusters, two stacks, and checks that take their whole time
  let workshop: Workshop;
  let sandbox: SandboxAnswer;
  let first: Outputs;

  before(async () => {
    workshop = await Workshop.make();
    sandbox = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name);
    await apply('kafka', authority);
    for (const certificate of ['authority', 'front']) await kubectl('kafka', '--namespace', 'kafka-cluster', 'wait', '--for=condition=Ready', '--timeout=120s', `certificate/${certificate}`);
  });

  after(async () => {
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  const kubectl = (context: string, ...args: string[]): Promise<string> => workshop.kubectl(sandbox, context, ...args);

  async function apply(context: string, objects: readonly object[]): Promise<void> {
    const file = join(workshop.stateDir, 'objects.yaml');
    await writeFile(file, objects.map((each) => stringify(each)).join('---\n'));
    await kubectl(context, 'apply', '--filename', file);
  }

  /** Settings like the repository's own with `more` on top; what is undefined there is absent. */
  async function settings(stack: string, more: Settings): Promise<string> {
    const file = join(workshop.stateDir, `Pulumi.${stack}.yaml`);
    const { config } = parse(await readFile(join(root, 'Pulumi.dev.yaml'), 'utf8')) as { config: Settings };
    for (const [concern, value] of Object.entries(more)) {
      const key = `kafka-bridge-failover:${concern}`;
      config[key] = isMap(value) ? { ...config[key] as object | undefined, ...value } : value;
    }
    await writeFile(file, stringify({ config }));
    return file;
  }

  /** In the west there are two bridges. */
  async function regions(east: object = {}): Promise<object[]> {
    const { config } = parse(await readFile(join(root, 'Pulumi.dev.yaml'), 'utf8')) as { config: Record<string, object[]> };
    const [first, second] = config['kafka-bridge-failover:regions'] ?? [];
    return [{ ...first, ...east }, { ...second, replicas: 2 }];
  }

  const firstSettings = async (more: Settings = {}): Promise<string> => await settings('first', {
    regions: await regions(),
    checks: true,
    kafka: { certificate: { source: 'issuer', issuer: { name: 'authority', kind: 'Issuer' } } },
    tsb: { setup: { networks: { central: 'front', east: 'back', west: 'back' }, reachability: { front: ['back'] } } },
    tier1: { dns: undefined },
    generators: { topic, intervalMs: 200 },
    ...more,
  });

  const on = (file: string): string[] => ['--sandbox', name, '--config', file];

  async function kbf(operation: string, file: string): Promise<Answer> {
    return await workshop.json<Answer>(operation, ...on(file));
  }

  async function relay(target: string): Promise<string> {
    const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
    return relays[target] ?? assert.fail(`${target} has no relay: ${JSON.stringify(relays)}`);
  }

  /** Writes one record. @returns the region that took it */
  async function produce(pool: Pool, host: string): Promise<string> {
    const headers = { host, 'content-type': 'application/vnd.kafka.json.v2+json' };
    const { statusCode, headers: told, body } = await pool.request({ method: 'POST', path: `/topics/${host}`, headers, body: JSON.stringify({ records: [{ value: 'one' }] }) });
    const text = await body.text();
    assert.equal(statusCode, 200, text);
    const { offsets } = JSON.parse(text) as { offsets: { partition?: number; offset?: number }[] };
    assert.equal(typeof offsets[0]?.offset, 'number', text);
    return String(told['x-kbf-gateway']);
  }

  async function firstTakesRecords(): Promise<void> {
    const pool = new Pool(`http://${await relay('central/edge/tier1:80')}`);
    try {
      await eventually('an offset from the first tier1', 30_000, () => produce(pool, firstHost));
    } finally {
      await pool.destroy();
    }
  }

  describe('by an issuer that exists, with traffic, networks and checks', () => {
    it('comes up, with its checks', async () => {
      const { outputs, resources } = await kbf('up', await firstSettings());
      first = outputs;
      const checks = resources.filter(({ name: resource }) => resource.endsWith('-check')).map(({ op, name: resource }) => `${op} ${resource}`).sort();
      assert.deepEqual(checks, ['create east-bridge-check', 'create east-sidecars-check', 'create kafka-brokers-check', 'create tier1-check', 'create west-bridge-check', 'create west-sidecars-check']);
    });

    it('has regions trust the issuer\'s CA', async () => {
      const ca = async (context: string, namespace: string, secret: string): Promise<string> =>
        Buffer.from(await kubectl(context, '--namespace', namespace, 'get', 'secret', secret, '--output', 'jsonpath={.data.ca\\.crt}'), 'base64').toString('utf8');
      const issuers = await ca('kafka', 'kafka-cluster', 'authority');
      assert.equal(first.kafka.caCertificate, issuers);
      assert.equal(await ca('east', 'kafka-bridge', 'kafka-ca'), issuers);
    });

    it('takes records from its producer and gives them to its consumers, which no DNS tells where tier1 is', async () => {
      const log = (deployment: string): Promise<string> => kubectl('central', '--namespace', 'traffic', 'logs', `deploy/${deployment}`);
      await eventually('a sum of what was written', 60_000, async () => /^written by (east|west): \d/m.test(await log('producer')) || undefined);
      await eventually('a sum of what was read', 60_000, async () => /read by (east|west): [1-9]/.test(await log('consumer1') + await log('consumer2')) || undefined);
    });

    it('asks the bridge that made a consumer, of two in its region, and writes by both', async () => {
      const pool = new Pool(`http://${await relay('central/edge/tier1:80')}`);
      const host = `west.${firstHost}`;
      const bridges = new Set<string>();
      const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<string> => {
        const headers = { host, ...(method === 'GET' ? { accept: 'application/vnd.kafka.json.v2+json' } : { 'content-type': `application/vnd.kafka.${path.startsWith('/topics') ? 'json.' : ''}v2+json` }) };
        const { statusCode, headers: told, body: answer } = await pool.request({ method, path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
        const text = await answer.text();
        assert.ok(statusCode < 300, `${method} ${path}: ${String(statusCode)} ${text}`);
        bridges.add(String(told['x-kbf-upstream']));
        return text;
      };
      try {
        for (let group = 0; group < 8; group += 1) {
          bridges.clear();
          const { instance_id: instance } = JSON.parse(await ask('POST', `/consumers/affine-${String(group)}`, { format: 'json' })) as { instance_id: string };
          const path = `/consumers/affine-${String(group)}/instances/${instance}`;
          await ask('POST', `${path}/subscription`, { topics: [topic] });
          for (let poll = 0; poll < 4; poll += 1) await ask('GET', `${path}/records?timeout=100`);
          await ask('DELETE', path);
          assert.equal(bridges.size, 1, [...bridges].join());
        }
        bridges.clear();
        for (let record = 0; record < 40; record += 1) await ask('POST', `/topics/${topic}`, { records: [{ value: String(record) }] });
        assert.equal(bridges.size, 2, [...bridges].join());
      } finally {
        await pool.destroy();
      }
    });

    it('has TSB know the networks', async () => {
      assert.deepEqual(await networks(), ['central front ACCEPTED', 'east back ACCEPTED', 'west back ACCEPTED']);
    });

    it('has nothing to change, in a preview', async () => {
      assert.deepEqual(Object.keys((await kbf('preview', await firstSettings())).changes), ['same']);
    });

    it('has no fault for the doctor', async () => {
      const { exitCode, stdout, all } = await workshop.start('doctor', ...on(await firstSettings()), '--json');
      const { findings } = JSON.parse(stdout) as Examination;
      for (const { verdict, check, subject, found } of findings) if (verdict !== 'ok') console.log(`      ${verdict}: ${check} of ${subject}: ${found}`);
      assert.deepEqual(findings.filter(({ verdict }) => verdict === 'fault' || verdict === 'unchecked'), []);
      assert.equal(exitCode, 0, all);
    });

    it('has made exactly the objects that were rendered', async () => {
      const out = join(workshop.stateDir, 'rendered');
      await workshop.json('render', '--config', await firstSettings(), '--out', out);
      assert.deepEqual(await renderedObjects(out), await stateObjects());
    });
  });

  describe('a second one before the same Kafka, by TSB\'s legacy kinds, with weights and somebody\'s certificate', () => {
    let file: string;
    let known: Map<string, Set<string>>;

    before(async () => {
      const front = JSON.parse(await kubectl('kafka', '--namespace', 'kafka-cluster', 'get', 'secret', 'front', '--output', 'json')) as { type: string; data: object };
      await apply('central', [object('v1', 'Namespace', { name: 'second-edge' }), object('v1', 'Secret', { name: 'tier1-tls', namespace: 'second-edge' }, { type: front.type, data: front.data })]);
      known = await everything();
      file = await settings('second', {
        hostname: secondHost,
        checks: true,
        kafka: { existing: { bootstrapServers: first.kafka.bootstrapServers, caCertificate: first.kafka.caCertificate }, context: undefined, domain: undefined, storage: undefined },
        bridge: { namespace: 'second-bridge' },
        tsb: { namespace: 'second-conf', tenant: 'second', api: 'tier1gateway' },
        tier1: { namespace: 'second-edge', dns: undefined, mode: 'weighted', weights: { east: 75, west: 25 }, tls: { source: 'secret' } },
      });
    });

    it('answers a produce with an offset, by HTTPS, and spreads as weights say', async () => {
      const { outputs } = await kbf('up', file);
      assert.equal(outputs.url, `https://${secondHost}`);
      const pool = new Pool(`https://${await relay('central/second-edge/tier1:443')}`, { connect: { ca: outputs.caCertificate, servername: secondHost } });
      try {
        await eventually('an offset from the second tier1', 30_000, () => produce(pool, secondHost));
        const served: string[] = [];
        for (let asked = 0; asked < 100; asked += 1) served.push(await produce(pool, secondHost));
        const share = (region: string): number => served.filter((each) => each === region).length;
        assert.equal(share('east') + share('west'), 100, served.join(' '));
        assert.ok(share('west') > 0 && share('west') < 50, `${String(share('west'))} % are west's`);
      } finally {
        await pool.destroy();
      }
    });

    it('has nothing to change, and left the first one as it was', async () => {
      assert.deepEqual(Object.keys((await kbf('preview', file)).changes), ['same']);
      assert.deepEqual(Object.keys((await kbf('refresh', await firstSettings())).changes), ['same']);
    });

    it('goes without a trace, and the first one still takes records', async () => {
      await kbf('destroy', file);
      await firstTakesRecords();
      await eventually('nothing is left', 60_000, async () => {
        const left = [...await everything()].flatMap(([context, names]) => [...names].filter((each) => known.get(context)?.has(each) !== true).map((each) => `${context}: ${each}`));
        if (left.length > 0) throw new Error(left.join('\n'));
        return true;
      });
    });
  });

  describe('whose bridge is outside of the mesh', () => {
    /** The trigger of a region's checks is whatever its settings are. */
    const changed = async (): Promise<string> => await firstSettings({ regions: await regions({ gateway: { service: { annotations: { note: 'changed' } } } }) });

    async function bridgeAnew(label: string): Promise<void> {
      await kubectl('east', 'label', '--overwrite', 'namespace', 'kafka-bridge', label);
      await kubectl('east', '--namespace', 'kafka-bridge', 'delete', 'pod', '--selector', 'strimzi.io/kind=KafkaBridge', '--timeout=120s');
      await kubectl('east', '--namespace', 'kafka-bridge', 'rollout', 'status', 'deployment/kafka-bridge-bridge', '--timeout=120s');
    }

    it('fails up, with the pod and what to look at', async () => {
      await bridgeAnew('istio-injection-');
      const { exitCode, all } = await workshop.start('up', ...on(await changed()));
      assert.equal(exitCode, 1, all);
      assert.match(all, /east-sidecars-check/);
      assert.match(all, /pod kafka-bridge\/kafka-bridge-bridge-\S+ in cluster east has no istio-proxy/);
      assert.match(all, /See: kubectl --context east get namespace kafka-bridge --show-labels/);
    });

    it('is a fault for the doctor', async () => {
      const { exitCode, stdout, all } = await workshop.start('doctor', ...on(await changed()), '--json');
      assert.equal(exitCode, 1, all);
      const faults = (JSON.parse(stdout) as Examination).findings.filter(({ verdict }) => verdict === 'fault');
      assert.deepEqual(faults.map(({ check, subject }) => `${check} ${subject}`), ['injection east'], all);
    });

    it('is looked at again once it was made anew', async () => {
      await bridgeAnew('istio-injection=enabled');
      const { resources } = await kbf('up', await changed());
      assert.ok(resources.some(({ name: resource }) => resource === 'east-sidecars-check'), JSON.stringify(resources));
      await firstTakesRecords();
    });
  });

  describe('that ends and comes back', () => {
    it('leaves what of TSB is not its own, and takes it over again', async () => {
      const file = await firstSettings();
      await kbf('destroy', file);
      const names = async (kind: string): Promise<string> => await kubectl('central', '--namespace', 'tsb-conf', 'get', kind, '--output', 'jsonpath={.items[*].metadata.name}');
      assert.deepEqual(await networks(), ['central front ACCEPTED', 'east back ACCEPTED', 'west back ACCEPTED']);
      assert.notEqual(await names('organizationsettings.tsb.tetrate.io'), '');
      assert.equal(await names('workspaces.tsb.tetrate.io'), '');

      await kubectl('central', '--namespace', 'tsb-conf', 'patch', 'clusters.tsb.tetrate.io', 'east', '--type', 'merge', '--field-manager', 'somebody', '--patch', '{"spec":{"network":"elsewhere"}}');
      await kbf('up', file);
      assert.deepEqual(await networks(), ['central front ACCEPTED', 'east back ACCEPTED', 'west back ACCEPTED']);
    });
  });

  /** What TSB knows of its clusters' networks. */
  async function networks(): Promise<string[]> {
    const lines = await kubectl('central', '--namespace', 'tsb-conf', 'get', 'clusters.tsb.tetrate.io', '--output', 'jsonpath={range .items[*]}{.metadata.name} {.spec.network} {.status.state}{"\\n"}{end}');
    return lines.trim().split('\n').sort();
  }

  async function renderedObjects(out: string): Promise<string[]> {
    const files = await readdir(out, { recursive: true });
    const objects = files.filter((file) => file.endsWith('.yaml')).map(async (file) => said(file.split('/')[0] ?? '', parse(await readFile(join(out, file), 'utf8')) as KubernetesObject));
    return (await Promise.all(objects)).sort();
  }

  /** What the engine remembers to have made. */
  async function stateObjects(): Promise<string[]> {
    const text = await readFile(join(sandbox.dir, 'pulumi/state/.pulumi/stacks/kafka-bridge-failover/first.json'), 'utf8');
    const { checkpoint } = JSON.parse(text) as { checkpoint: { latest: { resources: { type: string; provider?: string; inputs?: KubernetesObject }[] } } };
    return checkpoint.latest.resources.flatMap(({ type, provider = '', inputs }) => (inputs !== undefined && type.startsWith('kubernetes:') ? [said(provider.split('::')[3] ?? '', inputs)] : [])).sort();
  }

  /** Every object of every cluster but what comes and goes by itself, by context. */
  async function everything(): Promise<Map<string, Set<string>>> {
    const found = await Promise.all(sandbox.clusters.map(async ({ name: context }) => {
      const kinds = (await kubectl(context, 'api-resources', '--verbs=list', '--output=name')).trim().split('\n').filter((kind) => !/^(events|leases|componentstatuses)\b/.test(kind));
      const names = await kubectl(context, 'get', kinds.join(','), '--all-namespaces', '--output', 'jsonpath={range .items[*]}{.apiVersion} {.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}');
      return [context, new Set(names.trim().split('\n'))] as const;
    }));
    return new Map(found);
  }
});

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function said(context: string, { apiVersion, kind, metadata }: KubernetesObject): string {
  return `${context}: ${apiVersion} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}
