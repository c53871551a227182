import type { Report } from '../report.ts';
import type { Section } from './document.ts';
import { numberedFault } from './fault-name.ts';
import { html } from './markup.ts';
import type { Markup } from './markup.ts';
import { faultsOf, letter } from './moments.ts';
import { consumersChart, latencyChart } from './other-charts.ts';
import { configuration, evidence, objectives, parts, plan, predicted, steps } from './facts.ts';
import { consumptionSlotsOf, slotsOf } from './slots.ts';
import type { Slot } from './slots.ts';
import { dataTable, table } from './table-markup.ts';
import { timelineChart } from './timeline-chart.ts';
import { count, ms, percent, plural, seconds, withoutLatency } from './words.ts';

/** What the page shows below the verdict, in the order in which questions come up. */
export function sections(report: Report): Section[] {
  return [
    { id: 'objectives', title: 'Objectives', body: objectives(report) },
    ...(report.advice !== undefined && report.advice.length > 0
      ? [{ id: 'advice', title: report.verdict === 'pass' ? 'What could be better' : 'What to change', body: html`<ol class="advice">${report.advice.map((line) => html`<li>${line}</li>`)}</ol>` }] : []),
    { id: 'timeline-section', title: 'Timeline', body: timeline(report) },
    { id: 'served', title: 'Who served', body: served(report) },
    { id: 'latency-section', title: 'Latency', body: latency(report) },
    { id: 'consumers-section', title: 'Consumers', body: consumers(report) },
    { id: 'predicted', title: 'Predicted and measured', body: predicted(report) },
    { id: 'evidence', title: 'Evidence', body: evidence(report) },
    { id: 'plan', title: 'Plan and steps', body: html`${plan(report)}${steps(report)}` },
    { id: 'parts', title: 'Parts', body: parts(report) },
    { id: 'configuration', title: 'Configuration', body: configuration(report) },
  ];
}

function timeline(report: Report): Markup {
  const { stepMs, slots } = slotsOf(report.timeline);
  const faults = table({
    caption: 'The faults as they went, in seconds since the drill began',
    columns: [{ title: 'Fault' }, { title: 'Target' }, ...['Injected', 'Took hold', 'Healed', 'Recovered'].map((title) => ({ title, number: true }))],
    rows: faultsOf(report).map(({ fault, region, target, injectMs, tookHoldMs, healMs, recoveredMs }, i, { length }) =>
      [html`<span class="keep">${length > 1 && `${letter(i)}: `}${fault}</span>`, target ?? region ?? '', ...[injectMs, tookHoldMs, healMs, recoveredMs].map((t) => t === undefined ? 'never' : seconds(t))]),
  });
  if (slots.length === 0) return html`<p>No request was sent.</p>${faults}`;
  const names = report.regions.map(({ name }) => name);
  const elsewhere = slots.some((slot) => slot.elsewhere > 0);
  const slowest = slots.some(({ slowestMs }) => slowestMs !== undefined);
  const row = ({ t, served: by, elsewhere: other, failed, unknown, slowestMs }: Slot): string[] => [
    seconds(t), ...names.map((name) => count(by[name] ?? 0)), ...(elsewhere ? [count(other)] : []), count(failed), count(unknown),
    ...(slowest ? [slowestMs === undefined ? '–' : ms(slowestMs)] : []),
  ];
  return html`${figure('Timeline chart', timelineChart(report, { stepMs, slots }), `Each step is ${ms(stepMs)} of requests, placed where they were due; the load begins and ends within one. The shade is the time in which ${faultsOf(report).length > 1 ? 'a' : 'the'} fault was in effect.`)}
${dataTable('The numbers of this chart', {
  caption: `Requests by when they were due, ${ms(stepMs)} a row`,
  columns: [{ title: 'From' }, ...[...names, ...(elsewhere ? ['Region unknown'] : []), 'Failed', 'Unknown', ...(slowest ? ['Slowest'] : [])].map((title) => ({ title, number: true }))],
  rows: slots.map(row),
})}${faults}`;
}

function served(report: Report): Markup {
  const { regions } = report;
  const first = numberedFault(report, 1);
  const share = (value: number | undefined, region: number): Markup | string => value === undefined ? 'not measured'
    : html`<span class="share" aria-hidden="true"><span style="width:${(value * 100).toFixed(1)}%;background:var(--region-${region % 6})"></span></span>${percent(value)}`;
  return table({
    caption: `Share of the requests that each region's bridge answered; what failed was served by none${first === undefined ? '' : `; around ${first}`}`,
    columns: [{ title: 'Region' }, { title: 'Before the fault' }, { title: 'During' }, { title: 'After' }],
    rows: regions.map(({ name, before, during, after }, i) => [name, share(before, i), share(during, i), share(after, i)]),
  });
}

function latency(report: Report): Markup {
  const { latencyCurve, produce } = report;
  const others = withoutLatency(report);
  const errors = produce.errors.length > 0 && table({
    caption: 'Why requests were not acknowledged', columns: [{ title: 'Cause' }, { title: 'Requests', number: true }],
    rows: produce.errors.map(({ class: name, count: n }) => [html`<span class="name">${name}</span>`, count(n)]),
  });
  if (latencyCurve === undefined || latencyCurve.length === 0) {
    const { latencyMs } = produce;
    return html`<p>${latencyMs === undefined ? 'No request was acknowledged, so there is no latency.' : `Half of the acknowledged records took at most ${ms(latencyMs.p50)}, 99 of 100 at most ${ms(latencyMs.p99)}, the slowest ${ms(latencyMs.max)}. ${others}`}</p>${errors}`;
  }
  return html`${figure('Latency chart', latencyChart(latencyCurve, produce.ok), `Of the ${plural(produce.ok, 'acknowledged record')}, over the whole load, from when each was due. ${others}`.trim())}
${dataTable('The numbers of this chart', {
  caption: 'Latency of acknowledged records from when they were due, by percentile', columns: [{ title: 'Percentile' }, { title: 'Latency', number: true }],
  rows: latencyCurve.map(({ percentile, ms: value }) => [`${percentile} %`, ms(value)]),
})}${errors}`;
}

function orNone(value: number): string {
  return value === 0 ? 'none' : count(value);
}

/** A chart that scrolls where the page is narrower than its words can bear. */
function figure(name: string, chart: Markup, caption: string): Markup {
  return html`<figure><div class="scroll" role="region" aria-label="${name}" tabindex="0">${chart}</div>
<figcaption>${caption}</figcaption></figure>`;
}

function consumers(report: Report): Markup {
  const { consume, consumption } = report;
  const facts = consume === undefined ? html`<p>What consumers were given was not measured.</p>`
    : html`<p>${plural(consume.delivered, 'record')} delivered (those that only warm up and probe among them), ${orNone(consume.redelivered)} again (which Kafka allows between commits), ${orNone(consume.skipped)} skipped.${
      consume.recreated !== undefined && ` Consumer instances that had to be made anew: ${orNone(consume.recreated)}.`}${
      consume.notRecreated !== undefined && consume.notRecreated > 0 && ` That could not be made anew to the end: ${count(consume.notRecreated)}.`}${
      consume.blackoutMs !== undefined && ` The longest time in which a partition gave its group nothing was ${ms(consume.blackoutMs)}.`}</p>`;
  if (consumption === undefined || consumption.length === 0) return facts;
  const { stepMs, slots } = consumptionSlotsOf(consumption);
  return html`${facts}${figure('Consumers chart', consumersChart(report, slots), `Above, how many records consumers had been given; below, how many acknowledged ones they had not been given yet, at the worst of each ${ms(stepMs)}.`)}
${dataTable('The numbers of this chart', {
  caption: `Position and lag of the consumers, ${ms(stepMs)} a row: delivered by its end, and the largest lag in it`,
  columns: [{ title: 'From' }, { title: 'Delivered', number: true }, { title: 'Lag', number: true }],
  rows: slots.map(({ t, delivered, lag }) => [seconds(t), count(delivered), count(lag)]),
})}`;
}
