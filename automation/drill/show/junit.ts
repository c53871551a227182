import type { Objective } from '../objectives.ts';
import type { Report } from '../report.ts';
import { escape } from './markup.ts';
import { reasonOf } from './summary.ts';
import { faultName, isCondition, limit, meaning, measured } from './words.ts';

/**
 * The report as JUnit XML, for a CI system: a test case for each objective and condition. What was missed is a failure; a condition that was not
 * fulfilled and what was not measured is an error, as nothing was found out; and a drill that was ended early is one too.
 * Elements and attributes as in https://github.com/testmoapp/junitxml, which describes what CI systems read.
 */
export function renderJunit(report: Report): string {
  const cases = [...report.objectives.map((objective) => testCase(report, objective)), ...wholeDrill(report)];
  const attributes = `tests="${cases.length}" failures="${count(cases, 'failure')}" errors="${count(cases, 'error')}" skipped="0" time="${seconds(report)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${attributes}>
  <testsuite name="${escape(`failover drill: ${faultName(report)}, ${report.environment}`)}" timestamp="${escape(report.startedAt)}" ${attributes}>
    <properties>
${properties(report).map(([name, value]) => `      <property name="${escape(name)}" value="${escape(value)}"/>\n`).join('')}    </properties>
${cases.map(({ xml }) => xml).join('')}  </testsuite>
</testsuites>
`;
}

interface Case {
  result: 'passed' | 'failure' | 'error';
  xml: string;
}

function testCase(report: Report, objective: Objective): Case {
  const { name, met, measured: value, why } = objective;
  const result = met ? 'passed' : value === undefined || isCondition(objective) ? 'error' : 'failure';
  const message = `wanted ${limit(objective)}, ${value === undefined ? 'not measured' : `measured ${measured(objective)}`}`;
  const text = [`${meaning(name) || name}: ${message}`, ...(why === undefined ? [] : [why]), ...(report.advice ?? []), ...(report.evidence?.[name] ?? [])].join('\n');
  return { result, xml: element(report, { name, result, message, text }) };
}

/** Where no objective says so, that the drill as a whole was not what it had to be. */
function wholeDrill(report: Report): Case[] {
  const { verdict, objectives } = report;
  if ((verdict !== 'aborted' && verdict !== 'inconclusive') || objectives.some(({ name, met }) => !met && name.startsWith('condition.'))) return [];
  const message = reasonOf(report);
  return [{ result: 'error', xml: element(report, { name: 'condition.verdict', result: 'error', message: `${verdict}: ${message}`, text: message }) }];
}

function element({ plan }: Report, { name, result, message, text }: { name: string; result: Case['result']; message: string; text: string }): string {
  const open = `    <testcase classname="${escape(`drill.${plan.fault}`)}" name="${escape(name)}"`;
  if (result === 'passed') return `${open}/>\n`;
  return `${open}>\n      <${result} message="${escape(message)}" type="${result === 'failure' ? 'objective' : 'inconclusive'}">${escape(text)}</${result}>\n    </testcase>\n`;
}

function properties({ plan, verdict, parts }: Report): [string, string][] {
  return [
    ['verdict', verdict], ['run', plan.run], ['fault', plan.fault], ['region', plan.region], ['rate', `${plan.rate} records/s`], ['seed', String(plan.seed)],
    ...Object.entries(parts).map(([name, { kind, version }]): [string, string] => [`part ${name}`, `${kind} ${version}`]),
  ];
}

function count(cases: readonly Case[], result: Case['result']): number {
  return cases.filter((one) => one.result === result).length;
}

/** How long the load lasted, s. */
function seconds({ timeline }: Report): string {
  return (((timeline.at(-1)?.t ?? 0) - (timeline[0]?.t ?? 0)) / 1000).toFixed(1);
}
