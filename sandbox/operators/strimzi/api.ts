import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { ApiError, type Api, type CallOptions, type WatchEvent } from '../../agent/api.ts';
import { UserError } from '../../../errors.ts';

const account = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The API server of the cluster that this process is a pod of, with the pod's own account. In plain JSON, without the client
 * library: its models alone would make this small operator twice as large.
 */
export function inClusterApi(): Api {
  const host = process.env['KUBERNETES_SERVICE_HOST'];
  const port = process.env['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (host === undefined) throw new UserError('KUBERNETES_SERVICE_HOST is not set: this operator runs as a pod', { exitCode: 2 });
  const agent = new Agent({ keepAlive: true, ca: readFileSync(`${account}/ca.crt`) });
  const open = (method: string, path: string, options: CallOptions, signal: AbortSignal): Promise<IncomingMessage> => new Promise((resolve, reject) => {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    // Read each time: the token is renewed while the pod lives.
    const headers = {
      authorization: `Bearer ${readFileSync(`${account}/token`, 'utf8').trim()}`,
      accept: options.accept ?? 'application/json',
      ...(body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    request(`https://${host}:${port}${path}`, { agent, method, headers, signal }, resolve).on('error', reject).end(body);
  });
  return {
    async call<T>(method: string, path: string, options: CallOptions = {}) {
      const response = await open(method, path, options, AbortSignal.timeout(10_000));
      const text = await textOf(response);
      if (!isOk(response)) throw apiError(`${method} ${path}`, response, text);
      return JSON.parse(text) as T;
    },
    async *watch<T>(path: string, signal: AbortSignal, accept?: string) {
      const response = await open('GET', path, accept === undefined ? {} : { accept }, signal);
      if (!isOk(response)) throw apiError(`GET ${path}`, response, await textOf(response));
      try {
        for await (const line of createInterface({ input: response })) {
          const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: { message?: string; code?: number; reason?: string } };
          if (event.type === 'ERROR') throw new ApiError(event.object.message ?? 'watch failed', event.object.code ?? 500, event.object.reason);
          yield event;
        }
      } catch (error) {
        // A watch that the signal ended would look like a broken connection.
        signal.throwIfAborted();
        throw error;
      }
    },
  };
}

const isOk = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300;

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function apiError(what: string, { statusCode = 0 }: IncomingMessage, text: string): ApiError {
  try {
    const { message = '', reason } = JSON.parse(text) as { message?: string; reason?: string };
    return new ApiError(`${what}: ${message}`, statusCode, reason);
  } catch {
    return new ApiError(`${what}: ${text.slice(0, 200)}`, statusCode);
  }
}
