import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startClock } from '../../automation/drill/exchange.ts';
import { Live } from '../../automation/drill/live.ts';
import type { Drill } from '../../automation/drill/phases.ts';
import type { FaultMark } from '../../automation/drill/plan.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { listenTo } from '../../automation/drill/silence.ts';
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
    const drill = drillOf();
    const attempt = served(drill.clock, 'east');
    drill.live.add(attempt);
    const heard = await listenTo(drill, 'east', true) ?? assert.fail('nothing to listen to');
    assert.equal(await heard(), attempt.endMs);
    assert.deepEqual(tier1.requests, []);
  });

  it('is told by asking a region that stands by, under its own name, also where it stood in once', async () => {
    answerAs('west');
    const drill = drillOf();
    drill.live.add(served(drill.clock, 'west'));
    const heard = await listenTo(drill, 'west', false) ?? assert.fail('nothing to listen to');
    assert.deepEqual(tier1.requests, [`GET west.${globalHost} /topics`]);
    const before = drill.clock();
    assert.ok(await heard() >= before, 'it answers still');
    // Another region answers in its place.
    answerAs('east');
    assert.ok(await heard() < drill.clock());
    const last = await heard();
    assert.equal(await heard(), last);
  });

  it('says nothing of a region that does not answer while nothing is wrong', async () => {
    for (const [region, status] of [['east', 200], ['west', 503]] as const) {
      answerAs(region, status);
      assert.equal(await listenTo(drillOf(), 'west', false), undefined);
    }
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
