import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { startClock } from '../../automation/drill/exchange.ts';
import { Generator } from '../../automation/drill/generator.ts';
import { defaultConsumers, defaultLoad } from '../../automation/drill/load-plan.ts';
import type { LoadPlan, Plan } from '../../automation/drill/plan.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { fakeRegions, globalHost, startFakeTier1 } from '../fixtures/fake-tier1.ts';
import type { FakeTier1 } from '../fixtures/fake-tier1.ts';
import { lateness } from '../fixtures/lateness.ts';

describe('the load generator', () => {
  let tier1: FakeTier1;
  let generator: Generator;
  let attempts: Attempt[];
  let died: string[];
  const clock = startClock();

  async function start(load: Partial<LoadPlan> = {}, regions = fakeRegions, run = 'r'): Promise<void> {
    const plan: Plan = {
      run, fault: 'none', region: 'east', rate: 200, durationSeconds: 6, connections: 2, requestTimeoutMs: 5000, topic: 't', partitions: 3, keys: 6, seed: 1, steps: [],
      consumers: defaultConsumers, load: { ...defaultLoad, ...load },
    };
    generator = await Generator.start({ tier1: { tier1Address: new URL(tier1.origin).host }, hostname: globalHost, plan, regions, proxiesRepeat: false, clock, onDied: ({ message }) => { died.push(message); } });
  }
  const note = (attempt: Attempt): void => void attempts.push(attempt);

  beforeEach(async () => {
    tier1 = await startFakeTier1();
    attempts = [];
    died = [];
  });
  afterEach(async () => {
    await generator.close();
    await tier1[Symbol.asyncDispose]();
  });

  it('sends on the drill\'s clock, tells of every attempt before it has stopped, and keeps its connections from one load to the next', async () => {
    await start();
    const beginMs = clock();
    const warm = generator.load('warm-up', 'even', note);
    await delay(200);
    await warm.stop();
    const load = generator.load('p0', 'planned', note);
    await delay(200);
    await load.stop();
    const endMs = clock();
    assert.deepEqual(new Set(attempts.map(({ producer }) => producer)), new Set(['warm-up', 'p0']));
    assert.equal(attempts.length, tier1.log.flat().length);
    for (const attempt of attempts) {
      assert.equal(attempt.outcome, 'ok');
      assert.ok(beginMs <= attempt.intendedMs && attempt.intendedMs <= attempt.issuedMs && attempt.issuedMs <= attempt.endMs && attempt.endMs <= endMs, JSON.stringify(attempt));
    }
    assert.equal(tier1.connections, 2);
  });

  it('sends no record a second time when a producer begins another load', async () => {
    await start();
    for (let round = 0; round < 2; round += 1) {
      const warm = generator.load('warm-up', 'even', note);
      await delay(200);
      await warm.stop();
    }
    const numbers = attempts.map(({ seq }) => seq).toSorted((a, b) => a - b);
    assert.deepEqual(numbers, numbers.map((_, index) => index));
    assert.ok(attempts.some(({ seq, intendedMs }) => seq > 0 && intendedMs - (attempts[0]?.intendedMs ?? 0) > 200));
  });

  it('is not late when this thread is busy', async () => {
    await start();
    const load = generator.load('p0', 'planned', note);
    await delay(50);
    const until = performance.now() + 1500;
    while (performance.now() < until);
    await load.stop();
    // This thread also answers its requests, so that they end late; they were sent in time all the same.
    assert.ok(attempts.length > 150 && lateness(attempts) < 750, `${attempts.length} attempts, late by ${lateness(attempts)} ms`);
  });

  it('closes its connections after so many requests', async () => {
    await start({ requestsPerConnection: 5 });
    const load = generator.load('p0', 'planned', note);
    await delay(300);
    await load.stop();
    assert.ok(attempts.every(({ outcome }) => outcome === 'ok'));
    assert.ok(tier1.connections >= attempts.length / 5, `${attempts.length} requests on ${tier1.connections} connections`);
  });

  it('ends every request at once when it is told to, and says nothing of those that nobody had tried to send', async () => {
    await start({ retry: 'always' });
    tier1.intercept = () => true;
    const load = generator.load('p0', 'planned', note);
    await delay(200);
    generator.abort();
    await load.stop();
    assert.deepEqual(attempts.map(({ outcome, class: what }) => [outcome, what]), [['unknown', 'drill-ended'], ['unknown', 'drill-ended']]);
  });

  it('tells who served where a gateway\'s address is a host name', async () => {
    tier1.intercept = (_, response) => {
      response.setHeader('x-kbf-gateway', 'east').setHeader('x-kbf-upstream', '127.0.0.1:15443');
      return response.writeHead(200).end('{"offsets":[{"partition":0,"offset":7}]}') !== undefined;
    };
    await start({}, [{ name: 'east', gatewayAddress: '10.213.0.1' }, { name: 'west', gatewayAddress: 'localhost' }]);
    const load = generator.load('p0', 'planned', note);
    await delay(100);
    await load.stop();
    assert.deepEqual([...new Set(attempts.map(({ region }) => region))], ['west']);
  });

  it('says so when it has died', async () => {
    await start();
    const load = generator.load('p0', 'planned', note);
    await generator.close();
    await assert.rejects(load.stop(), { name: 'UserError', message: /the load generator ended/ });
    assert.deepEqual(died, [], 'who closes it knows');
  });

  it('tells of its death, and why, though nobody has asked it to stop', async () => {
    // No JSON has such a number, so that the first record cannot be made.
    await start({}, fakeRegions, 1n as unknown as string);
    const load = generator.load('p0', 'planned', note);
    while (died.length === 0) await delay(10);
    await assert.rejects(load.stop(), { name: 'UserError', message: died[0] ?? '' });
    assert.match(died.join(), /^the load generator ended: [^,]*BigInt[^,]*$/, 'once, with its own reason');
  });
});
