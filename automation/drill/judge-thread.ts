import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';

import type { AheadData } from './judge-ahead.ts';
import { judgeLines } from './judge-lines.ts';

const { directory, run, counts } = workerData as AheadData;
if (parentPort !== null) {
  const log = once(parentPort, 'message').then(([count]) => count as number);
  parentPort.postMessage(await judgeLines(directory, run, { ...counts, log }));
}
