import { familyOf } from '../sandbox/family.ts';
import { kill } from '../sandbox/machine/kill.ts';

/** Ends a process and all that it started with SIGKILL, whatever groups and sessions they made for themselves. */
export async function killFamily(pid: number): Promise<void> {
  for (const member of await familyOf(pid)) kill(member);
}
