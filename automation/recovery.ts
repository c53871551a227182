import { join } from 'node:path';
import type { Stack } from '@pulumi/pulumi/automation/index.js';
import { clearDeadLocks } from './locks.ts';
import { editState } from './stackState.ts';
import type { ResourceState, StackFiles, StackState } from './stackState.ts';

/** Removes the locks of dead processes; one line for each. Without a file backend there is nothing to do. */
export async function unlock(files: StackFiles | undefined): Promise<string[]> {
  if (!files) return [];
  return await clearDeadLocks(join(files.state, '.pulumi', 'locks', 'organization', files.project, files.stack), files.stack);
}

/**
 * Settles what an engine that died was in the middle of creating: each such object enters the state, and a refresh looks it up in
 * its cluster and takes it out again where it does not exist. So no later destroy forgets it. Where the refresh does not come to its end,
 * the next run finds the rest by their mark. Where somebody else's run is not over, the backend refuses. Returns one line for each.
 * @param before the state as it was just read: in most backends that is a start of the CLI
 * @param excluded URNs that are left alone
 */
export async function settle(before: StackState, { files, stack }: { files: StackFiles | undefined; stack: Stack }, excluded: (state: StackState) => string[], refresh: Refresh): Promise<string[]> {
  if (!hasPendingCreates(before) && !hasUnsettled(before, excluded(before))) return [];
  let lines: string[] = [];
  let exclude: string[] = [];
  await editState(files, stack, (state) => {
    lines = adoptPendingCreates(state);
    exclude = excluded(state);
    return hasPendingCreates(before);
  });
  await refresh(exclude.length > 0 ? { exclude } : {});
  return lines;
}

/** Has the engine read what is in clusters into the state. */
export type Refresh = (which: { target?: string[]; exclude?: string[] }) => Promise<unknown>;

/** The mark of an object that was not looked up yet. An import keeps it, where it drops every pending operation, and a refresh takes it away. */
const unsettled = 'its creation was interrupted';

/**
 * Pulumi itself leaves a pending creation in the state for a person to answer, and its refresh reads only what is in `resources`.
 * An object's id is known beforehand only with the Kubernetes provider, which is the one that the program uses.
 */
export function adoptPendingCreates(state: StackState): string[] {
  const resources = state.resources ??= [];
  const pending = (state.pending_operations ?? []).filter(({ type }) => type === 'creating');
  state.pending_operations = (state.pending_operations ?? []).filter(({ type }) => type !== 'creating');
  return pending.map(({ resource }) => {
    const id = kubernetesId(resource);
    const what = `${resource.urn.split('::').at(-1) ?? ''} (${resource.type})`;
    if (id === undefined || resources.some(({ urn }) => urn === resource.urn)) return `a killed process had begun to create ${what}`;
    resources.push({ ...resource, id, outputs: resource.inputs ?? {}, initErrors: [unsettled] });
    return `looked up ${what}, whose creation a killed process had begun`;
  });
}

function hasPendingCreates({ pending_operations: pending = [] }: StackState): boolean {
  return pending.some(({ type }) => type === 'creating');
}

function hasUnsettled({ resources = [] }: StackState, excluded: readonly string[]): boolean {
  return resources.some(({ urn, initErrors }) => initErrors?.includes(unsettled) === true && !excluded.includes(urn));
}

function kubernetesId({ type, custom, inputs }: ResourceState): string | undefined {
  const { name, namespace } = inputs?.metadata ?? {};
  if (!custom || !type.startsWith('kubernetes:') || name === undefined) return undefined;
  return namespace === undefined ? name : `${namespace}/${name}`;
}
