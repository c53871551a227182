import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { createServer as createProxyServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { probeCluster } from '../../automation/clusterProbe.ts';
import type { Answer } from '../../automation/clusterProbe.ts';
import { loopbackCertificate } from '../fixtures/loopback-certificate.ts';

describe('an API server that is asked', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  let cert = '';
  let key = '';
  before(async () => { ({ cert, key } = await loopbackCertificate()); });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => { server.close(resolve); })));
  });

  async function listening(server: Server): Promise<string> {
    servers.push(server);
    server.on('connection', (socket) => { sockets.add(socket); });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    return `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }

  const kubeconfig = (server: string, ca = cert): string => JSON.stringify({
    apiVersion: 'v1', kind: 'Config', users: [{ name: 'u', user: { token: 't' } }], contexts: [{ name: 'east', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
  });
  const ask = async (respond: RequestListener): Promise<Answer> => {
    const server = await listening(createServer({ cert, key }, respond));
    return await probeCluster({ context: 'east', kubeconfig: kubeconfig(server) }, undefined, 300);
  };
  const status = (code: number, message: string): string => JSON.stringify({ kind: 'Status', code, message });

  it('answers when it is ready and takes the credentials', async () => {
    const paths: string[] = [];
    const answer = await ask((request, response) => {
      paths.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''}`);
      response.writeHead(request.method === 'GET' ? 200 : 201).end('{}');
    });
    assert.equal(answer.state, 'answers');
    assert.deepEqual(paths, ['GET /readyz Bearer t', 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews Bearer t']);
  });

  for (const code of [401, 403]) {
    it(`refuses by HTTP ${String(code)}`, async () => {
      const answer = await ask((request, response) => { response.writeHead(request.method === 'GET' && code === 403 ? 200 : code).end(status(code, 'not you')); });
      assert.deepEqual([answer.state, answer.detail], ['refused', `HTTP ${String(code)}: not you`]);
    });
  }

  it('answers when it takes the question after it had too much to do', async () => {
    let asked = 0;
    const server = await listening(createServer({ cert, key }, (request, response) => {
      if (request.method === 'GET') response.writeHead(200).end('ok');
      else if ((asked += 1) === 1) response.writeHead(429, { 'retry-after': '1' }).end('Too many requests, please try again later.\n');
      else response.writeHead(201).end('{}');
    }));
    assert.deepEqual([(await probeCluster({ context: 'east', kubeconfig: kubeconfig(server) })).state, asked], ['answers', 2]);
  });

  it('is there when it has too much to do for longer', async () => {
    const answer = await ask((request, response) => { response.writeHead(request.method === 'GET' ? 200 : 429).end('Too many requests, please try again later.\n'); });
    assert.deepEqual([answer.state, answer.detail], ['busy', 'HTTP 429: Too many requests, please try again later.']);
  });

  for (const [what, next] of [['nothing', undefined], ['that it is away', 503]] as const) {
    it(`is there when it had too much to do, and then says ${what}`, async () => {
      let asked = 0;
      const server = await listening(createServer({ cert, key }, (request, response) => {
        if (request.method === 'GET') response.writeHead(200).end('ok');
        else if ((asked += 1) === 1) response.writeHead(429).end('Too many requests.');
        else if (next !== undefined) response.writeHead(next).end('away');
      }));
      const { state, detail } = await probeCluster({ context: 'east', kubeconfig: kubeconfig(server) }, undefined, 2_500);
      assert.deepEqual([state, detail, asked], ['busy', 'HTTP 429: Too many requests.', 2]);
    });
  }

  it('does not answer while it is not ready, and says what is not', async () => {
    const answer = await ask((_request, response) => { response.writeHead(500).end('[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n'); });
    assert.deepEqual([answer.state, answer.detail], ['unreachable', 'it is not ready: HTTP 500: etcd failed: reason withheld']);
  });

  it('does not answer when it hangs', async () => {
    const answer = await ask(() => undefined);
    assert.deepEqual([answer.state, answer.detail], ['unreachable', 'no answer in time']);
  });

  it('does not answer when its host takes connections and says nothing', async () => {
    const server = await listening(createTcpServer(() => undefined));
    const answer = await probeCluster({ context: 'east', kubeconfig: kubeconfig(server) }, undefined, 300);
    assert.deepEqual([answer.state, answer.address], ['unreachable', server]);
  });

  it('does not answer when nobody listens', async () => {
    const server = createTcpServer();
    const address = await listening(server);
    await new Promise((resolve) => { servers.splice(0); server.close(resolve); });
    const answer = await probeCluster({ context: 'east', kubeconfig: kubeconfig(address) }, undefined, 300);
    assert.deepEqual([answer.state, answer.detail], ['unreachable', 'connection refused']);
  });

  it('is there when its certificate is not trusted, and is not taken for one that is gone', async () => {
    const server = await listening(createServer({ cert, key }, () => undefined));
    assert.equal((await probeCluster({ context: 'east', kubeconfig: kubeconfig(server, (await loopbackCertificate()).cert) }, undefined, 300)).state, 'unusable');
  });

  it('cannot be asked without a kubeconfig, a context or credentials', async () => {
    assert.equal((await probeCluster({ context: 'east', kubeconfig: '/nowhere/kubeconfig' })).detail, 'there is no such file');
    assert.equal((await probeCluster({ context: 'west', kubeconfig: kubeconfig('https://127.0.0.1:1') })).state, 'unusable');
    const plugin = JSON.parse(kubeconfig('https://127.0.0.1:1')) as { users: object[] };
    plugin.users = [{ name: 'u', user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/nowhere/plugin', interactiveMode: 'Never' } } }];
    assert.equal((await probeCluster({ context: 'east', kubeconfig: JSON.stringify(plugin) })).state, 'refused');
  });

  it('has its whole time after a plugin that took longer than that', async () => {
    const server = await listening(createServer({ cert, key }, (request, response) => { response.writeHead(request.method === 'GET' ? 200 : 201).end('{}'); }));
    const slow = JSON.parse(kubeconfig(server)) as { users: object[] };
    slow.users = [{ name: 'u', user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', 'setTimeout(() => console.log(JSON.stringify({ status: { token: "t" } })), 600)'] } } }];
    assert.equal((await probeCluster({ context: 'east', kubeconfig: JSON.stringify(slow) }, undefined, 500)).state, 'answers');
  });

  describe('behind a proxy', () => {
    const through = async (status: string): Promise<Answer> => {
      const server = await listening(createServer({ cert, key }, (request, response) => { response.writeHead(request.method === 'GET' ? 200 : 201).end('{}'); }));
      const proxy = createProxyServer();
      proxy.on('connect', (request, client: Socket) => {
        client.write(`HTTP/1.1 ${status}\r\n\r\n`);
        const [host, port] = (request.url ?? '').split(':');
        const onward = connect(Number(port), host).on('error', () => undefined);
        client.on('error', () => undefined).pipe(onward).pipe(client);
      });
      const address = (await listening(proxy)).replace('https:', 'http:');
      const config = JSON.parse(kubeconfig(server)) as { clusters: { cluster: object }[] };
      Object.assign(config.clusters[0]?.cluster ?? {}, { 'proxy-url': address });
      return await probeCluster({ context: 'east', kubeconfig: JSON.stringify(config) }, undefined, 500);
    };

    it('answers', async () => { assert.equal((await through('200 OK')).state, 'answers'); });

    it('does not answer when the proxy does not get there', async () => {
      const { state, detail } = await through('503 Service Unavailable');
      assert.deepEqual([state, detail], ['unreachable', 'the proxy does not get there (HTTP 503)']);
    });

    it('is not taken for gone when the proxy is', async () => {
      const config = JSON.parse(kubeconfig('https://10.1.2.3:6443')) as { clusters: { cluster: object }[] };
      Object.assign(config.clusters[0]?.cluster ?? {}, { 'proxy-url': 'http://127.0.0.1:1' });
      const { state, detail } = await probeCluster({ context: 'east', kubeconfig: JSON.stringify(config) }, undefined, 500);
      assert.deepEqual([state, detail], ['unusable', 'its proxy does not answer: connection refused']);
    });

    it('is not taken for gone when the proxy lets nobody through', async () => { assert.equal((await through('407 Proxy Authentication Required')).state, 'unusable'); });
  });

  it('is not waited for once the operation is to stop', async () => {
    const server = await listening(createServer({ cert, key }, () => undefined));
    const stop = new AbortController();
    setTimeout(() => { stop.abort(new Error('enough')); }, 50);
    await assert.rejects(probeCluster({ context: 'east', kubeconfig: kubeconfig(server) }, stop.signal), /enough/);
  });

  for (const [when, at] of [['it is to be asked again', 1], ['it is asked again', 2]] as const) {
    it(`is not said to be away where the operation is to stop while ${when}`, async () => {
      const stop = new AbortController();
      const reason = new Error('enough');
      let asked = 0;
      const server = await listening(createServer({ cert, key }, (_request, response) => {
        asked += 1;
        if (asked === 1) response.writeHead(500).end();
        // What was answered has to be there before the pause begins.
        if (asked === at) setTimeout(() => { stop.abort(reason); }, 200);
      }));
      await assert.rejects(probeCluster({ context: 'east', kubeconfig: kubeconfig(server) }, stop.signal), (error) => error === reason);
      assert.equal(asked, at);
    });
  }
});
