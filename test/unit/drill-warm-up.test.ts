import assert from 'node:assert/strict';

import { startClock } from '../../automation/drill/exchange.ts';
import { startLoad } from '../../automation/drill/load.ts';
import { constant } from '../../automation/drill/pacer.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { warmUp } from '../../automation/drill/warm-up.ts';

describe('the load before it is measured', () => {
  it('goes on until its requests find a connection at once, and every one has ended', async () => {
    const attempts: Attempt[] = [];
    let pending = 0;
    const clock = (): number => performance.now();
    const begin = clock();
    // For its first three seconds every request waits half a second for a connection.
    const producer = {
      async send(seq: number, intendedMs: number): Promise<Attempt> {
        pending += 1;
        const issuedMs = clock();
        const waitMs = issuedMs - begin < 3_000 ? 500 : 0;
        await new Promise((resolve) => { setTimeout(resolve, waitMs); });
        const attempt = { producer: 'warm-up', seq, key: 'k', intendedMs, issuedMs, sentMs: issuedMs + waitMs, endMs: clock(), outcome: 'ok', class: 'ok' } as Attempt;
        attempts.push(attempt);
        pending -= 1;
        return attempt;
      },
    };
    await warmUp({ start: () => startLoad(producer, constant(50), clock), attempts, clock, signal: new AbortController().signal });
    assert.equal(pending, 0);
    assert.ok(attempts.some(({ issuedMs }) => issuedMs - begin > 3_500), 'it ended while requests still waited');
  });

  it('ends at once when it is told to', async () => {
    const producer = { send: () => Promise.resolve({} as Attempt) };
    const clock = startClock();
    await assert.rejects(warmUp({ start: () => startLoad(producer, constant(10), clock), attempts: [], clock, signal: AbortSignal.abort(new Error('enough')) }), /abort/i);
  });
});
