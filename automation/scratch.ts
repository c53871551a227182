import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './locks.ts';

/** A directory that is removed when its owner is done with it. */
export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** Where a state directory has them. */
export function scratchIn(stateDir: string): string {
  return join(stateDir, 'tmp');
}

/**
 * Makes a directory for the temporary files of one operation in `parent`, readable by its owner only, because the Kubernetes provider writes
 * kubeconfigs with their keys there and leaves them. Those of operations that were killed are removed.
 */
export async function makeScratch(parent: string): Promise<Scratch> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const name of await readdir(parent)) {
    if (!isAlive(Number(name.split('-')[0]))) await rm(join(parent, name), { recursive: true, force: true });
  }
  const path = await mkdtemp(join(parent, `${String(process.pid)}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
