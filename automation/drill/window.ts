import { Ledger } from './check/ledger.ts';
import { Growing } from './columns.ts';
import { longestGap, percentile } from './metrics.ts';
import type { Span } from './metrics.ts';
import { holds, parseObjective } from './objective-text.ts';
import type { Expression } from './objective-text.ts';
import type { StepRecord } from './plan.ts';
import type { Attempt } from './records.ts';

/** Figures of objectives that can be measured over a part of a run, while it goes on. */
export const windowFigures = [
  'produce.sent', 'produce.attempts', 'produce.ok', 'produce.failed', 'produce.unknown', 'produce.blackoutMs', 'produce.latencyMs.p50', 'produce.latencyMs.p99', 'produce.latencyMs.max',
] as const;
export type WindowFigure = (typeof windowFigures)[number];

/** What the load's clients saw of the records that ended in a span, gathered attempt by attempt. */
export class Window {
  readonly #span: Span;
  readonly #ledger = new Ledger();
  readonly #okEnds = new Growing();
  readonly #latencies = new Growing();
  readonly #counts = { ok: 0, failed: 0, unknown: 0 };
  #attempts = 0;

  constructor(span: Span) {
    this.#span = span;
  }

  add(attempt: Attempt): void {
    const { endMs, intendedMs, outcome } = attempt;
    if (endMs < this.#span.fromMs || endMs >= this.#span.toMs) return;
    this.#attempts += 1;
    const { before, after } = this.#ledger.add(attempt);
    if (before !== undefined) this.#counts[before] -= 1;
    this.#counts[after] += 1;
    if (outcome !== 'ok') return;
    this.#okEnds.push(endMs);
    this.#latencies.push(endMs - intendedMs);
  }

  /** What cannot be measured is absent. */
  figures(): Partial<Record<WindowFigure, number>> {
    const { ok, failed, unknown } = this.#counts;
    const times = this.#latencies.sorted();
    return {
      'produce.sent': ok + failed + unknown, 'produce.attempts': this.#attempts, 'produce.ok': ok, 'produce.failed': failed, 'produce.unknown': unknown,
      ...(this.#attempts === 0 ? {} : { 'produce.blackoutMs': longestGap(this.#okEnds.sorted(), this.#span) }),
      ...(times.length === 0 ? {} : { 'produce.latencyMs.p50': percentile(times, 0.5), 'produce.latencyMs.p99': percentile(times, 0.99), 'produce.latencyMs.max': percentile(times, 1) }),
    };
  }
}

/** A step of a plan that expects something, with what was seen until it: judged by the whole of it, so that a step that holds says so of every request. */
export class ExpectedStep {
  readonly #step: StepRecord;
  readonly #objective: Expression;
  readonly #window: Window;

  constructor(step: StepRecord, regions: readonly string[]) {
    this.#step = step;
    this.#objective = parseObjective(step.text, regions);
    this.#window = new Window({ fromMs: step.startMs, toMs: step.endMs ?? Infinity });
  }

  add(attempt: Attempt): void {
    this.#window.add(attempt);
  }

  /** One that could not be measured has nothing measured, and is not met. */
  judged(): StepRecord {
    const { kind, text, startMs, endMs } = this.#step;
    const figures = this.#window.figures();
    const value = figures[this.#objective.name as WindowFigure];
    return {
      kind, text, startMs, ...(endMs === undefined ? {} : { endMs }),
      ...(value === undefined ? {} : { measured: value, met: holds(this.#objective, value, figures['produce.sent'] ?? 0) }),
    };
  }
}
