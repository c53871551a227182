import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type PeerCertificate } from 'node:tls';

/** A server that speaks TLS, and what it shows. */
export interface Shown {
  readonly certificate: PeerCertificate;
  /** Why its certificate would not be taken by one who trusts the CA and calls it by this name; undefined if it would. */
  readonly distrust: string | undefined;
}

const limitMs = 5_000;

/**
 * Begins to speak TLS with a server, by whichever of its addresses answers, and leaves it at that.
 * @param ca PEM; undefined: whatever it shows is taken
 * @throws Error whose `code` says how far it came
 */
export async function shakeHands(host: string, port: number, ca: string | undefined): Promise<Shown> {
  const found = await addressesOf(host);
  return await new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...whichever(found), servername: host, rejectUnauthorized: false, ...(ca === undefined ? {} : { ca, allowPartialTrustChain: true }) });
    socket.setTimeout(limitMs, () => { socket.destroy(Object.assign(new Error(`no answer within ${String(limitMs / 1_000)} s`), { code: 'ETIMEDOUT' })); });
    socket.once('error', (error) => { reject(error instanceof AggregateError && error.errors.length > 0 ? error.errors.at(-1) as Error : error); });
    socket.once('secureConnect', () => {
      const { authorized } = socket;
      resolve({ certificate: socket.getPeerCertificate(), distrust: authorized || ca === undefined ? undefined : String(socket.authorizationError) });
      socket.destroy();
    });
  });
}

/** Options of a connection, to whichever of these addresses answers: Node.js alone gives every one but the last 250 ms, which one far away does not keep to. */
function whichever(addresses: readonly string[]): { autoSelectFamily: true; autoSelectFamilyAttemptTimeout: number; lookup: LookupFunction } {
  return { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: limitMs / 2, lookup: (_host, _options, done) => { done(null, addresses.map((address) => ({ address, family: isIP(address) }))); } };
}

/** Addresses of a host name, as everything on this machine would find them. */
export async function addressesOf(host: string): Promise<string[]> {
  const over = new AbortController();
  const late = delay(limitMs, undefined, { ref: false, signal: over.signal }).then(() => { throw Object.assign(new Error('the host name cannot be looked up in time'), { code: 'EAI_AGAIN' }); });
  try {
    return (await Promise.race([lookup(host, { all: true }), late])).map(({ address }) => address);
  } finally {
    over.abort();
    late.catch(() => undefined);
  }
}
