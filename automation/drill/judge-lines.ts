import path from 'node:path';
import { UserError } from '../../errors.ts';
import { Judging } from './report.ts';
import type { Report, RunRecord } from './report.ts';
import { readBatches } from './store.ts';
import type { Lines } from './store.ts';

/** How many lines each file has below its first; of one that is still written, once all of them are stored. */
export type Counts = { readonly [K in keyof Lines]?: number | Promise<number | undefined> };

/** Judges the lines of a run, as far as they are where more are still written. Throws a UserError where somebody changed them. */
export async function judgeLines(directory: string, run: RunRecord, counts: Counts = run.stored ?? {}): Promise<Report> {
  const judging = new Judging(run);
  // A line that broke off is what a driver leaves that was killed; a drill that came to its end has none.
  const onCut = run.ending.kind === 'complete' ? undefined : () => undefined;
  const read = async function* <K extends keyof Lines>(kind: K): AsyncGenerator<Lines[K][]> {
    const told = counts[kind];
    let count = 0;
    for await (const batch of readBatches(directory, kind, { onCut, ...(told instanceof Promise ? { whole: told } : {}) })) {
      count += batch.length;
      yield batch;
    }
    const stored = await told ?? count;
    if (count !== stored) throw new UserError(`${path.join(directory, kind)}.ndjson holds ${count} lines of the ${stored} that the drill stored`, { remedy: 'the run was changed; it cannot be judged' });
  };
  for await (const batch of read('attempts')) for (const attempt of batch) judging.attempt(attempt);
  for await (const batch of read('commits')) for (const commit of batch) judging.committed(commit);
  // Consumers are given records about in the order of the log: as far as they were, it need not be whole.
  await using deliveries = new Queue(read('deliveries'));
  for await (const batch of read('log')) {
    for (const record of batch) judging.logged(record);
    await deliveries.takeWhile((delivery) => judging.isLogged(delivery), (delivery) => { judging.delivered(delivery); });
  }
  await deliveries.takeWhile(() => true, (delivery) => { judging.delivered(delivery); });
  return judging.report();
}

/** Lines of one file, each of which waits for its turn. */
class Queue<T> implements AsyncDisposable {
  readonly #batches: AsyncGenerator<T[]>;
  #batch: T[] = [];
  #at = 0;

  constructor(batches: AsyncGenerator<T[]>) {
    this.#batches = batches;
  }

  /** Hands on all before the first whose turn it is not. */
  async takeWhile(isNext: (line: T) => boolean, take: (line: T) => void): Promise<void> {
    for (;;) {
      for (; this.#at < this.#batch.length; this.#at += 1) {
        const line = this.#batch[this.#at] as T;
        if (!isNext(line)) return;
        take(line);
      }
      const { done, value } = await this.#batches.next();
      if (done === true) return;
      [this.#batch, this.#at] = [value, 0];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#batches.return(undefined);
  }
}
