import type { Clock } from './exchange.ts';
import type { Live } from './live.ts';
import { ownSockets } from './outcome.ts';
import type { Rounds } from './rounds.ts';

/** Why a drill has to end at once, other than by a person's wish. */
export class AbortCondition extends Error {
  override readonly name = 'AbortCondition';
  /** Another drill has the stack: nothing more may be done on it. */
  readonly lost: boolean;
  /** The drill's own side failed, which says nothing of what is drilled. */
  readonly own: boolean;

  constructor(reason: string, { lost = false, own = false }: { lost?: boolean; own?: boolean } = {}) {
    super(reason);
    this.lost = lost;
    this.own = own;
  }
}

export interface GuardOptions {
  live: Live;
  clock: Clock;
  /** When the requests are due that `live` hears of. */
  rounds: Rounds;
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
export function guardLoad({ live, clock, rounds, mostErrors, onBroken }: GuardOptions): Disposable {
  const timer = setInterval(() => {
    const why = whyBroken();
    if (why === undefined) return;
    clearInterval(timer);
    onBroken(why);
  }, lookEveryMs);
  return { [Symbol.dispose]: () => { clearInterval(timer); } };

  function whyBroken(): AbortCondition | undefined {
    const now = clock();
    const fromMs = rounds.since(now, windowMs);
    if (fromMs === undefined) return undefined;
    // Until a request was due after the last that was ok nobody had anything to serve, as a thin load, or a ramp's begin, has it.
    const isSilent = rounds.dueAfter(live.lastOkMs) <= fromMs;
    // A record that its client sent again is what its last request came to.
    const records = new Map(live.endedSince(fromMs).map((attempt) => [`${attempt.producer}/${attempt.seq}`, attempt]));
    const bad = [...records.values()].filter(({ outcome }) => outcome !== 'ok');
    if (!isSilent && (records.size < fewest || bad.length <= mostErrors * records.size)) return undefined;
    const own = bad.filter(({ class: name }) => ownSockets.has(name)).length;
    const ended = `of the ${records.size} records whose requests ended in the last ${Math.round((now - fromMs) / 1000)} s`;
    // What never left this machine says nothing of who was to serve it.
    if (own > bad.length / 2) return new AbortCondition(`this machine had no port, file handle or buffer left to send ${own} ${ended}`, { own: true });
    return new AbortCondition(isSilent ? `no region served a request for ${windowMs / 1000} s` : `the error budget is spent: ${bad.length} ${ended} were not ok`);
  }
}
