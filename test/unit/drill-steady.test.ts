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

  it('is looked for over as many probes as bring the smallest share its requests, and for no less than a minute', async () => {
    const sent = async (share: number, every: number, byPlace?: boolean): Promise<{ missing: string | undefined; probes: number }> => {
      let probes = 0;
      const missing = await reachSteadyState({
        probe: () => Promise.resolve({ outcome: 'ok', class: 'ok', region: ++probes % every === 0 ? 'small' : 'large' } as Attempt),
        regions: ['large', 'small'], shares: { large: 1 - share, small: share }, byPlace, clock: () => probes * 500, signal: new AbortController().signal,
      });
      return { missing, probes };
    };
    const [seen, { missing, probes }, unsaid] = await Promise.all([sent(0.1, 45), sent(0.1, 1000), sent(0.5, 1000, true)]);
    assert.deepEqual(seen, { missing: undefined, probes: 135 });
    assert.equal(probes, 150);
    assert.match(missing ?? '', /^no steady state within 75 s, so nothing was injected: small served none or too few of the last 150 requests$/);
    assert.match(unsaid.missing ?? '', /^no steady state within 60 s, .*: small served none .* With tsb\.api: tier1gateway TSB ranks regions by where tier1 stands, and they may stand by/);
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
