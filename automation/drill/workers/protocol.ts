import type { Tier1 } from '../entrance.ts';
import type { ServingRegion } from '../outcome.ts';
import type { Plan } from '../plan.ts';
import type { Attempt } from '../records.ts';

/** What a worker is told when its pod starts, as JSON in `KBF_WORKER`; which of them it is, is in `JOB_COMPLETION_INDEX`. */
export interface WorkerSettings {
  /** The whole drill's. */
  plan: Plan;
  tier1: Tier1;
  /** Global hostname, as the Host header. */
  hostname: string;
  regions: ServingRegion[];
  /**
   * Time of day, ms since 1970, at which the drill's clock began. A worker's times are its own clock's since then: those of two machines differ by
   * what their clocks differ, so they are shown together and never compared. A request's latency and lateness are both of one machine.
   */
  beganAt: number;
}

/** Tells all workers when to begin: on the drill's clock, ms. */
export interface Start {
  run: string;
  startMs: number;
}

/** What a worker says, in parts numbered from 0. One may be said twice, as a part whose writing is not known to have succeeded is written again. */
export type WorkerMessage = { run: string; worker: number; part: number } & (
  | { kind: 'ready' }
  | { kind: 'attempts'; attempts: Attempt[] }
  /** The last part. */
  | { kind: 'ended'; failure?: string }
);

/** Topics of one partition by which driver and workers speak. */
export function topicsOf({ topic }: Plan): { control: string; results: string } {
  return { control: `${topic}-control`, results: `${topic}-results` };
}

export function producerOf(worker: number): string {
  return `w${worker}`;
}

/**
 * The driver goes on sending some of the load itself: what it steers the drill by (whether the faulted region still serves) it has to see at once, and by
 * its own clock. A tenth, but 10 a second at least and 50 at most, which is enough for that.
 */
export function driversShare(plan: Plan): Plan {
  return plan.load.workers === 0 ? plan : part(plan, { share: driversRate(plan) / plan.rate, connections: driversConnections(plan), seed: plan.seed });
}

/** What one worker sends of the load. Its draws are others than any other's. */
export function workersShare(plan: Plan, worker: number): Plan {
  const { workers } = plan.load;
  const connections = plan.connections - driversConnections(plan);
  // All shares together are the plan's connections, no more: so many requests can be in flight.
  const [each, over] = [Math.floor(connections / workers), connections % workers];
  return part(plan, { share: (1 - driversRate(plan) / plan.rate) / workers, connections: each + (worker < over ? 1 : 0), seed: plan.seed + 1 + worker });
}

function driversRate({ rate }: Plan): number {
  return Math.min(rate / 2, Math.max(10, Math.min(50, rate / 10)));
}

/** By its share of the load, as far as that leaves one for each worker. */
function driversConnections(plan: Plan): number {
  const { connections, load: { workers } } = plan;
  return Math.min(connections - workers, Math.max(1, Math.round(connections * driversRate(plan) / plan.rate)));
}

function part(plan: Plan, { share, connections, seed }: { share: number; connections: number; seed: number }): Plan {
  const { load: { rampFrom = 1 } } = plan;
  return {
    ...plan, seed, rate: plan.rate * share, connections,
    load: { ...plan.load, ...(plan.load.pattern === 'ramp' ? { rampFrom: rampFrom * share } : {}) },
  };
}
