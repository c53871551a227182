import assert from 'node:assert/strict';
import type { AppliedConfiguration } from '../../automation/drill/plan.ts';
import type { Commit } from '../../automation/drill/records.ts';
import { judge } from '../../automation/drill/report.ts';
import type { Stored } from '../../automation/drill/report.ts';
import { passingRun } from '../fixtures/passing-run.ts';
import { verdictOf } from '../fixtures/verdict.ts';

/** Nothing that ended in the time is acknowledged. */
function withGap(fromMs: number, toMs: number): Stored {
  const stored = passingRun();
  for (const attempt of stored.attempts) if (attempt.endMs > fromMs && attempt.endMs < toMs) Object.assign(attempt, { outcome: 'unknown', class: 'timeout' });
  return stored;
}

describe('what is expected', () => {
  it('of a region follows from its fault', () => {
    const { verdict, missed } = verdictOf(({ run }) => { Object.assign(run.faults[0]?.expects['east'] ?? {}, { during: 'serves' }); });
    assert.deepEqual({ verdict, missed }, { verdict: 'fail', missed: ['regions.east.during'] });
    const report = judge({ ...passingRun(), run: { ...passingRun().run, faults: passingRun().run.faults.map((fault) => ({ ...fault, expects: { ...fault.expects, west: { before: 'any', during: 'any', after: 'any' } } })) } });
    assert.ok(!report.objectives.some(({ name }) => name.startsWith('regions.west')));
  });

  it('of a region that is to take over is nothing until the settings have it serve, and that leaves the drill inconclusive', () => {
    // A gateway gives its hosts as long as its health check takes, and a bridge without Kafka what waits for it until its delivery times out: 8.3 s.
    const hop = { connectTimeoutMs: 250, mergeWindowMs: 0, healthCheckIntervalMs: 250, healthCheckTimeoutMs: 750, healthCheckUnhealthyThreshold: 2, healthCheckPath: '/topics' };
    const idle = (healMs: number, configuration?: AppliedConfiguration): ReturnType<typeof verdictOf> => verdictOf(({ run, attempts }) => {
      Object.assign(run, { configuration });
      Object.assign(run.marks, { healMs });
      Object.assign(run.faults[0] ?? {}, { fault: 'bridge-cut-from-kafka', healMs });
      for (const attempt of attempts) if (attempt.endMs > 11_200 && attempt.endMs <= healMs) attempt.region = 'north';
    });
    const applied: AppliedConfiguration = { 'east gateway → bridge': hop, 'east bridge': { deliveryTimeoutMs: 8000 } };
    assert.deepEqual(idle(15_000, applied), { verdict: 'inconclusive', missed: ['condition.faultLasted'] });
    assert.deepEqual(idle(21_000, applied), { verdict: 'fail', missed: ['regions.west.during'] });
    // Nothing says how long it may take.
    assert.deepEqual(idle(15_000), { verdict: 'fail', missed: ['regions.west.during'] });
    assert.deepEqual(idle(15_000, { ...applied, 'east gateway → bridge': { ...hop, healthCheckPath: '/' } }), { verdict: 'fail', missed: ['regions.west.during'] });
  });

  const failing = (count: number) => ({ run, attempts, log, deliveries }: Stored): void => {
    Object.assign(run.faults[0] ?? {}, { losesInFlight: true });
    for (const attempt of attempts.slice(1200, 1200 + count)) Object.assign(attempt, { outcome: 'failed', class: 'reset', endMs: attempt.endMs + 60 });
    log.splice(1200, count);
    deliveries.splice(1200, count);
  };

  it('of requests in flight is no more than one on each connection', () => {
    assert.deepEqual(verdictOf(failing(4)), { verdict: 'pass', missed: [] });
    assert.deepEqual(verdictOf(failing(5)), { verdict: 'fail', missed: ['produce.failed'] });
  });

  it('by a step is judged by what was stored, not by what the drill took it for', () => {
    const expecting = (measured: number): ReturnType<typeof verdictOf> => verdictOf(({ run, attempts }) => {
      run.plan.steps.push({ kind: 'wait', seconds: 1 }, { kind: 'expect', objective: 'produce.latencyMs.max<=100' });
      run.steps.push({ kind: 'expect', text: 'produce.latencyMs.max<=100', startMs: 11_000, endMs: 12_000, met: measured <= 100, measured });
      const slow = attempts[1050];
      if (slow !== undefined) slow.endMs += 300;
    });
    assert.deepEqual(expecting(400), { verdict: 'fail', missed: ['step.3'] });
    assert.deepEqual(expecting(4), expecting(400));
  });

  it('of what follows on the recovery is the same: a gap then is a gap', () => {
    const { produce, verdict } = judge(withGap(24_000, 29_000));
    assert.deepEqual([produce.blackoutMs, verdict], [5010, 'fail']);
  });

  it('of consumers with partitions of their own is that none goes back', () => {
    const back = ({ run, deliveries }: Stored): void => {
      run.plan.consumers.mode = 'assign';
      deliveries.push({ ...deliveries[2000] ?? assert.fail(), tMs: 31_100 });
    };
    assert.deepEqual(verdictOf(back), { verdict: 'fail', missed: ['consume.backwards'] });
    assert.equal(verdictOf((stored) => {
      back(stored);
      stored.run.plan.consumers.mode = 'subscribe';
    }).verdict, 'pass');
  });

  it('of commits is that consumers can make them to the end, and what was answered otherwise', () => {
    const refused = (told: Record<number, string> | undefined, there: Record<number, number>) => ({ run }: Stored): void => {
      run.consumers = { recreated: 0, notRecreated: [], broken: [], ...(told === undefined ? {} : { notCommitted: told }) };
      run.committed = there;
    };
    const all = Object.fromEntries(Array.from({ length: 6 }, (_, partition) => [partition, '500 not authorized']));
    assert.deepEqual(verdictOf(refused(all, {})), { verdict: 'fail', missed: ['consume.uncommitted'] });
    assert.deepEqual(verdictOf(refused({ 2: '500 not authorized' }, { 2: 499 })), { verdict: 'fail', missed: ['consume.uncommitted'] });
    // Carried out all the same; tried by nobody, as who was given it was lost; and of runs whose consumers did not try to the end.
    for (const [told, there] of [[{ 2: '504' }, { 2: 500 }], [{}, {}], [undefined, {}]] as const) assert.deepEqual(verdictOf(refused(told, there)), { verdict: 'pass', missed: [] });
    const stored = passingRun();
    refused({ 2: '500 not authorized' }, { 2: 499 })(stored);
    const { consume, evidence, advice } = judge(stored);
    assert.equal(consume?.uncommitted, 1);
    assert.deepEqual(evidence?.['consume.uncommitted'], ['partition 2: consumers were given all below 500, and Kafka has 499 as committed; the last commit was answered 500 not authorized']);
    assert.match(advice?.join() ?? '', /could not be committed/);
    stored.run.ending = { kind: 'aborted', reason: 'no region served' };
    assert.equal(judge(stored).verdict, 'aborted');
  });

  it('of commits is that Kafka still has them at the end', () => {
    const answered = { consumer: 0, instance: 'c', tMs: 30_000, partition: 0, offset: 400 };
    const after = (...commits: Commit[]): ReturnType<typeof verdictOf> => verdictOf((stored) => {
      stored.run.committed = { 0: 300 };
      stored.commits = commits;
    });
    assert.deepEqual(after(answered), { verdict: 'fail', missed: ['consume.commitsLost'] });
    const unanswered = { ...answered, instance: 'before', tMs: 29_000, offset: 250, unanswered: true as const };
    assert.deepEqual(after(unanswered, answered), { verdict: 'fail', missed: ['consume.commitsLost'] });
    // Of consumers with partitions of their own it may have come to Kafka later than the other.
    assert.equal(verdictOf((stored) => {
      stored.run.plan.consumers.mode = 'assign';
      stored.run.committed = { 0: 300 };
      stored.commits = [unanswered, answered];
    }).verdict, 'pass');
  });

  it('by a partition that never gave its group anything is the whole time', () => {
    const stored = passingRun();
    stored.deliveries = stored.deliveries.filter(({ partition }) => partition !== 3);
    assert.equal(judge(stored).consume?.blackoutMs, 20_000);
  });

  it('of several faults is that each takes hold', () => {
    const { verdict, missed } = verdictOf(({ run }) => { run.faults.push({ fault: 'gateway-kill', region: 'west', target: 't', expects: {}, injectMs: 23_000, healMs: 24_000, recoveredMs: 25_000 }); });
    assert.deepEqual({ verdict, missed }, { verdict: 'inconclusive', missed: ['condition.faultTookHold'] });
  });
});
