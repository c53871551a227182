import { lookup } from 'node:dns/promises';
import { connect } from 'node:tls';

import { shellWord } from '../../config/shell-word.ts';
import { type Look, type Problem, reasonOf } from './problem.ts';

export interface BrokersInput {
  /** PEM that the regions trust brokers by. */
  readonly caCertificate: string;
  /** `host:port` of bootstrap and of every broker, as they are advertised. */
  readonly servers: readonly string[];
  /** Addresses of load balancers by host name, for names that do not resolve on this machine. */
  readonly addresses: Readonly<Record<string, string>>;
  /** kubeconfig context of Kafka's cluster and its namespace, for what to look at; undefined for a Kafka of somebody else. */
  readonly place?: { readonly context: string; readonly namespace: string } | undefined;
}

const timeoutMs = 3_000;
/** Node.js gives every address of several but the last 250 ms, which one far away, or a lost packet (1 s), does not keep to. */
const limits = { timeout: timeoutMs, autoSelectFamilyAttemptTimeout: timeoutMs / 2 };

/** Shakes hands with every broker by its advertised name, as a bridge does: the name, the way, and the certificate by the CA that regions have. */
export const lookAtBrokers: Look<BrokersInput> = async (input) => (await Promise.all(input.servers.map((server) => one(server, input)))).flat();

async function one(server: string, { caCertificate, addresses, place }: BrokersInput): Promise<Problem[]> {
  const separator = server.lastIndexOf(':');
  const host = server.slice(0, separator);
  const resolved = await resolve(host, addresses[host]);
  if (resolved.to === undefined) {
    return [{ found: `${server}: the name does not resolve on this machine (${resolved.reason})`, see: 'whether DNS has it: bridges call brokers by this name as well' }];
  }
  const failure = await handshake({ to: resolved.to, port: Number(server.slice(separator + 1)), host, caCertificate });
  return failure === undefined ? [] : [{ found: `${server} at ${resolved.at}: ${failure.found}`, see: failure.see ?? see(place) }];
}

/** What to connect to, and what that is; by its name, so that any of its addresses will do. */
async function resolve(host: string, known: string | undefined): Promise<{ to: string; at: string } | { to?: never; reason: string }> {
  try {
    return { to: host, at: (await lookup(host, { all: true })).map(({ address }) => address).join(', ') };
  } catch (error) {
    return known === undefined ? { reason: reasonOf(error) } : { to: known, at: known };
  }
}

interface Broker {
  /** Its host name, or an address of it. */
  readonly to: string;
  readonly port: number;
  readonly host: string;
  readonly caCertificate: string;
}

/** @returns what failed; undefined when the broker showed a certificate for its name that the CA signed */
async function handshake({ to, port, host, caCertificate }: Broker): Promise<{ found: string; see?: string } | undefined> {
  return await new Promise((resolve) => {
    const socket = connect({ host: to, port, servername: host, ca: caCertificate, allowPartialTrustChain: true, ...limits });
    const end = (failure?: { found: string; see?: string }): void => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('secureConnect', () => { end(); });
    socket.once('timeout', () => { end({ found: `no answer within ${timeoutMs / 1_000} s` }); });
    socket.once('error', (error: NodeJS.ErrnoException) => { end(explained(error)); });
  });
}

function explained(error: NodeJS.ErrnoException): { found: string; see?: string } {
  const code = error.code ?? '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return { found: `its certificate is for other names: ${error.message}`, see: 'kafka.certificate: the certificate has to name bootstrap and every broker' };
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return { found: `its certificate is not trusted by the CA that regions have: ${reasonOf(error)}`, see: 'kafka.certificate, and whether the brokers have rolled since it changed' };
  return { found: reasonOf(error) };
}

function see(place: BrokersInput['place']): string {
  const services = place === undefined ? '' : `kubectl --context ${shellWord(place.context)} get kafka,pods,services -n ${place.namespace}; `;
  return `${services}firewalls between this machine and the brokers. Where only the clusters are to reach Kafka, set checks: false`;
}
