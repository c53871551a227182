import type { LogFindings } from './checker.ts';
import type { RegionShares, Samples } from './figures.ts';
import { holds, limitText, parseObjective } from './objective-text.ts';
import type { Expression } from './objective-text.ts';
import type { Plan, Serving } from './plan.ts';
import type { Prediction } from './predict/predict.ts';
import type { Report, RunRecord } from './report.ts';

/** One line of the verdict. `measured` is absent when it could not be measured. */
export interface Objective {
  name: string;
  /** `= 0`, `> 0`, `<= 100 ms`, or in words. */
  limit: string;
  measured?: number | string | boolean;
  met: boolean;
  /** What it means that it is not met, and what to do, where the name does not say it. */
  why?: string;
  /** Set where a person asked for it. */
  asked?: true;
}

/** How a run came to its end. */
export type Ending =
  | { kind: 'complete' }
  /** Something outside the drill's question kept it from being answered. */
  | { kind: 'inconclusive'; reason: string }
  | { kind: 'aborted'; reason: string };

export interface Measured {
  run: RunRecord;
  produce: Report['produce'];
  consume?: Report['consume'];
  log?: LogFindings;
  regions: RegionShares[];
  predicted?: Prediction;
  samples: Samples;
  /** 99th percentile of the generator's own lateness, ms. */
  latenessMs: number;
  /** How long the typical request waited for a connection shortly before the fault, ms. */
  connectionWaitMs?: number;
  clockJumps: number;
}

/** Fewer requests than this in a phase say nothing about who serves. */
const fewestSamples = 10;
/**
 * What the load may add to a request of its own, ms: by handing it over late, or by having no connection free for it. Beyond that it is no open
 * loop any more and measures itself. Half of the shortest gaps that drills have measured (190 to 220 ms), which are to be told from it; where four
 * connections could not carry the load of a drill, its requests waited 400 to 6000 ms when the fault came.
 */
const ownDelayMs = 100;
/** A measurement may pass its predicted bound by this factor: the machine, and requests of other clients, are no terms of it. */
const predictionTolerance = 1.5;

/**
 * The objectives of a failover drill and the verdict over them. Damage to data fails a run whatever else happened. A run that was not
 * carried out as planned (the conditions), or left an objective unmeasured, is inconclusive, not passed and not failed.
 * What a person asked for stands beside the drill's own; of one's name, instead of it.
 */
export function judgeObjectives(measured: Measured): { objectives: Objective[]; verdict: Report['verdict'] } {
  const { run } = measured;
  const asked = (run.plan.objectives ?? []).map((text) => parseObjective(text, run.regions));
  const replaced = new Set(asked.map(({ name }) => name));
  const conditions = conditionsOf(measured);
  const own = [...dataObjectives(measured), ...trafficObjectives(measured)].filter(({ name }) => !replaced.has(name));
  const objectives = [...conditions, ...own, ...asked.map((expression) => ask(expression, measured))];
  return { objectives, verdict: verdictOf() };

  function verdictOf(): Report['verdict'] {
    if (run.ending.kind === 'aborted') return 'aborted';
    if (objectives.some((objective) => isAboutData(objective) && isBroken(objective))) return 'fail';
    if (conditions.some(({ met }) => !met) || objectives.some((objective) => objective.measured === undefined)) return 'inconclusive';
    return objectives.some(isBroken) ? 'fail' : 'pass';
  }
}

function isBroken({ measured, met }: Objective): boolean {
  return measured !== undefined && !met;
}

function isAboutData({ name }: Objective): boolean {
  return name.startsWith('log.') || name === 'consume.skipped' || name === 'consume.redeliveredAfterCommit';
}

function conditionsOf({ run, samples, latenessMs, connectionWaitMs, clockJumps }: Measured): Objective[] {
  const { plan, ending } = run;
  const carriedOut: Objective = {
    name: 'condition.carriedOut', limit: 'every phase of the drill was carried out',
    measured: ending.kind === 'complete' ? 'yes' : ending.reason, met: ending.kind === 'complete',
  };
  if (ending.kind !== 'complete') return [carriedOut];
  return [
    carriedOut,
    tookHold(run),
    ...(clockJumps === 0 ? [] : [explained(atMost('condition.clock', 0, clockJumps), 'the clock of the machine that drove the drill went back: times, order and redeliveries cannot be told')]),
    atMost('condition.generatorLatenessP99Ms', ownDelayMs, tenths(latenessMs)),
    explained(atMost('condition.connectionWaitP50Ms', ownDelayMs, tenths(connectionWaitMs)), tooManyFor(plan)),
    ...Object.entries(samples).filter(([phase]) => phase !== 'during' || expectsSomething(run)).map(([phase, count]): Objective =>
      ({ name: `condition.samples.${phase}`, limit: `>= ${fewestSamples}`, measured: count, met: count >= fewestSamples })),
  ];
}

/** Whether it follows from the faults who serves under them. */
function expectsSomething({ faults }: RunRecord): boolean {
  return faults.length === 0 || faults.some(({ expects }) => Object.values(expects).some(({ during }) => during !== 'any'));
}

/** Of several faults each has to take hold. */
function tookHold({ marks, faults }: RunRecord): Objective {
  const missing = faults.filter(({ tookHoldMs }) => tookHoldMs === undefined).map(({ fault, region }) => `${fault}${region === undefined ? '' : ` of ${region}`}`);
  const all = marks.tookHoldMs !== undefined && missing.length === 0;
  return { name: 'condition.faultTookHold', limit: '= true', measured: all, met: all, ...(faults.length > 1 && !all ? { why: `${missing.join(' and ')} did not` } : {}) };
}

function tooManyFor({ connections, rate }: Plan): string {
  return `already before the fault requests queued for the load's own ${connections} connections, which do not carry ${rate} records/s here: `
    + 'times and outcomes are that queue\'s; give a lower rate, or the machine less other work';
}

function dataObjectives({ log, consume }: Measured): Objective[] {
  return [
    atMost('log.ackedLost', 0, log?.ackedLost),
    atMost('log.offsetMismatch', 0, log?.offsetMismatch),
    atMost('log.phantom', 0, log?.phantom),
    atMost('log.reordered', 0, log?.reordered),
    atMost('log.duplicates.unexplained', 0, log?.duplicates.unexplained),
    // No client asked for it, and none can know.
    ...(log?.duplicates.proxyRetry === undefined ? [] : [atMost('log.duplicates.proxyRetry', 0, log.duplicates.proxyRetry)]),
    atMost('consume.skipped', 0, consume?.skipped),
    atMost('consume.redeliveredAfterCommit', 0, consume?.redeliveredAfterCommit),
  ];
}

function trafficObjectives({ run, regions, produce, consume, predicted }: Measured): Objective[] {
  const sent = produce.sent > 0;
  const lost = mayLose(run);
  return [
    explained(atMost('produce.failed', lost, sent ? produce.failed : undefined), lostWhy),
    explained(atMost('produce.unknown', lost, sent ? produce.unknown : undefined), lostWhy),
    ...(['before', 'during', 'after'] as const).flatMap((phase) =>
      regions.flatMap((region) => expected(`regions.${region.name}.${phase}`, expectationOf(run, region.name, phase), region[phase]))),
    atMost('consume.undelivered', 0, consume?.undelivered),
    ...within('prediction.produceBlackoutMs', predicted?.produceBlackoutMs, produce.blackoutMs),
    ...(predicted?.noFailover === true ? [nothingPromised] : []),
    ...run.steps.filter(({ kind, met }) => kind === 'expect' && met !== undefined).map(({ text, measured, met }, i): Objective =>
      ({ name: `step.${i + 1}`, limit: text, measured: measured ?? 'not met', met: met === true })),
    ...within('prediction.consumeBlackoutMs', predicted?.consumeBlackoutMs, consume?.blackoutMs),
  ];
}

const lostWhy = 'failover is to hide the fault: these were lost to their clients beyond what can have been in flight at it';

/**
 * How many requests a drill may lose of each kind. None, where what dies takes leave first. Where it dies at once, what was in flight cannot be saved
 * without writing it twice: at most one request on each connection. A client that sends again loses none that certainly was not written.
 */
function mayLose({ faults, plan }: RunRecord): number {
  return plan.load.retry !== 'always' && faults.some(({ losesInFlight }) => losesInFlight === true) ? plan.connections * faults.length : 0;
}

/** Before a fault was marked, every region but the one to be hurt is to serve. */
function expectationOf({ faults, plan }: RunRecord, region: string, phase: 'before' | 'during' | 'after'): Serving {
  return faults[0]?.expects[region]?.[phase] ?? (phase === 'during' && region === plan.region ? 'silent' : 'serves');
}

function expected(name: string, serving: Serving, measured: number | undefined): Objective[] {
  if (serving === 'any') return [];
  if (serving === 'silent') return [atMost(name, 0, measured)];
  return [{ name, limit: '> 0', ...(measured === undefined ? {} : { measured }), met: measured !== undefined && measured > 0 }];
}

/** What was lost then depends on how long the fault stayed: that it was little this time promises nothing. */
const nothingPromised: Objective = {
  name: 'prediction.failover', limit: 'settings by which another takes over', measured: 'none', met: false,
  why: 'the settings in effect let nothing take over what this fault silences: whatever is due there until it ends waits or is lost',
};

function within(name: string, boundMs: number | undefined, measured: number | undefined): Objective[] {
  if (boundMs === undefined || measured === undefined) return [];
  const limit = Math.round(boundMs * predictionTolerance);
  return [explained({ ...atMost(name, limit, tenths(measured)), limit: `<= ${limit} ms (predicted ${boundMs} ms, and half as much again)` },
    'the settings in effect do not explain so long a gap: something else kept requests waiting')];
}

function ask(expression: Expression, measured: Measured): Objective {
  const value = valueAt(expression.name, measured);
  return {
    name: expression.name, limit: limitText(expression), ...(value === undefined ? {} : { measured: value }),
    met: value !== undefined && holds(expression, value, measured.produce.sent), asked: true,
  };
}

/** The figure of that name, or undefined where it was not measured. */
export function valueAt(name: string, { produce, consume, log, regions }: Pick<Report, 'produce' | 'consume' | 'log' | 'regions'>): number | undefined {
  const byName = { produce, consume, log, regions: Object.fromEntries(regions.map((region) => [region.name, region])) };
  // A region's name may hold dots; nothing else does.
  const [first = '', ...rest] = name.split('.');
  const path = first === 'regions' ? [first, rest.slice(0, -1).join('.'), rest.at(-1) ?? ''] : [first, ...rest];
  const value = path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined), byName);
  return typeof value === 'number' ? value : undefined;
}

function atMost(name: string, limit: number, measured: number | undefined): Objective {
  return { name, limit: limit === 0 ? '= 0' : `<= ${limit}`, ...(measured === undefined ? {} : { measured }), met: measured !== undefined && measured <= limit };
}

function explained(objective: Objective, why: string): Objective {
  return isBroken(objective) ? { ...objective, why } : objective;
}

function tenths(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 10) / 10;
}
