import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { Refusal, execServer } from '../../sandbox/agent/exec.ts';

describe('An exec that is not served', () => {
  let server: Server;
  let port: number;

  before(async () => {
    server = createServer();
    server.on('upgrade', execServer((_, pod) => { throw new Refusal(404, `pod "${pod}" does not run: it never did`); }));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  after(() => { server.close(); });

  /** Code and message of the Status that comes in place of an upgrade. */
  async function refusal(path: string, headers: Record<string, string>): Promise<[number | undefined, string]> {
    const asked = request({ port, path, headers: { connection: 'Upgrade', ...headers } }).end();
    const [response] = await once(asked, 'response') as [IncomingMessage];
    return [response.statusCode, (JSON.parse(await text(response)) as { message: string }).message];
  }
  const socket = { 'upgrade': 'websocket', 'sec-websocket-protocol': 'v4.channel.k8s.io', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' };

  it('says which client works when it comes as SPDY', async () => {
    const [code, message] = await refusal('/exec/n/p/c?command=true', { upgrade: 'SPDY/3.1' });
    assert.equal(code, 400);
    assert.match(message, /web sockets here, not SPDY\/3\.1: use kubectl 1\.31 or newer/);
  });

  it('says which protocols it speaks', async () => {
    assert.deepEqual(await refusal('/exec/n/p/c?command=true', { ...socket, 'sec-websocket-protocol': 'channel.k8s.io' }), [400, 'exec speaks v5.channel.k8s.io and v4.channel.k8s.io here, not "channel.k8s.io"']);
  });

  it('names what it has not: terminals, other verbs, a command, the pod', async () => {
    assert.match((await refusal('/exec/n/p/c?command=true&tty=1', socket))[1], /no terminals/);
    assert.match((await refusal('/attach/n/p/c', socket))[1], /logs and exec only, not \/attach\/n\/p\/c/);
    assert.match((await refusal('/exec/n/p/c', socket))[1], /needs a command/);
    assert.deepEqual(await refusal('/exec/n/p/c?command=true', socket), [404, 'pod "p" does not run: it never did']);
  });

  it('is an error to a web socket client', async () => {
    const client = new WebSocket(`ws://127.0.0.1:${port}/exec/n/p/c?command=true`, ['v4.channel.k8s.io']);
    const [error] = await once(client, 'error') as [Error];
    assert.match(error.message, /404/);
  });
});
