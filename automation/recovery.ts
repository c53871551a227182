import { join } from 'node:path';
import type { Stack } from '@pulumi/pulumi/automation/index.js';
import { hasUnknownManager, nameManagers, unknownManager } from './fieldManager.ts';
import { halfInstalledIn, isHalfInstalled, releaseType } from './halfInstalled.ts';
import type { HalfInstalled } from './halfInstalled.ts';
import { clearDeadLocks } from './locks.ts';
import { editState } from './stackState.ts';
import type { ResourceState, StackFiles, StackState } from './stackState.ts';

/** Removes the locks of dead processes; one line for each. Without a file backend there is nothing to do. */
export async function unlock(files: StackFiles | undefined): Promise<string[]> {
  if (!files) return [];
  return await clearDeadLocks(join(files.state, '.pulumi', 'locks', 'organization', files.project, files.stack), files.stack);
}

/**
 * Settles what an engine that died was in the middle of creating: each such object enters the state, and a refresh of these objects alone looks them up in
 * their clusters and takes out again what does not exist. So no later destroy forgets them, and a later change is made as by who made them. Where it does not come to its end,
 * the next run finds the rest by their marks. Where somebody else's run is not over, the backend refuses.
 * @param before the state as it was just read: in most backends that is a start of the CLI
 * @param excluded URNs that are left alone
 */
export async function settle(before: StackState, { files, stack }: { files: StackFiles | undefined; stack: Stack }, excluded: (state: StackState) => string[], refresh: Refresh): Promise<Settled> {
  if (!hasPendingCreates(before) && unsettledIn(before, excluded(before)).length === 0) return { lines: [], halfInstalled: [] };
  let lines: string[] = [];
  let target: string[] = [];
  await editState(files, stack, (state) => {
    lines = adoptPendingCreates(state);
    target = unsettledIn(state, excluded(state));
    return hasPendingCreates(before);
  });
  if (target.length === 0) return { lines, halfInstalled: [] };
  await refresh({ target });
  let halfInstalled: HalfInstalled[] = [];
  await editState(files, stack, (state) => {
    halfInstalled = halfInstalledIn(state, target);
    return nameManagers(state);
  });
  return { lines, halfInstalled };
}

/** What became of what a killed engine was creating. */
export interface Settled {
  /** One for each object, for a person. */
  readonly lines: string[];
  readonly halfInstalled: HalfInstalled[];
}

/** Has the engine read what is in clusters into the state. */
export type Refresh = (which: { target: string[] }) => Promise<unknown>;

/** The mark of an object that was not looked up yet. An import keeps it, where it drops every pending operation, and a refresh takes it away. */
const unsettled = 'its creation was interrupted';

/**
 * Pulumi itself leaves a pending creation in the state for a person to answer, and its refresh reads only what is in `resources`.
 * An object's id is known beforehand only with the Kubernetes provider; of what another one was creating is said where a person has to look.
 */
export function adoptPendingCreates(state: StackState): string[] {
  const resources: Replaceable[] = state.resources ??= [];
  const pending = (state.pending_operations ?? []).filter(({ type }) => type === 'creating');
  state.pending_operations = (state.pending_operations ?? []).filter(({ type }) => type !== 'creating');
  return pending.map(({ resource }) => {
    const id = kubernetesId(resource);
    const what = `${resource.urn.split('::').at(-1) ?? ''} (${resource.type})`;
    const there = resources.filter(({ urn }) => urn === resource.urn);
    if (id === undefined || there.some(({ pendingReplacement }) => pendingReplacement !== true)) return `a killed process had begun to create ${what}${whereToLook(resource)}`;
    const { inputs = {} } = resource;
    const outputs = resource.type === releaseType ? inputs : { ...inputs, __fieldManager: unknownManager };
    // One that was deleted for it stands where what depends on it needs it to.
    const [deleted] = there;
    if (deleted === undefined) resources.push({ ...resource, id, outputs, initErrors: [unsettled] });
    else Object.assign(deleted, { id, inputs, outputs, initErrors: [unsettled], pendingReplacement: false });
    return `looked up ${what}, whose creation a killed process had begun`;
  });
}

/** With the mark of what was deleted, and is to be made anew. */
interface Replaceable extends ResourceState {
  pendingReplacement?: boolean;
}

function hasPendingCreates({ pending_operations: pending = [] }: StackState): boolean {
  return pending.some(({ type }) => type === 'creating');
}

/** URNs of what was not looked up to its end. Helm may have ended meanwhile, or somebody may have uninstalled what it had not. */
function unsettledIn({ resources = [] }: StackState, excluded: readonly string[]): string[] {
  const isUnsettled = (resource: ResourceState): boolean => resource.initErrors?.includes(unsettled) === true || hasUnknownManager(resource) || isHalfInstalled(resource);
  return resources.filter((resource) => isUnsettled(resource) && !excluded.includes(resource.urn)).map(({ urn }) => urn);
}

function kubernetesId({ type, custom, inputs }: ResourceState): string | undefined {
  const { name, namespace } = (type === releaseType ? inputs as ObjectName | undefined : inputs?.metadata) ?? {};
  if (!custom || !type.startsWith('kubernetes:') || name === undefined) return undefined;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

interface ObjectName {
  readonly name?: string;
  readonly namespace?: string;
}

/** What other providers' objects are made in, as far as their inputs say it. */
const places = { project: 'project', region: 'region', managedZone: 'zone' };

function whereToLook({ type, inputs }: ResourceState): string {
  const said = (inputs ?? {}) as Record<string, unknown>;
  if (type.startsWith('kubernetes:') || typeof said['name'] !== 'string') return '';
  const where = Object.entries(places).flatMap(([key, word]) => (typeof said[key] === 'string' ? [`${word} ${said[key]}`] : []));
  return `: look for ${said['name']}${where.length > 0 ? ` in ${where.join(', ')}` : ''} yourself, and delete it where it is there, as it cannot be made a second time`;
}
