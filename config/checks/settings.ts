import { nearest } from '../near.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import type { Path } from '../text.ts';
import { booleanOf, uncleanElection } from './booleans.ts';
import { notWhole, numberOf } from './numbers.ts';

/** Prefixes that the operator refuses or drops, and what they do not mean. Source: KafkaClusterSpec and the KafkaBridge*Spec classes of Strimzi. */
interface Forbidden {
  readonly prefixes: readonly string[];
  readonly except: readonly string[];
}

const ofBrokers: Forbidden = {
  prefixes: words(`listeners advertised. broker. listener. host.name port inter.broker.listener.name sasl. ssl. security. password. log.dir
    zookeeper.connect zookeeper.set.acl zookeeper.ssl zookeeper.clientCnxnSocket authorizer. super.user cruise.control.metrics.topic
    cruise.control.metrics.reporter.bootstrap.servers node.id process.roles controller. metadata.log.dir zookeeper.metadata.migration.enable
    client.quota.callback.static. prometheus.metrics.reporter. cordoned.log.dirs`),
  except: words(`zookeeper.connection.timeout.ms sasl.server.max.receive.size ssl.cipher.suites ssl.protocol ssl.enabled.protocols
    ssl.secure.random.implementation cruise.control.metrics.topic.num.partitions cruise.control.metrics.topic.replication.factor
    cruise.control.metrics.topic.retention.ms cruise.control.metrics.topic.auto.create.retries cruise.control.metrics.topic.auto.create.timeout.ms
    cruise.control.metrics.topic.min.insync.replicas broker.session.timeout.ms broker.heartbeat.interval.ms controller.socket.timeout.ms
    controller.quorum.election.backoff.max.ms controller.quorum.election.timeout.ms controller.quorum.fetch.timeout.ms`),
};

const ofClients: Forbidden = {
  prefixes: words('ssl. bootstrap.servers sasl. security.'),
  except: words('ssl.endpoint.identification.algorithm ssl.cipher.suites ssl.protocol ssl.enabled.protocols'),
};

/** Settings that have a key of their own, where their bounds are checked. */
const elsewhere = {
  producer: { 'max.block.ms': 'maxBlockMs', 'request.timeout.ms': 'requestTimeoutMs', 'delivery.timeout.ms': 'deliveryTimeoutMs' },
  consumer: { 'session.timeout.ms': 'sessionTimeoutMs', 'heartbeat.interval.ms': 'heartbeatIntervalMs' },
  admin: {},
} as const;

/** Settings that the operator would pass on, and that no client of a bridge can have: what is allowed instead. */
const ofBridge: Readonly<Record<'producer' | 'consumer' | 'admin', Readonly<Record<string, string>>>> = {
  producer: { 'key.serializer': 'nothing: the bridge sets it itself', 'value.serializer': 'nothing: the bridge sets it itself' },
  consumer: {
    'key.deserializer': 'nothing: the bridge sets it itself',
    'value.deserializer': 'nothing: the bridge sets it itself',
    'group.instance.id': 'nothing: all consumers would have it, and of those in one group each would put out the one before',
  },
  admin: {},
};

const lookup = { 'client.dns.lookup': words('use_all_dns_ips resolve_canonical_bootstrap_servers_only') };

/** Settings whose values Kafka fixes, and with any other of which its client does not start. From ProducerConfig, ConsumerConfig and AdminClientConfig of Kafka 3.5 to 4.3. */
const values: Readonly<Record<'producer' | 'consumer' | 'admin', Readonly<Record<string, readonly string[]>>>> = {
  producer: { ...lookup, 'compression.type': words('none gzip snappy lz4 zstd') },
  consumer: { ...lookup, 'auto.offset.reset': words('earliest latest none'), 'isolation.level': words('read_committed read_uncommitted') },
  admin: lookup,
};

/** Settings that the checks here and of other files calculate with. */
const numbers = {
  brokers: words(`default.replication.factor offsets.topic.replication.factor transaction.state.log.replication.factor min.insync.replicas
    transaction.state.log.min.isr num.partitions message.max.bytes group.min.session.timeout.ms group.max.session.timeout.ms`),
  producer: words('linger.ms max.in.flight.requests.per.connection retries'),
  consumer: [],
  admin: words('request.timeout.ms default.api.timeout.ms'),
} as const;

export const settingRules = [
  'Settings that the operator makes itself (listeners, TLS, SASL, bootstrap servers, `group.id` …) or the bridge (serializers) cannot be set, nor `group.instance.id`, which all consumers would share, and those with a key of their own (`delivery.timeout.ms` …) are set there.',
  'With `api: v1` records stay on three brokers and are acknowledged by two: replication factors of 3 or more, `min.insync.replicas` of 2 or more and below the factor, no unclean leader election. No factor is above `kafka.brokers`.',
  'Bridges produce with `acks: all` and idempotence, and so with `max.in.flight.requests.per.connection` of 5 at most, `retries` of 1 at least and no `transactional.id`. `group.protocol` of consumers is classic. `compression.type`, `auto.offset.reset`, `isolation.level` and `client.dns.lookup` have one of the values that Kafka has for them.',
  'Settings that are checked as numbers are whole numbers, `num.partitions` and `message.max.bytes` 1 or more. `auto.create.topics.enable` is true or false. Text is of one line.',
];

/** Settings by Kafka's own names: those that nobody may set, and values with which a loss would cost records. */
export function checkSettings({ kafka, bridge }: Readable): Finding[] {
  return [
    ...(kafka?.config === undefined ? [] : [...forbidden(['kafka', 'config'], kafka.config, ofBrokers), ...notWhole(['kafka', 'config'], kafka.config, numbers.brokers), ...refusedByBrokers(kafka.config), ...brokers(kafka.config, kafka)]),
    ...(['producer', 'consumer', 'admin'] as const).flatMap((client) => {
      const settings = bridge?.[client]?.config ?? {};
      const path = ['bridge', client, 'config'];
      return [...forbidden(path, settings, client === 'consumer' ? { ...ofClients, prefixes: [...ofClients.prefixes, 'group.id'] } : ofClients), ...owned(path, settings, elsewhere[client]), ...fixed(path, settings, ofBridge[client]), ...notWhole(path, settings, numbers[client]), ...oneOf(path, settings, values[client])];
    }),
    ...acknowledged(bridge?.producer?.config ?? {}),
    ...classic(bridge?.consumer?.config ?? {}),
  ];
}

function forbidden(path: Path, settings: object, { prefixes, except }: Forbidden): Finding[] {
  return Object.keys(settings)
    .filter((key) => prefixes.some((prefix) => key.startsWith(prefix)) && !except.some((exception) => key.startsWith(exception)))
    .map((key) => ({ path: [...path, key], allowed: 'nothing: the operator sets it itself' }));
}

function owned(path: Path, settings: object, keys: Readonly<Record<string, string>>): Finding[] {
  return Object.entries(keys)
    .filter(([key]) => Object.hasOwn(settings, key))
    .map(([key, own]) => ({ path: [...path, key], allowed: `nothing here: it is ${[...path.slice(0, -1), own].join('.')}` }));
}

function fixed(path: Path, settings: object, keys: Readonly<Record<string, string>>): Finding[] {
  return Object.entries(keys).filter(([key]) => Object.hasOwn(settings, key)).map(([key, allowed]) => ({ path: [...path, key], allowed }));
}

/** One of the values that a setting can have; consumers can also begin a time ago. */
function oneOf(path: Path, settings: Readonly<Record<string, unknown>>, keys: Readonly<Record<string, readonly string[]>>): Finding[] {
  return Object.entries(keys).flatMap(([key, known]) => {
    const value = settings[key] === undefined ? undefined : String(settings[key]).trim();
    if (value === undefined || known.includes(value) || (key === 'auto.offset.reset' && /^by_duration:P/.test(value))) return [];
    return [{ path: [...path, key], allowed: known.join(', '), suggestion: nearest(value, known) }];
  });
}

/** Values with which brokers do not start. */
function refusedByBrokers(settings: Readonly<Record<string, unknown>>): Finding[] {
  const path = ['kafka', 'config'];
  const create = settings['auto.create.topics.enable'];
  return [
    ...['num.partitions', 'message.max.bytes'].filter((key) => numberOf(settings, key, 1) < 1).map((key) => ({ path: [...path, key], allowed: '1 or more' })),
    ...(create === undefined || booleanOf(create) !== undefined ? [] : [{ path: [...path, 'auto.create.topics.enable'], allowed: 'true or false' }]),
  ];
}

/** A record is acknowledged when two brokers have it, and the loss of one broker refuses none. */
function brokers(settings: Readonly<Record<string, unknown>>, { api, brokers: count }: { api?: string | undefined; brokers?: number | undefined }): Finding[] {
  if (api === undefined) return [];
  const finding = (key: string, allowed: string): Finding => ({ path: ['kafka', 'config', key], allowed });
  const value = (key: string, otherwise: number): number => numberOf(settings, key, otherwise);
  const factors = ['default.replication.factor', 'offsets.topic.replication.factor', 'transaction.state.log.replication.factor'];
  const strict = api === 'v1';
  return [
    ...factors.flatMap((key) => [
      ...(strict && value(key, 3) < 3 ? [finding(key, '3 or more')] : []),
      ...(count !== undefined && value(key, 3) > count ? [finding(key, `${count} or less, as there are so many brokers`)] : []),
    ]),
    ...[['min.insync.replicas', 'default.replication.factor'] as const, ['transaction.state.log.min.isr', 'transaction.state.log.replication.factor'] as const].flatMap(([key, factor]) => [
      ...(strict && value(key, 2) < 2 ? [finding(key, '2 or more, or one broker alone acknowledges records')] : []),
      ...(value(key, 2) >= value(factor, 3) ? [finding(key, `less than ${value(factor, 3)} (${factor}), or the loss of one broker refuses every record`)] : []),
    ]),
    ...(strict ? uncleanElection(['kafka', 'config'], settings) : []),
    ...(strict ? ['inter.broker.protocol.version', 'log.message.format.version'].filter((key) => Object.hasOwn(settings, key)).map((key) => finding(key, 'only with kafka.api v1beta2')) : []),
  ];
}

function acknowledged(settings: Readonly<Record<string, unknown>>): Finding[] {
  const wrong = (key: string, isRight: boolean, allowed: string): Finding[] => (Object.hasOwn(settings, key) && !isRight ? [{ path: ['bridge', 'producer', 'config', key], allowed }] : []);
  const inFlight = numberOf(settings, 'max.in.flight.requests.per.connection', 5);
  return [
    ...wrong('acks', ['all', '-1'].includes(String(settings['acks'])), 'all: otherwise a record that was acknowledged is lost with its broker'),
    ...wrong('enable.idempotence', String(settings['enable.idempotence']) === 'true', 'true: otherwise a repetition writes a record twice'),
    ...wrong('max.in.flight.requests.per.connection', inFlight >= 1 && inFlight <= 5, 'from 1 to 5: with more a producer with idempotence does not start'),
    ...wrong('retries', numberOf(settings, 'retries', 1) >= 1, '1 or more: with 0 a producer with idempotence does not start'),
    ...wrong('transactional.id', false, 'nothing: bridges begin no transactions, and without one such a producer refuses every record'),
  ];
}

/** By the other protocol brokers say the times of a session, and Kafka's client refuses those that the program sets. */
function classic(settings: Readonly<Record<string, unknown>>): Finding[] {
  const key = 'group.protocol';
  if (String(settings[key] ?? 'classic').toLowerCase() === 'classic') return [];
  return [{ path: ['bridge', 'consumer', 'config', key], allowed: 'classic: no other takes bridge.consumer.sessionTimeoutMs and heartbeatIntervalMs' }];
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
