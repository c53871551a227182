import { regionHostname } from '../../config/names.ts';
import { byAddress } from './addresses.ts';
import { entrance } from './entrance.ts';
import { exchange } from './exchange.ts';
import { leastSilenceMs } from './fault-times.ts';
import { servedBy } from './outcome.ts';
import type { ServingRegion } from './outcome.ts';
import type { Drill } from './phases.ts';

/** Longer than any answer of a region that serves takes, ms: who has not answered by then is silent. */
const answerTimeoutMs = 5000;
/** How long one of several questions in a row may take while a load stands still, ms: an answer of another's comes at once where the region is known to be away. */
const nextQuestionMs = 1000;
/** So many questions to a region have to be answered by somebody else: one may have met a moment in which nobody was where it was expected. */
const fewestQuestions = 2;

/** What is heard of a region, ms since the drill began. */
export interface Heard {
  /** When it last answered. */
  lastMs: number;
  /** Until when it is known not to have answered since. */
  untilMs: number;
  /** How often it has not since: the load's requests that were sent and have ended, each of which may have been another's by chance, or questions to itself that another answered. */
  missed: number;
  by: 'load' | 'asking';
}

/** Hears what there is by now; asks the region where nothing else does. */
export type Listen = () => Promise<Heard>;

type Listener = Pick<Drill, 'live' | 'clock' | 'outputs' | 'signal'>;

/**
 * How the silence of a region can be told: from the load, where that tells it (`toldByLoad`) and was served by it; else by asking the region itself, as it may
 * stand by for another, or be sent so few requests, that the load misses it at any rate. So it is where the load stands still, as all of its connections wait for who is silent: then no request ends by which
 * that could be told. Undefined where it does not answer while nothing is wrong.
 */
export async function listenTo(drill: Listener, region: string, toldByLoad: boolean): Promise<Listen | undefined> {
  const { live, clock } = drill;
  const question = new Question(drill, region, await byAddress(drill.outputs.regions));
  const byLoad = toldByLoad && live.lastServedMs(region) > 0;
  const answers = await question.ask(byLoad ? nextQuestionMs : answerTimeoutMs);
  if (!byLoad && !answers) return undefined;
  if (!byLoad) {
    return async () => {
      await question.ask(answerTimeoutMs);
      question.note(live.lastServedMs(region));
      return question.heard;
    };
  }
  const standsStill = (): boolean => clock() - live.lastEndMs >= leastSilenceMs;
  return async () => {
    if (answers && standsStill()) {
      await question.ask(nextQuestionMs);
      question.note(live.lastServedMs(region));
      if (standsStill()) return question.heard;
    }
    return { lastMs: Math.max(question.heard.lastMs, live.lastServedMs(region)), untilMs: live.lastEndMs, missed: live.missedSinceServed(region), by: 'load' };
  };
}

/** Whether a region is silent that has not been heard since `sinceMs`. `load`: for how long, and by how many requests in a row, one has to be missed whom the load tells. */
export function isSilence({ untilMs, missed, by }: Heard, sinceMs: number, load: { ms: number; requests: number }): boolean {
  const lastedMs = untilMs - sinceMs;
  if (by === 'load') return missed >= load.requests && lastedMs >= load.ms;
  // Where nobody answers at all, all may stand still but for a moment.
  return lastedMs >= answerTimeoutMs || (missed >= fewestQuestions && lastedMs >= leastSilenceMs);
}

/** One question to a region, again and again. */
class Question {
  readonly #drill: Listener;
  readonly #region: string;
  readonly #regions: readonly ServingRegion[];
  readonly heard: Heard;

  constructor(drill: Listener, region: string, regions: readonly ServingRegion[]) {
    this.#drill = drill;
    this.#region = region;
    this.#regions = regions;
    this.heard = { lastMs: 0, untilMs: 0, missed: 0, by: 'asking' };
  }

  /** Whether a bridge of the region answers what it needs Kafka for, asked by the host name that is pinned to the region. Another's answer is none. */
  async ask(timeoutMs: number): Promise<boolean> {
    const { clock, outputs, signal } = this.#drill;
    const pool = entrance(outputs, { connections: 1 });
    // An interrupted drill does not wait for answers.
    const end = (): void => { void pool.destroy(); };
    signal.addEventListener('abort', end, { once: true });
    try {
      const { status, headers, error } = await exchange(pool, { method: 'GET', host: regionHostname(this.#region, outputs.hostname), path: '/topics', timeoutMs }, clock);
      const answers = status === 200 && servedBy(headers, this.#regions) === this.#region;
      this.heard.untilMs = clock();
      if (answers) this.note(this.heard.untilMs);
      else if (error === undefined) this.heard.missed += 1;
      return answers;
    } finally {
      signal.removeEventListener('abort', end);
      await pool.destroy();
    }
  }

  /** The region was heard then. */
  note(ms: number): void {
    if (ms <= this.heard.lastMs) return;
    this.heard.lastMs = ms;
    this.heard.missed = 0;
  }
}
