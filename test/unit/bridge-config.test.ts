import assert from 'node:assert/strict';
import { UserError } from '../../errors.ts';
import { readConfig } from '../../sandbox/bridge/config.ts';
import { laneOptions } from '../../sandbox/bridge/lane.ts';
import { parseProperties } from '../../sandbox/bridge/properties.ts';

const base = { 'kafka.bootstrap.servers': 'a:9094,b:9094' };
const config = (more: Record<string, string> = {}) => readConfig(new Map(Object.entries({ ...base, ...more })));

const module = 'org.apache.kafka.common.security.scram.ScramLoginModule';
const scram = { 'kafka.security.protocol': 'SASL_SSL', 'kafka.sasl.mechanism': 'SCRAM-SHA-512', 'kafka.sasl.jaas.config': `${module} required username="one" password="t=w\\"o;";` };

describe('bridge: properties', () => {
  it('reads keys, values with signs of their own, comments and continued lines', () => {
    const text = '# c\nbridge.id=my-bridge\nkafka.sasl=a=b;c\n\nlong=one,\\\n  two\nempty=\n';
    assert.deepEqual([...parseProperties(text)], [['bridge.id', 'my-bridge'], ['kafka.sasl', 'a=b;c'], ['long', 'one,two'], ['empty', '']]);
  });
});

describe('bridge: configuration', () => {
  it('has the defaults of the original', () => {
    const { port, managementPort, host, producerEnabled, consumerEnabled, consumerTimeoutMs, ignored } = config();
    assert.deepEqual([port, managementPort, host, producerEnabled, consumerEnabled, consumerTimeoutMs, ignored], [8080, 8081, '0.0.0.0', true, true, undefined, []]);
  });

  it('has the defaults of Kafka\'s producer, and its own settings over the common ones', () => {
    assert.deepEqual(laneOptions(config().producer), { acks: -1, idempotent: true, compression: 'none', deliveryTimeoutMs: 120_000, requestTimeoutMs: 30_000, retryBackoffMs: 100, maxRequestBytes: 1_048_576 });
    const { producer, consumer } = config({ 'kafka.request.timeout.ms': '5', 'kafka.producer.request.timeout.ms': '7' });
    assert.deepEqual([producer.integer('request.timeout.ms', 0), consumer.integer('request.timeout.ms', 0)], [7, 5]);
  });

  it('gives idempotence up with fewer acks', () => assert.equal(laneOptions(config({ 'kafka.producer.acks': '1' }).producer).idempotent, false));
  it('counts the idle time of consumers in seconds', () => assert.equal(config({ 'http.timeoutSeconds': '60' }).consumerTimeoutMs, 60_000));

  it('trusts the given certificates and checks host names', () => {
    const { client } = config({ 'kafka.security.protocol': 'SSL', 'kafka.ssl.truststore.certificates': 'PEM' });
    assert.deepEqual(client, { bootstrapBrokers: ['a:9094', 'b:9094'], tlsServerName: true, tls: { ca: 'PEM' } });
  });

  it('says who it is by a password, with TLS and without', () => {
    const sasl = { mechanism: 'SCRAM-SHA-512', username: 'one', password: 't=w"o;' };
    const { client, ignored } = config({ ...scram, 'kafka.ssl.truststore.certificates': 'PEM' });
    assert.deepEqual([client, ignored], [{ bootstrapBrokers: ['a:9094', 'b:9094'], sasl, tlsServerName: true, tls: { ca: 'PEM' } }, []]);
    assert.deepEqual(config({ ...scram, 'kafka.security.protocol': 'SASL_PLAINTEXT' }).client, { bootstrapBrokers: ['a:9094', 'b:9094'], sasl });
  });

  it('says who it is by a certificate', () => {
    const { client } = config({ 'kafka.security.protocol': 'SSL', 'kafka.ssl.keystore.certificate.chain': 'CHAIN', 'kafka.ssl.keystore.key': 'KEY', 'kafka.ssl.keystore.type': 'PEM' });
    assert.deepEqual(client.tls, { cert: 'CHAIN', key: 'KEY' });
  });

  it('names what it does not honour', () => {
    assert.deepEqual(config({ 'bridge.executor.pool.size': '32', 'kafka.producer.linger.ms': '5', 'kafka.admin.config.providers': 'x', 'http.cors.enabled': 'true' }).ignored, ['bridge.executor.pool.size', 'kafka.producer.linger.ms', 'http.cors.enabled']);
  });

  it('honours the time for a connection where it need not grow', () => {
    const timeout = (max: string) => config({ 'kafka.producer.socket.connection.setup.timeout.ms': '2000', 'kafka.producer.socket.connection.setup.timeout.max.ms': max });
    assert.deepEqual([timeout('2000').producer.connectTimeoutMs, timeout('2000').ignored], [2000, []]);
    assert.deepEqual([config().producer.connectTimeoutMs, timeout('4000').ignored], [10_000, ['kafka.producer.socket.connection.setup.timeout.max.ms']]);
  });

  const refused: [string, Record<string, string>, RegExp][] = [
    ['SASL of another kind', { 'kafka.security.protocol': 'SASL_SSL', 'kafka.sasl.mechanism': 'PLAIN' }, /kafka\.sasl\.mechanism is PLAIN; the reference bridge knows SCRAM-SHA-512/],
    ['a protocol that does not exist', { 'kafka.security.protocol': 'TLS' }, /Invalid value TLS/],
    ['a password that is not said', { ...scram, 'kafka.sasl.jaas.config': `${module} required username="one";` }, /no password/], ['another login module', { ...scram, 'kafka.sasl.jaas.config': 'x.Plain required username="one" password="two";' }, /no line/],
    ['TLS on its own port', { 'http.ssl.key': 'x' }, /http\.ssl/],
    ['acks that do not exist', { 'kafka.producer.acks': '2' }, /Invalid value 2 for configuration acks/],
    ['idempotence without all acks', { 'kafka.producer.acks': '1', 'kafka.producer.enable.idempotence': 'true' }, /Must set acks to all/],
    ['a port that is no number', { 'http.port': 'eighty' }, /http\.port/],
  ];
  for (const [what, more, message] of refused) it(`refuses ${what}`, () => assert.throws(() => config(more), (error: unknown) => error instanceof UserError && error.exitCode === 2 && message.test(error.message)));

  it('refuses to start without brokers', () => assert.throws(() => readConfig(new Map()), UserError));
});
