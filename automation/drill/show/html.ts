import type { Report } from '../report.ts';
import { htmlDocument, navigated, tile, verdictSection } from './document.ts';
import { faultName } from './fault-name.ts';
import { html } from './markup.ts';
import type { Markup } from './markup.ts';
import { sections } from './sections.ts';
import { summary } from './summary.ts';
import { count, ms, verdicts } from './words.ts';

/** The report as one HTML file that needs nothing else: no network, no script. `digest` is the SHA-256 of the report.json it was made from. */
export function renderHtml(report: Report, digest?: string): string {
  return htmlDocument(`${verdicts[report.verdict].word}: ${faultName(report)}, ${report.environment}`, html`<header>
<h1>Failover drill: ${faultName(report)}</h1>
<p class="quiet">${report.environment}, <time datetime="${report.startedAt}">${report.startedAt.slice(0, 19).replace('T', ' ')} UTC</time>, run ${report.plan.run}</p>
</header>
<main>
${verdictSection(report.verdict, summary(report))}${figures(report)}
${navigated(sections(report))}</main>
<footer>
<p>Times are from when a request was due, so a stall of the system or of the load itself is never hidden. What was not measured is said to be so, and never counted as zero.
Beside this file lie <span class="name">report.json</span> (${report.schema}) and what it was judged from: <span class="name">attempts.ndjson</span>, <span class="name">deliveries.ndjson</span>, <span class="name">commits.ndjson</span>, <span class="name">log.ndjson</span>, <span class="name">run.json</span>.</p>
${digest !== undefined && html`<p>SHA-256 of that report.json: <span class="name">${digest}</span></p>`}
<p>Charts drawn by Apache ECharts (Apache License 2.0).</p>
</footer>`);
}

/** The few figures that a decision hangs on. */
function figures({ produce, consume, log, predicted }: Report): Markup {
  const bound = (limit: number | undefined): string | undefined => limit === undefined ? undefined : `predicted: at most ${ms(limit)}`;
  const twice = log && log.duplicates.clientRetry + (log.duplicates.proxyRetry ?? 0) + log.duplicates.unexplained;
  return html`<dl class="figures">
${tile('Records acknowledged', count(produce.ok), `of ${count(produce.sent)} sent`)}${tile('Failed', count(produce.failed), 'certainly not written')}${
  tile('Outcome unknown', count(produce.unknown), 'written, or not')}${tile('Longest time without acknowledgement', produce.blackoutMs === undefined ? undefined : ms(produce.blackoutMs), bound(predicted?.produceBlackoutMs))}${
  tile('Longest time without delivery', consume?.blackoutMs === undefined ? undefined : ms(consume.blackoutMs), bound(predicted?.consumeBlackoutMs))}${
  tile('Acknowledged and lost', log && count(log.ackedLost))}${tile('Twice in the log', twice === undefined ? undefined : count(twice))}${
  tile('Skipped by consumers', consume && count(consume.skipped))}</dl>`;
}
