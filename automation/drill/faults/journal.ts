import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, UserError } from '../../../errors.ts';
import { endWorkers, workersEntry } from '../workers/left.ts';
import type { WorkersLeft } from '../workers/left.ts';
import type { Fault } from './fault.ts';
import { thisDriver } from './driver.ts';
import type { Driver } from './driver.ts';
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
  /** Who wrote it; absent in entries of earlier versions. */
  driver?: Driver;
}

/** What became of an entry. */
export interface Healed {
  fault: string;
  target: string;
  at: string;
  /** healed: it was still in effect. over: nothing was left of it. ending: it ends by itself, soon. */
  now: 'healed' | 'over' | 'ending';
}

/** Writes down what is about to be done, so that it survives this process: on the disk when this resolves. Throws a UserError where it cannot be: then nothing may be done. */
export async function writeEntry(stateDir: string, entry: JournalEntry): Promise<void> {
  const file = fileOf(stateDir, entry.run);
  const draft = `${file}.draft`;
  try {
    await mkdir(directoryOf(stateDir), { recursive: true });
    await using handle = await open(draft, 'w', 0o600);
    await handle.writeFile(JSON.stringify({ ...entry, driver: await thisDriver() }));
    await handle.sync();
    await rename(draft, file);
  } catch (cause) {
    throw new UserError(`${file} cannot be written, so nothing was done to ${entry.target} (${entry.fault}): ${messageOf(cause)}`,
      { remedy: 'see that its directory can be written and its disk is not full', cause });
  }
}

export async function removeEntry(stateDir: string, run: string): Promise<void> {
  await rm(fileOf(stateDir, run), { force: true });
}

/**
 * Heals what earlier drills left and forgets it. Where one cannot be healed its entry stays, and the others are healed all the same; then throws a UserError
 * that names each of those, and what was healed. `mustBeLeft` throws a UserError for one that may not be healed.
 */
export async function healLeftovers({ stateDir, kubeconfig, mustBeLeft }: { stateDir: string; kubeconfig: string; mustBeLeft?: (entry: JournalEntry) => Promise<void> }): Promise<Healed[]> {
  const healed: Healed[] = [];
  const failures: UserError[] = [];
  for (const file of await filesOf(stateDir)) {
    try {
      const entry = await readEntry(file);
      await mustBeLeft?.(entry);
      healed.push(await healEntry(entry, { file, kubeconfig }));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(error);
    }
  }
  if (failures.length === 0) return healed;
  const remedies = new Set(failures.flatMap(({ remedy }) => remedy ?? []));
  throw new UserError([...failures.map(({ message }) => message), ...healed.map(sentenceOf)].join('; '), { remedy: [...remedies].join('; '), cause: failures[0] });
}

/** Heals one and forgets it. Throws a UserError that says which it is and where, and why not. */
async function healEntry({ fault: name, target, refs, undo, at }: JournalEntry, { file, kubeconfig }: { file: string; kubeconfig: string }): Promise<Healed> {
  const heal = healerOf(name);
  if (heal === undefined) throw new UserError(`${file} names the unknown fault ${name}`, { remedy: 'it may be of another version of kbf; heal with that one' });
  let now: Healed['now'];
  try {
    now = await heal(new Target(kubeconfig, refs), undo);
  } catch (cause) {
    throw new UserError(`${name} of ${at} on ${target} could not be healed: ${messageOf(cause)}`,
      { remedy: 'see that its cluster answers, then try again (kbf faults heal)', cause });
  }
  await rm(file, { force: true });
  return { fault: name, target, at, now };
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

/** Where the faults of the journal are, as far as it can be read. */
export async function journaled(stateDir: string): Promise<TargetRefs[]> {
  const read = await Promise.allSettled((await filesOf(stateDir)).map(readEntry));
  return read.flatMap((entry) => (entry.status === 'fulfilled' ? [entry.value.refs] : []));
}

async function filesOf(stateDir: string): Promise<string[]> {
  const names = await readdir(directoryOf(stateDir)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.json')).sort().map((name) => path.join(directoryOf(stateDir), name));
}

async function readEntry(file: string): Promise<JournalEntry> {
  try {
    const entry = JSON.parse(await readFile(file, 'utf8')) as JournalEntry;
    if (entry.schema === 'kbf-fault/2') return entry;
  } catch (cause) {
    throw new UserError(`${file} cannot be read: ${messageOf(cause)}`, { remedy: 'see by its run that nothing is left of the fault, then remove the file', cause });
  }
  throw new UserError(`${file} is not a journal of kbf-fault/2`, { remedy: 'it may be of another version of kbf; heal with that one' });
}

function directoryOf(stateDir: string): string {
  return path.join(stateDir, 'faults');
}

function fileOf(stateDir: string, run: string): string {
  return path.join(directoryOf(stateDir), `${run}.json`);
}
