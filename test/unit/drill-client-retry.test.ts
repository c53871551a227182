import assert from 'node:assert/strict';
import fc from 'fast-check';
import { retryAfter } from '../../automation/drill/client-retry.ts';

describe('a client that sends a record again', () => {
  const ended = { outcome: 'failed', attempt: 0, intendedMs: 1000, endMs: 1010 } as const;

  for (const { policy, outcome, again } of [
    { policy: 'none', outcome: 'ok', again: false }, { policy: 'none', outcome: 'failed', again: false }, { policy: 'none', outcome: 'unknown', again: false },
    { policy: 'safe', outcome: 'ok', again: false }, { policy: 'safe', outcome: 'failed', again: true }, { policy: 'safe', outcome: 'unknown', again: false },
    { policy: 'always', outcome: 'ok', again: false }, { policy: 'always', outcome: 'failed', again: true }, { policy: 'always', outcome: 'unknown', again: true },
  ] as const) {
    it(`${again ? 'sends' : 'does not send'} what was ${outcome} again with ${policy}`, () => {
      assert.equal(retryAfter(policy, { ...ended, outcome }) !== undefined, again);
    });
  }

  it('waits twice as long each time, and a second at most', () => {
    assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 60].map((attempt) => retryAfter('safe', { ...ended, attempt })), [25, 50, 100, 200, 400, 800, 1000, 1000]);
  });

  it('counts from when the record was due, however long the load goes on already', () => {
    assert.equal(retryAfter('safe', { ...ended, intendedMs: 100_000, endMs: 100_010 }), 25);
    assert.deepEqual([14_975, 14_976].map((takesMs) => retryAfter('safe', { ...ended, intendedMs: 100_000, endMs: 100_000 + takesMs })), [25, undefined]);
  });

  it('comes to an end, whatever the answers take', () => {
    fc.assert(fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 12_000 })), (answers) => {
      let endMs = 0;
      let attempt = 0;
      for (const takesMs of answers) {
        endMs += takesMs;
        const pauseMs = retryAfter('always', { outcome: 'unknown', attempt, intendedMs: 0, endMs });
        if (pauseMs === undefined) break;
        endMs += pauseMs;
        assert.ok(endMs <= 15_000, `sent again ${endMs} ms after it was due`);
        attempt += 1;
      }
    }));
  });
});
