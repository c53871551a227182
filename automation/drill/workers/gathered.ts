import type { Attempt } from '../records.ts';
import { Ahead } from './ahead.ts';
import type { WorkerMessage } from './protocol.ts';

interface Heard {
  ready: boolean;
  parts: Set<number>;
  /** How many parts it has said in all, once that is known. */
  of?: number;
  failure?: string;
  /** By how much its clock is ahead. */
  before: Ahead;
  after: Ahead;
}

/** What the workers have said so far. Parts may come twice and, of different workers, in any order. */
export class Gathered {
  readonly #run: string;
  readonly #workers: Heard[];
  readonly #onAttempt: (attempt: Attempt) => void;

  constructor(run: string, workers: number, onAttempt: (attempt: Attempt) => void) {
    this.#run = run;
    this.#workers = Array.from({ length: workers }, () => ({ ready: false, parts: new Set(), before: new Ahead(), after: new Ahead() }));
    this.#onAttempt = onAttempt;
  }

  /** `said` is a record's value, from whoever wrote to the topic; `heardMs` is when it was read. */
  take(said: unknown, heardMs: number): void {
    const message = said as Partial<WorkerMessage> | null | undefined;
    if (message?.run !== this.#run) return;
    const { worker = -1, part = -1, kind } = message;
    const heard = this.#workers[worker];
    if (heard === undefined || heard.parts.has(part)) return;
    heard.parts.add(part);
    if (kind === 'ready') heard.ready = true;
    else if (kind === 'clock') noteClock(heard, message, heardMs);
    else if (kind === 'attempts') for (const attempt of message.attempts ?? []) this.#onAttempt(attempt);
    else heard.of = part + 1;
    if (kind === 'ended' && message.failure !== undefined) heard.failure = message.failure;
  }

  /** By how much each worker's clock is ahead, and how far off that may be for any of them, ms. */
  get ahead(): { aheadMs: number[]; errorMs: number } {
    return { aheadMs: this.#workers.map(({ before }) => before.middleMs), errorMs: Math.max(...this.#workers.map(({ before }) => before.errorMs)) };
  }

  /** How far a worker's clock may have been off the driver's at most since it was set by it, ms; undefined where that is not known of all. */
  get clocksMs(): number | undefined {
    const mostMs = Math.max(...this.#workers.flatMap(({ before, after }) => [before.errorMs, after.mostOffMs]));
    return Number.isFinite(mostMs) ? mostMs : undefined;
  }

  /** Whether any has ended with a failure. */
  get failed(): boolean {
    return this.#workers.some(({ failure }) => failure !== undefined);
  }

  /** Whether all have said their last, and nothing of it is missing. */
  get complete(): boolean {
    return this.#workers.every(({ parts, of }) => parts.size === of);
  }

  /** Who is not ready, or has ended instead, in a sentence; undefined when all are. */
  get notReady(): string | undefined {
    return sentence(this.#workers.map(({ ready, failure }, worker) => (failure !== undefined ? `worker ${worker} ended: ${failure}` : ready ? undefined : `worker ${worker} did not speak up`)));
  }

  /** Whose results are not all there, in a sentence; undefined when all are. */
  get missing(): string | undefined {
    return sentence(this.#workers.map(({ parts, of, failure }, worker) => {
      if (failure !== undefined) return `worker ${worker} ended: ${failure}`;
      if (of === undefined) return `worker ${worker} did not say its last`;
      return parts.size === of ? undefined : `${of - parts.size} of the ${of} parts that worker ${worker} said are missing`;
    }));
  }
}

function noteClock(heard: Heard, { when, saidMs, laterMs }: Partial<Extract<WorkerMessage, { kind: 'clock' }>>, heardMs: number): void {
  if (when === undefined || saidMs === undefined || laterMs === undefined) return;
  heard[when].heard(saidMs, heardMs);
  heard[when].told(laterMs);
}

function sentence(phrases: (string | undefined)[]): string | undefined {
  const said = phrases.filter((phrase) => phrase !== undefined);
  return said.length === 0 ? undefined : said.join('; ');
}
