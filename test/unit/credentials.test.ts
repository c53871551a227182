import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { credentialsOf } from '../../config/credentials.ts';

describe('a credential plugin', () => {
  const plugin = (script: string, more: object = {}): object => ({ apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script], ...more });
  const told = 'console.log(JSON.stringify({ status: { token: process.env.KUBERNETES_EXEC_INFO } }))';

  it('is told of the cluster where it asks for that, as kubectl tells it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kbf-plugin-'));
    writeFileSync(join(directory, 'ca.crt'), 'the CA');
    const cluster = {
      server: 'https://api.example', 'certificate-authority': join(directory, 'ca.crt'), 'tls-server-name': 'other.example',
      extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }],
    };
    const info = async (more: object): Promise<unknown> => JSON.parse(String((await credentialsOf({ cluster, user: { exec: plugin(told, more) } })())['token']));
    const base = { kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1' };
    assert.deepEqual(await info({ provideClusterInfo: true }), {
      ...base, spec: { interactive: false, cluster: { server: 'https://api.example', 'certificate-authority-data': Buffer.from('the CA').toString('base64'), 'tls-server-name': 'other.example', config: { audience: 'a' } } },
    });
    assert.deepEqual(await info({}), { ...base, spec: { interactive: false } });
    rmSync(directory, { recursive: true });
  });

  it('has its time, and is ended with it or with the operation', async () => {
    const slow = { cluster: {}, user: { exec: plugin('setTimeout(() => undefined, 60_000)') } };
    await assert.rejects(credentialsOf(slow, 300)(), /has not given any within 0\.3 s/);
    const startedAt = performance.now();
    await assert.rejects(credentialsOf(slow)(AbortSignal.timeout(200)));
    assert.ok(performance.now() - startedAt < 30_000);
  });

  it('says why it gives none', async () => {
    const given = (exec: object): Promise<unknown> => credentialsOf({ cluster: {}, user: { exec } })();
    await assert.rejects(given(plugin('console.error("log in first"); process.exit(1)')), /: log in first$/);
    await assert.rejects(given(plugin('console.log("no JSON")')), /answers unlike a credential plugin/);
    await assert.rejects(given(plugin('', { command: '/nowhere/plugin', installHint: 'brew install plugin' })), { message: 'there is no program /nowhere/plugin: brew install plugin' });
  });
});
