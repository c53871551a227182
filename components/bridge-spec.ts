import type * as pulumi from '@pulumi/pulumi';

import { failoverLabel, localPodLabel } from '../config/names.ts';
import type { BridgeConfiguration, OperatorConfiguration, TsbConfiguration } from '../config/schema.ts';
import { operatorRelease, takes } from '../config/versions.ts';
import { bridgeImage } from './bridge-image.ts';
import { bridgeLogging } from './bridge-logging.ts';
import type { BridgeAuthentication, BridgeMetrics, KafkaBridgeSpec } from './resources/kafka-bridge.ts';
import type { StrimziApi } from './resources/strimzi.ts';
import { spread } from './spread.ts';

export interface BridgeSpecArgs {
  readonly bridge: BridgeConfiguration;
  readonly api: StrimziApi;
  /** The operator that runs it. */
  readonly operator: Pick<OperatorConfiguration, 'version' | 'values'>;
  readonly replicas: number;
  readonly bootstrapServers: pulumi.Input<string>;
  /** Secret with the certificates that brokers are trusted by, and its entries, one for each: Strimzi may take only the first of an entry. */
  readonly trustSecret: string;
  readonly trustEntries: readonly string[];
  /** Whether gateways check it. */
  readonly envoyFilters: TsbConfiguration['envoyFilters'];
}

/** A bridge that acknowledges a record only when two brokers have it, and whose clients' times are bounded. */
export function bridgeSpec({ bridge, api, operator, replicas, bootstrapServers, trustSecret, trustEntries, envoyFilters }: BridgeSpecArgs): KafkaBridgeSpec {
  const { name, version, port, resources, probes, maxUnavailable } = bridge;
  return {
    replicas,
    ...(version === undefined ? {} : { image: bridgeImage(version, operator) }),
    bootstrapServers,
    tls: { trustedCertificates: trustEntries.map((certificate) => ({ secretName: trustSecret, certificate })) },
    ...(bridge.authentication === undefined ? {} : { authentication: authentication(bridge.authentication) }),
    http: { port },
    ...clients(bridge, api, operator),
    ...(resources === undefined ? {} : { resources }),
    ...bridgeLogging(bridge, envoyFilters),
    ...metrics(bridge, api),
    ...(probes.liveness === undefined ? {} : { livenessProbe: probes.liveness }),
    readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 5, ...probes.readiness },
    template: {
      // Where gateways call another Service, peers would join the same pods by this one as well, at a port where nobody listens.
      ...(bridge.service === 'strimzi' ? { apiService: { metadata: { labels: failoverLabel } } } : {}),
      pod: { metadata: { labels: { ...localPodLabel, ...revisionLabel(bridge) }, ...scraped(bridge, operator) }, ...spread(selectorOf(name), bridge.spread) },
      podDisruptionBudget: { maxUnavailable },
    },
  };
}

/** The labels by which Strimzi selects a bridge's pods. */
export function selectorOf(bridge: string): Record<string, string> {
  return { 'strimzi.io/cluster': bridge, 'strimzi.io/name': `${bridge}-bridge`, 'strimzi.io/kind': 'KafkaBridge' };
}

/**
 * Where a bridge answers /ready, /healthy and /metrics: a port of its own since 1.0, before that the one of its API. Without a version
 * it is the operator's own; operators that came later than what is known bring none before 1.0.
 */
function managementPort({ version, port }: Pick<BridgeConfiguration, 'version' | 'port'>, operator: Pick<OperatorConfiguration, 'version'>): number {
  const bridge = version ?? operatorRelease(operator.version)?.bridge;
  return bridge === undefined || Number.parseInt(bridge, 10) >= 1 ? 8081 : port;
}

/** Name of the ConfigMap with the rules of the JMX exporter, and its entry. */
export const metricsRules = { name: 'kafka-bridge-metrics', key: 'metrics-config.yml' } as const;

/**
 * While a broker says nothing, TCP asks it again ever more rarely, and Kafka's clients wait ever longer for that (10 s, in the end 30 s). Begun anew so often, a connection is there within seconds of the network,
 * before what waits for it is given up. Socket connection setup timeouts of KIP-601.
 */
const reconnecting = { 'socket.connection.setup.timeout.ms': 2_000, 'socket.connection.setup.timeout.max.ms': 2_000 };

/** A producer, consumer and admin client that answer before the gateway gives up, and the threads that they share. */
function clients({ producer, consumer, admin, executorThreads }: BridgeConfiguration, api: StrimziApi, { version }: Pick<OperatorConfiguration, 'version'>): Pick<KafkaBridgeSpec, 'config' | 'producer' | 'consumer' | 'adminClient'> {
  const reconnects = api === 'v1' ? reconnecting : {};
  return {
    ...(takes(version, 'executorThreads') ? { config: { 'bridge.executor.pool.size': executorThreads } } : {}),
    producer: {
      config: {
        acks: 'all',
        'enable.idempotence': true,
        'max.block.ms': producer.maxBlockMs,
        'request.timeout.ms': producer.requestTimeoutMs,
        'delivery.timeout.ms': producer.deliveryTimeoutMs,
        ...reconnects,
        ...producer.config,
      },
    },
    consumer: {
      ...(takes(version, 'idleTimeoutSeconds') ? { timeoutSeconds: consumer.idleTimeoutSeconds } : {}),
      config: { 'session.timeout.ms': consumer.sessionTimeoutMs, 'heartbeat.interval.ms': consumer.heartbeatIntervalMs, ...reconnects, ...consumer.config },
    },
    // A list of topics while Kafka is away is an error in seconds; Kafka's own default is a minute.
    adminClient: { config: { 'request.timeout.ms': producer.requestTimeoutMs, 'default.api.timeout.ms': producer.deliveryTimeoutMs, ...reconnects, ...admin.config } },
  };
}

function authentication(given: NonNullable<BridgeConfiguration['authentication']>): BridgeAuthentication {
  if (given.type === 'tls') {
    const { name, certificate, key } = given.secret;
    return { type: 'tls', certificateAndKey: { secretName: name, certificate, key } };
  }
  const { name, key } = given.secret;
  return { type: given.type, username: given.username, passwordSecret: { secretName: name, password: key } };
}

function metrics({ metrics: exporter }: BridgeConfiguration, api: StrimziApi): BridgeMetrics | Record<string, never> {
  if (exporter === 'none') return {};
  if (api === 'v1beta2') return { enableMetrics: true };
  if (exporter === 'strimzi') return { metricsConfig: { type: 'strimziMetricsReporter' } };
  return { metricsConfig: { type: 'jmxPrometheusExporter', valueFrom: { configMapKeyRef: metricsRules } } };
}

/** By these annotations Prometheus finds the metrics, and the mesh adds those of the sidecar to them. */
function scraped({ metrics: exporter, ...bridge }: BridgeConfiguration, operator: Pick<OperatorConfiguration, 'version'>): { annotations?: Record<string, string> } {
  if (exporter === 'none') return {};
  return { annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(managementPort(bridge, operator)), 'prometheus.io/path': '/metrics' } };
}

/** Beside the namespace's label it decides nothing; but a sidecar is of another revision only in a pod that is made anew. */
function revisionLabel({ injection }: BridgeConfiguration): Record<string, string> {
  return injection === 'enabled' ? {} : { 'istio.io/rev': injection.revision };
}
