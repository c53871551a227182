/** Tier1 with TLS of its own and a region that stands by: settings that the other tests do not have. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Pool } from 'undici';
import { parse, stringify } from 'yaml';
import type { Report } from '../../automation/drill/index.ts';
import { Workshop, eventually, root } from './support.ts';
import type { SandboxAnswer } from './support.ts';

interface Outputs { readonly hostname: string; readonly url: string; readonly caCertificate: string }
interface Answer { readonly changes: Record<string, number>; readonly outputs: Outputs }

const name = 'tier1';

describe('tier1 with TLS, and one region that stands by', () => {
  let workshop: Workshop;
  let outputs: Outputs;
  let pool: Pool;

  before(async () => {
    workshop = await Workshop.make();
    await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name);
    ({ outputs } = await kbf('up', await settings()));
    const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
    const address = relays['central/edge/tier1:443'] ?? assert.fail('tier1 has no relay for HTTPS');
    pool = new Pool(`https://${address}`, { connect: { ca: outputs.caCertificate, servername: outputs.hostname } });
  });

  after(async () => {
    await pool.destroy();
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  async function settings(): Promise<string> {
    const file = join(workshop.stateDir, 'Pulumi.standby.yaml');
    const { config } = parse(await readFile(join(root, 'Pulumi.dev.yaml'), 'utf8')) as { config: Record<string, object> };
    const key = 'kafka-bridge-failover:tier1';
    config[key] = { ...config[key], tls: { source: 'self-signed' }, active: { first: 'west' } };
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
    const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
    const [host = '', port] = (relays['central/edge/tier1:443'] ?? '').split(':');
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
});
