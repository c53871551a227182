import { readlink } from 'node:fs/promises';
import { UserError } from '../../errors.ts';
import { isOfThisBoot } from './state.ts';
import type { SandboxState } from './state.ts';

/** The PID namespace of this process, such as `pid:[4026531836]`. */
export async function pidNamespace(): Promise<string> {
  return await readlink('/proc/self/ns/pid');
}

/**
 * Whether a sandbox's processes live can only be told where their pids are meant: elsewhere all of them seem dead, and its state would be taken for a leftover.
 * @throws UserError where that is another PID namespace than this process's
 */
export async function refuseElsewhere(dir: string, state: SandboxState | undefined): Promise<void> {
  // What is stopped has no processes, and what was started before this machine has none either.
  if (state?.pidNamespace === undefined || state.phase === 'stopped' || state.pidNamespace === await pidNamespace() || !await isOfThisBoot(state.starter)) return;
  throw new UserError(`the sandbox "${state.name}" was started in another PID namespace than this one, which is a shell inside a sandbox, or a container that shares ${dir}`, {
    exitCode: 2, remedy: `Run this where the sandbox was started (leave the shell with \`exit\`). If that place is gone for good, remove ${dir}.`,
  });
}
