import path from 'node:path';
import { UserError } from '../../errors.ts';
import { Judging } from './report.ts';
import type { Report, RunRecord } from './report.ts';
import { readBatches } from './store.ts';
import type { Lines } from './store.ts';

/**
 * Judges the lines of a run. `whole`: how many there are, once all of them are stored; the attempts are judged as far as they are until then. Throws a UserError where
 * somebody changed them.
 */
export async function judgeLines(directory: string, run: RunRecord, whole: Promise<RunRecord['stored']> = Promise.resolve(run.stored)): Promise<Report> {
  const judging = new Judging(run);
  // A line that broke off is what a driver leaves that was killed; a drill that came to its end has none.
  const onCut = run.ending.kind === 'complete' ? undefined : () => undefined;
  const read = async <K extends keyof Lines>(kind: K, judge: (line: Lines[K]) => void): Promise<void> => {
    let count = 0;
    for await (const batch of readBatches(directory, kind, { onCut, whole })) {
      count += batch.length;
      for (const line of batch) judge(line);
    }
    const stored = (await whole)?.[kind] ?? count;
    if (count !== stored) throw new UserError(`${path.join(directory, kind)}.ndjson holds ${count} lines of the ${stored} that the drill stored`, { remedy: 'the run was changed; it cannot be judged' });
  };
  await read('attempts', (attempt) => { judging.attempt(attempt); });
  await read('log', (record) => { judging.logged(record); });
  await read('commits', (commit) => { judging.committed(commit); });
  await read('deliveries', (delivery) => { judging.delivered(delivery); });
  return judging.report();
}
