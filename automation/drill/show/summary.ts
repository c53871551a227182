import { brokenOf } from '../exit-code.ts';
import { isFinding } from '../objective.ts';
import type { Report } from '../report.ts';
import { count, faultName, limit, measured, meaning, ms, plural, sorted } from './words.ts';

/** The verdict in a few sentences, for a person who reads nothing else. */
export function summary(report: Report): string[] {
  switch (report.verdict) {
    case 'pass': return [`Failover hid ${faultName(report)} from clients as far as it had to: ${traffic(report)}`, ...gaps(report)];
    case 'fail': return [`Under ${faultName(report)}, failover missed ${missedWords(report)}`, traffic(report, true), ...gaps(report)];
    case 'inconclusive': return [`The drill says neither that failover works nor that it does not: ${reasonOf(report)}`, 'Repeat it once that is put right. The figures below are what was measured, and no more.'];
    case 'aborted': return [`The drill was ended before it was complete: ${reasonOf(report)}`, untilThen(report)];
  }
}

/** A drill that ended itself may have broken objectives by then, which is an answer. */
function untilThen({ objectives }: Report): string {
  const broken = brokenOf(objectives);
  return broken.length > 0
    ? `Until then failover missed ${missedWords({ objectives: broken })}`
    : 'The figures below cover what ran until then; nothing follows from them about failover.';
}

function missedWords({ objectives }: Pick<Report, 'objectives'>): string {
  const { missed } = sorted(objectives);
  const [first, second, ...others] = missed.map((objective) =>
    `${meaning(objective.name) || objective.name}: ${measured(objective)} (wanted ${limit(objective)})`);
  return `${plural(missed.length, 'objective')}. ${[first, second].filter((text) => text !== undefined).map(sentence).join(' ')}${others.length > 0 ? ` ${count(others.length)} more below.` : ''}`;
}

/** Why nothing follows from the drill: its own word, else its first condition that was not met. */
export function reasonOf({ reason, objectives }: Report): string {
  const { missed, unmeasured } = sorted(objectives);
  const first = missed.find(({ name }) => name.startsWith('condition.'));
  const words = reason ?? first?.why ?? (first && (first.name === 'condition.carriedOut' ? measured(first) : `${meaning(first.name) || first.name}: ${measured(first)}, wanted ${limit(first)}`))
    ?? (unmeasured.length > 0 ? `not measured: ${unmeasured.map(({ name }) => name).join(', ')}` : 'no reason was recorded');
  return `${words}${/[.!?]$/.test(words) ? '' : '.'}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
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
