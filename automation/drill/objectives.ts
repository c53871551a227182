import type { Findings } from './checker.ts';
import type { Plan, Report, Samples } from './report.ts';

/** One line of the verdict. `measured` is absent when it could not be measured. */
export interface Objective {
  name: string;
  /** `= 0`, `> 0`, `<= 100`, or in words. */
  limit: string;
  measured?: number | string | boolean;
  met: boolean;
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
  findings?: Findings;
}

/** Fewer requests than this in a phase say nothing about who serves. */
const fewestSamples = 10;
/** A generator later than this is no open loop any more: its latencies would be its own. */
const latestMs = 100;

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

function conditionsOf({ ending, samples, tookHold, latenessMs }: Measured): Objective[] {
  const carriedOut: Objective = {
    name: 'condition.carriedOut', limit: 'every phase of the drill was carried out',
    measured: ending.kind === 'complete' ? 'yes' : ending.reason, met: ending.kind === 'complete',
  };
  if (ending.kind !== 'complete') return [carriedOut];
  return [
    carriedOut,
    { name: 'condition.faultTookHold', limit: '= true', measured: tookHold, met: tookHold },
    atMost('condition.generatorLatenessP99Ms', latestMs, Math.round(latenessMs * 10) / 10),
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

function trafficObjectives({ plan, regions, findings }: Measured): Objective[] {
  return [
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

function moreThanNone(name: string, measured: number | undefined): Objective {
  return { name, limit: '> 0', ...(measured === undefined ? {} : { measured }), met: measured !== undefined && measured > 0 };
}
