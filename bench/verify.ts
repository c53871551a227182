/**
 * Verifying a drill beside Kafka's own consumer-perf-test, on the same topic of one broker on loopback: `npm run bench:verify [records]`. Both are whole
 * processes, from their start to their end. The drill's reads the log, stores it, and judges it against every request and every delivery.
 */
import { mkdtempDisposable, readFile, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { Kafka } from '../automation/drill/kafka.ts';
import { classPath } from '../sandbox/toolchain/kafka-jvm.ts';
import { ensureTools } from '../sandbox/toolchain/index.ts';
import { median } from './median.ts';
import { runBench } from './run.ts';
import { startBroker } from './verify/broker.ts';
import { fill, partitions } from './verify/fill.ts';
import type { Took } from './verify/ours.ts';

const most = Number(process.argv[2] ?? 1_000_000);
const rounds = 3;
/** Where kbf.mjs, too, keeps its modules compiled: by far most of the commands find them there. */
const compiled = join(import.meta.dirname, '../node_modules/.cache/compiled');

await runBench(async (signal) => {
  const tools = await ensureTools(['java', 'kafka'], { signal });
  const java = join(tools.get('java')?.home ?? '', 'bin/java');
  const libs = join(tools.get('kafka')?.home ?? '', 'libs');
  await using work = await mkdtempDisposable(join(tmpdir(), 'kbf-bench-verify-'));
  await using broker = await startBroker({ java, libs, directory: join(work.path, 'broker'), signal });
  const { bootstrapServers } = broker;
  console.log(`on ${cpus().length} cores, load average ${loadavg()[0]?.toFixed(1)}; median of ${rounds} rounds`);
  console.log('records   consumer-perf-test   drill: read and stored   then judged   whole process   peak memory   drill / consumer-perf-test: time   processor time');
  for (const records of [most / 4, most]) {
    const topic = `bench-${records}`;
    await using kafka = new Kafka({ bootstrapServers });
    await kafka.createTopic(topic, { partitions, replicas: 1, minInsyncReplicas: 1 });
    const took: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const directory = join(work.path, `run-${records}-${round}`);
      if (round === 0) await fill({ bootstrapServers, topic, directory, records, signal });
      else await execa('cp', ['-r', join(work.path, `run-${records}-0`), directory], { cancelSignal: signal });
      if (round > 0) await rm(join(directory, 'log.ndjson'));
      const their = await costOf(() => execa(java, ['-Xmx512m', '-cp', classPath(libs), 'org.apache.kafka.tools.ConsumerPerformance', '--bootstrap-server', bootstrapServers, '--topic', topic, '--num-records', String(records), '--group', `perf-${round}`], { cancelSignal: signal }));
      let stdout = '';
      const our = await costOf(async () => {
        ({ stdout } = await execa(process.execPath, [join(import.meta.dirname, 'verify/ours.ts'), bootstrapServers, topic, directory], { cancelSignal: signal, env: { NODE_COMPILE_CACHE: compiled } }));
      });
      const ours = JSON.parse(stdout) as Took;
      if (ours.ackedLost !== 0 || ours.offsetMismatch !== 0 || ours.delivered !== records) throw new Error(`the run was not judged as what it is: ${stdout}`);
      took.push({ their, our, ours });
    }
    console.log(row(records, took));
  }
});

interface Round { their: Cost; our: Cost; ours: Took }

function row(records: number, took: readonly Round[]): string {
  const of = (who: 'their' | 'our', what: keyof Cost): number => median(took.map((each) => each[who][what]));
  const cell = (value: number, unit: string, width: number): string => `${value.toFixed(unit === 's' ? 2 : 0)} ${unit}`.padEnd(width);
  return [
    String(records).padEnd(9), cell(of('their', 'ms') / 1000, 's', 20), cell(median(took.map(({ ours }) => ours.readMs)) / 1000, 's', 24), cell(median(took.map(({ ours }) => ours.judgeMs)) / 1000, 's', 13),
    cell(of('our', 'ms') / 1000, 's', 15), cell(Math.max(...took.map(({ ours }) => ours.peakMiB)), 'MiB', 13), (of('our', 'ms') / of('their', 'ms')).toFixed(2).padEnd(32), (of('our', 'cpuMs') / of('their', 'cpuMs')).toFixed(2),
  ].join(' ');
}

interface Cost {
  ms: number;
  /** User and system, of the processes that ended meanwhile. */
  cpuMs: number;
}

async function costOf(run: () => PromiseLike<unknown>): Promise<Cost> {
  const [begin, cpu] = [performance.now(), await childrenCpuMs()];
  await run();
  return { ms: performance.now() - begin, cpuMs: await childrenCpuMs() - cpu };
}

/** Of this process's children that have ended: the broker, which has not, is no part of it. */
async function childrenCpuMs(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'utf8')).replace(/^.*\) /, '').split(' ');
  // cutime and cstime, fields 16 and 17 of proc(5), in hundredths of a second.
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
