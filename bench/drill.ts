/**
 * What failover costs: `npm run bench:drill [-- --faults=bridge-kill,bridge-hang] [--variants=as-configured,no-sidecar,cold,assigned,client-retry] [--repeat=N]
 * [--rate=200] [--connections=4] [--dir=DIR]`. On a sandbox of its own it repeats a drill for each variant and fault, with seeds 1, 2, …, and prints median and worst beside
 * what is aimed at. So many connections carry so many records a second only where one takes 20 ms: a slower machine is measured with a lower rate. Runs that have their
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
import type { Variant } from './drill-aims.ts';
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
const rows: string[][] = [['variant', 'fault', 'runs', 'lost median/worst', 'gap median/worst', 'worst of predicted', 'consumers median/worst', 'acked lost', 'unexplained', 'aim']];

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
        const { repeat, aim } = aimOf(variant, fault);
        const report = join(reports, name, fault);
        // Broken objectives are what is measured here, not a reason to end.
        await kbf.run([
          'drill', '--sandbox', 'bench', '--config', config, '--fault', fault, '--region', 'east', '--rate', values.rate, '--connections', values.connections, '--duration', '12s', '--seed', '1',
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

async function rowOf(variant: string, fault: string, report: string, aim: string): Promise<string[]> {
  const { runs, counts, figures } = JSON.parse(await readFile(join(report, 'repeat.json'), 'utf8')) as RepeatSummary;
  const of = (name: string, unit = ''): string => {
    const figure = figures.find((each) => each.name === name);
    return figure === undefined ? '-' : `${figure.median.toFixed(0)}/${figure.worst.toFixed(0)}${unit}`;
  };
  const worst = (name: string): string => String(figures.find((each) => each.name === name)?.worst ?? '-');
  const answered = counts.pass + counts.fail;
  const shares = await Promise.all(runs.map(async ({ directory }) => {
    const { produce, predicted } = JSON.parse(await readFile(join(report, directory, 'report.json'), 'utf8')) as { produce: { blackoutMs?: number }; predicted?: { produceBlackoutMs?: number } };
    return predicted?.produceBlackoutMs === undefined || produce.blackoutMs === undefined ? undefined : produce.blackoutMs / predicted.produceBlackoutMs;
  }));
  const known = shares.filter((share) => share !== undefined);
  return [
    variant, fault, `${String(answered)} of ${String(runs.length)}`, `${of('produce.failed')} + ${of('produce.unknown')}`, of('produce.blackoutMs', ' ms'), known.length === 0 ? '-' : `${Math.max(...known).toFixed(2)} times`,
    of('consume.blackoutMs', ' ms'), worst('log.ackedLost'), worst('log.duplicates.unexplained'), aim,
  ];
}
