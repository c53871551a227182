import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';

import { execa } from 'execa';

import { bracketed } from '../../automation/drill/bracketed.ts';
import { entrance } from '../../automation/drill/entrance.ts';
import { exchange, startClock } from '../../automation/drill/exchange.ts';
import { httpDispatcher } from '../../automation/drill/workers/http-dispatcher.ts';
import { loopbackAddress } from '../fixtures/loopback-address.ts';
import { serverCertificate } from '../fixtures/server-certificate.ts';

describe('the drill’s way to tier1', () => {
  it('has TLS where clients have it: a connection for each host name, kept, and nobody trusted but who is to be', async () => {
    const certificate = await serverCertificate(['bridge.example', 'east.bridge.example']);
    const asked: string[] = [];
    let connections = 0;
    const server = createServer(certificate, (request, response) => { asked.push(`${String((request.socket as TLSSocket).servername)} ${request.headers.host}`); response.end('ok'); });
    server.on('secureConnection', () => { connections += 1; });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const tier1 = { tier1Address: `127.0.0.1:${(server.address() as AddressInfo).port}`, url: 'https://bridge.example' };
    const get = async (dispatcher: ReturnType<typeof entrance>, host: string) => exchange(dispatcher, { method: 'GET', host, path: '/topics', timeoutMs: 5_000 }, startClock());

    const trusting = entrance({ ...tier1, caCertificate: certificate.cert }, { connections: 1 });
    for (const host of ['bridge.example', 'east.bridge.example', 'bridge.example', 'east.bridge.example']) assert.equal((await get(trusting, host)).status, 200);
    assert.deepEqual(asked, ['bridge.example', 'east.bridge.example', 'bridge.example', 'east.bridge.example'].map((name) => `${name} ${name}`));
    assert.equal(connections, 2);
    assert.equal((await get(trusting, 'other.example')).error?.code, 'ERR_TLS_CERT_ALTNAME_INVALID');

    const strict = entrance(tier1, { connections: 1 });
    assert.equal((await get(strict, 'bridge.example')).error?.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    await Promise.all([trusting.destroy(), strict.destroy()]);
    server.close();
  });

  it('leads to an IPv6 address as well', async () => {
    for (const url of ['http://bridge.example', 'https://bridge.example']) {
      for (const way of [entrance({ tier1Address: '::1', url }, { connections: 1 }), httpDispatcher({ tier1Address: '::1', url }, { connections: 1 })]) {
        const { status, error } = await exchange(way, { method: 'GET', host: 'bridge.example', path: '/topics', timeoutMs: 20_000 }, startClock());
        // Where nobody listens it says where that is.
        if (status === undefined) assert.match(error?.message ?? '', new RegExp(`::1:${url.startsWith('https') ? 443 : 80}\\b`));
        void way.destroy();
      }
    }
  });

  it('asks for the host name at an address, of IPv6 where there is one, by TLS as well', async () => {
    const certificate = await serverCertificate(['bridge.example']);
    await using server = createServer(certificate, (request, response) => { response.end(`${String((request.socket as TLSSocket).servername)} ${request.headers.host}`); });
    await once(server.listen(0, loopbackAddress), 'listening');
    const tier1 = { tier1Address: `${bracketed(loopbackAddress)}:${(server.address() as AddressInfo).port}`, url: 'https://bridge.example', caCertificate: certificate.cert };
    for (const way of [entrance(tier1, { connections: 1 }), httpDispatcher(tier1, { connections: 1 })]) {
      const { body } = await exchange(way, { method: 'GET', host: 'bridge.example', path: '/topics', timeoutMs: 20_000 }, startClock());
      assert.equal(body, 'bridge.example bridge.example');
      void way.destroy();
    }
  });

  it('trusts whom this machine’s own store trusts, as the check in up does', async () => {
    const certificate = await serverCertificate(['bridge.example']);
    await using directory = await mkdtempDisposable(join(tmpdir(), 'kbf-entrance-'));
    const store = join(directory.path, 'ca.pem');
    await writeFile(store, certificate.cert);
    const server = createServer(certificate, (_, response) => { response.end('ok'); });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const tier1 = { tier1Address: `127.0.0.1:${(server.address() as AddressInfo).port}`, url: 'https://bridge.example' };
    // The store is read once in a process, when it is first asked for.
    const asked = `
      import { entrance } from ${JSON.stringify(import.meta.resolve('../../automation/drill/entrance.ts'))};
      import { exchange, startClock } from ${JSON.stringify(import.meta.resolve('../../automation/drill/exchange.ts'))};
      const way = entrance(${JSON.stringify(tier1)}, { connections: 1 });
      const { status, error } = await exchange(way, { method: 'GET', host: 'bridge.example', path: '/topics', timeoutMs: 5000 }, startClock());
      console.log(status ?? error.code);
      await way.destroy();`;
    const answer = async (env: Record<string, string>): Promise<string> => (await execa(process.execPath, ['--input-type=module', '--eval', asked], { env })).stdout;
    assert.equal(await answer({ SSL_CERT_FILE: store }), '200');
    assert.equal(await answer({}), 'DEPTH_ZERO_SELF_SIGNED_CERT');
    server.close();
  });
});
