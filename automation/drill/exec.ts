import type { RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { KubeConfig } from '@kubernetes/client-node';
import { WebSocket } from 'ws';

/** One container of a pod. */
export interface Container {
  namespace: string;
  pod: string;
  container: string;
}

export interface Executed {
  /** Absent when the container ended under the command, or the command goes on. */
  exitCode?: number;
  /** What it wrote on both of its outputs. */
  output: string;
}

/** A command that the API server did not let begin. */
export class Refused extends Error {
  readonly status: number;
  readonly retryAfter: string | undefined;

  constructor({ statusCode = 0, headers }: IncomingMessage, body: string) {
    super(`${String(statusCode)} ${messageIn(body)}`);
    this.status = statusCode;
    this.retryAfter = headers['retry-after'];
  }
}

/** The API server passes this version of the protocol on as it is; a later one it may translate, for which not every kubelet is made. */
const protocol = 'v4.channel.k8s.io';
const statusChannel = 3;

/**
 * Runs a command in a container over the Kubernetes API (`pods/exec`). Resolves when it has ended, when its connection breaks, as it does where
 * the command ends its own container, or after `timeoutMs`, when it is left to itself. Rejects when it could not be started, with `Refused` where the API server says why.
 */
export async function execute(config: KubeConfig, { namespace, pod, container }: Container, command: readonly string[], timeoutMs: number): Promise<Executed> {
  const server = config.getCurrentCluster()?.server ?? '';
  const query = new URLSearchParams([['container', container], ...command.map((word): [string, string] => ['command', word]), ['stdout', 'true'], ['stderr', 'true']]);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const socket = new WebSocket(`${server.replace(/^http/, 'ws')}/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query.toString()}`, [protocol], { ...options, handshakeTimeout: timeoutMs });
  const { promise, resolve, reject } = Promise.withResolvers<Executed>();
  const result: Executed = { output: '' };
  let opened = false;
  let failure: Error | undefined;
  socket.on('open', () => { opened = true; });
  socket.on('message', (data: Buffer) => {
    if (data[0] !== statusChannel) result.output += data.toString('utf8', 1);
    else {
      const ended = exitCodeOf(data.toString('utf8', 1));
      if (ended instanceof Error) failure = ended;
      else result.exitCode = ended;
    }
  });
  socket.on('unexpected-response', (_, response: IncomingMessage) => {
    void text(response).catch(() => '').then((body) => { reject(new Refused(response, body)); });
  });
  socket.on('error', (error) => { if (!opened) reject(error); });
  socket.on('close', () => {
    if (failure === undefined) resolve(result);
    else reject(failure);
  });
  const timer = setTimeout(() => { socket.terminate(); }, timeoutMs);
  return await promise.finally(() => {
    clearTimeout(timer);
    socket.terminate();
  });
}

interface Status {
  status?: string;
  message?: string;
  details?: { causes?: { reason?: string; message?: string }[] };
}

/** The exit code in the status that ends a command, or why it never began. */
function exitCodeOf(json: string): number | Error {
  const { status, message, details } = JSON.parse(json) as Status;
  if (status === 'Success') return 0;
  const code = details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  return code === undefined ? new Error(message ?? json) : Number(code);
}

/** What an API server says in its answer, which is a Status where it is JSON. */
export function messageIn(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body.trim();
  }
}
