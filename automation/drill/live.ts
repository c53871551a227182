import type { Clock } from './exchange.ts';
import type { Attempt } from './records.ts';
import { until } from './until.ts';
import type { Window } from './window.ts';

export interface LiveView {
  /** Requests that ended in the last second. */
  rate: number;
  ok: number;
  failed: number;
  unknown: number;
  /** Share (0..1) of the last second's ok answers by region. */
  byRegion: Record<string, number>;
}

/** The last that a region served. */
interface Served {
  /** Its end. */
  lastMs: number;
  /** When the latest of them was sent. */
  sentMs: number;
  /** How many requests had been carried out by then. */
  carriedOut: number;
}

/** What can be said of the load while it runs. Steers the drill and the live line; the report is judged from the stored run. */
export class Live {
  readonly totals = { ok: 0, failed: 0, unknown: 0 };
  readonly #clock: Clock;
  readonly #regions: readonly string[];
  /** In the order of their ends; only about a minute is kept, as each is an object. */
  #recent: Attempt[] = [];
  readonly #served = new Map<string, Served>();
  /** Requests of the load that were on a connection, and have ended. */
  #carriedOut = 0;
  /** When the latest of the requests was sent that were ok. */
  #lastOkSentMs = -Infinity;
  /** End of the last request of the load that was ok, 0 before the first. */
  lastOkMs = 0;
  /** End of the last request of the load, 0 before the first: nothing is known of what came after. */
  lastEndMs = 0;
  /** Where what comes is gathered, as a later step is to judge it, however long that is. */
  gathered: Window | undefined;
  /** End of the last request whose outcome is unknown, if there was one. */
  lastUnknownMs: number | undefined;
  /** When the last fault was over that had held something back, if there was one. */
  lastReleaseMs: number | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock, regions: readonly string[]) {
    this.#clock = clock;
    this.#regions = regions;
  }

  add(attempt: Attempt): void {
    this.totals[attempt.outcome] += 1;
    this.noteUnknown(attempt);
    this.lastEndMs = attempt.endMs;
    if (attempt.sentMs !== undefined) this.#carriedOut += 1;
    if (attempt.outcome === 'ok') this.#noteServed(attempt);
    this.gathered?.add(attempt);
    this.#recent.push(attempt);
    const oldest = attempt.endMs - 60_000;
    if ((this.#recent[0]?.endMs ?? oldest) < oldest - 10_000) this.#recent = this.#recent.filter(({ endMs }) => endMs >= oldest);
    for (const check of this.#waiting) check();
  }

  #noteServed({ region, sentMs = -Infinity, endMs }: Attempt): void {
    this.lastOkMs = endMs;
    this.#lastOkSentMs = Math.max(this.#lastOkSentMs, sentMs);
    if (region === undefined) return;
    this.#served.set(region, { lastMs: endMs, sentMs: Math.max(this.#served.get(region)?.sentMs ?? -Infinity, sentMs), carriedOut: this.#carriedOut });
  }

  /** Of an attempt that is not part of the load. */
  noteUnknown({ outcome, endMs }: Attempt): void {
    if (outcome === 'unknown') this.lastUnknownMs = endMs;
  }

  /** End of the last request that the region served, 0 before the first. */
  lastServedMs(region: string): number {
    return this.#served.get(region)?.lastMs ?? 0;
  }

  /** How many requests have ended since then that were sent, and that the region did not serve: another did, or nobody. */
  missedSinceServed(region: string): number {
    return this.#carriedOut - (this.#served.get(region)?.carriedOut ?? 0);
  }

  /** Whether a request that was sent after `ms` was ok, and served by the region where one is named. Costs the same whatever the load has come to, as it is asked after each request. */
  hasServedSince(ms: number, region?: string): boolean {
    return (region === undefined ? this.#lastOkSentMs : this.#served.get(region)?.sentMs ?? -Infinity) > ms;
  }

  /** The requests that ended after `ms` (at most a minute ago). */
  endedSince(ms: number): Attempt[] {
    return this.#recent.slice(this.#recent.findLastIndex(({ endMs }) => endMs <= ms) + 1);
  }

  view(): LiveView {
    const recent = this.endedSince(this.#clock() - 1000);
    const served = recent.filter(({ outcome, region }) => outcome === 'ok' && region !== undefined);
    const share = (name: string): number => (served.length === 0 ? 0 : served.filter(({ region }) => region === name).length / served.length);
    return { rate: recent.length, ...this.totals, byRegion: Object.fromEntries(this.#regions.map((name) => [name, share(name)])) };
  }

  /** Waits until `condition` holds, asking after every request that ends: it has to be cheap. False when it did not within `timeoutMs`. */
  until(condition: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    return until(this.#waiting, condition, { timeoutMs, signal });
  }
}
