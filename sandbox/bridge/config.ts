import type { BaseOptions } from '@platformatic/kafka';
import { UserError } from '../../errors.ts';
import { saslOptions } from './jaas.ts';

/** What the bridge runs with, read from `application.properties` (keys in strict order of their prefix). Times are in ms. */
export interface BridgeConfig {
  readonly id: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly managementPort: number;
  readonly producerEnabled: boolean;
  readonly consumerEnabled: boolean;
  /** Instances without a request for this long are deleted; `undefined`: never. */
  readonly consumerTimeoutMs: number | undefined;
  readonly client: Pick<BaseOptions, 'bootstrapBrokers' | 'tls' | 'tlsServerName' | 'sasl'>;
  readonly producer: Settings;
  readonly consumer: Settings;
  readonly admin: Settings;
  /** Keys that were set and are not honoured by this bridge; it starts, and says so in its log. */
  readonly ignored: readonly string[];
}

/** Kafka settings of one client: common ones (`kafka.`) overridden by its own (`kafka.producer.` …). */
export class Settings {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  text(key: string, fallback: string): string {
    return this.#values.get(key) ?? fallback;
  }

  /** @throws UserError when the value is no whole number */
  integer(key: string, fallback: number): number {
    const text = this.#values.get(key);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!Number.isSafeInteger(value)) throw new UserError(`Invalid value ${text} for configuration ${key}: Not a number of type INT`, { exitCode: 2 });
    return value;
  }

  boolean(key: string, fallback: boolean): boolean {
    return this.#values.get(key) === undefined ? fallback : this.#values.get(key) === 'true';
  }

  /** How long a connection may take to be made, ms. */
  get connectTimeoutMs(): number {
    return this.integer(connectTimeout, 10_000);
  }

  /** The same with some values replaced; `undefined` leaves one as it is. */
  with(overrides: Readonly<Record<string, string | undefined>>): Settings {
    const given = Object.entries(overrides).filter((each): each is [string, string] => each[1] !== undefined);
    return new Settings(new Map([...this.#values, ...given]));
  }
}

const connectTimeout = 'socket.connection.setup.timeout.ms';

const honoured = {
  common: ['bootstrap.servers', 'security.protocol', 'ssl.truststore.certificates', 'ssl.truststore.type', 'ssl.keystore.certificate.chain', 'ssl.keystore.key', 'ssl.keystore.type',
    'sasl.mechanism', 'sasl.jaas.config', 'ssl.endpoint.identification.algorithm', 'request.timeout.ms', 'default.api.timeout.ms', 'retry.backoff.ms', 'metadata.max.age.ms', connectTimeout],
  producer: ['acks', 'enable.idempotence', 'delivery.timeout.ms', 'max.block.ms', 'max.request.size', 'batch.size', 'compression.type'],
  consumer: ['auto.offset.reset', 'enable.auto.commit', 'auto.commit.interval.ms', 'session.timeout.ms', 'heartbeat.interval.ms', 'max.poll.interval.ms', 'max.poll.records',
    'fetch.min.bytes', 'fetch.max.wait.ms', 'fetch.max.bytes', 'max.partition.fetch.bytes', 'isolation.level', 'client.rack'],
  bridge: ['bridge.id', 'http.host', 'http.port', 'http.management.port', 'http.consumer.enabled', 'http.producer.enabled', 'http.timeoutSeconds', 'http.cors.enabled'],
};

/**
 * Reads the bridge's configuration.
 * @throws UserError for a missing address, a wrong value, and what would be unsafe to leave out (TLS on the HTTP side, SASL of another kind)
 */
export function readConfig(properties: ReadonlyMap<string, string>): BridgeConfig {
  const bridge = new Settings(properties);
  const common = section(properties, 'kafka.', ['producer.', 'consumer.', 'admin.']);
  if (!common.has('bootstrap.servers')) throw new UserError('kafka.bootstrap.servers is not set', { exitCode: 2 });
  if ([...properties.keys()].some((key) => key.startsWith('http.ssl.'))) {
    throw new UserError('http.ssl.* is set, and the reference bridge serves plain HTTP only', { exitCode: 2, remedy: 'put TLS on the gateway in front of it, or run the official bridge' });
  }
  const seconds = bridge.integer('http.timeoutSeconds', -1);
  return {
    id: properties.get('bridge.id'),
    host: bridge.text('http.host', '0.0.0.0'),
    port: bridge.integer('http.port', 8080),
    managementPort: bridge.integer('http.management.port', 8081),
    producerEnabled: bridge.boolean('http.producer.enabled', true),
    consumerEnabled: bridge.boolean('http.consumer.enabled', true),
    consumerTimeoutMs: seconds > 0 ? seconds * 1000 : undefined,
    client: clientOptions(new Settings(common)),
    producer: checkedProducer(new Settings(new Map([...common, ...section(properties, 'kafka.producer.')]))),
    consumer: new Settings(new Map([...common, ...section(properties, 'kafka.consumer.')])),
    admin: new Settings(new Map([...common, ...section(properties, 'kafka.admin.')])),
    ignored: [...properties].filter(([key, value]) => !isHonoured(key, value, properties)).map(([key]) => key),
  };
}

function section(properties: ReadonlyMap<string, string>, prefix: string, except: readonly string[] = []): Map<string, string> {
  const own = [...properties].filter(([key]) => key.startsWith(prefix) && !except.some((other) => key.startsWith(prefix + other)));
  return new Map(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

function clientOptions(settings: Settings): BridgeConfig['client'] {
  const protocol = settings.text('security.protocol', 'PLAINTEXT');
  const bootstrapBrokers = settings.text('bootstrap.servers', '').split(',').map((each) => each.trim());
  if (!['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'].includes(protocol)) {
    throw new UserError(`Invalid value ${protocol} for configuration security.protocol: String must be one of: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL`, { exitCode: 2 });
  }
  const sasl = protocol.startsWith('SASL_') ? { sasl: saslOptions(settings.text('sasl.mechanism', ''), settings.text('sasl.jaas.config', '')) } : {};
  if (!protocol.endsWith('SSL')) return { bootstrapBrokers, ...sasl };
  const ca = settings.text('ssl.truststore.certificates', '');
  const cert = settings.text('ssl.keystore.certificate.chain', '');
  return {
    bootstrapBrokers,
    ...sasl,
    tlsServerName: true,
    tls: {
      ...(ca === '' ? {} : { ca }),
      ...(cert === '' ? {} : { cert, key: settings.text('ssl.keystore.key', '') }),
      // An empty algorithm is Kafka's documented way of not checking the host name; the chain is still verified.
      ...(settings.text('ssl.endpoint.identification.algorithm', 'https') === '' ? { checkServerIdentity: () => undefined } : {}),
    },
  };
}

function checkedProducer(settings: Settings): Settings {
  const acks = settings.text('acks', 'all');
  if (!['all', '-1', '0', '1'].includes(acks)) {
    throw new UserError(`Invalid value ${acks} for configuration acks: String must be one of: all, -1, 0, 1`, { exitCode: 2 });
  }
  if (!['all', '-1'].includes(acks) && settings.text('enable.idempotence', '') === 'true') {
    throw new UserError('Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.', { exitCode: 2 });
  }
  return settings;
}

function isHonoured(key: string, value: string, properties: ReadonlyMap<string, string>): boolean {
  if (honoured.bridge.includes(key)) return key !== 'http.cors.enabled' || value === 'false';
  const [, client = '', setting = ''] = /^kafka\.(?:(producer|consumer|admin)\.)?(.*)$/.exec(key) ?? [];
  if (setting.startsWith('config.providers')) return true;
  // Here it never grows; in Kafka's clients it does not with a greatest that is no more than the first.
  if (setting === 'socket.connection.setup.timeout.max.ms') return Number(value) <= Number(properties.get(key.replace('.max.ms', '.ms')));
  const known = client === 'producer' || client === 'consumer' ? [...honoured.common, ...honoured[client]] : honoured.common;
  return known.includes(setting);
}
