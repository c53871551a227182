import { readdir, readFile } from 'node:fs/promises';

/** Ends a process and all that it started with SIGKILL, whatever groups and sessions they made for themselves. */
export async function killFamily(pid: number): Promise<void> {
  for (const member of await familyOf(pid)) process.kill(member, 'SIGKILL');
}

async function familyOf(pid: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const status = await readFile(`/proc/${entry}/status`, 'utf8').catch(() => '');
    parents.set(Number(entry), Number(/^PPid:\t(\d+)$/m.exec(status)?.[1]));
  }
  const family = [pid];
  for (const member of family) family.push(...[...parents].filter(([, parent]) => parent === member).map(([child]) => child));
  return family;
}
