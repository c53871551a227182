/**
 * What failover costs: `npm run bench:drill [-- --faults=bridge-kill,bridge-hang] [--variants=as-configured,no-sidecar,cold,assigned,client-retry] [--repeat=N]
 * [--rate=200] [--connections=4] [--dir=DIR]`. On a sandbox of its own it repeats a drill for each variant and fault, with seeds 1, 2, …, and prints median and worst beside
 * what is aimed at, and whether that is met. It ends with 1 where an acknowledged record was lost, a duplicate has no explanation, or conclusive drills missed an aim. So many connections carry so many records a second only where one takes 20 ms: a slower machine is measured with a lower rate. Runs that have their
 * report are not run again, so an interrupted bench goes on where it was.
 */
import { existsSync } from 'node:fs';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse, stringify } from 'yaml';
import type { RepeatSummary } from '../automation/drill/repeat.ts';
import { aimOf, aims, variants } from './drill-aims.ts';
import type { Limits, Variant } from './drill-aims.ts';
import { aimText, missed, resultOf } from './drill-result.ts';
import type { Judged } from './drill-result.ts';
import { BenchKbf } from './kbf.ts';
import { runBench } from './run.ts';

const { values } = parseArgs({
  options: {
    faults: { type: 'string' }, variants: { type: 'string', default: 'as-configured' }, repeat: { type: 'string' }, dir: { type: 'string', default: '.kbf/bench/drill' },
    rate: { type: 'string', default: '200' }, connections: { type: 'string', default: '4' },
  },
});
const chosen = values.variants.split(',').map((name): [string, Variant] => [name, variants[name] ?? unknownVariant(name)]);
const reports = resolve(values.dir);
const rows: string[][] = [['variant', 'fault', 'runs', 'lost most', 'gap median/worst', 'worst of predicted', 'consumers median/worst', 'acked lost', 'unexplained', 'aim', 'result']];

await runBench(async (signal) => {
  try {
    await using kbf = await BenchKbf.open(signal);
    await using work = await mkdtempDisposable(join(tmpdir(), 'kbf-bench-drill-'));
    await kbf.run(['sandbox', 'up', '--name', 'bench']);
    for (const [name, variant] of chosen) {
      const config = await settingsOf(variant, work.path);
      await kbf.run(['up', '--sandbox', 'bench', '--config', config]);
      if (variant.sidecars === false) await injectSidecars(kbf, false);
      for (const fault of values.faults?.split(',') ?? Object.keys(aims)) {
        const { repeat, aim, held } = aimOf(variant, fault);
        const report = join(reports, name, fault);
        const plan = join(work.path, 'plan.yaml');
        if (held !== undefined) await writeFile(plan, stringify([{ do: { fault, region: 'east', for: `${String(held.forSeconds)}s` } }]));
        // Broken objectives are what is measured here, not a reason to end.
        await kbf.run([
          'drill', '--sandbox', 'bench', '--config', config, ...(held === undefined ? ['--fault', fault] : ['--plan', plan]), '--region', 'east', '--rate', values.rate, '--connections', values.connections,
          '--duration', `${String(held?.durationSeconds ?? 12)}s`, '--seed', '1',
          '--repeat', values.repeat ?? String(repeat), '--report', report, ...variant.flags ?? [],
        ], { allowed: [0, 3, 4] });
        if (existsSync(join(report, 'repeat.json'))) rows.push(await rowOf(name, fault, report, aim));
        console.log(rows.at(-1)?.join('   '));
      }
      if (variant.sidecars === false) await injectSidecars(kbf, true);
    }
  } finally {
    console.log(`\n${values.rate} records/s over ${values.connections} connections, on ${String(cpus().length)} cores, load average ${loadavg().map((each) => each.toFixed(1)).join(' ')}; reports in ${reports}`);
    const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
    for (const row of rows) console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  }
});

function unknownVariant(name: string): never {
  console.error(`there is no variant ${name}: ${Object.keys(variants).join(', ')}`);
  process.exit(2);
}

/** A file of the sandbox's own settings with those of the variant. */
async function settingsOf({ settings }: Variant, directory: string): Promise<string> {
  const stack = parse(await readFile(join(import.meta.dirname, '../Pulumi.dev.yaml'), 'utf8')) as { config: Record<string, object> };
  const key = 'kafka-bridge-failover:tier1';
  stack.config[key] = { ...stack.config[key], ...settings?.tier1 };
  const file = join(directory, 'Pulumi.dev.yaml');
  await writeFile(file, stringify(stack));
  return file;
}

/** Makes the bridges' pods anew, with sidecars or without. The program asks for them always. */
async function injectSidecars({ kubectl }: BenchKbf, wanted: boolean): Promise<void> {
  for (const region of ['east', 'west']) {
    await kubectl(region, ['label', '--overwrite', 'namespace', 'kafka-bridge', wanted ? 'istio-injection=enabled' : 'istio-injection-']);
    await kubectl(region, ['rollout', 'restart', '-n', 'kafka-bridge', 'deployment/kafka-bridge-bridge']);
    await kubectl(region, ['rollout', 'status', '-n', 'kafka-bridge', '--timeout=120s', 'deployment/kafka-bridge-bridge']);
  }
}

/** The exit code is 1 from the first row on that has damage or an aim that was missed. */
async function rowOf(variant: string, fault: string, report: string, aim: Limits): Promise<string[]> {
  const { runs } = JSON.parse(await readFile(join(report, 'repeat.json'), 'utf8')) as RepeatSummary;
  const result = resultOf(await Promise.all(runs.map(async ({ directory }) => JSON.parse(await readFile(join(report, directory, 'report.json'), 'utf8')) as Judged)));
  const connections = Number(values.connections);
  const wrong = missed(result, aim, connections);
  if (wrong.length > 0) process.exitCode = 1;
  const pair = (median?: number, worst?: number): string => (median === undefined || worst === undefined ? '-' : `${median.toFixed(0)}/${worst.toFixed(0)} ms`);
  return [
    variant, fault, `${String(result.conclusive)} of ${String(runs.length)}`, String(result.lostMost ?? '-'), pair(result.gapMedianMs, result.gapWorstMs), result.timesPredicted === undefined ? '-' : `${result.timesPredicted.toFixed(2)} times`,
    pair(result.consumersMedianMs, result.consumersWorstMs), String(result.ackedLost), String(result.unexplained), aimText(aim, connections),
    wrong.length > 0 ? `MISSED: ${wrong.join(', ')}` : result.conclusive === 0 ? 'no conclusive drill' : 'met',
  ];
}
