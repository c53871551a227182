import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { faults } from '../../automation/drill/faults/index.ts';
import { planOf } from '../../automation/drill/options.ts';
import type { DrillOptions } from '../../automation/drill/options.ts';
import { runDrill } from '../../automation/drill/index.ts';
import { makeReportDirectory, mustTakeReport, openAppender } from '../../automation/drill/store.ts';
import { readLines } from '../fixtures/read-lines.ts';

describe('the store', () => {
  let directory: string;
  beforeEach(async () => {
    directory = path.join(await mkdtemp(path.join(tmpdir(), 'kbf-store-')), 'report');
  });
  afterEach(() => rm(path.dirname(directory), { recursive: true, force: true }));

  const unexpected = (error: Error): void => { throw error; };

  it('gives back what was appended, after a line that says what it is', async () => {
    await makeReportDirectory(directory);
    const log = openAppender(directory, 'log', unexpected);
    void log.append({ partition: 0, offset: 1 });
    void log.append({ partition: 0, offset: 2, id: { run: 'r', producer: 'p0', seq: 7 } });
    await log.close();
    assert.deepEqual(await readLines(directory, 'log'), [{ partition: 0, offset: 1 }, { partition: 0, offset: 2, id: { run: 'r', producer: 'p0', seq: 7 } }]);
    assert.match(await readFile(path.join(directory, 'log.ndjson'), 'utf8'), /^\{"schema":"kbf-log\/1"\}\n/);
  });

  it('gives back lines of any length', async () => {
    const records = [10, 300_000, 5, 262_100, 1_500_000, 7].map((length, offset) => ({ partition: 0, offset, key: 'k'.repeat(length) }));
    await makeReportDirectory(directory);
    const log = openAppender(directory, 'log', unexpected);
    for (const record of records) await log.append(record);
    await log.close();
    assert.deepEqual(await readLines(directory, 'log'), records);
  });

  it('never writes over a run', async () => {
    await makeReportDirectory(directory);
    await assert.rejects(makeReportDirectory(directory), { name: 'UserError', exitCode: 2, message: `the report directory ${directory} already holds a run` });
  });

  for (const left of ['repeat.json', 'run-001']) {
    it(`mixes no run with a series, of which ${left} is there`, async () => {
      await mkdir(path.join(directory, left), { recursive: true });
      await assert.rejects(makeReportDirectory(directory), {
        name: 'UserError', exitCode: 2, message: `the report directory ${directory} already holds a series of drills`, remedy: 'go on with that series (--repeat), or name another directory with --report',
      });
      assert.deepEqual(await readdir(directory), [left]);
      mustTakeReport(directory, { series: true });
    });
  }

  for (const left of ['report.json', 'run.json', 'attempts.ndjson']) {
    it(`mixes no series with a run, of which ${left} is there`, async () => {
      await mkdir(directory);
      mustTakeReport(directory, { series: true });
      await writeFile(path.join(directory, left), '');
      for (const series of [true, false]) {
        assert.throws(() => { mustTakeReport(directory, { series }); }, { name: 'UserError', exitCode: 2, message: `the report directory ${directory} already holds a run`, remedy: 'name another directory with --report, or remove that one' });
      }
    });
  }

  it('refuses a directory that cannot be made', async () => {
    await writeFile(path.join(path.dirname(directory), 'file'), '');
    await assert.rejects(makeReportDirectory(path.join(path.dirname(directory), 'file', 'report')), { name: 'UserError', exitCode: 2, message: /cannot be made/ });
  });

  it('tells at once when a line cannot be written', async () => {
    const { promise, resolve } = Promise.withResolvers<Error>();
    await mkdir(directory);
    await symlink('/dev/full', path.join(directory, 'log.ndjson'));
    const log = openAppender(directory, 'log', resolve);
    void log.append({ partition: 0, offset: 1 });
    assert.match((await promise).message, /log\.ndjson cannot be written: ENOSPC/);
    await assert.rejects(log.close(), { name: 'UserError', remedy: /make room/ });
  });

  it('ends when the disk does not keep up, instead of filling the memory', async () => {
    await mkdir(directory);
    const file = path.join(directory, 'log.ndjson');
    await execa('mkfifo', [file]);
    const { promise, resolve } = Promise.withResolvers<Error>();
    const log = openAppender(directory, 'log', resolve);
    // Nobody reads: nothing is taken.
    const key = 'k'.repeat(1 << 20);
    let asked = false;
    let appended = 0;
    for (; appended < 100 && !asked; appended += 1) asked = log.append({ partition: 0, offset: appended, key }) !== undefined;
    assert.ok(asked && appended < 20, 'nobody was asked to wait');
    for (; appended < 100; appended += 1) void log.append({ partition: 0, offset: appended, key });
    assert.match((await promise).message, /log\.ndjson cannot be written: the disk takes less than there is to store, and 64 MiB wait for it/);
    const reader = createReadStream(file).resume();
    await assert.rejects(log.close(), { name: 'UserError', remedy: /faster disk/ });
    reader.destroy();
  });

  it('gives back what came before the line that a killed driver left half', async () => {
    const whole = Array.from({ length: 3000 }, (_, offset) => ({ partition: 0, offset, key: `k${offset}` }));
    await makeReportDirectory(directory);
    const log = openAppender(directory, 'log', unexpected);
    for (const record of whole) await log.append(record);
    await log.close();
    const file = path.join(directory, 'log.ndjson');
    const bytes = await readFile(file);
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: bytes.length }), async (length) => {
      await writeFile(file, bytes.subarray(0, length));
      const lines = bytes.subarray(0, length).filter((byte) => byte === 10).length;
      const notes: string[] = [];
      const read = await readLines(directory, 'log', (note) => notes.push(note));
      assert.deepEqual(read, whole.slice(0, Math.max(0, lines - 1)));
      assert.equal(notes.some((note) => note.includes(`breaks off in line ${lines + 1}:`)), bytes[length - 1] !== 10);
    }), { numRuns: 50 });
  });

  it('does not take a run that broke off for a whole one', async () => {
    await makeReportDirectory(directory);
    await openAppender(directory, 'log', unexpected).close();
    await appendFile(path.join(directory, 'log.ndjson'), '{"parti');
    await assert.rejects(readLines(directory, 'log'), { name: 'UserError', message: /log\.ndjson breaks off in line 2/ });
    await assert.rejects(readLines(directory, 'attempts'), { name: 'UserError', message: /attempts\.ndjson is empty/ });
  });

  it('names the line that somebody changed', async () => {
    await makeReportDirectory(directory);
    await openAppender(directory, 'log', unexpected).close();
    await appendFile(path.join(directory, 'log.ndjson'), '{"partition":0,"offset":1}\n{"parti\n{"partition":0,"offset":2}\n');
    await assert.rejects(readLines(directory, 'log'), { name: 'UserError', message: /log\.ndjson:3 is not JSON/ });
  });

  for (const [kind, line, what] of [
    ['log', 'null', 'all of it'],
    ['log', '{"partition":0}', 'offset'],
    ['attempts', '{"producer":"p0","seq":0,"attempt":0,"key":"k","intendedMs":0,"issuedMs":0,"outcome":"ok","class":"ok"}', 'endMs'],
    ['attempts', '{"producer":"p0","seq":0,"attempt":0,"key":"k","intendedMs":0,"issuedMs":0,"endMs":1,"outcome":"lost","class":"ok"}', 'outcome'],
    ['commits', '{"consumer":0,"instance":"c","tMs":1,"partition":0,"offset":"3"}', 'offset'],
  ] as const) {
    it(`names what a line lacks: ${what} in ${line}`, async () => {
      await makeReportDirectory(directory);
      await openAppender(directory, kind, unexpected).close();
      await appendFile(path.join(directory, `${kind}.ndjson`), `${line}\n`);
      await assert.rejects(readLines(directory, kind), { name: 'UserError', message: new RegExp(`${kind}\\.ndjson:2 is no line of kbf-${kind}/1: ${what}: `) });
    });
  }

  it('names a file that is not there, and one that holds something else', async () => {
    await makeReportDirectory(directory);
    await assert.rejects(readLines(directory, 'log'), { name: 'UserError', message: /log\.ndjson cannot be read: ENOENT/ });
    await writeFile(path.join(directory, 'log.ndjson'), '{"schema":"kbf-log/2"}\n');
    await assert.rejects(readLines(directory, 'log'), { name: 'UserError', message: /log\.ndjson is not kbf-log\/1 but kbf-log\/2/ });
  });
});

describe('the options of a drill', () => {
  const region = (name: string): object => ({ name, context: name, namespace: 'kafka-bridge', bridge: 'bridge', hostname: `${name}.h`, url: '', gatewayAddress: '10.0.0.1' });
  const outputs = { hostname: 'h', url: 'http://h', tier1Address: '10.0.0.9', resolve: [], kafka: { context: 'kafka', bootstrapServers: 'b:9094', caCertificate: 'PEM' }, regions: [region('east'), region('west')] };
  const options: DrillOptions = { outputs, environment: 'dev', kubeconfig: '/nowhere', stateDir: '/nowhere/s', reportDir: '/nowhere/r', fault: 'bridge-scale-0' };

  it('are completed by defaults', () => {
    const { plan } = planOf(options);
    assert.deepEqual([plan.region, plan.rate, plan.durationSeconds, plan.connections], ['east', 100, 30, 16]);
    assert.equal(plan.topic, `kbf-drill-${plan.run}`);
    assert.match(plan.topic, /^[a-z0-9.-]+$/);
  });

  it('are refused all at once', () => {
    assert.throws(() => planOf({ ...options, fault: 'flood' as 'bridge-scale-0', region: 'mars', rate: 0, durationSeconds: Number.NaN }), {
      name: 'UserError', exitCode: 2,
      message: `the drill cannot be run: fault flood is unknown; there is ${Object.keys(faults).join(', ')}; region mars is none of east, west; rate is 0, must be 1 to 20000 records a second; duration is NaN, must be 6 to 86400 s`,
    });
  });

  it('are refused with the outputs of a stack that is not deployed', () => {
    assert.throws(() => planOf({ ...options, outputs: { hostname: 'h' } }), { name: 'UserError', exitCode: 2, message: /^the outputs of dev are not those of a deployed program: tier1Address: / });
  });

  it('are checked before anything is touched', async () => {
    await assert.rejects(runDrill({ ...options, region: 'mars', reportDir: '/dev/null/r' }), { exitCode: 2, message: /region mars/ });
  });
});
