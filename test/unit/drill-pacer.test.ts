import assert from 'node:assert/strict';
import fc from 'fast-check';
import { constant, pace, poisson, ramp, scheduleOf } from '../../automation/drill/pacer.ts';
import { defaultLoad } from '../../automation/drill/load-plan.ts';

describe('the pacer', () => {
  const at100 = constant(100);
  for (const { elapsedMs, sent, due, waitMs, what } of [
    { elapsedMs: 0, sent: 0, due: 1, waitMs: 10, what: 'sends the first request at once' },
    { elapsedMs: 5, sent: 1, due: 0, waitMs: 5, what: 'waits for the next when none is due' },
    { elapsedMs: 10, sent: 1, due: 1, waitMs: 10, what: 'sends one exactly when it is due' },
    { elapsedMs: 9.99, sent: 1, due: 0, waitMs: 0.01, what: 'sends none early' },
    { elapsedMs: 505, sent: 1, due: 50, waitMs: 5, what: 'catches up on all that fell due during a stall' },
    { elapsedMs: 100, sent: 30, due: 0, waitMs: 200, what: 'waits when it is ahead' },
  ]) {
    it(`${what} (at ${elapsedMs} ms, ${sent} sent)`, () => {
      const next = pace(at100, elapsedMs, sent);
      assert.equal(next.due, due);
      assert.ok(Math.abs(next.waitMs - waitMs) < 1e-9, `waits ${next.waitMs}, not ${waitMs}`);
    });
  }

  const rates = fc.integer({ min: 1, max: 5000 });
  const seeds = fc.integer({ min: 0, max: 2 ** 31 });
  const schedules = fc.oneof(
    rates.map((rate) => ({ what: `constant ${rate}`, schedule: constant(rate) })),
    fc.tuple(rates, rates, fc.integer({ min: 1, max: 60_000 })).map(([from, to, durationMs]) => ({ what: `ramp ${from} to ${to} in ${durationMs} ms`, schedule: ramp({ from, to, durationMs }) })),
    fc.tuple(rates, seeds).map(([rate, seed]) => ({ what: `poisson ${rate} seed ${seed}`, schedule: poisson(rate, seed) })),
  );

  it('keeps any schedule over any sequence of stalls, sends nothing early and never drifts', () => {
    fc.assert(fc.property(schedules, fc.array(fc.double({ min: 0, max: 3000, noNaN: true }), { maxLength: 30 }), ({ schedule }, stalls) => {
      let elapsed = 0;
      let sent = 0;
      for (const stall of stalls) {
        elapsed += stall;
        const { due, waitMs } = pace(schedule, elapsed, sent);
        sent += due;
        assert.ok(waitMs > 0);
        assert.ok(sent === 0 || schedule(sent - 1) <= elapsed, 'one was sent early');
        assert.ok(schedule(sent) > elapsed, 'one that was due was not sent');
      }
    }));
  });

  it('gives a request the same time whenever it asks, and never one before the request ahead of it', () => {
    fc.assert(fc.property(schedules, fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 2, maxLength: 50 }), ({ schedule }, asked) => {
      const first = asked.map(schedule);
      assert.deepEqual(asked.toReversed().map(schedule).reverse(), first);
      for (const sequence of asked) assert.ok(schedule(sequence + 1) >= schedule(sequence));
    }));
  });
});

describe('a ramp', () => {
  it('sends by any time what the area under its rate says', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1000, max: 60_000 }), fc.double({ min: 0, max: 2, noNaN: true }),
      (from, to, durationMs, share) => {
        const atMs = durationMs * share;
        const d = durationMs / 1000;
        const t = Math.min(atMs / 1000, d);
        const area = from * t + ((to - from) * t * t) / (2 * d) + to * Math.max(0, atMs / 1000 - d);
        const { due } = pace(ramp({ from, to, durationMs }), atMs, 0);
        assert.ok(Math.abs(due - 1 - Math.floor(area)) <= 1, `${due} were due at ${atMs} ms, the area is ${area}`);
      }));
  });

  it('has its begin and end from the plan', () => {
    const schedule = scheduleOf({ load: { ...defaultLoad, pattern: 'ramp', rampFrom: 10 }, rate: 100, durationSeconds: 20, seed: 1 });
    const perSecond = (second: number): number => pace(schedule, second * 1000 + 1000, 0).due - pace(schedule, second * 1000, 0).due;
    assert.deepEqual([perSecond(0), perSecond(10), perSecond(19), perSecond(20), perSecond(60)].map((n) => Math.round(n / 10) * 10), [10, 60, 100, 100, 100]);
  });

  it('begins at one request a second where the plan does not say it', () => {
    const load = { ...defaultLoad, pattern: 'ramp' as const };
    const [said, unsaid] = [{ ...load, rampFrom: 1 }, load].map((each) => scheduleOf({ load: each, rate: 100, durationSeconds: 20, seed: 1 }));
    assert.deepEqual([1, 2, 50].map((n) => unsaid?.(n)), [1, 2, 50].map((n) => said?.(n)));
  });
});

describe('requests that know nothing of each other', () => {
  const times = (seed: number, count: number): number[] => Array.from({ length: count }, (_, i) => i).map(poisson(200, seed));

  it('come at the same times for the same seed, and at others for another', () => {
    assert.deepEqual(times(7, 3000), times(7, 3000));
    assert.notDeepEqual(times(7, 3), times(8, 3));
  });

  it('come with gaps as the exponential distribution has them: 5 ms on average, as much apart, 37 % longer than that', () => {
    for (const seed of [0, 1, 2, 1e9]) {
      const at = times(seed, 100_001);
      const gaps = at.slice(1).map((time, i) => time - (at[i] ?? 0));
      const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
      const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
      const longer = gaps.filter((gap) => gap > 5).length / gaps.length;
      assert.ok(Math.abs(mean - 5) < 0.1 && Math.abs(deviation - 5) < 0.15 && Math.abs(longer - Math.exp(-1)) < 0.01, `seed ${seed}: ${mean} ${deviation} ${longer}`);
    }
  });
});
