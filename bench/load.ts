/**
 * The drill's load generator beside vegeta, on the same target: `npm run bench:load`. Needs Go, which compiles vegeta once, into the cache directory.
 * Both send the same record at the same rates over as many connections, and store every result. The request rate at equal CPU is what a second of the
 * generator's own processor time (user and system, all threads) sends; the target's is not counted.
 */
import { execa } from 'execa';
import { access, mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';

import { percentile } from '../automation/drill/metrics.ts';
import { cacheDirectory } from '../sandbox/toolchain/cache.ts';
import type { Figures } from './load/ours.ts';
import { median } from './median.ts';
import { runBench } from './run.ts';

const version = 'v12.13.0';
const rates = [1_000, 2_000, 4_000];
const seconds = 10;
const connections = 16;
const rounds = 3;

await runBench(async (cancelSignal) => {
  const vegeta = await installVegeta(cancelSignal);
  await using work = await mkdtempDisposable(join(tmpdir(), 'kbf-bench-load-'));
  const target = execa(process.execPath, [join(import.meta.dirname, 'load/target.ts')], { stdin: 'ignore', buffer: false, reject: false, cancelSignal });
  try {
    const port = await firstLine(target.stdout);
    console.log(`on ${cpus().length} cores, load average ${loadavg()[0]?.toFixed(1)}; median of ${rounds} rounds of ${seconds} s; ${connections} connections; vegeta ${version}`);
    console.log('rate/s   generator  ok/sent          CPU s   sent per CPU s   begun late, p99 ms');
    for (const rate of rates) {
      const both = { vegeta: [] as Figures[], drill: [] as Figures[] };
      for (let round = 0; round < rounds; round += 1) {
        both.vegeta.push(await attack(vegeta, { port, rate, directory: join(work.path, `vegeta-${rate}-${round}`), cancelSignal }));
        both.drill.push(await ours({ port, rate, directory: join(work.path, `drill-${rate}-${round}`), cancelSignal }));
      }
      const [theirs, own] = [summary(both.vegeta), summary(both.drill)];
      for (const [name, { ok, sent, cpuSeconds, lateP99Ms }] of [['vegeta', theirs], ['drill', own]] as const) {
        console.log(`${String(rate).padEnd(8)} ${name.padEnd(10)} ${`${ok}/${sent}`.padEnd(16)} ${cpuSeconds.toFixed(2).padEnd(7)} ${(sent / cpuSeconds).toFixed(0).padEnd(16)} ${lateP99Ms.toFixed(2)}`);
      }
      console.log(`${String(rate).padEnd(8)} drill / vegeta at equal CPU: ${((own.sent / own.cpuSeconds) / (theirs.sent / theirs.cpuSeconds)).toFixed(2)}`);
    }
  } finally {
    target.kill();
    await target;
  }
});

/** The path of vegeta, compiled from the Go module proxy where the cache has none. */
async function installVegeta(cancelSignal: AbortSignal): Promise<string> {
  const directory = join(cacheDirectory(), 'bench', `vegeta-${version}`);
  const file = join(directory, 'vegeta');
  const there = await access(file).then(() => true, () => false);
  if (!there) {
    await mkdir(directory, { recursive: true });
    await execa('go', ['install', `github.com/tsenart/vegeta/v12@${version}`], { env: { GOBIN: directory }, stdio: 'inherit', cancelSignal });
  }
  return file;
}

interface Round { port: string; rate: number; directory: string; cancelSignal: AbortSignal }

async function ours({ port, rate, directory, cancelSignal }: Round): Promise<Figures> {
  const script = join(import.meta.dirname, 'load/ours.ts');
  const { stdout } = await execa(process.execPath, [script, port, String(rate), String(seconds), String(connections), directory], { stdin: 'ignore', cancelSignal });
  return JSON.parse(stdout) as Figures;
}

interface VegetaResult { seq: number; code: number; timestamp: string }

/** Its results say when a request began; it was due `seq / rate` after the first, which counts as begun in time. */
async function attack(vegeta: string, { port, rate, directory, cancelSignal }: Round): Promise<Figures> {
  await mkdir(directory);
  const file = (name: string): string => join(directory, name);
  await writeFile(file('body'), JSON.stringify({ records: [{ key: 'k0', value: { run: 'bench', producer: 'p0', seq: 123456 } }] }));
  await writeFile(file('targets'), `POST http://127.0.0.1:${port}/topics/bench\nContent-Type: application/vnd.kafka.json.v2+json\n@${file('body')}\n`);
  const flags = ['attack', `-rate=${rate}`, `-duration=${seconds}s`, `-connections=${connections}`, `-max-workers=${connections}`, `-targets=${file('targets')}`, `-output=${file('results')}`];
  // What a process used is known to the shell that waited for it.
  const { stderr } = await execa('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', vegeta, ...flags], { stdin: 'ignore', cancelSignal, killDescendants: true });
  const cpuSeconds = stderr.trim().split(/\s+/).slice(-2).reduce((sum, each) => sum + Number(each), 0);
  await execa(vegeta, ['encode', '-to=json', `-output=${file('json')}`, file('results')], { stdin: 'ignore', cancelSignal });
  const results = (await readFile(file('json'), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as VegetaResult);
  const begun = results.map(({ seq, timestamp }) => msOf(timestamp) - (seq * 1000) / rate);
  const origin = begun.reduce((least, each) => Math.min(least, each));
  const late = begun.map((each) => each - origin).sort((a, b) => a - b);
  return { ok: results.filter(({ code }) => code === 200).length, sent: results.length, cpuSeconds, lateP99Ms: percentile(late, 0.99) };
}

/** Milliseconds of a time of day with nanoseconds, which Date would cut off. */
function msOf(timestamp: string): number {
  const [, whole = '', fraction = '0'] = /^(.*:\d\d)(?:\.(\d+))?/.exec(timestamp) ?? [];
  return Date.parse(`${whole}Z`) + Number(`0.${fraction}`) * 1000;
}

function summary(all: readonly Figures[]): Figures {
  const middle = (of: (figures: Figures) => number): number => median(all.map(of));
  return { ok: middle(({ ok }) => ok), sent: middle(({ sent }) => sent), cpuSeconds: middle(({ cpuSeconds }) => cpuSeconds), lateP99Ms: middle(({ lateP99Ms }) => lateP99Ms) };
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const chunk of stream) return String(chunk).trim();
  throw new Error('the target ended');
}
