import assert from 'node:assert/strict';
import { type Admin, NetworkError, UserError } from '@platformatic/kafka';
import { HttpError } from '../../sandbox/bridge/errors.ts';
import { Topics } from '../../sandbox/bridge/topics.ts';
import { failedToSayWho, wrongPassword } from './bridge-fixtures.ts';

/** Topics over a client that fails so often, and then answers. */
function topics(failures: readonly Error[], patienceMs = 10_000): { topics: Topics; asked: () => number } {
  let asked = 0;
  const ask = <T>(answer: T): Promise<T> => {
    const failure = failures[asked];
    asked += 1;
    return failure === undefined ? Promise.resolve(answer) : Promise.reject(failure);
  };
  const partitions = [{ leader: 1, replicas: [1, 2], isr: [1] }];
  const admin = { listTopics: () => ask(['orders']), metadata: () => ask({ topics: new Map([['orders', { partitions }]]) }) };
  return { topics: new Topics(admin as unknown as Admin, patienceMs), asked: () => asked };
}

const lost = new NetworkError('Connection closed');

describe('reference bridge: reads of topics', () => {
  it('ask again where a connection was lost', async () => {
    const { topics: some, asked } = topics([lost, lost]);
    assert.deepEqual(await some.list(), ['orders']);
    assert.equal(asked(), 3);
  });

  it('know no partition behind the last one', async () => {
    await assert.rejects(topics([]).topics.offsets('orders', 1), { status: 404, message: 'Topic \'orders\' does not have partition with id 1' });
    await assert.rejects(topics([]).topics.partition('orders', 1), { status: 404, message: 'Specified partition does not exist.' });
  });

  it('give up when time is up, in Kafka\'s words', async () => {
    const { topics: some, asked } = topics(Array<Error>(100).fill(lost), 250);
    await assert.rejects(some.list(), (error: unknown) => error instanceof HttpError && error.status === 500 && error.message.endsWith('Timed out waiting to send the call. Call: listTopics'));
    assert.ok(asked() > 1 && asked() < 100);
  });

  it('do not ask again where the answer will be the same', async () => {
    const { topics: some, asked } = topics([new UserError('wrong', { canRetry: false })]);
    await assert.rejects(some.list(), HttpError);
    assert.equal(asked(), 1);
  });

  it('do not ask again where Kafka does not take the bridge for who it says it is, and answer in Kafka\'s words', async () => {
    const { topics: some, asked } = topics([wrongPassword]);
    await assert.rejects(some.list(), (error: unknown) => error instanceof HttpError && error.status === 500 && error.message === 'org.apache.kafka.common.errors.SaslAuthenticationException: invalid credentials');
    assert.equal(asked(), 1);
  });

  it('ask again where the connection was lost while the bridge said who it is', async () => {
    const { topics: some, asked } = topics([failedToSayWho(lost)]);
    assert.deepEqual(await some.list(), ['orders']);
    assert.equal(asked(), 2);
  });

  it('know a topic that is not there at once', async () => {
    const { topics: some, asked } = topics([new Error('Unknown topic none.')]);
    await assert.rejects(some.partitions('none'), (error: unknown) => error instanceof HttpError && error.status === 404);
    assert.equal(asked(), 1);
    assert.deepEqual((await some.partitions('orders'))[0]?.replicas, [{ broker: 1, leader: true, in_sync: true }, { broker: 2, leader: false, in_sync: false }]);
  });
});
