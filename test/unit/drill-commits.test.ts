import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConsumerGroup, GroupOptions } from '../../automation/drill/consumers.ts';
import type { Bounds } from '../../automation/drill/kafka.ts';
import type { Commit } from '../../automation/drill/records.ts';
import { groupBehind, writeTo } from '../fixtures/consumer-group.ts';
import { startFakeTier1 } from '../fixtures/fake-tier1.ts';
import type { FakeTier1 } from '../fixtures/fake-tier1.ts';

describe('the commits of consumers', () => {
  let tier1: FakeTier1;
  let group: ConsumerGroup;
  let commits: Commit[];
  const { signal } = new AbortController();

  beforeEach(async () => {
    tier1 = await startFakeTier1();
    commits = [];
    make();
  });
  function make(more: Partial<GroupOptions> = {}): void {
    group = groupBehind(tier1, { onDelivery: () => undefined, onCommit: (commit) => commits.push(commit), ...more });
  }
  afterEach(async () => {
    await group.stop();
    await tier1[Symbol.asyncDispose]();
  });

  function write(count: number): Bounds {
    return writeTo(tier1, count);
  }

  /** Every commit is answered so, until it is given up. */
  const refuse = (status: number): { count: number } => {
    const refused = { count: 0 };
    tier1.intercept = (request, response) => {
      if (request.url?.endsWith('/offsets') !== true) return false;
      refused.count += 1;
      response.writeHead(status).end('not authorized');
      return true;
    };
    return refused;
  };

  it('are tried again at the end where they were refused and nothing was given after, before the instances are deleted', async () => {
    const refused = refuse(500);
    await group.start(signal);
    await group.drained(write(3), 3000, signal);
    while (refused.count === 0) await delay(20);
    assert.equal(await group.committed(100, signal), false);
    tier1.intercept = undefined;
    assert.deepEqual(await group.commitAgain(signal), {});
    await group.stop();
    assert.deepEqual(commits.map(({ partition, offset }) => ({ partition, offset })), [0, 1, 2].map((partition) => ({ partition, offset: 1 })));
    assert.match(tier1.requests.slice(-2).join(), /^POST .*\/offsets,DELETE /);
  });

  for (const mode of ['subscribe', 'assign'] as const) {
    for (const status of [500, 404]) {
      it(`that were never carried out are told by partition, with what was answered: ${mode}, ${status}`, async () => {
        make({ consumers: { count: 1, mode } });
        const refused = refuse(status);
        await group.start(signal);
        await group.drained(write(3), 3000, signal);
        // A member of a group is given all of it again by each new instance, a consumer with partitions of its own goes on after it.
        while (refused.count === 0) await delay(20);
        assert.equal(await group.committed(100, signal), false);
        while (status === 404 && (group.recreated.length === 0 || (mode === 'subscribe' && refused.count < 5))) await delay(20);
        await group.settled(signal);
        assert.deepEqual(await group.commitAgain(signal), Object.fromEntries([0, 1, 2].map((partition) => [partition, `${status} not authorized`])));
        assert.deepEqual(commits, []);
      });
    }
  }

  it('are not told of where a lost member could not make them and nobody was given its partitions again yet', async () => {
    // Whoever is made anew is given nothing while the session of the one before goes on.
    tier1.intercept = ({ url = '', headers }, response) => {
      if (url.endsWith('/offsets')) tier1.away.add('east');
      return url.includes('/records') && headers.host?.startsWith('west') === true && response.writeHead(200).end('[]') !== undefined;
    };
    await group.start(signal);
    await group.drained(write(3), 3000, signal);
    while (group.recreated.length === 0) await delay(20);
    assert.equal(await group.committed(300, signal), false);
    assert.deepEqual(await group.commitAgain(signal), {});
    assert.deepEqual(commits, []);
  });

  it('are not tried again where another consumer made them since', async () => {
    make({ consumers: { count: 2, mode: 'subscribe' } });
    // Both read all partitions here: one is refused every commit, the other none.
    let first: string | undefined;
    tier1.intercept = ({ url = '' }, response) => {
      if (!url.endsWith('/offsets')) return false;
      first ??= url;
      if (url === first) response.writeHead(500).end('rebalance');
      return url === first;
    };
    await group.start(signal);
    await group.drained(write(3), 3000, signal);
    while (commits.length < 3) await delay(20);
    const [instance] = commits.map((commit) => commit.instance);
    assert.equal(await group.committed(3000, signal), true);
    tier1.intercept = undefined;
    assert.deepEqual(await group.commitAgain(signal), {});
    assert.deepEqual([...new Set(commits.map((commit) => commit.instance))], [instance]);
  });
});
