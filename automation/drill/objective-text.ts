import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { nearest } from '../../config/near.ts';
import { messageOf, UserError } from '../../errors.ts';
import { exact } from './metrics.ts';

/** ms: a length of time. share: of all requests, 0 to 1. count: how many; where it counts records, also as a share of those sent. */
type Unit = 'ms' | 'share' | 'count';

interface Figure {
  unit: Unit;
  meaning: string;
  /** Whether a percentage of the records sent can be given instead. */
  ofSent?: true;
}

/** Figures of the report that an objective can be about, by their path in it. */
const figures: Record<string, Figure> = {
  'produce.sent': { unit: 'count', meaning: 'records sent' },
  'produce.attempts': { unit: 'count', meaning: 'requests sent, repetitions included' },
  'produce.ok': { unit: 'count', ofSent: true, meaning: 'records answered with an offset' },
  'produce.failed': { unit: 'count', ofSent: true, meaning: 'records that certainly were not written' },
  'produce.unknown': { unit: 'count', ofSent: true, meaning: 'records that may have been written or not' },
  'produce.blackoutMs': { unit: 'ms', meaning: 'longest time without an acknowledgement, from the fault on' },
  'produce.latencyMs.p50': { unit: 'ms', meaning: 'latency of the typical acknowledged record, from when it was due' },
  'produce.latencyMs.p99': { unit: 'ms', meaning: 'latency of the slowest acknowledged record in 100' },
  'produce.latencyMs.max': { unit: 'ms', meaning: 'latency of the slowest acknowledged record' },
  'consume.delivered': { unit: 'count', meaning: 'records that consumers were given' },
  'consume.redelivered': { unit: 'count', meaning: 'deliveries of a record beyond its first' },
  'consume.redeliveredAfterCommit': { unit: 'count', meaning: 'records delivered again after their group had committed them' },
  'consume.commitsLost': { unit: 'count', meaning: 'partitions whose commits Kafka had said to have, and has not at the end' },
  'consume.uncommitted': { unit: 'count', meaning: 'partitions that consumers could not commit at the end as far as they were given' },
  'consume.backwards': { unit: 'count', meaning: 'deliveries at or below the one before of their partition, to the same consumer instance; with partitions of their own, to whomever' },
  'consume.backwardsInPoll': { unit: 'count', meaning: 'deliveries of a partition at or below one that the same answer gave before' },
  'consume.skipped': { unit: 'count', meaning: 'records that consumers passed over' },
  'consume.undelivered': { unit: 'count', meaning: 'records at the end of the log that consumers did not reach' },
  'consume.recreated': { unit: 'count', meaning: 'consumers made anew' },
  'consume.notRecreated': { unit: 'count', meaning: 'consumers that were lost, and could not be made anew to the end' },
  'consume.blackoutMs': { unit: 'ms', meaning: 'longest time in which a partition gave its consumer nothing' },
  'log.ackedLost': { unit: 'count', meaning: 'records that were acknowledged, and are not in the log' },
  'log.offsetMismatch': { unit: 'count', meaning: 'records that are not where their answer said' },
  'log.phantom': { unit: 'count', meaning: 'records in the log that were never sent, or answered as not written' },
  'log.reordered': { unit: 'count', meaning: 'records below one of their key that was answered before they were sent' },
  'log.unackedPresent': { unit: 'count', meaning: 'records in the log whose client never heard of it' },
  'log.duplicates.clientRetry': { unit: 'count', meaning: 'copies in the log that a client made by sending again' },
  'log.duplicates.proxyRetry': { unit: 'count', meaning: 'copies in the log that a proxy made by sending again' },
  'log.duplicates.unexplained': { unit: 'count', meaning: 'copies in the log that nothing explains' },
};
const phases = ['before', 'during', 'after'] as const;

/** An objective that a person asked for. */
export interface Expression {
  /** As it was given. */
  text: string;
  name: string;
  op: Operator;
  /** ms, 0 to 1, or a count. */
  limit: number;
  /** Whether `limit` is a share of the records sent, of a figure that is a count. */
  ofSent?: true;
}

const operators = {
  '<=': (a: number, b: number) => a <= b,
  '>=': (a: number, b: number) => a >= b,
  '<': (a: number, b: number) => a < b,
  '>': (a: number, b: number) => a > b,
  '=': (a: number, b: number) => a === b,
};
type Operator = keyof typeof operators;

/** Every name that an objective can have, with what it means, for a reader. */
export function objectiveNames(regions: readonly string[] = ['<region>']): { name: string; unit: Unit; meaning: string }[] {
  return [
    ...Object.entries(figures).map(([name, { unit, meaning }]) => ({ name, unit, meaning })),
    ...regions.flatMap((region) => phases.map((phase) => ({ name: `regions.${region}.${phase}`, unit: 'share' as const, meaning: `share of the requests that ${region} served ${phase} the fault` }))),
  ];
}

/**
 * Reads `produce.blackoutMs<=100`, `produce.failed <= 0.1%`, `consume.blackoutMs<8s`. Without `regions`, where the stack is not known yet, any
 * name of a region is taken. Throws a UserError (2) that says what is wrong.
 */
export function parseObjective(text: string, regions?: readonly string[]): Expression {
  const [, name, op, digits, unit] = /^\s*([^\s<>=]+)\s*(<=|>=|<|>|=)\s*([0-9]*\.?[0-9]+)\s*(ms|s|%)?\s*$/.exec(text) ?? [];
  if (name === undefined || op === undefined || digits === undefined) {
    throw wrong(text, 'is not NAME OPERATOR LIMIT', "Write it like 'produce.blackoutMs<=100ms'; operators are <= < >= > and =, units ms, s and %.");
  }
  const { unit: kind, ofSent } = figureOf(text, name, regions);
  const number = Number(digits);
  const limits: Record<Unit, Partial<Record<string, number>>> = {
    ms: { '': number, ms: number, s: number * 1000 },
    share: { '': number, '%': exact(number / 100) },
    count: { '': number, ...(ofSent ? { '%': exact(number / 100) } : {}) },
  };
  const limit = limits[kind][unit ?? ''];
  if (limit === undefined) throw wrong(text, `${name} is no figure in ${String(unit)}`, unitHelp[kind]);
  if ((kind === 'share' || unit === '%') && limit > 1) throw wrong(text, `${name} is a share, ${digits}${unit ?? ''} is more than all`, unitHelp.share);
  if (kind === 'count' && unit !== '%' && !Number.isInteger(number)) throw wrong(text, `${name} counts, ${digits} is no whole number`, unitHelp.count);
  return { text: text.trim(), name, op: op as Operator, limit, ...(unit === '%' && kind === 'count' ? { ofSent: true } : {}) };
}

const unitHelp: Record<Unit, string> = {
  ms: 'It is a time: 100, 100ms or 0.1s.',
  share: 'It is a share: 0 to 1, or 0% to 100%.',
  count: 'It is a number of records without a unit; produce.ok, failed and unknown can be a % of those sent.',
};

function figureOf(text: string, name: string, regions: readonly string[] | undefined): Figure {
  const figure = Object.hasOwn(figures, name) ? figures[name] : undefined;
  if (figure !== undefined) return figure;
  if (regions === undefined && /^regions\..+\.(before|during|after)$/.test(name)) return { unit: 'share', meaning: 'share of the requests that the region served' };
  const names = objectiveNames(regions);
  const share = names.find((known) => known.name === name);
  if (share !== undefined) return share;
  const near = nearest(name, names.map((known) => known.name));
  throw wrong(text, `there is no figure ${name}`, `${near === undefined ? '' : `Did you mean ${near}? `}There is ${names.map((known) => known.name).join(', ')}.`);
}

/** All objectives of a file: a list of expressions, as YAML or JSON. Throws a UserError (2). */
export function readObjectives(file: string): Expression[] {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new UserError(`the objectives in ${file} cannot be read: ${messageOf(cause)}`, { exitCode: 2, cause });
  }
  if (!Array.isArray(content) || content.length === 0) {
    throw new UserError(`${file} is not a list of objectives`, { exitCode: 2, remedy: "Write one in a line, like '- produce.blackoutMs<=100ms'." });
  }
  return content.map((entry: unknown, i) => {
    if (typeof entry !== 'string') throw new UserError(`${file}: entry ${i + 1} is no text but ${JSON.stringify(entry)}`, { exitCode: 2, remedy: "Write it like '- produce.blackoutMs<=100ms'." });
    try {
      return parseObjective(entry);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${file}: entry ${i + 1}: ${error.message}`, { exitCode: 2, cause: error, ...(error.remedy === undefined ? {} : { remedy: error.remedy }) });
    }
  });
}

/** Whether a figure meets the objective. `sent`: number of records sent, for shares of them. */
export function holds({ op, limit, ofSent }: Expression, value: number, sent = 0): boolean {
  return operators[op](exact(value), exact(ofSent ? limit * sent : limit));
}

/** The limit as a person reads it: `<= 100 ms`, `<= 0.1 % of those sent`. */
export function limitText({ name, op, limit, ofSent }: Expression): string {
  const unit = figures[name]?.unit ?? 'share';
  if (ofSent) return `${op} ${rounded(limit * 100)} % of those sent`;
  return unit === 'ms' ? `${op} ${rounded(limit)} ms` : unit === 'share' ? `${op} ${rounded(limit * 100)} %` : `${op} ${limit}`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(9));
}

function wrong(text: string, what: string, remedy: string): UserError {
  return new UserError(`the objective '${text.trim()}' cannot be used: ${what}`, { exitCode: 2, remedy });
}
