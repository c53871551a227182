/** The drill's own verification, in a process of its own: reads the log natively, stores it, and judges the run, as far as it can meanwhile. Prints what it took, as JSON. */
import { readFileSync } from 'node:fs';
import { contentOf } from '../../automation/drill/content.ts';
import { JudgeAhead } from '../../automation/drill/judge-ahead.ts';
import { openAppender } from '../../automation/drill/store.ts';
import { judgeDirectory, readRun } from '../../automation/drill/stored.ts';

export interface Took {
  readMs: number;
  /** What judging took beyond that. */
  judgeMs: number;
  /** Highest resident memory of the process, MiB. */
  peakMiB: number;
  ackedLost: number;
  offsetMismatch: number;
  delivered: number;
}

const [bootstrapServers = '', topic = '', directory = ''] = process.argv.slice(2);
const run = await readRun(directory);
const { attempts = 0, deliveries = 0, commits = 0 } = run.stored ?? {};
const log = openAppender(directory, 'log', (error) => { throw error; });
await using ahead = new JudgeAhead(directory, run, { attempts, deliveries, commits });
// Half a second of modules, which a drill has loaded long before it verifies.
const { Kafka } = await import('../../automation/drill/kafka.ts');
const begin = performance.now();
await using kafka = new Kafka({ bootstrapServers });
for await (const records of kafka.read(topic, await kafka.bounds(topic), contentOf(run.plan))) {
  let unwritten: Promise<void> | undefined;
  for (const record of records) unwritten = log.append(record) ?? unwritten;
  await unwritten;
}
await log.close();
const read = performance.now();
const { log: found, consume } = await judgeDirectory(directory, ahead);
const end = performance.now();
const peakMiB = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
console.log(JSON.stringify({ readMs: read - begin, judgeMs: end - read, peakMiB, ackedLost: found?.ackedLost ?? -1, offsetMismatch: found?.offsetMismatch ?? -1, delivered: consume?.delivered ?? -1 } satisfies Took));
