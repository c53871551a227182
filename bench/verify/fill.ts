import { Producer } from '@platformatic/kafka';
import { openAppender, makeReportDirectory } from '../../automation/drill/store.ts';
import { writeRun } from '../../automation/drill/stored.ts';
import type { RunRecord } from '../../automation/drill/report.ts';

export const partitions = 6;
const batch = 5000;
const rate = 2000;
const keys = 60;

/**
 * A drill of so many records as it would be stored: written to the topic, and told to clients and consumers as they are. Each record is given once, 20
 * to a poll, and every poll is committed. One request in 1,000 was not answered though its record was written.
 */
export async function fill({ bootstrapServers, topic, directory, records, signal }: { bootstrapServers: string; topic: string; directory: string; records: number; signal: AbortSignal }): Promise<void> {
  await makeReportDirectory(directory);
  const refuse = (error: Error): never => { throw error; };
  const attempts = openAppender(directory, 'attempts', refuse);
  const deliveries = openAppender(directory, 'deliveries', refuse);
  const commits = openAppender(directory, 'commits', refuse);
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [bootstrapServers], idempotent: true });
  // The log is read, and stored, by who is measured.
  const stored: NonNullable<RunRecord['stored']> = { attempts: 0, deliveries: 0, commits: 0, log: records };
  const committed: Record<number, number> = {};
  try {
    for (let begin = 0; begin < records; begin += batch) {
      signal.throwIfAborted();
      const all = Array.from({ length: Math.min(batch, records - begin) }, (_, i) => ({ seq: begin + i, partition: (begin + i) % partitions, offset: Math.floor((begin + i) / partitions), key: `k${(begin + i) % keys}` }));
      await producer.send({
        messages: all.map(({ seq, partition, key }) => ({ topic, partition, key: Buffer.from(JSON.stringify(key)), value: Buffer.from(JSON.stringify({ run: 'bench', producer: 'p0', seq })) })), acks: -1,
      });
      for (const { seq, partition, offset, key } of all) {
        const dueMs = 1000 + seq * 1000 / rate;
        const isLost = seq % 1000 === 999;
        await attempts.append({
          producer: 'p0', seq, attempt: 0, key, intendedMs: dueMs, issuedMs: dueMs + 0.21, sentMs: dueMs + 0.43, endMs: dueMs + 4.7, outcome: isLost ? 'unknown' : 'ok', class: isLost ? 'timeout' : 'ok',
          ...(isLost ? {} : { status: 200, partition, offset }), region: seq % 2 === 0 ? 'east' : 'west', proxyAttempts: 1,
        });
        const givenMs = dueMs + 20 + (partitions * 20 - 1) * 1000 / rate;
        await deliveries.append({ consumer: partition % 2, instance: `c${partition % 2}`, askedMs: Math.max(0, givenMs - 10), tMs: Math.ceil(givenMs / 60) * 60, partition, offset, id: { run: 'bench', producer: 'p0', seq } });
        if (offset % 20 !== 19) continue;
        committed[partition] = offset + 1;
        await commits.append({ consumer: partition % 2, instance: `c${partition % 2}`, tMs: Math.ceil(givenMs / 60) * 60 + 1, partition, offset: offset + 1 });
      }
    }
  } finally {
    await producer.close();
    Object.assign(stored, { attempts: await attempts.close(), deliveries: await deliveries.close(), commits: await commits.close() });
  }
  await writeRun(directory, { ...runOf(topic, records), stored, committed });
}

function runOf(topic: string, records: number): RunRecord {
  const endMs = 1000 + records * 1000 / rate;
  const marks = { loadMs: 1000, injectMs: endMs / 3, tookHoldMs: endMs / 3 + 100, healMs: endMs / 2, recoveredMs: endMs / 2 + 100, loadEndMs: endMs };
  return {
    schema: 'kbf-run/2', startedAt: '2026-01-01T00:00:00.000Z', environment: 'bench', parts: {}, regions: ['east', 'west'], marks, faults: [], steps: [], consumers: { recreated: 0, notRecreated: [], broken: [] }, logRead: true, ending: { kind: 'complete' },
    plan: {
      run: 'bench', fault: 'none', region: 'east', rate, durationSeconds: records / rate, connections: 16, requestTimeoutMs: 10_000, topic, partitions, keys, seed: 1,
      consumers: { count: 2, mode: 'subscribe' }, load: { pattern: 'constant', payloadBytes: 0, keyDistribution: 'uniform', format: 'json', retry: 'none', workers: 0 }, steps: [],
    },
  };
}
