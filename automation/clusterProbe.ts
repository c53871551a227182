import type { OutgoingHttpHeaders } from 'node:http';
import * as https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { accessOf } from '../config/cluster-access.ts';
import type { ClusterAccess } from '../config/cluster-access.ts';
import { sentAgain } from '../config/sent-again.ts';
import { firstLineOf } from '../errors.ts';
import { isText } from './kubeconfigs.ts';

/** A cluster by a context of a kubeconfig. */
export interface ClusterAddress {
  readonly context: string;
  /** Path of a kubeconfig file, or the text of one. */
  readonly kubeconfig: string;
}

/**
 * How a cluster is. Only `unreachable` is no answer at all, or none that a working API server gives. A cluster that refuses the credentials is there,
 * and one that was never asked may be, and so is one that has too much to do: none of them may be taken for a cluster that is gone.
 */
export interface Answer {
  readonly state: 'answers' | 'unreachable' | 'refused' | 'unusable' | 'busy';
  /** URL of its API server; empty where the kubeconfig does not say it. */
  readonly address: string;
  /** What was wrong. */
  readonly detail: string;
}

/** How long a cluster has for its answer, once there are credentials to ask with. */
const limitMs = 5_000;
/** One lost packet, or an API server that is starting again, is asked a second time. */
const againMs = 1_000;

/** Asks a cluster's API server whether it is ready, and whether it takes the credentials. */
export async function probeCluster(cluster: ClusterAddress, signal?: AbortSignal, limit = limitMs): Promise<Answer> {
  const access = await accessTo(cluster, signal);
  signal?.throwIfAborted();
  if ('state' in access) return access;
  const deadline = performance.now() + limit;
  const first = await attempt(access, deadline, signal);
  signal?.throwIfAborted();
  if (first.state !== 'unreachable' || performance.now() + againMs >= deadline) return first;
  // What an abort rejects with is the signal's own reason, here and everywhere.
  await sleep(againMs, undefined, { signal }).catch(() => undefined);
  signal?.throwIfAborted();
  const second = await attempt(access, deadline, signal);
  // A request that was ended by it looks like one that nobody answered, and of such a cluster the state would be given up.
  signal?.throwIfAborted();
  return second;
}

async function attempt(access: Access, deadline: number, signal: AbortSignal | undefined): Promise<Answer> {
  const { server } = access;
  let busy: Answer | undefined;
  const answer = await asked(access, deadline, signal, (reply) => { busy = { state: 'busy', address: server, detail: said(reply) }; });
  // Who had too much to do for one question, and had no answer for the next, is not gone.
  return answer.state === 'unreachable' ? busy ?? answer : answer;
}

async function asked(access: Access, deadline: number, signal: AbortSignal | undefined, onBusy: (reply: Reply) => void): Promise<Answer> {
  const { server } = access;
  try {
    const ask = (path: string, body?: object): Promise<Reply> => request(access, { path, body, ms: deadline - performance.now(), signal });
    const ready = await ask('/readyz');
    if (ready.status === 401) return { state: 'refused', address: server, detail: said(ready) };
    if (ready.status >= 500) return { state: 'unreachable', address: server, detail: `it is not ready: ${said(ready)}` };
    // Readiness may be told to anyone: only a question of one's own shows that the credentials are good.
    // The last try has to have time for its answer.
    const review = await sentAgain(async () => {
      const reply = await ask('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: { verb: 'get', resource: 'namespaces' } },
      });
      if (reply.status === 429) onBusy(reply);
      return reply;
    }, { tooMany: true, twice: false, patienceMs: deadline - performance.now() - againMs });
    if (review.status === 429) return { state: 'busy', address: server, detail: said(review) };
    if (review.status === 401 || review.status === 403) return { state: 'refused', address: server, detail: said(review) };
    if (review.status >= 500) return { state: 'unreachable', address: server, detail: said(review) };
    if (review.status !== 201) return { state: 'unusable', address: server, detail: `it answers unlike an API server: ${said(review)}` };
    return { state: 'answers', address: server, detail: '' };
  } catch (error) {
    return { address: server, ...judge(error as NodeJS.ErrnoException, typeof access.options.agent === 'object' && 'proxy' in access.options.agent) };
  }
}

/** What is said of a kubeconfig that is not there. */
export const noFile = 'there is no such file';

export interface Access {
  readonly server: string;
  readonly options: https.RequestOptions;
}

/** The address and the credentials that a kubeconfig has for a context. A signal ends the plugin that they may come from. */
export async function accessTo({ context, kubeconfig }: ClusterAddress, signal?: AbortSignal): Promise<Access | Answer> {
  let access: ClusterAccess | undefined;
  try {
    access = accessOf(isText(kubeconfig) ? { text: kubeconfig } : { file: kubeconfig }, context);
  } catch (error) {
    return { state: 'unusable', address: '', detail: (error as NodeJS.ErrnoException).code === 'ENOENT' ? noFile : firstLineOf(error) };
  }
  if (access === undefined) return { state: 'unusable', address: '', detail: 'it has no such context with a cluster and a user' };
  const { server } = access;
  try {
    return { server, options: await access.options(signal) };
  } catch (error) {
    return { state: 'refused', address: server, detail: `there are no credentials: ${firstLineOf(error)}` };
  }
}

interface Reply {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

const longestBody = 4_000;

async function request({ server, options }: Access, o: { path: string; body: object | undefined; ms: number; signal: AbortSignal | undefined }): Promise<Reply> {
  const url = new URL(`${server.replace(/\/$/, '')}${o.path}`);
  const limit = AbortSignal.timeout(Math.max(1, Math.round(o.ms)));
  const text = o.body === undefined ? undefined : JSON.stringify(o.body);
  return await new Promise((resolve, reject) => {
    const call = https.request(url, {
      ...options,
      method: text === undefined ? 'GET' : 'POST',
      headers: { ...options.headers as OutgoingHttpHeaders | undefined, ...(text === undefined ? {} : { 'content-type': 'application/json' }) },
      signal: o.signal === undefined ? limit : AbortSignal.any([limit, o.signal]),
    }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => { if (body.length < longestBody) body += chunk; });
      response.once('end', () => { resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body }); });
      response.once('error', reject);
    });
    call.once('error', reject);
    call.end(text);
  });
}

/** Nothing but these means that nobody is there. */
const silence: Readonly<Partial<Record<string, string>>> = {
  ABORT_ERR: 'no answer in time', ETIMEDOUT: 'no answer in time', ECONNREFUSED: 'connection refused', ECONNRESET: 'connection closed', EPIPE: 'connection closed',
  EHOSTUNREACH: 'no way to the host', ENETUNREACH: 'no way to the network', EHOSTDOWN: 'the host is down', ENOTFOUND: 'there is no such host name', EAI_AGAIN: 'the host name cannot be looked up',
};

/** What a proxy says that does not get there itself; another answer of its is about this side. */
const behindProxy = /^Bad response: 50[234]$/;

/** The other side did not like the client's certificate. */
const refusal = /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|ACCESS_DENIED|UNSUPPORTED_CERTIFICATE)/;

function judge(error: NodeJS.ErrnoException, isProxied: boolean): Pick<Answer, 'state' | 'detail'> {
  const all = error instanceof AggregateError ? error.errors as NodeJS.ErrnoException[] : [error];
  const code = all.map((each) => each.code ?? each.name).find((each) => silence[each] !== undefined) ?? error.code ?? '';
  const quiet = silence[code];
  // Of a proxied cluster this is what the way to the proxy says, and nothing of the cluster: of one that is away the proxy says so itself.
  if (quiet !== undefined && isProxied) return { state: 'unusable', detail: `its proxy does not answer: ${quiet}` };
  if (quiet !== undefined) return { state: 'unreachable', detail: quiet };
  if (behindProxy.test(error.message)) return { state: 'unreachable', detail: `the proxy does not get there (HTTP ${error.message.slice(-3)})` };
  if (refusal.test(code)) return { state: 'refused', detail: firstLineOf(error) };
  return { state: 'unusable', detail: firstLineOf(error) };
}

/** `HTTP 401: Unauthorized`. */
function said({ status, body }: Reply): string {
  const message = messageOf(body);
  return `HTTP ${String(status)}${message === '' ? '' : `: ${message}`}`;
}

function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === 'string' ? message : '';
  } catch {
    const failed = body.split('\n').filter((line) => line.startsWith('[-]')).map((line) => line.slice('[-]'.length));
    return failed.length > 0 ? failed.join(', ') : firstLineOf(body);
  }
}
