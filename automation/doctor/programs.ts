import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** Where a program is: by its own path, or the first of the directories that has it. */
export async function findProgram(name: string, directories: readonly string[] = (process.env['PATH'] ?? '').split(delimiter)): Promise<string | undefined> {
  const candidates = isAbsolute(name) || name.includes('/') ? [name] : directories.filter((directory) => directory !== '').map((directory) => join(directory, name));
  for (const candidate of candidates) {
    if (await access(candidate, constants.X_OK).then(() => true, () => false)) return candidate;
  }
  return undefined;
}
