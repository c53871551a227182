/** Tier1 with TLS of its own and a region that stands by: settings that the other tests do not have. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Pool } from 'undici';
import { parse, stringify } from 'yaml';
import type { Report } from '../../automation/drill/index.ts';
import { certManager } from '../../sandbox/operators/cert-manager.ts';
import type { AddonContext } from '../../sandbox/operators/addon.ts';
import { Workshop, eventually, root } from './support.ts';
import type { SandboxAnswer } from './support.ts';

interface Outputs { readonly hostname: string; readonly url: string; readonly caCertificate: string }
interface Answer { readonly changes: Record<string, number>; readonly outputs: Outputs }

const name = 'tier1';

describe('tier1 with TLS, and one region that stands by', () => {
  let workshop: Workshop;
  let sandbox: SandboxAnswer;
  let outputs: Outputs;
  let pool: Pool;

  before(async () => {
    workshop = await Workshop.make();
    sandbox = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name);
    ({ outputs } = await kbf('up', await settings()));
    pool = await client(outputs);
  });

  after(async () => {
    await pool.destroy();
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  const kubectl = (...args: string[]): Promise<string> => workshop.kubectl(sandbox, 'central', ...args);

  async function address(): Promise<string> {
    const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
    return relays['central/edge/tier1:443'] ?? assert.fail('tier1 has no relay for HTTPS');
  }

  /** Trusts what the outputs say, and nothing else. */
  async function client({ caCertificate, hostname }: Outputs): Promise<Pool> {
    return new Pool(`https://${await address()}`, { connect: { ca: caCertificate, servername: hostname } });
  }

  async function apply(objects: readonly object[]): Promise<void> {
    const file = join(workshop.stateDir, 'objects.yaml');
    await writeFile(file, objects.map((each) => stringify(each)).join('---\n'));
    await kubectl('apply', '--server-side', '--filename', file);
  }

  async function settings(tls: object = { source: 'self-signed' }): Promise<string> {
    const file = join(workshop.stateDir, 'Pulumi.standby.yaml');
    const { config } = parse(await readFile(join(root, 'Pulumi.dev.yaml'), 'utf8')) as { config: Record<string, object> };
    const key = 'kafka-bridge-failover:tier1';
    config[key] = { ...config[key], tls, active: { first: 'west' } };
    await writeFile(file, stringify({ config }));
    return file;
  }

  async function kbf(operation: string, file: string): Promise<Answer> {
    return await workshop.json<Answer>(operation, '--sandbox', name, '--config', file);
  }

  async function servedBy(): Promise<string> {
    const { statusCode, headers, body } = await pool.request({ method: 'GET', path: '/topics', headers: { host: outputs.hostname } });
    assert.equal(statusCode, 200, await body.text());
    return String(headers['x-kbf-gateway']);
  }

  it('answers by HTTPS to whoever trusts what the outputs say, and only then', async () => {
    assert.match(outputs.url, /^https:/);
    await eventually('an answer', 30_000, servedBy);
    const [host = '', port] = (await address()).split(':');
    const failure = await new Promise<Error>((resolve, reject) => {
      const socket = connect({ host, port: Number(port), servername: outputs.hostname }, () => { socket.destroy(); reject(new Error('it was trusted')); });
      socket.once('error', resolve);
    });
    assert.match(String((failure as NodeJS.ErrnoException).code), /SELF_SIGNED|UNABLE_TO_VERIFY/);
  });

  it('sends every request to the first region', async () => {
    const served = new Set<string>();
    for (let asked = 0; asked < 40; asked += 1) served.add(await servedBy());
    assert.deepEqual([...served], ['west']);
  });

  it('has nothing to change in a second up', async () => {
    assert.deepEqual(Object.keys((await kbf('up', await settings())).changes), ['same']);
  });

  it('loses no request when the first region loses its bridge, and returns to it', async () => {
    const { exitCode, stdout, all } = await workshop.start('drill', '--sandbox', name, '--config', await settings(), '--rate', '40', '--duration', '12s', '--json');
    assert.ok(exitCode === 0 || exitCode === 4, all);
    const { verdict, fault, produce, log, regions, objectives } = JSON.parse(stdout) as Report;
    console.log(`      ${verdict}: sent ${String(produce.sent)}, failed ${String(produce.failed)}, unknown ${String(produce.unknown)}, longest gap ${String(produce.blackoutMs)} ms`);
    const others = objectives.filter(({ name: objective, met }) => !met && !objective.startsWith('condition.'));
    assert.deepEqual(others, []);
    assert.equal(fault.region, 'west');
    assert.deepEqual([produce.failed, produce.unknown, log?.ackedLost, log?.duplicates.unexplained], [0, 0, 0, 0]);
    const share = (region: string): (number | undefined)[] => regions.filter(({ name: each }) => each === region).flatMap(({ before: b, during, after: a }) => [b, during, a]);
    assert.deepEqual([share('west')[0], share('west')[1]], [1, 0]);
    assert.ok((share('west')[2] ?? 0) > 0, 'west serves again');
  });

  it('gives a new consumer the other region while the first has a gateway and no bridge', async () => {
    const scale = (replicas: number): Promise<string> => workshop.kubectl(sandbox, 'west', '--namespace', 'kafka-bridge', 'patch', 'kafkabridge', 'kafka-bridge', '--type', 'merge', '--patch', JSON.stringify({ spec: { replicas } }));
    const made = async (): Promise<string> => {
      const body = JSON.stringify({ format: 'json' });
      const answer = await pool.request({ method: 'POST', path: '/consumers/standby', headers: { 'host': outputs.hostname, 'content-type': 'application/vnd.kafka.v2+json' }, body });
      const text = await answer.body.text();
      assert.equal(answer.statusCode, 200, text);
      return new URL((JSON.parse(text) as { base_uri: string }).base_uri).hostname;
    };
    assert.equal(await made(), `west.${outputs.hostname}`);
    await scale(0);
    try {
      await eventually('a consumer in the other region', 60_000, async () => {
        // What the peer's bridge answers for the region in between, so that no row of failures alone has tier1 leave it.
        await servedBy();
        return await made() === `east.${outputs.hostname}` || undefined;
      });
    } finally {
      await scale(1);
    }
    await eventually('a consumer in the first region', 60_000, async () => await made() === `west.${outputs.hostname}` || undefined);
  });

  it('takes a certificate that cert-manager gives, in the Secret of the one before', async () => {
    // In central, where a sandbox has none, as an administrator brings it, with an authority of its own.
    const objects = await certManager.objects({ tools: await workshop.toolsOf(sandbox) } as AddonContext);
    await apply(objects.filter(({ kind }) => kind === 'CustomResourceDefinition'));
    await kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd/certificates.cert-manager.io', 'crd/clusterissuers.cert-manager.io');
    await apply([...objects.filter(({ kind }) => kind !== 'CustomResourceDefinition'), ...authority]);
    await kubectl('wait', '--for=condition=Ready', '--timeout=120s', 'clusterissuer/authority');

    const issued = { source: 'cert-manager', issuer: { name: 'authority', kind: 'ClusterIssuer' } };
    const { outputs: now } = await kbf('up', await settings(issued));
    const secret = JSON.parse(await kubectl('--namespace', 'cert-manager', 'get', 'secret', 'authority', '--output', 'json')) as { data: Record<string, string> };
    assert.equal(now.caCertificate, Buffer.from(secret.data['tls.crt'] ?? '', 'base64').toString('utf8'));
    await pool.destroy();
    pool = await client(now);
    await eventually('an answer to who trusts the authority', 30_000, servedBy);
    assert.deepEqual(Object.keys((await kbf('refresh', await settings(issued))).changes), ['same']);
  });
});

const issuer = (spec: object, issuerName: string): object => ({ apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', metadata: { name: issuerName }, spec });

const authority = [
  issuer({ selfSigned: {} }, 'self-signed'),
  { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata: { name: 'authority', namespace: 'cert-manager' }, spec: { commonName: 'authority', isCA: true, secretName: 'authority', issuerRef: { name: 'self-signed', kind: 'ClusterIssuer' } } },
  issuer({ ca: { secretName: 'authority' } }, 'authority'),
];
