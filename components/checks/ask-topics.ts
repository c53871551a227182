import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { trusted } from './trusted.ts';

/** Where a bridge's API is asked for Kafka's topics: an address, whatever DNS says of the name. */
export interface Entrance {
  readonly address: string;
  readonly port: number;
  readonly hostname: string;
  /** Absent: plain HTTP. PEM that is trusted beside what this machine trusts (NODE_EXTRA_CA_CERTS too), or an empty text. */
  readonly caCertificate?: string | undefined;
}

/** From the request to the last byte of the answer. A bridge that does not reach Kafka answers after its own bounds, with an error. */
const timeoutMs = 20_000;
/** What is longer is no list of topics, whoever answers. */
const longest = 8 * 2 ** 20;

/**
 * What kept `GET /topics` from being answered with a list of topics: the answer's status and its beginning. Undefined where nothing did.
 * @throws Error where there was no answer
 */
export async function askTopics(entrance: Entrance): Promise<{ status: number; text: string } | undefined> {
  const { status, body } = await get(entrance);
  if (status === 200 && isList(body)) return undefined;
  return { status, text: `${status} ${body.trim().replaceAll(/\s+/g, ' ').slice(0, 300)}` };
}

async function get({ address, port, hostname, caCertificate }: Entrance): Promise<{ status: number; body: string }> {
  const options = { host: address, port, path: '/topics', headers: { host: hostname, accept: 'application/vnd.kafka.v2+json' }, agent: false as const, signal: AbortSignal.timeout(timeoutMs) };
  return await new Promise((resolve, reject) => {
    const failed = (error: Error): void => { reject(error.name === 'AbortError' ? new Error(`no answer within ${timeoutMs / 1_000} s, or no end of it`) : error); };
    const asked = caCertificate === undefined ? requestPlain(options) : requestTls({ ...options, servername: hostname, ca: trusted(caCertificate), allowPartialTrustChain: true });
    asked.on('response', (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
        if (body.length > longest) asked.destroy(new Error(`an answer of more than ${longest / 2 ** 20} MiB, which is no list of topics`));
      }).on('error', failed).on('end', () => { resolve({ status: answer.statusCode ?? 0, body }); });
    });
    asked.on('error', failed).end();
  });
}

function isList(body: string): boolean {
  try {
    return Array.isArray(JSON.parse(body));
  } catch {
    return false;
  }
}
