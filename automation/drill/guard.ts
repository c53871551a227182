import type { Clock } from './exchange.ts';
import type { Live } from './live.ts';

/** Why a drill has to end at once, other than by a person's wish. */
export class AbortCondition extends Error {
  override readonly name = 'AbortCondition';
  /** Another drill has the stack: nothing more may be done on it. */
  readonly lost: boolean;

  constructor(reason: string, lost = false) {
    super(reason);
    this.lost = lost;
  }
}

export interface GuardOptions {
  live: Live;
  clock: Clock;
  /** Share (0 to 1) of the records of the window that may be other than ok. */
  mostErrors: number;
  onBroken: (why: AbortCondition) => void;
}

/** Failover has long had its time by then: it is a matter of a second or two. */
const windowMs = 10_000;
const lookEveryMs = 500;
/** A share of fewer says nothing. */
const fewest = 10;

/** Watches the load from now on, and says when it harms more than a drill may. */
export function guardLoad({ live, clock, mostErrors, onBroken }: GuardOptions): Disposable {
  const beginMs = clock();
  const timer = setInterval(() => {
    const why = whyBroken();
    if (why === undefined) return;
    clearInterval(timer);
    onBroken(new AbortCondition(why));
  }, lookEveryMs);
  return { [Symbol.dispose]: () => { clearInterval(timer); } };

  function whyBroken(): string | undefined {
    const now = clock();
    if (now - beginMs < windowMs) return undefined;
    if (now - Math.max(beginMs, live.lastOkMs) >= windowMs) return `no region served a request for ${windowMs / 1000} s`;
    // A record that its client sent again is what its last request came to.
    const records = new Map(live.endedSince(now - windowMs).map(({ producer, seq, outcome }) => [`${producer}/${seq}`, outcome]));
    const bad = [...records.values()].filter((outcome) => outcome !== 'ok').length;
    if (records.size < fewest || bad <= mostErrors * records.size) return undefined;
    return `the error budget is spent: ${bad} of the ${records.size} records whose requests ended in the last ${windowMs / 1000} s were not ok`;
  }
}
