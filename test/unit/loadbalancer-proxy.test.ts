import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Proxy } from '../../sandbox/loadbalancer/proxy.ts';
import type { Address } from '../../sandbox/loadbalancer/proxy.ts';

const host = '127.0.0.1';

async function listen(handler: (socket: Socket) => void, port = 0): Promise<{ server: Server; address: Address }> {
  // A proxy that only tried whether someone is there leaves by a reset.
  const server = createServer({ allowHalfOpen: true }, (socket) => { handler(socket.on('error', () => undefined)); }).listen(port, host);
  await once(server, 'listening');
  return { server, address: { host, port: (server.address() as AddressInfo).port } };
}

async function freePort(): Promise<number> {
  const { server, address } = await listen(() => undefined);
  server.close();
  return address.port;
}

async function ask(port: number): Promise<string> {
  const socket = connect({ host, port }).setEncoding('utf8');
  let text = '';
  for await (const chunk of socket) text += chunk as string;
  return text;
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await check()) return;
    await delay(10);
  }
  assert.fail('did not come true within two seconds');
}

const refused = (port: number) => ask(port).then(() => false, (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED');

describe('A Service\'s address', () => {
  const open: (Server | Proxy)[] = [];
  let port: number;
  let proxy: Proxy;
  beforeEach(async () => {
    port = await freePort();
    proxy = new Proxy({ host, port }, assert.fail);
    open.push(proxy);
  });
  afterEach(() => { for (const one of open.splice(0)) one.close(); });
  const backend = async (handler: (socket: Socket) => void, at?: number) => {
    const { server, address } = await listen(handler, at);
    open.push(server);
    return address;
  };

  it('leads to its endpoints in turn', async () => {
    proxy.setEndpoints([await backend((s) => s.end('a')), await backend((s) => s.end('b'))]);
    const answers = [await ask(port), await ask(port), await ask(port), await ask(port)];
    assert.deepEqual(answers.sort(), ['a', 'a', 'b', 'b']);
  });

  it('refuses connections while it has no endpoint', async () => {
    assert.ok(await refused(port));
    proxy.setEndpoints([await backend((s) => s.end('a'))]);
    assert.equal(await ask(port), 'a');
    proxy.setEndpoints([]);
    assert.ok(await refused(port));
  });

  it('leaves a connection alone whose endpoint goes', async () => {
    proxy.setEndpoints([await backend((s) => { s.on('data', () => s.end('late')); })]);
    const socket = connect({ host, port }).setEncoding('utf8');
    await once(socket, 'connect');
    await delay(20);
    proxy.setEndpoints([]);
    proxy.close();
    socket.end('x');
    assert.deepEqual(await once(socket, 'data'), ['late']);
  });

  it('passes on half an end, so that a request\'s end does not end its answer', async () => {
    proxy.setEndpoints([await backend((s) => { let n = 0; s.on('data', (d) => { n += d.length; }).on('end', () => { s.end(String(n)); }); })]);
    const socket = connect({ host, port, allowHalfOpen: true }).setEncoding('utf8');
    socket.end(Buffer.alloc(1_000_000));
    assert.deepEqual(await once(socket, 'data'), ['1000000']);
  });

  it('resets the client whose endpoint resets', async () => {
    proxy.setEndpoints([await backend((s) => { s.on('data', () => s.resetAndDestroy()); })]);
    const socket = connect({ host, port });
    socket.write('x');
    const [error] = await once(socket, 'error') as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
  });

  it('resets the endpoint whose client resets', async () => {
    const ended = Promise.withResolvers<string | undefined>();
    proxy.setEndpoints([await backend((s) => { s.on('error', (e: NodeJS.ErrnoException) => { ended.resolve(e.code); }).resume(); })]);
    const socket = connect({ host, port });
    await once(socket, 'connect');
    await delay(20);
    socket.resetAndDestroy();
    assert.equal(await ended.promise, 'ECONNRESET');
  });

  it('refuses connections itself when its only endpoint does, and takes them again when that is back', async () => {
    const gone = await freePort();
    proxy.setEndpoints([{ host, port: gone }]);
    await assert.rejects(ask(port));
    await until(() => refused(port));
    await backend((s) => s.end('back'), gone);
    await until(() => ask(port).then((text) => text === 'back', () => false));
  });

  it('refuses the next client when its only endpoint has ended under the one before', async () => {
    const sockets: Socket[] = [];
    const { server, address } = await listen((s) => sockets.push(s));
    proxy.setEndpoints([address]);
    const socket = connect({ host, port });
    const reset = new Promise((resolve) => { socket.on('error', () => undefined).on('close', resolve); });
    await until(() => Promise.resolve(sockets.length === 1));
    server.close();
    sockets[0]?.resetAndDestroy();
    await reset;
    // No client but the next one comes to find it out.
    await delay(100);
    assert.ok(await refused(port));
  });

  it('answers nobody while its endpoints are silent, and takes connections again when they are not', async () => {
    proxy.setEndpoints([await backend((s) => s.end('a'))]);
    assert.equal(await ask(port), 'a');
    const kept = connect({ host, port });
    await once(kept, 'connect');
    proxy.setSilent(new Set([host]));
    const meets = () => new Promise<string>((resolve) => {
      const socket = connect({ host, port });
      const timer = setTimeout(() => { socket.destroy(); resolve('silence'); }, 300);
      socket.on('connect', () => { clearTimeout(timer); socket.destroy(); resolve('an answer'); }).on('error', () => { clearTimeout(timer); resolve('a refusal'); });
    });
    await until(async () => await meets() === 'silence');
    assert.deepEqual(await Promise.all([meets(), meets(), meets()]), ['silence', 'silence', 'silence']);
    assert.equal(kept.destroyed, false);
    kept.destroy();
    proxy.setSilent(new Set());
    await until(() => ask(port).then((text) => text === 'a', () => false));
  });

  it('goes on listening for the others when one of its endpoints refuses', async () => {
    proxy.setEndpoints([{ host, port: await freePort() }, await backend((s) => s.end('a'))]);
    const answers = await Promise.allSettled([ask(port), ask(port), ask(port), ask(port)]);
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 2);
    assert.ok(!await refused(port));
  });

  it('adds little time to a round trip', async () => {
    const echo = await backend((s) => s.pipe(s));
    proxy.setEndpoints([echo]);
    const median = async (at: number) => {
      const socket = connect({ host, port: at, noDelay: true });
      const times: number[] = [];
      for (let i = 0; i < 200; i++) {
        const begun = performance.now();
        socket.write('x');
        await once(socket, 'data');
        times.push(performance.now() - begun);
      }
      socket.destroy();
      return times.sort((a, b) => a - b)[100] ?? 0;
    };
    const [direct, proxied] = [await median(echo.port), await median(port)];
    assert.ok(proxied - direct < 2, `${direct.toFixed(2)} ms direct, ${proxied.toFixed(2)} ms through the proxy`);
  });
});
