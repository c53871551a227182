import { readdir, readFile } from 'node:fs/promises';

/**
 * A process and all that descend from it, parents first, whatever groups, sessions and PID namespaces they made for themselves: proc(5), task/[tid]/children, of every
 * thread, as any may start a process. What starts or ends meanwhile may be missing or still be there.
 */
export async function familyOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')));
  const families = await Promise.all(children.flatMap((line) => line.split(' ')).filter((child) => child !== '').map((child) => familyOf(Number(child))));
  return [pid, ...families.flat()];
}
