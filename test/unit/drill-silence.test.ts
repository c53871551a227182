import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startClock } from '../../automation/drill/exchange.ts';
import { isToldByLoad, missesNeeded, requestsMissed, silenceMs } from '../../automation/drill/fault-times.ts';
import { Live } from '../../automation/drill/live.ts';
import type { Drill } from '../../automation/drill/phases.ts';
import { defaultLoad } from '../../automation/drill/load-plan.ts';
import type { Expected, FaultMark, LoadPlan, Plan, Serving } from '../../automation/drill/plan.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { isSilence, listenTo } from '../../automation/drill/silence.ts';
import { underFault } from '../../automation/drill/underFault.ts';
import type { Injection } from '../../automation/drill/underFault.ts';
import { fakeRegions, globalHost, startFakeTier1 } from '../fixtures/fake-tier1.ts';
import type { FakeTier1 } from '../fixtures/fake-tier1.ts';

let tier1: FakeTier1;
beforeEach(async () => { tier1 = await startFakeTier1(); });
afterEach(async () => { await tier1[Symbol.asyncDispose](); });

/** Who answers questions for the region's own topics: a bridge of that region, or one of another. */
function answerAs(region: string, status = 200): void {
  tier1.intercept = ({ method, url }, response) => {
    if (method !== 'GET' || url !== '/topics') return false;
    response.setHeader('x-kbf-gateway', region);
    response.writeHead(status).end('[]');
    return true;
  };
}

function drillOf(stateDir = ''): Drill {
  const clock = startClock();
  const faults: FaultMark[] = [];
  return {
    clock, faults, live: new Live(clock, ['east', 'west']), marks: {}, signal: new AbortController().signal,
    outputs: { hostname: globalHost, tier1Address: tier1.origin.replace('http://', ''), regions: fakeRegions, tier1: { first: 'east' } }, options: { stateDir }, plan: { run: 'x', rate: 100, durationSeconds: 6 },
    phase: () => undefined, mark: (fault: FaultMark, marks: object) => { Object.assign(fault, marks); },
  } as unknown as Drill;
}

function served(clock: () => number, region: string): Attempt {
  const ms = clock();
  return { producer: 'p0', seq: 0, attempt: 0, key: 'k', intendedMs: ms, issuedMs: ms, sentMs: ms, endMs: ms, outcome: 'ok', class: 'ok', region };
}

describe('the silence of a region', () => {
  it('is told from the load where that was served by it', async () => {
    answerAs('east');
    const drill = drillOf();
    drill.live.add(served(drill.clock, 'east'));
    const heard = await listenTo(drill, 'east', true) ?? assert.fail('nothing to listen to');
    const attempt = served(drill.clock, 'east');
    drill.live.add(attempt);
    drill.live.add(served(drill.clock, 'west'));
    assert.deepEqual(await heard(), { lastMs: attempt.endMs, untilMs: drill.live.lastEndMs, missed: 1, by: 'load' });
    // Asked once, so that it can be asked when the load stands still.
    assert.deepEqual(tier1.requests, [`GET east.${globalHost} /topics`]);
  });

  it('is told by asking a region that the load is served by while that stands still, unless it did not answer before', async () => {
    for (const answers of [true, false]) {
      answerAs('east', answers ? 200 : 503);
      const drill = drillOf();
      drill.live.add(served(drill.clock, 'east'));
      const heard = await listenTo(drill, 'east', true) ?? assert.fail('nothing to listen to');
      await delay(600);
      answerAs('west');
      await heard();
      const { missed, by } = await heard();
      assert.deepEqual({ missed, by }, answers ? { missed: 2, by: 'asking' } : { missed: 0, by: 'load' });
      drill.live.add(served(drill.clock, 'west'));
      assert.equal((await heard()).by, 'load');
    }
  });

  it('is told by asking a region that stands by, under its own name, also where it stood in once', async () => {
    answerAs('west');
    const drill = drillOf();
    drill.live.add(served(drill.clock, 'west'));
    const heard = await listenTo(drill, 'west', false) ?? assert.fail('nothing to listen to');
    assert.deepEqual(tier1.requests, [`GET west.${globalHost} /topics`]);
    const before = drill.clock();
    assert.ok((await heard()).lastMs >= before, 'it answers still');
    // Another region answers in its place.
    answerAs('east');
    const now = drill.clock();
    const { lastMs, missed } = await heard();
    assert.ok(lastMs < now);
    assert.deepEqual([missed, (await heard()).lastMs, (await heard()).missed], [1, lastMs, 3]);
  });

  it('is ended by a request of the load that it serves while it is asked', async () => {
    answerAs('west');
    const drill = drillOf();
    const heard = await listenTo(drill, 'west', false) ?? assert.fail('nothing to listen to');
    answerAs('east');
    assert.equal((await heard()).missed, 1);
    const attempt = served(drill.clock, 'west');
    drill.live.add(attempt);
    const { lastMs, missed } = await heard();
    assert.deepEqual([lastMs, missed], [attempt.endMs, 0]);
  });

  it('is told from the load again as soon as that goes on, be it while the region is asked', async () => {
    answerAs('east');
    const drill = drillOf();
    drill.live.add(served(drill.clock, 'east'));
    const heard = await listenTo(drill, 'east', true) ?? assert.fail('nothing to listen to');
    await delay(600);
    tier1.intercept = (_, response) => {
      drill.live.add(served(drill.clock, 'west'));
      return response.writeHead(503).end() !== undefined;
    };
    assert.equal((await heard()).by, 'load');
  });

  it('is told by asking a region that the load was to be served by, and was not', async () => {
    answerAs('east');
    const heard = await listenTo(drillOf(), 'east', true) ?? assert.fail('nothing to listen to');
    assert.equal((await heard()).by, 'asking');
  });

  it('is not begun by questions that nobody answers, and begins anew with each that the region does', async () => {
    answerAs('west');
    const heard = await listenTo(drillOf(), 'west', false) ?? assert.fail('nothing to listen to');
    tier1.intercept = (_, response) => response.destroy().destroyed;
    assert.equal((await heard()).missed, 0);
    answerAs('east');
    assert.equal((await heard()).missed, 1);
    answerAs('west');
    assert.equal((await heard()).missed, 0);
  });

  it('is not broken by another region that answers in its place, also where a gateway\'s address is a host name', async () => {
    tier1.intercept = ({ url }, response) => {
      response.setHeader('x-kbf-gateway', 'west').setHeader('x-kbf-upstream', '127.0.0.1:15443');
      return url === '/topics' && response.writeHead(200).end('[]') !== undefined;
    };
    const drill = drillOf();
    Object.assign(drill.outputs, { regions: [{ name: 'east', gatewayAddress: 'localhost' }, { name: 'west', gatewayAddress: '10.214.0.1' }] });
    assert.equal(await listenTo(drill, 'west', false), undefined);
  });

  it('says nothing of a region that does not answer while nothing is wrong', async () => {
    for (const [region, status] of [['east', 200], ['west', 503]] as const) {
      answerAs(region, status);
      assert.equal(await listenTo(drillOf(), 'west', false), undefined);
    }
  });
});

describe('the length of a silence', () => {
  /** How likely it is that no such number of requests in a row misses a region that is sent every n-th of them at random. */
  function heardOf(missed: number, regions: number, requests: number): number {
    // By how many have missed it last.
    let chances = [1];
    for (let i = 0; i < requests; i += 1) chances = [chances.reduce((sum, chance) => sum + chance, 0) / regions, ...chances.map((chance) => chance * (1 - 1 / regions))].slice(0, missed);
    return chances.reduce((sum, chance) => sum + chance, 0);
  }

  const plan = (rate: number, load: Partial<LoadPlan> = {}): Plan => ({ rate, durationSeconds: 30, connections: 16, seed: 1, load: { ...defaultLoad, ...load } }) as Plan;
  const fault = (regions: number, before: Serving = 'serves'): Pick<FaultMark, 'region' | 'injectMs' | 'expects'> => ({
    region: 'r0', injectMs: 11_000, expects: Object.fromEntries(Array.from({ length: regions }, (_, i) => [`r${i}`, { before: i === 0 ? before : 'serves', during: 'any', after: 'any' }])),
  });
  const of = (...args: Parameters<typeof silenceMs>): number => Math.round(silenceMs(...args));

  it('makes it unlikely over all that is heard in a minute that a region is silent by chance', () => {
    for (const regions of [2, 3, 10]) {
      for (const requests of [60, 600, 6000]) {
        const missed = Math.floor(requestsMissed(regions, requests));
        const chance = 1 - heardOf(missed, regions, requests);
        assert.ok(chance <= 0.01, `${regions} regions, ${requests} requests: ${chance} of ${missed}`);
      }
    }
    assert.ok(1 - heardOf(5, 2, 600) > 0.98, 'five would not do');
  });

  it('is of so many requests as the driver sends itself, and half a second at least', () => {
    assert.deepEqual([of(plan(100), fault(2), 1000), of(plan(1000), fault(2), 1000)], [500, 500]);
    assert.deepEqual([of(plan(10), fault(2), 1000), of(plan(10), fault(4), 1000)], [2062, 3849]);
    assert.equal(of(plan(100, { workers: 2 }), fault(2), 1000), 2062);
    // A third of the way up, and down to what it ends with.
    assert.equal(of(plan(30, { pattern: 'ramp', rampFrom: 1 }), fault(2), 1000), 2139);
    assert.equal(of(plan(10, { pattern: 'ramp', rampFrom: 100 }), fault(2), 1000), 2522);
  });

  it('is one of requests that others had as well, and of what is known by now alone', () => {
    const load = { ms: 500, requests: 26 };
    const silent = (untilMs: number, missed: number): boolean => isSilence({ lastMs: 0, untilMs, missed, by: 'load' }, 1000, load);
    assert.deepEqual([silent(1500, 26), silent(9000, 25), silent(1499, 99)], [true, false, false]);
  });

  it('of a region that is asked is one of two answers by others, or of five seconds without any', () => {
    const silent = (untilMs: number, missed: number): boolean => isSilence({ lastMs: 0, untilMs, missed, by: 'asking' }, 1000, { ms: 1, requests: 0 });
    assert.deepEqual([silent(1500, 2), silent(1499, 2), silent(5999, 1), silent(6000, 0)], [true, false, false, true]);
  });

  it('is half a second of a region that is asked itself', () => {
    assert.equal(of(plan(1), fault(2, 'any')), 500);
  });

  it('is told by asking a region that tier1 gives fewer requests than the load is taken to send it', () => {
    const weighted = (share: number): Pick<FaultMark, 'region' | 'injectMs' | 'expects'> => {
      const each = (of: number): Expected => ({ before: 'serves', during: 'any', after: 'any', share: of });
      return { region: 'r0', injectMs: 11_000, expects: { r0: each(share), r1: each(1 - share) } };
    };
    assert.deepEqual([0.01, 0.3, 0.5, 0.7].map((share) => isToldByLoad(weighted(share))), [false, false, true, true]);
    assert.deepEqual([missesNeeded(plan(10), weighted(0.3)), of(plan(10), weighted(0.3)), of(plan(10), weighted(0.7))], [0, 500, 2062]);
    assert.deepEqual([isToldByLoad(fault(3)), isToldByLoad(fault(2, 'any'))], [true, false]);
  });
});

describe('a fault of a region that stands by', () => {
  let stateDir: string;
  beforeEach(() => { stateDir = mkdtempSync(join(tmpdir(), 'kbf-silence-')); });
  afterEach(() => { rmSync(stateDir, { recursive: true }); });

  /** Whatever is in the cluster is as the fault says. */
  const under = async (onInject: () => void): Promise<FaultMark> => {
    const drill = drillOf(stateDir);
    const fault = { name: 'region-black-hole', expects: { during: 'silent' }, ends: 'healed', inject: () => { onInject(); return Promise.resolve(); } };
    const yes = (): Promise<boolean> => Promise.resolve(true);
    Object.assign(fault, { isEffective: yes, heal: yes, isHealed: yes });
    const load = setInterval(() => { drill.live.add(served(drill.clock, 'east')); }, 20);
    try {
      await underFault(drill, { fault, region: 'west', target: { refs: {} }, text: 'west', holdMs: 700, asked: true, undo: {} } as unknown as Injection);
    } finally {
      clearInterval(load);
    }
    return drill.faults[0] ?? assert.fail('no fault was marked');
  };

  it('takes hold when the region itself does not answer any more', async () => {
    answerAs('west');
    const { tookHoldMs, recoveredMs } = await under(() => { answerAs('east', 503); });
    assert.ok(tookHoldMs !== undefined && recoveredMs !== undefined);
  });

  it('does not take hold by a silence that was there before', async () => {
    answerAs('west', 503);
    const { tookHoldMs, recoveredMs } = await under(() => undefined);
    assert.ok(tookHoldMs === undefined && recoveredMs !== undefined);
  });
});

describe('a fault of a region that serves', () => {
  let stateDir: string;
  beforeEach(() => { stateDir = mkdtempSync(join(tmpdir(), 'kbf-silence-')); });
  afterEach(() => { rmSync(stateDir, { recursive: true }); });

  it('does not take hold where a thin load misses the region by chance', async () => {
    const ended = new AbortController();
    answerAs('east');
    const drill = drillOf(stateDir);
    Object.assign(drill, { signal: ended.signal, plan: { ...drill.plan, rate: 10, load: defaultLoad } });
    Object.assign(drill.outputs, { tier1: undefined });
    const yes = (): Promise<boolean> => Promise.resolve(true);
    const fault = { name: 'region-black-hole', expects: { during: 'silent' }, ends: 'healed', inject: yes, isEffective: yes, heal: yes, isHealed: yes };
    // Nine requests come to the other region, then one to this.
    let sent = 0;
    const send = (): void => { drill.live.add(served(drill.clock, sent++ % 10 === 0 ? 'east' : 'west')); };
    send();
    const load = setInterval(send, 100);
    setTimeout(() => { ended.abort(new Error('seen enough')); }, 2500);
    try {
      await assert.rejects(underFault(drill, { fault, region: 'east', target: { refs: {} }, text: 'east', holdMs: 100, asked: true, undo: {} } as unknown as Injection), /seen enough|aborted/);
    } finally {
      clearInterval(load);
    }
    assert.equal(drill.faults[0]?.tookHoldMs, undefined);
  });

  /** A fault of the east that is held until a second after it took hold, or for two seconds. Records come every 10 ms, in turn from both regions, where `isAnswered` says so. */
  const under = async (isAnswered: (region: string, sinceMs: number) => boolean): Promise<FaultMark> => {
    const ended = new AbortController();
    const drill = drillOf(stateDir);
    const { clock } = drill;
    Object.assign(drill, { signal: ended.signal, plan: { ...drill.plan, load: defaultLoad } });
    Object.assign(drill.outputs, { tier1: undefined });
    let injectedMs = Infinity;
    const yes = (): Promise<boolean> => Promise.resolve(true);
    const fault = { name: 'region-black-hole', expects: { during: 'silent' }, ends: 'healed', inject: () => { injectedMs = clock(); return Promise.resolve(); }, isEffective: yes, heal: yes, isHealed: yes };
    let sent = 0;
    const send = (): void => {
      const region = sent++ % 2 === 0 ? 'east' : 'west';
      if (isAnswered(region, clock() - injectedMs)) drill.live.add(served(clock, region));
    };
    send();
    const load = setInterval(send, 10);
    const stop = setTimeout(() => { ended.abort(new Error('seen enough')); }, 2500);
    try {
      await underFault(drill, { fault, region: 'east', target: { refs: {} }, text: 'east', holdMs: 1000, asked: true, undo: {} } as unknown as Injection).catch((error: unknown) => {
        if (!ended.signal.aborted) throw error;
      });
    } finally {
      clearInterval(load);
      clearTimeout(stop);
    }
    return drill.faults[0] ?? assert.fail('no fault was marked');
  };

  it('does not take hold where nobody at all is answered for a moment', async () => {
    answerAs('east');
    assert.equal((await under((_, sinceMs) => sinceMs < 300 || sinceMs > 1200)).tookHoldMs, undefined);
  });

  it('takes hold where others answer for it', async () => {
    answerAs('east');
    assert.notEqual((await under((region, sinceMs) => sinceMs < 0 || region === 'west')).tookHoldMs, undefined);
  });

  it('takes hold where every connection of the load waits for it, as others answer in its place when it is asked', async () => {
    answerAs('east');
    const marked = under((_, sinceMs) => {
      if (sinceMs > 0) answerAs('west');
      return sinceMs < 100;
    });
    assert.notEqual((await marked).tookHoldMs, undefined);
  });
});
