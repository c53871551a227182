import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { guardLoad } from '../../automation/drill/guard.ts';
import type { AbortCondition } from '../../automation/drill/guard.ts';
import { Live } from '../../automation/drill/live.ts';
import { defaultLoad } from '../../automation/drill/load-plan.ts';
import { constant, poisson, scheduleOf } from '../../automation/drill/pacer.ts';
import type { Schedule } from '../../automation/drill/pacer.ts';
import type { Plan } from '../../automation/drill/plan.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { Rounds } from '../../automation/drill/rounds.ts';
import { driversShare } from '../../automation/drill/workers/protocol.ts';

/** A load that is sent from then on. */
function sent(schedule: Schedule, beginMs: number): Rounds {
  const rounds = new Rounds();
  rounds.begin(schedule, beginMs);
  return rounds;
}

/** Tells why a load that went on like this for 12 s has to end, or that it need not. */
async function guarded(outcomeAt: (ms: number) => Attempt['outcome'] | undefined, mostErrors = 0.5, triesAt: (ms: number) => Attempt['outcome'][] = () => []): Promise<string> {
  let now = 0;
  const live = new Live(() => now, ['east']);
  const { promise, resolve } = Promise.withResolvers<string>();
  using cleanup = new DisposableStack();
  cleanup.use(guardLoad({ live, clock: () => now, rounds: sent(constant(10), 0), mostErrors, onBroken: ({ message }) => { resolve(message); } }));
  for (now = 0; now < 12_000; now += 100) {
    const outcome = outcomeAt(now);
    if (outcome === undefined) continue;
    for (const [attempt, each] of [...triesAt(now), outcome].entries()) live.add({ producer: 'p0', seq: now, attempt, key: 'k', intendedMs: now, issuedMs: now, endMs: now, outcome: each, class: each, region: 'east' });
  }
  // It looks twice a second.
  return await Promise.race([promise, delay(1_500, 'goes on')]);
}

/** Tells why, and when (ms since it began), a load of that schedule has to end whose requests come to this within 5 ms, or undefined where it goes on to its end. */
function guardedOn(schedule: Schedule, { forMs, classAt }: { forMs: number; classAt: (dueMs: number) => string }): { why: AbortCondition; atMs: number } | undefined {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const beginMs = 1_000;
    let [now, seq] = [beginMs, 0];
    let ended: { why: AbortCondition; atMs: number } | undefined;
    const live = new Live(() => now, ['east']);
    using cleanup = new DisposableStack();
    cleanup.use(guardLoad({ live, clock: () => now, rounds: sent(schedule, beginMs), mostErrors: 0.5, onBroken: (why) => { ended = { why, atMs: now - beginMs }; } }));
    for (; now < beginMs + forMs && ended === undefined; now += 500, mock.timers.tick(500)) {
      for (let dueMs = schedule(seq); beginMs + dueMs + 5 <= now; dueMs = schedule(seq)) {
        const name = classAt(dueMs);
        const intendedMs = beginMs + dueMs;
        live.add({ producer: 'p0', seq, attempt: 0, key: 'k', intendedMs, issuedMs: intendedMs, endMs: intendedMs + 5, outcome: name === 'ok' ? 'ok' : 'failed', class: name, region: 'east' });
        seq += 1;
      }
    }
    return ended;
  } finally {
    mock.timers.reset();
  }
}

describe('a load that is guarded', () => {
  it('goes on while failover has its time', async () => {
    assert.equal(await guarded((ms) => (ms > 4_000 && ms < 8_000 ? 'failed' : 'ok')), 'goes on');
  });

  it('is ended when more than half of 10 s is not ok, or the share that was asked for', async () => {
    const third = (ms: number): Attempt['outcome'] => (ms > 8_000 ? 'unknown' : 'ok');
    assert.equal(await guarded(third), 'goes on');
    assert.match(await guarded(third, 0.2), /^the error budget is spent: 39 of the 99 records whose requests ended in the last 10 s were not ok$/);
    assert.match(await guarded((ms) => (ms > 5_000 ? 'failed' : 'ok')), /^the error budget is spent/);
  });

  it('is no worse for records that are sent again until they are ok', async () => {
    const tries = (ms: number): Attempt['outcome'][] => (ms > 8_000 ? Array.from({ length: 5 }, () => 'failed' as const) : []);
    assert.equal(await guarded(() => 'ok', 0.5, tries), 'goes on');
    assert.match(await guarded((ms) => (ms > 5_000 ? 'unknown' : 'ok'), 0.5, tries), /^the error budget is spent: 69 of the 99 records/);
  });

  it('is ended when nobody serves, though nothing fails either', async () => {
    assert.equal(await guarded((ms) => (ms < 1_500 ? 'ok' : undefined)), 'no region served a request for 10 s');
  });

  const ramp = driversShare({ rate: 5000, durationSeconds: 3600, connections: 20, seed: 1, load: { ...defaultLoad, pattern: 'ramp', workers: 10 } } as unknown as Plan);

  it('goes on where nothing was due for long: the begin of a ramp, of which the driver sends a little, and a thin load whose times are drawn', () => {
    const schedule = scheduleOf(ramp);
    assert.ok(schedule(1) > 10_500, 'nothing is due for longer than it waits');
    assert.equal(guardedOn(schedule, { forMs: 60_000, classAt: () => 'ok' }), undefined);
    for (const seed of [1, 2, 3]) assert.equal(guardedOn(poisson(0.2, seed), { forMs: 1_800_000, classAt: () => 'ok' }), undefined, `seed ${seed}`);
  });

  it('is ended all the same where something was due, and nobody serves', () => {
    for (const schedule of [scheduleOf(ramp), poisson(0.2, 1), constant(100)]) {
      const { why, atMs } = guardedOn(schedule, { forMs: 60_000, classAt: () => 'refused' }) ?? assert.fail('it goes on');
      assert.deepEqual([why.message, why.own], ['no region served a request for 10 s', false]);
      assert.ok(atMs <= 10_500, `at ${atMs} ms`);
    }
    const { atMs } = guardedOn(scheduleOf(ramp), { forMs: 60_000, classAt: (dueMs) => (dueMs === 0 ? 'ok' : 'refused') }) ?? assert.fail('it goes on');
    const [firstMs] = [scheduleOf(ramp)(1)];
    assert.ok(atMs >= firstMs + 10_000 && atMs <= firstMs + 11_000, `at ${atMs} ms, and the first that nobody served was due at ${firstMs} ms`);
  });

  it('is ended as the drill\'s own failure where its machine could not send what was to be served', () => {
    /** From 11 s on nothing is served, and of every three records so many because this machine had no port. */
    const withOwn = (own: number): AbortCondition => guardedOn(constant(100), {
      forMs: 60_000, classAt: (dueMs) => (dueMs < 11_000 ? 'ok' : dueMs % 30 < 10 * own ? 'unsent-eaddrnotavail' : 'unsent-refused'),
    })?.why ?? assert.fail('it goes on');
    assert.match(withOwn(2).message, /^this machine had no port, file handle or buffer left to send \d+ of the \d+ records whose requests ended in the last 10 s$/);
    assert.match(withOwn(1).message, /^the error budget is spent/);
    assert.deepEqual([withOwn(3).own, withOwn(2).own, withOwn(1).own], [true, true, false]);
    assert.equal(guardedOn(constant(100), { forMs: 60_000, classAt: () => 'unsent-emfile' })?.why.own, true);
  });

  /** What ends a load that is sent in these rounds (from, to; ms) whose requests come to this, 50 a second, and those `late` (ms that they are due at) after so long, or undefined where it goes on. */
  function inRounds(times: [number, number][], { outcomeAt, late = [] }: { outcomeAt: (dueMs: number) => Attempt['outcome']; late?: [dueMs: number, afterMs: number][] }): { reason: string; atMs: number } | undefined {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      let now = 0;
      let ended: { reason: string; atMs: number } | undefined;
      const live = new Live(() => now, ['east']);
      const rounds = new Rounds();
      using cleanup = new DisposableStack();
      cleanup.use(guardLoad({ live, clock: () => now, rounds, mostErrors: 0.5, onBroken: ({ message }) => { ended = { reason: message, atMs: now }; } }));
      let end: ((endMs: number) => void) | undefined;
      const due = times.flatMap(([from, to]) => Array.from({ length: (to - from) / 20 }, (_, i) => from + i * 20)).map((dueMs, seq) => ({ seq, dueMs, endMs: dueMs + (late.find(([each]) => each === dueMs)?.[1] ?? 5) }))
        .toSorted((a, b) => a.endMs - b.endMs);
      for (; now <= 40_000 && ended === undefined; now += 100) {
        for (const [from, to] of times) {
          if (from === now) end = rounds.begin(constant(50), now);
          if (to === now) end?.(now);
        }
        for (let next = due[0]; next !== undefined && next.endMs <= now; next = due[0]) {
          const { seq, dueMs, endMs } = next;
          const outcome = late.some(([each]) => each === dueMs) ? 'unknown' : outcomeAt(dueMs);
          live.add({ producer: 'p0', seq, attempt: 0, key: 'k', intendedMs: dueMs, issuedMs: dueMs, endMs, outcome, class: outcome, region: 'east' });
          due.shift();
        }
        mock.timers.tick(100);
      }
      return ended;
    } finally {
      mock.timers.reset();
    }
  }

  it('is ended as one where it is sent again and again', () => {
    const times: [number, number][] = [[0, 3_000], [3_000, 6_000], [6_000, 9_000], [9_000, 40_000]];
    const { reason, atMs } = inRounds(times, { outcomeAt: () => 'failed' }) ?? assert.fail('it goes on');
    assert.equal(reason, 'no region served a request for 10 s');
    assert.ok(atMs >= 10_000 && atMs <= 10_500, `at ${atMs} ms`);
    assert.match(inRounds(times, { outcomeAt: (ms) => (ms % 100 < 40 ? 'ok' : 'failed') })?.reason ?? '', /^the error budget is spent: \d+ of the \d+ records whose requests ended in the last 10 s/);
    assert.equal(inRounds(times, { outcomeAt: (ms) => (ms % 100 < 60 ? 'ok' : 'failed') }), undefined);
  });

  it('goes on where only the last request was not served, and nothing was due after it, or not for long', () => {
    const last: [number, number][] = [[2_980, 10_000]];
    assert.equal(inRounds([[0, 3_000]], { outcomeAt: () => 'ok', late: last }), undefined);
    assert.equal(inRounds([[0, 3_000], [15_000, 40_000]], { outcomeAt: () => 'ok', late: last }), undefined);
  });

  it('goes on where nothing was due, as it waits for the last answers, and those are not ok', () => {
    const late = Array.from({ length: 12 }, (_, i): [number, number] => [2_000 + i * 20, 19_000]);
    assert.equal(inRounds([[0, 3_000], [21_500, 40_000]], { outcomeAt: () => 'ok', late }), undefined);
    const why = inRounds([[0, 3_000], [21_500, 40_000]], { outcomeAt: (ms) => (ms < 3_000 ? 'ok' : 'failed'), late });
    // What was due in 10 s was sent in so long.
    assert.match(why?.reason ?? '', /^the error budget is spent: \d+ of the \d+ records whose requests ended in the last 2\d s were not ok$/);
  });
});
