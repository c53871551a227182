import { Growing, Paged } from './columns.ts';
import { Lateness } from './lateness.ts';
import { longestGap, longestGapSpan, percentile } from './metrics.ts';
import type { Span } from './metrics.ts';
import { holds, parseObjective } from './objective-text.ts';
import type { Expression } from './objective-text.ts';
import type { StepRecord } from './plan.ts';
import type { Attempt, Outcome } from './records.ts';

/** Figures of objectives that can be measured over a part of a run, while it goes on. */
export const windowFigures = [
  'produce.sent', 'produce.attempts', 'produce.ok', 'produce.failed', 'produce.unknown', 'produce.blackoutMs', 'produce.latencyMs.p50', 'produce.latencyMs.p99', 'produce.latencyMs.max',
] as const;
export type WindowFigure = (typeof windowFigures)[number];

/** What a client knows of a record that it sent again: the best of what it was told. */
const ranks: readonly Outcome[] = ['failed', 'unknown', 'ok'];

/** What the load's clients saw of the records that ended in a span, gathered attempt by attempt; some 36 bytes an attempt stay. */
export class Window {
  readonly #span: Span;
  /** By producer, the rank of each of its records so far, from 1. */
  readonly #ranks = new Map<string, Paged>();
  readonly #okEnds = new Growing();
  readonly #latencies = new Growing();
  /** Of what was due or ended in the span. */
  readonly #lateness = new Lateness();
  /** The largest of what ended in it. */
  #latenessMaxMs = 0;
  readonly #counts = { ok: 0, failed: 0, unknown: 0 };
  #attempts = 0;

  constructor(span: Span) {
    this.#span = span;
  }

  add(attempt: Attempt): void {
    const { endMs, intendedMs, issuedMs, outcome } = attempt;
    // What was due in it and handed over late may end only after it.
    if (endMs >= this.#span.fromMs && intendedMs < this.#span.toMs) this.#lateness.add(attempt);
    if (endMs < this.#span.fromMs || endMs >= this.#span.toMs) return;
    if (attempt.attempt === 0) this.#latenessMaxMs = Math.max(this.#latenessMaxMs, issuedMs - intendedMs);
    this.#attempts += 1;
    this.#countRecord(attempt);
    if (outcome !== 'ok') return;
    this.#okEnds.push(endMs);
    this.#latencies.push(endMs - intendedMs);
  }

  #countRecord({ producer, seq, outcome }: Attempt): void {
    let known = this.#ranks.get(producer);
    if (known === undefined) this.#ranks.set(producer, known = new Paged());
    const [before, after] = [known.get(seq), ranks.indexOf(outcome) + 1];
    if (after <= before) return;
    known.set(seq, after);
    const was = ranks[before - 1];
    if (was !== undefined) this.#counts[was] -= 1;
    this.#counts[outcome] += 1;
  }

  /** Of the span until `toMs`, before which all that was added has ended. What cannot be measured is absent. */
  figures(toMs = this.#span.toMs): Partial<Record<WindowFigure, number>> {
    const { ok, failed, unknown } = this.#counts;
    const times = this.#latencies.sorted();
    return {
      'produce.sent': ok + failed + unknown, 'produce.attempts': this.#attempts, 'produce.ok': ok, 'produce.failed': failed, 'produce.unknown': unknown,
      ...(this.#attempts === 0 ? {} : { 'produce.blackoutMs': longestGap(this.#okEnds.sorted(), { ...this.#span, toMs }) }),
      ...(times.length === 0 ? {} : { 'produce.latencyMs.p50': percentile(times, 0.5), 'produce.latencyMs.p99': percentile(times, 0.99), 'produce.latencyMs.max': percentile(times, 1) }),
    };
  }

  /** How much of a figure the load's generator may have made itself by handing records over late, ms. Undefined of one that is no time. */
  latenessMs(figure: string, toMs = this.#span.toMs): number | undefined {
    if (figure === 'produce.blackoutMs') return this.#lateness.within(longestGapSpan(this.#okEnds.sorted(), { ...this.#span, toMs }));
    if (figure === 'produce.latencyMs.max') return this.#latenessMaxMs;
    return figure === 'produce.latencyMs.p99' || figure === 'produce.latencyMs.p50' ? this.#lateness.percentile(figure.endsWith('p99') ? 0.99 : 0.5) : undefined;
  }
}

/** A step of a plan that expects something, with what was seen until it: judged by the whole of it, so that a step that holds says so of every request. */
export class ExpectedStep {
  readonly #step: StepRecord;
  readonly #objective: Expression;
  readonly #window: Window;

  /** `window`: where what was seen of it by now is gathered already, if anywhere. */
  constructor(step: StepRecord, regions: readonly string[], window = new Window({ fromMs: step.startMs, toMs: step.endMs ?? Infinity })) {
    this.#step = step;
    this.#objective = parseObjective(step.text, regions);
    this.#window = window;
  }

  add(attempt: Attempt): void {
    this.#window.add(attempt);
  }

  /** One that could not be measured has nothing measured, and is not met. */
  judged(): StepRecord {
    const { kind, text, startMs, endMs } = this.#step;
    const figures = this.#window.figures(endMs);
    const value = figures[this.#objective.name as WindowFigure];
    return {
      kind, text, startMs, ...(endMs === undefined ? {} : { endMs }),
      ...(value === undefined ? {} : { measured: value, met: holds(this.#objective, value, figures['produce.sent'] ?? 0) }),
    };
  }

  /** How much the load's own lateness may have added to what was measured, ms. Undefined where that is no time, or was to be long. */
  latenessMs(): number | undefined {
    const { name, op } = this.#objective;
    return op.startsWith('>') ? undefined : this.#window.latenessMs(name, this.#step.endMs);
  }
}
