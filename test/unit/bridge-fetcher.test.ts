import assert from 'node:assert/strict';
import type { Consumer } from '@platformatic/kafka';
import { Settings } from '../../sandbox/bridge/config.ts';
import { Fetcher } from '../../sandbox/bridge/fetcher.ts';

const partition = { topic: 't', partition: 0 };

/** A Kafka of one partition, whose answers to the question where to begin come when a test has them come. */
class Kafka {
  /** The questions under way, in their order: each is answered by its call, with what was committed when it was asked; -1: nothing. */
  readonly asked: (() => void)[] = [];
  committed = -1n;
  begin = 0n;
  end = 110n;
  readonly #consumer = {
    clearMetadata: () => undefined,
    listCommittedOffsets: () => this.#answer(this.committed),
    listOffsets: ({ timestamp }: { timestamp: bigint }) => this.#answer(timestamp === -1n ? this.end : this.begin),
    metadata: () => Promise.resolve({ topics: new Map([['t', { id: 'id', partitions: [{ leader: 1 }] }]]) }),
    fetch: ({ topics }: { topics: { partitions: { fetchOffset: bigint }[] }[] }) => Promise.resolve({ responses: [{ topicId: 'id', partitions: [this.#fetched(topics[0]?.partitions[0]?.fetchOffset ?? 0n)] }] }),
  };

  fetcher(reset: string): Fetcher {
    const fetcher = new Fetcher(this.#consumer as unknown as Consumer, 'c', { bootstrapBrokers: ['127.0.0.1:1'] }, new Settings(new Map([['auto.offset.reset', reset]])));
    fetcher.assign([partition]);
    return fetcher;
  }

  #answer(offset: bigint): Promise<Map<string, bigint[]>> {
    return new Promise((resolve) => this.asked.push(() => { resolve(new Map([['t', [offset]]])); }));
  }

  #fetched(from: bigint): object {
    if (from < this.begin) return { partitionIndex: 0, errorCode: 1, records: [] };
    const records = Array.from({ length: Number(this.end - from) }, (_, offsetDelta) => ({ offsetDelta, timestampDelta: 0n, key: null, value: null, headers: [] }));
    return { partitionIndex: 0, errorCode: 0, records: records.length === 0 ? [] : [{ firstOffset: from, lastOffsetDelta: records.length - 1, attributes: 0, firstTimestamp: 0n, maxTimestamp: 0n, records }] };
  }
}

/** The offsets that a poll gives, whose time is over at once. */
async function poll(fetcher: Fetcher): Promise<number[]> {
  return (await fetcher.poll(0, new AbortController().signal)).map(({ offset }) => Number(offset));
}

/** Polls until there are records. */
async function read(fetcher: Fetcher): Promise<{ first: number | undefined; last: number | undefined }> {
  for (;;) {
    const offsets = await poll(fetcher);
    if (offsets.length > 0) return { first: offsets[0], last: offsets.at(-1) };
  }
}

/** Has an answer arrive, and what follows from it happen. */
async function answer(asked: (() => void) | undefined): Promise<void> {
  (asked ?? assert.fail('nothing was asked'))();
  await new Promise((resolve) => { setImmediate(resolve); });
}

describe('bridge: where a reader begins', () => {
  let kafka: Kafka;
  beforeEach(() => { kafka = new Kafka(); });

  it('is told once: an answer to an earlier poll that comes later does not set it back', async () => {
    kafka.committed = 100n;
    const fetcher = kafka.fetcher('earliest');
    assert.deepEqual([await poll(fetcher), await poll(fetcher)], [[], []]);
    const [early, late] = kafka.asked.toReversed();
    await answer(early);
    assert.deepEqual(await read(fetcher), { first: 100, last: 109 });
    kafka.end = 113n;
    await answer(late);
    assert.deepEqual(fetcher.positions(), [{ ...partition, offset: 110n }]);
    assert.deepEqual(await read(fetcher), { first: 110, last: 112 });
    await fetcher.close();
  });

  it('is told once where nothing is committed, also when that is told later', async () => {
    for (const reset of ['earliest', 'latest', 'none']) {
      kafka = new Kafka();
      const fetcher = kafka.fetcher(reset);
      await poll(fetcher);
      kafka.committed = 100n;
      await poll(fetcher);
      const [nothing, committed] = kafka.asked;
      await answer(committed);
      assert.deepEqual(await read(fetcher), { first: 100, last: 109 });
      await answer(nothing);
      assert.deepEqual([fetcher.positions(), kafka.asked.length], [[{ ...partition, offset: 110n }], 2], reset);
      await fetcher.close();
    }
  });

  it('is not told by what was committed once that is known to be deleted', async () => {
    kafka.committed = 100n;
    kafka.begin = 105n;
    const fetcher = kafka.fetcher('earliest');
    await poll(fetcher);
    await poll(fetcher);
    await answer(kafka.asked[0]);
    while (kafka.asked.length === 2) await poll(fetcher);
    await answer(kafka.asked[1]);
    assert.deepEqual(fetcher.positions(), []);
    await answer(kafka.asked[2]);
    assert.deepEqual(await read(fetcher), { first: 105, last: 109 });
    await fetcher.close();
  });

  it('is told by a seek or an assignment, whatever was asked before', async () => {
    kafka.committed = 100n;
    const fetcher = kafka.fetcher('earliest');
    await poll(fetcher);
    fetcher.seek(partition, 107);
    await answer(kafka.asked[0]);
    assert.deepEqual(await read(fetcher), { first: 107, last: 109 });
    fetcher.seekTo(partition, 'earliest');
    await poll(fetcher);
    kafka.committed = 104n;
    fetcher.assign([partition]);
    await answer(kafka.asked[1]);
    assert.deepEqual(fetcher.positions(), []);
    await poll(fetcher);
    await answer(kafka.asked[2]);
    assert.deepEqual(await read(fetcher), { first: 104, last: 109 });
    await fetcher.close();
  });
});
