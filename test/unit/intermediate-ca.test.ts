import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttpsServer, request } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { shakeHands } from '../../automation/doctor/handshake.ts';
import { Cluster } from '../../automation/drill/cluster.ts';
import { entrance } from '../../automation/drill/entrance.ts';
import { exchange, startClock } from '../../automation/drill/exchange.ts';
import { Kafka } from '../../automation/drill/kafka.ts';
import { httpDispatcher } from '../../automation/drill/workers/http-dispatcher.ts';
import { askTopics } from '../../components/checks/ask-topics.ts';
import { lookAtBrokers } from '../../components/checks/brokers.ts';
import { checkCertificateTexts } from '../../config/checks/certificates.ts';
import { accessOf } from '../../config/cluster-access.ts';
import { kubeconfigText } from '../fixtures/fake-cluster.ts';
import { makeCertificate } from '../fixtures/made-certificate.ts';

describe('a CA that another one signed, given without that one', () => {
  const servers: Server[] = [];
  let ca: string;
  let certificate: { cert: string; key: string };
  /** Of an HTTPS server that answers everything with `[]`. */
  let port: number;
  const asked: string[] = [];

  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  };

  before(async () => {
    const root = await makeCertificate('root', { isAuthority: true });
    const between = await makeCertificate('between', { issuer: root, isAuthority: true });
    const leaf = await makeCertificate('leaf', { issuer: between, dns: ['localhost'] });
    ca = between.cert;
    certificate = { cert: `${leaf.cert}\n${between.cert}`, key: leaf.key };
    port = await listen(createHttpsServer(certificate, ({ method, url }, response) => { asked.push(`${method} ${url}`); response.writeHead(200, { 'content-type': 'application/json' }).end('[]'); }));
  });
  after(() => { for (const server of servers) server.close(); });

  it('is one that the settings take', () => {
    assert.deepEqual(checkCertificateTexts({ kafka: { existing: { caCertificate: ca } } }, '/'), []);
  });

  it('is trusted by the checks of `up` and by doctor', async () => {
    assert.deepEqual(await lookAtBrokers({ caCertificate: ca, servers: [`localhost:${port}`], addresses: {} }), []);
    assert.equal(await askTopics({ address: '127.0.0.1', port, hostname: 'localhost', caCertificate: ca }), undefined);
    assert.equal((await shakeHands('localhost', port, ca)).distrust, undefined);
    const [other] = await lookAtBrokers({ caCertificate: (await makeCertificate('other', { isAuthority: true })).cert, servers: [`localhost:${port}`], addresses: {} });
    assert.match(other?.found ?? '', /its certificate is not trusted/, 'and no other');
  });

  it('is trusted by a drill, at tier1 and at Kafka', async () => {
    const tier1 = { tier1Address: `127.0.0.1:${port}`, url: 'https://localhost', caCertificate: ca };
    for (const way of [entrance(tier1, { connections: 1 }), httpDispatcher(tier1, { connections: 1 })]) {
      assert.equal((await exchange(way, { method: 'GET', host: 'localhost', path: '/topics', timeoutMs: 20_000 }, startClock())).status, 200);
      void way.destroy();
    }
    const { promise: heard, resolve } = Promise.withResolvers<string>();
    const broker = await listen(createTlsServer(certificate, (socket) => { socket.on('error', () => undefined).once('data', () => { resolve('asked'); socket.destroy(); }); }));
    await using kafka = new Kafka({ bootstrapServers: `localhost:${broker}`, caCertificate: ca });
    // A client that does not trust asks nothing.
    assert.equal(await Promise.race([heard, kafka.deleteTopic('t').catch(String)]), 'asked');
  });

  it('is trusted of an API server, in whichever way it is asked', async () => {
    const server = `https://127.0.0.1:${port}`;
    for (const user of [{ token: 'x' }, { username: 'me', password: 'x' }]) {
      const access = accessOf({ text: kubeconfigText('east', server, ca, user) }, 'east');
      const call = request(`${server}/version`, await access?.options() ?? {}).end();
      const [response] = await once(call, 'response') as [IncomingMessage];
      assert.equal(await text(response), '[]');
    }
    const directory = await mkdtemp(join(tmpdir(), 'kbf-ca-'));
    try {
      const kubeconfig = join(directory, 'kubeconfig');
      await writeFile(kubeconfig, kubeconfigText('east', server, ca, { token: 'x' }));
      const cluster = new Cluster(kubeconfig, 'east');
      assert.equal(await cluster.answers(20_000), true);
      // It is no API server: what matters is that it was asked.
      await assert.rejects(cluster.sh({ namespace: 'n', pod: 'p', container: 'c' }, 'true'), /in cluster east: 200 \[\]/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('is trusted by traffic generators', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kbf-ca-'));
    try {
      const file = join(directory, 'ca.crt');
      await writeFile(file, ca);
      const env = { ROLE: 'consumer', URL: `https://localhost:${port}`, TOPIC: 't', GROUP: 'g', NODE_EXTRA_CA_CERTS: file };
      const child = spawn(process.execPath, [fileURLToPath(new URL('../../components/generator/generator.mjs', import.meta.url))], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'close');
      // What it is given is no instance of a consumer, so that it complains of one thing or the other.
      const [complaint] = await once(child.stdout.setEncoding('utf8'), 'data') as [string];
      child.kill('SIGKILL');
      await ended;
      assert.ok(asked.includes('POST /consumers/g'), complaint);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
