import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { accessOf } from '../../config/cluster-access.ts';

describe('how a cluster is reached', () => {
  let directory: string;
  before(() => { directory = mkdtempSync(join(tmpdir(), 'kbf-access-')); });
  after(() => { rmSync(directory, { recursive: true }); });

  const text = (cluster: object, user: object): string => JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443/', ...cluster } }], users: [{ name: 'u', user }], contexts: [{ name: 'east', context: { cluster: 'c', user: 'u' } }],
  });
  const base64 = (value: string): string => Buffer.from(value).toString('base64');
  const tls = (agent: unknown): Record<string, unknown> => {
    const { ca, cert, key, servername, rejectUnauthorized } = (agent as Agent).options;
    return Object.fromEntries(Object.entries({ ca, cert, key, servername, rejectUnauthorized }).map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString() : value]));
  };

  it('is what stands in the kubeconfig, where data goes before files, which lie beside it', async () => {
    const file = join(directory, 'kubeconfig');
    writeFileSync(join(directory, 'key.pem'), 'the key');
    writeFileSync(file, text(
      { 'certificate-authority-data': base64('the CA'), 'certificate-authority': 'absent', 'tls-server-name': 'api.example' },
      { 'client-certificate-data': base64('the certificate'), 'client-key': 'key.pem' },
    ));
    const access = accessOf({ file }, 'east');
    assert.equal(access?.server, 'https://127.0.0.1:6443');
    const { agent, headers } = await access.options();
    assert.deepEqual(tls(agent), { ca: 'the CA', cert: 'the certificate', key: 'the key', servername: 'api.example', rejectUnauthorized: undefined });
    assert.equal(headers, undefined);
    assert.equal((await access.options()).agent, agent, 'connections are kept');
  });

  it('may be a token, and a server that nobody verifies', async () => {
    const { agent, headers } = await accessOf({ text: text({ 'insecure-skip-tls-verify': true }, { token: 'abc' }) }, 'east')?.options() ?? {};
    assert.deepEqual(headers, { authorization: 'Bearer abc' });
    assert.equal(tls(agent)['rejectUnauthorized'], false);
  });

  it('may take a plugin, which is asked each time', async () => {
    const plugin = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', 'console.log(JSON.stringify({ status: { token: "from a plugin" } }))'] };
    const options = await accessOf({ text: text({}, { exec: plugin }) }, 'east')?.options();
    assert.deepEqual({ ...options?.headers }, { Authorization: 'Bearer from a plugin' });
  });

  it('is unknown without the context, its cluster or its user', () => {
    assert.equal(accessOf({ text: text({}, {}) }, 'west'), undefined);
    assert.equal(accessOf({ text: text({ server: '' }, {}).replace('"name":"u"', '"name":"other"') }, 'east'), undefined);
    assert.throws(() => accessOf({ text: '[]' }, 'east'), /it has no clusters/);
  });
});
