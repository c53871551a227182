import assert from 'node:assert/strict';
import fc from 'fast-check';
import { connectionWait, faultSpan, longestGap, percentile, settledSpan } from '../../automation/drill/metrics.ts';
import type { Span } from '../../automation/drill/metrics.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { ExpectedStep, Window } from '../../automation/drill/window.ts';

function attempt(intendedMs: number, more: Partial<Attempt> = {}): Attempt {
  return { producer: 'p0', seq: intendedMs, attempt: 0, key: 'k', intendedMs, issuedMs: intendedMs, sentMs: intendedMs, endMs: intendedMs + 5, outcome: 'ok', class: 'ok', region: 'east', ...more };
}

function seen(attempts: readonly Attempt[], span: Span): ReturnType<Window['figures']> {
  const window = new Window(span);
  for (const each of attempts) window.add(each);
  return window.figures();
}

describe('the time of a fault', () => {
  it('lasts from inject to the end of the load, as what is let back in too early is felt after the first answer', () => {
    assert.deepEqual(faultSpan({ injectMs: 10, recoveredMs: 30, loadEndMs: 50 }), { fromMs: 10, toMs: 50 });
  });

  it('ends with the recovery where nobody saw the load end, and is none without a fault', () => {
    assert.deepEqual(faultSpan({ injectMs: 10, recoveredMs: 30 }), { fromMs: 10, toMs: 30 });
    assert.equal(faultSpan({ loadEndMs: 50 }), undefined);
  });
});

describe('the longest gap', () => {
  for (const [what, times, span, gap] of [
    ['is the longest between two events within the span', [0, 10, 20, 80, 90], [0, 90], 60],
    ['reaches back to the last event before the span', [0, 90, 100], [50, 100], 90],
    ['reaches on to the first event after the span', [0, 10, 100], [0, 20], 90],
    ['counts to the end of the span when nothing came after', [0, 10], [0, 500], 490],
    ['counts from the begin of the span when nothing came before', [300, 310], [0, 310], 300],
    ['ignores gaps outside the span', [0, 900, 910, 920, 2000], [905, 915], 10],
    ['is the distance across a span without events in it', [10, 60], [20, 30], 50],
  ] as [string, number[], [number, number], number][]) {
    it(what, () => {
      assert.equal(longestGap(times, { fromMs: span[0], toMs: span[1] }), gap);
    });
  }

  it('is the whole span without events', () => {
    assert.equal(longestGap([], { fromMs: 10, toMs: 40 }), 30);
  });

  it('does not depend on the order of the events, and is no shorter than any hole in the span', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 1000 })), fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1000 }), (times, a, b) => {
      const span = { fromMs: Math.min(a, b), toMs: Math.max(a, b) };
      const gap = longestGap(times, span);
      assert.equal(gap, longestGap(times.toReversed(), span));
      assert.ok(gap >= 0);
      if (times.every((time) => time < span.fromMs || time > span.toMs)) assert.ok(gap >= span.toMs - span.fromMs);
    }));
  });
});

describe('a part of a run', () => {
  it('has what ended in it, from its first moment on and before its last', () => {
    assert.equal(seen([994, 995, 1000, 1994, 1995].map((intendedMs) => attempt(intendedMs)), { fromMs: 1000, toMs: 2000 })['produce.sent'], 3);
  });
});

describe('a step that expects a share', () => {
  it('is judged by what was sent while it lasted', () => {
    const judged = (text: string): boolean | undefined => {
      const step = new ExpectedStep({ kind: 'expect', text, startMs: 0, endMs: 1000 }, ['east']);
      for (const each of [attempt(0), attempt(10, { outcome: 'failed' }), attempt(2000)]) step.add(each);
      return step.judged().met;
    };
    assert.deepEqual([judged('produce.failed<=50%'), judged('produce.failed<50%')], [true, false]);
  });
});

describe('a percentile', () => {
  it('is of the rank that so many values have, whatever binary fractions add to it', () => {
    const rankOf = (share: number, count: number): number => percentile(Float64Array.from({ length: count }, (_, i) => i + 1), share);
    // 99.9/100*3000 is 2997.0000000000005.
    for (const count of [1000, 2000, 3000, 6000, 12_000, 30_000, 100_000]) assert.equal(rankOf(99.9 / 100, count), count * 999 / 1000);
    assert.deepEqual([rankOf(0.999, 3001), rankOf(0.99, 1), rankOf(0, 10), rankOf(1, 10), percentile([], 0.5)], [2998, 1, 1, 10, 0]);
  });
});

describe('the blackout', () => {
  it('counts only acknowledged requests', () => {
    const attempts = [attempt(0), attempt(50, { outcome: 'unknown', class: 'timeout' }), attempt(60, { outcome: 'failed', class: 'refused' }), attempt(100)];
    assert.equal(seen(attempts, { fromMs: 0, toMs: 105 })['produce.blackoutMs'], 100);
  });
});

describe('latency', () => {
  it('counts from the intended time, so that a stall of the generator or of every connection shows', () => {
    const attempts = [attempt(0), attempt(10, { issuedMs: 300, sentMs: 500, endMs: 510 })];
    const { 'produce.latencyMs.p50': p50, 'produce.latencyMs.p99': p99, 'produce.latencyMs.max': max } = seen(attempts, { fromMs: 0, toMs: 1000 });
    assert.deepEqual([p50, p99, max], [5, 500, 500]);
  });

  it('is not measured when nothing was acknowledged', () => {
    assert.equal(seen([attempt(0, { outcome: 'failed' })], { fromMs: 0, toMs: 1000 })['produce.latencyMs.max'], undefined);
  });

  it('takes percentiles by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1);
    assert.deepEqual([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1), percentile([], 0.5)], [50, 99, 100, 0]);
  });
});

describe('the wait for a connection', () => {
  const waited = (issuedMs: number, waitMs: number): Attempt => attempt(issuedMs, { sentMs: issuedMs + waitMs });

  it('is that of the typical request, so that a stall in passing does not count', () => {
    const attempts = [waited(0, 900), ...Array.from({ length: 9 }, (_, i) => waited(10 + i, i < 4 ? 500 : 1))];
    assert.equal(connectionWait(attempts, { fromMs: 10, toMs: 100 }), 1);
  });

  it('counts requests that got no connection until they gave up', () => {
    const unsent = attempt(20, { endMs: 10_020, outcome: 'failed', class: 'unsent-timeout' });
    delete unsent.sentMs;
    assert.equal(connectionWait([unsent, unsent, waited(30, 0)], { fromMs: 0, toMs: 100 }), 10_000);
  });

  it('is not measured in a span without requests', () => {
    assert.equal(connectionWait([waited(0, 5)], { fromMs: 10, toMs: 20 }), undefined);
  });

  it('is looked at in the later half of the load before the fault', () => {
    assert.deepEqual(settledSpan({ loadMs: 1000, injectMs: 11_000 }), { fromMs: 6000, toMs: 11_000 });
    assert.equal(settledSpan({ loadMs: 1000 }), undefined);
  });
});
