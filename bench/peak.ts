import { readdir, readFile } from 'node:fs/promises';

/** Often enough for a peak that the kernel keeps, and seldom enough to leave the time alone that is measured beside it. */
const everyMs = 500;

/** The most memory, in MiB, that any process had whose command line matches, while something runs; its own processes are not told from others' that match. */
export async function peakOf(command: RegExp, run: () => Promise<void>): Promise<number> {
  let peak = 0;
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void largest(command).then((found) => { peak = Math.max(peak, found); }).finally(() => { busy = false; });
  }, everyMs);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

async function largest(command: RegExp): Promise<number> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  return Math.max(0, ...await Promise.all(pids.map(async (pid) => {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!command.test(line)) return 0;
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  })));
}
