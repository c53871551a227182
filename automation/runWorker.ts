import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { DrillOptions } from './drill/index.ts';
import type { RepeatPlan } from './drill/repeat.ts';
import type { EnvironmentOptions } from './options.ts';
import { Interrupted } from './interrupt.ts';
import { endSession } from './processSession.ts';
import type { Choices } from './reach.ts';

/** What a worker is to do. */
export type WorkerRequest =
  | { operation: 'up' | 'preview' | 'refresh' | 'destroy' | 'outputs'; environment: EnvironmentOptions; choices?: Choices }
  | { operation: 'render'; environment: EnvironmentOptions }
  | { operation: 'doctor'; environment: EnvironmentOptions; isSandbox: boolean }
  | { operation: 'drill'; drill: OnClusters<Omit<DrillOptions, 'signal' | 'onEvent'>>; repeat?: RepeatPlan }
  | { operation: 'heal'; leftovers: OnClusters<{ stateDir: string; kubeconfig: string }> }
  | { operation: 'lease'; drill: OnClusters<Pick<DrillOptions, 'outputs' | 'environment' | 'stateDir' | 'kubeconfig'>> };

type OnClusters<O extends { kubeconfig: string }> = Omit<O, 'kubeconfig'> & { kubeconfig: Way };

/** How clusters are reached: a kubeconfig file with every context, or the stack whose settings say it. */
export type Way = string | EnvironmentOptions;

/** What goes to a worker over its channel. */
export type ToWorker = { kind: 'run'; request: WorkerRequest } | { kind: 'stop'; why: string };

/** What comes back from it. */
export type FromWorker =
  | { kind: 'event'; event: unknown }
  | { kind: 'result'; value: unknown }
  | { kind: 'error'; error: { message: string; stack: string; interrupted: boolean; file?: { code: string; path: string }; user?: { exitCode: 1 | 2; remedy?: string; code?: ErrorCode } } };

/** Starts a program somewhere, on this machine or inside a sandbox, with `env` added to this process' own variables. */
export type Starter = (argv: readonly string[], options: { stdio: StdioOptions; env: Record<string, string>; detached: boolean }) => ChildProcess;

export interface WorkerOptions {
  /** Default: on this machine. */
  start?: Starter;
  /** Variables besides this process' own. */
  env?: Record<string, string>;
  signal?: AbortSignal;
  onEvent?: (event: unknown) => void;
  /** The worker's program, for tests. */
  program?: string;
  /** How long a worker may take to stop when told to, before it is killed. */
  graceMs?: number;
}

const workerProgram = fileURLToPath(new URL('worker.ts', import.meta.url));
const tailLength = 8_000;

/** Does one operation in a worker and resolves with its result. The worker is gone when this settles. */
export async function runWorker(request: WorkerRequest, o: WorkerOptions = {}): Promise<unknown> {
  o.signal?.throwIfAborted();
  const start = o.start ?? startHere;
  const child = start([process.execPath, o.program ?? workerProgram], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true, env: o.env ?? {},
  });
  const said = tailOf(child);
  const stop = stopper(child, o);
  try {
    const reply = await replyOf(child, request, o.onEvent);
    if (reply instanceof Error) throw new Error(`${reply.message}${said() === '' ? '' : `\n${said()}`}`, { cause: reply });
    if (reply.kind === 'result') return reply.value;
    throw errorOf(reply.error);
  } finally {
    stop.dispose();
    await gone(child, o.graceMs ?? defaultGraceMs);
  }
}

const defaultGraceMs = 120_000;
const orphanGraceMs = 10_000;

const startHere: Starter = ([file = '', ...args], { env, ...options }) => spawn(file, args, { ...options, env: { ...process.env, ...env } });

/** The worker's answer, or an error that says how it ended without one. */
async function replyOf(child: ChildProcess, request: WorkerRequest, onEvent?: (event: unknown) => void): Promise<Exclude<FromWorker, { kind: 'event' }> | Error> {
  return await new Promise((resolve) => {
    child.on('message', (message: FromWorker) => {
      if (message.kind === 'event') onEvent?.(message.event);
      else resolve(message);
    });
    child.once('error', (error) => { resolve(new Error(`the worker could not be started: ${error.message}`)); });
    child.once('close', (code, signal) => {
      resolve(new Error(`the ${request.operation} worker ended without an answer (${signal ?? `exit code ${String(code)}`})`));
    });
    // A worker that is dead already is reported by its `close`.
    child.send({ kind: 'run', request } satisfies ToWorker, () => undefined);
  });
}

/** Tells the worker to stop when the signal aborts, and kills it when it does not within its grace. */
function stopper(child: ChildProcess, { signal, graceMs = defaultGraceMs }: WorkerOptions): { dispose(): void } {
  let kill: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    const why = signal?.reason instanceof Error ? signal.reason.message : 'stopped';
    if (child.connected) child.send({ kind: 'stop', why } satisfies ToWorker, () => undefined);
    kill = setTimeout(() => { child.kill('SIGKILL'); }, graceMs);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    dispose() {
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(kill);
    },
  };
}

/** Closing the channel is the last word to a worker: it then stops whatever it still does. Nothing of its session survives it. */
async function gone(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) {
    if (child.connected) child.disconnect();
    const kill = setTimeout(() => { child.kill('SIGKILL'); }, graceMs);
    await new Promise((resolve) => { child.once('exit', resolve); });
    clearTimeout(kill);
  }
  // An engine that lost its worker gives up by itself and unlocks its stack; its plugins, once it is killed, do not.
  await endSession(child.pid, Math.min(graceMs, orphanGraceMs));
}

/** The last of what a process writes: all there is to say about one that ends without an answer. */
function tailOf(child: ChildProcess): () => string {
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => { tail = (tail + text).slice(-tailLength); });
  }
  return () => tail.trim();
}

function errorOf({ message, stack, interrupted, file, user }: Extract<FromWorker, { kind: 'error' }>['error']): Error {
  const error = interrupted ? new Interrupted(message) : user ? new UserError(message, user) : Object.assign(new Error(message), file);
  error.stack = stack;
  return error;
}
