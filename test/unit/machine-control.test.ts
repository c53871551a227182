import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { askStop, openControl, watchTargets } from '../../sandbox/machine/control-client.ts';
import { serveControl } from '../../sandbox/machine/control.ts';
import type { Control } from '../../sandbox/machine/control.ts';
import type { Targets } from '../../sandbox/machine/protocol.ts';
import { controlSocket } from '../../sandbox/machine/state.ts';
import type { SandboxState } from '../../sandbox/machine/state.ts';

describe('The control socket', () => {
  let sockets: string;
  let upstream: Server;
  let control: Control;
  let targets: Targets;

  beforeEach(async () => {
    sockets = await mkdtemp(join(tmpdir(), 'kbf-control-'));
    // Answers only when the client has finished speaking.
    upstream = createServer({ allowHalfOpen: true }, (socket) => {
      void text(socket).then((said) => socket.end(`you said ${said}`));
    });
    await once(upstream.listen(0, '127.0.0.1'), 'listening');
    targets = { 'kafka/apiserver': { host: '127.0.0.1', port: (upstream.address() as AddressInfo).port } };
    control = await serveControl(controlSocket({ sockets }), {
      status: () => ({ processes: [] }), stop: () => new Promise(() => undefined), targets: () => targets,
    });
  });

  afterEach(async () => {
    control.close();
    upstream.close();
    await rm(sockets, { recursive: true });
  });

  it('answers a status request with one line', async () => {
    const socket = await openControl({ sockets }, { op: 'status' });
    assert.equal(await text(socket), '{"processes":[]}\n');
    socket.destroy();
  });

  it('passes bytes to a target and back, half-closed connections included', async () => {
    const socket = await openControl({ sockets }, { op: 'connect', to: 'kafka/apiserver' });
    socket.end('hello');
    assert.equal(await text(socket), 'you said hello');
  });

  it('loses nothing that comes in one piece with the request', async () => {
    const socket = connect({ path: controlSocket({ sockets }), allowHalfOpen: true });
    socket.end('{"op":"connect","to":"kafka/apiserver"}\nhello at once');
    assert.equal(await text(socket), 'you said hello at once');
  });

  it('carries more than a socket buffers', async () => {
    const socket = await openControl({ sockets }, { op: 'connect', to: 'kafka/apiserver' });
    const much = 'x'.repeat(5_000_000);
    socket.end(much);
    assert.equal((await text(socket)).length, 'you said '.length + much.length);
  });

  it('closes a connection to a target that there is not, or that refuses', async () => {
    targets['gone'] = { host: '127.0.0.1', port: 1 };
    for (const to of ['nothing', 'gone']) {
      const socket = await openControl({ sockets }, { op: 'connect', to });
      assert.equal(await text(socket), '');
      socket.destroy();
    }
  });

  it('closes a connection that makes no request', async () => {
    const socket = connect(controlSocket({ sockets }));
    socket.write('x'.repeat(10_000));
    socket.on('error', () => undefined);
    await once(socket, 'close');
  });

  it('does not keep whoever asks when there is no answer', async () => {
    const asking = askStop({ name: 'busy', sockets } as SandboxState, AbortSignal.timeout(50));
    await assert.rejects(asking, /the sandbox busy did not answer "stop" in time/);
  });

  it('tells the targets at once and after each change', async () => {
    const seen = watchTargets({ sockets });
    assert.deepEqual(Object.keys((await seen.next()).value as Targets), ['kafka/apiserver']);
    targets = { ...targets, 'central/edge/tier1:80': { host: '10.212.0.1', port: 80 } };
    control.targetsChanged();
    assert.deepEqual(Object.keys((await seen.next()).value as Targets), ['kafka/apiserver', 'central/edge/tier1:80']);
    await seen.return(undefined);
  });
});
