import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { messageOf, UserError } from '../errors.ts';

export interface ProcessOptions {
  /** How messages call it. */
  readonly name: string;
  /** Program and arguments; no shell is involved. */
  readonly argv: readonly string[];
  /** Its whole environment, with nothing of ours: proxy settings and the like must not reach a server. */
  readonly env: Readonly<Record<string, string>>;
  /** Both of its output streams are appended to this file. */
  readonly log: string;
  /** Resolves when it does its job; rejecting fails the start. Its signal aborts when the start is over. */
  readonly ready?: (signal: AbortSignal) => Promise<void>;
  readonly readyTimeoutMs: number;
  /** From SIGTERM to SIGKILL when it is stopped; 5,000 unless told. */
  readonly graceMs?: number;
  readonly signal?: AbortSignal;
}

export interface Exit { readonly code?: number; readonly signal?: string; readonly afterMs: number }

/** A server that runs as our child, in a process group of its own, which ends as a whole. */
export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** Resolves, and never rejects, when it has ended for whatever reason. */
  readonly exited: Promise<Exit>;
  /** True from the first `stop` on: an exit after that was meant. */
  readonly stopping: boolean;
  /** SIGTERM to the group, a grace time, SIGKILL to the group; resolves when it has ended. Calling it again waits with the first call. */
  stop(): Promise<void>;
}

/**
 * Starts a server and resolves when it is ready.
 * @throws UserError when it ends before that, or is not ready in time; it is gone by then, and the message ends with its last lines.
 */
export async function startProcess(o: ProcessOptions): Promise<ManagedProcess> {
  o.signal?.throwIfAborted();
  const started = spawn(o);
  const over = new AbortController();
  try {
    await Promise.race([
      (async () => { await o.ready?.(over.signal); })(),
      started.exited.then((exit) => { throw new Error(describeExit(exit)); }),
      deadline(o.readyTimeoutMs, over.signal),
      aborted(o.signal, over.signal),
    ]);
    // A ready answer can come from a stray server in its place: ours must still be there.
    const exit = await Promise.race([started.exited, Promise.resolve(undefined)]);
    if (exit !== undefined) throw new Error(describeExit(exit));
    return started;
  } catch (error) {
    await started.stop();
    o.signal?.throwIfAborted();
    throw await processError(o, messageOf(error), error);
  } finally {
    over.abort();
  }
}

/**
 * Polls until `check` stops throwing: 25 ms apart at first, 250 ms later on. Bounded by the signal alone,
 * whose reason it then throws, with the last failure as its cause.
 */
export async function until(check: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let pauseMs = 25; ; pauseMs = Math.min(pauseMs * 1.3, 250)) {
    try {
      return await check();
    } catch (error) {
      if (signal.aborted) throw new Error(String(signal.reason), { cause: error });
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The last lines of a log file; an unreadable file has none. */
export async function tail(path: string, lines: number): Promise<string[]> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return [];
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 64 * 1024);
    const { buffer } = await file.read({ buffer: Buffer.alloc(length), position: size - length });
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines);
  } finally {
    await file.close();
  }
}

function spawn(o: ProcessOptions): ManagedProcess {
  const [program = '', ...args] = o.argv;
  const startedAt = performance.now();
  // Any descriptor will do; the type names the first few alone.
  const log = openSync(o.log, 'a', 0o600) as 3;
  const child = execa(program, args, {
    env: o.env, extendEnv: false,
    stdin: 'ignore', stdout: log, stderr: log,
    killDescendants: true, forceKillAfterDelay: o.graceMs ?? 5000, reject: false,
  });
  closeSync(log);
  const exited = child.then((result): Exit => {
    // What it left behind in its group ends with it.
    if (child.pid !== undefined) killGroup(child.pid);
    return {
      ...(result.exitCode === undefined ? {} : { code: result.exitCode }),
      ...(result.signal === undefined ? {} : { signal: result.signal }),
      ...(child.pid === undefined ? { signal: result.shortMessage } : {}),
      afterMs: performance.now() - startedAt,
    };
  });
  let stopped: Promise<void> | undefined;
  return {
    name: o.name, pid: child.pid ?? 0, log: o.log, exited,
    get stopping() { return stopped !== undefined; },
    stop() {
      stopped ??= (async () => { child.kill('SIGTERM'); await exited; })();
      return stopped;
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The usual case: nothing is left in the group.
  }
}

/** What happened to a server, with its last lines, as an error for a person. */
export async function processError({ name, log }: Pick<ProcessOptions, 'name' | 'log'>, what: string, cause?: unknown): Promise<UserError> {
  const last = await tail(log, 40);
  const output = last.length === 0 ? 'It printed nothing.' : `Its last lines:\n${last.map((line) => `  ${line}`).join('\n')}`;
  return new UserError(`${name} ${what}. ${output}`, { remedy: `Its whole output is in ${log}.`, cause });
}

/** An exit in words: "exited with code 1 after 0.2 s". */
export function describeExit({ code, signal, afterMs }: Exit): string {
  const how = code === undefined ? `ended (${signal ?? 'unknown cause'})` : `exited with code ${code}`;
  return `${how} after ${(afterMs / 1000).toFixed(1)} s`;
}

async function deadline(ms: number, over: AbortSignal): Promise<never> {
  await delay(ms, undefined, { signal: over });
  throw new Error(`was not ready after ${ms / 1000} s`);
}

function aborted(signal: AbortSignal | undefined, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => { reject(new Error('was aborted')); }, { once: true, signal: over });
  });
}
