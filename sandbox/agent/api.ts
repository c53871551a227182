import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';
import { UserError } from '../../errors.ts';

/** An answer of an API server other than 2xx; code 410 also for a watch that has to begin anew. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status. */
  readonly code: number;
  /** Kubernetes' reason, for example `AlreadyExists`; empty when the answer was not a Status. */
  readonly reason: string;

  constructor(message: string, code: number, reason = '') {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export interface CallOptions {
  readonly body?: unknown;
  readonly contentType?: 'application/json' | 'application/merge-patch+json' | 'application/strategic-merge-patch+json';
  readonly accept?: string;
}

export interface WatchEvent<T> { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }

/**
 * One cluster's API server, spoken to in plain JSON. The client library's models and serializers would cost 90 MB and a second
 * in each of our two long-lived processes; only its types are used.
 */
export interface Api {
  /** @throws ApiError for any answer but 2xx; Error when there was no answer within thirty seconds. */
  call<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, options?: CallOptions): Promise<T>;
  /** Ends when the server ends the watch. @throws as `call`, and ApiError 410 when the version is too old. */
  watch<T>(path: string, signal: AbortSignal, accept?: string): AsyncGenerator<WatchEvent<T>>;
}

/** A machine that starts many clusters at once keeps an API server from answering for long. */
const callTimeoutMs = 30_000;
const ok = (status: number | undefined) => status !== undefined && status >= 200 && status < 300;

/** @throws UserError when the kubeconfig cannot be read or names no server. */
export function connectApi(kubeconfigFile: string): Api {
  const { server, ...tls } = credentials(kubeconfigFile);
  const agent = new Agent({ keepAlive: true, ...tls });
  const open = (method: string, path: string, { body, contentType, accept }: CallOptions, signal: AbortSignal) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        accept: accept ?? 'application/json',
        ...(payload === undefined ? {} : { 'content-type': contentType ?? 'application/json', 'content-length': Buffer.byteLength(payload) }),
      };
      request(server + path, { agent, method, headers, signal }, resolve).on('error', reject).end(payload);
    });
  return {
    async call<T>(method: string, path: string, options: CallOptions = {}) {
      const signal = AbortSignal.timeout(callTimeoutMs);
      const [response, text] = await open(method, path, options, signal).then(async (r) => [r, await read(r)] as const).catch((error: unknown) => {
        throw signal.aborted ? new Error(`${method} ${server}${path}: no answer within ${callTimeoutMs / 1000} s`, { cause: error }) : error;
      });
      if (!ok(response.statusCode)) throw apiError(`${method} ${path}`, response.statusCode, text);
      return JSON.parse(text) as T;
    },
    async *watch<T>(path: string, signal: AbortSignal, accept?: string) {
      const response = await open('GET', path, accept === undefined ? {} : { accept }, signal);
      if (!ok(response.statusCode)) throw apiError(`GET ${path}`, response.statusCode, await read(response));
      for await (const line of lines(response)) {
        const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: Status };
        if (event.type === 'ERROR') throw new ApiError(event.object.message ?? 'watch failed', event.object.code ?? 500, event.object.reason);
        yield event;
      }
    },
  };
}

interface Status { message?: string; reason?: string; code?: number }

function apiError(what: string, code: number | undefined, text: string): ApiError {
  const status = parseStatus(text);
  return new ApiError(`${what}: ${status.message ?? 'no message'}`, code ?? 0, status.reason);
}

/** Not everything that answers in an API server's place speaks JSON. */
function parseStatus(text: string): Status {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return { message: text.slice(0, 200) };
  }
}

async function read(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk as string;
  return text;
}

async function* lines(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const parts = (rest + (chunk as string)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((part) => part !== '');
  }
}

interface Kubeconfig {
  clusters?: { cluster: { server: string; 'certificate-authority-data'?: string } }[];
  users?: { user: { 'client-certificate-data'?: string; 'client-key-data'?: string } }[];
}

function credentials(file: string): { server: string; ca?: Buffer; cert?: Buffer; key?: Buffer } {
  const config = parse(readFileSync(file, 'utf8')) as Kubeconfig;
  const cluster = config.clusters?.[0]?.cluster;
  if (cluster === undefined) throw new UserError(`${file} names no cluster`, { remedy: 'Start the sandbox again.' });
  const user = config.users?.[0]?.user ?? {};
  const decode = (text: string | undefined) => text === undefined ? undefined : Buffer.from(text, 'base64');
  const all = { ca: decode(cluster['certificate-authority-data']), cert: decode(user['client-certificate-data']), key: decode(user['client-key-data']) };
  return { server: cluster.server, ...Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) };
}
