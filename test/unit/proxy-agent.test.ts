import assert from 'node:assert/strict';
import { createServer as createHttpProxy } from 'node:http';
import { createServer } from 'node:https';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { probeCluster } from '../../automation/clusterProbe.ts';
import type { Answer } from '../../automation/clusterProbe.ts';
import { loopbackAddress } from '../fixtures/loopback-address.ts';
import { loopbackCertificate } from '../fixtures/loopback-certificate.ts';
import { serverCertificate } from '../fixtures/server-certificate.ts';

type Certificate = Awaited<ReturnType<typeof loopbackCertificate>>;

describe('an API server behind a proxy', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => { server.close(resolve); })));
  });

  async function listening(server: Server, host: string): Promise<number> {
    servers.push(server);
    server.on('connection', (socket) => { sockets.add(socket.on('error', () => undefined)); });
    await new Promise<void>((resolve) => { server.listen(0, host, resolve); });
    return (server.address() as AddressInfo).port;
  }

  /** What a proxy does that was asked for a server: wherever that is said to be, it is here. */
  function pass(client: Socket, port: number, greeting: string | Buffer): void {
    const onward = connect(port, '127.0.0.1', () => { client.write(greeting); });
    sockets.add(onward.on('error', () => undefined));
    client.pipe(onward).pipe(client);
  }

  /** Proxies that note what they are asked for, by what a kubeconfig calls them. */
  const proxies: Record<'http' | 'socks5', (port: number, asked: string[]) => Server> = {
    http: (port, asked) => createHttpProxy().on('connect', ({ url = '', headers: { host = '' } }, client: Socket) => {
      asked.push(`${url} ${host}`);
      pass(client, port, 'HTTP/1.1 200 OK\r\n\r\n');
    }),
    socks5: (port, asked) => createTcpServer((client) => {
      client.once('data', () => {
        client.once('data', (request: Buffer) => {
          asked.push(request[3] === 1 ? [...request.subarray(4, 8)].join('.') : 'IPv6');
          pass(client, port, Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
        });
        client.write(Buffer.from([5, 0]));
      });
    }),
  };

  /** Asks a server by a proxy of another address, and what that proxy was asked. */
  async function through(scheme: keyof typeof proxies, proxyAddress: string, server: string, { certificate = loopbackCertificate(server), more = {} }: { certificate?: Promise<Certificate>; more?: object } = {}): Promise<{ answer: Answer; asked: Set<string>; port: number }> {
    const { cert, key } = await certificate;
    const asked: string[] = [];
    const port = await listening(createServer({ cert, key }, (request, response) => { response.writeHead(request.method === 'GET' ? 200 : 201).end('{}'); }), '127.0.0.1');
    const proxyPort = await listening(proxies[scheme](port, asked), proxyAddress);
    const [at, to] = [proxyAddress, server].map((address) => (address.includes(':') ? `[${address}]` : address));
    const cluster = { server: `https://${to ?? ''}:${String(port)}`, 'proxy-url': `${scheme}://${at ?? ''}:${String(proxyPort)}`, 'certificate-authority-data': Buffer.from(cert).toString('base64'), ...more };
    const kubeconfig = JSON.stringify({ clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user: { token: 't' } }], contexts: [{ name: 'east', context: { cluster: 'c', user: 'u' } }] });
    return { answer: await probeCluster({ context: 'east', kubeconfig }), asked: new Set(asked), port };
  }

  for (const [proxy, server, host] of [...new Set(['127.0.0.1', loopbackAddress])].flatMap((proxy) => [[proxy, '10.1.2.3', '10.1.2.3'], [proxy, 'fd00::2', '[fd00::2]']] as const)) {
    it(`is reached at ${server} by one for HTTP at ${proxy}`, async () => {
      const { answer, asked, port } = await through('http', proxy, server);
      assert.equal(answer.state, 'answers', answer.detail);
      assert.deepEqual(asked, new Set([`${host}:${String(port)} ${host}:${String(port)}`]));
    });
  }

  for (const [server, name] of [['10.1.2.3', '10.1.2.3'], ['fd00::2', 'IPv6']] as const) {
    it(`is reached at ${server} by one for SOCKS`, async () => {
      const { answer, asked } = await through('socks5', '127.0.0.1', server);
      assert.equal(answer.state, 'answers', answer.detail);
      assert.deepEqual(asked, new Set([name]));
    });
  }

  for (const scheme of ['http', 'socks5'] as const) {
    it(`is not trusted at an IPv6 address that its certificate is not for (${scheme})`, async () => {
      const { answer } = await through(scheme, '127.0.0.1', 'fd00::2', { certificate: loopbackCertificate('fd00::3') });
      assert.equal(answer.state, 'unusable');
      assert.match(answer.detail, /fd00::2 is not in the cert's list/);
    });

    it(`may have a certificate for another name there, by which it is called (${scheme})`, async () => {
      const called = async (name: string): Promise<Answer['state']> => (await through(scheme, '127.0.0.1', 'fd00::2', { certificate: serverCertificate(['api.example']), more: { 'tls-server-name': name } })).answer.state;
      assert.deepEqual([await called('api.example'), await called('other.example')], ['answers', 'unusable']);
    });
  }
});
