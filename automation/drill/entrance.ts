import { createSecureContext } from 'node:tls';
import { Dispatcher, Pool } from 'undici';
import { trusted } from '../../components/checks/trusted.ts';
import { bracketed } from './bracketed.ts';

/** How tier1 is reached, as the program's outputs say it. */
export interface Tier1 {
  readonly tier1Address: string;
  /** What clients call: its scheme says whether there is TLS. */
  readonly url?: string | undefined;
  /** PEM to trust beside what this machine trusts; empty where that is enough. */
  readonly caCertificate?: string | undefined;
}

/** What of a program's outputs says how tier1 is reached; it can be handed to another thread. */
export function tier1Of({ tier1Address, url, caCertificate }: Tier1): Tier1 {
  return { tier1Address, url, caCertificate };
}

export interface Connections {
  /** The most at a time. */
  connections: number;
  /** A connection is closed after so many requests, and the next one needs another; without, it is kept. */
  requestsPerConnection?: number | undefined;
}

/** Connections to tier1, for whichever of its host names a request is. */
export function entrance({ tier1Address, url = '', caCertificate = '' }: Tier1, { connections, requestsPerConnection }: Connections): Dispatcher {
  const options: Pool.Options = { connections, pipelining: 1, keepAliveTimeout: 60_000 };
  if (requestsPerConnection !== undefined) options.maxRequestsPerClient = requestsPerConnection;
  if (!url.startsWith('https:')) return new Pool(`http://${bracketed(tier1Address)}`, options);
  // Made once: some hundred certificates are read, which a connection should not wait for.
  return new ByName(`https://${bracketed(tier1Address)}`, { ...options, connect: { secureContext: createSecureContext({ ca: trusted(caCertificate), allowPartialTrustChain: true }) } });
}

/** With TLS a connection is for the one host name that it was made with. */
class ByName extends Dispatcher {
  readonly #origin: string;
  readonly #options: Pool.Options;
  readonly #pools = new Map<string, Pool>();

  constructor(origin: string, options: Pool.Options) {
    super();
    this.#origin = origin;
    this.#options = options;
  }

  override dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const name = (request.headers as Record<string, string>)['host'] ?? '';
    const pool = this.#pools.get(name) ?? new Pool(this.#origin, this.#options);
    this.#pools.set(name, pool);
    return pool.dispatch(request, handler);
  }

  override async destroy(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }
}
