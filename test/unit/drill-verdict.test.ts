import assert from 'node:assert/strict';
import type { Attempt } from '../../automation/drill/records.ts';
import { judge } from '../../automation/drill/report.ts';
import type { Stored } from '../../automation/drill/report.ts';
import { passingRun } from '../fixtures/passing-run.ts';
import { verdictOf } from '../fixtures/verdict.ts';

/** Requests so many from `from` on end so, and their records are not written. */
function lose({ attempts, log, deliveries }: Stored, from: number, count: number, outcome: 'failed' | 'unknown'): void {
  const lost = new Set(attempts.slice(from, from + count).map((attempt) => {
    Object.assign(attempt, { outcome, class: 'reset', partition: undefined, offset: undefined });
    return attempt.seq;
  }));
  for (const lines of [log, deliveries]) lines.splice(0, Infinity, ...lines.filter(({ id }) => !lost.has(id?.seq ?? -1)) as never[]);
}

function dropLast({ log, deliveries }: Stored): void {
  log.pop();
  deliveries.pop();
}

describe('damage to data', () => {
  it('fails a drill also where a person asked for less', () => {
    const { verdict, missed } = verdictOf((stored) => {
      stored.run.plan.objectives = ['log.ackedLost<=5', 'consume.skipped<=5'];
      dropLast(stored);
    });
    assert.deepEqual({ verdict, missed }, { verdict: 'fail', missed: ['log.ackedLost'] });
  });

  it('fails a drill also where it was ended early', () => {
    const { verdict, missed } = verdictOf((stored) => {
      stored.run.ending = { kind: 'aborted', reason: 'more than half of the requests failed' };
      dropLast(stored);
    });
    assert.deepEqual({ verdict, missed }, { verdict: 'fail', missed: ['condition.carriedOut', 'log.ackedLost'] });
  });

  it('is no record that came when an interrupted drill had stopped to listen', () => {
    const late = ({ attempts, deliveries, log }: Stored): void => {
      // Its request was not told of; another's record was given after the log had been read.
      attempts.splice(2999, 1);
      deliveries.push({ consumer: 0, instance: 'c', tMs: 40_000, partition: 5, offset: 777, id: { run: 'x', producer: 'p0', seq: 2998 } });
      assert.equal(log.length, 3000);
    };
    assert.equal(verdictOf(late).verdict, 'fail');
    assert.equal(verdictOf((stored) => {
      late(stored);
      stored.run.ending = { kind: 'aborted', reason: 'SIGINT' };
    }).verdict, 'aborted');
  });

  it('is a log whose keys are gone', () => {
    assert.deepEqual(verdictOf(({ log }) => { for (const record of log) delete record.key; }), { verdict: 'fail', missed: ['log.phantom'] });
  });
});

describe('a step that expects something', () => {
  it('leaves the drill inconclusive where it could not be measured', () => {
    assert.deepEqual(verdictOf(({ run }) => {
      run.plan.steps.push({ kind: 'expect', objective: 'produce.latencyMs.p99<=100' });
      run.steps.push({ kind: 'expect', text: 'produce.latencyMs.p99<=100', startMs: 41_000, endMs: 43_000 });
    }), { verdict: 'inconclusive', missed: ['step.2'] });
  });
});

describe('a fault that was not seen to be over', () => {
  const never = ({ run }: Stored): void => {
    delete run.marks.recoveredMs;
    for (const fault of run.faults) delete fault.recoveredMs;
  };

  it('leaves the drill inconclusive, also where nobody would miss the region', () => {
    assert.deepEqual(verdictOf((stored) => {
      never(stored);
      Object.assign(stored.run.faults[0]?.expects['east'] ?? {}, { after: 'any' });
    }), { verdict: 'inconclusive', missed: ['condition.recovered'] });
  });

  it('is said of each fault of a plan', () => {
    const stored = passingRun();
    stored.run.faults.push({ fault: 'gateway-kill', region: 'west', target: 't', expects: {}, injectMs: 23_000, tookHoldMs: 23_100, healMs: 24_000 });
    const condition = judge(stored).objectives.find(({ name }) => name === 'condition.recovered');
    assert.match(condition?.why ?? '', /^gateway-kill of west was not seen to be over/);
  });

  it('is no question of a drill that was interrupted', () => {
    const { verdict, missed } = verdictOf((stored) => {
      never(stored);
      stored.run.ending = { kind: 'aborted', reason: 'SIGINT' };
    });
    assert.deepEqual({ verdict, missed }, { verdict: 'aborted', missed: ['condition.carriedOut'] });
  });
});

describe('what may be lost in flight', () => {
  const kill = ({ run }: Stored): void => { Object.assign(run.faults[0] ?? {}, { losesInFlight: true }); };

  it('is failed and unknown together', () => {
    const both = (unknown: number): ReturnType<typeof verdictOf> => verdictOf((stored) => {
      kill(stored);
      lose(stored, 1200, 3, 'failed');
      lose(stored, 1203, unknown, 'unknown');
    });
    assert.deepEqual(both(1), { verdict: 'pass', missed: [] });
    assert.deepEqual(both(2), { verdict: 'fail', missed: ['produce.unknown'] });
  });

  it('is of the faults that lose any', () => {
    assert.deepEqual(verdictOf((stored) => {
      kill(stored);
      stored.run.faults.push({ fault: 'istiod-down', region: 'east', target: 't', expects: {}, injectMs: 23_000, tookHoldMs: 23_100, healMs: 24_000, recoveredMs: 25_000 });
      lose(stored, 1200, 5, 'unknown');
    }), { verdict: 'fail', missed: ['produce.unknown'] });
  });

  it('was on a connection between the inject and what can be felt of it, by the settings in effect', () => {
    /** One is sent each 10 ms, the 1000th at the inject, the 1020th as it took hold; the bound is 10 + 4 + 5 + 250 + 500 ms, and half as much again. */
    const lostAt = (seq: number, more: Partial<Attempt> = {}): string[] => verdictOf((stored) => {
      kill(stored);
      stored.run.plan.fault = 'bridge-kill';
      Object.assign(stored.run.faults[0] ?? {}, { fault: 'bridge-kill' });
      stored.run.configuration = { 'east gateway → bridge': { connectTimeoutMs: 250, mergeWindowMs: 0, retryOn: 'connect-failure', retryAttempts: 2, retryBackoffMs: 5 } };
      lose(stored, seq, 1, 'failed');
      Object.assign(stored.attempts[seq] ?? {}, more);
    }).missed;
    assert.deepEqual([lostAt(998), lostAt(999, { endMs: 11_000 }), lostAt(1020), lostAt(1135), lostAt(1136)], [['produce.failed'], [], [], [], ['produce.failed']]);
    // Since before, and until long after.
    assert.deepEqual(lostAt(900, { endMs: 20_000 }), []);
    assert.deepEqual(lostAt(2500), ['produce.failed'], 'at a host that was let back in too early');
    assert.deepEqual(lostAt(1020, { sentMs: undefined }), ['produce.failed'], 'no connection had it');
  });

  it('is of each fault what it can have been', () => {
    const two = (first: number, second: number): string[] => verdictOf((stored) => {
      kill(stored);
      stored.run.faults.push({ fault: 'gateway-kill', region: 'east', target: 't', expects: {}, losesInFlight: true, injectMs: 25_000, tookHoldMs: 25_100, healMs: 26_000, recoveredMs: 27_000 });
      lose(stored, 1200, first, 'unknown');
      lose(stored, 2410, second, 'unknown');
    }).missed;
    assert.deepEqual([two(4, 4), two(3, 5), two(0, 8)], [[], ['produce.unknown'], ['produce.unknown']]);
  });

  for (const [retry, missed] of [['safe', ['produce.failed']], ['always', ['produce.failed', 'produce.unknown']]] as const) {
    it(`is nothing that a client sends again: ${retry}`, () => {
      assert.deepEqual(verdictOf((stored) => {
        kill(stored);
        stored.run.plan.load.retry = retry;
        lose(stored, 1200, 1, 'failed');
        lose(stored, 1201, 1, 'unknown');
      }), { verdict: 'fail', missed });
    });
  }
});

describe('a load that stood still', () => {
  /** Nothing is handed over, and no answer taken, for so long from `fromMs` on; then all of it at once. */
  const stall = ({ attempts }: Stored, fromMs: number, forMs: number): void => {
    const toMs = fromMs + forMs;
    for (const attempt of attempts) {
      if (attempt.intendedMs > fromMs && attempt.intendedMs < toMs) attempt.issuedMs = attempt.sentMs = toMs;
      if (attempt.endMs > fromMs && attempt.endMs < toMs + 4) attempt.endMs = Math.max(toMs, (attempt.sentMs ?? 0) + 4);
    }
  };
  /** Nothing is answered for so long. */
  const gap = ({ attempts }: Stored, fromMs: number, toMs: number): void => {
    for (const attempt of attempts) if (attempt.endMs > fromMs && attempt.endMs < toMs) attempt.endMs = toMs;
  };

  it('under the fault leaves the drill inconclusive, where the longest gap is its own', () => {
    assert.deepEqual(verdictOf((stored) => { stall(stored, 11_205, 280); }), { verdict: 'inconclusive', missed: ['condition.generatorLatenessInGapMs'] });
  });

  it('is borne before the fault, beside a longer gap, and within one that it does not change much', () => {
    assert.deepEqual(verdictOf((stored) => { stall(stored, 8005, 250); }).missed, []);
    assert.deepEqual(verdictOf((stored) => {
      gap(stored, 11_205, 11_605);
      stall(stored, 15_005, 250);
    }).missed, []);
    assert.deepEqual(verdictOf((stored) => {
      gap(stored, 11_205, 13_205);
      stall(stored, 12_005, 150);
    }).missed, []);
  });
});

describe('a plan of several faults', () => {
  /** West dies at 24 s, is healed at 27 s and back at 28 s; from 22.5 s until then both have served. */
  const second = ({ run, attempts }: Stored, served: 'east' | 'west'): void => {
    run.faults.push({
      fault: 'bridge-hang', region: 'west', target: 't', injectMs: 24_000, tookHoldMs: 24_200, healMs: 27_000, recoveredMs: 28_000,
      expects: { east: { before: 'serves', during: 'serves', after: 'serves' }, west: { before: 'serves', during: 'silent', after: 'serves' } },
    });
    for (const attempt of attempts) if (attempt.endMs > 24_200 && attempt.endMs <= 28_000) attempt.region = served;
  };

  it('is judged by who served under each of them', () => {
    assert.deepEqual(verdictOf((stored) => { second(stored, 'east'); }), { verdict: 'pass', missed: [] });
    assert.deepEqual(verdictOf((stored) => { second(stored, 'west'); }), { verdict: 'fail', missed: ['regions.east.during.2', 'regions.west.during.2'] });
  });

  it('is judged by who served after each of them', () => {
    assert.deepEqual(verdictOf((stored) => {
      second(stored, 'east');
      for (const attempt of stored.attempts) if (attempt.endMs > 28_000) attempt.region = 'east';
    }), { verdict: 'fail', missed: ['regions.west.after.2'] });
  });

  it('is inconclusive with too few requests under one of them', () => {
    assert.deepEqual(verdictOf((stored) => {
      second(stored, 'east');
      Object.assign(stored.run.faults[1] ?? {}, { tookHoldMs: 26_950 });
    }), { verdict: 'inconclusive', missed: ['condition.samples.during.2'] });
  });
});
