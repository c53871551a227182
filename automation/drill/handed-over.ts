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
  readonly #plan: Plan;
  readonly #producers = new Map<string, Seen>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Each record once. */
  add({ producer, seq, intendedMs }: Attempt): void {
    let seen = this.#producers.get(producer);
    if (seen === undefined) this.#producers.set(producer, seen = { count: 0, last: -1 });
    seen.count += 1;
    seen.last = Math.max(seen.last, seq);
    if (seq === 0) seen.beginMs = intendedMs;
  }

  /** How many records were due `graceMs` before the load ended, or earlier, and were not handed over. Undefined where there was no load. */
  missing({ loadMs, loadEndMs }: Marks, graceMs: number): number | undefined {
    if (loadMs === undefined || loadEndMs === undefined) return undefined;
    const { workers } = this.#plan.load;
    const shares = [[driversProducer, driversShare(this.#plan)], ...Array.from({ length: workers }, (_, worker) => [producerOf(worker), workersShare(this.#plan, worker)] as const)] as const;
    return shares.reduce((sum, [producer, share]) => {
      const { count, last, beginMs = loadMs } = this.#producers.get(producer) ?? { count: 0, last: -1 };
      const schedule = scheduleOf(share);
      let next = last + 1;
      while (beginMs + schedule(next) <= loadEndMs - graceMs) next += 1;
      return sum + next - count;
    }, 0);
  }
}
