import assert from 'node:assert/strict';
import type { Attempt } from '../../automation/drill/records.ts';
import type { Stored } from '../../automation/drill/report.ts';
import { verdictOf } from '../fixtures/verdict.ts';

/** Requests so many from `from` on end so, and their records are not written. They are held for a time, one is sent each 10 ms. */
function lose({ attempts, log, deliveries }: Stored, [from, count]: readonly [number, number], outcome: 'failed' | 'unknown', { name = 'reset', heldMs = 0 } = {}): void {
  const lost = new Set(attempts.slice(from, from + count).map((attempt) => {
    Object.assign(attempt, { outcome, class: name, partition: undefined, offset: undefined, endMs: attempt.endMs + heldMs });
    return attempt.seq;
  }));
  for (const lines of [log, deliveries]) lines.splice(0, Infinity, ...lines.filter(({ id }) => !lost.has(id?.seq ?? -1)) as never[]);
}

describe('what may be lost in flight', () => {
  const kill = ({ run }: Stored): void => { Object.assign(run.faults[0] ?? {}, { losesInFlight: true }); };

  it('is failed and unknown together', () => {
    const both = (unknown: number): ReturnType<typeof verdictOf> => verdictOf((stored) => {
      kill(stored);
      lose(stored, [1200, 3], 'failed', { heldMs: 60 });
      lose(stored, [1203, unknown], 'unknown', { heldMs: 60 });
    });
    assert.deepEqual(both(1), { verdict: 'pass', missed: [] });
    assert.deepEqual(both(2), { verdict: 'fail', missed: ['produce.unknown'] });
  });

  it('is of the faults that lose any', () => {
    assert.deepEqual(verdictOf((stored) => {
      kill(stored);
      stored.run.faults.push({ fault: 'istiod-down', region: 'east', target: 't', expects: {}, injectMs: 23_000, tookHoldMs: 23_100, healMs: 24_000, recoveredMs: 25_000 });
      lose(stored, [1200, 5], 'unknown', { heldMs: 60 });
    }), { verdict: 'fail', missed: ['produce.unknown'] });
  });

  /** The bound of what refuses connections is 10 + 4 + 5 + 250 + 500 ms, and half as much again. */
  const refusing = (stored: Stored, fault: string): void => {
    kill(stored);
    stored.run.plan.fault = fault;
    Object.assign(stored.run.faults[0] ?? {}, { fault });
    stored.run.configuration = { 'east gateway → bridge': { connectTimeoutMs: 250, mergeWindowMs: 0, retryOn: 'connect-failure', retryAttempts: 2, retryBackoffMs: 5 } };
  };
  /** One is sent each 10 ms, the 1000th at the inject, the 1020th as it took hold. */
  const lostUnder = (fault: string) => (seq: number, more: Partial<Attempt> = {}): string[] => verdictOf((stored) => {
    refusing(stored, fault);
    lose(stored, [seq, 1], 'failed');
    Object.assign(stored.attempts[seq] ?? {}, more);
  }).missed;

  it('was on a connection between the inject and what can be felt of it, by the settings in effect', () => {
    const lostAt = lostUnder('bridge-terminate');
    assert.deepEqual([lostAt(998), lostAt(999, { endMs: 11_000 }), lostAt(1020), lostAt(1135), lostAt(1136)], [['produce.failed'], [], [], [], ['produce.failed']]);
    // Since before, and until long after.
    assert.deepEqual(lostAt(900, { endMs: 20_000 }), []);
    assert.deepEqual(lostAt(2500), ['produce.failed'], 'at a host that was let back in too early');
    assert.deepEqual(lostAt(1020, { sentMs: undefined }), ['produce.failed'], 'no connection had it');
  });

  it('was sent before it was seen that processes are gone, where they are killed, or little later', () => {
    const lostAt = lostUnder('bridge-kill');
    assert.deepEqual([lostAt(998), lostAt(999, { endMs: 11_000 }), lostAt(1020), lostAt(1021)], [['produce.failed'], [], [], ['produce.failed']]);
    assert.deepEqual(lostAt(900, { endMs: 20_000 }), [], 'since before, and until long after');
  });

  it('is nothing that no host had, unless a proxy may have tried one before', () => {
    const refused = (name: string, outcome: 'failed' | 'unknown' = 'failed'): string[] => verdictOf((stored) => {
      refusing(stored, 'bridge-kill');
      lose(stored, [1010, 1], outcome, { name });
    }).missed;
    for (const name of ['no-healthy-upstream', 'upstream-refused', 'upstream-connect-failure', 'upstream-overflow', 'bridge-refused', 'http-404']) {
      assert.deepEqual([refused(name), refused(name, 'unknown')], [['produce.failed'], []], name);
    }
    assert.deepEqual([refused('record-404'), refused('upstream-refused-stream')], [[], []], 'a bridge had it, or a connection that ended');
  });

  it('is what one moment finds there, of each bridge', () => {
    const serial = (fault: string, replicas: number | undefined, heldMs: number): string[] => verdictOf((stored) => {
      refusing(stored, fault);
      if (replicas !== undefined) Object.assign(stored.run.configuration ?? {}, { 'east bridge': { replicas } });
      stored.run.plan.connections = 16;
      lose(stored, [1005, 2], 'unknown', { heldMs });
      lose(stored, [1012, 2], 'unknown', { heldMs });
    }).missed;
    assert.deepEqual([serial('bridge-terminate', undefined, 10), serial('bridge-terminate', 1, 10), serial('bridge-kill', 1, 10)], Array.from({ length: 3 }, () => ['produce.unknown']));
    assert.deepEqual([serial('bridge-terminate', 1, 100), serial('bridge-terminate', 2, 10), serial('bridge-kill', 2, 10)], [[], [], []]);
    // One after the other: two moments are not enough.
    assert.deepEqual(serial('bridge-kill', 2, 0), ['produce.unknown']);
    // Nobody has counted a gateway's pods.
    assert.deepEqual(serial('gateway-kill', 1, 0), []);
  });

  it('is bounded for each fault by its own settings', () => {
    const late = (fault: string): string[] => verdictOf((stored) => {
      refusing(stored, 'bridge-terminate');
      // Of a slow bridge nothing is promised.
      stored.run.faults.push({ fault, region: 'east', target: 't', expects: {}, injectMs: 24_000, tookHoldMs: 24_100, healMs: 26_000, recoveredMs: 26_500 });
      lose(stored, [2100, 1], 'unknown');
    }).missed;
    assert.deepEqual([late('bridge-slow'), late('istiod-down')], [['produce.unknown'], ['produce.unknown']]);
  });

  it('is of each fault what it can have been', () => {
    const two = (first: number, second: number): string[] => verdictOf((stored) => {
      kill(stored);
      stored.run.faults.push({ fault: 'gateway-kill', region: 'east', target: 't', expects: {}, losesInFlight: true, injectMs: 25_000, tookHoldMs: 25_100, healMs: 26_000, recoveredMs: 27_000 });
      lose(stored, [1200, first], 'unknown', { heldMs: 80 });
      lose(stored, [2400, second], 'unknown', { heldMs: 80 });
    }).missed;
    assert.deepEqual([two(4, 4), two(3, 5), two(0, 8)], [[], ['produce.unknown'], ['produce.unknown']]);
  });

  for (const [retry, missed] of [['safe', ['produce.failed']], ['always', ['produce.failed', 'produce.unknown']]] as const) {
    it(`is nothing that a client sends again: ${retry}`, () => {
      assert.deepEqual(verdictOf((stored) => {
        kill(stored);
        stored.run.plan.load.retry = retry;
        lose(stored, [1200, 1], 'failed');
        lose(stored, [1201, 1], 'unknown');
      }), { verdict: 'fail', missed });
    });
  }
});
