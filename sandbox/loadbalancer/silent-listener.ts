import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Stream } from 'node:stream';
import type { Address } from './proxy.ts';

/** The kernel takes one connection more than the backlog before it drops what comes. */
const backlog = 1;

/**
 * An address whose connections are never answered, as where a load balancer that only rewrites addresses leads to a host that is
 * cut off: clients' packets vanish. It is a socket that listens, with a queue that is full, held by a process that never accepts.
 */
export class SilentListener {
  readonly #holder: ChildProcess;
  readonly #fillers: readonly Socket[];
  readonly #server: Server;
  #closed: Promise<void> | undefined;

  private constructor(server: Server, holder: ChildProcess, fillers: readonly Socket[]) {
    this.#server = server;
    this.#holder = holder;
    this.#fillers = fillers;
  }

  /** Resolves when nobody is answered any more. @throws Error when the address cannot be listened on. */
  static async open(at: Address): Promise<SilentListener> {
    // Whoever comes before the holder has the socket waits like the others.
    const server = createServer((client) => { client.on('error', () => undefined); });
    await once(server.listen({ ...at, backlog }), 'listening');
    // Node hands a server's socket over as it does a stream's, but has no public name for it.
    const { _handle: socket } = server as unknown as { readonly _handle: Stream };
    const holder = spawn('setpriv', ['--pdeathsig', 'KILL', 'sleep', 'infinity'], { stdio: ['ignore', 'ignore', 'ignore', socket] });
    await once(holder, 'spawn');
    server.close();
    const fillers = Array.from({ length: backlog + 1 }, () => connect(at).on('error', () => undefined));
    await Promise.all(fillers.map((filler) => new Promise((resolve) => {
      filler.once('connect', resolve);
      // Clients were faster.
      setTimeout(resolve, 100);
    })));
    return new SilentListener(server, holder, fillers);
  }

  /** Resolves when the address can be listened on again. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const exited = once(this.#holder, 'exit');
    this.#holder.kill('SIGKILL');
    await exited;
    this.#server.close();
    for (const filler of this.#fillers) filler.destroy();
  }
}
