import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment, Stack } from '@pulumi/pulumi/automation/index.js';
import { clearDeadLocks } from './locks.ts';

/** The parts of an exported stack that are read or changed here. */
interface StackState {
  pending_operations?: PendingOperation[];
}

interface PendingOperation {
  type: string;
  resource: { urn: string; type: string; id?: string; inputs?: { metadata?: { name?: string; namespace?: string } } };
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
 * Settles what an engine that died was in the middle of creating: each such object is looked up in its cluster by a
 * refresh and enters the state where it exists, so that no later destroy forgets it. Returns one line for each.
 */
export async function settle(files: StackFiles | undefined, stack: Stack, signal?: AbortSignal): Promise<string[]> {
  if (!files || (await pendingCreates(files)).length === 0) return [];
  const exported = await stack.exportStack();
  const deployment = exported.deployment as StackState;
  const lines = (deployment.pending_operations ?? []).filter(({ type }) => type === 'creating').map((operation) => {
    operation.type = 'importing';
    operation.resource.id = kubernetesId(operation);
    return `looked up ${operation.resource.urn.split('::').at(-1) ?? ''} (${operation.resource.type}), whose creation a killed process had begun`;
  });
  await stack.importStack(exported satisfies Deployment);
  await stack.refresh(signal ? { signal } : {});
  return lines;
}

/** Reads the backend's file itself: asking the CLI would cost every operation half a second. */
async function pendingCreates({ state, project, stack }: StackFiles): Promise<PendingOperation[]> {
  const file = join(state, '.pulumi', 'stacks', project, `${stack}.json`);
  if (!existsSync(file)) return [];
  const checkpoint = JSON.parse(await readFile(file, 'utf8')) as { checkpoint?: { latest?: StackState | null } };
  return checkpoint.checkpoint?.latest?.pending_operations?.filter(({ type }) => type === 'creating') ?? [];
}

/** The Kubernetes provider's id of an object, known before the object exists. */
function kubernetesId({ resource }: PendingOperation): string {
  const { name = '', namespace } = resource.inputs?.metadata ?? {};
  return namespace === undefined ? name : `${namespace}/${name}`;
}
