import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Consumer } from '@platformatic/kafka';
import { Cluster } from '../../sandbox/bridge/cluster.ts';
import { Settings } from '../../sandbox/bridge/config.ts';
import { HttpError } from '../../sandbox/bridge/errors.ts';
import { Membership } from '../../sandbox/bridge/membership.ts';
import { BridgeProducer } from '../../sandbox/bridge/producer.ts';
import { wrongPassword } from './bridge-fixtures.ts';

describe('reference bridge: a wrong password', () => {
  it('fails records at once in Kafka\'s words, not after the time that a topic may take to be known', async () => {
    const cluster = new Cluster('bridge', { bootstrapBrokers: ['127.0.0.1:1'] }, new Settings(new Map()));
    cluster.admin.metadata = () => Promise.reject(wrongPassword);
    const began = Date.now();
    const [result] = await new BridgeProducer(cluster, new Settings(new Map())).send([{ topic: 't', partition: undefined, key: undefined, value: Buffer.from('x'), timestamp: undefined, headers: [] }]);
    assert.ok(result instanceof HttpError && Date.now() - began < 5000);
    assert.deepEqual([result.status, result.message], [500, 'invalid credentials']);
    await cluster.close();
  });

  it('fails a poll that would join its group, every time', async () => {
    const consumer = Object.assign(new EventEmitter(), { clientId: 'c', groupId: 'g', clearMetadata: () => undefined });
    const membership = new Membership(consumer as unknown as Consumer, () => undefined);
    membership.subscribe(['t']);
    const join = (): Promise<unknown> => membership.join(() => Promise.reject(wrongPassword)).catch((error: unknown) => error);
    for (const error of [await join(), await join()]) assert.ok(error instanceof HttpError && error.status === 500 && error.message.endsWith('SaslAuthenticationException: invalid credentials'));
  });
});
