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
    assert.deepEqual({ ...options?.headers }, { authorization: 'Bearer from a plugin' });
  });

  it('keeps what a plugin gave, and its connections, until it ends', async () => {
    const counter = join(directory, 'asked');
    const plugin = (ends: string): object => ({ exec: {
      apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, env: [{ name: 'COUNTER', value: counter }], args: ['-e', `
        const fs = require('node:fs');
        fs.appendFileSync(process.env.COUNTER, '.');
        const asked = fs.readFileSync(process.env.COUNTER, 'utf8').length;
        console.log(JSON.stringify({ status: { clientCertificateData: 'certificate ' + asked, clientKeyData: 'key', expirationTimestamp: '${ends}' } }))`],
    } });
    const twice = async (ends: string): Promise<unknown[]> => {
      writeFileSync(counter, '');
      const access = accessOf({ text: text({}, plugin(ends)) }, 'east');
      return [await access?.options(), await access?.options()].map((options) => options?.agent);
    };
    const [first, same] = await twice('2999-01-01T00:00:00Z');
    assert.equal(first, same);
    assert.deepEqual([tls(first)['cert'], tls(first)['key']], ['certificate 1', 'key']);
    assert.deepEqual((await twice('2000-01-01T00:00:00Z')).map((agent) => tls(agent)['cert']), ['certificate 1', 'certificate 2']);
  });

  it('may take a token from a file beside the kubeconfig, read anew each time', async () => {
    const file = join(directory, 'with-token-file');
    writeFileSync(file, text({}, { tokenFile: 'token' }));
    const access = accessOf({ file }, 'east');
    for (const token of ['first', 'second']) {
      writeFileSync(join(directory, 'token'), `${token}\n`);
      assert.deepEqual((await access?.options())?.headers, { authorization: `Bearer ${token}` });
    }
  });

  it('goes by the environment’s proxy, for plugins as well, but not where the kubeconfig names one or the server is this machine', async () => {
    const variables = ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];
    const before = variables.map((name) => process.env[name]);
    for (const name of variables) Reflect.deleteProperty(process.env, name);
    process.env['HTTPS_PROXY'] = 'proxy.example:3128';
    process.env['NO_PROXY'] = '10.0.0.0/8';
    try {
      const proxyOf = async (cluster: object, user: object = { token: 't' }): Promise<unknown> => {
        const { agent, headers } = await accessOf({ text: text(cluster, user) }, 'east')?.options() ?? {};
        assert.equal(Object.values(headers ?? {})[0], 'Bearer t');
        return (agent as { proxy?: URL } | undefined)?.proxy?.href;
      };
      const plugin = { exec: { command: process.execPath, args: ['-e', 'console.log(JSON.stringify({ status: { token: "t" } }))'] } };
      assert.equal(await proxyOf({ server: 'https://api.example' }), 'http://proxy.example:3128/');
      assert.equal(await proxyOf({ server: 'https://api.example' }, plugin), 'http://proxy.example:3128/');
      assert.equal(await proxyOf({ server: 'https://api.example', 'proxy-url': 'http://other.example:80' }), 'http://other.example/');
      assert.equal(await proxyOf({ server: 'https://10.1.2.3:6443' }), undefined);
      assert.equal(await proxyOf({}), undefined);
    } finally {
      variables.forEach((name, index) => {
        if (before[index] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[index];
      });
    }
  });

  it('is unknown without the context, its cluster or its user', () => {
    assert.equal(accessOf({ text: text({}, {}) }, 'west'), undefined);
    assert.equal(accessOf({ text: text({ server: '' }, {}).replace('"name":"u"', '"name":"other"') }, 'east'), undefined);
    assert.throws(() => accessOf({ text: '[]' }, 'east'), /it has no clusters/);
  });
});
