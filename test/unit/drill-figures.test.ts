import assert from 'node:assert/strict';
import { Ledger } from '../../automation/drill/check/ledger.ts';
import { ConsumeFigures, ProduceFigures } from '../../automation/drill/figures.ts';
import type { FaultMarks } from '../../automation/drill/figures.ts';
import type { Attempt, Delivery } from '../../automation/drill/records.ts';

function attempt(intendedMs: number, more: Partial<Attempt> = {}): Attempt {
  return { producer: 'p0', seq: intendedMs, attempt: 0, key: 'k', intendedMs, issuedMs: intendedMs, sentMs: intendedMs, endMs: intendedMs + 5, outcome: 'ok', class: 'ok', region: 'east', ...more };
}

function unsent(intendedMs: number): Attempt {
  const it = attempt(intendedMs, { outcome: 'failed', class: 'unsent-refused' });
  delete it.sentMs;
  return it;
}

function figuresOf(attempts: readonly Attempt[], marks: FaultMarks = {}): ProduceFigures {
  const ledger = new Ledger();
  const figures = new ProduceFigures(marks);
  for (const each of attempts) figures.add(each, ledger.add(each));
  return figures;
}

describe('the shares of the regions', () => {
  const during = (attempts: Attempt[], fromMs: number, toMs: number, regions = ['east', 'west']): [number, unknown] => {
    const { regions: shares, samples } = figuresOf(attempts, { tookHoldMs: fromMs, healMs: toMs }).regions(regions);
    return [samples.during, Object.fromEntries(shares.map(({ name, during: share }) => [name, share]))];
  };

  it('are of the requests that ended in the span, of which failed ones were served by nobody', () => {
    const attempts = [attempt(0), attempt(10, { region: 'west' }), attempt(20, { region: 'west' }), attempt(30, { region: 'west', outcome: 'failed' }), attempt(40, { region: 'west' })];
    // The last was due in it, and ended after it.
    assert.deepEqual(during(attempts, 0, 40), [5, { east: 0.25, west: 0.5 }]);
  });

  it('count a request that no connection ever took when it was handed over', () => {
    assert.deepEqual(during([unsent(10)], 0, 20, ['east']), [1, { east: 0 }]);
  });

  it('are nobody\'s where all that was due waited until it was over', () => {
    assert.deepEqual(during([attempt(5, { endMs: 90 }), attempt(10, { endMs: 95 })], 0, 20), [2, { east: 0, west: 0 }]);
  });

  it('begin with the last answer of a silent region that came late enough to be its last', () => {
    const seen = [attempt(0), attempt(100, { region: 'west' }), attempt(110), attempt(120, { region: 'west' }), attempt(190, { endMs: 210, region: 'west' }), attempt(230, { region: 'west' })];
    const figures = figuresOf(seen, { tookHoldMs: 50, healMs: 240, late: { region: 'east', byMs: 200 } });
    const shares = (it: ProduceFigures): unknown => it.regions(['east', 'west']).regions.map(({ during: share }) => share);
    assert.deepEqual([shares(figures), shares(figures), figures.regions([]).samples.during], [[0, 1], [0, 1], 3]);
    // What it answers after that is no last answer, and what it answered nobody but the driver is where the fault took hold.
    assert.deepEqual(shares(figuresOf(seen, { tookHoldMs: 50, healMs: 240, late: { region: 'east', byMs: 110 } })), [0.2, 0.8]);
    assert.deepEqual(shares(figuresOf(seen, { tookHoldMs: 117, healMs: 240, late: { region: 'east', byMs: 200 } })), [0, 1]);
  });

  it('are not measured in a span without requests', () => {
    assert.deepEqual(during([attempt(0)], 10, 20, ['east']), [0, { east: undefined }]);
  });
});

describe('the timeline', () => {
  it('holds every record once, in the slot in which it was due', () => {
    const attempts = [attempt(0), attempt(99, { endMs: 900 }), attempt(100, { outcome: 'unknown', class: 'timeout' }), attempt(250, { outcome: 'failed', class: 'refused' })];
    assert.deepEqual(figuresOf(attempts).timeline(), [
      { t: 0, ok: 2, failed: 0, unknown: 0, byRegion: { east: 2 }, slowestMs: 801 },
      { t: 100, ok: 0, failed: 0, unknown: 1, byRegion: {} },
      { t: 200, ok: 0, failed: 1, unknown: 0, byRegion: {} },
    ]);
  });
});

describe('a record that its client sent again', () => {
  const again = (...outcomes: Attempt['outcome'][]): ProduceFigures =>
    figuresOf(outcomes.map((outcome, i) => attempt(100, { seq: 7, attempt: i, issuedMs: 100 + i * 50, sentMs: 100 + i * 50, endMs: 105 + i * 50, outcome, class: outcome, region: i === 0 ? 'east' : 'west' })));

  for (const [outcomes, fate] of [
    [['failed', 'ok'], 'ok'], [['unknown', 'ok'], 'ok'], [['unknown', 'failed'], 'unknown'], [['failed', 'failed'], 'failed'], [['ok', 'ok'], 'ok'], [['ok', 'unknown'], 'ok'],
  ] as const) {
    it(`is ${fate} after ${outcomes.join(' and ')}, and counts once`, () => {
      const figures = again(...outcomes);
      assert.deepEqual(figures.counts, { sent: 1, ok: 0, failed: 0, unknown: 0, [fate]: 1 });
      assert.equal(figures.attempts, 2);
      const [slot, ...others] = figures.timeline();
      assert.deepEqual([others, slot?.ok, slot?.failed, slot?.unknown], [[], fate === 'ok' ? 1 : 0, fate === 'failed' ? 1 : 0, fate === 'unknown' ? 1 : 0]);
    });
  }

  it('has its latency from when it was due until it was ok', () => {
    assert.deepEqual(again('failed', 'ok').latency()?.latencyMs, { p50: 55, p99: 55, max: 55 });
    assert.deepEqual(again('failed', 'ok').timeline()[0]?.byRegion, { west: 1 });
  });

  it('does not make the generator late, as one does that is handed over late', () => {
    assert.equal(again('failed', 'ok').latenessMs(), 0);
    assert.equal(figuresOf([attempt(0), attempt(10, { issuedMs: 45 })]).latenessMs(), 35);
  });
});

describe('the latency curve', () => {
  it('goes from the fastest to the slowest, as far as so many records can tell', () => {
    const curve = figuresOf(Array.from({ length: 200 }, (_, i) => attempt(i, { endMs: i + i + 1 }))).latency()?.curve ?? [];
    assert.deepEqual(curve.map(({ percentile }) => percentile), [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 100]);
    assert.deepEqual(curve.map(({ ms }) => ms), [1, 20, 50, 100, 150, 180, 190, 198, 199, 200]);
  });

  it('has of a thousand the slowest but one as its 99.9th percentile', () => {
    const curve = figuresOf(Array.from({ length: 1000 }, (_, i) => attempt(i, { endMs: i + i + 1 }))).latency()?.curve ?? [];
    assert.deepEqual(curve.slice(-2), [{ percentile: 99.9, ms: 999 }, { percentile: 100, ms: 1000 }]);
  });
});

describe('the consumption', () => {
  const delivery = (partition: number, tMs: number): Delivery => ({ consumer: 0, instance: 'c', tMs, partition, offset: tMs });
  /** The first of an acknowledged record; of one that nobody was told of, or a copy; one that was given before. */
  const [awaited, other, again] = [{ isFirst: true, isAwaited: true }, { isFirst: true, isAwaited: false }, { isFirst: false, isAwaited: false }];

  it('shows a partition that was given nothing while others were', () => {
    const figures = new ConsumeFigures();
    for (let i = 0; i <= 100; i += 1) figures.add(delivery(0, i * 10), awaited);
    for (const tMs of [0, 600, 1000]) figures.add(delivery(1, tMs), awaited);
    assert.equal(figures.blackoutMs({ fromMs: 0, toMs: 1000 }, [0, 1]), 600);
    assert.equal(figures.blackoutMs({ fromMs: 0, toMs: 1000 }, [0, 1, 2]), 1000);
    assert.equal(new ConsumeFigures().blackoutMs({ fromMs: 0, toMs: 1000 }, [0]), undefined);
  });

  it('are not ended by what was given before, but by what nobody was told of', () => {
    const figures = new ConsumeFigures();
    for (const tMs of [0, 900]) figures.add(delivery(0, tMs), awaited);
    for (let tMs = 50; tMs < 900; tMs += 50) figures.add(delivery(0, tMs), again);
    assert.equal(figures.blackoutMs({ fromMs: 0, toMs: 1000 }, [0]), 900);
    figures.add(delivery(0, 500), other);
    assert.equal(figures.blackoutMs({ fromMs: 0, toMs: 1000 }, [0]), 500);
  });

  it('counts what was given so far, and what was acknowledged and not given; what was given again counts once', () => {
    const figures = new ConsumeFigures();
    for (const ms of [100, 1010, 1020, 1300]) figures.acknowledged(attempt(ms - 5));
    figures.add(delivery(0, 900), awaited);
    figures.add(delivery(0, 1400), awaited);
    figures.add(delivery(0, 1450), again);
    figures.add(delivery(0, 1510), other);
    figures.add(delivery(0, 1760), awaited);
    assert.deepEqual(figures.timeline({ loadMs: 1000 }), [
      { t: 1000, delivered: 1, lag: 2 }, { t: 1250, delivered: 2, lag: 2 }, { t: 1500, delivered: 3, lag: 2 }, { t: 1750, delivered: 4, lag: 1 },
    ]);
  });

  it('goes on while records are acknowledged, to the load\'s end, where consumers never come back', () => {
    const figures = new ConsumeFigures();
    for (let ms = 1000; ms < 2000; ms += 10) figures.acknowledged(attempt(ms));
    figures.add(delivery(0, 1100), awaited);
    assert.deepEqual(figures.timeline({ loadMs: 1000 }).at(-1), { t: 1750, delivered: 1, lag: 99 });
    assert.deepEqual(figures.timeline({ loadMs: 1000, loadEndMs: 2300 }).at(-1), { t: 2250, delivered: 1, lag: 99 });
    figures.add(delivery(0, 3000), awaited);
    assert.deepEqual(figures.timeline({ loadMs: 1000, loadEndMs: 2300 }).at(-1), { t: 3000, delivered: 2, lag: 98 });
  });

  it('is there from the load\'s begin where nothing was given', () => {
    const figures = new ConsumeFigures();
    figures.acknowledged(attempt(1300));
    assert.deepEqual(figures.timeline({ loadMs: 1000, loadEndMs: 1400 }), [{ t: 1000, delivered: 0, lag: 0 }, { t: 1250, delivered: 0, lag: 1 }]);
    assert.deepEqual(new ConsumeFigures().timeline({}), []);
  });

  it('is behind by records that were acknowledged, whatever else was given meanwhile', () => {
    const figures = new ConsumeFigures();
    for (let i = 0; i < 300; i += 1) figures.add(delivery(i % 6, 500), other);
    for (let ms = 1000; ms < 11_000; ms += 10) {
      figures.acknowledged(attempt(ms));
      if (ms < 8000) figures.add(delivery(0, ms + 5), awaited);
    }
    assert.equal(figures.behindMs(11_000), 3000);
  });
});
