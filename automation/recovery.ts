import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from '@pulumi/pulumi/automation/index.js';
import { clearDeadLocks } from './locks.ts';

/** The parts of an exported stack that are read or changed here. */
interface StackState {
  resources?: ResourceState[];
  pending_operations?: { type: string; resource: ResourceState }[];
}

interface ResourceState {
  urn: string;
  type: string;
  custom: boolean;
  id?: string;
  inputs?: { metadata?: { name?: string; namespace?: string } };
  outputs?: object;
}

/** Where the file backend keeps what belongs to one stack. */
export interface StackFiles {
  /** The directory of the file backend. */
  state: string;
  project: string;
  stack: string;
}

/** Removes the locks of dead processes; one line for each. Without a file backend there is nothing to do. */
export async function unlock(files: StackFiles | undefined): Promise<string[]> {
  if (!files) return [];
  return await clearDeadLocks(join(files.state, '.pulumi', 'locks', 'organization', files.project, files.stack), files.stack);
}

/**
 * Settles what an engine that died was in the middle of creating: each such object enters the state, and a refresh looks it up in
 * its cluster and takes it out again where it does not exist. So no later destroy forgets it. Returns one line for each.
 */
export async function settle(files: StackFiles | undefined, stack: Stack, signal?: AbortSignal): Promise<string[]> {
  if (!files || !await hasPendingCreates(files)) return [];
  const exported = await stack.exportStack();
  const lines = adoptPendingCreates(exported.deployment as StackState);
  await stack.importStack(exported);
  await stack.refresh(signal ? { signal } : {});
  return lines;
}

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
    resources.push({ ...resource, id, outputs: resource.inputs ?? {} });
    return `looked up ${what}, whose creation a killed process had begun`;
  });
}

/** Reads the backend's file itself: asking the CLI would cost every operation half a second. */
async function hasPendingCreates({ state, project, stack }: StackFiles): Promise<boolean> {
  const file = join(state, '.pulumi', 'stacks', project, `${stack}.json`);
  if (!existsSync(file)) return false;
  const checkpoint = JSON.parse(await readFile(file, 'utf8')) as { checkpoint?: { latest?: StackState | null } };
  return checkpoint.checkpoint?.latest?.pending_operations?.some(({ type }) => type === 'creating') === true;
}

function kubernetesId({ type, custom, inputs }: ResourceState): string | undefined {
  const { name, namespace } = inputs?.metadata ?? {};
  if (!custom || !type.startsWith('kubernetes:') || name === undefined) return undefined;
  return namespace === undefined ? name : `${namespace}/${name}`;
}
