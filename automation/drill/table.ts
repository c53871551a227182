import { brokenOf } from './exit-code.ts';
import { isBroken, isFinding } from './objective.ts';
import type { Objective } from './objective.ts';
import type { Report } from './report.ts';
import { formOf, percentage, rounded, telling, unitOf } from './show/digits.ts';
import { faultName, faultNumberOf, numberedFault } from './show/fault-name.ts';

/** The report as a person reads it on a terminal. Ends in a newline. */
export function renderTable(report: Report): string {
  const { plan } = report;
  const rows: string[][] = [
    ['produce', ...produceCells(report.produce, report.predicted?.produceBlackoutMs)],
    ...(report.consume ? [['consume', ...consumeCells(report.consume, report.predicted?.consumeBlackoutMs)]] : []),
    ...(report.log ? [['log', ...logCells(report.log)]] : []),
  ];
  return [
    `${faultName(report)} (${report.environment}), ${plan.rate} records/s: ${report.verdict.toUpperCase()}`,
    '',
    ...rows.map(([name = '', ...cells]) => `  ${name.padEnd(9)}${cells.join('   ')}`),
    ...report.produce.errors.map(({ class: name, count }) => `  ${''.padEnd(9)}${count} × ${name}`),
    '',
    ...regionTable(report),
    '',
    ...objectiveLines(report),
    ...firstAdvice(report),
    '',
  ].join('\n');
}

function produceCells({ sent, ok, failed, unknown, blackoutMs, latencyMs }: Report['produce'], boundMs: number | undefined): string[] {
  return [
    `sent ${sent}`, `ok ${ok}`, `failed ${failed}`, `unknown ${unknown}`,
    ...(latencyMs ? [`p50 ${ms(latencyMs.p50)}`, `p99 ${ms(latencyMs.p99)}`, `max ${ms(latencyMs.max)}`] : []),
    ...(blackoutMs === undefined ? [] : [gap(blackoutMs, boundMs)]),
  ];
}

function consumeCells({ delivered, redelivered, skipped, recreated, notRecreated = 0, blackoutMs }: NonNullable<Report['consume']>, boundMs: number | undefined): string[] {
  return [
    `delivered ${delivered}`, `redelivered ${redelivered}`, `skipped ${skipped}`,
    ...(recreated === undefined ? [] : [`re-created ${recreated}`]), ...(notRecreated === 0 ? [] : [`not re-created ${notRecreated}`]),
    ...(blackoutMs === undefined ? [] : [gap(blackoutMs, boundMs)]),
  ];
}

/** What was measured beside what the configuration allows. */
function gap(blackoutMs: number, boundMs: number | undefined): string {
  return `longest gap ${ms(blackoutMs)}${boundMs === undefined ? '' : ` (predicted <= ${ms(boundMs)})`}`;
}

function logCells({ ackedLost, offsetMismatch, phantom, reordered, unackedPresent, duplicates }: NonNullable<Report['log']>): string[] {
  const { clientRetry, proxyRetry = 0, unexplained } = duplicates;
  return [
    `acknowledged and lost ${ackedLost}`, `wrong offset ${offsetMismatch}`, `phantom ${phantom}`, ...(reordered === undefined ? [] : [`reordered ${reordered}`]),
    `duplicates ${clientRetry + proxyRetry + unexplained} (${unexplained} unexplained)`, `present though unacknowledged ${unackedPresent}`,
  ];
}

function regionTable(report: Report): string[] {
  const { regions } = report;
  const first = numberedFault(report, 1);
  const width = Math.max(9, ...regions.map(({ name }) => name.length + 2));
  const row = (name: string, cells: string[]): string => `  ${name.padEnd(width)}${cells.map((cell) => cell.padStart(9)).join('')}`;
  return [
    `${row('served by', ['before', 'during', 'after'])}${first === undefined ? '' : `   around ${first}`}`,
    ...regions.map(({ name, before, during, after }) => row(name, [before, during, after].map(percent))),
  ];
}

function percent(share: number | undefined): string {
  return share === undefined ? '-' : percentage(share);
}

/** All that are met fit in one line, and so do those that could not be measured; a person looks for the others, and for what was found though it was borne. */
function objectiveLines(report: Report): string[] {
  const { objectives, verdict } = report;
  const broken = brokenOf(objectives);
  const conditions = objectives.filter((objective) => isBroken(objective) && !broken.includes(objective));
  // Of a drill that failed, what it failed by.
  const missed = verdict === 'fail' ? [...broken, ...conditions] : [...conditions, ...broken];
  const unmeasured = objectives.filter(({ measured }) => measured === undefined);
  return [
    `  ${objectives.length - missed.length - unmeasured.length} of ${objectives.length} objectives and conditions met`,
    ...missed.flatMap((objective) => [
      `  NOT MET  ${named(objective, report)}: wanted ${objective.limit}, measured ${measuredIn(objective)}`,
      ...(objective.why === undefined ? [] : [`           ${objective.why}`]),
    ]),
    ...objectives.filter(isFinding).map((objective) => `  FOUND    ${objective.name}: measured ${measuredIn(objective)}, ${objective.why}`),
    ...(unmeasured.length === 0 ? [] : [`  not measured: ${unmeasured.map(({ name }) => name).join(', ')}`]),
  ];
}

/** Of several faults with the one that it is about. */
function named({ name }: Objective, report: Report): string {
  const number = faultNumberOf(name);
  const fault = number === undefined ? undefined : numberedFault(report, number);
  return fault === undefined ? name : `${name}, ${fault}`;
}

/** In tenths, and in smaller parts where it takes them to tell it from a limit that it missed. */
function measuredIn(objective: Objective): string {
  const { measured } = objective;
  if (typeof measured !== 'number') return String(measured);
  if (unitOf(objective) === 'share') return percentage(measured, telling(objective, formOf('share', measured)));
  return String(rounded(measured, telling(objective, { size: 1, digits: 1 })));
}

/** The most valuable thing to change; the page has the others. */
function firstAdvice({ verdict, advice: [first, ...others] = [] }: Report): string[] {
  return verdict === 'pass' || first === undefined ? [] : ['', `  to change: ${first}${others.length > 0 ? ` (${others.length} more in the report)` : ''}`];
}

/** A time on a terminal. */
export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
