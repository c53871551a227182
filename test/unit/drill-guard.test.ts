import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { guardLoad } from '../../automation/drill/guard.ts';
import { Live } from '../../automation/drill/live.ts';
import type { Attempt } from '../../automation/drill/records.ts';

/** Tells why a load that went on like this for 12 s has to end, or that it need not. */
async function guarded(outcomeAt: (ms: number) => Attempt['outcome'] | undefined, mostErrors = 0.5, triesAt: (ms: number) => Attempt['outcome'][] = () => []): Promise<string> {
  let now = 0;
  const live = new Live(() => now, ['east']);
  const { promise, resolve } = Promise.withResolvers<string>();
  using cleanup = new DisposableStack();
  cleanup.use(guardLoad({ live, clock: () => now, mostErrors, onBroken: ({ message }) => { resolve(message); } }));
  for (now = 0; now < 12_000; now += 100) {
    const outcome = outcomeAt(now);
    if (outcome === undefined) continue;
    for (const [attempt, each] of [...triesAt(now), outcome].entries()) live.add({ producer: 'p0', seq: now, attempt, key: 'k', intendedMs: now, issuedMs: now, endMs: now, outcome: each, class: each, region: 'east' });
  }
  // It looks twice a second.
  return await Promise.race([promise, delay(1_500, 'goes on')]);
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
});
