import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ToolPaths } from '../toolchain/index.ts';
import type { ClusterInfo } from './clusters.ts';
import { writePrivate } from './private-file.ts';

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessId {
  readonly pid: number;
  /** The boot it ran in and its start in clock ticks since then. */
  readonly startTime: string;
}

/** `sandbox.json`: all that the next command, possibly after a crash, needs to know. */
export interface SandboxState {
  readonly name: string;
  readonly clusters: readonly ClusterInfo[];
  /**
   * `starting` and `running` belong to a process that must be alive: the starter's until `detached`, the tree's from then on.
   * `stopped` is kept state without a process.
   */
  readonly phase: 'starting' | 'running' | 'stopped';
  readonly detached: boolean;
  /** Whether its state outlives a crash: it was detached, or stopped with its state, once. */
  readonly keep: boolean;
  readonly createdAt: string;
  readonly startedAt: string;
  readonly starter: ProcessId;
  /** The PID namespace in which all of its processes are named; absent in what older versions wrote. */
  readonly pidNamespace?: string;
  /** The tree's first process as seen from outside; absent until it exists. */
  readonly tree?: ProcessId;
  /** Whether the tree has a user namespace, because its owner is not root. */
  readonly userNamespace: boolean;
  /** A short path for unix sockets, whose paths are limited to 108 bytes; outside the state directory for that reason alone. */
  readonly sockets: string;
}

/** `tools.json`: ToolPaths, and what runs our own TypeScript. */
export type TreeTools = ToolPaths & { readonly node: string; readonly project: string };

/** Where the sandboxes of a state directory lie. */
export function sandboxDir(stateDir: string, name: string): string {
  return join(stateDir, 'sandboxes', name);
}

/** The unix socket on which the tree takes requests from outside. */
export function controlSocket(state: Pick<SandboxState, 'sockets'>): string {
  return join(state.sockets, 'control');
}

/** Undefined when the directory holds no sandbox. */
export async function readState(dir: string): Promise<SandboxState | undefined> {
  return readJson<SandboxState>(join(dir, 'sandbox.json'));
}

export async function writeState(dir: string, state: SandboxState): Promise<void> {
  await writeJson(join(dir, 'sandbox.json'), state);
}

/** Undefined when there is no such file; the content is trusted, as only its owner can write it. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await writePrivate(path, JSON.stringify(value, null, 2) + '\n');
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** Whether it was started since the machine was. */
export async function isOfThisBoot({ startTime }: ProcessId): Promise<boolean> {
  return startTime.startsWith(`${await bootId()}:`);
}

/** The identity of a process that runs now; undefined when none has this pid, or only its zombie. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  try {
    const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), bootId()]);
    // The command in parentheses may hold spaces; the fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : { pid, startTime: `${boot}:${fields[19] ?? ''}` };
  } catch {
    return undefined;
  }
}

/** Whether that very process still runs. */
export async function isAlive(process: ProcessId | undefined): Promise<boolean> {
  return process !== undefined && (await identify(process.pid))?.startTime === process.startTime;
}
