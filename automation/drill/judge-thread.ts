import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';

import type { AheadData } from './judge-ahead.ts';
import { judgeLines } from './judge-lines.ts';
import type { RunRecord } from './report.ts';

const { directory, run } = workerData as AheadData;
if (parentPort !== null) {
  const whole = once(parentPort, 'message').then(([stored]) => stored as RunRecord['stored']);
  parentPort.postMessage(await judgeLines(directory, run, whole));
}
