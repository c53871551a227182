import { mkdir, mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
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
 * kubeconfigs with their keys there and leaves them. Those of operations that were killed are removed, as far as their pids say something here.
 */
export async function makeScratch(parent: string): Promise<Scratch> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const here = await pidNamespace();
  for (const name of await readdir(parent)) {
    const [pid, ...more] = name.split('-');
    // What older versions wrote has no namespace in its name.
    if ((more.length < 2 || more[0] === here) && !isAlive(Number(pid))) await rm(join(parent, name), { recursive: true, force: true });
  }
  const path = await mkdtemp(join(parent, `${String(process.pid)}-${here}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The number of the PID namespace that this process is in: a pid of another one, a sandbox's or a container's, names another process here, or none. */
async function pidNamespace(): Promise<string> {
  return /\d+/.exec(await readlink('/proc/self/ns/pid').catch(() => ''))?.[0] ?? '0';
}
