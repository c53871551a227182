import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 100;

/**
 * Waits until no process is left of the session that `leader` began, and kills those that are after `graceMs`. A session has no
 * other members than what its leader started, and its number is not given away while it has one. Linux only; elsewhere there is no /proc to ask.
 */
export async function endSession(leader: number, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs;
  let left = await membersOf(leader);
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(pollMs);
    left = await membersOf(leader);
  }
  for (const pid of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

async function membersOf(leader: number): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const sessions = await Promise.all(pids.map(sessionOf));
  return pids.filter((_pid, index) => sessions[index] === leader);
}

/** Undefined for a process that is gone, or dead and only not yet reaped. */
async function sessionOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  // State, parent, group and session follow the name, which is in parentheses and may hold spaces.
  const [state, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return session === undefined || state === 'Z' ? undefined : Number(session);
}
