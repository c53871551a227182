import { createInterface } from 'node:readline';
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { request } from 'undici';
import type { Dispatcher } from 'undici';

/** One cluster's API server, by paths; plain JSON in and out. */
export interface Connection {
  /** The kubeconfig's context: the cluster's name. */
  readonly context: string;
  /** Whether its last call had no answer at all. */
  readonly silent: boolean;
  get(path: string): Promise<unknown>;
  /** Server-side apply, owning the fields by force: what the operator writes is the operator's. */
  apply(path: string, object: object): Promise<unknown>;
  mergePatch(path: string, change: object): Promise<unknown>;
  /** Deletes; an object that is already gone is fine. */
  delete(path: string): Promise<void>;
  /** Events of a watch, until the server ends it or the signal aborts it. */
  watch(path: string, signal: AbortSignal): AsyncIterable<WatchEvent>;
}

export interface WatchEvent { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'; readonly object: Record<string, unknown> }

/** An answer of the API server that was not a success. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A connection by a kubeconfig's current context. */
export async function connect(kubeconfig: string): Promise<Connection> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const server = config.getCurrentCluster()?.server ?? '';
  const credentials = new RequestContext(server, HttpMethod.GET);
  await config.applySecurityAuthentication(credentials);
  const state = { silent: false };
  const call = caller(server, credentials, state);
  return {
    context: config.getCurrentContext(),
    get silent() {
      return state.silent;
    },
    get: (path) => call('GET', path),
    apply: (path, object) => call('PATCH', `${path}?fieldManager=tsb-operator&force=true`, { type: 'application/apply-patch+yaml', body: object }),
    mergePatch: (path, change) => call('PATCH', `${path}?fieldManager=tsb-operator`, { type: 'application/merge-patch+json', body: change }),
    delete: async (path) => {
      await call('DELETE', path).catch((error: unknown) => {
        if (!(error instanceof ApiError && error.status === 404)) throw error;
      });
    },
    watch: (path, signal) => watch(server, credentials, { path, signal }),
  };
}

/**
 * How long an API server has for its whole answer, in milliseconds. By a clock of its own: with the client's timeouts of headers and body alone, one that had
 * stopped was seen to hold up the translation for all clusters for minutes (its connections speak HTTP/2; which request waited was not seen).
 */
const answerMs = 10_000;

type Call = (method: Dispatcher.HttpMethod, path: string, content?: { type: string; body: object }) => Promise<unknown>;

function caller(server: string, credentials: RequestContext, state: { silent: boolean }): Call {
  return async (method, path, content) => {
    const silent = (error: unknown): never => {
      state.silent = true;
      throw error;
    };
    const signal = AbortSignal.timeout(answerMs);
    const exchange = async (): Promise<{ status: number; text: string }> => {
      const { statusCode, body } = await request(server + path, {
        method, ...dispatcher(credentials), signal,
        headers: { ...credentials.getHeaders(), ...(content ? { 'content-type': content.type } : {}) },
        ...(content ? { body: JSON.stringify(content.body) } : {}),
      });
      return { status: statusCode, text: await body.text() };
    };
    // The signal alone may not end a request that still waits for its connection.
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => { reject(new Error(`${method} ${path} had no answer within ${answerMs / 1000} s`)); });
    });
    const { status, text } = await Promise.race([exchange(), late]).catch(silent);
    state.silent = false;
    if (status >= 300) throw new ApiError(status, `${method} ${path} answered ${status}: ${message(text)}`);
    return JSON.parse(text);
  };
}

async function* watch(server: string, credentials: RequestContext, { path, signal }: { path: string; signal: AbortSignal }): AsyncGenerator<WatchEvent> {
  // Bookmarks come about once a minute: silence of two minutes is a dead connection.
  const answer = await request(server + path, { method: 'GET', ...dispatcher(credentials), headers: credentials.getHeaders(), signal, headersTimeout: 10_000, bodyTimeout: 120_000 });
  if (answer.statusCode >= 300) throw new ApiError(answer.statusCode, `GET ${path} answered ${answer.statusCode}: ${message(await answer.body.text())}`);
  for await (const line of createInterface({ input: answer.body })) yield JSON.parse(line) as WatchEvent;
}

function dispatcher(credentials: RequestContext): { dispatcher?: Dispatcher } {
  const found = credentials.getDispatcher() as Dispatcher | undefined;
  return found ? { dispatcher: found } : {};
}

function message(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body.slice(0, 500);
  }
}
