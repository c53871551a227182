import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import type { Path } from '../text.ts';

/** A time and what it is called in a message. */
type Limit = readonly [value: number | undefined, called: string];

export const boundRules = [
  '`bridge.producer.requestTimeoutMs` (with `linger.ms`) < `bridge.producer.deliveryTimeoutMs`, and that with `bridge.producer.maxBlockMs` < `bridge.timeouts.perTryMs` < `bridge.timeouts.routeMs`: the innermost bound ends first.',
  '`bridge.timeouts.consumersMs` < `bridge.consumer.idleTimeoutSeconds`, or a long poll is no sign of life.',
  '`bridge.consumer.heartbeatIntervalMs` < half of `bridge.consumer.sessionTimeoutMs`, which brokers have to admit (`group.min.session.timeout.ms`, `group.max.session.timeout.ms`).',
  '`default.api.timeout.ms` of the admin client is at least its `request.timeout.ms`, or the bridge does not start.',
  '`kafka.certificate.leafDays` < `kafka.certificate.rootDays`.',
];

/** A request must end by the innermost bound first, or its outcome stays unknown while the record still may be written. */
export function checkBounds(configuration: Readable): Finding[] {
  const { producer, consumer, timeouts } = configuration.bridge ?? {};
  return [
    ...below(['bridge', 'producer', 'requestTimeoutMs'], producer?.requestTimeoutMs, [
      less(producer?.deliveryTimeoutMs, number(producer?.config, 'linger.ms', 0)),
      number(producer?.config, 'linger.ms', 0) > 0 ? 'bridge.producer.deliveryTimeoutMs less linger.ms' : 'bridge.producer.deliveryTimeoutMs',
    ]),
    ...below(['bridge', 'producer', 'deliveryTimeoutMs'], producer?.deliveryTimeoutMs, [
      less(timeouts?.perTryMs, producer?.maxBlockMs),
      'bridge.timeouts.perTryMs less bridge.producer.maxBlockMs',
    ]),
    ...below(['bridge', 'timeouts', 'perTryMs'], timeouts?.perTryMs, [timeouts?.routeMs, 'bridge.timeouts.routeMs']),
    ...below(['bridge', 'timeouts', 'consumersMs'], timeouts?.consumersMs, [times(consumer?.idleTimeoutSeconds, 1_000), 'bridge.consumer.idleTimeoutSeconds']),
    ...below(['bridge', 'consumer', 'heartbeatIntervalMs'], consumer?.heartbeatIntervalMs, [times(consumer?.sessionTimeoutMs, 0.5), 'half of bridge.consumer.sessionTimeoutMs']),
    ...session(configuration),
    ...admin(configuration),
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

/** A number among Kafka's settings. */
function number(settings: Readonly<Record<string, unknown>> | undefined, key: string, otherwise: number): number {
  const value = Number(settings?.[key] ?? otherwise);
  return Number.isFinite(value) ? value : otherwise;
}

/** Brokers refuse a member whose session is not between their bounds. */
function session({ kafka, bridge }: Readable): Finding[] {
  const timeout = bridge?.consumer?.sessionTimeoutMs;
  if (kafka?.config === undefined || timeout === undefined) return [];
  const from = number(kafka.config, 'group.min.session.timeout.ms', 6_000);
  const to = number(kafka.config, 'group.max.session.timeout.ms', 1_800_000);
  if (timeout >= from && timeout <= to) return [];
  return [{ path: ['bridge', 'consumer', 'sessionTimeoutMs'], allowed: `from ${from} to ${to}, as kafka.config says with group.min.session.timeout.ms and group.max.session.timeout.ms` }];
}

/** With these the bridge logs an error, opens no port and does not exit. */
function admin({ bridge }: Readable): Finding[] {
  const settings = bridge?.admin?.config;
  const request = number(settings, 'request.timeout.ms', 30_000);
  if (number(settings, 'default.api.timeout.ms', 60_000) >= request) return [];
  return [{ path: ['bridge', 'admin', 'config', 'default.api.timeout.ms'], allowed: `${request} or more (request.timeout.ms)` }];
}

function certificate({ kafka }: Readable): Finding[] {
  const settings = kafka?.certificate;
  if (settings?.source !== 'own-root') return [];
  return below(['kafka', 'certificate', 'leafDays'], settings.leafDays, [settings.rootDays, 'kafka.certificate.rootDays']);
}
