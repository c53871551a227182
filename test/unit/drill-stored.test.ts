import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../automation/kbf.ts';
import { compare, exitCodeOfComparison, renderComparison } from '../../automation/drill/compare.ts';
import { judge } from '../../automation/drill/report.ts';
import type { Report, Stored } from '../../automation/drill/report.ts';
import { makeReportDirectory, openAppender } from '../../automation/drill/store.ts';
import { judgeDirectory, writeRun } from '../../automation/drill/stored.ts';
import { UserError } from '../../errors.ts';
import { fakeModules } from '../fixtures/fake-sandbox.ts';
import { passingRun } from '../fixtures/passing-run.ts';
import { Sink } from '../fixtures/sink.ts';

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'kbf-stored-')); });
afterEach(() => { rmSync(root, { recursive: true }); });

async function store(name: string, change: (stored: Stored) => void = () => undefined): Promise<string> {
  const stored = passingRun();
  change(stored);
  const directory = join(root, name);
  await makeReportDirectory(directory);
  await writeRun(directory, stored.run);
  for (const [kind, records] of [['attempts', stored.attempts], ['log', stored.log], ['commits', stored.commits ?? []], ['deliveries', stored.deliveries]] as const) {
    const file = openAppender(directory, kind, (error) => { throw error; });
    for (const record of records) await file.append(record as never);
    await file.close();
  }
  return directory;
}

async function kbf(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const code = await main([...argv, '--state-dir', root], { stdout, stderr, modules: () => Promise.resolve(fakeModules({})), work: () => Promise.reject(new Error('nothing is to be done elsewhere')) });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

function bytesOf(directory: string): Record<string, string> {
  return Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}

describe('a stored run', () => {
  it('is judged as what it was when it was stored', async () => {
    assert.deepEqual(await judgeDirectory(await store('a')), JSON.parse(JSON.stringify(judge(passingRun()))));
  });

  it('gives the same bytes whenever it is judged again', async () => {
    const directory = await store('a');
    await judgeDirectory(directory);
    const first = bytesOf(directory);
    assert.ok(first['report.json']?.includes('"verdict": "pass"'));
    assert.ok(first['report.html']?.includes(createHash('sha256').update(first['report.json'] ?? '').digest('hex')));
    assert.ok(first['junit.xml']?.startsWith('<?xml') && first['report.md']?.startsWith('# Failover drill'));
    const { code, stdout, stderr } = await kbf('report', directory);
    assert.equal(code, 0);
    assert.match(stdout, /PASS[^]*report\.html/);
    assert.equal(stderr, '');
    assert.deepEqual(bytesOf(directory), first);
  });

  it('says what differs from the judgement that was there, and keeps each of them', async () => {
    const directory = await store('a');
    await judgeDirectory(directory);
    const earlier = bytesOf(directory)['report.json'] ?? '';
    // One record is gone from the log, its second to last.
    const log = readFileSync(join(directory, 'log.ndjson'), 'utf8').trimEnd().split('\n');
    writeFileSync(join(directory, 'log.ndjson'), `${[...log.slice(0, -7), ...log.slice(-6)].join('\n')}\n`);
    const { code, stderr } = await kbf('report', directory, '--json');
    assert.equal(code, 3);
    assert.match(stderr, /^This is not the judgement that was there, which is kept as \S+\/report\.previous-1\.json\. What differs:\n {2}verdict: pass, now fail\n {2}objectives\.log\.ackedLost\.measured: 0, now 1\n {2}objectives\.log\.ackedLost\.met: true, now false\n[^]*something in .*evidence/);
    assert.equal(bytesOf(directory)['report.previous-1.json'], earlier);
    assert.match(bytesOf(directory)['report.json'] ?? '', /"verdict": "fail"/);
    assert.equal((await kbf('report', directory)).stderr, '');
    for (const [written, says] of [['{"verdict":', /what was there is no JSON document/], [JSON.stringify(JSON.parse(bytesOf(directory)['report.json'] ?? '')), /only how it is written/]] as const) {
      writeFileSync(join(directory, 'report.json'), written);
      assert.match((await kbf('report', directory)).stderr, says);
      assert.ok(Object.entries(bytesOf(directory)).some(([name, content]) => name.startsWith('report.previous-') && content === written));
    }
    assert.equal(bytesOf(directory)['report.previous-1.json'], earlier);
  });

  it('of a killed driver is judged as far as its lines go, and is inconclusive', async () => {
    const directory = await store('a', ({ run }) => {
      run.ending = { kind: 'inconclusive', reason: 'the driver was ended before the drill was' };
      run.logRead = false;
      run.marks = { loadMs: 1000, injectMs: 11_000 };
      run.faults.splice(0);
    });
    truncateSync(join(directory, 'attempts.ndjson'), readFileSync(join(directory, 'attempts.ndjson')).length - 40);
    writeFileSync(join(directory, 'log.ndjson'), '');
    const { code, stdout } = await kbf('report', directory, '--json');
    const report = JSON.parse(stdout) as Awaited<ReturnType<typeof judgeDirectory>>;
    assert.equal(code, 4);
    assert.deepEqual([report.verdict, report.produce.sent, report.reason, 'log' in report], ['inconclusive', 2999, 'the driver was ended before the drill was', false]);
  });

  it('is refused where a file has not as many lines as the drill stored, though each of them is whole', async () => {
    const stored = { attempts: 3000, deliveries: 3000, commits: 0, log: 3000 };
    const directory = await store('a', ({ run }) => { run.stored = stored; });
    assert.equal((await kbf('report', directory)).code, 0);
    const file = join(directory, 'attempts.ndjson');
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, [...lines.slice(0, 2900), ''].join('\n'));
    const { code, stderr } = await kbf('report', directory);
    assert.equal(code, 1);
    assert.match(stderr, /attempts\.ndjson holds 2899 lines of the 3000 that the drill stored\n[^]*cannot be judged/);
  });

  for (const [how, lost, exitCode] of [['had broken an objective by then', 60, 3], ['had broken none', 0, 4]] as const) {
    it(`that ended itself and ${how} is judged again with the drill's own exit code, ${exitCode}`, async () => {
      const directory = await store('a', ({ run, attempts }) => {
        run.ending = { kind: 'aborted', reason: 'no region served a request for 10 s' };
        run.logRead = false;
        for (const attempt of attempts.slice(1100, 1100 + lost)) Object.assign(attempt, { outcome: 'failed', class: 'no-healthy-upstream (503)' });
      });
      assert.equal((await kbf('report', directory)).code, exitCode);
    });
  }

  it('is refused when a drill that came to its end is cut, or a line was changed', async () => {
    const cut = await store('cut');
    truncateSync(join(cut, 'log.ndjson'), readFileSync(join(cut, 'log.ndjson')).length - 10);
    await assert.rejects(judgeDirectory(cut), (error) => error instanceof UserError && /log\.ndjson/.test(error.message));
    const changed = await store('changed');
    appendFileSync(join(changed, 'attempts.ndjson'), 'x\n');
    await assert.rejects(judgeDirectory(changed), (error) => error instanceof UserError && /attempts\.ndjson:3002 is not JSON/.test(error.message));
  });

  for (const [what, change, says] of [
    ['nothing', () => null, /run\.json is not kbf-run\/1 but undefined/],
    ['no plan', ({ plan, ...rest }: Stored['run']) => { assert.ok(plan); return rest; }, /run\.json is not what a drill wrote: plan: .*the run was changed/s],
    ['no faults', ({ faults, ...rest }: Stored['run']) => { assert.ok(faults); return rest; }, /what a drill wrote: faults: /],
    ['a mark that is no time', (run: Stored['run']) => ({ ...run, marks: { ...run.marks, injectMs: 'x' } }), /what a drill wrote: marks\.injectMs: /],
    ['a load that nobody can send', (run: Stored['run']) => ({ ...run, plan: { ...run.plan, rate: 0 } }), /what a drill wrote: plan\.rate: /],
  ] as const) {
    it(`is refused where what it knows of itself has ${what}`, async () => {
      const directory = await store('odd');
      writeFileSync(join(directory, 'run.json'), JSON.stringify(change(passingRun().run)));
      const { code, stderr } = await kbf('report', directory);
      assert.equal(code, 2);
      assert.match(stderr, says);
    });
  }

  for (const [argv, says] of [
    [['report'], /missing required argument/],
    [['report', '/nonexistent'], /\/nonexistent\/run\.json cannot be read/],
    [['report', 'a', 'b'], /Several directories are given/],
    [['report', '--compare', 'a'], /--compare takes two directories/],
    [['report', '--compare', 'a', 'b', 'c'], /--compare takes two directories/],
    [['report', '--compare', '/nonexistent', '/nonexistent'], /report\.json cannot be read[^]*kbf report \/nonexistent/],
  ] as const) {
    it(`"${argv.join(' ')}" is wrong use`, async () => {
      const { code, stderr } = await kbf(...argv);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
    });
  }
});

describe('the comparison of two reports', () => {
  const slower = ({ attempts, run }: Stored): void => {
    run.plan.connections = 8;
    for (const attempt of attempts.slice(1000, 1100)) attempt.endMs += 300;
    Object.assign(attempts[1500] ?? {}, { outcome: 'unknown', class: 'timeout' });
  };

  it('shows every figure with its difference, what got worse, and in what the drills were not the same', async () => {
    const [a, b] = [await store('a'), await store('b', slower)];
    await judgeDirectory(a);
    await judgeDirectory(b);
    const { code, stdout } = await kbf('report', '--compare', a, b);
    assert.equal(code, 3);
    assert.match(stdout, /verdict +pass +fail +WORSE/);
    assert.match(stdout, /produce\.unknown +0 +1 +\+1 +WORSE/);
    assert.match(stdout, /produce\.latencyMs\.p99 +4\.0 ms +304 ms +\+300 ms +WORSE/);
    assert.match(stdout, /connections: 4 against 8/);
    assert.match(stdout, /Got worse: verdict, produce\.unknown, /);
  });

  /** Own partitions of consumers that were given so many records again. */
  const back = (times: number) => (stored: Stored): void => {
    slower(stored);
    stored.run.plan.consumers.mode = 'assign';
    for (let i = 0; i < times; i += 1) stored.deliveries.push({ ...stored.deliveries[2000] ?? assert.fail(), tMs: 31_100 + i });
  };
  const losing = (count: number) => ({ log }: Stored): void => { log.splice(1500, count); };
  for (const [what, first, second, code, worse] of [
    ['is worse where both failed and the second lost more', slower, losing(50), 3, /log\.ackedLost +0 +50 +\+50 +WORSE/],
    ['is worse where both lost records and the second more of them', losing(50), losing(51), 3, /log\.ackedLost +50 +51 +\+1 +WORSE/],
    ['is worse where consumers with partitions of their own went back', back(0), back(5), 3, /consume\.backwards +0 +5 +\+5 +WORSE/],
    ['is no worse where both failed and the second was only slower', ({ log }: Stored) => { log.splice(1500, 1); }, slower, 0, /produce\.unknown +0 +1 +\+1 +WORSE/],
  ] as const) {
    it(what, async () => {
      const [a, b] = [await store('a', first), await store('b', second)];
      assert.deepEqual([(await judgeDirectory(a)).verdict, (await judgeDirectory(b)).verdict], ['fail', 'fail']);
      const compared = await kbf('report', '--compare', a, b);
      assert.equal(compared.code, code, compared.stdout);
      assert.match(compared.stdout, worse);
    });
  }

  for (const [what, change, says] of [
    ['nothing', () => null, /report\.json is not kbf-report\/1 but undefined\n[^]*judge the run again: kbf report/],
    ['no regions', ({ regions, ...rest }: Report) => { assert.ok(regions); return rest; }, /report\.json is not what a drill wrote: regions: .*\n[^]*judge the run again: kbf report/],
    ['no plan', ({ plan, ...rest }: Report) => { assert.ok(plan); return rest; }, /what a drill wrote: plan: /],
    ['a verdict that is none', (report: Report) => ({ ...report, verdict: 'good' }), /what a drill wrote: verdict: /],
  ] as const) {
    it(`is refused where a report has ${what}`, async () => {
      const directory = await store('a');
      const changed = change(await judgeDirectory(directory));
      writeFileSync(join(directory, 'report.json'), JSON.stringify(changed));
      const { code, stderr } = await kbf('report', '--compare', directory, directory);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, /not a mistake of yours|Cannot read/);
    });
  }

  it('names each part that is another, or is known of one drill only', () => {
    const a = judge(passingRun());
    const b: typeof a = { ...a, parts: { envoy: { kind: 'real', version: '1.41.0' }, kafka: { kind: 'real', version: '4.1.1' } } };
    assert.deepEqual(compare(a, b).unlike, ['part envoy: 1.40.0 (real) against 1.41.0 (real)', 'part kafka: not known against 4.1.1 (real)']);
    assert.deepEqual(compare(a, a).unlike, []);
  });

  it('takes damage for worse also where the earlier drill did not look', () => {
    const stored = passingRun();
    losing(3)(stored);
    const { log, ...bare } = judge(passingRun());
    assert.ok(log);
    const comparison = compare({ ...bare, verdict: 'fail' }, judge(stored));
    assert.ok(!comparison.worse.includes('verdict') && comparison.worse.includes('log.ackedLost'));
    assert.equal(exitCodeOfComparison(comparison), 3);
  });

  it('finds nothing worse in the same report, nor in a better one', () => {
    const stored = passingRun();
    slower(stored);
    const [good, bad] = [judge(passingRun()), judge(stored)];
    assert.deepEqual(compare(good, good).worse, []);
    assert.deepEqual(compare(bad, good).worse, []);
    assert.match(renderComparison(compare(good, good)), /Nothing got worse\./);
  });

  it('takes a drill that ended itself for as bad as what it had broken by then', () => {
    const broken = passingRun();
    slower(broken);
    const [good, bad] = [judge(passingRun()), judge(broken)];
    const unclear = { ...good, verdict: 'inconclusive' as const };
    const ended = { ...bad, verdict: 'aborted' as const };
    assert.deepEqual(compare(unclear, ended).worse.slice(0, 1), ['verdict']);
    assert.deepEqual(compare(bad, ended).worse, []);
    assert.deepEqual(compare(unclear, { ...good, verdict: 'aborted' }).worse, []);
  });

  it('leaves out what neither measured, and compares nothing with what one did not', () => {
    const { log, consume, ...bare } = judge(passingRun());
    assert.ok(log && consume);
    const { figures, worse } = compare(judge(passingRun()), bare);
    assert.deepEqual(worse, []);
    assert.deepEqual(figures.find(({ name }) => name === 'log.ackedLost'), { name: 'log.ackedLost', unit: 'count', a: 0 });
    assert.ok(!compare(bare, bare).figures.some(({ name }) => name.startsWith('log.')));
  });
});
