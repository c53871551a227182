/** Kafkas that ask who comes in: one of the program's own by password, and, for a second stack, the same one as somebody else's, by certificate. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { parse, stringify } from 'yaml';
import type { Report } from '../../automation/drill/index.ts';
import type { Finding } from '../../automation/doctor/finding.ts';
import { Workshop, eventually, root } from './support.ts';
import type { SandboxAnswer } from './support.ts';

interface Answer {
  readonly changes: Record<string, number>;
  readonly resources: readonly { readonly op: string; readonly name: string }[];
  readonly outputs: { readonly kafka: { readonly bootstrapServers: string; readonly caCertificate: string; readonly listeners: readonly { readonly name: string; readonly bootstrapServers: string }[] } };
}

type Settings = Record<string, object | string | boolean>;

const name = 'authentication';
const password = randomBytes(18).toString('base64');
const clusters = ['east', 'west'];

const object = (apiVersion: string, kind: string, metadata: object, more: object = {}): object => ({ apiVersion, kind, metadata, ...more });

describe('Kafka asks who comes in', function () {
  this.timeout(600_000); // four clusters, two stacks, two drills
  let workshop: Workshop;
  let sandbox: SandboxAnswer;
  let first: Answer['outputs'];

  before(async () => {
    workshop = await Workshop.make();
    sandbox = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name);
  });

  after(async () => {
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  const kubectl = (context: string, ...args: string[]): Promise<string> => workshop.kubectl(sandbox, context, ...args);

  async function apply(context: string, ...objects: object[]): Promise<void> {
    const file = join(workshop.stateDir, 'objects.yaml');
    await writeFile(file, objects.map((each) => stringify(each)).join('---\n'));
    await kubectl(context, 'apply', '--filename', file);
  }

  /** A Secret in a namespace that is made with it. */
  const secretIn = (context: string, namespace: string, secret: string, content: object): Promise<void> =>
    apply(context, object('v1', 'Namespace', { name: namespace }), object('v1', 'Secret', { name: secret, namespace }, content));

  /** Settings like the repository's own with `more` on top. */
  async function settings(stack: string, more: Settings): Promise<string[]> {
    const file = join(workshop.stateDir, `Pulumi.${stack}.yaml`);
    const { config } = parse(await readFile(join(root, 'Pulumi.dev.yaml'), 'utf8')) as { config: Settings };
    for (const [concern, value] of Object.entries(more)) {
      const [key, given] = [`kafka-bridge-failover:${concern}`, config[`kafka-bridge-failover:${concern}`]];
      config[key] = typeof value === 'object' && !('existing' in value) ? { ...(typeof given === 'object' ? given : {}), ...value } : value;
    }
    await writeFile(file, stringify({ config }));
    return ['--sandbox', name, '--config', file];
  }

  const byPassword = (): Promise<string[]> => settings('first', {
    checks: true,
    kafka: { listeners: [{ type: 'loadbalancer', authentication: 'scram-sha-512' }, { name: 'mutual', type: 'loadbalancer', port: 9095, authentication: 'tls' }] },
    bridge: { authentication: { type: 'scram-sha-512', username: 'bridge', secret: { name: 'bridge-password' } } },
  });

  async function drill(on: readonly string[], report: string): Promise<Report> {
    return await workshop.json<Report>('drill', ...on, '--fault', 'bridge-scale-0', '--region', 'east', '--rate', '50', '--duration', '12s', '--report', join(workshop.stateDir, report));
  }

  async function passes(on: readonly string[], report: string): Promise<void> {
    const { verdict, objectives, log, produce } = await drill(on, report);
    assert.equal(verdict, 'pass', JSON.stringify(objectives, null, 1));
    assert.equal(log?.ackedLost, 0);
    assert.ok(produce.ok > 0);
  }

  it('is not set up without the namespaces and then the Secrets that say it, which are named', async () => {
    const refused = async (): Promise<string> => {
      const { exitCode, all } = await workshop.start('up', ...await byPassword());
      assert.equal(exitCode, 1, all);
      return all;
    };
    const all = await refused();
    assert.match(all, /kafka\.namespace: namespace kafka-cluster of cluster kafka is not there, and by kafka\.listeners the program does not make it\./);
    for (const context of clusters) assert.ok(all.includes(`bridge.namespace: namespace kafka-bridge of cluster ${context} is not there, and by bridge.authentication the program does not make it.`), all);
    await apply('kafka', object('v1', 'Namespace', { name: 'kafka-cluster' }));
    for (const context of clusters) await apply(context, object('v1', 'Namespace', { name: 'kafka-bridge' }));
    assert.match(await refused(), /bridge\.authentication\.secret: Secret kafka-cluster\/bridge-password in cluster kafka is not there/);
  });

  it('comes up by password in one run, checks and all', async () => {
    await secretIn('kafka', 'kafka-cluster', 'bridge-password', { stringData: { password } });
    for (const context of clusters) await secretIn(context, 'kafka-bridge', 'bridge-password', { stringData: { password } });
    const on = await byPassword();
    ({ outputs: first } = await workshop.json<Answer>('up', ...on));
    const { changes } = await workshop.json<Answer>('preview', ...on);
    assert.deepEqual(Object.keys(changes), ['same']);
    const { findings } = JSON.parse((await workshop.start('doctor', ...on, '--json')).stdout) as { findings: readonly Finding[] };
    assert.deepEqual(findings.filter(({ verdict }) => verdict === 'fault' || verdict === 'unchecked'), []);
  });

  it('lets nobody in who does not say who he is', async () => {
    const { kafka: { bootstrapServers } } = first;
    const script = `
      import { Admin } from '@platformatic/kafka';
      import { readFileSync } from 'node:fs';
      const [bootstrapServers, caFile, username, password] = process.argv.slice(1);
      const admin = new Admin({ clientId: 'who', bootstrapBrokers: [bootstrapServers], timeout: 5000, retries: 0, tls: { ca: readFileSync(caFile) }, ...(username ? { sasl: { mechanism: 'SCRAM-SHA-512', username, password } } : {}) });
      console.log(await admin.listTopics().then(() => 'in', () => 'out'));
      process.exit();`;
    const ca = join(workshop.stateDir, 'ca.crt');
    await writeFile(ca, first.kafka.caCertificate);
    const ask = (...who: string[]): Promise<string> => workshop.inside(name, process.execPath, '--input-type=module', '--eval', script, bootstrapServers, ca, ...who);
    assert.equal(await ask(), 'out');
    assert.equal(await ask('bridge', 'wrong'), 'out');
    assert.equal(await ask('bridge', password), 'in');
  });

  it('is drilled as the bridges’ user, whose password stays where it was', async () => {
    await passes(await byPassword(), 'first-report');
    const directories = [join(sandbox.dir, 'pulumi', 'state'), join(sandbox.dir, 'logs'), join(workshop.stateDir, 'first-report')];
    const files = (await Promise.all(directories.map(filesBelow))).flat();
    assert.ok(files.some((file) => file.endsWith('first.json')) && files.some((file) => file.endsWith('report.json')), files.join('\n'));
    for (const file of files) {
      const text = await readFile(file, 'utf8');
      for (const form of [password, Buffer.from(password).toString('base64')]) assert.ok(!text.includes(form), file);
    }
  });

  describe('by certificate, of a second stack before it', () => {
    let on: string[];

    before(async () => {
      await apply('kafka', object('kafka.strimzi.io/v1', 'KafkaUser', { name: 'second', namespace: 'kafka-cluster', labels: { 'strimzi.io/cluster': 'kafka' } }, { spec: { authentication: { type: 'tls' } } }));
      await kubectl('kafka', '--namespace', 'kafka-cluster', 'wait', '--for=condition=Ready', '--timeout=60s', 'kafkauser/second');
      const { data } = JSON.parse(await kubectl('kafka', '--namespace', 'kafka-cluster', 'get', 'secret', 'second', '--output', 'json')) as { data: object };
      for (const context of clusters) await secretIn(context, 'second-bridge', 'second-user', { data });
      const mutual = first.kafka.listeners.find((listener) => listener.name === 'mutual')?.bootstrapServers ?? assert.fail('there is no second listener');
      on = await settings('second', {
        hostname: 'second.example',
        checks: true,
        kafka: { existing: { bootstrapServers: mutual, caCertificate: first.kafka.caCertificate } },
        bridge: { namespace: 'second-bridge', authentication: { type: 'tls', secret: { name: 'second-user' } } },
        tsb: { namespace: 'second-conf', tenant: 'second' },
        tier1: { namespace: 'second-edge' },
      });
    });

    it('comes up, and is drilled as well', async () => {
      await workshop.json<Answer>('up', ...on);
      await passes(on, 'second-report');
    });

    it('goes, and the first one still answers', async () => {
      await workshop.json<Answer>('destroy', ...on);
      const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
      const answer = await eventually('topics from the first tier1', 30_000, async () => {
        const { statusCode, body } = await request(`http://${relays['central/edge/tier1:80'] ?? ''}/topics`, { headers: { host: 'kafka-bridge.example' } });
        const text = await body.text();
        if (statusCode !== 200) throw new Error(`${String(statusCode)} ${text}`);
        return JSON.parse(text) as unknown;
      });
      assert.ok(Array.isArray(answer));
    });
  });
});

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
