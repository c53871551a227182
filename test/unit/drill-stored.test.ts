import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judge } from '../../automation/drill/report.ts';
import type { Stored } from '../../automation/drill/report.ts';
import { judgeDirectory, writeRun } from '../../automation/drill/stored.ts';
import { producerOf } from '../../automation/drill/workers/protocol.ts';
import { UserError } from '../../errors.ts';
import { passingRun } from '../fixtures/passing-run.ts';
import { bytesOf, kbfHere, storeRun } from '../fixtures/stored-run.ts';

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'kbf-stored-')); });
afterEach(() => { rmSync(root, { recursive: true }); });
const store = (name: string, change?: (stored: Stored) => void): Promise<string> => storeRun(root, name, change);
const kbf = (...argv: string[]): ReturnType<typeof kbfHere> => kbfHere(root, ...argv);

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
    const run = JSON.parse(bytesOf(directory)['run.json'] ?? '') as Stored['run'];
    await writeRun(directory, { ...run, stored: { ...run.stored ?? assert.fail(), log: 2999 } });
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
    const directory = await store('a');
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
    ['a fault less than its plan', (run) => { run.faults.pop(); }, /faults: none, where the plan has do bridge-scale-0 of east\n/],
    ['another fault than its plan', (run) => { Object.assign(run.faults[0] ?? {}, { region: 'west' }); }, /faults: do bridge-scale-0 of west, where the plan has do bridge-scale-0 of east\n/],
    ['a step less than its plan', (run) => { run.plan.steps.push({ kind: 'expect', objective: 'produce.failed=0' }); }, /steps: do bridge-scale-0 of east, where the plan has do bridge-scale-0 of east, expect produce\.failed=0\n/],
    ['a step that expects something else than its plan', (run) => {
      run.plan.steps.push({ kind: 'expect', objective: 'produce.failed=0' });
      run.steps.push({ kind: 'expect', text: 'produce.failed<=3000', startMs: 11_000, endMs: 22_600 });
    }, /steps: .*, expect produce\.failed<=3000, where the plan has/],
    ['no number of lines', (run) => { delete run.stored; }, /stored: missing, though the drill came to its end\n/],
    ['nothing of what was committed, nor of its consumers', (run) => {
      delete run.committed;
      delete run.consumers;
    }, /consumers: missing, though the drill came to its end; committed: missing/],
  ] as [string, (run: Stored['run']) => void, RegExp][]) {
    it(`is refused where it came to its end and has ${what}`, async () => {
      const directory = await store('changed');
      const run = JSON.parse(bytesOf(directory)['run.json'] ?? '') as Stored['run'];
      assert.equal((await kbf('report', directory)).code, 0);
      change(run);
      await writeRun(directory, run);
      const { code, stderr } = await kbf('report', directory);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
      assert.match(stderr, /cannot be judged/);
    });
  }

  it('of a drill that ended itself has as many faults and steps as it came to', async () => {
    const directory = await store('a', ({ run }) => {
      run.plan.steps.push({ kind: 'do', fault: 'bridge-kill', region: 'west' }, { kind: 'expect', objective: 'produce.failed=0' });
      run.ending = { kind: 'aborted', reason: 'another drill has the stack' };
      delete run.committed;
    });
    assert.equal((await kbf('report', directory)).code, 4);
  });

  it('is refused where attempts are of a producer that the plan does not have', async () => {
    const changed = (workers: number): Promise<string> => store(`of-${workers}`, ({ run, attempts }) => {
      run.plan.load.workers = workers;
      attempts.push({ ...attempts[0] ?? assert.fail(), producer: producerOf(0), outcome: 'failed', class: 'refused' });
    });
    const { code, stderr } = await kbf('report', await changed(0));
    assert.equal(code, 1, stderr);
    assert.match(stderr, /attempts are of a producer \S+, which the drill's plan does not have\n[^]*the run was changed; it cannot be judged/);
    assert.doesNotMatch((await kbf('report', await changed(1))).stderr, /does not have/);
  });

  for (const [what, change, says] of [
    ['nothing', () => null, /run\.json is not kbf-run\/2 but undefined/],
    ['no plan', ({ plan, ...rest }: Stored['run']) => { assert.ok(plan); return rest; }, /run\.json is not what a drill wrote: plan: .*the run was changed/s],
    ['no faults', ({ faults, ...rest }: Stored['run']) => { assert.ok(faults); return rest; }, /what a drill wrote: faults: /],
    ['a mark that is no time', (run: Stored['run']) => ({ ...run, marks: { ...run.marks, injectMs: 'x' } }), /what a drill wrote: marks\.injectMs: /],
    ['a region that is sent nothing of what it serves', (run: Stored['run']) => ({ ...run, faults: run.faults.map((fault) => ({ ...fault, expects: { west: { before: 'serves', during: 'serves', after: 'serves', share: 0 } } })) }), /what a drill wrote: faults\.0\.expects\.west\.share: /],
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
    [['report', '--compare', '/not there', '/not there'], /report\.json cannot be read[^]*kbf report '\/not there'/],
  ] as const) {
    it(`"${argv.join(' ')}" is wrong use`, async () => {
      const { code, stderr } = await kbf(...argv);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
    });
  }
});
