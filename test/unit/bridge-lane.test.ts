import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { Connection, Writer } from '@platformatic/kafka';
import type { Cluster } from '../../sandbox/bridge/cluster.ts';
import { HttpError } from '../../sandbox/bridge/errors.ts';
import { Lane, type LaneOptions } from '../../sandbox/bridge/lane.ts';

const options: LaneOptions = { acks: -1, idempotent: true, compression: 'none', deliveryTimeoutMs: 60, requestTimeoutMs: 30_000, retryBackoffMs: 5, maxRequestBytes: 1_048_576 };
const record = { topic: 't', partition: undefined, key: undefined, value: Buffer.from('x'), timestamp: undefined, headers: [] };

/** Found again among the bytes of a request. */
const firstId = 0x1122_3344_5566_0000n;

/** Broker 1, which leads the one partition and writes whatever reaches it. */
class Broker {
  /** For each batch that it wrote, which of the producer ids that it gave was its writer's: 1 is the first. */
  readonly written: number[] = [];
  #ids = 0;
  readonly #ways: Promise<unknown>[];

  /** @param ways When the first request reaches it, the second and so on; at once where there is none. */
  constructor(...ways: Promise<unknown>[]) {
    this.#ways = ways;
  }

  lane(): Lane {
    const connection = { send: (...args: unknown[]) => { void this.#send(args); } } as unknown as Connection;
    return new Lane({ partitions: () => Promise.resolve([{ leader: 1 }]), connection: async () => { await this.#ways.shift(); return connection; } } as unknown as Cluster, 't', 0, options);
  }

  async #send(args: readonly unknown[]): Promise<void> {
    const answer = args.at(-1) as (error: Error | null, response: unknown) => void;
    if (args[0] !== 0) {
      this.#ids += 1;
      const producerId = firstId + BigInt(this.#ids);
      await this.#ways.shift();
      answer(null, { producerId, producerEpoch: 0 });
      return;
    }
    const bytes = (args[2] as () => Writer)().buffer;
    this.written.push([1, 2, 3].find((number) => { const id = Buffer.alloc(8); id.writeBigInt64BE(firstId + BigInt(number)); return bytes.includes(id); }) ?? 0);
    answer(null, { responses: [{ partitionResponses: [{ baseOffset: BigInt(this.written.length) }] }] });
  }
}

/** Until all has been done that nothing is awaited for. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await turn();
}

describe('reference bridge: records of one partition', () => {
  const expired = (error: unknown): boolean => error instanceof HttpError && error.message.startsWith('Expiring 1 record(s) for t-0');

  it('are written by one producer id as long as all goes well', async () => {
    const broker = new Broker();
    const lane = broker.lane();
    for (const offset of [1, 2]) assert.deepEqual(await lane.send(record), { partition: 0, offset });
    assert.deepEqual(broker.written, [1, 1]);
  });

  it('are not written any more once their client was told that they are given up', async () => {
    const way = Promise.withResolvers<undefined>();
    const broker = new Broker(way.promise);
    const lane = broker.lane();
    await assert.rejects(lane.send(record), expired);
    way.resolve(undefined);
    await settled();
    assert.deepEqual(broker.written, []);
    assert.deepEqual(await lane.send(record), { partition: 0, offset: 1 });
  });

  it('have a producer id of which no record that was given up takes a part', async () => {
    const late = Promise.withResolvers<undefined>();
    // Connections for the request itself and for its producer id, then the answer with it.
    const broker = new Broker(Promise.resolve(), Promise.resolve(), late.promise);
    const lane = broker.lane();
    await assert.rejects(lane.send(record), expired);
    await lane.send(record);
    late.resolve(undefined);
    await settled();
    await lane.send(record);
    assert.deepEqual(broker.written, [2, 2]);
  });
});
