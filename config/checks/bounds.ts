import { brokerLease } from '../broker-lease.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import type { Path } from '../text.ts';
import { takes } from '../versions.ts';
import { notWhole, numberOf } from './numbers.ts';

/** A time and what it is called in a message. */
type Limit = readonly [value: number | undefined, called: string];

export const boundRules = [
  '`bridge.producer.requestTimeoutMs` (with `linger.ms`) < `bridge.producer.deliveryTimeoutMs`, and that with `bridge.producer.maxBlockMs` < `bridge.timeouts.perTryMs` < `bridge.timeouts.routeMs`: the innermost bound ends first.',
  '`bridge.timeouts.connectMs` < `bridge.timeouts.perTryMs`, and < `bridge.healthCheck.timeoutMs`: try and check connect first (the latter not with `tsb.envoyFilters: none`, which has no checks, or `tier1.retries: tsb-default`, which leaves connections to TSB).',
  '`bridge.timeouts.consumersMs` < `bridge.consumer.idleTimeoutSeconds`, or a long poll is no sign of life.',
  '`bridge.consumer.heartbeatIntervalMs` < half of `bridge.consumer.sessionTimeoutMs`, which brokers have to admit (`group.min.session.timeout.ms`, `group.max.session.timeout.ms`).',
  'With `bridge.service: strimzi` also `bridge.timeouts.perTryMs` < `bridge.timeouts.consumersMs`, which is then every request’s bound in its region (unless `tsb.api: tier1gateway` and `tier1.retries: tsb-default` leave it without one).',
  '`default.api.timeout.ms` of the admin client is at least its `request.timeout.ms`, or the bridge does not start. Where `bridge.admin.config` has none, they are `bridge.producer.deliveryTimeoutMs` and `bridge.producer.requestTimeoutMs`.',
  `With \`api: v1\` \`broker.heartbeat.interval.ms\` of \`kafka.config\` is at most half of its \`broker.session.timeout.ms\`, as Kafka asks: otherwise it fences every broker between two heartbeats. Where there are none, they are ${brokerLease['broker.heartbeat.interval.ms']} and ${brokerLease['broker.session.timeout.ms']}.`,
  '`kafka.certificate.leafDays` < `kafka.certificate.rootDays`.',
];

/** A request must end by the innermost bound first, or its outcome stays unknown while the record still may be written. */
export function checkBounds(configuration: Readable): Finding[] {
  const { producer, consumer, timeouts } = configuration.bridge ?? {};
  // Kafka's default since 4.0.
  const linger = numberOf(producer?.config, 'linger.ms', 5);
  return [
    ...below(['bridge', 'producer', 'requestTimeoutMs'], producer?.requestTimeoutMs, [
      less(producer?.deliveryTimeoutMs, linger),
      linger > 0 ? 'bridge.producer.deliveryTimeoutMs less linger.ms' : 'bridge.producer.deliveryTimeoutMs',
    ]),
    ...below(['bridge', 'producer', 'deliveryTimeoutMs'], producer?.deliveryTimeoutMs, [
      less(timeouts?.perTryMs, producer?.maxBlockMs),
      'bridge.timeouts.perTryMs less bridge.producer.maxBlockMs',
    ]),
    ...below(['bridge', 'timeouts', 'perTryMs'], timeouts?.perTryMs, [timeouts?.routeMs, 'bridge.timeouts.routeMs']),
    ...below(['bridge', 'timeouts', 'connectMs'], timeouts?.connectMs, [timeouts?.perTryMs, 'bridge.timeouts.perTryMs']),
    ...check(configuration),
    ...strimziService(configuration),
    ...idle(configuration),
    ...below(['bridge', 'consumer', 'heartbeatIntervalMs'], consumer?.heartbeatIntervalMs, [times(consumer?.sessionTimeoutMs, 0.5), 'half of bridge.consumer.sessionTimeoutMs']),
    ...session(configuration),
    ...admin(configuration),
    ...lease(configuration),
    ...certificate(configuration),
  ];
}

function below(path: Path, value: number | undefined, [limit, of]: Limit): Finding[] {
  if (value === undefined || limit === undefined || value < limit) return [];
  return [{ path, allowed: `less than ${limit} (${of})` }];
}

function less(value: number | undefined, by: number | undefined): number | undefined {
  return value === undefined || by === undefined ? undefined : value - by;
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

/** A host that may take longer to connect to than a check of it lasts would never pass one. */
function check({ bridge, tsb, tier1 }: Readable): Finding[] {
  if (tsb?.envoyFilters === 'none' || tier1?.retries === 'tsb-default') return [];
  return below(['bridge', 'timeouts', 'connectMs'], bridge?.timeouts?.connectMs, [bridge?.healthCheck?.timeoutMs, 'bridge.healthCheck.timeoutMs, in which a check connects and asks']);
}

/** Bridges of old keep consumers for ever. */
function idle({ bridge, operators }: Readable): Finding[] {
  const version = operators?.strimzi?.version;
  if (version !== undefined && !takes(version, 'idleTimeoutSeconds')) return [];
  return below(['bridge', 'timeouts', 'consumersMs'], bridge?.timeouts?.consumersMs, [times(bridge?.consumer?.idleTimeoutSeconds, 1_000), 'bridge.consumer.idleTimeoutSeconds']);
}

/** Through Strimzi's Service records and consumers go by one route. Deprecated kinds have no bound of it, and TSB's own settings none either. */
function strimziService({ bridge, tsb, tier1 }: Readable): Finding[] {
  if (bridge?.service !== 'strimzi' || (tsb?.api === 'tier1gateway' && tier1?.retries === 'tsb-default')) return [];
  return below(['bridge', 'timeouts', 'perTryMs'], bridge.timeouts?.perTryMs, [bridge.timeouts?.consumersMs, 'bridge.timeouts.consumersMs, which bounds every request with bridge.service: strimzi']);
}

/** Brokers refuse a member whose session is not between their bounds. */
function session({ kafka, bridge }: Readable): Finding[] {
  const timeout = bridge?.consumer?.sessionTimeoutMs;
  if (kafka?.config === undefined || timeout === undefined) return [];
  const from = numberOf(kafka.config, 'group.min.session.timeout.ms', 6_000);
  const to = numberOf(kafka.config, 'group.max.session.timeout.ms', 1_800_000);
  if (timeout >= from && timeout <= to) return [];
  return [{ path: ['bridge', 'consumer', 'sessionTimeoutMs'], allowed: `from ${from} to ${to}, as kafka.config says with group.min.session.timeout.ms and group.max.session.timeout.ms` }];
}

/** With these the bridge logs an error, opens no port and does not exit. */
function admin({ bridge }: Readable): Finding[] {
  const { requestTimeoutMs, deliveryTimeoutMs } = bridge?.producer ?? {};
  const settings = bridge?.admin?.config ?? {};
  const [ofRequest, ofCall] = ['request.timeout.ms', 'default.api.timeout.ms'];
  const given = [ofRequest, ofCall].filter((key) => settings[key] !== undefined);
  // Where neither is given, they are the producer's, which have a rule of their own.
  if (requestTimeoutMs === undefined || deliveryTimeoutMs === undefined || given.length === 0) return [];
  const [request, call] = [numberOf(settings, ofRequest, requestTimeoutMs), numberOf(settings, ofCall, deliveryTimeoutMs)];
  if (call >= request) return [];
  const path = ['bridge', 'admin', 'config'];
  if (!given.includes(ofCall)) return [{ path: [...path, ofRequest], allowed: `${call} or less (bridge.producer.deliveryTimeoutMs, which is ${ofCall} where there is none)` }];
  return [{ path: [...path, ofCall], allowed: `${request} or more (${given.includes(ofRequest) ? ofRequest : `bridge.producer.requestTimeoutMs, which is ${ofRequest} where there is none`})` }];
}

/** Without ZooKeeper a broker that is not heard of in time is fenced: nobody leads its partitions until it comes back. */
function lease({ kafka }: Readable): Finding[] {
  const settings = kafka?.config;
  if (kafka?.api !== 'v1' || settings === undefined) return [];
  const [ofSession, ofHeartbeat] = ['broker.session.timeout.ms', 'broker.heartbeat.interval.ms'] as const;
  const path = ['kafka', 'config'];
  const [session, heartbeat] = [numberOf(settings, ofSession, brokerLease[ofSession]), numberOf(settings, ofHeartbeat, brokerLease[ofHeartbeat])];
  const words = notWhole(path, settings, [ofSession, ofHeartbeat]);
  if (words.length > 0 || heartbeat <= session / 2) return words;
  const other = (key: string, value: number): string => `${settings[key] === undefined ? `${key}, which is ${value} where there is none` : `${key} (${value})`}, or brokers are fenced between two heartbeats`;
  if (settings[ofHeartbeat] === undefined) return [{ path: [...path, ofSession], allowed: `${heartbeat * 2} or more: twice ${other(ofHeartbeat, heartbeat)}` }];
  return [{ path: [...path, ofHeartbeat], allowed: `${Math.floor(session / 2)} or less: half of ${other(ofSession, session)}` }];
}

function certificate({ kafka }: Readable): Finding[] {
  const settings = kafka?.certificate;
  if (settings?.source !== 'own-root') return [];
  return below(['kafka', 'certificate', 'leafDays'], settings.leafDays, [settings.rootDays, 'kafka.certificate.rootDays']);
}
