import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { join, resolve } from 'node:path';
import { UserError } from '../../errors.ts';
import { askStatus } from './control-client.ts';
import type { ClusterInfo } from './clusters.ts';
import { cleanOne } from './leftovers.ts';
import { locked, patienceMs } from './lock.ts';
import { refuseElsewhere } from './namespace.ts';
import { findParts } from './parts.ts';
import type { Part } from './parts.ts';
import { searchPath } from './prerequisites.ts';
import type { StatusReport } from './protocol.ts';
import { ensureRelays } from './relays.ts';
import { isAlive, readJson, readState, sandboxDir, writeState } from './state.ts';
import type { SandboxState, TreeTools } from './state.ts';
import { endProcesses, markStopped, removeState } from './teardown.ts';

export interface EnterOptions {
  readonly stdio?: StdioOptions;
  readonly env?: Readonly<Record<string, string>>;
  /** In a session of its own, where a terminal's Ctrl-C does not reach it. */
  readonly detached?: boolean;
}

/** A sandbox whose clusters are up. */
export interface Sandbox {
  readonly name: string;
  readonly dir: string;
  readonly clusters: readonly ClusterInfo[];
  /** Works inside the tree: contexts are the clusters' names. */
  readonly kubeconfig: string;
  /** The same from outside, through loopback relays. */
  readonly outsideKubeconfig: string;
  /** What can be reached from outside, as `host:port` on loopback: "kafka/apiserver", "central/edge/tier1:80". */
  relays(): Promise<Record<string, string>>;
  /** What runs in it, how often it was restarted, and why it ended. */
  status(): Promise<StatusReport>;
  /**
   * Starts a program inside the tree, in this process's working directory, with KUBECONFIG set; stdio may hold 'ipc'.
   * Killing the child ends the program with SIGTERM; so does the death of this process.
   */
  enter(argv: readonly string[], options?: EnterOptions): ChildProcess;
  /** What the sandbox is made of; each part was asked for its version. */
  parts(): Promise<Record<string, Part>>;
  /** Directories of the Pulumi engine's plugins, to be put on its PATH. */
  plugins(): Promise<string[]>;
  /** From here on it outlives this process; before, this process's death ends it. */
  detach(): Promise<void>;
  /**
   * Idempotent; resolves when nothing is left: processes, mounts, sockets, relays, and the state unless it is kept.
   * Pods get their grace periods only when state is kept.
   */
  stop(options?: { readonly keepState?: boolean }): Promise<void>;
}

/**
 * A running sandbox of another process, or undefined when none of this name runs.
 * @throws UserError when it belongs to another PID namespace
 */
export async function openSandbox(name: string, stateDir: string): Promise<Sandbox | undefined> {
  const dir = sandboxDir(resolve(stateDir), name);
  const state = await readState(dir);
  await refuseElsewhere(dir, state);
  if (state?.phase !== 'running' || !await isAlive(state.tree)) return undefined;
  return new RunningSandbox(dir, state);
}

/**
 * Removes the kept state of a stopped sandbox. @returns false when there is none
 * @throws UserError when the sandbox runs, or may run in another PID namespace
 */
export async function removeSandbox(name: string, stateDir: string): Promise<boolean> {
  const dir = sandboxDir(resolve(stateDir), name);
  return locked(dir, async () => {
    await cleanOne(dir);
    const state = await readState(dir);
    if (state === undefined) return false;
    if (state.phase !== 'stopped') throw new UserError(`the sandbox "${name}" runs`, { remedy: 'Stop it first.' });
    await removeState(dir);
    return true;
  }, patienceMs);
}

export class RunningSandbox implements Sandbox {
  readonly name: string;
  readonly dir: string;
  readonly clusters: readonly ClusterInfo[];
  readonly kubeconfig: string;
  readonly outsideKubeconfig: string;
  #state: SandboxState;
  /** The IPC channel by which the tree notices our death; only its starter has one, until it detaches. */
  #channel: ChildProcess | undefined;
  #stopped: Promise<void> | undefined;

  constructor(dir: string, state: SandboxState, channel?: ChildProcess) {
    this.name = state.name;
    this.dir = dir;
    this.clusters = state.clusters;
    this.kubeconfig = join(dir, 'kubeconfig');
    this.outsideKubeconfig = join(dir, 'kubeconfig.outside');
    this.#state = state;
    this.#channel = channel;
  }

  relays(): Promise<Record<string, string>> {
    return ensureRelays(this.dir);
  }

  status(): Promise<StatusReport> {
    return askStatus(this.#state, AbortSignal.timeout(30_000));
  }

  enter(argv: readonly string[], { stdio = 'inherit', env = {}, detached = false }: EnterOptions = {}): ChildProcess {
    const user = this.#state.userNamespace ? ['--user', '--preserve-credentials'] : [];
    const tree = String(this.#state.tree?.pid);
    // setpriv, because nsenter passes no signals on; the shell, because entering a mount namespace leads to its root directory.
    const command = ['setpriv', '--pdeathsig', 'TERM', 'sh', '-c', 'cd "$0" && exec "$@"', process.cwd(), ...argv];
    const outer = ['--pdeathsig', 'TERM', 'nsenter', ...user, '--net', '--pid', '--mount', '-t', tree, '--', ...command];
    return spawn('setpriv', outer, { stdio, detached, env: { ...process.env, PATH: searchPath, KUBECONFIG: this.kubeconfig, ...env } });
  }

  parts(): Promise<Record<string, Part>> {
    return findParts(this.dir);
  }

  async plugins(): Promise<string[]> {
    return (await readJson<Partial<TreeTools>>(join(this.dir, 'tools.json')))?.plugins ?? [];
  }

  async detach(): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) return;
    const acknowledged = new Promise<void>((resolve, reject) => {
      channel.once('message', () => { resolve(); });
      channel.once('disconnect', () => { reject(new UserError(`the sandbox ${this.name} has ended`, { remedy: `See ${join(this.dir, 'logs')}.` })); });
    });
    channel.send({ kind: 'detach' });
    await acknowledged;
    this.#state = { ...this.#state, detached: true, keep: true };
    await writeState(this.dir, this.#state);
    this.#channel = undefined;
    channel.disconnect();
    channel.unref();
  }

  stop({ keepState = false } = {}): Promise<void> {
    this.#stopped ??= locked(this.dir, () => this.#stop(keepState), patienceMs).catch((error: unknown) => {
      // It may be tried again.
      this.#stopped = undefined;
      throw error;
    });
    return this.#stopped;
  }

  async #stop(keepState: boolean): Promise<void> {
    // What is thrown away need not end well.
    await endProcesses(this.dir, this.#state, { orderly: keepState });
    if (keepState) await markStopped(this.dir, this.#state);
    else await removeState(this.dir);
  }
}
