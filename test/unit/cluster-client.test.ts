import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { getterOf } from '../../components/cluster-client.ts';

describe('the reader of clusters within `up`', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kbf-client-'));
  const counter = join(directory, 'asked');
  const letIn = new Set<string>();
  const server = createServer(({ headers: { authorization = '' } }, response) => {
    response.writeHead(letIn.has(authorization) ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify({ message: 'Unauthorized', as: authorization }));
  });
  before((done) => { server.listen(0, '127.0.0.1', done); });
  after((done) => {
    rmSync(directory, { recursive: true });
    server.close(done);
  });

  const reader = (user: object): ReturnType<typeof getterOf> => getterOf({ text: JSON.stringify({
    clusters: [{ name: 'c', cluster: { 'insecure-skip-tls-verify': true, server: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` } }], users: [{ name: 'u', user }], contexts: [{ name: 'east', context: { cluster: 'c', user: 'u' } }],
  }) }, 'east');
  const plugin = { exec: {
    apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, env: [{ name: 'COUNTER', value: counter }],
    args: ['-e', `const fs = require('node:fs'); fs.appendFileSync(process.env.COUNTER, '.'); console.log(JSON.stringify({ status: { token: String(fs.readFileSync(process.env.COUNTER).length) } }))`],
  } };

  it('has a plugin asked again where what it gave has ended, and says what an API server says that lets nobody in', async () => {
    writeFileSync(counter, '');
    letIn.add('Bearer 1');
    const get = reader(plugin);
    assert.deepEqual(await get('/version'), { message: 'Unauthorized', as: 'Bearer 1' });
    letIn.delete('Bearer 1');
    letIn.add('Bearer 2');
    assert.deepEqual(await get('/version'), { message: 'Unauthorized', as: 'Bearer 2' });
    letIn.clear();
    await assert.rejects(get('/version'), { message: 'HTTP 401: Unauthorized' });
    await assert.rejects(reader({ token: 'abc' })('/version'), { message: 'HTTP 401: Unauthorized' });
  });
});
