import { readFile, readdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';

/** What Pulumi's file backend writes into a lock. The pid is that of the engine's process. */
interface Lock {
  pid: number;
  username: string;
  hostname: string;
  /** RFC 3339, when the lock was taken. */
  timestamp: string;
}

/** A process that started this much after a lock was taken cannot be the one that took it; clocks are read in ticks. */
const slackMs = 2000;
/** USER_HZ: the unit of times in /proc, the same on every Linux that Node.js runs on. */
const ticksPerSecond = 100;

/**
 * Takes away the locks in `directory` whose holder is dead: of this host, with a pid that is gone or was
 * given to a process younger than the lock. Returns one line for each, and throws when a lock has to be respected.
 * Call it in the PID namespace that the stack's operations run in.
 */
export async function clearDeadLocks(directory: string, stack: string): Promise<string[]> {
  if (!existsSync(directory)) return [];
  const cleared: string[] = [];
  // Beside each lock lies a file with its attributes, `<lock>.attrs`.
  for (const name of (await readdir(directory)).filter((entry) => entry.endsWith('.json'))) {
    const file = join(directory, name);
    const lock = await readLock(file);
    if (!lock) continue;
    if (lock.hostname !== hostname()) {
      throw new UserError(`Stack ${stack} is locked by ${lock.username} on host ${lock.hostname} (pid ${String(lock.pid)}) since ${lock.timestamp}.`, {
        code: 'locked', remedy: `If nothing runs there any more, remove ${file}.`,
      });
    }
    if (await isHolder(lock)) {
      throw new UserError(`Stack ${stack} is being worked on by another process (pid ${String(lock.pid)}, ${lock.username}) since ${lock.timestamp}.`, {
        code: 'locked', remedy: `Wait for it, or end it with \`kill -INT ${String(lock.pid)}\` and try again.`,
      });
    }
    for (const part of [file, `${file}.attrs`]) await rm(part, { force: true });
    cleared.push(`took away the lock of stack ${stack} that process ${String(lock.pid)} left behind when it died (it was taken ${lock.timestamp})`);
  }
  return cleared;
}

/** Undefined when the lock was given back meanwhile. */
async function readLock(file: string): Promise<Lock | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Lock;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UserError(`The lock ${file} cannot be read: ${(error as Error).message}`, {
      remedy: 'If no other process works on the stack, remove the file.',
      cause: error,
    });
  }
}

async function isHolder(lock: Lock): Promise<boolean> {
  if (!isAlive(lock.pid)) return false;
  const startedAt = await startTime(lock.pid);
  return startedAt === undefined || startedAt <= Date.parse(lock.timestamp) + slackMs;
}

/** Whether a process with this pid exists, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Milliseconds since the epoch; undefined where there is no /proc to ask. A dead process that nobody has reaped counts as started now. */
async function startTime(pid: number): Promise<number | undefined> {
  try {
    const [stat, system] = await Promise.all([readFile(`/proc/${String(pid)}/stat`, 'utf8'), readFile('/proc/stat', 'utf8')]);
    // The command's name, in parentheses, may hold spaces: count the fields from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return Number.POSITIVE_INFINITY;
    const bootedAt = Number(/^btime (\d+)$/m.exec(system)?.[1]);
    return (bootedAt + Number(fields[19]) / ticksPerSecond) * 1000;
  } catch {
    return undefined;
  }
}
