import { spawn } from 'node:child_process';
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { constants } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { signalGroup } from './container-process.ts';
import { enter } from './inside.ts';
import type { Inside } from './inside.ts';

/** The newest first. The only difference between them is that in v5 a client can end one stream. */
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

/** The first byte of every message says which stream it is of. */
const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;

/** A request that is answered with this instead of an upgrade. */
export class Refusal extends Error {
  /** HTTP status. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Finds what leads into a container. @throws Refusal when there is no such pod or container, or it does not run. */
export type FindInside = (namespace: string, pod: string, container: string) => Inside;

/** Serves `exec` requests of an API server, which come as web sockets, to `/exec/NAMESPACE/POD/CONTAINER?command=...&input=&output=&error=`. */
export function execServer(find: FindInside): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const server = new WebSocketServer({ noServer: true, handleProtocols: (offered) => protocols.find((name) => offered.has(name)) ?? false });
  return (request, socket, head) => {
    socket.on('error', () => undefined);
    try {
      const { inside, order } = accept(request, find);
      server.handleUpgrade(request, socket, head, (client) => { run(inside, order, client); });
    } catch (error) {
      const { code, message } = error instanceof Refusal ? error : { code: 500, message: String(error) };
      // A Status: kubectl takes plain text with a colon for one without a message.
      const text = JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code });
      socket.end(`HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`);
    }
  };
}

interface Order { readonly command: readonly string[]; readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean }

function accept(request: IncomingMessage, find: FindInside): { inside: Inside; order: Order } {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://node');
  const [, verb, namespace = '', pod = '', container = ''] = pathname.split('/').map(decodeURIComponent);
  if (verb !== 'exec') throw new Refusal(404, `the sandbox's node agent serves logs and exec only, not ${pathname}`);
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
    throw new Refusal(400, `exec is served over web sockets here, not ${request.headers.upgrade ?? 'plain HTTP'}: use kubectl 1.31 or newer, without KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false`);
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!protocols.some((name) => offered.includes(name))) throw new Refusal(400, `exec speaks ${protocols.join(' and ')} here, not "${offered.join(', ')}"`);
  const flag = (name: string) => ['true', '1'].includes(searchParams.get(name) ?? '');
  if (flag('tty')) throw new Refusal(400, 'the sandbox\'s node agent has no terminals: leave --tty (-t) out');
  const command = searchParams.getAll('command');
  if (command.length === 0) throw new Refusal(400, 'exec needs a command');
  return { inside: find(namespace, pod, container), order: { command, stdin: flag('input'), stdout: flag('output'), stderr: flag('error') } };
}

/**
 * Runs a command for a client. As by a container runtime, it is over when the command has ended and nobody holds its output any more:
 * what is to stay behind has to give it up. A client that goes away ends the command's process group, and nothing that left it.
 */
function run(inside: Inside, { command, stdin, stdout, stderr }: Order, client: WebSocket): void {
  const pipe = (wanted: boolean) => wanted ? 'pipe' : 'ignore';
  const [program = '', ...args] = enter(inside, command);
  const child = spawn(program, args, { detached: true, env: inside.env, stdio: [pipe(stdin), pipe(stdout), pipe(stderr)] });
  let over = false;
  const finish = (status: object) => {
    if (over) return;
    over = true;
    client.send(Buffer.from(`${String.fromCharCode(channel.status)}${JSON.stringify(status)}`));
    client.close(1000);
  };
  child.on('error', (error) => { finish({ status: 'Failure', reason: 'InternalError', message: error.message, code: 500, metadata: {} }); });
  child.on('close', (code, signal) => { finish(endOf(command, code ?? 128 + (signal === null ? 0 : constants.signals[signal]))); });
  client.on('close', () => {
    if (!over && child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    over = true;
  });
  client.on('error', () => undefined);
  if (child.stdout !== null) forward(child.stdout, channel.stdout, client);
  if (child.stderr !== null) forward(child.stderr, channel.stderr, client);
  // A command need not read what it is sent.
  child.stdin?.on('error', () => undefined);
  client.on('message', (data: Buffer) => {
    if (data[0] === channel.stdin) child.stdin?.write(data.subarray(1));
    else if (data[0] === channel.close && data[1] === channel.stdin) child.stdin?.end();
  });
}

/** No faster than the client takes it. */
function forward(from: Readable, to: number, client: WebSocket): void {
  from.on('data', (chunk: Buffer) => {
    from.pause();
    client.send(Buffer.concat([Buffer.from([to]), chunk]), () => { from.resume(); });
  });
}

/** The Status that clients read an exit code from. */
function endOf(command: readonly string[], exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {}, status: 'Failure', reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: error executing command ${JSON.stringify(command)}, exit code ${exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}
