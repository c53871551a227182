import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { firstLineOf, UserError } from '../../errors.ts';

/** Below this, etcd and the API servers fail in ways that do not say why. */
const neededBytes = 64 * 1024 * 1024;

/** The same error, or one that names the full disk as its cause when there is hardly room left where `dir` lies, or would. */
export async function explainDisk(error: unknown, dir: string): Promise<unknown> {
  let there = dir;
  while (!existsSync(there)) there = dirname(there);
  const { bavail, bsize } = await statfs(there);
  const free = bavail * bsize;
  if (free >= neededBytes && (error as NodeJS.ErrnoException).code !== 'ENOSPC') return error;
  return new UserError(`the disk is full: ${Math.floor(free / 1024 / 1024)} MiB are free in ${dir} (${firstLineOf(error)})`, {
    remedy: 'Make room, or give a state directory on another disk.', cause: error,
  });
}
