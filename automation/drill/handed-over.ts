import { UserError } from '../../errors.ts';
import type { Marks } from './metrics.ts';
import { scheduleOf } from './pacer.ts';
import type { Plan } from './plan.ts';
import type { Attempt } from './records.ts';
import { driversShare, producerOf, workersShare } from './workers/protocol.ts';

/** Name of the producer of the driver's own share of the load. */
export const driversProducer = 'p0';

interface Seen {
  count: number;
  /** Number of its last record. */
  last: number;
  /** When its first one was due, ms since the drill began. */
  beginMs?: number;
}

/** Whether a load was sent as its plan says: what nobody handed over was never answered, and is missing from every figure. */
export class HandedOver {
  /** By producer, what of the load it sends. */
  readonly #shares: ReadonlyMap<string, Plan>;
  readonly #producers = new Map<string, Seen>();

  constructor(plan: Plan) {
    this.#shares = new Map([[driversProducer, driversShare(plan)], ...Array.from({ length: plan.load.workers }, (_, worker) => [producerOf(worker), workersShare(plan, worker)] as const)]);
  }

  /** Each record once. Throws a UserError where the plan has no such producer. */
  add({ producer, seq, intendedMs }: Attempt): void {
    let seen = this.#producers.get(producer);
    if (seen === undefined) {
      if (!this.#shares.has(producer)) throw new UserError(`attempts are of a producer ${producer}, which the drill's plan does not have`, { remedy: 'the run was changed; it cannot be judged' });
      this.#producers.set(producer, seen = { count: 0, last: -1 });
    }
    seen.count += 1;
    seen.last = Math.max(seen.last, seq);
    if (seq === 0) seen.beginMs = intendedMs;
  }

  /** How many records were due `graceMs` before the load ended, or earlier, and were not handed over. Undefined where there was no load. */
  missing({ loadMs, loadEndMs }: Marks, graceMs: number): number | undefined {
    if (loadMs === undefined || loadEndMs === undefined) return undefined;
    return [...this.#shares].reduce((sum, [producer, share]) => {
      const { count, last, beginMs = loadMs } = this.#producers.get(producer) ?? { count: 0, last: -1 };
      const schedule = scheduleOf(share);
      let next = last + 1;
      while (beginMs + schedule(next) <= loadEndMs - graceMs) next += 1;
      return sum + next - count;
    }, 0);
  }
}
