import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, exitCodeOfComparison, renderComparison } from '../../automation/drill/compare.ts';
import { judge } from '../../automation/drill/report.ts';
import type { Report, Stored } from '../../automation/drill/report.ts';
import { judgeDirectory } from '../../automation/drill/stored.ts';
import { passingRun } from '../fixtures/passing-run.ts';
import { kbfHere, storeRun } from '../fixtures/stored-run.ts';

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'kbf-compare-')); });
afterEach(() => { rmSync(root, { recursive: true }); });
const store = (name: string, change?: (stored: Stored) => void): Promise<string> => storeRun(root, name, change);
const kbf = (...argv: string[]): ReturnType<typeof kbfHere> => kbfHere(root, ...argv);

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
    ['nothing', () => null, /report\.json is not kbf-report\/2 but undefined\n[^]*judge the run again: kbf report/],
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

  it('takes drills of other keys and another load for unlike', () => {
    const a = judge(passingRun());
    const b = { ...a, plan: { ...a.plan, keys: 7, load: { ...a.plan.load, payloadBytes: 100 } } };
    assert.deepEqual(compare(a, b).unlike, ['keys: 60 against 7', `load: ${JSON.stringify(a.plan.load)} against ${JSON.stringify(b.plan.load)}`]);
  });

  it('takes drills for unlike that held their faults for another time, waited, expected, asked or allowed for something else', () => {
    const a = judge(passingRun());
    const of = (change: Partial<Report['plan']>): Report => ({ ...a, plan: { ...a.plan, ...change } });
    const steps = (forSeconds: number, seconds: number, objective: string): Partial<Report['plan']> => ({ steps: [{ kind: 'do', fault: 'bridge-kill', region: 'east', forSeconds }, { kind: 'wait', seconds }, { kind: 'expect', objective }] });
    assert.deepEqual(compare(of(steps(2, 1, 'produce.failed=0')), of(steps(300, 60, 'produce.failed<=4'))).unlike, [
      'steps: bridge-kill of east for 2 seconds, wait 1 second, expect produce.failed=0 against bridge-kill of east for 300 seconds, wait 60 seconds, expect produce.failed<=4',
    ]);
    assert.deepEqual(compare(of({ objectives: ['produce.failed=0'] }), of({ objectives: undefined as never })).unlike, ['objectives: produce.failed=0 against none']);
    assert.deepEqual(compare(a, of({ abortAfterErrors: 0.9 })).unlike, ['abortAfterErrors: 0.5 against 0.9']);
  });

  it('takes drills of another seed for unlike only where their load is drawn', () => {
    const a = judge(passingRun());
    const of = (seed: number, load: Partial<Report['plan']['load']>): Report => ({ ...a, plan: { ...a.plan, seed, load: { ...a.plan.load, ...load } } });
    assert.deepEqual(compare(of(1, {}), of(2, {})).unlike, []);
    for (const drawn of [{ pattern: 'poisson' }, { keyDistribution: 'zipf' }] as const) {
      assert.deepEqual(compare(of(1, drawn), of(2, drawn)).unlike, ['seed: 1 against 2']);
      assert.deepEqual(compare(of(1, {}), of(2, drawn)).unlike.filter((line) => line.startsWith('seed')), []);
    }
  });

  it('takes consumers with partitions of their own that went back for worse also where the earlier drill did not look', () => {
    const [a, b] = [passingRun(), passingRun()];
    for (const { run } of [a, b]) run.plan.consumers.mode = 'assign';
    a.run.ending = { kind: 'aborted', reason: 'the error budget is spent' };
    a.run.logRead = false;
    a.log = [];
    for (const attempt of a.attempts.slice(1200, 1210)) Object.assign(attempt, { outcome: 'failed', class: 'http-404' });
    const last = b.deliveries.at(-1)?.tMs ?? 0;
    b.deliveries.push({ ...b.deliveries[10] ?? assert.fail(), tMs: last + 1, askedMs: last + 0.5 });
    b.commits = [];
    const comparison = compare(judge(a), judge(b));
    assert.equal(comparison.figures.find(({ name }) => name === 'consume.backwards')?.a, undefined);
    assert.deepEqual([comparison.worse.includes('verdict'), comparison.moreDamage, exitCodeOfComparison(comparison)], [false, ['consume.backwards'], 3]);
  });

  it('takes more records of which no client heard, and more that a client sent again, for neither better nor worse', () => {
    const a = judge(passingRun());
    assert.ok(a.log);
    const b = { ...a, log: { ...a.log, unackedPresent: 5, duplicates: { ...a.log.duplicates, clientRetry: 3 } } };
    const { figures, worse } = compare(a, b);
    assert.deepEqual(['log.unackedPresent', 'log.duplicates.clientRetry'].map((name) => figures.find((figure) => figure.name === name)?.difference), [5, 3]);
    assert.deepEqual(worse, []);
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

  it('shows a share as none or all only where it is', () => {
    const report = judge(passingRun());
    const shares = (name: string, during: number): typeof report => ({ ...report, regions: [{ name, during }] });
    assert.match(renderComparison(compare(shares('west', 0.999_999), shares('west', 1))), /regions\.west\.during +> 99\.9 % +100\.0 %/);
    assert.match(renderComparison(compare(shares('east', 0), shares('east', 0.000_001))), /regions\.east\.during +0\.0 % +< 0\.1 %/);
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

  for (const [verdict, unclear] of [['inconclusive', ({ run }: Stored) => { delete run.marks.tookHoldMs; }], ['aborted', ({ run }: Stored) => { run.ending = { kind: 'aborted', reason: 'another drill has the stack' }; }]] as const) {
    for (const [earlier, before] of [['passed', () => undefined], ['failed', slower]] as const) {
      it(`is no answer where the earlier drill ${earlier} and the later one is ${verdict}`, async () => {
        const [a, b] = [await store('a', before), await store('b', unclear)];
        await judgeDirectory(a);
        assert.equal((await judgeDirectory(b)).verdict, verdict);
        const { code, stdout } = await kbf('report', '--compare', a, b);
        assert.equal(code, 4, stdout);
        assert.match(stdout, verdict === 'aborted' ? /The later drill answers nothing, .*: another drill has the stack\. Run it again\./ : /The later drill answers nothing, .*fault was seen from outside: no, wanted yes\. Run it again\./);
        assert.doesNotMatch(stdout, /Nothing got worse|verdict .*WORSE/);
      });
    }
  }

  for (const [which, before, after] of [['earlier', 'inconclusive', 'pass'], ['later', 'pass', 'inconclusive']] as const) {
    it(`takes higher figures for no worse where the ${which} drill answers nothing`, () => {
      const stored = passingRun();
      slower(stored);
      const waited = { name: 'condition.connectionWaitP50Ms', limit: '<= 100', measured: 150, met: false };
      const of = (report: Report, verdict: Report['verdict']): Report => ({ ...report, verdict, objectives: verdict === 'pass' ? [] : [waited] });
      const comparison = compare(of(judge(passingRun()), before), of(judge(stored), after));
      const text = renderComparison(comparison);
      assert.match(text, new RegExp(`The ${which} drill answers nothing, .*: 150 ms, wanted ≤ 100 ms\\. Run it again\\.\\n {2}Figures that are higher, of which nothing follows: produce\\.unknown, `));
      assert.match(text, /produce\.unknown +0 +1 +\+1 +HIGHER\n/);
      assert.doesNotMatch(text, /Got worse|Nothing got worse|WORSE/);
      assert.equal(exitCodeOfComparison(comparison), which === 'later' ? 4 : 0);
    });
  }

  it('takes a worse verdict and more damage for worse also where the earlier drill answers nothing', () => {
    const stored = passingRun();
    losing(3)(stored);
    slower(stored);
    const text = renderComparison(compare({ ...judge(passingRun()), verdict: 'inconclusive' }, judge(stored)));
    assert.match(text, /\n {2}Got worse: verdict, log\.ackedLost, log\.offsetMismatch\n {2}Figures that are higher, of which nothing follows: produce\.unknown, /);
  });

  it('is of single runs: a series is refused with what to name instead', async () => {
    writeFileSync(join(root, 'repeat.json'), '{}');
    for (const argv of [['--compare', root, root], [root]]) {
      const { code, stderr } = await kbf('report', ...argv);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /holds a series of drills, each in a directory of its own\n[^]*such as \S+\/run-001/);
    }
  });

  it('is no answer where nobody looked whether the later drill damaged data, though it broke the same objectives', async () => {
    const unread = ({ attempts, log, run }: Stored): void => {
      slower({ attempts, log, run, deliveries: [] });
      run.ending = { kind: 'aborted', reason: 'no region served a request for 10 s' };
      run.logRead = false;
      log.length = 0;
    };
    const [a, b] = [await store('a', slower), await store('b', unread)];
    await judgeDirectory(a);
    assert.equal((await judgeDirectory(b)).verdict, 'aborted');
    const { code, stdout } = await kbf('report', '--compare', a, b);
    assert.equal(code, 4, stdout);
    assert.match(stdout, /The later drill answers nothing, so that nobody knows what got worse: its log was not read, so that nobody looked for damage to data\. Run it again\./);
    assert.doesNotMatch(stdout, /Nothing got worse/);
  });

  it('names the damage of which the later drill tells nothing, where its log was read', () => {
    const [a, b] = [judge(passingRun()), judge(passingRun())];
    assert.ok(b.consume && b.log);
    const { commitsLost, ...consume } = b.consume;
    assert.equal(commitsLost, 0);
    const comparison = compare(a, { ...b, consume });
    assert.deepEqual([comparison.noAnswer, exitCodeOfComparison(comparison)], ['consume.commitsLost was not measured.', 4]);
    // Copies that no proxy speaks of are unexplained.
    const { duplicates } = b.log;
    assert.equal(compare({ ...a, log: { ...b.log, duplicates: { ...duplicates, proxyRetry: 0 } } }, b).noAnswer, undefined);
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
