import { mkdir, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { UserError } from '../../errors.ts';
import { isAlive } from '../locks.ts';

/** Lies in every rendered folder, with the paths of its files: only a folder that has it, and nothing else, is ever replaced. */
const marker = '.kbf-render';

/**
 * Writes files as one folder, all or none: they are written beside it and take its place at once.
 * @param files texts by their paths in the folder
 * @throws UserError if what is there already was not made by this
 */
export async function writeFolder(wanted: string, files: ReadonlyMap<string, string>): Promise<void> {
  const folder = await realpath(wanted).catch(() => resolve(wanted));
  try {
    await refuseForeign(folder);
    await makeFolder(dirname(folder));
    await removeLeftovers(folder);
    await replace(folder, files);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${folder} cannot be written: ${(error as Error).message}`, { remedy: 'Name another folder with --out.', cause: error });
  }
}

async function replace(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  const temporary = beside(folder, 'new');
  const before = beside(folder, 'old');
  try {
    const all = new Map([...files, [marker, `Made by \`kbf render\`, which replaces this folder as long as nothing else is in it:\n${[...files.keys()].join('\n')}\n`]]);
    // Not with those above it: they are there.
    await mkdir(temporary);
    for (const [path, text] of all) {
      await mkdir(dirname(join(temporary, path)), { recursive: true });
      await writeFile(join(temporary, path), text);
    }
    const existed = await rename(folder, before).then(() => true, ignoreMissing);
    await rename(temporary, folder).catch(async (error: unknown) => {
      if (existed) await rename(before, folder);
      throw error;
    });
  } finally {
    for (const left of [temporary, before]) await rm(left, { recursive: true, force: true });
  }
}

/** With those above it. Node.js's own way (`recursive`) goes on without end where the system says of a name that it cannot be there, as in /proc. */
async function makeFolder(folder: string): Promise<void> {
  const make = async (): Promise<void> => {
    await mkdir(folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  };
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder));
    await make();
  }
}

/** Only a folder that is empty, or that holds what was rendered and nothing else, may be replaced. */
async function refuseForeign(folder: string): Promise<void> {
  const list = await readFile(join(folder, marker), 'utf8').catch((error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOTDIR' && ignoreMissing(error));
  // What is nothing of ours may be very large.
  const present = await readdir(folder, { recursive: list !== false, withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') throw new UserError(`${folder} is a file.`, { exitCode: 2, remedy: 'Name a folder with --out.' });
    throw error;
  });
  if (list === false && present.length > 0) {
    throw new UserError(`${folder} is not empty, and was not made by \`kbf render\`.`, { exitCode: 2, remedy: 'Name another folder with --out, or empty this one.' });
  }
  const own = new Set([marker, ...(list === false ? [] : list.split('\n').slice(1))]);
  const foreign = present.filter((entry) => !entry.isDirectory()).map((entry) => relative(folder, join(entry.parentPath, entry.name))).filter((path) => !own.has(path)).sort();
  if (foreign.length === 0) return;
  const some = `${foreign.slice(0, 3).join(', ')}${foreign.length > 3 ? ` and ${String(foreign.length - 3)} more` : ''}`;
  throw new UserError(`${folder} holds files that \`kbf render\` did not make: ${some}.`, { exitCode: 2, remedy: 'Move them elsewhere, or name another folder with --out.' });
}

/** In the same directory, so that a rename is all it takes; its name says which process makes it. */
function beside(folder: string, what: string): string {
  return join(dirname(folder), `.${basename(folder)}.kbf-render-${String(process.pid)}-${what}`);
}

/** Those of runs that were killed. */
async function removeLeftovers(folder: string): Promise<void> {
  const prefix = `.${basename(folder)}.kbf-render-`;
  for (const name of (await readdir(dirname(folder))).filter((entry) => entry.startsWith(prefix))) {
    if (!isAlive(Number(name.slice(prefix.length).split('-')[0]))) await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

function ignoreMissing(error: unknown): false {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return false;
}
