/**
 * What the sandbox costs on this machine: `npm run bench`. Warm caches; prints one table.
 * Memory is the proportional set size (shared pages divided among those who share them) of every process of the sandbox.
 */
import { execa } from 'execa';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const stateDir = await mkdtemp(join(tmpdir(), 'kbf-bench-'));
const name = 'bench';
const rows: [string, string][] = [];

try {
  await timed('four clusters ready', ['sandbox', 'up', '--name', name]);
  rows.push(['memory of the empty sandbox', await memory()]);
  await timed('up from nothing', ['up', '--sandbox', name]);
  rows.push(['memory with the program', await memory()]);
  await timed('up without a change', ['up', '--sandbox', name]);
  await timed('destroy', ['destroy', '--sandbox', name]);
  await timed('sandbox down', ['sandbox', 'down', '--name', name]);
  await timed('demo --seconds 20, all of it', ['demo', '--seconds', '20']);
} finally {
  await kbf(['sandbox', 'down', '--name', name]);
  await rm(stateDir, { recursive: true, force: true });
}
console.log(`on ${String(cpus().length)} cores, warm caches`);
for (const [what, figure] of rows) console.log(`${what.padEnd(34)} ${figure}`);

async function timed(what: string, args: string[]): Promise<void> {
  const startedAt = performance.now();
  const { exitCode, all } = await kbf(args);
  if (exitCode !== 0) throw new Error(`kbf ${args.join(' ')} ended with ${String(exitCode)}:\n${all}`);
  rows.push([what, `${((performance.now() - startedAt) / 1000).toFixed(1)} s`]);
}

function kbf(args: string[]) {
  const command = fileURLToPath(new URL('../automation/kbf.mjs', import.meta.url));
  return execa(process.execPath, [command, '--state-dir', stateDir, ...args], { reject: false, all: true, stdin: 'ignore' });
}

/** Of the sandbox's first process and all that descend from it, in PID namespaces below it as well. */
async function memory(): Promise<string> {
  const { tree } = JSON.parse(await readFile(join(stateDir, 'sandboxes', name, 'sandbox.json'), 'utf8')) as { tree: { pid: number } };
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const parents = new Map(await Promise.all(pids.map(async (pid) => [pid, await parentOf(pid)] as const)));
  const isOfTree = (pid = '0'): boolean => pid !== '0' && (pid === String(tree.pid) || isOfTree(parents.get(pid)));
  const sizes = await Promise.all(pids.filter((pid) => isOfTree(pid)).map(pss));
  return `${(sizes.reduce((sum, kib) => sum + kib, 0) / 2 ** 20).toFixed(2)} GiB`;
}

async function parentOf(pid: string): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return /^PPid:\s+(\d+)/m.exec(status)?.[1] ?? '0';
}

async function pss(pid: string): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
}
