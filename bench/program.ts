/**
 * What the program costs: `npm run bench:program [-- --regions 2,3,4]`. On a sandbox of its own it compares `kbf up` and `kbf destroy` with the same objects by
 * kubectl, with the same waits, in turn on the same clusters; then it runs `up` with more regions, as many as this machine has memory for, and the program alone, without clusters, with 2 to 8.
 */
import { cpus, loadavg } from 'node:os';

import { BenchKbf } from './kbf.ts';
import { apply, objectsOfState, remove } from './kubectl.ts';
import { median } from './median.ts';
import { peakOf } from './peak.ts';
import { fresh } from './regions.ts';
import { runBench } from './run.ts';

const regions = /^--regions=?(.*)$/.exec(process.argv.slice(2).join('='))?.[1]?.split(',').map(Number) ?? [2, 3, 4];
const rows: [what: string, measured: string, target: string][] = [];
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

await runBench(async (signal) => {
  try {
    await onSandbox(signal);
    const [two, ...others] = await inTurn([2, 4, 6, 8], (count) => fresh(count, signal));
    for (const { count, objects: made, cpuMs, peakMiB } of others) {
      rows.push([`the program alone, ${String(count)} regions, ${String(made)} objects`, `${(cpuMs / 1000).toFixed(2)} s of CPU, ${(cpuMs / (two?.cpuMs ?? 0)).toFixed(2)} times; ${String(Math.round(peakMiB))} MiB`, `≤ ${(made / (two?.objects ?? 0)).toFixed(2)} times`]);
    }
  } finally {
    console.log(`on ${String(cpus().length)} cores, warm caches, load average ${loadavg().map((each) => each.toFixed(1)).join(' ')}`);
    for (const [what, measured, target] of rows) console.log(`${what.padEnd(46)} ${measured.padEnd(52)} ${target}`);
  }
});

async function onSandbox(signal: AbortSignal): Promise<void> {
  await using kbf = await BenchKbf.open(signal);
  const { kubectl } = kbf;
  await sandboxUp(kbf, 2);
  const first = await timed(kbf, 'up');
  const second = Math.min(...await inTurn([1, 2, 3], async () => (await timed(kbf, 'up')).ms));
  const objects = await objectsOfState(kbf.sandboxDir, kubectl);
  await timed(kbf, 'destroy');
  // In turn, so that both find the same clusters: right behind `sandbox up` these are still busy with themselves.
  const rounds = await inTurn([1, 2, 3], async () => ({
    byKubectl: await apply(objects, kubectl), deletion: await remove(objects, kubectl),
    up: (await timed(kbf, 'up')).ms, destroy: (await timed(kbf, 'destroy')).ms,
  }));
  await sandboxDown(kbf);
  const of = (what: keyof typeof rounds[number]): number => median(rounds.map((each) => each[what]));
  const [up, byKubectl, destroy, deletion] = [of('up'), of('byKubectl'), of('destroy'), of('deletion')];
  rows.push(
    ['up right behind sandbox up', seconds(first.ms), ''],
    [`up from nothing, ${String(objects.length)} objects, median of 3`, `${seconds(up)}, ${(up / byKubectl).toFixed(2)} of kubectl apply's ${seconds(byKubectl)}`, '≤ 1.3'],
    ['up without a change, best of 3', seconds(second), '≤ 6 s'],
    ['destroy, median of 3', `${seconds(destroy)}, ${(destroy / deletion).toFixed(2)} of kubectl delete's ${seconds(deletion)}`, '≤ 0.6'],
    ['memory of the program, 2 regions', `${String(Math.round(first.peakMiB))} MiB`, '< 400 MiB'],
  );
  for (const count of regions.filter((each) => each > 2)) {
    await sandboxUp(kbf, count);
    const { peakMiB } = await timed(kbf, 'up');
    const more = (await objectsOfState(kbf.sandboxDir, kubectl)).length;
    const ups = await inTurn([1, 2, 3], async () => {
      await timed(kbf, 'destroy');
      return (await timed(kbf, 'up')).ms;
    });
    await sandboxDown(kbf);
    rows.push([`up, ${String(count)} regions, ${String(more)} objects, median of 3`, `${seconds(median(ups))}, ${(median(ups) / up).toFixed(2)} times; ${String(Math.round(peakMiB))} MiB`, `≤ ${(more / objects.length).toFixed(2)} times`]);
  }
}

async function sandboxUp(kbf: BenchKbf, count: number): Promise<void> {
  await kbf.run(['sandbox', 'up', '--name', 'bench', '--regions', String(count)]);
}

async function sandboxDown(kbf: BenchKbf): Promise<void> {
  await kbf.run(['sandbox', 'down', '--name', 'bench']);
}

/** One operation, with the time it takes as a person sees it and the most memory that Pulumi's language host had. */
async function timed(kbf: BenchKbf, operation: 'up' | 'destroy'): Promise<{ ms: number; peakMiB: number }> {
  const startedAt = performance.now();
  const peakMiB = await peakOf(/@pulumi\/pulumi\/cmd\/run\/index\.js.*kbf-bench-|kbf-bench-.*@pulumi\/pulumi\/cmd\/run/, async () => { await kbf.run([operation, '--sandbox', 'bench']); });
  return { ms: performance.now() - startedAt, peakMiB };
}

async function inTurn<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}
