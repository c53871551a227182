import { isFinding } from '../objective.ts';
import type { Objective } from '../objective.ts';
import type { Report } from '../report.ts';
import { faultName, plannedFaults } from './fault-name.ts';
import { escape } from './markup.ts';
import { reasonOf } from './summary.ts';
import { isCondition, limit, meaning, measured } from './words.ts';

/**
 * The report as JUnit XML, for a CI system: a test case for each objective and condition. What was missed is a failure; a condition that was not
 * fulfilled and what was not measured is an error, as nothing was found out; and a drill that was ended early is one too. What was found of an objective that is met is its output.
 * Elements and attributes as in https://github.com/testmoapp/junitxml, which describes what CI systems read.
 */
export function renderJunit(report: Report): string {
  return testSuites([suiteOf(report)]);
}

/** The same of a series: a suite for each run, whose cases carry its directory, as CI systems tell cases apart by their names. */
export function renderSeriesJunit(runs: readonly { directory: string; report: Report }[]): string {
  return testSuites(runs.map(({ directory, report }) => suiteOf(report, directory)));
}

interface Suite {
  report: Report;
  cases: Case[];
  xml: string;
}

function testSuites(suites: readonly Suite[]): string {
  const time = suites.reduce((sum, { report }) => sum + seconds(report), 0);
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${attributes(suites.flatMap(({ cases }) => cases), time)}>
${suites.map(({ xml }) => xml).join('')}</testsuites>
`;
}

function suiteOf(report: Report, directory?: string): Suite {
  const where: Where = { report, classname: ['drill', plannedFaults(report).map(({ fault }) => fault).join('+'), ...(directory === undefined ? [] : [directory])].join('.') };
  const cases = [...report.objectives.map((objective) => testCase(where, objective)), ...wholeDrill(where)];
  const name = `failover drill: ${faultName(report)}, ${report.environment}${directory === undefined ? '' : `, ${directory}`}`;
  return {
    report, cases, xml: `  <testsuite name="${escape(name)}" timestamp="${escape(report.startedAt)}" ${attributes(cases, seconds(report))}>
    <properties>
${properties(report).map(([key, value]) => `      <property name="${escape(key)}" value="${escape(value)}"/>\n`).join('')}    </properties>
${cases.map(({ xml }) => xml).join('')}  </testsuite>
`,
  };
}

function attributes(cases: readonly Case[], timeSeconds: number): string {
  return `tests="${cases.length}" failures="${count(cases, 'failure')}" errors="${count(cases, 'error')}" skipped="0" time="${timeSeconds.toFixed(1)}"`;
}

/** What a case is of. */
interface Where {
  report: Report;
  classname: string;
}

interface Case {
  result: 'passed' | 'failure' | 'error';
  xml: string;
}

function testCase(where: Where, objective: Objective): Case {
  const { advice, evidence } = where.report;
  const { name, met, measured: value, why } = objective;
  const result = met ? 'passed' : value === undefined || isCondition(objective) ? 'error' : 'failure';
  const message = `wanted ${limit(objective)}, ${value === undefined ? 'not measured' : `measured ${measured(objective)}`}`;
  // Of what is met there is nothing to be said, unless something was found all the same.
  const told = [`${meaning(name, where.report) || name}: ${message}`, ...(why === undefined ? [] : [why])];
  const text = (met ? isFinding(objective) ? told : [] : [...told, ...(advice ?? []), ...(evidence?.[name] ?? [])]).join('\n');
  return { result, xml: element(where, { name, result, message, text }) };
}

/** Where no objective says so, that the drill as a whole was not what it had to be. */
function wholeDrill(where: Where): Case[] {
  const { report } = where;
  const { verdict, objectives } = report;
  if ((verdict !== 'aborted' && verdict !== 'inconclusive') || objectives.some(({ name, met }) => !met && name.startsWith('condition.'))) return [];
  const message = reasonOf(report);
  return [{ result: 'error', xml: element(where, { name: 'condition.verdict', result: 'error', message: `${verdict}: ${message}`, text: message }) }];
}

function element({ classname }: Where, { name, result, message, text }: { name: string; result: Case['result']; message: string; text: string }): string {
  const open = `    <testcase classname="${escape(classname)}" name="${escape(name)}"`;
  if (result === 'passed') return text === '' ? `${open}/>\n` : `${open}>\n      <system-out>${escape(text)}</system-out>\n    </testcase>\n`;
  return `${open}>\n      <${result} message="${escape(message)}" type="${result === 'failure' ? 'objective' : 'inconclusive'}">${escape(text)}</${result}>\n    </testcase>\n`;
}

function properties(report: Report): [string, string][] {
  const { plan, verdict, parts } = report;
  const faults = plannedFaults(report);
  return [
    ['verdict', verdict], ['run', plan.run], ['fault', faults.map(({ fault }) => fault).join(', then ')], ['region', faults.map(({ region }) => region).join(', then ')], ['rate', `${plan.rate} records/s`], ['seed', String(plan.seed)],
    ...Object.entries(parts).map(([name, { kind, version }]): [string, string] => [`part ${name}`, `${kind} ${version}`]),
  ];
}

function count(cases: readonly Case[], result: Case['result']): number {
  return cases.filter((one) => one.result === result).length;
}

/** How long the load lasted, s. */
function seconds({ timeline }: Report): number {
  return ((timeline.at(-1)?.t ?? 0) - (timeline[0]?.t ?? 0)) / 1000;
}
