import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { once } from 'node:events';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { execServer } from './exec.ts';
import type { FindInside } from './exec.ts';
import { kubeletPort } from './node.ts';
import { logPath, readLog } from './logs.ts';
import type { NodeContext } from './node-context.ts';
import { podDiskDir } from './node-context.ts';
import type { Pod } from './types.ts';

/** A log request as `kubectl logs` makes it. */
export interface LogQuery {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  /** RFC 3339. */
  readonly since?: string;
  readonly limitBytes?: number;
}

/**
 * Serves the parts of a kubelet's API that `kubectl logs` and `kubectl exec` use, to whoever has a client certificate of the sandbox's authority.
 * @param findPod By `namespace/name`.
 */
export async function serveKubelet(node: NodeContext, findPod: (key: string) => Pod | undefined, findInside: FindInside): Promise<Server> {
  const pki = (name: string) => readFileSync(join(node.dir, 'pki', name));
  const { name } = node.cluster;
  const tls = { ca: pki('ca.crt'), cert: pki(`kubelet-${name}.crt`), key: pki(`kubelet-${name}.key`), requestCert: true, rejectUnauthorized: true };
  const server = createServer(tls, (request, response) => {
    try {
      answer(node, findPod, request, response);
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`${messageOf(error)}\n`);
    }
  });
  server.on('upgrade', execServer(findInside));
  server.listen(kubeletPort, node.cluster.nodeIp);
  await once(server, 'listening');
  return server;
}

function answer(node: NodeContext, findPod: (key: string) => Pod | undefined, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'https://node');
  const [, verb, namespace = '', name = '', container = ''] = url.pathname.split('/').map(decodeURIComponent);
  const refuse = (code: number, message: string) => { response.writeHead(code, { 'content-type': 'text/plain' }).end(`${message}\n`); };
  if (verb === 'healthz') return refuse(200, 'ok');
  if (verb === 'exec') return refuse(400, 'exec is served over web sockets');
  if (verb !== 'containerLogs') return refuse(404, `the sandbox's node agent serves logs and exec only, not ${url.pathname}`);
  const pod = findPod(`${namespace}/${name}`);
  if (pod === undefined) return refuse(404, `pod "${name}" does not exist on ${node.nodeName}`);
  const query = logQuery(url.searchParams);
  const path = currentLog(node, pod, container, query.previous);
  if (path === undefined) return refuse(400, `${query.previous ? 'previous terminated ' : ''}container "${container}" in pod "${name}" has no log`);
  response.writeHead(200, { 'content-type': 'text/plain' });
  const log = node.openLogs.get(path);
  const send = (line: string) => response.write(`${query.timestamps ? line : line.slice(line.indexOf(' ') + 1)}\n`);
  const history = selectLines(readLog(path), query);
  if (!query.follow || log === undefined) return void response.end(history);
  response.write(history);
  response.flushHeaders();
  const stop = log.follow((line) => { if (line === undefined) response.end(); else send(line); });
  response.on('close', stop);
}

/** The wanted part of a log, as text. */
export function selectLines(lines: readonly string[], { since, tailLines, timestamps, limitBytes }: Omit<LogQuery, 'follow' | 'previous'>): string {
  const recent = since === undefined ? lines : lines.filter((line) => line >= since);
  const last = tailLines === undefined ? recent : tailLines === 0 ? [] : recent.slice(-tailLines);
  const text = last.map((line) => `${timestamps ? line : line.slice(line.indexOf(' ') + 1)}\n`).join('');
  return limitBytes === undefined ? text : Buffer.from(text).subarray(0, limitBytes).toString();
}

function logQuery(parameters: URLSearchParams): LogQuery {
  const flag = (name: string) => ['true', '1'].includes(parameters.get(name) ?? '');
  const count = (name: string) => parameters.has(name) ? Number(parameters.get(name)) : undefined;
  const [tailLines, sinceSeconds, limitBytes] = ['tailLines', 'sinceSeconds', 'limitBytes'].map(count);
  const sinceTime = parameters.get('sinceTime') ?? undefined;
  const since = sinceSeconds === undefined ? sinceTime : new Date(Date.now() - sinceSeconds * 1000).toISOString();
  return {
    follow: flag('follow'), previous: flag('previous'), timestamps: flag('timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }), ...(since === undefined ? {} : { since: new Date(since).toISOString() }), ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

/** Undefined when that run of the container has left nothing. */
function currentLog(node: NodeContext, pod: Pod, container: string, previous: boolean): string | undefined {
  const statuses = [...pod.status?.containerStatuses ?? [], ...pod.status?.initContainerStatuses ?? []];
  const newest = statuses.find(({ name }) => name === container)?.restartCount ?? 0;
  // The status that says so may not have arrived yet.
  const run = existsSync(logPath(podDiskDir(node.dir, pod), container, newest + 1)) ? newest + 1 : newest;
  const path = logPath(podDiskDir(node.dir, pod), container, previous ? run - 1 : run);
  // While it waits for its next run, the container's last words are in its last one's log.
  const earlier = logPath(podDiskDir(node.dir, pod), container, run - 1);
  return existsSync(path) ? path : !previous && existsSync(earlier) ? earlier : undefined;
}
