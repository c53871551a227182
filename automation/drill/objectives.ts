import type { Findings } from './checker.ts';
import type { Plan } from './plan.ts';
import type { Report, Samples } from './report.ts';

/** One line of the verdict. `measured` is absent when it could not be measured. */
export interface Objective {
  name: string;
  /** `= 0`, `> 0`, `<= 100`, or in words. */
  limit: string;
  measured?: number | string | boolean;
  met: boolean;
  /** What it means that it is not met, and what to do, where the name does not say it. */
  why?: string;
}

/** How a run came to its end. */
export type Ending =
  | { kind: 'complete' }
  /** Something outside the drill's question kept it from being answered. */
  | { kind: 'inconclusive'; reason: string }
  | { kind: 'aborted'; reason: string };

export interface Measured {
  plan: Plan;
  regions: Report['regions'];
  samples: Samples;
  ending: Ending;
  tookHold: boolean;
  /** 99th percentile of the generator's own lateness, ms. */
  latenessMs: number;
  /** How long the typical request waited for a connection shortly before the fault, ms. */
  connectionWaitMs?: number;
  /** Absent when nothing was sent. */
  produce?: { failed: number; unknown: number };
  findings?: Findings;
}

/** Fewer requests than this in a phase say nothing about who serves. */
const fewestSamples = 10;
/**
 * What the load may add to a request of its own, ms: by handing it over late, or by having no connection free for it. Beyond that it is no open
 * loop any more and measures itself. Half of the shortest gaps that drills have measured (190 to 220 ms), which are to be told from it; where four
 * connections could not carry the load of a drill, its requests waited 400 to 6000 ms when the fault came.
 */
const ownDelayMs = 100;

/**
 * The objectives of a failover drill and the verdict over them. Damage to data fails a run whatever else happened. A run that was not
 * carried out as planned (the conditions), or left an objective unmeasured, is inconclusive, not passed and not failed.
 */
export function judgeObjectives(measured: Measured): { objectives: Objective[]; verdict: Report['verdict'] } {
  const conditions = conditionsOf(measured);
  const data = dataObjectives(measured.findings);
  const traffic = trafficObjectives(measured);
  const objectives = [...conditions, ...data, ...traffic];
  return { objectives, verdict: verdictOf() };

  function verdictOf(): Report['verdict'] {
    if (measured.ending.kind === 'aborted') return 'aborted';
    if (data.some(isBroken)) return 'fail';
    if (conditions.some(({ met }) => !met) || objectives.some((objective) => objective.measured === undefined)) return 'inconclusive';
    return objectives.some(isBroken) ? 'fail' : 'pass';
  }
}

function isBroken({ measured, met }: Objective): boolean {
  return measured !== undefined && !met;
}

function conditionsOf({ plan, ending, samples, tookHold, latenessMs, connectionWaitMs }: Measured): Objective[] {
  const carriedOut: Objective = {
    name: 'condition.carriedOut', limit: 'every phase of the drill was carried out',
    measured: ending.kind === 'complete' ? 'yes' : ending.reason, met: ending.kind === 'complete',
  };
  if (ending.kind !== 'complete') return [carriedOut];
  return [
    carriedOut,
    { name: 'condition.faultTookHold', limit: '= true', measured: tookHold, met: tookHold },
    atMost('condition.generatorLatenessP99Ms', ownDelayMs, tenths(latenessMs)),
    explained(atMost('condition.connectionWaitP50Ms', ownDelayMs, tenths(connectionWaitMs)),
      `already before the fault requests queued for the load's own ${plan.connections} connections, which do not carry ${plan.rate} records/s here: `
      + 'times and outcomes are that queue\'s; give a lower rate, or the machine less other work'),
    ...Object.entries(samples).map(([phase, count]): Objective =>
      ({ name: `condition.samples.${phase}`, limit: `>= ${fewestSamples}`, measured: count, met: count >= fewestSamples })),
  ];
}

function dataObjectives(findings: Findings | undefined): Objective[] {
  const { log, consume } = findings ?? {};
  return [
    atMost('log.ackedLost', 0, log?.ackedLost),
    atMost('log.offsetMismatch', 0, log?.offsetMismatch),
    atMost('log.phantom', 0, log?.phantom),
    atMost('log.reordered', 0, log?.reordered),
    atMost('log.duplicates.unexplained', 0, log?.duplicates.unexplained),
    atMost('consume.skipped', 0, consume?.skipped),
  ];
}

function trafficObjectives({ plan, regions, produce, findings }: Measured): Objective[] {
  return [
    // Failover is to hide the fault: a request that its client has to send again, or cannot know about, is a broken promise.
    atMost('produce.failed', 0, produce?.failed),
    atMost('produce.unknown', 0, produce?.unknown),
    ...regions.map(({ name, before }) => moreThanNone(`regions.${name}.before`, before)),
    ...regions.map(({ name, during }) =>
      name === plan.region ? atMost(`regions.${name}.during`, 0, during) : moreThanNone(`regions.${name}.during`, during)),
    ...regions.map(({ name, after }) => moreThanNone(`regions.${name}.after`, after)),
    atMost('consume.undelivered', 0, findings?.consume.undelivered),
  ];
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

function moreThanNone(name: string, measured: number | undefined): Objective {
  return { name, limit: '> 0', ...(measured === undefined ? {} : { measured }), met: measured !== undefined && measured > 0 };
}
