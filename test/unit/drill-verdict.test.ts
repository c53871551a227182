import assert from 'node:assert/strict';
import { expectationsOf } from '../../automation/drill/expectations.ts';
import { judge } from '../../automation/drill/report.ts';
import type { Stored } from '../../automation/drill/report.ts';
import { passingRun } from '../fixtures/passing-run.ts';
import { verdictOf } from '../fixtures/verdict.ts';

function dropLast({ log, deliveries }: Stored): void {
  log.pop();
  deliveries.pop();
}

describe('damage to data', () => {
  it('fails a drill also where a person asked for less', () => {
    const { verdict, missed } = verdictOf((stored) => {
      stored.run.plan.objectives?.push('log.ackedLost<=5', 'consume.skipped<=5');
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

describe('consumers that were lost', () => {
  it('fail a drill where they were never made anew, also where the others had their partitions', () => {
    const lost = (stored: Stored): void => {
      for (const delivery of stored.deliveries) if (delivery.partition >= 3 && delivery.tMs < 11_500) Object.assign(delivery, { consumer: 1, instance: 'c1' });
      stored.run.consumers = { recreated: 0, notRecreated: ['consumer 1 of group g could not be made within 90000 ms: create: 503'], broken: [] };
    };
    assert.deepEqual(verdictOf(lost), { verdict: 'fail', missed: ['consume.notRecreated'] });
    const stored = passingRun();
    lost(stored);
    const { objectives, advice = [] } = judge(stored);
    assert.match(objectives.find(({ name }) => name === 'consume.notRecreated')?.why ?? '', /could not be made within 90000 ms: create: 503/);
    assert.match(advice.join('\n'), /^Consumers whose bridge was lost could not be made anew/);
  });

  it('leave it inconclusive where it was the drill\'s own that broke', () => {
    assert.deepEqual(verdictOf(({ run }) => { run.consumers = { recreated: 0, notRecreated: [], broken: ['x is not a function'] }; }), { verdict: 'inconclusive', missed: ['condition.consumersBroken'] });
  });
});

describe('a region that is back', () => {
  /** It answers one of so many requests after its recovery, of which it is sent half. */
  const back = (oneOf: number): ReturnType<typeof verdictOf> => verdictOf(({ attempts }) => {
    for (const [i, attempt] of attempts.filter(({ endMs }) => endMs > 22_500).entries()) attempt.region = i % oneOf === 0 ? 'east' : 'west';
  });

  it('serves a tenth of its share before at least', () => {
    assert.deepEqual(back(850), { verdict: 'fail', missed: ['regions.east.after'] });
    assert.deepEqual(back(25), { verdict: 'fail', missed: ['regions.east.after'] });
    assert.deepEqual(back(19), { verdict: 'pass', missed: [] });
    const { objectives } = judge(passingRun());
    assert.equal(objectives.find(({ name }) => name === 'regions.east.after')?.limit, '>= 5 % of all, a tenth of its share before');
  });

  it('is asked for any where it served none before', () => {
    assert.deepEqual(verdictOf(({ run, attempts }) => {
      Object.assign(run.faults[0]?.expects['east'] ?? {}, { before: 'silent' });
      for (const attempt of attempts) if (attempt.endMs <= 11_000) attempt.region = 'west';
      for (const [i, attempt] of attempts.filter(({ endMs }) => endMs > 22_500).entries()) attempt.region = i === 0 ? 'east' : 'west';
    }), { verdict: 'pass', missed: [] });
  });
});

describe('a region that is back between two faults', () => {
  it('is asked for a tenth of its share after the last of them only: what follows another one holds the later ones', () => {
    const stored = passingRun();
    stored.run.faults.push({ ...stored.run.faults[0] ?? assert.fail(), injectMs: 23_000, tookHoldMs: 23_200, healMs: 24_000, recoveredMs: 24_500 });
    const { objectives } = judge(stored);
    const limit = (name: string): string | undefined => objectives.find((each) => each.name === name)?.limit;
    assert.deepEqual([limit('regions.east.after'), limit('regions.east.after.2')], ['> 0', '>= 5 % of all, a tenth of its share before']);
  });
});

describe('a region that was silent before the first of two faults', () => {
  it('is asked after the second for a tenth of its share after the first', () => {
    const stored = passingRun();
    const [first] = stored.run.faults;
    Object.assign(first?.expects['east'] ?? {}, { before: 'silent' });
    stored.run.faults.push({ ...first ?? assert.fail(), injectMs: 25_000, tookHoldMs: 25_200, healMs: 26_000, recoveredMs: 26_500 });
    for (const attempt of stored.attempts) if (attempt.endMs <= 11_000) attempt.region = 'west';
    assert.equal(judge(stored).objectives.find(({ name }) => name === 'regions.east.after.2')?.limit, '>= 5 % of all, a tenth of its share before');
  });
});

describe('a step that expects something', () => {
  it('is judged by what the plan expects, whatever the drill noted', () => {
    assert.deepEqual(verdictOf((stored) => {
      stored.run.plan.steps.push({ kind: 'expect', objective: 'produce.failed=0' });
      stored.run.steps.push({ kind: 'expect', text: 'produce.failed<=3000', startMs: 11_000, endMs: 22_600 });
      stored.run.plan.objectives?.push('produce.failed<=5');
      Object.assign(stored.attempts[1200] ?? {}, { outcome: 'failed', class: 'refused' });
      for (const lines of [stored.log, stored.deliveries]) lines.splice(1200, 1);
    }), { verdict: 'fail', missed: ['step.2'] });
  });

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

describe('a fault of a region that several others stand by for', () => {
  const three = (served: string): ReturnType<typeof verdictOf> & { names: string[] } => {
    const change = ({ run, attempts }: Stored): void => {
      run.regions = ['east', 'west', 'north'];
      const expects = expectationsOf({ during: 'silent' }, { region: 'east', regions: run.regions.map((name) => ({ name })), tier1: { first: 'east' } });
      Object.assign(run.faults[0] ?? {}, { expects });
      for (const attempt of attempts) attempt.region = attempt.endMs > 11_200 && attempt.endMs <= 22_500 ? served : 'east';
    };
    const stored = passingRun();
    change(stored);
    return { ...verdictOf(change), names: judge(stored).objectives.map(({ name }) => name).filter((name) => name.includes('+')) };
  };

  it('is that any of them serves', () => {
    for (const served of ['west', 'north']) assert.deepEqual(three(served), { verdict: 'pass', missed: [], names: ['regions.west+north.during'] });
    assert.deepEqual(three('elsewhere'), { verdict: 'fail', missed: ['regions.west+north.during'], names: ['regions.west+north.during'] });
  });

  it('asks nothing of them where it was over before the settings have one serve, and leaves the drill inconclusive whatever else is missed', () => {
    const over = ({ run, attempts }: Stored): void => {
      run.regions = ['east', 'west', 'north'];
      const expects = expectationsOf({ during: 'silent' }, { region: 'east', regions: run.regions.map((name) => ({ name })), tier1: { first: 'east' } });
      Object.assign(run.faults[0] ?? {}, { fault: 'bridge-cut-from-kafka', expects });
      const hop = { connectTimeoutMs: 250, mergeWindowMs: 0, healthCheckIntervalMs: 250, healthCheckTimeoutMs: 750, healthCheckUnhealthyThreshold: 2, healthCheckPath: '/topics' };
      run.configuration = { 'east gateway → bridge': hop, 'east bridge': { deliveryTimeoutMs: 12_000 } };
      for (const attempt of attempts) attempt.region = attempt.endMs > 11_200 && attempt.endMs <= 22_500 ? 'elsewhere' : 'east';
    };
    assert.deepEqual(verdictOf(over), { verdict: 'inconclusive', missed: ['condition.faultLasted'] });
    assert.deepEqual(verdictOf((stored) => {
      over(stored);
      stored.run.plan.objectives?.push('produce.sent<=1');
    }), { verdict: 'inconclusive', missed: ['condition.faultLasted', 'produce.sent'] });
  });
});

describe('the requests of a phase', () => {
  it('are more, the more regions they are to be told apart by', () => {
    const regionsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `r${i}`);
    const limits = (count: number): string[] => {
      const stored = passingRun();
      const names = regionsOf(count);
      stored.run.regions = names;
      Object.assign(stored.run.faults[0] ?? {}, { region: 'r0', expects: expectationsOf({ during: 'silent' }, { region: 'r0', regions: names.map((name) => ({ name })) }) });
      return judge(stored).objectives.filter(({ name }) => name.startsWith('condition.samples.')).map(({ limit }) => limit);
    };
    assert.deepEqual([limits(2), limits(3), limits(9)], [['>= 10', '>= 10', '>= 10'], ['>= 19', '>= 10', '>= 19'], ['>= 72', '>= 63', '>= 72']]);
  });

  it('are more, the smaller the share is that tier1 gives one of them', () => {
    const limits = (weights: Record<string, number>, fault = 'gateway-kill'): string[] => {
      const stored = passingRun();
      Object.assign(stored.run.faults[0] ?? {}, { fault, expects: expectationsOf({ during: 'silent' }, { region: 'east', regions: stored.run.regions.map((name) => ({ name })), tier1: { weights } }) });
      return judge(stored).objectives.filter(({ name }) => name.startsWith('condition.samples.')).map(({ limit }) => limit);
    };
    assert.deepEqual([limits({ east: 50, west: 50 }), limits({ east: 90, west: 10 }), limits({ east: 100, west: 0 })], [['>= 10', '>= 10', '>= 10'], ['>= 60', '>= 60', '>= 60'], ['>= 10', '>= 10', '>= 10']]);
    assert.deepEqual(limits({ east: 90, west: 10 }, 'bridge-kill'), ['>= 60', '>= 10', '>= 60'], 'west is handed all');
  });

  it('miss none of the regions, but seldom', () => {
    // Of as many as ten do of two, by counting every way in which they may be sent.
    const missing = (regions: number, requests: number): number => {
      let reached = [1];
      for (let i = 0; i < requests; i += 1) reached = Array.from({ length: regions + 1 }, (_, seen) => (reached[seen] ?? 0) * seen / regions + (reached[seen - 1] ?? 0) * (regions - seen + 1) / regions);
      return 1 - (reached[regions] ?? 0);
    };
    for (const [regions, requests] of [[2, 10], [3, 19], [8, 63], [9, 72]] as const) assert.ok(missing(regions, requests) <= 2 * 0.5 ** 10 + 1e-9, `${regions}`);
  });
});

describe('records that one answer gave upside down', () => {
  /** Polls of a whole second. */
  const polled = ({ deliveries }: Stored): void => {
    for (const delivery of deliveries) {
      const askedMs = Math.floor(delivery.tMs / 1000) * 1000;
      Object.assign(delivery, { askedMs, tMs: askedMs + 990 });
    }
  };

  it('fail a drill in whichever mode, as no rebalance does that', () => {
    for (const mode of ['subscribe', 'assign'] as const) {
      const turned = (isTurned: boolean): string[] => verdictOf((stored) => {
        stored.run.plan.consumers.mode = mode;
        polled(stored);
        // Of partition 0, six records later each.
        const [one, other] = [stored.deliveries[606], stored.deliveries[612]];
        if (one && other && isTurned) [stored.deliveries[606], stored.deliveries[612]] = [other, one];
      }).missed;
      assert.deepEqual([turned(false), turned(true)], [[], ['consume.backwardsInPoll', ...(mode === 'assign' ? ['consume.backwards'] : [])]]);
    }
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
