import assert from 'node:assert/strict';
import { judge } from '../../automation/drill/report.ts';
import { renderTable } from '../../automation/drill/table.ts';
import { passingRun } from '../fixtures/passing-run.ts';

describe('the table', () => {
  it('shows verdict, counts, shares and what was missed', () => {
    const stored = passingRun();
    stored.log.pop();
    stored.deliveries.pop();
    const text = renderTable(judge(stored));
    assert.match(text, /^bridge-scale-0 of east \(dev\), 100 records\/s: FAIL\n/);
    assert.match(text, /sent 3000 {3}ok 3000 {3}failed 0 {3}unknown 0/);
    assert.match(text, /acknowledged and lost 1/);
    assert.match(text, /east +50 % +0 % +\d+ %/);
    assert.match(text, /NOT MET {2}log\.ackedLost: wanted = 0, measured 1/);
    assert.ok(text.endsWith('\n'));
  });

  it('says first by what a drill failed, and of one that answers nothing why not', () => {
    const waited = { name: 'condition.connectionWaitP50Ms', limit: '<= 100', measured: 150, met: false };
    const objectives = [waited, { name: 'log.ackedLost', limit: '= 0', measured: 7, met: false }];
    const order = (verdict: 'fail' | 'inconclusive'): string[] | null => renderTable({ ...judge(passingRun()), verdict, objectives }).match(/(?<=NOT MET {2})[^:]*/g);
    assert.deepEqual([order('fail'), order('inconclusive')], [['log.ackedLost', 'condition.connectionWaitP50Ms'], ['condition.connectionWaitP50Ms', 'log.ackedLost']]);
  });

  it('names every fault of a plan, which one a missed objective is of, and around which one shares are', () => {
    const report = judge(passingRun());
    const steps = [{ kind: 'do', fault: 'bridge-kill', region: 'east' }, { kind: 'do', fault: 'gateway-black-hole', region: 'west' }] as const;
    const text = renderTable({ ...report, plan: { ...report.plan, steps: [...steps] }, objectives: [{ name: 'regions.west.during.2', limit: '= 0', measured: 0.81, met: false }] });
    assert.match(text, /^bridge-kill of east, then gateway-black-hole of west \(dev\), 100 records\/s: PASS\n/);
    assert.match(text, /NOT MET {2}regions\.west\.during\.2, fault 2 \(gateway-black-hole of west\): wanted = 0, measured 81 %\n/);
    assert.match(text, /served by +before +during +after {3}around fault 1 \(bridge-kill of east\)\n/);
    assert.doesNotMatch(renderTable(report), /around|fault 1/);
  });

  it('says why a drill of saturated connections answers nothing, and what to do', () => {
    const stored = passingRun();
    for (const attempt of stored.attempts) Object.assign(attempt, { sentMs: attempt.issuedMs + 1000, endMs: attempt.issuedMs + 1004 });
    const report = judge(stored);
    assert.match(renderTable(report), /: INCONCLUSIVE\n[^]*NOT MET {2}condition\.connectionWaitP50Ms: wanted <= 100, measured 1000\n +already before the fault .* 4 connections, .* 100 records\/s .* give a lower rate/);
  });

  it('rounds what was measured, yet not to the limit that it missed, and no share to none or all that is neither', () => {
    const report = judge(passingRun());
    const objectives = [['produce.blackoutMs', '<= 150 ms', 150.300_999_999_999_48], ['produce.latencyMs.max', '<= 150 ms', 3612.123_456], ['regions.west.during', '>= 99 %', 0.988_775], ['regions.east.during', '= 0', 0.000_001]] as const;
    const text = renderTable({
      ...report, objectives: objectives.map(([name, limit, measured]) => ({ name, limit, measured, met: false })), regions: [{ name: 'east', before: 0.5, during: 0.000_001, after: 0.9996 }],
    });
    assert.deepEqual(text.match(/(?<=NOT MET {2}).*/g), [
      'produce.blackoutMs: wanted <= 150 ms, measured 150.3', 'produce.latencyMs.max: wanted <= 150 ms, measured 3612.1', 'regions.west.during: wanted >= 99 %, measured 98.9 %', 'regions.east.during: wanted = 0, measured 0.0001 %',
    ]);
    assert.match(text, /east +50 % +< 0\.1 % +> 99\.9 %\n/);
  });

  it('shows the predicted gap beside the measured one, and of the advice the first line, unless all is well', () => {
    const report = { ...judge(passingRun()), predicted: { produceBlackoutMs: 2000, terms: [], why: 'x' }, advice: ['Let it go sooner.', 'And sooner still.'] };
    assert.match(renderTable({ ...report, verdict: 'fail' }), /longest gap 10 ms \(predicted <= 2000 ms\)\n[^]*\n\n {2}to change: Let it go sooner\. \(1 more in the report\)\n$/);
    assert.doesNotMatch(renderTable(report), /to change/);
  });

  it('leaves out what a clock that went back leaves undecided', () => {
    const stored = passingRun();
    Object.assign(stored.attempts[100] ?? {}, { endMs: 1 });
    const text = renderTable(judge(stored));
    assert.match(text, /phantom 0 {3}duplicates 0/);
    assert.doesNotMatch(text, /undefined/);
  });

  it('shows a dash for a share that was not measured', () => {
    const stored = passingRun();
    stored.run.marks = {};
    assert.match(renderTable(judge(stored)), /east +- +- +-/);
  });
});
