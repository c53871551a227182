import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** The process that drives a drill, as far as it takes to see later that it is dead. */
export interface Driver {
  /** Host, its boot and the namespace of its processes, where the system tells them: a process id says nothing elsewhere. */
  place: string;
  pid: number;
  /** When it began, as the system counts: an id is given again. Absent where it is not told. */
  began?: string;
}

/** This process. */
export async function thisDriver(): Promise<Driver> {
  const began = await beganAt(process.pid);
  return { place: await thisPlace(), pid: process.pid, ...(began === undefined ? {} : { began }) };
}

/** Whether it is certain that the process is no more. Of one elsewhere that is never so. */
export async function isDead({ place, pid, began }: Driver): Promise<boolean> {
  if (place !== await thisPlace()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Whom one may not signal is there.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const another = await beganAt(pid);
  return began !== undefined && another !== undefined && another !== began;
}

async function thisPlace(): Promise<string> {
  const told = await Promise.all([readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''), readlink('/proc/self/ns/pid').catch(() => '')]);
  return [hostname(), ...told.map((each) => each.trim())].join(' ');
}

/** The 22nd field of its line, ticks since the boot; the second one is its name, which may have blanks. */
async function beganAt(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19];
}
