import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';

import type { Report, RunRecord } from './report.ts';

/** How many lines there are of all that is stored before the log is read. */
export type StoredBefore = Omit<NonNullable<RunRecord['stored']>, 'log'>;

/** What the judging thread is given when it starts. */
export interface AheadData {
  directory: string;
  run: RunRecord;
  counts: StoredBefore;
}

/** Judges a run in a thread of its own, from when all is stored of it but its log, and that as it is stored. */
export class JudgeAhead implements AsyncDisposable {
  readonly #run: RunRecord;
  readonly #counts: StoredBefore;
  readonly #worker: Worker;
  readonly #report = Promise.withResolvers<Report | undefined>();

  /** `run`: what will be known of it in the end, besides how much of its log is stored. */
  constructor(directory: string, run: RunRecord, counts: StoredBefore) {
    this.#run = JSON.parse(JSON.stringify({ ...run, stored: undefined })) as RunRecord;
    this.#counts = counts;
    this.#worker = new Worker(new URL('judge-thread.ts', import.meta.url), { workerData: { directory, run: this.#run, counts } satisfies AheadData, name: 'judge' });
    this.#worker.on('message', this.#report.resolve);
    for (const end of ['error', 'exit']) this.#worker.on(end, () => { this.#report.resolve(undefined); });
  }

  /** The report of the run, all of which is stored now. Undefined where more came of it than was known, and where it cannot be judged: who then judges it finds out why. */
  async report({ stored, ...run }: RunRecord): Promise<Report | undefined> {
    const { log, ...before } = stored ?? {};
    if (log !== undefined && isDeepStrictEqual(before, this.#counts) && isDeepStrictEqual(run, this.#run)) this.#worker.postMessage(log);
    else await this[Symbol.asyncDispose]();
    return await this.#report.promise;
  }

  /** Ends the thread. Safe to repeat. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
