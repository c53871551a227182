import { shellWord } from '../../config/shell-word.ts';
import { askTopics } from './ask-topics.ts';
import { type Look, type Problem, reasonOf } from './problem.ts';

export interface Tier1Input {
  readonly context: string;
  readonly namespace: string;
  /** Where tier1 is reached. */
  readonly address: string;
  readonly port: number;
  /** The name that clients call, and those that are pinned to a region. */
  readonly hostnames: readonly string[];
  /** Null: plain HTTP. PEM that clients have to trust; empty where public authorities are enough. */
  readonly caCertificate: string | null;
}

/** Asks for Kafka's topics as clients will: by tier1, which sends each name on to a region's gateway, with the bridge and Kafka behind it. */
export const lookAtTier1: Look<Tier1Input> = async (input) => (await Promise.all(input.hostnames.map((hostname) => one(hostname, input)))).flat();

async function one(hostname: string, { address, port, caCertificate, context, namespace }: Tier1Input): Promise<Problem[]> {
  const by = `GET ${caCertificate === null ? 'http' : 'https'}://${hostname}/topics by tier1 at ${address}`;
  try {
    const refused = await askTopics({ address, port, hostname, ...(caCertificate === null ? {} : { caCertificate }) });
    return refused === undefined ? [] : [{ found: `${by}: ${refused.text}`, see: after(refused.status, { context, namespace }) }];
  } catch (error) {
    return [{ found: `${by}: ${reasonOf(error)}`, see: aboutCertificate(error) ?? unreachable({ context, namespace }) }];
  }
}

type Place = Pick<Tier1Input, 'context' | 'namespace'>;

function after(status: number, { context, namespace }: Place): string {
  const routes = `kubectl --context ${shellWord(context)} get gateways.gateway.tsb.tetrate.io,tier1gateways.gateway.tsb.tetrate.io -n ${namespace} -o yaml`;
  if (status === 404) return `whether TSB took tier1's routes: ${routes}`;
  return `whether TSB gave tier1 the regions' gateways: kbf doctor; ${routes}; firewalls between tier1 and the regions' gateways`;
}

function aboutCertificate(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (/ALTNAME/.test(code)) return 'tier1.tls: its certificate has to name every host name that clients call, also those of single regions';
  if (/EXPIRED|NOT_YET_VALID/.test(code)) return 'tier1.tls: when its certificate is valid, and the clock of this machine';
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return 'tier1.tls: this machine trusts no authority that signed its certificate. One of your own belongs into its Secret as ca.crt: clients need it too';
  return undefined;
}

function unreachable({ context, namespace }: Place): string {
  return `kubectl --context ${shellWord(context)} get pods,services -n ${namespace}; firewalls between this machine and tier1. Where it cannot be reached from here, set checks: false`;
}
