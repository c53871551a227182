import type { Schedule } from './pacer.ts';

interface Round {
  beginMs: number;
  endMs: number;
  dueAfter: (ms: number) => number;
}

/** The times at which a load is sent, one after the other: between two of them nothing is due, so that nobody has anything to serve. */
export class Rounds {
  readonly #all: Round[] = [];

  /** Begins one at `beginMs` (ms since the drill began), which may be yet to come. Returns what ends it. */
  begin(schedule: Schedule, beginMs: number): (endMs: number) => void {
    const round = { beginMs, endMs: Infinity, dueAfter: dueBy(schedule, beginMs) };
    this.#all.push(round);
    return (endMs) => { round.endMs = Math.min(round.endMs, endMs); };
  }

  /** When the first request was due after that time, which must not fall from call to call; Infinity: none is yet. */
  dueAfter(ms: number): number {
    for (const round of this.#all) {
      const dueMs = round.dueAfter(ms);
      if (dueMs < round.endMs) return dueMs;
    }
    return Infinity;
  }

  /** Since when requests were due for so long in all, up to now. Undefined: they were not for so long yet. */
  since(nowMs: number, lengthMs: number): number | undefined {
    let leftMs = lengthMs;
    for (const { beginMs, endMs } of this.#all.toReversed()) {
      const toMs = Math.min(endMs, nowMs);
      if (toMs - beginMs >= leftMs) return toMs - leftMs;
      leftMs -= Math.max(0, toMs - beginMs);
    }
    return undefined;
  }
}

function dueBy(schedule: Schedule, beginMs: number): Round['dueAfter'] {
  let next = 0;
  return (ms) => {
    while (beginMs + schedule(next) <= ms) next += 1;
    return beginMs + schedule(next);
  };
}
