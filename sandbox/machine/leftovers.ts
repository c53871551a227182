import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../../errors.ts';
import { locked } from './lock.ts';
import { refuseElsewhere } from './namespace.ts';
import { isAlive, readState, sandboxDir } from './state.ts';
import type { SandboxState } from './state.ts';
import { endAndForget } from './teardown.ts';

/**
 * Ends and removes what crashed sandboxes left behind. Only the very processes that their state names are touched. A sandbox that was
 * meant to outlive its command keeps its state and can be started again.
 * @returns what was found and done, a sentence each
 * @throws UserError where one belongs to another PID namespace
 */
export async function cleanLeftovers(stateDir: string): Promise<string[]> {
  const sandboxes = join(resolve(stateDir), 'sandboxes');
  const names = await entries(sandboxes) ?? [];
  const dirs = names.map((name) => sandboxDir(resolve(stateDir), name));
  for (const dir of dirs) await refuseElsewhere(dir, await readState(dir));
  const done = await Promise.all(dirs.map(async (dir) => {
    try {
      return await locked(dir, () => cleanOne(dir));
    } catch (error) {
      // Someone is starting or stopping it right now, so it is no leftover.
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }));
  return done.filter((sentence) => sentence !== undefined);
}

/** The same for one directory, whose lock the caller holds. Undefined when there was nothing to clean. */
export async function cleanOne(dir: string): Promise<string | undefined> {
  const state = await readState(dir);
  if (state === undefined && await entries(dir) === undefined) return undefined;
  await refuseElsewhere(dir, state);
  if (state !== undefined && (state.phase === 'stopped' || await belongsToSomeone(state))) return undefined;
  const kept = await endAndForget(dir);
  const name = basename(dir);
  return kept
    ? `sandbox ${name}: ended without being stopped; its remains were cleaned up, its state is kept`
    : `sandbox ${name}: its command ended without stopping it; it was ended and removed`;
}

/** Undefined where there is no such directory. What may not be read is not empty for that. */
async function entries(directory: string): Promise<string[] | undefined> {
  return await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

async function belongsToSomeone(state: SandboxState): Promise<boolean> {
  return await isAlive(state.tree) && (state.detached || await isAlive(state.starter));
}
