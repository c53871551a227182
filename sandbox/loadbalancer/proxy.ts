import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { SilentListener } from './silent-listener.ts';

export interface Address { readonly host: string; readonly port: number }

/** How long a probe of an endpoint waits. */
const probeTimeoutMs = 1000;
/** A listener that closed because all endpoints refused looks this often whether one is back. */
const retryMs = 50;

/**
 * One address and port of a Service: takes connections there and passes them on to endpoints in turn, as near to one that only
 * rewrites addresses as a proxy can be. It does not listen while there is no endpoint, or while every one of them refuses connections:
 * so a client's own connect is refused. While every one of them is silent it is silent itself. Connections that exist are never cut
 * by a change of the endpoints.
 */
export class Proxy {
  readonly #at: Address;
  readonly #failed: (message: string) => void;
  #endpoints: readonly Address[] = [];
  #turn = 0;
  #server: Server | undefined;
  #silence: Promise<SilentListener | undefined> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  /** Endpoints whose last answer to a connect was a refusal. */
  readonly #refusing = new Set<string>();
  readonly #probing = new Set<string>();
  #silentHosts: ReadonlySet<string> = new Set();

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

  /** Which hosts are known to answer nobody. */
  setSilent(hosts: ReadonlySet<string>): void {
    this.#silentHosts = hosts;
    this.#settle();
  }

  /** Connections that exist go on. */
  close(): void {
    this.#closed = true;
    this.#settle();
  }

  /** Listens exactly when a connection can be passed on. */
  #settle(): void {
    const live = this.#closed ? [] : this.#endpoints.filter((endpoint) => !this.#refusing.has(key(endpoint)));
    const silent = live.length > 0 && live.every(({ host }) => this.#silentHosts.has(host));
    const open = live.length > 0 && !silent;
    if (!open) {
      this.#server?.close();
      this.#server = undefined;
    }
    if (silent) this.#silence ??= SilentListener.open(this.#at).catch((error: unknown) => { this.#failed(`cannot listen on ${key(this.#at)}: ${String(error)}`); return undefined; });
    else if (this.#silence !== undefined) this.#endSilence(this.#silence);
    else if (open && this.#server === undefined) this.#listen();
    clearTimeout(this.#retry);
    if (!this.#closed && live.length === 0 && this.#endpoints.length > 0) this.#retry = setTimeout(() => { this.#tryAgain(); }, retryMs);
  }

  /** What comes after it is settled when its address is free. */
  #endSilence(silence: Promise<SilentListener | undefined>): void {
    void silence.then(async (listener) => {
      await listener?.close();
      if (this.#silence !== silence) return;
      this.#silence = undefined;
      this.#settle();
    });
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

  /** An endpoint that does not answer is waited for in silence, as long as the kernel tries (two minutes) and the client has patience. */
  #pass(client: Socket): void {
    const endpoint = this.#next();
    if (endpoint === undefined) return void client.resetAndDestroy();
    const server = connect({ ...endpoint, allowHalfOpen: true, noDelay: true });
    let connected = false;
    server.on('connect', () => {
      connected = true;
      this.#refusing.delete(key(endpoint));
    });
    server.on('error', (error: NodeJS.ErrnoException) => {
      client.resetAndDestroy();
      if (!connected && error.code === 'ECONNREFUSED') this.#refused(endpoint);
      else this.#probe(endpoint);
    });
    client.on('error', () => { server.resetAndDestroy(); });
    // Perhaps it is not this connection that has ended, but its program: the next client is then to be refused, not reset.
    server.on('end', () => { if (!client.readableEnded) this.#probe(endpoint); });
    // One side that is gone for good takes the other along; half an end passes through the pipes.
    server.on('close', () => { client.destroySoon(); });
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
    for (const endpoint of this.#endpoints) this.#probe(endpoint);
    this.#settle();
  }

  /** Learns whether an endpoint takes connections or refuses them. */
  #probe(endpoint: Address): void {
    const name = key(endpoint);
    if (this.#probing.has(name) || this.#closed) return;
    this.#probing.add(name);
    const probe = connect({ ...endpoint, timeout: probeTimeoutMs });
    probe.on('close', () => { this.#probing.delete(name); });
    probe.on('connect', () => {
      probe.destroy();
      if (this.#refusing.delete(name)) this.#settle();
    });
    probe.on('timeout', () => { probe.destroy(); });
    probe.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'ECONNREFUSED' && !this.#refusing.has(name)) this.#refused(endpoint); });
  }
}

export function key({ host, port }: Address): string {
  return `${host}:${port}`;
}

function sameAddresses(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((address, i) => key(address) === key(b[i] ?? { host: '', port: 0 }));
}
