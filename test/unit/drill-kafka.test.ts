import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createSecureContext, createServer } from 'node:tls';
import { Admin, Consumer, MultipleErrors, ProtocolError } from '@platformatic/kafka';
import { Kafka } from '../../automation/drill/kafka.ts';
import { serverCertificate } from '../fixtures/server-certificate.ts';

/** Answers to fetches, in turn; each is so many records, from the offset that is asked for. The last one stays. */
function answerFetches(...counts: number[]): { asked: number } {
  const seen = { asked: 0 };
  const fake = Consumer.prototype as unknown as Record<'metadata' | 'fetch', unknown>;
  fake.metadata = () => Promise.resolve({ topics: new Map([['t', { id: 'id', partitions: [{ leader: 1 }] }]]) });
  fake.fetch = ({ topics: [topic] }: { topics: [{ partitions: [{ fetchOffset: bigint }] }] }) => {
    const count = counts[Math.min(seen.asked, counts.length - 1)] ?? 0;
    seen.asked += 1;
    const records = Array.from({ length: count }, (_, offsetDelta) => ({ offsetDelta, key: Buffer.from('"k0"'), value: Buffer.from('{}') }));
    const batch = { firstOffset: topic.partitions[0].fetchOffset, lastOffsetDelta: count - 1, length: 100, attributes: 0, records };
    return Promise.resolve({ responses: [{ partitions: [{ partitionIndex: 0, records: count === 0 ? [] : [batch] }] }] });
  };
  return seen;
}

describe('the topic of a drill', () => {
  const { createTopics } = Admin.prototype;
  afterEach(() => { Object.assign(Admin.prototype, { createTopics }); });

  it('keeps every record, whatever the brokers\' defaults are', async () => {
    const made: unknown[] = [];
    Object.assign(Admin.prototype, { createTopics: (asked: unknown) => Promise.resolve(void made.push(asked)) });
    await using kafka = new Kafka({ bootstrapServers: '127.0.0.1:9' });
    await kafka.createTopic('t', { partitions: 6, replicas: 3, minInsyncReplicas: 2 });
    const configs = Object.entries({ 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1', 'min.insync.replicas': '2' }).map(([name, value]) => ({ name, value }));
    assert.deepEqual(made, [{ topics: ['t'], partitions: 6, replicas: 3, configs }]);
  });
});

describe('the deletion of a topic', () => {
  const { deleteTopics } = Admin.prototype;
  afterEach(() => { Object.assign(Admin.prototype, { deleteTopics }); });

  it('is done where there is none, and nowhere else where it fails', async () => {
    await using kafka = new Kafka({ bootstrapServers: '127.0.0.1:9' });
    const answered = (id: string): Promise<void> => {
      Object.assign(Admin.prototype, { deleteTopics: () => Promise.reject(new MultipleErrors('Received response with error', [new ProtocolError(id)])) });
      return kafka.deleteTopic('t');
    };
    await answered('UNKNOWN_TOPIC_OR_PARTITION');
    await assert.rejects(answered('TOPIC_AUTHORIZATION_FAILED'), { name: 'UserError', message: /^Kafka at 127\.0\.0\.1:9: topic t cannot be deleted: / });
  });
});

describe('the connection to a broker', () => {
  it('says by TLS which broker is meant, as a router in front of it knows no other way', async () => {
    const { cert, key } = await serverCertificate(['localhost']);
    const asked: string[] = [];
    const server = createServer({ SNICallback: (name, done) => { asked.push(name); done(null, createSecureContext({ cert, key })); } }, (socket) => { socket.on('error', () => undefined).destroy(); });
    server.on('tlsClientError', () => undefined);
    await once(server.listen(0, 'localhost'), 'listening');
    try {
      await using kafka = new Kafka({ bootstrapServers: `localhost:${(server.address() as AddressInfo).port}`, caCertificate: cert });
      await assert.rejects(kafka.deleteTopic('t'), { name: 'UserError' });
      assert.deepEqual([...new Set(asked)], ['localhost']);
    } finally {
      server.close();
    }
  });
});

describe('reading a partition of the log', () => {
  const { metadata, fetch } = Consumer.prototype;
  const { now } = performance;
  let kafka: Kafka;
  beforeEach(() => { kafka = new Kafka({ bootstrapServers: '127.0.0.1:9' }); });
  afterEach(async () => {
    Object.assign(Consumer.prototype, { metadata, fetch });
    performance.now = now;
    await kafka[Symbol.asyncDispose]();
  });

  async function read(): Promise<number> {
    let count = 0;
    for await (const records of kafka.read('t', new Map([[0, { begin: 0n, end: 30n }]]), { isAltered: () => false })) count += records.length;
    return count;
  }

  it('goes on after an answer without anything, as a broker gives it over a quota', async () => {
    answerFetches(10, 0, 0, 10, 0, 10);
    assert.equal(await read(), 30);
  });

  it('gives up where nothing comes for half a minute, and says where', async () => {
    const seen = answerFetches(10, 0);
    const beganMs = now.call(performance);
    performance.now = () => now.call(performance) + (seen.asked > 4 ? 30_000 : 0);
    await assert.rejects(read(), { name: 'UserError', message: 'partition 0 of topic t gave nothing from offset 10 on for 30 s, though 30 was its end before' });
    assert.ok(seen.asked > 4 && now.call(performance) - beganMs < 5_000, `${seen.asked} fetches`);
  });
});
