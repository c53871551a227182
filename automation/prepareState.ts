import type { Stack } from '@pulumi/pulumi/automation/index.js';
import { abandon, objectsIn, takeBack } from './orphans.ts';
import type { OrphanFile } from './orphans.ts';
import type { Protection } from './protection.ts';
import type { Refresh } from './recovery.ts';
import { editState, readState } from './stackState.ts';
import type { StackFiles, StackState } from './stackState.ts';
import type { Survey } from './survey.ts';

/** A stack and all that is remembered of it. */
export interface Stored {
  readonly stack: Stack;
  readonly files: StackFiles | undefined;
  readonly orphans: OrphanFile;
}

export interface Preparation extends Pick<Survey, 'returned' | 'abandoned'> {
  /** To be taken off, where everything is to go. */
  readonly protection: Protection | undefined;
  readonly notice: (text: string) => void;
  readonly refresh: Refresh;
}

/** Brings a state to what the engine is to work on: with what was left behind before, without what is to be left behind now. */
export async function prepareState(stored: Stored, { returned, abandoned, protection, notice, refresh }: Preparation): Promise<void> {
  const { stack, files, orphans } = stored;
  const before = await orphans.read();
  const kept = before.filter(({ context }) => returned.includes(context));
  let back: string[] = [];
  let there: string[] = [];
  const change = (state: StackState): boolean => {
    back = takeBack(state, kept);
    there = objectsIn(state, kept);
    return protection?.takeOff(state) === true || back.length > 0;
  };
  // First on a copy: an import costs half a second.
  if ((protection !== undefined || kept.length > 0) && change(structuredClone(await readState(files, stack)))) {
    await editState(files, stack, change);
    protection?.isOff();
  }
  if (back.length > 0) notice(`took up ${String(back.length)} objects again that were left behind in ${returned.join(', ')}, by ${orphans.path}`);
  // All of them: a run that was interrupted here may have taken them back and not looked them up.
  if (there.length > 0) await refresh({ target: there });
  if (kept.length > 0) await orphans.remove(returned);
  if (abandoned.length > 0) await leaveBehind(stored, abandoned);
  const waiting = before.filter((each) => !kept.includes(each) && !abandoned.some(({ context }) => context === each.context));
  for (const { context } of waiting) notice(`objects are still left behind in ${context}, which does not answer: see ${orphans.path}`);
}

/** The file comes first: whatever happens between, nothing is forgotten. */
async function leaveBehind({ stack, files, orphans }: Stored, clusters: Survey['abandoned']): Promise<void> {
  await orphans.add(abandon(structuredClone(await readState(files, stack)), clusters));
  await editState(files, stack, (state) => {
    abandon(state, clusters);
    return true;
  });
}
