import { objectiveNames } from '../objective-text.ts';
import type { Objective } from '../objective.ts';
import { isAboutData } from '../objectives.ts';
import type { Report } from '../report.ts';
import { exact, formOf, parsed, percentage, rounded, telling, unitOf } from './digits.ts';
import type { Form, Unit } from './digits.ts';
import { faultNumberOf, numberedFault } from './fault-name.ts';

/** A verdict as it is shown: a word, and a sign that does not need a colour. */
export const verdicts = {
  pass: { word: 'Passed', sign: '✓' },
  fail: { word: 'Failed', sign: '✗' },
  inconclusive: { word: 'Inconclusive', sign: '?' },
  aborted: { word: 'Aborted', sign: '■' },
} as const;

/** `0.4 ms`, `58 ms`, `1,798 ms`, `45.2 s` */
export function ms(value: number): string {
  return inUnit('ms', value, formOf('ms', value));
}

/** A point in time of the drill, or a long time. */
export function seconds(valueMs: number): string {
  return `${(valueMs / 1000).toFixed(valueMs >= 100_000 ? 0 : 1)} s`;
}

export function percent(share: number | undefined): string {
  return share === undefined ? '–' : percentage(share);
}

function inUnit(unit: Unit, value: number, form: Form): string {
  if (unit === 'share') return percentage(value, form);
  if (form.size === 1000) return `${rounded(value, form).toFixed(form.digits)} s`;
  return `${rounded(value, form).toLocaleString('en', { maximumFractionDigits: form.digits })}${unit === 'ms' ? ' ms' : ''}`;
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** What latencies leave out: who has no answer has no latency, and would make percentiles look better than clients found it. Empty where nothing is left out. */
export function withoutLatency({ produce: { failed, unknown } }: Report): string {
  const others = failed + unknown;
  return others === 0 ? '' : `${plural(others, 'record')} that failed or whose outcome is unknown ${others === 1 ? 'is' : 'are'} in no percentile, however long ${others === 1 ? 'its client' : 'their clients'} waited.`;
}

/** `bridge-kill of east for 15 seconds` */
export function stepWords(step: Report['plan']['steps'][number]): string {
  switch (step.kind) {
    case 'do': return `${step.fault} of ${step.region}${step.forSeconds === undefined ? '' : ` for ${plural(step.forSeconds, 'second')}`}`;
    case 'wait': return `wait ${plural(step.seconds, 'second')}`;
    case 'expect': return `expect ${step.objective}`;
  }
}

export interface Sorted {
  missed: Objective[];
  unmeasured: Objective[];
  met: Objective[];
}

/** What a person looks for comes first. */
export function sorted(objectives: readonly Objective[]): Sorted {
  return {
    missed: objectives.filter(({ met, measured }) => !met && measured !== undefined).sort((a, b) => weight(a) - weight(b)),
    unmeasured: objectives.filter(({ measured }) => measured === undefined),
    met: objectives.filter(({ met, measured }) => met && measured !== undefined),
  };
}

/** Damage to data, which fails a drill whatever it was like; then conditions, without which the rest says nothing. */
function weight({ name }: Objective): number {
  return isAboutData({ name }) ? 0 : name.startsWith('condition.') ? 1 : 2;
}

export function isCondition({ name }: Objective): boolean {
  return name.startsWith('condition.');
}

/** A measured value with its unit, which is the end of the objective's name, and with as many digits as tell it from a limit that it missed. */
export function measured(objective: Objective): string {
  const { measured: value } = objective;
  if (value === undefined) return 'not measured';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  const unit = unitOf(objective);
  return inUnit(unit, value, telling(objective, formOf(unit, value)));
}

/** What was wanted, in the same words and with all its digits: `0`, `≤ 100 ms`, `> 0 %`, or the sentence that it is. */
export function limit({ name, limit: text }: Objective): string {
  if (text === '= true') return 'yes';
  const { figure, op, number, unit } = parsed(text) ?? {};
  if (figure !== '' || op === undefined || unit === undefined) return text;
  const sign = { '<=': '≤ ', '>=': '≥ ', '=': number === '0' ? '' : '= ', '<': '< ', '>': '> ' }[op];
  if (unit !== '' && !unit.startsWith('ms')) return `${sign}${number} ${unit}`;
  const [of, value] = [unit === '' ? unitOf({ name, limit: text }) : 'ms', Number(number)];
  return `${sign}${inUnit(of, value, exact(value, formOf(of, value)))}${unit.slice(2)}`;
}

/** What an objective means, for a reader who does not know its name; empty where the name is all there is. Of several faults, which the report's plan names, it says which one is meant. */
export function meaning(name: string, report?: Pick<Report, 'fault' | 'plan'>): string {
  const [, step] = /^step\.(\d+)$/.exec(name) ?? [];
  if (step !== undefined) return `what step ${step} of the plan expects`;
  const number = faultNumberOf(name) ?? 1;
  const one = report && numberedFault(report, number);
  const [, region, phase] = /^regions\.(.*)\.(before|during|after)(?:\.\d+)?$/.exec(name) ?? [];
  const words = phase === undefined ? meanings.get(name) ?? meanings.get(name.replace(/\.\d+$/, '')) ?? '' : `share of the requests that ${region ?? ''} served ${phase} the fault`;
  const which = one !== undefined && name === 'condition.faultTookHold' ? 'every fault' : one ?? (number === 1 ? 'the fault' : `fault ${number}`);
  return words.replace('the fault', () => which);
}

const meanings = new Map([
  ...objectiveNames([]).map(({ name, meaning: text }): [string, string] => [name, text]),
  ['condition.carriedOut', 'the drill was carried out as planned'],
  ['condition.faultTookHold', 'the fault was seen from outside'],
  ['condition.faultLasted', 'how long the fault lasted, of which another region was to take over'],
  ['condition.recovered', 'every fault ended, and what it hurt served again'],
  ['condition.generatorLatenessInGapMs', 'how long the load\'s generator stood still within the longest gap'],
  ['condition.generatorLatenessMaxMs', 'how late the load\'s generator was at the most'],
  ['condition.generatorLatenessInStepMs', 'how much of what a step missed the load\'s generator may have made by being late'],
  ['condition.notHandedOver', 'records that were due and never sent'],
  ['condition.ownSockets', 'requests that were never sent, as their machine had no port or file handle left'],
  ['condition.generatorLatenessP99Ms', 'how late the load\'s generator was, 99 of 100 requests'],
  ['condition.connectionWaitP50Ms', 'how long the typical request waited for a connection of the load before the fault'],
  ['condition.produceBound', 'something that the longest time without an acknowledgement is held against'],
  ['condition.consumeBound', 'something that the longest time without a delivery is held against'],
  ['condition.consumersBroken', 'consumers of the drill\'s own that broke'],
  ['condition.consumersBehindMs', 'how far consumers were behind the log at the fault'],
  ['condition.samples.before', 'requests before the fault'],
  ['condition.samples.during', 'requests during the fault'],
  ['condition.samples.after', 'requests after the fault'],
  ['condition.workerClocksMs', 'how far the clocks of workers may have been off the driver\'s'],
  ['condition.clock', 'how often the clock of the driver\'s machine went back'],
  ['prediction.produceBlackoutMs', 'longest time without an acknowledgement, against the bound of the configuration'],
  ['prediction.consumeBlackoutMs', 'longest time without a delivery, against the bound of the configuration'],
]);
