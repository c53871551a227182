import assert from 'node:assert/strict';
import fc from 'fast-check';
import { constant, pace } from '../../automation/drill/pacer.ts';

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

  it('keeps the rate over any sequence of stalls, sends nothing early and never drifts', () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 5000 }), fc.array(fc.double({ min: 0, max: 3000, noNaN: true }), { maxLength: 30 }),
      (rate, stalls) => {
        const schedule = constant(rate);
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
      },
    ));
  });
});
