import { Growing } from './columns.ts';
import { percentile } from './metrics.ts';
import type { Span } from './metrics.ts';
import type { Attempt } from './records.ts';

/** How late the load's own generator handed its records over, ms. Not the system's slowness: that is in the latency. 16 bytes a record stay. */
export class Lateness {
  readonly #due = new Growing();
  readonly #lateness = new Growing();
  /** The largest. */
  max = 0;

  /** One that a client sends again was due but once. */
  add({ attempt, intendedMs, issuedMs }: Attempt): void {
    if (attempt !== 0) return;
    this.#due.push(intendedMs);
    this.#lateness.push(issuedMs - intendedMs);
    this.max = Math.max(this.max, issuedMs - intendedMs);
  }

  /** `share`: 0.99 for the 99th percentile. */
  percentile(share: number): number {
    return percentile(this.#lateness.sorted(), share);
  }

  /** The longest time within a gap for which a record that was due had not been handed over: it had no chance to be answered. */
  within({ fromMs, toMs }: Span): number {
    let longest = 0;
    for (let i = 0; i < this.#due.length; i += 1) {
      const dueMs = this.#due.at(i);
      longest = Math.max(longest, Math.min(dueMs + this.#lateness.at(i), toMs) - Math.max(dueMs, fromMs));
    }
    return longest;
  }
}
