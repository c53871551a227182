import { createInterface } from 'node:readline';
import { stat } from 'node:fs/promises';
import { execa } from 'execa';
import type { ExecaError, Result } from 'execa';

/** How a command is run. */
export interface RunOptions {
  readonly interpreter?: readonly string[];
  readonly dir?: string;
  /** Besides this process's own variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly signal: AbortSignal;
  /** Called with each line as it comes. */
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
}

/** What a command wrote, each without its last line's end. */
export interface Written {
  readonly stdout: string;
  readonly stderr: string;
}

type Ended = Pick<Result, 'failed' | 'exitCode' | 'signal' | 'isCanceled'> & { stdout: string; stderr: string; all: string };

/** From SIGTERM to SIGKILL for a command that is to end. */
const graceMs = 2_000;

/**
 * Runs a command to its end, or until the signal aborts; then all that it started ends with it.
 * Throws what the official plugin says of a command that failed: how it ended, the command, and all that it wrote.
 */
export async function run(command: string, o: RunOptions): Promise<Written> {
  if (o.dir !== undefined && !await isDirectory(o.dir)) throw new Error(`chdir ${o.dir}: no such directory: running ${JSON.stringify(command)}`);
  const [program = '/bin/sh', ...args] = o.interpreter !== undefined && o.interpreter.length > 0 ? o.interpreter : ['/bin/sh', '-c'];
  const child = execa(program, [...args, command], {
    env: o.environment, ...(o.dir === undefined ? {} : { cwd: o.dir }),
    ...(o.stdin === undefined || o.stdin === '' ? { stdin: 'ignore' } : { input: o.stdin }),
    all: true, reject: false, stripFinalNewline: false,
    cancelSignal: o.signal, killDescendants: true, forceKillAfterDelay: graceMs,
  });
  for (const stream of ['stdout', 'stderr'] as const) createInterface(child[stream]).on('line', (line) => { o.onLine(stream, line); });
  const ended = await child as Ended;
  if (ended.failed) throw new Error(`${howItEnded(ended)}: running ${JSON.stringify(command)}:\n${ended.all}`);
  return { stdout: withoutLastEnd(ended.stdout), stderr: withoutLastEnd(ended.stderr) };
}

function howItEnded(ended: Ended): string {
  if (ended.isCanceled) return 'canceled';
  if (ended.exitCode !== undefined) return `exit status ${String(ended.exitCode)}`;
  if (ended.signal !== undefined) return `signal: ${ended.signal}`;
  return (ended as Partial<ExecaError>).originalMessage ?? 'it could not be started';
}

function withoutLastEnd(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then((found) => found.isDirectory(), () => false);
}
