import assert from 'node:assert/strict';
import type { ConsumerGroup } from '../../automation/drill/consumers.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { reachSteadyState } from '../../automation/drill/steady.ts';

/** What is missing of a steady state of so many regions, and how often was probed; each probe takes half a second of a minute. */
async function steady(regions: number, answerOf: (probe: number) => Partial<Attempt>, consumers?: Pick<ConsumerGroup, 'start' | 'allBusy'>): Promise<{ missing: string | undefined; probes: number }> {
  let probes = 0;
  const missing = await reachSteadyState({
    probe: () => {
      probes += 1;
      return Promise.resolve({ outcome: 'ok', class: 'ok', ...answerOf(probes - 1) } as Attempt);
    },
    regions: Array.from({ length: regions }, (_, i) => `r${i}`), clock: () => probes * 500, signal: new AbortController().signal,
    ...(consumers && { consumers: consumers as ConsumerGroup }),
  });
  return { missing, probes };
}

describe('a steady state', () => {
  it('is seen of many regions over more probes than of two', async () => {
    // Each region serves eight in a row: of 30 probes no more than five regions ever serve any.
    const { missing, probes } = await steady(8, (probe) => ({ region: `r${Math.floor(probe / 8) % 8}` }));
    assert.deepEqual({ missing, probes }, { missing: undefined, probes: 59 });
  });

  it('is of the last 30 probes that all are answered', async () => {
    const { missing, probes } = await steady(4, (probe) => (probe === 0 ? { outcome: 'failed', class: 'http-404' } : { region: `r${probe % 4}` }));
    assert.deepEqual({ missing, probes }, { missing: undefined, probes: 31 });
  });

  it('is none where a region serves too few', async () => {
    const { missing } = await steady(2, (probe) => ({ region: probe % 16 === 0 ? 'r1' : 'r0' }));
    assert.match(missing ?? '', /nothing was injected: r1 served none or too few of the last 30 requests/);
  });

  it('is none where a consumer is given nothing, or cannot be made, which is said at once', async () => {
    const serving = (probe: number) => ({ region: `r${probe % 2}` });
    const { missing } = await steady(2, serving, { start: () => Promise.resolve(), allBusy: false });
    assert.match(missing ?? '', /a consumer was given nothing$/);
    const { missing: why, probes } = await steady(2, serving, { start: () => Promise.reject(new Error('no consumer could be made')), allBusy: false });
    assert.match(why ?? '', /no consumer could be made$/);
    assert.equal(probes, 1);
    assert.equal((await steady(2, serving, { start: () => Promise.resolve(), allBusy: true })).missing, undefined);
  });
});
