import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../../errors.ts';
import { BridgeApi } from '../kubernetes.ts';
import type { BridgeRef } from '../kubernetes.ts';
import { faultNamed } from './index.ts';

/** A fault that is, or is about to be, in effect. */
export interface JournalEntry {
  schema: 'kbf-fault/1';
  run: string;
  fault: string;
  region: string;
  ref: BridgeRef;
  undo: unknown;
  /** When it was written, ISO 8601. */
  at: string;
}

/** Writes down what is about to be done, so that it survives this process: on the disk when this resolves. */
export async function writeEntry(stateDir: string, entry: JournalEntry): Promise<void> {
  const directory = directoryOf(stateDir);
  await mkdir(directory, { recursive: true });
  const file = fileOf(stateDir, entry.run);
  const draft = `${file}.draft`;
  await using handle = await open(draft, 'w', 0o600);
  await handle.writeFile(JSON.stringify(entry));
  await handle.sync();
  await rename(draft, file);
}

export async function removeEntry(stateDir: string, run: string): Promise<void> {
  await rm(fileOf(stateDir, run), { force: true });
}

/**
 * Heals what earlier drills left and forgets it. Returns a sentence for each. Throws a UserError when one could not be healed; its
 * entry stays.
 */
export async function healLeftovers({ stateDir, kubeconfig }: { stateDir: string; kubeconfig: string }): Promise<string[]> {
  const healed: string[] = [];
  for (const entry of await readEntries(stateDir)) {
    const { context, namespace, bridge } = entry.ref;
    const fault = faultNamed(entry.fault);
    if (fault === undefined) throw new UserError(`${fileOf(stateDir, entry.run)} names the unknown fault ${entry.fault}`);
    const changed = await fault.heal(new BridgeApi(kubeconfig, entry.ref), entry.undo);
    await removeEntry(stateDir, entry.run);
    healed.push(`${entry.fault} of ${entry.at} on ${namespace}/${bridge} in cluster ${context}: ${changed ? 'healed' : 'nothing was left of it'}`);
  }
  return healed;
}

async function readEntries(stateDir: string): Promise<JournalEntry[]> {
  const names = await readdir(directoryOf(stateDir)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => name.endsWith('.json')).sort().map((name) => path.join(directoryOf(stateDir), name));
  return await Promise.all(files.map(readEntry));
}

async function readEntry(file: string): Promise<JournalEntry> {
  try {
    const entry = JSON.parse(await readFile(file, 'utf8')) as JournalEntry;
    if (entry.schema === 'kbf-fault/1') return entry;
  } catch (cause) {
    throw new UserError(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  throw new UserError(`${file} is not a journal of kbf-fault/1`, { remedy: 'it may be of another version of kbf; heal with that one' });
}

function directoryOf(stateDir: string): string {
  return path.join(stateDir, 'faults');
}

function fileOf(stateDir: string, run: string): string {
  return path.join(directoryOf(stateDir), `${run}.json`);
}
