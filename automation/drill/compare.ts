import { exitCodeOf } from './exit-code.ts';
import { defaultMostErrors } from './load-plan.ts';
import { objectiveNames } from './objective-text.ts';
import { damage, isAboutData, valueAt } from './objectives.ts';
import type { Report } from './report.ts';
import { percentage } from './show/digits.ts';
import { reasonOf } from './show/summary.ts';
import { stepWords } from './show/words.ts';

export interface Difference {
  name: string;
  unit: 'ms' | 'share' | 'count';
  /** Absent where it was not measured. */
  a?: number;
  b?: number;
  difference?: number;
  /** Whether more of it is worse, and there is more. Absent where neither more nor less is better. */
  worse?: boolean;
}

export interface Comparison {
  schema: 'kbf-comparison/1';
  a: { startedAt: string; environment: string; verdict: Report['verdict'] };
  b: { startedAt: string; environment: string; verdict: Report['verdict'] };
  /** Why the later drill answers nothing. Absent where it does: passed, or broke an objective, and looked for all damage to data that the earlier one looked for. */
  noAnswer?: string;
  /** Why the earlier one answers nothing, so that its figures are no measure. Absent where it does. */
  earlierNoAnswer?: string;
  /** In what the drills were not the same; figures then differ for that reason too. */
  unlike: string[];
  figures: Difference[];
  /** Names of what got worse from a to b, the verdict included; of figures other than damage nothing follows where one of the drills answers nothing. */
  worse: string[];
  /** Those of them that are damage to data. */
  moreDamage: string[];
}

/** More of these is neither better nor worse. */
const neutral = new Set(['produce.sent', 'produce.attempts', 'consume.delivered', 'log.unackedPresent', 'log.duplicates.clientRetry']);
/** Times that differ by less are taken for the same: a tenth, or what a busy machine adds. */
const noise = { share: 0.1, ms: 5 };
/** The worse, the higher: a drill that ended itself counts as what it had broken by then. That the later one answers nothing is not worse, but no answer. */
const ranks = { 0: 0, 4: 1, 3: 2 };

/** What is different from report a to report b, figure by figure. */
export function compare(a: Report, b: Report): Comparison {
  const regions = [...new Set([...a.regions, ...b.regions].map(({ name }) => name))];
  // A group may go back by a rebalance; a consumer with partitions of its own may not.
  const isDamage = b.plan.consumers.mode === 'assign' ? (name: string) => isAboutData({ name }) : (name: string) => damage.has(name);
  const figures = objectiveNames(regions).map(({ name, unit }) => difference({ name, unit, isDamage: isDamage(name) }, valueAt(name, a), valueAt(name, b))).filter((figure) => figure.a !== undefined || figure.b !== undefined);
  const worse = figures.filter((figure) => figure.worse).map(({ name }) => name);
  const code = exitCodeOf(b);
  const noAnswer = code === 4 ? reasonOf(b) : notLooked(b, figures.filter((figure) => isDamage(figure.name)));
  return {
    schema: 'kbf-comparison/1', a: about(a), b: about(b), ...(noAnswer === undefined ? {} : { noAnswer }), ...(exitCodeOf(a) === 4 ? { earlierNoAnswer: reasonOf(a) } : {}), unlike: unlike(a, b), figures,
    worse: [...(code !== 4 && ranks[code] > ranks[exitCodeOf(a)] ? ['verdict'] : []), ...worse], moreDamage: worse.filter(isDamage),
  };
}

/** 3 where the verdict got worse or more data is damaged, else 4 where the later drill answers nothing; what else differs is for a person to weigh. */
export function exitCodeOfComparison({ worse, moreDamage, noAnswer }: Comparison): 0 | 3 | 4 {
  return worse.includes('verdict') || moreDamage.length > 0 ? 3 : noAnswer === undefined ? 0 : 4;
}

/** Why nobody knows whether more data is damaged, or undefined. Copies that no proxy speaks of are unexplained. */
function notLooked({ log }: Report, damages: readonly Difference[]): string | undefined {
  const missing = damages.filter(({ name, a, b }) => a !== undefined && b === undefined && name !== 'log.duplicates.proxyRetry').map(({ name }) => name);
  if (missing.length === 0) return undefined;
  return log === undefined ? 'its log was not read, so that nobody looked for damage to data.' : `${missing.join(', ')} ${missing.length === 1 ? 'was' : 'were'} not measured.`;
}

function about({ startedAt, environment, verdict }: Report): Comparison['a'] {
  return { startedAt, environment, verdict };
}

function difference({ name, unit, isDamage }: Pick<Difference, 'name' | 'unit'> & { isDamage: boolean }, a: number | undefined, b: number | undefined): Difference {
  const both = { name, unit, ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) };
  // Damage counts also where the earlier drill did not look for it.
  if (a === undefined && b !== undefined && isDamage) return { ...both, worse: b > 0 };
  if (a === undefined || b === undefined) return both;
  const more = b - a;
  if (neutral.has(name) || unit === 'share') return { ...both, difference: more };
  const isMore = unit === 'ms' ? more > Math.max(noise.ms, a * noise.share) : name === 'produce.ok' ? false : more > 0;
  return { ...both, difference: more, worse: isMore };
}

function unlike(a: Report, b: Report): string[] {
  const of = ({ plan, environment, parts }: Report): Record<string, unknown> => ({
    environment, steps: plan.steps.map(stepWords).join(', '), rate: plan.rate, durationSeconds: plan.durationSeconds,
    connections: plan.connections, partitions: plan.partitions, keys: plan.keys, load: plan.load, consumers: plan.consumers,
    objectives: plan.objectives?.join(', ') ?? 'none', abortAfterErrors: plan.abortAfterErrors ?? defaultMostErrors,
    // What pads a value is drawn as well, but weighs the same.
    ...(plan.load.pattern === 'poisson' || plan.load.keyDistribution === 'zipf' ? { seed: plan.seed } : {}),
    ...Object.fromEntries(Object.entries(parts).map(([name, { kind, version }]) => [`part ${name}`, `${version} (${kind})`])),
  });
  const [left, right] = [of(a), of(b)];
  const differ = Object.keys({ ...left, ...right }).filter((key) => JSON.stringify(left[key]) !== JSON.stringify(right[key]));
  // Where one of them draws nothing its load says so.
  return differ.filter((key) => key !== 'seed' || (left[key] !== undefined && right[key] !== undefined)).map((key) => `${key}: ${text(left[key])} against ${text(right[key])}`);
}

function text(value: unknown): string {
  return value === undefined ? 'not known' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** As a person reads it on a terminal. Ends in a newline. */
export function renderComparison({ a, b, noAnswer, earlierNoAnswer, unlike: others, figures, worse, moreDamage }: Comparison): string {
  const open = noAnswer !== undefined || earlierNoAnswer !== undefined;
  const isWorse = (name: string): boolean => !open || name === 'verdict' || moreDamage.includes(name);
  const higher = worse.filter((name) => !isWorse(name));
  const worsened = worse.filter(isWorse);
  const rows = figures.map((figure) => [figure.name, shown(figure, figure.a), shown(figure, figure.b), figure.difference === undefined ? '' : signed(figure, figure.difference), figure.worse ? (isWorse(figure.name) ? 'WORSE' : 'HIGHER') : '']);
  const head = ['', a.startedAt.slice(0, 19), b.startedAt.slice(0, 19), 'difference', ''];
  const all = [head, ['verdict', a.verdict, b.verdict, '', worse.includes('verdict') ? 'WORSE' : ''], ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return [
    ...all.map((row) => `  ${row.map((cell, column) => (column === 0 || column === 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`.trimEnd()),
    '',
    ...(others.length === 0 ? [] : ['  The drills were not the same:', ...others.map((line) => `    ${line}`), '']),
    ...(noAnswer === undefined ? [] : [`  The later drill answers nothing, so that nobody knows what got worse: ${noAnswer} Run it again.`]),
    ...(earlierNoAnswer === undefined ? [] : [`  The earlier drill answers nothing, so that its figures are no measure: ${earlierNoAnswer} Run it again.`]),
    ...(worsened.length > 0 ? [`  Got worse: ${worsened.join(', ')}`] : open ? [] : ['  Nothing got worse.']),
    ...(higher.length > 0 ? [`  Figures that are higher, of which nothing follows: ${higher.join(', ')}`] : []), '',
  ].join('\n');
}

function shown({ unit }: Difference, value: number | undefined): string {
  if (value === undefined) return '-';
  return unit === 'share' ? percentage(value, { size: 0.01, digits: 1 }) : unit === 'ms' ? `${value < 10 ? value.toFixed(1) : Math.round(value)} ms` : String(value);
}

function signed(figure: Difference, value: number): string {
  return value === 0 ? '0' : `${value > 0 ? '+' : '-'}${shown(figure, Math.abs(value))}`;
}
