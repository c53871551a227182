import { lstat, mkdir, readFile, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';

export interface PayloadFile { readonly data: Buffer; readonly mode: number }
/** By path below the volume. */
export type Payload = ReadonlyMap<string, PayloadFile>;

/**
 * Puts files into a volume so that a reader sees either all the old or all the new ones, as a kubelet does: they lie in a
 * hidden directory to which the link `..data` points, and the names that a pod sees are links through it.
 * Does nothing when they are there already.
 */
export async function writePayload(dir: string, payload: Payload): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const before = await readlink(join(dir, '..data')).catch(() => undefined);
  if (before !== undefined && await holds(join(dir, before), payload)) return;
  const fresh = `..${new Date().toISOString().replaceAll(/[-:.]/g, '_')}.${randomBytes(4).toString('hex')}`;
  await mkdir(join(dir, fresh), { mode: 0o755 });
  for (const [path, { data, mode }] of payload) {
    await mkdir(dirname(join(dir, fresh, path)), { recursive: true, mode: 0o755 });
    await writeFile(join(dir, fresh, path), data, { mode });
  }
  await symlink(fresh, join(dir, '..data_tmp'));
  await rename(join(dir, '..data_tmp'), join(dir, '..data'));
  await linkNames(dir, new Set([...payload.keys()].map(firstSegment)));
  if (before !== undefined) await rm(join(dir, before), { recursive: true, force: true });
}

async function linkNames(dir: string, names: ReadonlySet<string>): Promise<void> {
  const present = (await readdir(dir)).filter((name) => !name.startsWith('..'));
  await Promise.all(present.filter((name) => !names.has(name)).map((name) => rm(join(dir, name))));
  await Promise.all([...names].filter((name) => !present.includes(name)).map((name) => symlink(join('..data', name), join(dir, name))));
}

async function holds(dir: string, payload: Payload): Promise<boolean> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  if (files.length !== payload.size) return false;
  const same = await Promise.all([...payload].map(async ([path, { data, mode }]) => {
    const file = join(dir, path);
    const content = await readFile(file).catch(() => undefined);
    return content?.equals(data) === true && ((await lstat(file)).mode & 0o777) === mode;
  }));
  return same.every(Boolean);
}

function firstSegment(path: string): string {
  return path.split('/')[0] ?? path;
}
