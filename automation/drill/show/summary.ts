import { brokenOf } from '../exit-code.ts';
import { isFinding } from '../objective.ts';
import type { Objective } from '../objective.ts';
import type { Report } from '../report.ts';
import { faultName } from './fault-name.ts';
import { count, isCondition, limit, measured, meaning, ms, plural, sorted } from './words.ts';

/** The verdict in a few sentences, for a person who reads nothing else. */
export function summary(report: Report): string[] {
  switch (report.verdict) {
    case 'pass': return [`Failover hid ${faultName(report)} from clients as far as it had to: ${traffic(report)}`, ...gaps(report)];
    case 'fail': return [`Under ${faultName(report)}, failover missed ${brokenWords(report)}`, ...besides(report), traffic(report, true), ...gaps(report)];
    case 'inconclusive': return [`The drill says neither that failover works nor that it does not: ${reasonOf(report)}`, 'Repeat it once that is put right. The figures below are what was measured, and no more.'];
    case 'aborted': return [`The drill was ended before it was complete: ${reasonOf(report)}`, untilThen(report)];
  }
}

/** A drill that ended itself may have broken objectives by then, which is an answer. */
function untilThen(report: Report): string {
  return brokenOf(report.objectives).length > 0
    ? `Until then failover missed ${brokenWords(report)}`
    : 'The figures below cover what ran until then; nothing follows from them about failover.';
}

function brokenWords(report: Report): string {
  const { missed } = sorted(brokenOf(report.objectives));
  const [first, second, ...others] = missed.map((objective) =>
    `${meaning(objective.name, report) || objective.name}: ${measured(objective)} (wanted ${limit(objective)})`);
  return `${plural(missed.length, 'objective')}. ${[first, second].filter((text) => text !== undefined).map(sentence).join(' ')}${others.length > 0 ? ` ${count(others.length)} more below.` : ''}`;
}

/** What failover did not miss, yet makes of the drill another one than was wanted. */
function besides(report: Report): string[] {
  const [first, ...others] = sorted(report.objectives).missed.filter(isCondition);
  if (first === undefined) return [];
  return [`Besides, the drill was not what it had to be: ${ended(conditionWords(first, report))}${others.length > 0 ? ` ${count(others.length)} more below.` : ''}`];
}

function conditionWords(condition: Objective, report: Report): string {
  return condition.name === 'condition.carriedOut' ? measured(condition) : `${meaning(condition.name, report) || condition.name}: ${measured(condition)}, wanted ${limit(condition)}`;
}

/** Why a drill did not pass, in a few words; its own page has the rest. Empty where it did. */
export function whyOf(report: Report): string {
  if (report.verdict === 'pass') return '';
  const [first, ...others] = report.verdict === 'fail' ? sorted(brokenOf(report.objectives)).missed : [];
  if (first === undefined) return reasonOf(report);
  const more = others.length > 0 ? `, and ${count(others.length)} more` : '';
  return `${meaning(first.name, report) || first.name}: ${measured(first)}${more}${besides(report).length > 0 ? `. Besides: ${reasonOf(report)}` : ''}`;
}

/** Why nothing follows from the drill: its own word, else its first condition that was not met. */
export function reasonOf(report: Report): string {
  const { reason, objectives } = report;
  const { missed, unmeasured } = sorted(objectives);
  const first = missed.find(isCondition);
  return ended(reason ?? first?.why ?? (first && conditionWords(first, report))
    ?? (unmeasured.length > 0 ? `not measured: ${unmeasured.map(({ name }) => name).join(', ')}` : 'no reason was recorded'));
}

function sentence(text: string): string {
  return ended(`${text.charAt(0).toUpperCase()}${text.slice(1)}`);
}

function ended(text: string): string {
  return `${text}${/[.!?]$/.test(text) ? '' : '.'}`;
}

function traffic({ produce, log }: Report, capital = false): string {
  const { sent, ok, failed, unknown } = produce;
  const wrong = [failed > 0 && `${count(failed)} failed`, unknown > 0 && `${plural(unknown, 'has an unknown outcome', 'have an unknown outcome')}`].filter(Boolean);
  const answered = wrong.length === 0 ? `${capital ? 'All' : 'all'} ${plural(sent, 'record')} were acknowledged` : `${count(ok)} of ${plural(sent, 'record')} were acknowledged, ${wrong.join(' and ')}`;
  return `${answered}${log === undefined ? '; the log was not read' : damage(log)}.`;
}

function damage({ ackedLost, offsetMismatch, phantom, reordered, duplicates }: NonNullable<Report['log']>): string {
  const twice = duplicates.clientRetry + (duplicates.proxyRetry ?? 0) + duplicates.unexplained;
  const found = [
    ackedLost > 0 && `${plural(ackedLost, 'acknowledged record')} lost`, twice > 0 && `${count(twice)} twice in the log`, (reordered ?? 0) > 0 && `${count(reordered ?? 0)} out of order`,
    offsetMismatch > 0 && `${count(offsetMismatch)} at another offset than answered`, phantom > 0 && `${count(phantom)} that nobody wrote`,
  ].filter((text) => text !== false);
  return found.length === 0 ? `, and the log holds each that was acknowledged once${reordered === undefined ? '; their order cannot be told' : ' and in order'}` : `; in the log: ${found.join(', ')}`;
}

function gaps({ produce, consume, predicted, objectives }: Report): string[] {
  const bound = (limitMs: number | undefined, name: string): string => {
    const found = objectives.find((objective) => objective.name === name && isFinding(objective));
    return `${limitMs === undefined ? '' : ` (the configuration allows up to ${ms(limitMs)})`}${found?.why === undefined ? '' : `, ${found.why}`}`;
  };
  return [
    ...(produce.blackoutMs === undefined ? [] : [`The longest time without an acknowledgement was ${ms(produce.blackoutMs)}${bound(predicted?.produceBlackoutMs, 'prediction.produceBlackoutMs')}.`]),
    ...(consume?.blackoutMs === undefined ? [] : [`A partition's consumers waited at most ${ms(consume.blackoutMs)} for a record${bound(predicted?.consumeBlackoutMs, 'prediction.consumeBlackoutMs')}.`]),
  ];
}
