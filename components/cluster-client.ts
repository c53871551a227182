import * as http from 'node:http';
import * as https from 'node:https';
import { text as textOf } from 'node:stream/consumers';

import { accessOf, type ClusterAccess } from '../config/cluster-access.ts';
import { sentAgain } from '../config/sent-again.ts';
import { firstLineOf } from '../errors.ts';
import type { LiveObject, ObjectReference, ServedKinds } from './cluster-reader.ts';

/** How a cluster is reached: a file with its context, or the text of one, where a cloud says it. Neither holds more in the state than it does here. */
export type Kubeconfig = { readonly file: string } | { readonly text: Promise<string> };

/** One cluster's API server. */
export interface ClusterClient {
  /** undefined if there is no such object. */
  read(reference: ObjectReference): Promise<LiveObject | undefined>;
  served(group: string): Promise<ServedKinds>;
}

/** Asks an API server for JSON; undefined where it has nothing there. */
type Get = (path: string) => Promise<unknown>;

export function clientOf(kubeconfig: Kubeconfig, context: string): ClusterClient {
  const get = getterOf(kubeconfig, context);
  const known = new Map<string, Resource[]>();
  return {
    read: async ({ apiVersion, kind, namespace, name }) => {
      const api = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      const find = (): Resource | undefined => known.get(apiVersion)?.find((resource) => resource.kind === kind);
      // A definition may come during the run.
      if (find() === undefined) known.set(apiVersion, await resourcesOf(get, api));
      const resource = find();
      if (resource === undefined) return undefined;
      const place = resource.namespaced ? `/namespaces/${encodeURIComponent(namespace ?? 'default')}` : '';
      return (await get(`${api}${place}/${resource.name}/${encodeURIComponent(name)}`)) as LiveObject | undefined;
    },
    served: (group) => servedKinds(get, group),
  };
}

/** Opens a kubeconfig when it is first needed; connections are kept for the next question. */
export function getterOf(kubeconfig: Kubeconfig | { readonly text: string }, context: string): Get {
  let opened: Promise<ClusterAccess> | undefined;
  const open = async (): Promise<ClusterAccess> => {
    const access = accessOf('file' in kubeconfig ? kubeconfig : { text: await kubeconfig.text }, context);
    if (access === undefined) throw new Error(`the kubeconfig has no context ${context} with a cluster and a user`);
    return access;
  };
  return async (path) => {
    return get(await (opened ??= open()), path);
  };
}

/** Longer than an API server under load needs, and short enough to ask again. */
const limitMs = 30_000;

async function get({ server, options, forget }: ClusterAccess, path: string): Promise<unknown> {
  const send = async (): Promise<Answer> => answerOf(`${server}${path}`, await options());
  const { status, body } = await sentAgain(async () => {
    const sentMs = performance.now();
    const answer = await send();
    // What a plugin gave may have ended while this waited for regions.
    if (answer.status !== 401 || !forget(sentMs)) return answer;
    await answer.discard();
    return await send();
  }, { tooMany: true, twice: true });
  const answer = await body;
  if (status === 404) return undefined;
  if (status === 200) return JSON.parse(answer) as unknown;
  throw new Error(`HTTP ${status}${messageOf(answer)}`);
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: Promise<string>;
  readonly discard: () => Promise<unknown>;
}

function answerOf(url: string, options: https.RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? https.request : http.request;
    const request = send(url, { ...options, headers: { ...options.headers as http.OutgoingHttpHeaders | undefined, accept: 'application/json' }, signal: AbortSignal.timeout(limitMs) }, (response) => {
      const body = textOf(response);
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body, discard: () => body });
    });
    request.once('error', (error) => { reject(error.name === 'AbortError' ? new Error(`no answer within ${limitMs / 1_000} s`) : error); });
    request.end();
  });
}

function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === 'string' ? `: ${message}` : '';
  } catch {
    return '';
  }
}

/** Why a request failed, in one line: what lies under it where that says more than the request itself (`fetch failed`). */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? reasonOf(error.cause) : '';
  return [firstLineOf(error), cause].filter((each) => each !== '').join(': ') || error.name;
}

interface Resource {
  /** In the plural: `kafkabridges`. */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** By discovery, which every account may do: reading definitions of resources is a right that not all have. */
async function resourcesOf(get: Get, api: string): Promise<Resource[]> {
  const { resources = [] } = ((await get(api)) ?? {}) as { resources?: Resource[] };
  return resources.filter(({ name }) => !name.includes('/'));
}

async function servedKinds(get: Get, group: string): Promise<ServedKinds> {
  const { versions = [] } = ((await get(`/apis/${group}`)) ?? {}) as { versions?: { version: string }[] };
  return new Map(await Promise.all(versions.map(async ({ version }): Promise<[string, string[]]> =>
    [version, (await resourcesOf(get, `/apis/${group}/${version}`)).map(({ kind }) => kind)])));
}
