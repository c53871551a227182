import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../../errors.ts';
import { endWorkers, workersEntry } from '../workers/left.ts';
import type { WorkersLeft } from '../workers/left.ts';
import type { Fault } from './fault.ts';
import { faultNamed } from './index.ts';
import { Target } from './target.ts';
import type { TargetRefs } from './target.ts';

/** A fault that is, or is about to be, in effect; or the workers of a drill. */
export interface JournalEntry {
  schema: 'kbf-fault/2';
  /** By which the entry is found: the drill's run for its fault, and another for its workers, which are there at the same time. */
  run: string;
  /** Name of the fault, or `workers`. */
  fault: string;
  /** What is hit, for a person. */
  target: string;
  refs: TargetRefs;
  undo: unknown;
  /** When it was written, ISO 8601. */
  at: string;
}

/** What became of an entry. */
export interface Healed {
  fault: string;
  target: string;
  at: string;
  /** healed: it was still in effect. over: nothing was left of it. ending: it ends by itself, soon. */
  now: 'healed' | 'over' | 'ending';
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
 * Heals what earlier drills left and forgets it. Throws a UserError when one could not be healed; its entry stays.
 */
export async function healLeftovers({ stateDir, kubeconfig }: { stateDir: string; kubeconfig: string }): Promise<Healed[]> {
  const healed: Healed[] = [];
  for (const { run, fault: name, target, refs, undo, at } of await readEntries(stateDir)) {
    const heal = healerOf(name);
    if (heal === undefined) throw new UserError(`${fileOf(stateDir, run)} names the unknown fault ${name}`);
    const now = await heal(new Target(kubeconfig, refs), undo).catch((cause: unknown) => {
      throw new UserError(`${name} of ${at} on ${target} could not be healed: ${cause instanceof Error ? cause.message : String(cause)}`,
        { remedy: 'see that its cluster answers, then try again (kbf faults heal)', cause });
    });
    await removeEntry(stateDir, run);
    healed.push({ fault: name, target, at, now });
  }
  return healed;
}

function healerOf(name: string): ((target: Target, undo: unknown) => Promise<Healed['now']>) | undefined {
  if (name === workersEntry) return async (target, undo) => (await endWorkers(target.cluster((undo as WorkersLeft).context), undo as WorkersLeft) ? 'healed' : 'over');
  const fault = faultNamed(name);
  return fault && ((target, undo) => healOne(fault, target, undo));
}

async function healOne(fault: Fault, target: Target, undo: unknown): Promise<Healed['now']> {
  if (await fault.heal(target, undo)) return 'healed';
  if (fault.ends === 'healed') return 'over';
  return await fault.isHealed(target, undo).catch(() => false) ? 'over' : 'ending';
}

/** A line for a person. */
export function sentenceOf({ fault, target, at, now }: Healed): string {
  const what = { healed: 'healed', over: 'nothing was left of it', ending: 'nothing to undo, its effect ends by itself' }[now];
  return `${fault} of ${at} on ${target}: ${what}`;
}

/** Where the faults of the journal are. */
export async function journaled(stateDir: string): Promise<TargetRefs[]> {
  return (await readEntries(stateDir)).map(({ refs }) => refs);
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
    if (entry.schema === 'kbf-fault/2') return entry;
  } catch (cause) {
    throw new UserError(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  throw new UserError(`${file} is not a journal of kbf-fault/2`, { remedy: 'it may be of another version of kbf; heal with that one' });
}

function directoryOf(stateDir: string): string {
  return path.join(stateDir, 'faults');
}

function fileOf(stateDir: string, run: string): string {
  return path.join(directoryOf(stateDir), `${run}.json`);
}
