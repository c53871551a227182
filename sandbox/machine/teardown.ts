import { rm } from 'node:fs/promises';
import { execa } from 'execa';
import { UserError } from '../../errors.ts';
import { until } from '../process.ts';
import { askStop } from './control-client.ts';
import { kill } from './kill.ts';
import { readRelays } from './relays.ts';
import { isAlive, readState, writeState } from './state.ts';
import type { ProcessId, SandboxState } from './state.ts';

/** Pods get their grace periods (30 s by default) when a sandbox is stopped in order. */
const orderlyStopMs = 40_000;

/**
 * Ends all that runs of a sandbox, in order if it can still answer, else by killing the tree's first process, and removes its
 * sockets. Waits until nothing is left; what already ended is fine. State on disk stays.
 */
export async function endProcesses(dir: string, state: SandboxState, { orderly }: { orderly: boolean }): Promise<void> {
  if (orderly && await isAlive(state.tree)) {
    // A tree that cannot answer is killed below.
    await askStop(state, AbortSignal.timeout(orderlyStopMs)).catch(() => undefined);
  }
  await end(state.tree);
  const relay = (await readRelays(dir))?.process;
  // It ends by itself with the tree, unless it was stopped by a signal.
  await gone(relay, 2000).catch(() => end(relay));
  await rm(state.sockets, { recursive: true, force: true });
}

/**
 * Ends, without ceremony, what runs of a sandbox that was never completed or lost its owner; its state is kept if it was meant to be.
 * @returns whether it was kept
 */
export async function endAndForget(dir: string, saveLogs?: () => Promise<void>): Promise<boolean> {
  const state = await readState(dir);
  if (state !== undefined) await endProcesses(dir, state, { orderly: false });
  await saveLogs?.().catch(() => undefined);
  if (state?.keep === true) await markStopped(dir, state);
  else await removeState(dir);
  return state?.keep === true;
}

/** Records that a sandbox is stopped and keeps its state. */
export async function markStopped(dir: string, state: SandboxState): Promise<void> {
  const stopped: SandboxState = { ...state, phase: 'stopped', detached: false, keep: true };
  delete (stopped as { tree?: ProcessId }).tree;
  await writeState(dir, stopped);
}

/** Removes a sandbox's directory, once nothing of it runs. */
export async function removeState(dir: string): Promise<void> {
  try {
    await rm(dir, { recursive: true, force: true });
  } catch (cause) {
    // Volumes of pods may hold directories that their own owner may not write to.
    await execa('chmod', ['-R', 'u+rwX', dir], { reject: false });
    await rm(dir, { recursive: true, force: true }).catch(() => {
      throw new UserError(`the sandbox's directory could not be removed: ${String(cause)}`, { remedy: `Remove it by hand: ${dir}`, cause });
    });
  }
}

/** SIGKILL to that very process, and to no later one with its pid; resolves when it is gone. */
async function end(target: ProcessId | undefined): Promise<void> {
  if (target === undefined || !await isAlive(target)) return;
  kill(target.pid);
  await gone(target, 10_000);
}

async function gone(target: ProcessId | undefined, timeoutMs: number): Promise<void> {
  await until(async () => {
    if (await isAlive(target)) throw new Error(`process ${target?.pid ?? ''} still runs`);
  }, AbortSignal.timeout(timeoutMs));
}
