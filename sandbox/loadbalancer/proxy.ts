import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

export interface Address { readonly host: string; readonly port: number }

/** How long a connection to an endpoint may take; its client is held that long, as its own connect has succeeded already. */
const connectTimeoutMs = 1000;
/** A listener that closed because all endpoints refused looks this often whether one is back. */
const retryMs = 50;

/**
 * One address and port of a Service: takes connections there and passes them on to endpoints in turn. It does not listen while
 * there is no endpoint, or while every one of them refuses connections: so a client's own connect is refused, as it would be without a proxy.
 * Connections that exist are never cut by a change of the endpoints.
 */
export class Proxy {
  readonly #at: Address;
  readonly #failed: (message: string) => void;
  #endpoints: readonly Address[] = [];
  #turn = 0;
  #server: Server | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  /** Endpoints whose last answer to a connect was a refusal. */
  readonly #refusing = new Set<string>();

  /** @param failed Told what a person should know: an address that cannot be listened on. */
  constructor(at: Address, failed: (message: string) => void) {
    this.#at = at;
    this.#failed = failed;
  }

  setEndpoints(endpoints: readonly Address[]): void {
    if (sameAddresses(endpoints, this.#endpoints)) return;
    this.#endpoints = endpoints;
    this.#refusing.clear();
    this.#settle();
  }

  /** Connections that exist go on. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#server?.close();
    this.#server = undefined;
  }

  /** Listens exactly when a connection can be passed on. */
  #settle(): void {
    const usable = !this.#closed && this.#endpoints.some((endpoint) => !this.#refusing.has(key(endpoint)));
    if (usable && this.#server === undefined) this.#listen();
    if (!usable) {
      this.#server?.close();
      this.#server = undefined;
    }
    clearTimeout(this.#retry);
    if (!this.#closed && !usable && this.#endpoints.length > 0) this.#retry = setTimeout(() => { this.#tryAgain(); }, retryMs);
  }

  #listen(): void {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => { this.#pass(client); });
    server.on('error', (error) => {
      this.#failed(`cannot listen on ${key(this.#at)}: ${error.message}`);
      if (this.#server === server) this.#server = undefined;
    });
    server.listen({ ...this.#at, backlog: 1024 });
    this.#server = server;
  }

  #pass(client: Socket): void {
    const endpoint = this.#next();
    if (endpoint === undefined) return void client.resetAndDestroy();
    const server = connect({ ...endpoint, allowHalfOpen: true, noDelay: true });
    const timer = setTimeout(() => { server.destroy(new Error('connect timed out')); }, connectTimeoutMs);
    let connected = false;
    server.on('connect', () => {
      connected = true;
      clearTimeout(timer);
      this.#refusing.delete(key(endpoint));
    });
    server.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      client.resetAndDestroy();
      if (!connected && error.code === 'ECONNREFUSED') this.#refused(endpoint);
    });
    client.on('error', () => { server.resetAndDestroy(); });
    // One side that is gone for good takes the other along; half an end passes through the pipes.
    server.on('close', () => { clearTimeout(timer); client.destroySoon(); });
    client.on('close', () => { if (connected) server.destroySoon(); else server.destroy(); });
    client.pipe(server);
    server.pipe(client);
  }

  /** In turn, also one that refused: whether it is one of the Service's endpoints is not decided here. */
  #next(): Address | undefined {
    this.#turn = (this.#turn + 1) % Math.max(this.#endpoints.length, 1);
    return this.#endpoints[this.#turn];
  }

  #refused(endpoint: Address): void {
    if (!this.#endpoints.some((known) => key(known) === key(endpoint))) return;
    this.#refusing.add(key(endpoint));
    this.#settle();
  }

  #tryAgain(): void {
    for (const endpoint of this.#endpoints) {
      const probe = connect({ ...endpoint, timeout: connectTimeoutMs });
      probe.on('connect', () => { this.#refusing.delete(key(endpoint)); probe.destroy(); this.#settle(); });
      probe.on('timeout', () => { probe.destroy(); });
      probe.on('error', () => undefined);
    }
    this.#settle();
  }
}

export function key({ host, port }: Address): string {
  return `${host}:${port}`;
}

function sameAddresses(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((address, i) => key(address) === key(b[i] ?? { host: '', port: 0 }));
}
