import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { pollPauseMs } from '../../automation/drill/consumer.ts';
import type { ConsumerGroup, GroupOptions } from '../../automation/drill/consumers.ts';
import { startClock } from '../../automation/drill/exchange.ts';
import type { Bounds } from '../../automation/drill/kafka.ts';
import type { Commit, Delivery } from '../../automation/drill/records.ts';
import { groupBehind, writeTo } from '../fixtures/consumer-group.ts';
import { globalHost, startFakeTier1 } from '../fixtures/fake-tier1.ts';
import type { FakeTier1 } from '../fixtures/fake-tier1.ts';

describe('the consumers', () => {
  let tier1: FakeTier1;
  let group: ConsumerGroup;
  let deliveries: Delivery[];
  let commits: Commit[];
  const { signal } = new AbortController();

  beforeEach(async () => {
    tier1 = await startFakeTier1();
    deliveries = [];
    commits = [];
    make();
  });
  function make(more: Partial<GroupOptions> = {}): void {
    group = groupBehind(tier1, { onDelivery: (delivery) => deliveries.push(delivery), onCommit: (commit) => commits.push(commit), ...more });
  }
  afterEach(async () => {
    await group.stop();
    await tier1[Symbol.asyncDispose]();
  });

  function write(count: number): Bounds {
    return writeTo(tier1, count);
  }

  it('are made through the global hostname and then follow base_uri', async () => {
    await group.start(signal);
    assert.equal(await group.drained(write(9), 3000, signal), true);
    await group.stop();
    const [create, subscribe, ...others] = tier1.requests;
    assert.equal(create, `POST ${globalHost} /consumers/g`);
    assert.match(subscribe ?? '', new RegExp(`^POST east\\.${globalHost} /consumers/g/instances/\\S+/subscription$`));
    assert.ok(others.every((request) => request.includes(` east.${globalHost} /consumers/g/instances/`)));
    assert.ok(others.some((request) => request.endsWith('/offsets')));
    assert.match(others.at(-1) ?? '', /^DELETE /);
    assert.deepEqual(deliveries.map(({ id }) => id?.seq).sort(), Array.from({ length: 9 }, (_, seq) => seq));
  });

  it('say how far the log goes at least, where they were given more than they were to come to', async () => {
    await group.start(signal);
    const bounds = write(3);
    await group.drained(bounds, 3000, signal);
    assert.deepEqual(group.atLeast(bounds), bounds);
    await group.drained(write(4), 3000, signal);
    await group.stop();
    assert.deepEqual(group.atLeast(bounds), new Map([[0, { begin: 0n, end: 3n }], [1, { begin: 0n, end: 2n }], [2, { begin: 0n, end: 2n }]]));
    assert.deepEqual(group.atLeast(new Map([[0, { begin: 0n, end: 9n }]])), new Map([[0, { begin: 0n, end: 9n }]]));
  });

  it('make an instance anew in another region when theirs is gone, and go on from the committed offset', async () => {
    await group.start(signal);
    await group.drained(write(9), 3000, signal);
    tier1.away.add('east');
    assert.equal(await group.drained(write(9), 5000, signal), true);
    assert.equal(group.recreated.length, 1);
    assert.match(group.recreated[0] ?? '', /^(poll|commit): 503 no healthy upstream/);
    assert.equal(new Set(deliveries.map(({ instance }) => instance)).size, 2);
    assert.equal(new Set(deliveries.map(({ partition, offset }) => `${partition}/${offset}`)).size, 18);
  });

  it('take an answer that no bridge gives, with 200 as well, for no answer', async () => {
    const pages = { create: ['<html>Please sign in</html>', '{}'], poll: ['<html>Please sign in</html>', '{}'] };
    tier1.intercept = (request, response) => {
      const page = request.url?.includes('/records') === true ? pages.poll.pop() : request.url === '/consumers/g' ? pages.create.pop() : undefined;
      if (page !== undefined) response.writeHead(200).end(page);
      return page !== undefined;
    };
    await group.start(signal);
    assert.equal(await group.drained(write(3), 5000, signal), true);
    assert.deepEqual([pages, group.recreated], [{ create: [], poll: [] }, ['poll: no answer of a bridge: 200 {}', 'poll: no answer of a bridge: 200 <html>Please sign in</html>']]);
  });

  it('keep trying while no region can make an instance', async () => {
    await group.start(signal);
    tier1.away.add('east').add('west');
    await delay(500);
    tier1.away.clear();
    assert.equal(await group.drained(write(3), 5000, signal), true);
    assert.equal(group.recreated.length, 1);
  });

  it('keep their instance when a commit meets a rebalance', async () => {
    let refused = 0;
    tier1.intercept = (request, response) => {
      if (request.url?.endsWith('/offsets') !== true || refused > 0) return false;
      refused += 1;
      response.writeHead(500).end('{"error_code":500,"message":"CommitFailedException"}');
      return true;
    };
    await group.start(signal);
    assert.equal(await group.drained(write(3), 3000, signal), true);
    await group.drained(write(3), 3000, signal);
    assert.deepEqual([refused, group.recreated.length], [1, 0]);
  });

  it('say within the given time that something was not delivered', async () => {
    await group.start(signal);
    const bounds = write(3);
    bounds.set(0, { begin: 0n, end: 99n });
    assert.equal(await group.drained(bounds, 200, signal), false);
  });

  it('tell what they committed and were told so, and nothing else', async () => {
    let refused = 0;
    tier1.intercept = (request, response) => {
      if (request.url?.endsWith('/offsets') !== true || refused > 0) return false;
      refused += 1;
      response.writeHead(500).end('{"error_code":500,"message":"CommitFailedException"}');
      return true;
    };
    await group.start(signal);
    await group.drained(write(3), 3000, signal);
    await group.drained(write(3), 3000, signal);
    await group.stop();
    assert.deepEqual(commits.map(({ consumer, partition, offset }) => ({ consumer, partition, offset })), [0, 1, 2].map((partition) => ({ consumer: 0, partition, offset: 2 })));
    const last = deliveries.at(-1) ?? assert.fail();
    assert.ok((last.askedMs ?? Infinity) <= last.tMs && commits.every(({ tMs, instance }) => tMs >= last.tMs && instance === last.instance));
  });

  it('tell what they committed and nobody said anything of', async () => {
    let cut = 0;
    tier1.intercept = (request) => {
      if (request.url?.endsWith('/offsets') !== true || cut > 0) return false;
      cut += 1;
      request.socket.destroy();
      return true;
    };
    await group.start(signal);
    await group.drained(write(3), 5000, signal);
    await group.drained(write(3), 5000, signal);
    await group.stop();
    assert.equal(group.recreated.length, 1);
    const [lost] = commits;
    assert.ok(lost?.unanswered === true && deliveries.some(({ instance, tMs }) => instance === lost.instance && tMs <= lost.tMs), JSON.stringify(commits));
    assert.ok(commits.some(({ unanswered }) => unanswered === undefined));
  });

  it('tell nothing of a commit that was certainly not carried out: of one that a proxy on the way had nobody for, unless another try may have been', async () => {
    const toldWhere = async (more: Partial<GroupOptions>, headers: Record<string, string> = {}): Promise<(true | undefined)[]> => {
      await group.stop();
      commits = [];
      make({ ...more, group: `g${JSON.stringify([more, headers]).length}` });
      let isRefused = false;
      tier1.intercept = (request, response) => {
        if (request.url?.endsWith('/offsets') !== true || isRefused) return false;
        isRefused = true;
        return response.writeHead(503, headers).end('no healthy upstream') !== undefined;
      };
      await group.start(signal);
      const bounds = write(3);
      await group.drained(bounds, 5000, signal);
      while (commits.every(({ unanswered }) => unanswered === true)) await delay(20);
      return [...new Set(commits.map(({ unanswered }) => unanswered))];
    };
    assert.deepEqual(await toldWhere({}), [undefined]);
    assert.deepEqual(await toldWhere({}, { 'x-envoy-attempt-count': '2' }), [true, undefined]);
    assert.deepEqual(await toldWhere({ proxiesRepeat: true }), [true, undefined]);
    assert.deepEqual(await toldWhere({ proxiesRepeat: true }, { 'x-envoy-attempt-count': '1' }), [undefined]);
  });

  it('tell nothing of a commit that no connection took', async () => {
    let given = false;
    tier1.intercept = ({ url }, response) => {
      if (given || url?.includes('/records') !== true) return false;
      given = true;
      response.on('finish', () => void tier1[Symbol.asyncDispose]());
      return response.writeHead(200, { connection: 'close' }).end(JSON.stringify([{ topic: 't', key: 'k0', value: {}, partition: 0, offset: 5 }])) !== undefined;
    };
    await group.start(signal);
    while (!group.someLost) await delay(20);
    await group.stop();
    assert.deepEqual([deliveries.length, commits], [1, []]);
  });

  it('ask again at once where a poll gave so many records that more may wait', async () => {
    const all = write(3000);
    const waiting = tier1.log.map((records) => records.splice(0));
    tier1.intercept = ({ url }) => {
      if (/\/records/.test(url ?? '')) for (const [partition, records] of waiting.entries()) tier1.log[partition]?.push(...records.splice(0, 40));
      return false;
    };
    await group.start(signal);
    assert.equal(await group.drained(all, 30_000, signal), true);
    const polls = [...new Map(deliveries.map((delivery) => [delivery.askedMs, delivery])).values()].filter(({ consumer }) => consumer === 0);
    const pauses = polls.slice(1).map(({ askedMs = 0 }, i) => askedMs - (polls[i]?.tMs ?? 0)).toSorted((a, b) => a - b);
    assert.ok((pauses[Math.floor(pauses.length / 2)] ?? Infinity) < pollPauseMs, pauses.join());
  });

  it('count a record that is given again once, when they wait for all of them', async () => {
    let given = 0;
    tier1.intercept = ({ url }, response) => {
      if (!/\/records/.test(url ?? '')) return false;
      given += 1;
      return response.writeHead(200).end(JSON.stringify([{ topic: 't', key: 'k0', value: {}, partition: 0, offset: 5 }])) !== undefined;
    };
    await group.start(signal);
    assert.equal(await group.drained(new Map([[0, { begin: 4n, end: 6n }]]), 900, signal), false);
    assert.ok(given > 1);
  });

  it('read the binary format', async () => {
    make({ format: 'binary' });
    await group.start(signal);
    assert.equal(await group.drained(write(9), 3000, signal), true);
    assert.deepEqual(deliveries.map(({ id, altered }) => altered ?? id?.seq).sort(), Array.from({ length: 9 }, (_, seq) => seq));
  });

  it('say of a record that it was altered: another key, or something beside what was sent', async () => {
    await group.start(signal);
    write(3);
    const [[first] = [], [second] = []] = tier1.log;
    Object.assign(first ?? {}, { key: 'k9' });
    Object.assign(second ?? {}, { value: { run: 'r', producer: 'p0', seq: 1, more: true } });
    assert.equal(await group.drained(write(0), 3000, signal), true);
    assert.deepEqual(deliveries.map(({ id, altered }) => [id?.seq, altered]).sort(), [[0, true], [1, true], [2, undefined]]);
  });

  it('share the partitions by themselves when they take them, without a subscription', async () => {
    make({ consumers: { count: 2, mode: 'assign' } });
    await group.start(signal);
    assert.equal(await group.drained(write(9), 3000, signal), true);
    await group.stop();
    assert.deepEqual(new Set(deliveries.map(({ consumer, partition }) => `${consumer}: ${partition}`)), new Set(['0: 0', '1: 1', '0: 2']));
    assert.equal(deliveries.length, 9);
    assert.ok(!tier1.requests.some((request) => /subscription|positions/.test(request)));
  });

  it('go on after what they were given last, in the partitions that they took, also where the commit of that was lost', async () => {
    make({ consumers: { count: 1, mode: 'assign' } });
    tier1.intercept = (request, response) => {
      if (request.url?.endsWith('/offsets') !== true) return false;
      tier1.intercept = undefined;
      response.destroy();
      return true;
    };
    await group.start(signal);
    await group.drained(write(9), 3000, signal);
    assert.equal(await group.drained(write(9), 3000, signal), true);
    assert.deepEqual(group.recreated.map((why) => why.slice(0, 7)), ['commit:']);
    assert.deepEqual(deliveries.map(({ id }) => id?.seq).sort((a = 0, b = 0) => a - b), [...Array.from({ length: 9 }, (_, seq) => seq), ...Array.from({ length: 9 }, (_, seq) => seq)].sort((a, b) => a - b));
  });

  it('do not wait for the deletion of an instance whose bridge does not answer', async () => {
    await group.start(signal);
    await group.drained(write(3), 3000, signal);
    // The poll is cut off, and what was called by the instance's own address is not answered from then on.
    let cut = false;
    tier1.intercept = (request, response) => {
      if (cut || !/records/.test(request.url ?? '')) return request.method === 'DELETE' && request.headers.host?.startsWith('east.') === true;
      cut = true;
      response.destroy();
      return true;
    };
    assert.equal(await group.drained(write(3), 3000, signal), true);
    assert.equal(group.recreated.length, 1);
    tier1.intercept = undefined;
  });

  it('are waited for while another instance is being made', async () => {
    await group.start(signal);
    assert.equal(group.someLost, false);
    tier1.away.add('east').add('west');
    while (!group.someLost) await delay(20);
    const settled = group.settled(signal);
    assert.equal(await Promise.race([settled, delay(300, 'not yet')]), 'not yet');
    tier1.away.clear();
    await settled;
    assert.deepEqual([group.someLost, group.recreated.length, group.notRecreated], [false, 1, []]);
  });

  it('say of a lost one that it could not be made anew, once that was tried long enough', async () => {
    let aheadMs = 0;
    const clock = startClock();
    make({ clock: () => clock() + aheadMs });
    await group.start(signal);
    tier1.away.add('east').add('west');
    while (!group.someLost) await delay(20);
    aheadMs = 100_000;
    await group.settled(signal);
    assert.deepEqual([group.notRecreated.length, group.recreated, group.broken, group.someLost], [1, [], [], false]);
    assert.match(group.notRecreated[0] ?? '', /^consumer 0 of group g could not be made within 90000 ms: .*503/);
  });

  it('say of one that breaks itself why it does', async () => {
    make({ onDelivery: () => { throw new Error('no room for it'); } });
    await group.start(signal);
    write(3);
    while (group.broken.length === 0) await delay(20);
    assert.deepEqual([group.broken, group.notRecreated, group.someLost], [['no room for it'], [], false]);
  });

  it('can be stopped while they have no instance', async () => {
    tier1.away.add('east').add('west');
    const started = group.start(signal);
    started.catch(() => undefined);
    await delay(100);
    await group.stop();
    await assert.rejects(started);
    assert.deepEqual([group.notRecreated, group.broken], [[], []]);
  });
});
