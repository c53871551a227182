/**
 * What the sandbox costs on this machine: `npm run bench`. Warm caches; prints one table.
 * Memory is the proportional set size (shared pages divided among those who share them) of every process of the sandbox.
 */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { familyOf } from '../sandbox/family.ts';
import { BenchKbf } from './kbf.ts';
import { runBench } from './run.ts';

const rows: [string, string][] = [];

await runBench(async (signal) => {
  await using kbf = await BenchKbf.open(signal);
  const timed = async (what: string, args: string[]): Promise<void> => {
    const startedAt = performance.now();
    await kbf.run(args);
    rows.push([what, `${((performance.now() - startedAt) / 1000).toFixed(1)} s`]);
  };
  await timed('four clusters ready', ['sandbox', 'up', '--name', 'bench']);
  rows.push(['memory of the empty sandbox', await memory(kbf)]);
  await timed('up from nothing', ['up', '--sandbox', 'bench']);
  rows.push(['memory with the program', await memory(kbf)]);
  await timed('up without a change', ['up', '--sandbox', 'bench']);
  await timed('destroy', ['destroy', '--sandbox', 'bench']);
  await timed('sandbox down', ['sandbox', 'down', '--name', 'bench']);
  await timed('demo --seconds 20, all of it', ['demo', '--seconds', '20']);
  console.log(`on ${String(cpus().length)} cores, warm caches`);
  for (const [what, figure] of rows) console.log(`${what.padEnd(34)} ${figure}`);
});

/** Of the sandbox's first process and all that descend from it, in PID namespaces below it as well. */
async function memory({ sandboxDir }: BenchKbf): Promise<string> {
  const { tree } = JSON.parse(await readFile(join(sandboxDir, 'sandbox.json'), 'utf8')) as { tree: { pid: number } };
  const sizes = await Promise.all((await familyOf(tree.pid)).map(pss));
  return `${(sizes.reduce((sum, kib) => sum + kib, 0) / 2 ** 20).toFixed(2)} GiB`;
}

async function pss(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
}
