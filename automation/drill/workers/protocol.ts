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
  /** Proxies on the way may send again what was sent. */
  proxiesRepeat: boolean;
  /**
   * Time of day, ms since 1970, at which the drill's clock began. A worker's clock is its own machine's since then: it is ahead of the driver's by what
   * their times of day differ, until the worker is told by how much.
   */
  beganAt: number;
}

/** Clocks are compared before the load, to set the workers' by it, and after it, to see what is left. */
export type When = 'before' | 'after';

/** What the driver says to all workers: that it said so, again and again while clocks are compared; and once when to begin. */
export interface Told {
  run: string;
  when: When;
  /** On the drill's clock, ms. */
  saidMs: number;
  start?: Start;
}

export interface Start {
  /** On the drill's clock, ms. */
  startMs: number;
  /** By how much each worker's clock is ahead of the drill's. From then on its times are the drill's. */
  aheadMs: number[];
}

/** What a worker says, in parts numbered from 0. One may be said twice, as a part whose writing is not known to have succeeded is written again. */
export type WorkerMessage = { run: string; worker: number; part: number } & WorkerWord;

export type WorkerWord =
  | { kind: 'ready' }
  /** When it was said, by the worker's clock, and how much later than the driver had spoken the worker heard it. */
  | { kind: 'clock'; when: When; saidMs: number; laterMs: number }
  | { kind: 'attempts'; attempts: Attempt[] }
  /** The last part. */
  | { kind: 'ended'; failure?: string };

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
