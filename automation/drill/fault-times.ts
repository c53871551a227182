import type { Marks } from './metrics.ts';
import type { FaultMark, Plan } from './plan.ts';
import { driversShare } from './workers/protocol.ts';

/** A fault that has not taken hold by then never will: once asked of the cluster, and once of who answers. */
export const takeHoldTimeoutMs = 60_000;
/** A region that does not serve again by then is reported as not recovered: once asked of the cluster, and once of who answers. */
export const recoverTimeoutMs = 90_000;

/** No region is taken for silent sooner. */
export const leastSilenceMs = 500;
/** How likely it may be that a region is taken for silent, though it serves for as long as it is listened to. */
const mistaken = 0.01;

/**
 * How many requests in a row may miss a region that is sent every n-th of them at random, before it is taken for silent. Requests that come at random, as a Poisson load's, leave
 * it out for k of them with e^(-k/n); those that come evenly do so with ((n-1)/n)^k, which is less. That begins anew with each request that the region answers, of which there are
 * `requests`/n while it is listened to: all in all (1 + requests/n) × e^(-k/n), which is 1 % for this k. Two regions and 10 requests a second for a minute: 21.
 */
export function requestsMissed(regions: number, requests: number): number {
  return regions * Math.log((1 + requests / regions) / mistaken);
}

/** Whether the load tells that the region of a fault is silent: of n that serve it is sent every n-th request at least. One that stands by, or has a smaller share at tier1, is asked itself. */
export function isToldByLoad({ region = '', expects }: Pick<FaultMark, 'region' | 'expects'>): boolean {
  return expects[region]?.before === 'serves' && (expects[region].share ?? 1) >= 1 / servingBefore(expects);
}

/** How many regions serve while nothing is wrong. */
function servingBefore(expects: FaultMark['expects']): number {
  return Object.values(expects).filter(({ before }) => before === 'serves').length;
}

/** How many of the driver's own requests in a row have to miss the region of a fault, where the load tells it; of who is asked itself none. */
export function missesNeeded(plan: Plan, { region = '', expects }: Pick<FaultMark, 'region' | 'expects'>): number {
  if (!isToldByLoad({ region, expects })) return 0;
  const { rate, load: { pattern, rampFrom = 1 } } = driversShare(plan);
  const regions = servingBefore(expects);
  return requestsMissed(regions, Math.max(rate, pattern === 'ramp' ? rampFrom : rate) * takeHoldTimeoutMs / 1000);
}

/**
 * How long the region of a fault must not have been heard before it is taken for silent, ms: as long as so many requests take as have to miss it, where the load tells
 * it; who is asked itself is not missed by chance. Of a ramp the rate when the fault was injected counts, if it grows.
 */
export function silenceMs(plan: Plan, { region = '', expects, injectMs }: Pick<FaultMark, 'region' | 'expects' | 'injectMs'>, loadMs = 0): number {
  if (!isToldByLoad({ region, expects })) return leastSilenceMs;
  const { rate, durationSeconds, load: { pattern, rampFrom = 1 } } = driversShare(plan);
  const from = pattern === 'ramp' ? rampFrom : rate;
  const least = Math.min(rate, from + (rate - from) * Math.min(1, (injectMs - loadMs) / (durationSeconds * 1000)));
  return Math.max(leastSilenceMs, missesNeeded(plan, { region, expects }) * 1000 / least);
}

/** What has to be known of a run. */
interface Run {
  plan: Plan;
  marks: Marks;
  workerClocksMs?: number;
}

/** Until when a silent region may still have answered somebody, though the driver had heard its last answer. */
export interface LateAnswers {
  region: string;
  byMs: number;
}

/** Where workers send too, the driver sees some of the answers only: those of others may go on for as long as it took to tell the silence, and their times may be off. */
export function lateAnswers({ plan, marks, workerClocksMs = 0 }: Run, fault: FaultMark | undefined): LateAnswers | undefined {
  const { region = '', expects = {}, tookHoldMs, healMs = Infinity } = fault ?? {};
  if (plan.load.workers === 0 || fault === undefined || tookHoldMs === undefined || expects[region]?.during !== 'silent') return undefined;
  return { region, byMs: Math.min(healMs, tookHoldMs + silenceMs(plan, fault, marks.loadMs) + workerClocksMs) };
}

/** How long both-regions-blip stops bridges: more than the least only as far as it takes to see that all were stopped at once. */
export const blipSeconds = { least: 0.3, most: 0.4 };
