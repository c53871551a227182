import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../errors.ts';
import { tail } from '../process.ts';
import { searchPath, unshareArgv } from './prerequisites.ts';
import type { ToStarter } from './protocol.ts';
import { identify, writeState } from './state.ts';
import type { ProcessId, SandboxState } from './state.ts';

/** A tree that is up; `child` is its `unshare`, which holds the IPC channel to it. */
export interface Tree { readonly child: ChildProcess; readonly id: ProcessId }

export interface TreeOptions { readonly signal: AbortSignal | undefined; readonly say: (phase: string, detail?: string) => void }

/**
 * Starts the tree of namespaces and resolves when it reports itself ready.
 * @throws UserError with what the tree reported, or the signal's reason; the tree has ended by then
 */
export async function startTree(dir: string, state: SandboxState, { signal, say }: TreeOptions): Promise<Tree> {
  const child = spawnTree(dir, state.userNamespace);
  let id: ProcessId | undefined;
  try {
    const messages = on(child, 'message', { close: ['exit'], ...(signal === undefined ? {} : { signal }) });
    for await (const [message] of messages as AsyncIterable<[ToStarter]>) {
      id ??= await recordTree(dir, state, child);
      if (message.kind === 'ready') return { child, id };
      if (message.kind === 'failed') throw new UserError(message.message, message.remedy === undefined ? {} : { remedy: message.remedy });
      if (message.kind === 'event') say(message.phase, message.detail);
    }
  } catch (error) {
    await end(child);
    signal?.throwIfAborted();
    throw error;
  }
  const last = await tail(join(dir, 'logs', 'init.log'), 20);
  throw new UserError(`the sandbox's first process ended unexpectedly:\n${last.join('\n')}`, { remedy: `See ${join(dir, 'logs')}.` });
}

function spawnTree(dir: string, userNamespace: boolean): ChildProcess {
  const log = openSync(join(dir, 'logs', 'init.log'), 'a', 0o600);
  const init = [process.execPath, fileURLToPath(new URL('init.ts', import.meta.url)), '--dir', dir];
  // A shell is process 1: it reaps what loses its parent, which Node does not, and its end is the end of all. It must not exec.
  const [program = '', ...args] = unshareArgv(userNamespace, ['sh', '-c', '"$@"; exit $?', 'sandbox', ...init]);
  const child = spawn(program, args, {
    // A session of its own: the terminal's Ctrl-C is for us, and we end the tree in order.
    detached: true, stdio: ['ignore', log, log, 'ipc'],
    // Not ours: it may outlive that directory, or keep its disk busy.
    cwd: dir,
    // Nothing of ours, proxy settings above all, may reach the servers; what they write to a home or a temporary directory stays in ours.
    env: { PATH: searchPath, HOME: dir, TMPDIR: join(dir, 'tmp'), LANG: 'C.UTF-8' },
  });
  closeSync(log);
  return child;
}

/** Closing the channel ends the tree, and `unshare` with it; should that fail, its death takes the tree along. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exited;
  clearTimeout(timer);
}

/** Finds the tree's first process, the only child of `unshare`, and writes it down for whoever has to end it. */
async function recordTree(dir: string, state: SandboxState, unshare: ChildProcess): Promise<ProcessId> {
  for (const entry of await readdir('/proc')) {
    const status = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/status`, 'utf8').catch(() => '') : '';
    if (!status.includes(`\nPPid:\t${unshare.pid}\n`)) continue;
    const id = await identify(Number(entry));
    if (id === undefined) continue;
    await writeState(dir, { ...state, tree: id });
    return id;
  }
  throw new Error(`the child of unshare (${unshare.pid}) is not to be found in /proc`);
}
