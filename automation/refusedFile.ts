import { stat } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { shellWord } from '../config/shell-word.ts';
import { UserError } from '../errors.ts';

/** What a person can do about a file below the state directory that the system keeps from this process; undefined for any other error. */
export async function refusedFile(error: unknown, stateDir: string): Promise<UserError | undefined> {
  const { code = '', path } = error as NodeJS.ErrnoException;
  const directory = resolve(stateDir);
  if (!['EACCES', 'EPERM', 'EROFS'].includes(code) || path === undefined || !isWithin(resolve(path), directory)) return undefined;
  const elsewhere = 'name another place with --state-dir';
  if (code === 'EROFS') return new UserError(`${path} cannot be written: its file system is read-only (${code}).`, { remedy: `N${elsewhere.slice(1)}.`, cause: error });
  const { at, uid } = await culprit(resolve(path), directory);
  const mend = uid === process.getuid?.() ? `allow yourself to (chmod -R u+rwX ${shellWord(directory)})` : `make it yours (sudo chown -R "$(id -u)" ${shellWord(directory)})`;
  const remedy = isWithin(at, directory) ? `${mend}, or ${elsewhere}` : elsewhere;
  return new UserError(`${path} may not be read or written (${code}): ${at} belongs to ${uid === 0 ? 'root' : `uid ${String(uid)}`}.`, {
    remedy: `${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}.`, cause: error,
  });
}

/** The nearest of a path and the directories above it, up to the state directory, that is somebody else's; where none is, the nearest that is there. */
async function culprit(path: string, directory: string): Promise<{ at: string; uid: number }> {
  let nearest: { at: string; uid: number } | undefined;
  for (let at = path; ; at = dirname(at)) {
    const uid = await stat(at).then((found) => found.uid, () => undefined);
    if (uid !== undefined && uid !== process.getuid?.()) return { at, uid };
    if (uid !== undefined) nearest ??= { at, uid };
    if (nearest !== undefined && !isWithin(dirname(at), directory)) return nearest;
  }
}

function isWithin(path: string, directory: string): boolean {
  return !/^\.\.(\/|$)/.test(relative(directory, path));
}
