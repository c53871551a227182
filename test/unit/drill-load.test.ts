import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { mock } from 'node:test';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { contentOf } from '../../automation/drill/content.ts';
import { startClock } from '../../automation/drill/exchange.ts';
import type { KafkaView } from '../../automation/drill/faults/target.ts';
import { Lanes } from '../../automation/drill/lanes.ts';
import { Live } from '../../automation/drill/live.ts';
import { startLoad } from '../../automation/drill/load.ts';
import { connectionWait } from '../../automation/drill/metrics.ts';
import { constant } from '../../automation/drill/pacer.ts';
import type { Drill } from '../../automation/drill/phases.ts';
import type { LoadPlan, PlanStep, StepRecord } from '../../automation/drill/plan.ts';
import { producer } from '../../automation/drill/producer.ts';
import type { Producer } from '../../automation/drill/producer.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { carryOutSteps } from '../../automation/drill/steps.ts';
import type { Injection } from '../../automation/drill/underFault.ts';
import { ExpectedStep, Window } from '../../automation/drill/window.ts';
import { fakeRegions, globalHost, startFakeTier1 } from '../fixtures/fake-tier1.ts';
import type { FakeTier1 } from '../fixtures/fake-tier1.ts';
import { lateness } from '../fixtures/lateness.ts';

describe('the load', () => {
  let tier1: FakeTier1;
  let pool: Pool;
  let attempts: Attempt[];
  let produce: Producer;
  let lanes: Lanes;
  let stop: AbortController;
  const clock = startClock();
  const content = contentOf({ run: 'r', keys: 6, seed: 1, load: { keyDistribution: 'uniform', payloadBytes: 0, format: 'json' } });

  function startProducer(timeoutMs: number, retry: LoadPlan['retry'] = 'none'): void {
    produce = producer({
      dispatcher: pool, lanes, hostname: globalHost, topic: 't', run: 'r', name: 'p0', content, retry, timeoutMs, regions: fakeRegions, proxiesRepeat: false, clock, signal: stop.signal,
      onAttempt: (attempt) => attempts.push(attempt),
    });
  }

  function connect(origin: string): void {
    pool = new Pool(origin, { connections: 4, pipelining: 1 });
    lanes = new Lanes(4);
  }

  beforeEach(async () => {
    tier1 = await startFakeTier1();
    attempts = [];
    stop = new AbortController();
    connect(tier1.origin);
    startProducer(10_000);
  });
  afterEach(async () => {
    await pool.destroy();
    await tier1[Symbol.asyncDispose]();
  });

  it('owes what was due while it stood still until its end', async () => {
    const load = startLoad(produce, constant(100), clock);
    await delay(50);
    const until = performance.now() + 500;
    while (performance.now() < until);
    // Nothing else has run since.
    await load.stop();
    assert.ok(attempts.length >= 55, `${attempts.length} of 55`);
    assert.ok(lateness(attempts) > 400, `late by ${lateness(attempts)} ms`);
    const sent = attempts.length;
    await delay(50);
    await load.stop();
    assert.equal(attempts.length, sent, 'nothing after its end');
  });

  /** Returns how long it really was. */
  async function loadFor(ms: number, rate: number): Promise<number> {
    const beginMs = clock();
    const load = startLoad(produce, constant(rate), clock);
    await delay(ms);
    const elapsedMs = clock() - beginMs;
    await load.stop();
    return elapsedMs;
  }

  it('writes each record once, in a rate that it keeps, and says who served it', async () => {
    const elapsedMs = await loadFor(500, 200);
    assert.ok(attempts.length >= elapsedMs / 5 / 2 && attempts.length <= elapsedMs / 5 + 1, `${attempts.length} attempts in ${elapsedMs} ms`);
    assert.ok(attempts.every(({ outcome, status, region }) => outcome === 'ok' && status === 200 && region !== undefined));
    assert.deepEqual(new Set(attempts.map(({ region }) => region)), new Set(['east', 'west']));
    assert.deepEqual(tier1.log.flat().length, attempts.length);
    assert.deepEqual(attempts.map(({ seq }) => seq).sort((a, b) => a - b), attempts.map((_, i) => i));
    for (const { partition = -1, offset = -1, producer: name, seq } of attempts) assert.deepEqual(tier1.log[partition]?.[offset]?.value, { run: 'r', producer: name, seq });
    assert.equal(tier1.requests[0], `POST ${globalHost} /topics/t`);
  });

  it('counts the region that really served, when a gateway passed the request on', async () => {
    tier1.away.add('east');
    await loadFor(200, 100);
    assert.deepEqual(new Set(attempts.map(({ region }) => region)), new Set(['west']));
  });

  it('keeps its connections, and opens no more than it may', async () => {
    tier1.stallMs = 50;
    await loadFor(400, 200);
    assert.equal(tier1.connections, 4);
  });

  it('shows a stall in the latency from the intended time, and goes on sending meanwhile', async () => {
    const beginMs = clock();
    const load = startLoad(produce, constant(100), clock);
    await delay(100);
    tier1.stallMs = 300;
    await delay(100);
    tier1.stallMs = 0;
    await delay(600);
    const elapsedMs = clock() - beginMs;
    await load.stop();
    // Behind four stalled connections the fifth request and those after it waited although nobody had sent them yet.
    const waited = attempts.filter(({ issuedMs, sentMs = 0 }) => sentMs - issuedMs > 50);
    assert.ok(waited.length >= 5, `${waited.length} requests waited for a connection`);
    assert.ok(Math.max(...attempts.map(({ endMs, intendedMs }) => endMs - intendedMs)) >= 300);
    // A closed loop would have sent four in the time of the stall.
    assert.ok(attempts.length >= elapsedMs / 10 / 2, `${attempts.length} requests in ${elapsedMs} ms: the load slowed down with the server`);
  });

  it('shows connections that do not carry it as a wait of the typical request', async () => {
    const waitOf = async (stallMs: number): Promise<number> => {
      attempts = [];
      tier1.stallMs = stallMs;
      const fromMs = clock();
      await loadFor(1000, 100);
      return connectionWait(attempts, { fromMs: fromMs + 500, toMs: fromMs + 1000 }) ?? Number.NaN;
    };
    // Four connections at 100/s carry answers that take up to 40 ms.
    assert.ok(await waitOf(5) < 20);
    assert.ok(await waitOf(80) > 200);
  });

  it('measures its own lateness when this process stalls', async () => {
    const load = startLoad(produce, constant(100), clock);
    await delay(50);
    const until = performance.now() + 250;
    while (performance.now() < until);
    await delay(100);
    await load.stop();
    assert.ok(lateness(attempts) >= 150, `the generator was ${lateness(attempts)} ms late`);
  });

  it('ends every request: refused', async () => {
    connect('http://127.0.0.1:9');
    startProducer(1000);
    const { outcome, class: name, sentMs } = await produce.send(0, clock());
    assert.deepEqual({ outcome, name, sentMs }, { outcome: 'failed', name: 'unsent-refused', sentMs: undefined });
  });

  it('ends every request: unanswered', async () => {
    startProducer(100);
    tier1.intercept = () => true;
    const { outcome, class: name } = await produce.send(0, clock());
    assert.deepEqual({ outcome, name }, { outcome: 'unknown', name: 'timeout' });
  });

  it('ends every request: never sent, as every connection was busy; that costs no connection', async () => {
    const held: ServerResponse[] = [];
    tier1.intercept = (_, response) => held.push(response) > 0;
    const busy = Array.from({ length: 4 }, (_, seq) => produce.send(seq, clock()));
    startProducer(50);
    const bodyOf = mock.method(content, 'bodyOf');
    const unsent = await Promise.all(Array.from({ length: 20 }, (_, i) => produce.send(4 + i, clock())));
    assert.deepEqual(new Set(unsent.map(({ outcome, class: name, sentMs }) => `${outcome} ${name} ${sentMs}`)), new Set(['failed unsent-timeout undefined']));
    assert.equal(bodyOf.mock.callCount(), 0, 'what waits for a connection holds no payload');
    bodyOf.mock.restore();
    tier1.intercept = undefined;
    startProducer(10_000);
    const next = produce.send(24, clock());
    for (const response of held) response.writeHead(200).end('{"offsets":[{"partition":0,"offset":0}]}');
    await Promise.all(busy);
    assert.equal((await next).outcome, 'ok');
    assert.deepEqual([tier1.requests.length, tier1.connections], [5, 4]);
  });

  const refuse = (body: string): void => {
    tier1.intercept = (_, response) => {
      response.writeHead(503).end(body);
      tier1.intercept = undefined;
      return true;
    };
  };

  for (const { retry, body, tries } of [
    { retry: 'none', body: 'no healthy upstream', tries: ['failed'] },
    { retry: 'safe', body: 'no healthy upstream', tries: ['failed', 'ok'] },
    { retry: 'safe', body: 'upstream connect error or disconnect/reset before headers. reset reason: connection termination', tries: ['unknown'] },
    { retry: 'always', body: 'upstream connect error or disconnect/reset before headers. reset reason: connection termination', tries: ['unknown', 'ok'] },
  ] as const) {
    it(`stores each of a record's attempts: ${tries.join(', then ')} with retry ${retry}`, async () => {
      startProducer(10_000, retry);
      refuse(body);
      const dueMs = clock() - 5;
      const last = await produce.send(7, dueMs);
      assert.deepEqual(attempts.map(({ outcome }) => outcome), tries);
      assert.deepEqual(attempts.map(({ producer: name, seq, attempt, key, intendedMs }) => ({ name, seq, attempt, key, intendedMs })), tries.map((_, attempt) => ({ name: 'p0', seq: 7, attempt, key: 'k1', intendedMs: dueMs })));
      assert.equal(last, attempts.at(-1));
      for (const [i, { issuedMs }] of attempts.slice(1).entries()) assert.ok(issuedMs - (attempts[i]?.endMs ?? 0) >= 24, 'it was sent again without a pause');
    });
  }

  it('sends nothing again once it was told to end', async () => {
    startProducer(10_000, 'always');
    tier1.intercept = (_, response) => {
      stop.abort();
      return response.writeHead(503).end('no healthy upstream') !== undefined;
    };
    assert.equal((await produce.send(0, clock())).outcome, 'failed');
    assert.equal(attempts.length, 1);
  });

  it('ends every request: cut off', async () => {
    tier1.intercept = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"offsets":[{"partition":0,"offset":7}');
      setTimeout(() => { response.destroy(); }, 20);
      return true;
    };
    const { outcome, class: name } = await produce.send(0, clock());
    assert.deepEqual({ outcome, name }, { outcome: 'unknown', name: 'reset' });
  });
});

describe('the live view', () => {
  const attempt = (endMs: number, more: Partial<Attempt> = {}): Attempt =>
    ({ producer: 'p0', seq: 0, attempt: 0, key: 'k', intendedMs: endMs, issuedMs: endMs, endMs, outcome: 'ok', class: 'ok', region: 'east', ...more });

  it('shows rate and shares of the last second, and all outcomes so far', () => {
    let now = 5000;
    const live = new Live(() => now, ['east', 'west']);
    for (const each of [attempt(3000), attempt(4200), attempt(4500, { region: 'west' }), attempt(4600, { region: 'west' }), attempt(4700, { outcome: 'failed' })]) live.add(each);
    assert.deepEqual(live.view(), { rate: 4, ok: 4, failed: 1, unknown: 0, byRegion: { east: 1 / 3, west: 2 / 3 } });
    now = 9000;
    assert.deepEqual(live.view(), { rate: 0, ok: 4, failed: 1, unknown: 0, byRegion: { east: 0, west: 0 } });
  });

  it('keeps what a later step is to judge, and nothing else for longer than a minute', async () => {
    const black: PlanStep = { kind: 'do', fault: 'region-black-hole', region: 'east' };
    const expect: PlanStep = { kind: 'expect', objective: 'produce.sent>0' };
    const wait: PlanStep = { kind: 'wait', seconds: 0.01 };
    const isKept = async (...others: PlanStep[]): Promise<boolean[]> => {
      const live = new Live(() => 0, ['east']);
      const stateDir = await mkdtemp(path.join(tmpdir(), 'kbf-steps-'));
      const kept: boolean[] = [];
      const [done, yes] = [() => Promise.resolve(kept.push(live.gathered !== undefined)), () => Promise.resolve(true)];
      const fault = { name: 'region-black-hole', expects: { during: 'any' }, ends: 'healed', describe: () => 'east', prepare: yes, inject: done, isEffective: yes, heal: yes, isHealed: yes };
      const drill = {
        live, clock: () => 0, plan: { run: 'r', durationSeconds: 0.03, steps: [black, ...others] }, marks: {}, faults: [], steps: [], signal: new AbortController().signal,
        outputs: { regions: [{ name: 'east' }] }, options: { stateDir }, phase: () => undefined, mark: () => undefined,
      };
      setTimeout(() => { live.add(attempt(1, { sentMs: 1 })); }, 20);
      await carryOutSteps(drill as unknown as Drill, { fault, region: 'east', target: { refs: {} }, text: 'east', holdMs: 0, asked: true, undo: {} } as unknown as Injection, {} as KafkaView, { recreated: ['poll: 503 no healthy upstream'] });
      await rm(stateDir, { recursive: true });
      return [...kept, live.gathered !== undefined];
    };
    assert.deepEqual([await isKept(), await isKept(wait), await isKept(wait, expect, expect, wait)], [[false, false], [false, false], [true, false]]);
  });

  it('comes to no fault where consumers are lost without one, as nobody knows what they are asked about', async () => {
    const drill = { live: new Live(() => 0, ['east']), clock: () => 0, plan: { durationSeconds: 0.03, steps: [{ kind: 'wait', seconds: 0.01 }, { kind: 'do', fault: 'bridge-kill', region: 'east' }] }, marks: {}, steps: [], signal: new AbortController().signal };
    const unknown = 'poll: 404 {"error_code":404,"message":"The specified consumer instance was not found."}';
    // Of what was lost before the load a fault may be the reason that is arranged before it.
    const recreated = [unknown];
    const fault = { describe: () => 'east', prepare: () => Promise.resolve({}), inject: () => assert.fail('it was injected') };
    const carried = carryOutSteps(drill as unknown as Drill, { fault } as unknown as Injection, {} as KafkaView, { recreated });
    recreated.push('commit: 503 no healthy upstream', unknown);
    await assert.rejects(carried, { name: 'UserError', message: /^consumers lost their instances 1 times before the fault, which was not injected, as who was asked did not know them \(poll: 404 / });
  });

  it('keeps no attempt for longer than a minute, however much of the load a step is to judge, and judges all of it', () => {
    const live = new Live(() => 0, ['east']);
    const window = live.gathered = new Window({ fromMs: 0, toMs: Infinity });
    const all: Attempt[] = [];
    for (let seq = 0; seq < 4000; seq += 1) all.push(attempt(seq * 100, { seq, intendedMs: seq * 100 - 20, ...(seq === 7 || seq === 9 ? { outcome: 'unknown', class: 'timeout' } : seq === 8 ? { outcome: 'failed', class: 'refused' } : {}) }));
    // What a client sent again is what the best of its requests came to, in whatever order they ended.
    all.push(attempt(400_000, { seq: 7, attempt: 1, intendedMs: 680 }), attempt(400_010, { seq: 100, attempt: 1, outcome: 'failed', class: 'refused' }));
    for (const each of all) live.add(each);
    assert.ok(live.endedSince(-1).length <= 710, `${live.endedSince(-1).length} attempts are kept`);
    const step: StepRecord = { kind: 'expect', text: 'produce.unknown<=1', startMs: 0, endMs: 401_000 };
    const later = new ExpectedStep(step, ['east']);
    for (const each of all) later.add(each);
    assert.deepEqual(new ExpectedStep(step, ['east'], live.gathered).judged(), later.judged());
    assert.deepEqual(later.judged(), { ...step, measured: 1, met: true });
    assert.deepEqual(window.figures(401_000), {
      'produce.sent': 4000, 'produce.attempts': 4002, 'produce.ok': 3998, 'produce.failed': 1, 'produce.unknown': 1, 'produce.blackoutMs': 1000,
      'produce.latencyMs.p50': 20, 'produce.latencyMs.p99': 20, 'produce.latencyMs.max': 399_320,
    });
  });

  it('wakes who waits for something, and gives up in time or on abort', async () => {
    const live = new Live(() => 0, ['east']);
    const stop = new AbortController();
    const seen = live.until(() => live.totals.ok === 1, 5000, stop.signal);
    live.add(attempt(1));
    assert.equal(await seen, true);
    assert.equal(await live.until(() => false, 10, stop.signal), false);
    const interrupted = live.until(() => false, 5000, stop.signal);
    stop.abort(new Error('enough'));
    await assert.rejects(interrupted, /enough/);
  });
});
