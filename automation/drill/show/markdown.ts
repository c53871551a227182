import { directionsShown } from '../../printable.ts';
import { isFinding } from '../objective.ts';
import type { Report } from '../report.ts';
import { faultName, numberedFault } from './fault-name.ts';
import { summary } from './summary.ts';
import { count, limit, meaning, measured, ms, percent, sorted, verdicts, withoutLatency } from './words.ts';

/** The report as Markdown, for a pull request or a page of a wiki: verdict, figures, what was missed, predicted beside measured, advice. */
export function renderMarkdown(report: Report): string {
  const { word, sign } = verdicts[report.verdict];
  const { missed, unmeasured, met } = sorted(report.objectives);
  const found = met.filter(isFinding);
  const first = numberedFault(report, 1);
  return `${[
    `# Failover drill: ${text(faultName(report))}`,
    `${text(report.environment)}, ${report.startedAt}, run ${text(report.plan.run)}, ${count(report.plan.rate)} records/s`,
    `**${sign} ${word}.** ${summary(report).map(text).join(' ')}`,
    ...(report.advice === undefined || report.advice.length === 0 ? [] : ['## What to change', report.advice.map((line, i) => `${i + 1}. ${text(line)}`).join('\n')]),
    '## Figures', figures(report), ...(report.produce.latencyMs === undefined ? [] : [withoutLatency(report)]).filter((note) => note !== ''),
    '## Objectives', `${met.length} of ${report.objectives.length} objectives and conditions met.`,
    ...(missed.length + unmeasured.length === 0 ? [] : [table(['not met', 'wanted', 'measured', 'why'], [...missed, ...unmeasured].map((objective) =>
      [`${meaning(objective.name, report)} \`${objective.name.replaceAll('`', '\'')}\``, limit(objective), measured(objective), objective.why ?? '']))]),
    ...(found.length === 0 ? [] : ['## Found, though met', found.map(({ name, why = '' }) => `- ${text(`${meaning(name, report)} \`${name}\`: ${why}`)}`).join('\n')]),
    '## Who served', ...(first === undefined ? [] : [`Shares are around ${text(first)}.`]), table(['region', 'before', 'during', 'after'], report.regions.map(({ name, before, during, after }) => [name, percent(before), percent(during), percent(after)])),
    ...(report.produce.errors.length === 0 ? [] : ['## Why requests were not acknowledged', table(['cause', 'requests'], report.produce.errors.map(({ class: name, count: n }) => [name, count(n)]))]),
    '## Parts', table(['part', 'kind', 'version'], Object.entries(report.parts).map(([name, { kind, version }]) => [name, kind, version])),
    'Charts, evidence, plan and configuration: report.html beside this file.',
  ].join('\n\n')}\n`;
}

function figures({ produce, consume, log, predicted }: Report): string {
  const time = (value: number | undefined): string => value === undefined ? 'not measured' : ms(value);
  const bound = (value: number | undefined): string => value === undefined ? '' : `at most ${ms(value)}`;
  const number = (value: number | undefined): string => value === undefined ? 'not measured' : count(value);
  return table(['', 'measured', 'predicted'], [
    ['records acknowledged', `${count(produce.ok)} of ${count(produce.sent)}`, ''], ['failed', count(produce.failed), ''], ['outcome unknown', count(produce.unknown), ''],
    ['longest time without an acknowledgement', time(produce.blackoutMs), bound(predicted?.produceBlackoutMs)],
    ['longest time without a delivery of a partition', time(consume?.blackoutMs), bound(predicted?.consumeBlackoutMs)],
    ['latency of acknowledged records: p50, p99, max', produce.latencyMs === undefined ? 'not measured' : [produce.latencyMs.p50, produce.latencyMs.p99, produce.latencyMs.max].map(ms).join(', '), ''],
    ['acknowledged and lost', number(log?.ackedLost), ''], ['duplicates', number(log && log.duplicates.clientRetry + (log.duplicates.proxyRetry ?? 0) + log.duplicates.unexplained), ''],
    ['reordered', number(log?.reordered), ''], ['skipped by consumers', number(consume?.skipped), ''],
  ]);
}

function table(head: string[], rows: string[][]): string {
  const row = (cells: string[]): string => `| ${cells.map(text).join(' | ')} |`;
  return [row(head), `|${head.map(() => '---|').join('')}`, ...rows.map(row)].join('\n');
}

/** What comes from outside cannot be markup, a link, or leave its line or cell. Names in backticks stay as they are: with all other backticks escaped, none of them can pair with these. */
function text(content: string): string {
  return directionsShown(content).replaceAll(/\s+/g, ' ').split(/(`[^`|]+`)/).map((part, i) => i % 2 === 1 ? part : part.replaceAll(/[\\`*_[\]<>|#~!]/g, '\\$&').replaceAll('&', '&amp;').replaceAll('://', ':&#47;/').replaceAll(/\bwww\./gi, 'www&#46;')).join('');
}
