/**
 * What failover costs: `npm run bench:drill [-- --faults=bridge-kill,bridge-hang] [--repeat=N] [--dir=DIR]`. On a sandbox of its own it repeats a drill for each fault,
 * 200 records/s over 4 connections, with seeds 1, 2, …, and prints median and worst beside what is aimed at. Runs that have their report are not run again, so an
 * interrupted bench goes on where it was.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { RepeatSummary } from '../automation/drill/repeat.ts';
import { BenchKbf } from './kbf.ts';
import { runBench } from './run.ts';

/** The aims, for faults whose figures somebody relies on. */
const aims: Readonly<Record<string, { repeat: number; aim: string }>> = {
  'bridge-scale-0': { repeat: 20, aim: '0 failed, gap ≤ 100 ms' },
  'tier1-restart': { repeat: 5, aim: '0 failed, gap ≤ 100 ms' },
  'fail-back': { repeat: 5, aim: '0 failed, gap ≤ 100 ms' },
  'bridge-kill': { repeat: 20, aim: '≤ 4 lost, gap median ≤ 60, worst ≤ 150 ms; consumers ≤ 8 s' },
  'bridge-terminate': { repeat: 5, aim: '≤ 4 lost, gap median ≤ 150 ms' },
  'bridge-hang': { repeat: 20, aim: 'in flight until found; gap ≤ predicted' },
  'gateway-black-hole': { repeat: 5, aim: 'in flight until found; gap ≤ predicted' },
  'bridge-cut-from-kafka': { repeat: 5, aim: 'moved away within delivery.timeout + 3 s' },
  'both-regions-blip': { repeat: 5, aim: 'served again ≤ 3 s after' },
};

const { values } = parseArgs({ options: { faults: { type: 'string' }, repeat: { type: 'string' }, dir: { type: 'string', default: '.kbf/bench/drill' } } });
const reports = resolve(values.dir);
const rows: string[][] = [['fault', 'runs', 'lost median/worst', 'gap median/worst', 'consumers median/worst', 'acked lost', 'unexplained', 'aim']];

await runBench(async (signal) => {
  try {
    await using kbf = await BenchKbf.open(signal);
    await kbf.run(['sandbox', 'up', '--name', 'bench']);
    await kbf.run(['up', '--sandbox', 'bench']);
    for (const fault of values.faults?.split(',') ?? Object.keys(aims)) {
      const { repeat, aim } = aims[fault] ?? { repeat: 5, aim: '' };
      const report = join(reports, fault);
      // Broken objectives are what is measured here, not a reason to end.
      await kbf.run(['drill', '--sandbox', 'bench', '--fault', fault, '--rate', '200', '--connections', '4', '--duration', '12s', '--seed', '1', '--repeat', values.repeat ?? String(repeat), '--report', report], { allowed: [0, 3, 4] });
      if (existsSync(join(report, 'repeat.json'))) rows.push(rowOf(fault, JSON.parse(await readFile(join(report, 'repeat.json'), 'utf8')) as RepeatSummary, aim));
      console.log(rows.at(-1)?.join('   '));
    }
  } finally {
    console.log(`\non ${String(cpus().length)} cores, load average ${loadavg().map((each) => each.toFixed(1)).join(' ')}; reports in ${reports}`);
    const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
    for (const row of rows) console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  }
});

function rowOf(fault: string, { runs, counts, figures }: RepeatSummary, aim: string): string[] {
  const of = (name: string, unit = ''): string => {
    const figure = figures.find((each) => each.name === name);
    return figure === undefined ? '-' : `${figure.median.toFixed(0)}/${figure.worst.toFixed(0)}${unit}`;
  };
  const worst = (name: string): string => String(figures.find((each) => each.name === name)?.worst ?? '-');
  const answered = counts.pass + counts.fail;
  return [fault, `${String(answered)} of ${String(runs.length)}`, `${of('produce.failed')} + ${of('produce.unknown')}`, of('produce.blackoutMs', ' ms'), of('consume.blackoutMs', ' ms'), worst('log.ackedLost'), worst('log.duplicates.unexplained'), aim];
}
