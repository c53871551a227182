import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../errors.ts';
import { heard } from '../listener.ts';
import { comesAfterFailures } from './conditions.ts';
import { failureBound, median, medianInterval, shareBelowWorst } from './confidence.ts';
import { exitCodeOf, exitCodeOfAll } from './exit-code.ts';
import { objectiveNames } from './objective-text.ts';
import { valueAt } from './objectives.ts';
import { planOf } from './options.ts';
import type { DrillOptions } from './options.ts';
import { driverEnded } from './report.ts';
import type { Report, RunRecord } from './report.ts';
import { inTurn, plannedFaults } from './show/fault-name.ts';
import { renderSeriesJunit } from './show/junit.ts';
import { seriesPageOf } from './show/page.ts';
import { renderSeries } from './show/series.ts';
import { whyOf } from './show/summary.ts';
import { plural } from './show/words.ts';
import { stackDifferences } from './stack-differences.ts';
import { mustTakeReport } from './store.ts';
import { readReport, readRun, writeDocument, writeWhole } from './stored.ts';
import { ms } from './table.ts';

export interface RepeatPlan {
  /** How often. */
  repeat: number;
  /** Of the first run; each other has the next one. */
  seed: number;
}

/** One figure over all runs that answered their question. */
export interface RepeatedFigure {
  name: string;
  unit: 'ms' | 'share' | 'count';
  /** Runs that measured it. */
  runs: number;
  median: number;
  worst: number;
  /** Holds the median of all runs to come, with so much confidence. Absent with fewer than 6 runs. */
  medianInterval?: { from: number; to: number; confidence: number };
}

export interface RepeatSummary {
  schema: 'kbf-repeat/1';
  environment: string;
  /** The plan's first. */
  fault: string;
  region: string;
  /** All of its plan, in their order. */
  faults: { fault: string; region: string }[];
  /** Directory, seed and verdict of each run, within the directory of the summary; `reason` is why it was not carried out to its end, `why` in a few words why it did not pass. */
  runs: { directory: string; seed: number; verdict: Report['verdict']; reason?: string; why?: string }[];
  counts: Record<Report['verdict'], number>;
  figures: RepeatedFigure[];
  /** What follows for runs to come, in sentences that a reader can check. */
  confidence: string[];
}

export interface RepeatResult {
  summary: RepeatSummary;
  /** 0 all passed, 3 one failed or had broken an objective when it ended itself, 4 none did and one was inconclusive or ended itself, 130 interrupted. */
  exitCode: 0 | 3 | 4 | 130;
}

/** A run of a series that came to its end. */
export interface SeriesRun {
  /** Within the directory of the series. */
  directory: string;
  seed: number;
  report: Report;
}

type RunOnce = (options: DrillOptions) => Promise<{ report: Report; exitCode: number }>;

/**
 * Runs the same drill several times, each in a directory of its own (run-001 …), with repeat.json, repeat.html and junit.xml over them. A run that has its report is not run
 * again, so that a series which was interrupted goes on; one that was interrupted itself, or whose driver was killed, is put aside and run again. How many are kept is told.
 * Throws as a single drill does, also where one is aborted that does not hold the stack's Lease yet: those before it stand. Throws a UserError where runs are of another drill or of a stack with
 * other settings or versions: with 2 where they were there before, and nothing was run, with 1 where the stack became another one: that run is put aside.
 */
export async function repeatDrill(options: DrillOptions, { repeat, seed }: RepeatPlan, runOnce: RunOnce): Promise<RepeatResult> {
  options.signal?.throwIfAborted();
  mustTakeReport(options.reportDir, { series: true });
  await mkdir(options.reportDir, { recursive: true });
  const wanted = Array.from({ length: repeat }, (_, i) => {
    const directory = `run-${String(i + 1).padStart(3, '0')}`;
    return { directory, run: { ...options, seed: seed + i, reportDir: path.join(options.reportDir, directory) } };
  });
  const runs: (SeriesRun | undefined)[] = [];
  for (const { directory, run } of wanted) {
    const report = await reportOf(run);
    runs.push(report && { directory, seed: report.plan.seed, report });
  }
  const done = (): SeriesRun[] => runs.filter((run) => run !== undefined);
  mustBeOfOneStack(options.reportDir, done());
  if (done().length > 0) heard(options.onEvent)({ kind: 'phase', t: 0, phase: 'report', detail: keptText(done(), repeat) });
  let interrupted = false;
  for (const [i, { directory, run }] of wanted.entries()) {
    if (runs[i] !== undefined) continue;
    if (options.signal?.aborted === true) break;
    await putAside(run.reportDir, 'cut');
    const { report, exitCode } = await runOnce(run);
    interrupted = exitCode === 130;
    const [other] = interrupted ? [] : onOtherStack(report, done());
    if (other === undefined && !interrupted) runs[i] = { directory, seed: seed + i, report };
    await writeSeries(options.reportDir, done());
    if (other !== undefined) {
      throw new UserError(`the stack is not what it was in ${other.directory} any more (${other.differences.join('; ')}): what was run on it as it is now is kept as ${await putAside(run.reportDir, 'other')}, out of the series`,
        { remedy: 'name another directory with --report for a series on the stack as it is, or bring back what it was and begin this one again' });
    }
    if (interrupted) break;
  }
  const summary = await writeSeries(options.reportDir, done());
  return { summary, exitCode: interrupted || options.signal?.aborted === true ? 130 : exitCodeOfAll(done().map(({ report }) => report)) };
}

/** Of runs that are not run again: how many, and since when they are there. */
function keptText(kept: readonly SeriesRun[], repeat: number): string {
  const begun = kept.map(({ report }) => report.startedAt).sort();
  const [first = '', last = ''] = [begun[0], begun.at(-1)].map((time) => time?.replace(/\.\d+Z$/, 'Z'));
  const when = first === last ? `of ${first}` : `of ${first} to ${last}`;
  return kept.length === repeat ? `all ${repeat} runs were there already, ${when}; nothing was run` : `${kept.length} of ${repeat} runs were there already, ${when}; they are kept, the others are run`;
}

function mustBeOfOneStack(reportDir: string, kept: readonly SeriesRun[]): void {
  for (const [i, { directory, report }] of kept.entries()) {
    const [other] = onOtherStack(report, kept.slice(0, i));
    if (other !== undefined) throw new UserError(`${path.join(reportDir, directory)} holds the report of another drill than ${other.directory}: its stack was another one (${other.differences.join('; ')})`, { exitCode: 2, remedy: 'name another directory with --report' });
  }
}

/** Those of the runs whose stack had other settings or versions. */
function onOtherStack(report: Report, runs: readonly SeriesRun[]): { directory: string; differences: string[] }[] {
  return runs.map(({ directory, report: before }) => ({ directory, differences: stackDifferences(before, report) })).filter(({ differences }) => differences.length > 0);
}

/** What is said over the runs so far; of none there is nothing to be shown. */
async function writeSeries(directory: string, runs: readonly SeriesRun[]): Promise<RepeatSummary> {
  const summary = summarize(runs);
  await writeDocument(path.join(directory, 'repeat.json'), summary);
  const [first, ...others] = runs;
  if (first !== undefined) {
    await writeWhole(seriesPageOf(directory), renderSeries(summary, [first, ...others]));
    await writeWhole(path.join(directory, 'junit.xml'), renderSeriesJunit(runs));
  }
  return summary;
}

/** The report that is there already, of the same drill; undefined where there is none, or where it is of a run that was cut off. */
async function reportOf(options: DrillOptions): Promise<Report | undefined> {
  const { reportDir } = options;
  if (!existsSync(path.join(reportDir, 'report.json')) || wasCutOff(await readRun(reportDir))) return undefined;
  const report = await readReport(reportDir);
  const others = unlike(report, options);
  if (others.length > 0) throw new UserError(`${reportDir} holds the report of another drill (${others.join(', ')})`, { exitCode: 2, remedy: 'name another directory with --report' });
  return report;
}

/** What a report has that this drill has not: of the place and of the whole plan, but for what each run draws anew. */
function unlike({ environment, plan }: Report, options: DrillOptions): string[] {
  const there: Record<string, unknown> = { environment, ...plan };
  // As it would be stored.
  const here = JSON.parse(JSON.stringify({ environment: options.environment, ...planOf(options).plan })) as Record<string, unknown>;
  return Object.keys({ ...there, ...here })
    .filter((name) => name !== 'run' && name !== 'topic' && !isDeepStrictEqual(there[name], here[name]))
    .map((name) => (there[name] === undefined ? `no ${name}` : `${name} ${typeof there[name] === 'string' ? there[name] : JSON.stringify(there[name])}`));
}

/** Nothing of its own ended it. One that ended itself answered: to run it again would drop a failure. */
function wasCutOff({ ending, interrupted }: RunRecord): boolean {
  return interrupted === true || isDeepStrictEqual(ending, driverEnded);
}

/** What a killed or interrupted run left, or one on another stack, is evidence too, but no run of the series. Returns where it is then. */
async function putAside(directory: string, why: 'cut' | 'other'): Promise<string> {
  let number = 1;
  while (existsSync(`${directory}-${why}-${number}`)) number += 1;
  const aside = `${directory}-${why}-${number}`;
  if (existsSync(directory)) await rename(directory, aside);
  return aside;
}

/**
 * Pure. Figures are over the runs that passed or failed, came to their end and were carried out as planned: of the others they are of a part of a drill, or answer no question. How sure it is
 * that objectives are kept is also over those that had broken one when they ended themselves, or damaged data though a condition was not met.
 */
export function summarize(runs: readonly SeriesRun[]): RepeatSummary {
  const counts = { pass: 0, fail: 0, inconclusive: 0, aborted: 0 };
  for (const { report } of runs) counts[report.verdict] += 1;
  const reports = runs.map(({ report }) => report).filter(isMeasure);
  const figures = objectiveNames([]).flatMap(({ name, unit }) => figureOf(name, unit, reports.flatMap((report) => valueAt(name, report) ?? [])));
  const first = runs[0]?.report;
  return {
    schema: 'kbf-repeat/1', environment: first?.environment ?? '', fault: first?.plan.fault ?? '', region: first?.plan.region ?? '', faults: first === undefined ? [] : plannedFaults(first),
    runs: runs.map(({ directory, seed, report }) => ({ directory, seed, verdict: report.verdict, ...(report.reason === undefined ? {} : { reason: report.reason }), ...(report.verdict === 'pass' ? {} : { why: whyOf(report) }) })),
    counts, figures, confidence: confidenceOf(runs, figures),
  };
}

/** Damage to data fails a drill also where its fault never took hold, say: that one's gaps are no gaps of the fault. */
function isMeasure({ verdict, reason, objectives }: Report): boolean {
  return reason === undefined && (verdict === 'pass' || verdict === 'fail') && objectives.every((objective) => objective.met || !objective.name.startsWith('condition.') || comesAfterFailures(objective));
}

/** Where more is better the worst is the least. */
function figureOf(name: string, unit: RepeatedFigure['unit'], values: readonly number[]): RepeatedFigure[] {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = median(sorted);
  const worst = name === 'produce.ok' || name === 'consume.delivered' ? sorted[0] : sorted.at(-1);
  if (middle === undefined || worst === undefined) return [];
  const interval = medianInterval(sorted);
  return [{ name, unit, runs: sorted.length, median: middle, worst, ...(interval === undefined ? {} : { medianInterval: interval }) }];
}

function confidenceOf(series: readonly SeriesRun[], figures: readonly RepeatedFigure[]): string[] {
  const answered = series.filter(({ report }) => exitCodeOf(report) !== 4);
  const runs = answered.length;
  if (runs === 0) return ['No run answered its question.'];
  const gap = figures.find(({ name }) => name === 'produce.blackoutMs');
  return [
    ofFailures(answered.filter(({ report }) => exitCodeOf(report) === 3).length, runs, population('that answer their question', series.length - runs, `of these ${series.length} drills did not answer theirs`)),
    // What a drill that ended itself would have measured is unknown.
    ...(gap === undefined ? [] : ofGap(gap, population('that run to their end and answer their question', series.length - gap.runs, `of these ${series.length} drills did not`))),
  ];
}

/** Of whom something follows. Which drills are left out may hang on what they would have measured, so that nothing follows of those. */
interface Population {
  all: string;
  leftOut: string;
}

function population(such: string, others: number, didNot: string): Population {
  return others === 0 ? { all: 'all such drills', leftOut: '' } : { all: `all such drills ${such}`, leftOut: `; ${others} ${didNot}` };
}

/** Where every run failed nothing bounds from above how many will; from below it is the worst of n turned round. */
function ofFailures(failures: number, runs: number, { all, leftOut }: Population): string {
  const [bound, how] = failures === runs ? [`more than ${percent(shareBelowWorst(runs))}`, `0.05^(1/${runs})`]
    : [`fewer than ${percent(failureBound(runs, failures))}`, failures === 0 ? `1 - 0.05^(1/${runs})` : `Clopper and Pearson's upper bound, n ${runs}, k ${failures}`];
  return `${failures} of ${plural(runs, 'run')} broke an objective: with 95 % confidence ${bound} of ${all} do (${how})${leftOut}.`;
}

function ofGap({ runs, worst, medianInterval: interval }: RepeatedFigure, { all, leftOut }: Population): string[] {
  return [
    interval === undefined ? `${plural(runs, 'run')} ${runs === 1 ? 'is' : 'are'} too few for an interval of the median gap; it takes 6.`
      : `The median gap of ${all} is between ${ms(interval.from)} and ${ms(interval.to)} with ${percent(interval.confidence)} confidence (order statistics of ${runs} runs)${leftOut}.`,
    `With 95 % confidence at least ${percent(shareBelowWorst(runs))} of ${all} have no gap above ${ms(worst)}, the worst of these (0.05^(1/${runs}))${leftOut}.`,
  ];
}

/** As a person reads it on a terminal. Ends in a newline. */
export function renderRepeat({ environment, faults, runs, counts, figures, confidence }: RepeatSummary): string {
  if (runs.length === 0) return 'No drill of the series came to its end.\n';
  const shown = ({ unit }: RepeatedFigure, value: number): string => (unit === 'ms' ? ms(value) : String(value));
  const width = Math.max(8, ...figures.map(({ name }) => name.length));
  const line = (name: string, ...cells: string[]): string => `  ${name.padEnd(width)}${cells.map((cell) => cell.padStart(12)).join('')}`;
  return [
    `${inTurn(faults)} (${environment}), ${plural(runs.length, 'run')}: ${Object.entries(counts).filter(([, count]) => count > 0).map(([verdict, count]) => `${count} ${verdict}`).join(', ')}`, '',
    line('', 'median', 'worst', 'runs'),
    ...figures.map((figure) => line(figure.name, shown(figure, figure.median), shown(figure, figure.worst), String(figure.runs))),
    '', ...confidence.map((sentence) => `  ${sentence}`),
    ...runs.filter(({ verdict }) => verdict !== 'pass').map(({ directory, verdict, why, seed }) => `  ${directory} (seed ${seed}): ${verdict}${why === undefined ? '' : `, ${why}`}`),
    '',
  ].join('\n');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
