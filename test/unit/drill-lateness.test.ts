import assert from 'node:assert/strict';
import { judge } from '../../automation/drill/report.ts';
import type { Stored } from '../../automation/drill/report.ts';
import { passingRun } from '../fixtures/passing-run.ts';
import { verdictOf } from '../fixtures/verdict.ts';

describe('a load that stood still', () => {
  /** Nothing is handed over, and no answer taken, for so long from `fromMs` on; then all of it at once. */
  const stall = ({ attempts, deliveries }: Stored, fromMs: number, forMs: number): void => {
    const toMs = fromMs + forMs;
    for (const delivery of deliveries) if (delivery.tMs > fromMs) delivery.tMs = Math.max(delivery.tMs, toMs + 10);
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

  it('within a longer gap leaves the drill inconclusive, where more than a tenth of that is its own', () => {
    assert.deepEqual(verdictOf((stored) => {
      gap(stored, 11_205, 13_205);
      stall(stored, 12_005, 250);
    }).missed, ['condition.generatorLatenessInGapMs']);
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

describe('a time that was missed', () => {
  /** All that was due in `forMs` from then on is handed over at its end, and answered then. */
  const stall = ({ attempts, deliveries }: Stored, fromMs: number, forMs: number): void => {
    for (const attempt of attempts) {
      if (attempt.intendedMs < fromMs || attempt.intendedMs >= fromMs + forMs) continue;
      attempt.issuedMs = attempt.sentMs = fromMs + forMs;
      attempt.endMs = attempt.issuedMs + 4;
    }
    for (const delivery of deliveries) if (delivery.tMs >= fromMs && delivery.tMs < fromMs + forMs + 10) delivery.tMs = fromMs + forMs + 10;
  };
  /** What was due then is handed over in time, and answered so much later. */
  const slow = ({ attempts }: Stored, dueMs: number, byMs: number): void => {
    const attempt = attempts.find(({ intendedMs }) => intendedMs === dueMs) ?? assert.fail();
    attempt.endMs += byMs;
  };
  const judged = (objective: string, change: (stored: Stored) => void): ReturnType<typeof verdictOf> => verdictOf((stored) => {
    stored.run.plan.objectives?.push(objective);
    change(stored);
  });
  /** Of a step from the fault at 11 s until 23 s. */
  const expecting = (objective: string, change: (stored: Stored) => void): ReturnType<typeof verdictOf> => verdictOf((stored) => {
    stored.run.plan.steps.push({ kind: 'expect', objective });
    stored.run.steps.push({ kind: 'expect', text: objective, startMs: 11_000, endMs: 23_000 });
    change(stored);
  });

  it('by the load\'s own stall anywhere leaves the drill inconclusive', () => {
    assert.deepEqual(judged('produce.latencyMs.max<=100ms', (stored) => { stall(stored, 4000, 280); }), { verdict: 'inconclusive', missed: ['condition.generatorLatenessMaxMs', 'produce.latencyMs.max'] });
    const stored = passingRun();
    stored.run.plan.objectives?.push('produce.latencyMs.max<=100ms');
    stall(stored, 4000, 280);
    const { objectives, advice = [] } = judge(stored);
    const { limit, measured, why = '' } = objectives.find(({ name }) => name === 'condition.generatorLatenessMaxMs') ?? assert.fail();
    assert.deepEqual([limit, measured], ['<= 100', 280]);
    assert.match(why, /^the load itself stood still/);
    assert.match(advice.join('\n'), /^The load was sent late/);
  });

  it('fails the drill where the load has no such part in it', () => {
    // 4000 ms is not the load's, of which 280 are less than a tenth.
    assert.deepEqual(judged('produce.latencyMs.max<=100ms', (stored) => {
      stall(stored, 4000, 280);
      slow(stored, 9000, 4000);
    }), { verdict: 'fail', missed: ['produce.latencyMs.max'] });
    assert.deepEqual(judged('produce.latencyMs.max<=100ms', (stored) => {
      stall(stored, 4000, 90);
      slow(stored, 9000, 200);
    }), { verdict: 'fail', missed: ['produce.latencyMs.max'] });
  });

  it('is held against its lateness only where that can have made it: not by what is met, nor by what is to be long', () => {
    const names = (objective: string): string[] => {
      const stored = passingRun();
      stored.run.plan.objectives?.push(objective);
      stall(stored, 4000, 280);
      return judge(stored).objectives.map(({ name }) => name).filter((name) => name.startsWith('condition.generatorLateness'));
    };
    const always = ['condition.generatorLatenessP99Ms', 'condition.generatorLatenessInGapMs'];
    assert.deepEqual([names('produce.latencyMs.max<=1s'), names('produce.latencyMs.max>=1s'), names('produce.latencyMs.max<=100ms')], [always, always, [...always, 'condition.generatorLatenessMaxMs']]);
  });

  it('by the load\'s own stall within a step leaves the drill inconclusive, also beside a longer gap', () => {
    const gap = ({ attempts }: Stored): void => {
      for (const attempt of attempts) if (attempt.intendedMs >= 26_000 && attempt.intendedMs < 26_400) attempt.endMs = 26_404;
    };
    for (const objective of ['produce.blackoutMs<=150ms', 'produce.latencyMs.max<=150ms']) {
      assert.deepEqual(expecting(objective, (stored) => {
        stall(stored, 15_000, 280);
        gap(stored);
      }), { verdict: 'inconclusive', missed: ['condition.generatorLatenessInStepMs.2', 'step.2'] });
    }
  });

  it('by its stall at the end of a step is so too, though what was due then was handed over later', () => {
    assert.deepEqual(expecting('produce.blackoutMs<=150ms', (stored) => {
      stall(stored, 22_800, 400);
      for (const attempt of stored.attempts) if (attempt.intendedMs >= 12_000 && attempt.intendedMs < 12_100) attempt.endMs = 12_104;
      // The longest gap since the fault is another.
      for (const attempt of stored.attempts) if (attempt.intendedMs >= 26_000 && attempt.intendedMs < 26_600) attempt.endMs = 26_604;
    }), { verdict: 'inconclusive', missed: ['condition.generatorLatenessInStepMs.2', 'step.2'] });
  });

  it('by a step fails the drill where the load stood still outside of it, or beside its longest gap', () => {
    assert.deepEqual(expecting('produce.latencyMs.max<=100ms', (stored) => {
      stall(stored, 4000, 280);
      slow(stored, 15_000, 300);
    }), { verdict: 'fail', missed: ['step.2'] });
    assert.deepEqual(expecting('produce.blackoutMs<=350ms', (stored) => {
      stall(stored, 15_000, 280);
      for (const attempt of stored.attempts) if (attempt.intendedMs >= 18_000 && attempt.intendedMs < 18_400) attempt.endMs = 18_404;
    }), { verdict: 'fail', missed: ['step.2'] });
  });
});

describe('a gap that the load made itself', () => {
  it('is none that the settings would have to explain', () => {
    const stalled = (alsoMs: number): ReturnType<typeof verdictOf> & { limit: string | undefined } => {
      const change = ({ run, attempts }: Stored): void => {
        Object.assign(run, { configuration: {} });
        run.plan.fault = 'istiod-down';
        Object.assign(run.faults[0] ?? {}, { fault: 'istiod-down' });
        // Nothing is handed over from 15 s on for 80 ms, nor answered for so long after it.
        for (const attempt of attempts) {
          if (attempt.intendedMs <= 15_000 || attempt.intendedMs >= 15_080 + alsoMs) continue;
          attempt.issuedMs = attempt.sentMs = Math.max(attempt.intendedMs, 15_080);
          attempt.endMs = 15_084 + alsoMs;
        }
      };
      const stored = passingRun();
      change(stored);
      return { ...verdictOf(change), limit: judge(stored).objectives.find(({ name }) => name === 'prediction.produceBlackoutMs')?.limit };
    };
    // 10 ms of the load's interval and 4 of a request, and half as much again.
    assert.deepEqual(stalled(0), { verdict: 'pass', missed: [], limit: '<= 91 ms (predicted 14 ms, and half as much again, and 70 ms in which the load itself stood still)' });
    assert.deepEqual([stalled(10).missed, stalled(20).missed], [[], ['prediction.produceBlackoutMs']]);
  });
});
