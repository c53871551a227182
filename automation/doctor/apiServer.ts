import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import type { PeerCertificate, TLSSocket } from 'node:tls';

import { firstLineOf } from '../../errors.ts';
import { accessTo, type ClusterAddress } from '../clusterProbe.ts';
import type { Validity } from './ending.ts';

/** What an API server answered. */
export interface Reply {
  readonly status: number;
  /** Parsed JSON; text where it is none. */
  readonly body: unknown;
  /** Its clock, which says whole seconds only, and ours when half of the answer's time was over; ms since the epoch. */
  readonly clock: { readonly theirs: number; readonly ours: number } | undefined;
  /** When its certificate is good; undefined where a connection of before goes on. */
  readonly certificate: Validity | undefined;
}

/** Whether the credentials may do something. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  /** In the plural: `kafkabridges`. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  /** Of the one object that is meant; absent: of all. */
  readonly name?: string | undefined;
}

/** For one answer. Whether the server answers at all was seen before. */
const limitMs = 10_000;
/** Questions to one server at a time: as many as a person's kubectl would ask. */
const connections = 8;

/** A cluster's API server, asked with the credentials of its kubeconfig. It only reads; access reviews are questions, too. */
export class ApiServer {
  readonly context: string;
  readonly #server: string;
  readonly #options: https.RequestOptions;

  private constructor(context: string, server: string, options: https.RequestOptions) {
    this.context = context;
    this.#server = server.replace(/\/$/, '');
    this.#options = options;
  }

  /** @throws if its kubeconfig is of no use */
  static async open({ context, kubeconfig }: ClusterAddress): Promise<ApiServer> {
    const access = await accessTo({ context, kubeconfig });
    if ('state' in access) throw new Error(access.detail);
    const { server, options } = access;
    if (options.agent instanceof https.Agent) Object.assign(options.agent, { keepAlive: true, maxSockets: connections });
    return new ApiServer(context, server, options);
  }

  /** An object, or undefined where there is none, of such a kind or of such a name. */
  async find<T>(path: string): Promise<T | undefined> {
    const reply = await this.ask(path);
    if (reply.status === 404) return undefined;
    if (reply.status !== 200) throw new Error(`${path} of cluster ${this.context} cannot be read: ${said(reply)}`);
    return reply.body as T;
  }

  /** The objects of a list; none where there are none of such a kind. */
  async list<T>(path: string): Promise<T[]> {
    return (await this.find<{ items?: T[] }>(path))?.items ?? [];
  }

  async may({ verb, group, resource, namespace, name }: Right): Promise<boolean> {
    const reply = await this.ask('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb, group, resource, ...(namespace === undefined ? {} : { namespace }), ...(name === undefined ? {} : { name }) } },
    });
    if (reply.status !== 201) throw new Error(`cluster ${this.context} does not say what these credentials may do: ${said(reply)}`);
    return (reply.body as { status?: { allowed?: boolean } }).status?.allowed === true;
  }

  async ask(path: string, body?: object): Promise<Reply> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = { ...this.#options.headers, accept: 'application/json', ...(text === undefined ? {} : { 'content-type': 'application/json' }) };
    const asked = Date.now();
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = https.request(`${this.#server}${path}`, { ...this.#options, headers, method: text === undefined ? 'GET' : 'POST', signal: AbortSignal.timeout(limitMs) }, resolve);
      request.once('error', (error) => { reject(error.name === 'AbortError' ? new Error(`cluster ${this.context} has not answered ${path} within ${String(limitMs / 1_000)} s`) : error); });
      request.end(text);
    });
    const ours = (asked + Date.now()) / 2;
    const certificate: Partial<PeerCertificate> = (response.socket as TLSSocket).getPeerCertificate();
    const theirs = Date.parse(response.headers.date ?? '');
    return {
      status: response.statusCode ?? 0,
      body: await bodyOf(response),
      clock: Number.isNaN(theirs) ? undefined : { theirs, ours },
      certificate: certificate.valid_from === undefined || certificate.valid_to === undefined ? undefined : { begins: Date.parse(certificate.valid_from), ends: Date.parse(certificate.valid_to) },
    };
  }
}

async function bodyOf(response: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function said({ status, body }: Reply): string {
  const message = typeof body === 'object' && body !== null ? (body as { message?: unknown }).message : body;
  return `HTTP ${String(status)}${typeof message === 'string' && message !== '' ? `, ${firstLineOf(message)}` : ''}`;
}
