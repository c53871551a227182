import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import { messageOf } from '../../errors.ts';
import { pkiFiles } from './pki-files.ts';
import type { Pair } from './pki-files.ts';

/** An HTTPS client with one of the sandbox's client certificates; its owner destroys it. */
export async function tlsClient(dir: string, user: Pair): Promise<Agent> {
  const [ca, cert, key] = await Promise.all([pkiFiles(dir).ca.cert, user.cert, user.key].map((file) => readFile(file)));
  return new Agent({ connect: { ca, cert, key } });
}

/** An answer that was not a success. */
class HttpError extends Error {
  readonly status: number;

  constructor(url: string, status: number, body: string) {
    super(`${url} answered ${status}: ${body.slice(0, 2000)}`);
    this.status = status;
  }
}

export interface Call { readonly method?: 'PATCH'; readonly type?: string; readonly body?: string; readonly signal?: AbortSignal }

/** An API server that takes dozens of definitions on a busy machine is slow, and not dead. */
const timeoutMs = 120_000;

/** The body of a successful answer. @throws HttpError for any other answer, and Error with the URL when there is none */
export async function call(http: Agent, url: string, { method, type, body, signal }: Call = {}): Promise<string> {
  const response = await request(url, {
    dispatcher: http, headersTimeout: timeoutMs, bodyTimeout: timeoutMs, method: method ?? 'GET',
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined ? {} : { body, headers: { 'content-type': type } }),
  }).catch((cause: unknown) => { throw new Error(`${method ?? 'GET'} ${url}: ${messageOf(cause)}`, { cause }); });
  const text = await response.body.text();
  if (response.statusCode >= 300) throw new HttpError(url, response.statusCode, text);
  return text;
}

/** A GET whose answer is JSON, trusted to be of the type that its URL promises. */
export async function getJson<T>(http: Agent, url: string, signal?: AbortSignal): Promise<T> {
  return JSON.parse(await call(http, url, signal === undefined ? {} : { signal })) as T;
}
