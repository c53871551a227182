import assert from 'node:assert/strict';
import { judgeProduce } from '../../automation/drill/outcome.ts';
import { judge } from '../../automation/drill/report.ts';
import type { Stored } from '../../automation/drill/report.ts';
import { passingRun } from '../fixtures/passing-run.ts';
import { mustFitSchema, fitsSchema, verdictOf } from '../fixtures/verdict.ts';

describe('the report', () => {
  it('fits its schema and says what was measured', () => {
    const report = judge(passingRun());
    mustFitSchema(report);
    const { produce, consume, log, regions, fault, timeline, verdict } = report;
    assert.equal(verdict, 'pass');
    assert.deepEqual(produce, { attempts: 3000, sent: 3000, ok: 3000, failed: 0, unknown: 0, blackoutMs: 10, latencyMs: { p50: 4, p99: 4, max: 4 }, errors: [] });
    assert.deepEqual(consume, { delivered: 3000, redelivered: 0, redeliveredAfterCommit: 0, commitsLost: 0, backwards: 0, backwardsInPoll: 0, skipped: 0, undelivered: 0, blackoutMs: 60, recreated: 1, notRecreated: 0 });
    assert.deepEqual(log, { ackedLost: 0, offsetMismatch: 0, phantom: 0, reordered: 0, unackedPresent: 0, duplicates: { clientRetry: 0, unexplained: 0 } });
    assert.deepEqual(regions.map(({ name, before, during }) => ({ name, before, during })), [{ name: 'east', before: 0.5, during: 0 }, { name: 'west', before: 0.5, during: 1 }]);
    assert.deepEqual(fault, { name: 'bridge-scale-0', region: 'east', tookHold: true, injectedMs: 11_000, tookHoldMs: 11_200, healedMs: 21_000, recoveredMs: 22_500 });
    assert.equal(timeline.reduce((sum, { ok }) => sum + ok, 0), 3000);
    assert.ok(!('predicted' in report));
  });

  it('is the same whenever the same run is judged', () => {
    assert.deepEqual(judge(passingRun()), judge(passingRun()));
  });

  it('leaves out what was not measured, and is then inconclusive', () => {
    const stored = passingRun();
    stored.run.marks = { loadMs: 1000, loadEndMs: 31_000 };
    stored.run.logRead = false;
    stored.run.ending = { kind: 'inconclusive', reason: 'Kafka went away' };
    const report = judge(stored);
    mustFitSchema(report);
    assert.equal(report.verdict, 'inconclusive');
    assert.ok(!('log' in report) && !('consume' in report) && !('blackoutMs' in report.produce));
    assert.deepEqual(report.regions.map((region) => Object.keys(region)), [['name', 'before'], ['name', 'before']]);
    assert.equal(report.objectives.find(({ name }) => name === 'condition.carriedOut')?.measured, 'Kafka went away');
  });

  it('checks the probes\' records too, but leaves them out of the figures', () => {
    const stored = passingRun();
    stored.attempts.push({ producer: 'probe', seq: 0, attempt: 0, key: 'k0', intendedMs: 5, issuedMs: 5, sentMs: 5, endMs: 900, outcome: 'ok', class: 'ok', partition: 0, offset: 9999, region: 'east' });
    const report = judge(stored);
    assert.equal(report.produce.sent, 3000);
    assert.equal(report.log?.ackedLost, 1);
  });

  it('says which fields do not belong, so that a misspelt one cannot pass', () => {
    assert.ok(!fitsSchema({ ...judge(passingRun()), verdicts: 'pass' }));
    assert.ok(!fitsSchema({ ...judge(passingRun()), verdict: 'perhaps' }));
  });
});

describe('the verdict', () => {
  it('is fail when an acknowledged record is lost', () => {
    assert.deepEqual(verdictOf(({ log, deliveries }) => { log.pop(); deliveries.pop(); }), { verdict: 'fail', missed: ['log.ackedLost'] });
  });

  it('is fail for damaged data even when the drill itself went wrong', () => {
    assert.deepEqual(verdictOf(({ log, run }) => { log.shift(); delete run.marks.tookHoldMs; }).verdict, 'fail');
  });

  it('is fail when a proxy wrote a record twice, also where it says so', () => {
    const { verdict, missed } = verdictOf(({ attempts, log }) => {
      const last = log.findLast(({ partition }) => partition === 5) ?? assert.fail('nothing in partition 5');
      log.push({ ...last, offset: last.offset + 1 });
      for (const attempt of attempts) attempt.proxyAttempts = attempt.seq === last.id?.seq ? 2 : 1;
    });
    assert.equal(verdict, 'fail');
    assert.ok(missed.includes('log.duplicates.proxyRetry') && !missed.includes('log.duplicates.unexplained'), missed.join(' '));
  });

  it('is fail when the faulted region served during the fault', () => {
    const { verdict, missed } = verdictOf(({ attempts }) => { Object.assign(attempts[1500] ?? {}, { region: 'east' }); });
    assert.deepEqual({ verdict, missed }, { verdict: 'fail', missed: ['regions.east.during'] });
  });

  it('is fail, not inconclusive, when nobody served during the fault', () => {
    const { verdict, missed } = verdictOf(({ attempts, log, deliveries }) => {
      const lost = new Set(attempts.filter(({ sentMs = 0 }) => sentMs >= 11_200 && sentMs < 21_000).map((attempt) => {
        Object.assign(attempt, { outcome: 'failed', class: 'no-healthy-upstream' });
        return attempt.seq;
      }));
      log.splice(0, Infinity, ...log.filter(({ id }) => !lost.has(id?.seq ?? -1)));
      deliveries.splice(0, Infinity, ...deliveries.filter(({ id }) => !lost.has(id?.seq ?? -1)));
    });
    assert.deepEqual({ verdict, missed }, { verdict: 'fail', missed: ['produce.failed', 'regions.west.during'] });
  });

  it('is fail when a region did not serve before or after', () => {
    const { verdict, missed } = verdictOf(({ attempts }) => { for (const attempt of attempts) attempt.region = 'west'; });
    assert.deepEqual({ verdict, missed }, { verdict: 'fail', missed: ['regions.east.before', 'regions.east.after'] });
  });

  it('is fail when the region never came back', () => {
    const { verdict, missed } = verdictOf(({ attempts, run }) => {
      delete run.marks.recoveredMs;
      for (const attempt of attempts) if (attempt.intendedMs > 12_000) attempt.region = 'west';
    });
    assert.deepEqual({ verdict, missed }, { verdict: 'fail', missed: ['condition.recovered', 'regions.east.after'] });
  });

  it('is fail when consumers skipped a record', () => {
    assert.deepEqual(verdictOf(({ deliveries }) => { deliveries.splice(100, 1); }), { verdict: 'fail', missed: ['consume.skipped'] });
  });

  it('is fail when consumers did not come to the end of the log', () => {
    assert.deepEqual(verdictOf(({ deliveries }) => { deliveries.pop(); }), { verdict: 'fail', missed: ['consume.undelivered'] });
  });

  for (const [outcome, name] of [['failed', 'no-healthy-upstream'], ['unknown', 'timeout']] as const) {
    it(`is fail with a single ${outcome} request`, () => {
      const { verdict, missed } = verdictOf(({ attempts, log, deliveries }) => {
        Object.assign(attempts.at(-1) ?? {}, { outcome, class: name, offset: undefined, partition: undefined });
        log.pop();
        deliveries.pop();
      });
      assert.deepEqual({ verdict, missed }, { verdict: 'fail', missed: [`produce.${outcome}`] });
    });
  }

  it('is inconclusive when the fault never took hold', () => {
    const { verdict, missed } = verdictOf(({ run }) => { delete run.marks.tookHoldMs; });
    assert.equal(verdict, 'inconclusive');
    assert.ok(missed.includes('condition.faultTookHold'));
  });

  it('is inconclusive when records were never handed over, wherever they are missing', () => {
    const without = (isAbsent: (seq: number) => boolean) => verdictOf((stored) => {
      for (const name of ['attempts', 'log', 'deliveries'] as const) stored[name] = stored[name].filter((line) => !isAbsent('seq' in line ? line.seq : line.id?.seq ?? 0)) as never;
    });
    assert.deepEqual(without((seq) => seq >= 1500 && seq < 1510), { verdict: 'inconclusive', missed: ['condition.notHandedOver'] });
    assert.deepEqual(without((seq) => seq % 4 > 1), { verdict: 'inconclusive', missed: ['condition.notHandedOver'] });
    assert.deepEqual(without((seq) => seq >= 2980), { verdict: 'inconclusive', missed: ['condition.notHandedOver'] });
    // They fell due in the last 100 ms.
    assert.deepEqual(without((seq) => seq >= 2992), { verdict: 'pass', missed: [] });
  });

  it('is inconclusive when the generator fell behind', () => {
    const { verdict, missed } = verdictOf(({ attempts }) => {
      // 101 ms late for a second, then catching up: what is due later is never handed over before.
      for (const attempt of attempts) attempt.issuedMs = attempt.sentMs = attempt.intendedMs + Math.min(101, Math.max(0, 1091 - attempt.seq * 10));
      for (const attempt of attempts) attempt.endMs = (attempt.sentMs ?? 0) + 4;
    });
    assert.deepEqual({ verdict, missed }, { verdict: 'inconclusive', missed: ['condition.generatorLatenessP99Ms'] });
  });

  /** Requests that are due from `fromMs` on wait so long for a connection. */
  const waiting = (fromMs: number, toMs: number, waitMs: number) => ({ attempts }: Stored): void => {
    for (const attempt of attempts.filter(({ intendedMs }) => intendedMs >= fromMs && intendedMs < toMs)) {
      Object.assign(attempt, { sentMs: attempt.issuedMs + waitMs, endMs: attempt.issuedMs + waitMs + 4 });
    }
  };

  it('is inconclusive, whatever came of the records, when connections were saturated before the fault', () => {
    const { verdict, missed } = verdictOf((stored) => {
      waiting(6000, 11_000, 101)(stored);
      Object.assign(stored.attempts.at(-1) ?? {}, { outcome: 'unknown', class: 'timeout', offset: undefined, partition: undefined });
    });
    assert.deepEqual({ verdict, missed }, { verdict: 'inconclusive', missed: ['condition.connectionWaitP50Ms', 'produce.unknown'] });
  });

  it('is inconclusive when no request got a connection before the fault any more', () => {
    const { verdict, missed } = verdictOf(({ attempts, log, deliveries }) => {
      const lost = new Set(attempts.filter(({ intendedMs }) => intendedMs >= 6000 && intendedMs < 11_000).map((attempt) => {
        Object.assign(attempt, { outcome: 'failed', class: 'unsent-timeout', sentMs: undefined, endMs: attempt.issuedMs + 10_000 });
        return attempt.seq;
      }));
      for (const lines of [log, deliveries]) lines.splice(0, Infinity, ...lines.filter(({ id }) => !lost.has(id?.seq ?? -1)) as never[]);
    });
    assert.equal(verdict, 'inconclusive');
    assert.ok(missed.includes('condition.connectionWaitP50Ms'));
  });

  it('is inconclusive when a machine had no port left for what it was to send, a worker\'s too, and when its client sent it again', () => {
    const without = (code: string, change: (stored: Stored) => void = () => undefined): ReturnType<typeof verdictOf> => verdictOf((stored) => {
      const unsent = stored.attempts.filter(({ seq }) => seq >= 2600 && seq % 100 === 0);
      for (const each of unsent) Object.assign(each, judgeProduce({ issuedMs: 0, endMs: 1, headers: {}, body: '', error: { code, message: code } }), { sentMs: undefined, partition: undefined, offset: undefined, region: undefined });
      stored.log = stored.log.filter(({ id }) => !unsent.some(({ seq }) => seq === id?.seq));
      stored.deliveries = stored.deliveries.filter(({ id }) => !unsent.some(({ seq }) => seq === id?.seq));
      stored.run.committed = {};
      change(stored);
    });
    for (const code of ['EADDRNOTAVAIL', 'EMFILE', 'ENFILE', 'ENOBUFS']) assert.deepEqual(without(code), { verdict: 'inconclusive', missed: ['condition.ownSockets', 'produce.failed'] }, code);
    assert.deepEqual(without('ECONNREFUSED'), { verdict: 'fail', missed: ['produce.failed'] });
    const { log, deliveries, attempts } = passingRun();
    assert.deepEqual(without('EADDRNOTAVAIL', (stored) => {
      stored.attempts.push(...attempts.filter(({ seq }) => seq >= 2600 && seq % 100 === 0).map((each) => ({ ...each, attempt: 1, issuedMs: each.issuedMs + 25, sentMs: each.issuedMs + 25, endMs: each.endMs + 25 })));
      Object.assign(stored, { log, deliveries });
    }), { verdict: 'inconclusive', missed: ['condition.ownSockets'] });
    const { missed } = verdictOf(({ run, attempts: [first = assert.fail(), ...others] }) => {
      run.plan.load.workers = 1;
      for (const each of others) each.producer = 'w0';
      Object.assign(first, { producer: 'w0', outcome: 'failed', class: 'unsent-emfile', sentMs: undefined });
    });
    assert.ok(missed.includes('condition.ownSockets'), missed.join(' '));
  });

  it('bears a queue while connections are new, a stall before the fault, and any queue under it', () => {
    for (const [fromMs, toMs] of [[1000, 6000], [6000, 8400], [11_300, 21_000]] as const) assert.deepEqual(verdictOf(waiting(fromMs, toMs, 300)).missed, []);
  });

  /** Consumers that are given every record so long after it was acknowledged, and nothing any more after `untilMs`. */
  const slow = (lateMs: number, untilMs = Infinity) => ({ run, deliveries }: Stored): void => {
    run.committed = {};
    for (const delivery of deliveries) delivery.tMs += lateMs;
    deliveries.splice(0, Infinity, ...deliveries.filter(({ tMs }) => tMs < untilMs));
  };

  it('is inconclusive when consumers were behind before the fault, whatever they did not reach', () => {
    const { verdict, missed } = verdictOf(slow(2500, 30_000));
    assert.equal(verdict, 'inconclusive');
    assert.deepEqual(missed, ['condition.consumersBehindMs', 'consume.undelivered']);
  });

  it('is so also where they were given records whose answers never came, or copies of what they had', () => {
    for (const producer of ['warm-up', 'p0']) {
      const { missed } = verdictOf((stored) => {
        slow(2500)(stored);
        // Of the warm-up they are records of their own, of p0 another try of the first 300.
        for (const { seq, key, ...attempt } of stored.attempts.slice(0, 300)) {
          const [id, place] = [{ run: 'x', producer, seq }, { partition: seq % 6, offset: 500 + Math.floor(seq / 6) }];
          stored.attempts.push({ producer, seq, attempt: producer === 'p0' ? 1 : 0, key, intendedMs: attempt.intendedMs, issuedMs: attempt.issuedMs, sentMs: attempt.issuedMs, endMs: attempt.issuedMs + 100, outcome: 'unknown', class: 'timeout' });
          stored.log.push({ ...place, key, id });
          stored.deliveries.push({ consumer: 1, instance: 'c1', tMs: 9000 + seq, ...place, id });
        }
      });
      assert.ok(missed.includes('condition.consumersBehindMs'), `${producer}: ${missed.join(' ')}`);
    }
  });

  it('bears consumers that are a little late, and fails those that fall behind under the fault', () => {
    assert.deepEqual(verdictOf(slow(1500)), { verdict: 'pass', missed: [] });
    assert.deepEqual(verdictOf(slow(0, 12_000)), { verdict: 'fail', missed: ['consume.undelivered'] });
  });

  it('is inconclusive with too few requests in a phase', () => {
    const { verdict, missed } = verdictOf(({ run }) => { run.marks.tookHoldMs = 20_950; });
    assert.deepEqual({ verdict, missed }, { verdict: 'inconclusive', missed: ['condition.samples.during'] });
  });

  it('is fail when all that was due waited until the fault was over', () => {
    const { verdict, missed } = verdictOf(({ attempts, run }) => {
      const { tookHoldMs = 0, healMs = 0 } = run.marks;
      for (const attempt of attempts) if (attempt.endMs > tookHoldMs && attempt.endMs <= healMs) attempt.endMs = healMs + 100;
    });
    assert.deepEqual({ verdict, missed }, { verdict: 'fail', missed: ['regions.west.during'] });
  });

  it('is no matter of too few requests when those that were due waited until the fault was over', () => {
    const { missed } = verdictOf(({ attempts, run }) => {
      const { tookHoldMs = 0, healMs = 0 } = run.marks;
      for (const attempt of attempts) if (attempt.endMs > tookHoldMs + 20 && attempt.endMs <= healMs) attempt.endMs = healMs + 100;
    });
    assert.ok(!missed.includes('condition.samples.during'), missed.join(' '));
    assert.ok(!missed.includes('regions.west.during'), missed.join(' '));
  });

  it('is aborted when the drill was interrupted', () => {
    assert.equal(verdictOf(({ run }) => { run.ending = { kind: 'aborted', reason: 'SIGINT' }; }).verdict, 'aborted');
  });
});

describe('objectives that a person asks for', () => {
  const asked = (...objectives: string[]): ReturnType<typeof judge> => {
    const stored = passingRun();
    stored.run.plan.objectives = objectives;
    Object.assign(stored.attempts[1200] ?? {}, { outcome: 'failed', class: 'refused' });
    stored.log.splice(1200, 1);
    stored.deliveries.splice(1200, 1);
    const report = judge(stored);
    mustFitSchema(report);
    return report;
  };

  it('stand beside the drill\'s own', () => {
    const { objectives, verdict } = asked('produce.blackoutMs<=15', 'regions.west.during=100%');
    assert.deepEqual(objectives.filter((objective) => objective.asked), [
      { name: 'produce.blackoutMs', limit: '<= 15 ms', measured: 20, met: false, asked: true }, { name: 'regions.west.during', limit: '= 100 %', measured: 979 / 980, met: false, asked: true },
    ]);
    assert.equal(objectives.find(({ name }) => name === 'produce.failed')?.met, false);
    assert.equal(verdict, 'fail');
  });

  it('stand instead of the drill\'s own of that name', () => {
    const { objectives, verdict } = asked('produce.failed<=0.1%', 'produce.blackoutMs<=60s', 'consume.blackoutMs<=60s');
    assert.deepEqual(objectives.filter(({ name }) => name === 'produce.failed'), [{ name: 'produce.failed', limit: '<= 0.1 % of those sent', measured: 1, met: true, asked: true }]);
    assert.equal(verdict, 'pass');
  });

  it('leave the drill inconclusive when they could not be measured', () => {
    assert.equal(asked('produce.failed<=1', 'log.duplicates.proxyRetry=0').verdict, 'inconclusive');
  });
});

describe('evidence and advice', () => {
  it('name the records and what to change', () => {
    const stored = passingRun();
    Object.assign(stored.attempts[1200] ?? {}, { outcome: 'unknown', class: 'timeout' });
    stored.log.splice(5, 1);
    stored.deliveries.splice(5, 1);
    const { evidence, advice } = judge(stored);
    assert.deepEqual(evidence?.['produce.unknown'], ['p0/1200 at 13000 ms: timeout']);
    assert.deepEqual(evidence?.['log.ackedLost'], ['p0/5, answered partition 5 offset 0']);
    assert.match(advice?.[0] ?? '', /acks=all/);
    assert.match(advice?.[1] ?? '', /bridge\.timeouts\.perTryMs/);
    assert.deepEqual(judge(passingRun()).advice, []);
  });

  it('say that times cannot be told when the clock went back', () => {
    const { verdict, missed } = verdictOf(({ attempts }) => {
      for (const attempt of attempts.slice(2900)) Object.assign(attempt, { issuedMs: attempt.issuedMs - 5000, sentMs: (attempt.sentMs ?? 0) - 5000, endMs: attempt.endMs - 5000 });
    });
    assert.equal(verdict, 'inconclusive');
    assert.ok(missed.includes('condition.clock') && missed.includes('log.reordered'));
  });

  it('say so of a record that was given before it was sent, unless the clock of its worker may be as far off', () => {
    const early = (change: (stored: Stored) => void = () => undefined): string[] => verdictOf((stored) => {
      const [delivery] = stored.deliveries.splice(1500, 1);
      stored.deliveries.unshift({ ...delivery ?? assert.fail(), tMs: 1001 });
      change(stored);
    }).missed;
    assert.ok(early().includes('condition.clock'));
    const byWorkers = (clocksMs?: number) => ({ run }: Stored): void => {
      run.plan.load.workers = 1;
      if (clocksMs !== undefined) run.workerClocksMs = clocksMs;
    };
    assert.deepEqual([byWorkers(14_000), byWorkers(16_000), byWorkers()].map((change) => early(change).includes('condition.clock')), [true, false, false]);
  });
});
