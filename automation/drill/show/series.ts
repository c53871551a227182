import { exitCodeOf, exitCodeOfAll } from '../exit-code.ts';
import type { RepeatSummary, SeriesRun } from '../repeat.ts';
import type { Report } from '../report.ts';
import { htmlDocument, navigated, tile, verdictSection } from './document.ts';
import { parts, plan } from './facts.ts';
import { faultName } from './fault-name.ts';
import { html } from './markup.ts';
import type { Markup } from './markup.ts';
import { whyOf } from './summary.ts';
import { table } from './table-markup.ts';
import { count, meaning, ms, percent, plural, verdicts } from './words.ts';

type Figure = RepeatSummary['figures'][number];

/** A series as one HTML file like that of a run: no network, no script. It leads to the pages of its runs, in the directories beside it. */
export function renderSeries(summary: RepeatSummary, runs: readonly [SeriesRun, ...SeriesRun[]]): string {
  const [{ report: first }] = runs;
  const verdict = ends[exitCodeOfAll(runs.map(({ report }) => report))];
  const title = `${plural(runs.length, 'drill')}: ${faultName(first)}`;
  return htmlDocument(`${verdicts[verdict].word}: ${title}, ${first.environment}`, html`<header>
<h1>${title}</h1>
<p class="quiet">${first.environment}, from <time datetime="${first.startedAt}">${first.startedAt.slice(0, 19).replace('T', ' ')} UTC</time> on</p>
</header>
<main>
${verdictSection(verdict, [inWords(summary.counts), ...summary.confidence])}${tiles(summary)}
${navigated([
  { id: 'runs', title: 'Runs', body: runsTable(runs) },
  { id: 'figures', title: 'Median and worst', body: figuresTable(summary.figures, first) },
  { id: 'plan', title: 'Plan', body: plan(first, { ofSeries: true }) },
  { id: 'parts', title: 'Parts', body: parts(first) },
])}</main>
<footer>
<p>Median and worst are of the runs that passed or failed; the others were ended early or answered no question. Beside this file lie <span class="name">repeat.json</span> (${summary.schema}), <span class="name">junit.xml</span>, and a directory for each run.</p>
</footer>`);
}

/** As the series ends. */
const ends = { 0: 'pass', 3: 'fail', 4: 'inconclusive' } as const;

function inWords(counts: RepeatSummary['counts']): string {
  const some = (['pass', 'fail', 'inconclusive', 'aborted'] as const).filter((verdict) => counts[verdict] > 0);
  return `Of these drills ${some.map((verdict) => `${count(counts[verdict])} ${verdicts[verdict].word.toLowerCase()}`).join(', ')}.`;
}

/** The few figures that a decision hangs on. */
function tiles({ runs, counts, figures }: RepeatSummary): Markup {
  const both = (label: string, name: string): Markup => {
    const figure = figures.find((each) => each.name === name);
    return tile(`${label}, median`, figure && inUnit(figure, figure.median), figure && `worst: ${inUnit(figure, figure.worst)}`);
  };
  return html`<dl class="figures">
${tile('Passed', count(counts.pass), `of ${count(runs.length)}`)}${both('Longest time without acknowledgement', 'produce.blackoutMs')}${both('Longest time without delivery', 'consume.blackoutMs')}${
  both('Failed', 'produce.failed')}${both('Outcome unknown', 'produce.unknown')}${both('Acknowledged and lost', 'log.ackedLost')}</dl>`;
}

function runsTable(runs: readonly SeriesRun[]): Markup {
  const time = (value: number | undefined): string => value === undefined ? 'not measured' : ms(value);
  const some = runs.some(({ report }) => report.verdict !== 'pass');
  return table({
    caption: 'Each run, with its longest time without an acknowledgement and without a delivery. Lost are records that were acknowledged and are not in the log',
    columns: [{ title: 'Run' }, { title: 'Verdict' }, ...['Requests’ gap', 'Consumers’ gap', 'Failed', 'Unknown', 'Lost', 'Seed'].map((title) => ({ title, number: true })), ...(some ? [{ title: 'Why' }] : [])],
    rows: runs.map(({ directory, seed, report }) => [
      html`<a class="keep" href="${directory}/report.html">${directory}</a>`, verdictCell(report), time(report.produce.blackoutMs), time(report.consume?.blackoutMs),
      count(report.produce.failed), count(report.produce.unknown), report.log === undefined ? 'not measured' : count(report.log.ackedLost), String(seed), ...(some ? [whyOf(report)] : []),
    ]),
  });
}

const looks = { 0: 'met', 3: 'missed', 4: 'unmeasured' } as const;

function verdictCell(report: Report): Markup {
  const { word, sign } = verdicts[report.verdict];
  return html`<span class="state ${looks[exitCodeOf(report)]}">${sign} ${word.toLowerCase()}</span>`;
}

function figuresTable(figures: readonly Figure[], first: Report): Markup {
  return table({
    caption: 'Median and worst, and where the median of all such drills lies',
    columns: [{ title: 'Figure' }, ...['Median', 'Worst', 'Runs', 'Median of all'].map((title) => ({ title, number: true }))],
    rows: figures.map((figure) => [
      html`${meaning(figure.name, first)} <span class="name quiet">${figure.name}</span>`, inUnit(figure, figure.median), inUnit(figure, figure.worst), count(figure.runs),
      figure.medianInterval === undefined ? 'takes 6 runs' : interval(inUnit(figure, figure.medianInterval.from), inUnit(figure, figure.medianInterval.to)),
    ]),
  });
}

function interval(from: string, to: string): string {
  return from === to ? from : `${from} to ${to}`;
}

function inUnit({ unit }: Figure, value: number): string {
  return unit === 'ms' ? ms(value) : unit === 'share' ? percent(value) : count(value);
}
