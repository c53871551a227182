import { isFinding } from '../objective.ts';
import type { Objective } from '../objective.ts';
import type { Report } from '../report.ts';
import { exact, formOf, percentage } from './digits.ts';
import { html } from './markup.ts';
import type { Markup } from './markup.ts';
import { table } from './table-markup.ts';
import { count, isCondition, limit, meaning, measured, ms, plural, seconds, sorted, stepWords } from './words.ts';

/** Every objective and condition; those that are not met come first, then what was found though it is met. */
export function objectives(report: Report): Markup {
  const { missed, unmeasured, met } = sorted(report.objectives);
  const state = (objective: Objective): Markup => objective.measured === undefined ? html`<span class="state unmeasured">? not measured</span>`
    : objective.met ? html`<span class="state met">✓ met${isFinding(objective) && ', with a finding'}</span>` : html`<span class="state missed">✗ ${isCondition(objective) ? 'not fulfilled' : 'missed'}</span>`;
  return html`<p>${count(met.length)} of ${plural(report.objectives.length, 'objective')} and conditions met${missed.length > 0 && `, ${count(missed.length)} missed`}${unmeasured.length > 0 && `, ${count(unmeasured.length)} not measured`}.</p>
${table({
  caption: 'What was wanted and what was measured; a condition that is not fulfilled means that the drill does not answer its question',
  columns: [{ title: 'Objective' }, { title: 'Wanted', number: true }, { title: 'Measured', number: true }, { title: 'Result' }],
  rows: [...missed, ...unmeasured, ...met.toSorted((a, b) => Number(isFinding(b)) - Number(isFinding(a)))].map((objective) => [
    html`${meaning(objective.name, report)} <span class="name quiet">${objective.name}</span>${objective.asked === true && ' (asked for)'}${objective.why !== undefined && html`<span class="why">${objective.why}</span>`}`,
    inCell(objective.name === 'condition.carriedOut' ? 'yes' : limit(objective)),
    inCell(objective.name === 'condition.carriedOut' && !objective.met ? 'no' : measured(objective)), state(objective),
  ]),
})}`;
}

/** Short values keep to their line, sentences do not. */
function inCell(text: string): Markup {
  return text.length > 18 ? html`<span class="long">${text}</span>` : html`${text}`;
}

/** The bound that the configuration implies beside what was measured, and the terms it is made of. */
export function predicted({ predicted: bounds, produce, consume, objectives: all }: Report): Markup {
  if (bounds === undefined) return html`<p>No bound could be stated: the configuration that was in effect was not read.</p>`;
  /** What is allowed beyond the bound is the objective's matter. */
  const within = (name: string, limitMs: number, value: number): boolean => all.find((objective) => objective.name === name)?.met ?? value <= limitMs;
  const row = (name: string, what: string, limitMs: number | undefined, value: number | undefined): Markup[] => [
    html`${what}`, html`${limitMs === undefined ? 'no bound' : `at most ${ms(limitMs)}`}`, html`${value === undefined ? 'not measured' : ms(value)}`,
    limitMs === undefined || value === undefined ? html`–` : within(name, limitMs, value) ? html`<span class="state met">✓ ${value > limitMs ? `longer by ${ms(value - limitMs)}, within tolerance` : 'within'}</span>` : html`<span class="state missed">✗ outside</span>`,
  ];
  return html`<p>${bounds.why}</p>
${table({
  caption: 'Bounds that follow from the configuration in effect, beside what was measured',
  columns: [{ title: 'What' }, { title: 'Predicted', number: true }, { title: 'Measured', number: true }, { title: 'Result' }],
  rows: [
    row('prediction.produceBlackoutMs', 'longest time without an acknowledgement', bounds.produceBlackoutMs, produce.blackoutMs),
    row('prediction.consumeBlackoutMs', 'longest time without a delivery of a partition', bounds.consumeBlackoutMs, consume?.blackoutMs),
  ],
})}${bounds.terms.length > 0 && table({
  caption: 'Terms of these bounds', columns: [{ title: 'Term' }, { title: 'Of' }, { title: 'Adds', number: true }, { title: 'Read from' }],
  rows: bounds.terms.map(({ of, name, ms: value, from }) => [name, of, ms(value), from]),
})}`;
}

/** Records to look up, for every finding that has some. */
export function evidence(report: Report): Markup {
  const { evidence: found = {}, log } = report;
  const lists = Object.entries(found).filter(([, list]) => list.length > 0);
  if (lists.length === 0) {
    return html`<p>${log === undefined ? 'The log was not read, so there is nothing to show.' : 'No record was found that was lost, twice, out of order, or skipped without a cause.'}</p>`;
  }
  return html`<p>Up to 20 examples of each: producer and sequence number as the record carries them, and where it lies (partition and offset).</p>
${lists.map(([name, list]) => html`<h3>${meaning(name, report) || name} <span class="name quiet">${name}</span></h3>
<ul class="evidence">${list.map((line) => html`<li class="name">${line}</li>`)}</ul>
`)}`;
}

/** What was to be done; of a series, what was the same in each run. */
export function plan({ plan: it }: Report, { ofSeries = false } = {}): Markup {
  const { load, consumers } = it;
  const rows: [string, string][] = [
    ['Load', `${count(it.rate)} records/s ${loadWords(load)}, for ${plural(it.durationSeconds, 'second')}`],
    ['Records', `${plural(it.keys, 'key')}, ${load.keyDistribution}; ${load.payloadBytes === 0 ? 'as short as their identity allows' : `${count(load.payloadBytes)} bytes`}, ${load.format}`],
    ['Connections', `${count(it.connections)}, ${load.requestsPerConnection === undefined ? 'kept alive' : `closed after ${plural(load.requestsPerConnection, 'request')}`}; requests given up after ${ms(it.requestTimeoutMs)}`],
    ['Retry by the client', { none: 'none', safe: 'of what certainly was not written', always: 'of everything that was not acknowledged' }[load.retry]],
    ['Producers', load.workers === 0 ? 'in the driver\'s process' : `${plural(load.workers, 'pod')} in the cluster${load.workerImage === undefined ? '' : `, of ${load.workerImage}`}`],
    ['Consumers', `${count(consumers.count)}, ${consumers.mode === 'subscribe' ? 'members of one group' : 'with partitions of their own'}`],
    ['Topic', `${ofSeries ? 'a new one for each run' : it.topic}, ${plural(it.partitions, 'partition')}`],
    ['Seed', ofSeries ? 'one of its own for each run' : String(it.seed)],
    ...(it.abortAfterErrors === undefined ? [] : [['To be ended early', `if more than ${allDigits(it.abortAfterErrors)} of the records of 10 s were not acknowledged`] as [string, string]]),
    ...it.steps.map((step, i): [string, string] => [`Step ${i + 1}`, stepWords(step)]),
    ...(it.objectives ?? []).map((text): [string, string] => ['Objective asked for', text]),
  ];
  return table({ caption: 'What was to be done', columns: [{ title: 'What' }, { title: 'Value' }], rows });
}

/** Of what was set, no digit is left out. */
function allDigits(share: number): string {
  return percentage(share, exact(share, formOf('share', share)));
}

function loadWords({ pattern, rampFrom }: Report['plan']['load']): string {
  return { constant: 'evenly spaced', poisson: 'at random (Poisson)', ramp: `reached from ${count(rampFrom ?? 0)}/s on` }[pattern];
}

export function steps({ steps: list }: Report): Markup {
  if (list === undefined || list.length === 0) return html``;
  return table({
    caption: 'What was done', columns: [{ title: 'Step' }, { title: 'Begin', number: true }, { title: 'End', number: true }, { title: 'Measured', number: true }, { title: 'Result' }],
    rows: list.map(({ kind, text, startMs, endMs, met, measured: value }, i) => [
      `${kind} ${text}`, seconds(startMs), endMs === undefined ? '–' : seconds(endMs),
      value === undefined ? '–' : measured({ name: `step.${i + 1}`, limit: text, measured: value, met: met === true }),
      met === undefined ? '–' : met ? html`<span class="state met">✓ met</span>` : html`<span class="state missed">✗ missed</span>`,
    ]),
  });
}

export function parts({ parts: all }: Report): Markup {
  const list = Object.entries(all);
  if (list.length === 0) return html`<p>What the environment runs on was not recorded.</p>`;
  return table({
    caption: 'What the environment ran on; a reference part stands in for one that could not be had', columns: [{ title: 'Part' }, { title: 'Kind' }, { title: 'Version' }],
    rows: list.map(([name, { kind, version }]) => [name, kind === 'real' ? 'real' : 'reference (stand-in)', version]),
  });
}

export function configuration({ configuration: objects = {} }: Report): Markup {
  const rows = Object.entries(objects).flatMap(([object, settings]) => {
    const list = Object.entries(settings);
    if (list.length === 0) return [[object, 'nothing that bounds a failover was found', '–']];
    return list.map(([name, value], i) => [i === 0 ? object : html`<span class="quiet">${object}</span>`, html`<span class="name">${name}</span>`, setting(name, value)]);
  });
  if (rows.length === 0) return html`<p>The configuration that was in effect was not read.</p>`;
  return table({ caption: 'Settings that bound a failover, as the clusters had them during the drill', columns: [{ title: 'Object' }, { title: 'Setting' }, { title: 'Value' }], rows });
}

/** Times, whose names end in their unit, are said as elsewhere on the page. */
function setting(name: string, value: string | number | boolean): string {
  return typeof value === 'number' ? (name.endsWith('Ms') ? ms(value) : count(value)) : String(value);
}
