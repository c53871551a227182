import { comesAfterFailures, conditionsOf } from './conditions.ts';
import type { RegionShares } from './figures.ts';
import { laterPhases } from './measured.ts';
import type { Measured } from './measured.ts';
import { atMost, explained, isBroken, tenths } from './objective.ts';
import type { Objective } from './objective.ts';
import { holds, limitText, parseObjective } from './objective-text.ts';
import type { Expression } from './objective-text.ts';
import type { Serving } from './plan.ts';
import type { Report, RunRecord } from './report.ts';
import { notYetTakenOver, standInsOf } from './taken-over.ts';

/** A measurement may pass its predicted bound by this factor: the machine, and requests of other clients, are no terms of it. */
export const predictionTolerance = 1.5;
/**
 * Of its share before, a region that is back serves so much at least: one request of hundreds is none that serves again. Not much more, as a part of tier1 may leave it out for some seconds
 * after it is back.
 */
const leastBack = 0.1;

/**
 * The objectives of a failover drill and the verdict over them. Damage to data fails a run whatever else happened. A run that was not
 * carried out as planned (the conditions), or left an objective unmeasured, is inconclusive, not passed and not failed. A fault that did not end
 * mends no objective that was broken until then, nor does a gap that nothing bounds, but nothing passes with them.
 * What a person asked for stands beside the drill's own; of one's name, instead of it, unless that is about data.
 */
export function judgeObjectives(measured: Measured): { objectives: Objective[]; verdict: Report['verdict'] } {
  const { run } = measured;
  const asked = (run.plan.objectives ?? []).map((text) => parseObjective(text, run.regions));
  const replaced = new Set(asked.map(({ name }) => name));
  const own = [...dataObjectives(measured), ...trafficObjectives(measured).filter(({ name }) => !replaced.has(name))];
  const judged = [...own, ...asked.map((expression) => ask(expression, measured))];
  const conditions = conditionsOf(measured, asked, judged);
  const objectives = [...conditions, ...judged];
  return { objectives, verdict: verdictOf() };

  function verdictOf(): Report['verdict'] {
    if (own.some((objective) => isAboutData(objective) && isBroken(objective))) return 'fail';
    if (run.ending.kind === 'aborted') return 'aborted';
    if (conditions.some((condition) => !condition.met && !comesAfterFailures(condition)) || objectives.some((objective) => objective.measured === undefined)) return 'inconclusive';
    if (objectives.some((objective) => isBroken(objective) && !comesAfterFailures(objective))) return 'fail';
    return objectives.some(isBroken) ? 'inconclusive' : 'pass';
  }
}

/** Damage to data, as docs/verdict.md groups it: it fails a drill, whatever else happened. */
export const damage: ReadonlySet<string> = new Set([
  'log.ackedLost', 'log.offsetMismatch', 'log.phantom', 'log.reordered', 'log.duplicates.unexplained', 'log.duplicates.proxyRetry', 'consume.skipped', 'consume.redeliveredAfterCommit', 'consume.commitsLost', 'consume.backwardsInPoll',
]);

/** Going back is damage to consumers with partitions of their own only, of whom alone it is asked. */
export function isAboutData({ name }: Pick<Objective, 'name'>): boolean {
  return damage.has(name) || name === 'consume.backwards';
}

function dataObjectives({ run, log, consume }: Measured): Objective[] {
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
    ...(consume?.commitsLost === undefined ? [] : [atMost('consume.commitsLost', 0, consume.commitsLost)]),
    atMost('consume.backwardsInPoll', 0, consume?.backwardsInPoll),
    // Nobody takes partitions from a consumer that has its own, so none is taken back.
    ...(run.plan.consumers.mode === 'assign' ? [atMost('consume.backwards', 0, consume?.backwards)] : []),
  ];
}

function trafficObjectives(measured: Measured): Objective[] {
  const { run, produce, consume, predicted } = measured;
  const lost = mayLose(run);
  return [
    inFlight('failed', lost.failed, measured),
    // What failed was in flight as well.
    inFlight('unknown', Math.max(0, lost.inFlight - produce.failed), measured),
    ...regionObjectives(measured),
    atMost('consume.undelivered', 0, consume?.undelivered),
    ...(consume?.uncommitted === undefined ? [] : [atMost('consume.uncommitted', 0, consume.uncommitted)]),
    ...(consume?.notRecreated === undefined ? [] : [explained(atMost('consume.notRecreated', 0, consume.notRecreated), `what the others took over meanwhile is no failover of these: ${run.consumers?.notRecreated[0] ?? ''}`)]),
    ...within('prediction.produceBlackoutMs', predicted?.produceBlackoutMs, produce.blackoutMs, Math.round(measured.latenessInGapMs ?? 0)),
    ...(predicted?.noFailover === true ? [nothingPromised] : []),
    ...expectedSteps(run),
    ...within('prediction.consumeBlackoutMs', predicted?.consumeBlackoutMs, consume?.blackoutMs),
  ];
}

/** All of it has to have been in flight, and be no more than can have been. */
function inFlight(outcome: 'failed' | 'unknown', limit: number, { produce, lostBesides }: Measured): Objective {
  const objective = atMost(`produce.${outcome}`, limit, produce.sent > 0 ? produce[outcome] : undefined);
  return explained({ ...objective, limit: limit === 0 ? objective.limit : `${objective.limit} in flight at the fault`, met: objective.met && lostBesides[outcome] === 0 },
    `failover is to hide the fault: ${lostBesides[outcome]} of these were lost to their clients beyond what can have been in flight at it`);
}

/** How many requests a drill may lose at most, whenever it does (in-flight.ts). */
function mayLose({ faults, plan }: RunRecord): { inFlight: number; failed: number } {
  const { retry } = plan.load;
  const inFlight = retry === 'always' ? 0 : plan.connections * faults.filter(({ losesInFlight }) => losesInFlight === true).length;
  return { inFlight, failed: retry === 'none' ? inFlight : 0 };
}

/** Each step of the plan that expects something, by its number there. One that could not be measured stays, and leaves the drill inconclusive. */
function expectedSteps({ plan, steps }: RunRecord): Objective[] {
  const seen = steps.filter(({ kind }) => kind === 'expect');
  return plan.steps.flatMap((step, i): Objective[] => {
    if (step.kind !== 'expect') return [];
    const { measured, met } = seen.shift() ?? {};
    return [{ name: `step.${i + 1}`, limit: step.objective, ...(measured === undefined ? {} : { measured }), met: met === true }];
  });
}

/** Of each fault; those after the first carry their number. */
function regionObjectives(measured: Measured): Objective[] {
  const { run, regions, later } = measured;
  const isOpen = (i: number, phase: string, name: string): boolean => phase === 'during' && notYetTakenOver(measured, i).regions.includes(name);
  const all = [regions, ...later.map((around) => around.regions)];
  const shareOf = (i: number, name: string, phase: 'before' | 'after'): number => all[i]?.find((region) => region.name === name)?.[phase] ?? 0;
  /** Of one that is back: of its share before the first fault or, where that was silent, after the one before. What follows other faults than the last holds those as well, which may be long. */
  const leastOf = (i: number, name: string, phase: string): number => (phase === 'after' && i === all.length - 1 ? (shareOf(0, name, 'before') || shareOf(i - 1, name, 'after')) * leastBack : 0);
  const together = (i: number, around: readonly RegionShares[]): Objective[] => {
    const { names, during } = standInsOf(run.faults[i], around);
    return names.length === 0 || names.some((name) => isOpen(i, 'during', name)) ? [] : expected(`regions.${names.join('+')}.during${i === 0 ? '' : `.${i + 1}`}`, 'serves', during);
  };
  return [
    ...(['before', 'during', 'after'] as const).flatMap((phase) =>
      regions.flatMap((region) => (isOpen(0, phase, region.name) ? [] : expected(`regions.${region.name}.${phase}`, expectationOf(run, region.name, phase), region[phase], leastOf(0, region.name, phase))))),
    ...together(0, regions),
    ...later.flatMap((around, i) => laterPhases.flatMap((phase) =>
      around.regions.flatMap((region) => (isOpen(i + 1, phase, region.name) ? [] : expected(`regions.${region.name}.${phase}.${i + 2}`, run.faults[i + 1]?.expects[region.name]?.[phase] ?? 'any', region[phase], leastOf(i + 1, region.name, phase)))))),
    ...later.flatMap((around, i) => together(i + 1, around.regions)),
  ];
}

/** Before a fault was marked, every region but the one to be hurt is to serve. */
function expectationOf({ faults, plan }: RunRecord, region: string, phase: 'before' | 'during' | 'after'): Serving {
  return faults[0]?.expects[region]?.[phase] ?? (phase === 'during' && region === plan.region ? 'silent' : 'serves');
}

/** `least`: the share that it has to serve, where that is known to be more than none. */
function expected(name: string, serving: Serving, measured: number | undefined, least = 0): Objective[] {
  if (serving === 'any') return [];
  if (serving === 'silent') return [atMost(name, 0, measured)];
  // By the number that is said.
  const percent = Number((least * 100).toPrecision(2));
  const limit = least === 0 ? '> 0' : `>= ${percent} % of all, a tenth of its share before`;
  return [{ name, limit, ...(measured === undefined ? {} : { measured }), met: measured !== undefined && measured > 0 && measured >= percent / 100 }];
}

/** What was lost then depends on how long the fault stayed: that it was little this time promises nothing. */
const nothingPromised: Objective = {
  name: 'prediction.failover', limit: 'settings by which another takes over', measured: 'none', met: false,
  why: 'the settings in effect let nothing take over what this fault silences: whatever is due there until it ends waits or is lost',
};

function within(name: string, boundMs: number | undefined, measured: number | undefined, ownMs = 0): Objective[] {
  if (boundMs === undefined || measured === undefined) return [];
  const limit = Math.round(boundMs * predictionTolerance) + ownMs;
  const own = ownMs === 0 ? '' : `, and ${ownMs} ms in which the load itself stood still`;
  const objective = { ...atMost(name, limit, tenths(measured)), limit: `<= ${limit} ms (predicted ${boundMs} ms, and half as much again${own})` };
  if (!objective.met) return [{ ...objective, why: 'the settings in effect do not explain so long a gap: something else kept requests waiting' }];
  const longerMs = tenths(measured - boundMs - ownMs) ?? 0;
  return [longerMs > 0 ? { ...objective, why: `longer than predicted by ${longerMs} ms, which is borne, but nothing in the settings explains it: the machine, requests of other clients, or something that does not work as configured` } : objective];
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
