import type { LogFindings } from './checker.ts';
import { standIns } from './expectations.ts';
import type { RegionShares, Samples, Shares } from './figures.ts';
import type { Losses } from './in-flight.ts';
import { holds, limitText, parseObjective } from './objective-text.ts';
import type { Expression } from './objective-text.ts';
import type { FaultMark, Plan, Serving } from './plan.ts';
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
  /** What of its failed and unknown records cannot have been in flight at a fault. */
  lostBesides: Losses;
  consume?: Report['consume'];
  log?: LogFindings;
  regions: RegionShares[];
  predicted?: Prediction;
  /** How long nobody may be answered under each fault, ms; undefined where nothing bounds that. */
  boundsMs?: readonly (number | undefined)[];
  /** Around the first fault, as `regions` are. */
  samples: Samples;
  /** Around each other fault. */
  later: Shares[];
  /** Records that were due, and that nobody handed over. */
  notHandedOver?: number;
  /** 99th percentile of the generator's own lateness, ms. */
  latenessMs: number;
  /** How much of the longest gap it may have made itself, ms. */
  latenessInGapMs?: number;
  /** How long the typical request waited for a connection shortly before the fault, ms. */
  connectionWaitMs?: number;
  /** How far consumers were behind the log at the fault, ms. */
  consumersBehindMs?: number;
  clockJumps: number;
}

/** Fewer requests than this in a phase say nothing about who serves; ten miss one of two regions that are sent them at random with 0.2 %. */
const fewestSamples = 10;
/** How likely it may be that the requests of a phase miss any of the regions by chance. */
const missed = 2 * 0.5 ** fewestSamples;
/**
 * What the load may add to a request of its own, ms: by handing it over late, or by having no connection free for it. Beyond that it is no open
 * loop any more and measures itself. Half of the shortest gaps that drills had measured when it was chosen (190 to 220 ms), which are to be told from it; where four
 * connections could not carry the load of a drill, its requests waited 400 to 6000 ms when the fault came.
 */
export const ownDelayMs = 100;
/**
 * How far consumers may be behind the log when the fault comes, ms: what they are given late, or never, is their own slowness beyond that. Those that keep up are as far
 * behind as a poll and the pause after it take, about half a second.
 */
const mostBehindMs = 2_000;
/** Of the longest gap so much at most may be the load's own making, where that is more: a tenth is what two runs differ by at any rate. */
const ownShareOfGap = 0.1;
/** A measurement may pass its predicted bound by this factor: the machine, and requests of other clients, are no terms of it. */
export const predictionTolerance = 1.5;

/**
 * The objectives of a failover drill and the verdict over them. Damage to data fails a run whatever else happened. A run that was not
 * carried out as planned (the conditions), or left an objective unmeasured, is inconclusive, not passed and not failed. A fault that did not end
 * mends no objective that was broken until then, but nothing passes with it.
 * What a person asked for stands beside the drill's own; of one's name, instead of it, unless that is about data.
 */
export function judgeObjectives(measured: Measured): { objectives: Objective[]; verdict: Report['verdict'] } {
  const { run } = measured;
  const asked = (run.plan.objectives ?? []).map((text) => parseObjective(text, run.regions));
  const replaced = new Set(asked.map(({ name }) => name));
  const conditions = conditionsOf(measured);
  const own = [...dataObjectives(measured), ...trafficObjectives(measured).filter(({ name }) => !replaced.has(name))];
  const objectives = [...conditions, ...own, ...asked.map((expression) => ask(expression, measured))];
  return { objectives, verdict: verdictOf() };

  function verdictOf(): Report['verdict'] {
    if (own.some((objective) => isAboutData(objective) && isBroken(objective))) return 'fail';
    if (run.ending.kind === 'aborted') return 'aborted';
    if (conditions.some(({ name, met }) => !met && name !== recoveredName) || objectives.some((objective) => objective.measured === undefined)) return 'inconclusive';
    if (objectives.some((objective) => isBroken(objective) && objective.name !== recoveredName)) return 'fail';
    return objectives.some(isBroken) ? 'inconclusive' : 'pass';
  }
}

function isBroken({ measured, met }: Objective): boolean {
  return measured !== undefined && !met;
}

/** Damage to data, as docs/verdict.md groups it: it fails a drill, whatever else happened. */
export const damage: ReadonlySet<string> = new Set([
  'log.ackedLost', 'log.offsetMismatch', 'log.phantom', 'log.reordered', 'log.duplicates.unexplained', 'log.duplicates.proxyRetry', 'consume.skipped', 'consume.redeliveredAfterCommit', 'consume.commitsLost', 'consume.backwardsInPoll',
]);

/** Going back is damage to consumers with partitions of their own only, of whom alone it is asked. */
export function isAboutData({ name }: Pick<Objective, 'name'>): boolean {
  return damage.has(name) || name === 'consume.backwards';
}

function conditionsOf(measured: Measured): Objective[] {
  const { run, notHandedOver, latenessMs, connectionWaitMs, consumersBehindMs, clockJumps } = measured;
  const { plan, ending, marks, faults } = run;
  const carriedOut: Objective = {
    name: 'condition.carriedOut', limit: 'every phase of the drill was carried out',
    measured: ending.kind === 'complete' ? 'yes' : ending.reason, met: ending.kind === 'complete',
  };
  if (ending.kind !== 'complete') return [carriedOut];
  return [
    carriedOut,
    ofFaults('condition.faultTookHold', 'tookHoldMs', { marks, faults }),
    recovered({ marks, faults }),
    ...(clockJumps === 0 ? [] : [explained(atMost('condition.clock', 0, clockJumps), 'the clock of the machine that drove the drill went back: times, order and redeliveries cannot be told')]),
    explained(atMost('condition.notHandedOver', 0, notHandedOver), 'records that were due were never sent: who sends them stood still to the end, or lines are missing, so that nobody knows what would have become of them'),
    atMost('condition.generatorLatenessP99Ms', ownDelayMs, tenths(latenessMs)),
    ...latenessInGap(measured),
    ...(plan.load.workers === 0 ? [] : [explained(atMost('condition.workerClocksMs', ownDelayMs, tenths(run.workerClocksMs)), 'gaps and shares are of several machines, whose clocks are not known to be so near to each other')]),
    explained(atMost('condition.connectionWaitP50Ms', ownDelayMs, tenths(connectionWaitMs)), tooManyFor(plan)),
    ...(consumersBehindMs === undefined ? [] : [explained(atMost('condition.consumersBehindMs', mostBehindMs, consumersBehindMs), tooSlowFor(plan))]),
    ...samplesOf(measured),
    ...lastedOf(measured),
  ];
}

/** A gap is the system's only as far as the load asked for an answer in it. */
function latenessInGap({ produce: { blackoutMs }, latenessInGapMs }: Measured): Objective[] {
  if (blackoutMs === undefined) return [];
  const limit = Math.max(ownDelayMs, Math.round(blackoutMs * ownShareOfGap));
  return [explained(atMost('condition.generatorLatenessInGapMs', limit, tenths(latenessInGapMs)),
    'the load itself stood still within the longest gap, which is then not the system\'s alone: give a lower rate, or the machine less other work')];
}

/** Enough requests in each phase of which something is expected. Before and after the first fault that is always so. */
function samplesOf({ run: { faults, regions }, samples, later }: Measured): Objective[] {
  const servings = (number: number, phase: keyof Samples): Serving[] => Object.values(faults[number]?.expects ?? {}).map((serving) => serving[phase]);
  const enough = (number: number, phase: keyof Samples, count: number): Objective => {
    const fewest = samplesFor(faults.length === 0 ? regions.length : servings(number, phase).filter((serving) => serving !== 'silent').length);
    return { name: `condition.samples.${phase}${number === 0 ? '' : `.${number + 1}`}`, limit: `>= ${fewest}`, measured: count, met: count >= fewest };
  };
  const expects = (number: number, phase: keyof Samples): boolean => servings(number, phase).some((serving) => serving !== 'any');
  return [
    enough(0, 'before', samples.before), ...(faults.length === 0 || expects(0, 'during') ? [enough(0, 'during', samples.during)] : []), enough(0, 'after', samples.after),
    ...later.flatMap((around, i) => laterPhases.filter((phase) => expects(i + 1, phase)).map((phase) => enough(i + 1, phase, around.samples[phase]))),
  ];
}

/** So many requests miss any of so many regions that are sent them at random as seldom as ten do one of two: n × (1 - 1/n)^k of k requests. */
function samplesFor(regions: number): number {
  return regions < 2 ? fewestSamples : Math.ceil(Math.log(missed / regions) / Math.log(1 - 1 / regions) - 1e-9);
}

/** A fault that was over before the settings have another region serve says nothing of whether one would have. */
function lastedOf(measured: Measured): Objective[] {
  return measured.run.faults.flatMap((_, i) => {
    const { lastedMs, boundMs, regions } = notYetTakenOver(measured, i);
    if (regions.length === 0) return [];
    return [{
      name: `condition.faultLasted${i === 0 ? '' : `.${i + 1}`}`, limit: `>= ${boundMs} ms`, measured: lastedMs, met: false,
      why: `${regions.join(' and ')} served nobody until the fault ended, for which the settings in effect allow ${boundMs} ms: whether another region takes over shows only after that; let it last longer (--duration)`,
    }];
  });
}

/** Regions that were to serve under the fault, and did not in a time in which they need not have yet. */
function notYetTakenOver({ run: { faults }, regions, later, boundsMs = [] }: Measured, i: number): { lastedMs: number; boundMs: number; regions: string[] } {
  const { tookHoldMs = NaN, healMs = NaN, expects = {} } = faults[i] ?? {};
  const [lastedMs, boundMs] = [Math.round(healMs - tookHoldMs), boundsMs[i] ?? NaN];
  if (!(lastedMs < boundMs)) return { lastedMs, boundMs, regions: [] };
  const around = (i === 0 ? regions : later[i - 1]?.regions) ?? [];
  const idle = around.filter(({ name, during }) => expects[name]?.during === 'serves' && during === 0);
  const others = standInsOf(faults[i], around);
  return { lastedMs, boundMs, regions: [...idle.map(({ name }) => name), ...(others.during === 0 ? others.names : [])] };
}

/** Those of whom any may stand in under a fault, and the share that they served together. */
function standInsOf(fault: FaultMark | undefined, around: readonly RegionShares[]): { names: string[]; during: number | undefined } {
  const names = fault === undefined ? [] : standIns(fault);
  const shares = around.flatMap(({ name, during }) => (names.includes(name) && during !== undefined ? [during] : []));
  return { names, during: shares.length === 0 ? undefined : shares.reduce((sum, share) => sum + share, 0) };
}

const recoveredName = 'condition.recovered';

/** What hurts a region that nobody would miss has to end as well. */
function recovered(run: Pick<RunRecord, 'marks' | 'faults'>): Objective {
  return explained(ofFaults(recoveredName, 'recoveredMs', run), `${run.faults.filter(({ recoveredMs }) => recoveredMs === undefined).map(nameOf).join(' and ') || 'the fault'} was not seen to be over: `
    + 'see what its cluster says of it, and whether what it hurt serves again');
}

/** Of several faults each has to. */
function ofFaults(name: string, mark: 'tookHoldMs' | 'recoveredMs', { marks, faults }: Pick<RunRecord, 'marks' | 'faults'>): Objective {
  const missing = faults.filter((fault) => fault[mark] === undefined).map(nameOf);
  const all = marks[mark] !== undefined && missing.length === 0;
  return { name, limit: '= true', measured: all, met: all, ...(faults.length > 1 && !all ? { why: `${missing.join(' and ')} did not` } : {}) };
}

function nameOf({ fault, region }: FaultMark): string {
  return `${fault}${region === undefined ? '' : ` of ${region}`}`;
}

function tooManyFor({ connections, rate }: Plan): string {
  return `already before the fault requests queued for the load's own ${connections} connections, which do not carry ${rate} records/s here: `
    + 'times and outcomes are that queue\'s; give a lower rate, or the machine less other work';
}

function tooSlowFor({ consumers, rate }: Plan): string {
  return `already before the fault the ${consumers.count} consumers did not keep up with ${rate} records/s: what they were given late, or not to the end, is their own; give a lower rate, smaller payloads, or more consumers (--consumers)`;
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

/** Between two faults there may be no time. */
const laterPhases = ['during', 'after'] as const;

/** Of each fault; those after the first carry their number. */
function regionObjectives(measured: Measured): Objective[] {
  const { run, regions, later } = measured;
  const isOpen = (i: number, phase: string, name: string): boolean => phase === 'during' && notYetTakenOver(measured, i).regions.includes(name);
  const together = (i: number, around: readonly RegionShares[]): Objective[] => {
    const { names, during } = standInsOf(run.faults[i], around);
    return names.length === 0 || names.some((name) => isOpen(i, 'during', name)) ? [] : expected(`regions.${names.join('+')}.during${i === 0 ? '' : `.${i + 1}`}`, 'serves', during);
  };
  return [
    ...(['before', 'during', 'after'] as const).flatMap((phase) =>
      regions.flatMap((region) => (isOpen(0, phase, region.name) ? [] : expected(`regions.${region.name}.${phase}`, expectationOf(run, region.name, phase), region[phase])))),
    ...together(0, regions),
    ...later.flatMap((around, i) => laterPhases.flatMap((phase) =>
      around.regions.flatMap((region) => (isOpen(i + 1, phase, region.name) ? [] : expected(`regions.${region.name}.${phase}.${i + 2}`, run.faults[i + 1]?.expects[region.name]?.[phase] ?? 'any', region[phase]))))),
    ...later.flatMap((around, i) => together(i + 1, around.regions)),
  ];
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

function within(name: string, boundMs: number | undefined, measured: number | undefined, ownMs = 0): Objective[] {
  if (boundMs === undefined || measured === undefined) return [];
  const limit = Math.round(boundMs * predictionTolerance) + ownMs;
  const own = ownMs === 0 ? '' : `, and ${ownMs} ms in which the load itself stood still`;
  return [explained({ ...atMost(name, limit, tenths(measured)), limit: `<= ${limit} ms (predicted ${boundMs} ms, and half as much again${own})` },
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
