import type * as pulumi from '@pulumi/pulumi';

import { bridgePort, failoverLabel, localPodLabel, trustSecret } from '../config/names.ts';
import type { KafkaBridgeSpec } from './resources/strimzi.ts';

/** How long each part of a request may take; a part ends before the one around it. Milliseconds unless the name says otherwise. */
export interface BridgeBounds {
  /** One record to Kafka. */
  readonly producer: { readonly maxBlockMs: number; readonly requestTimeoutMs: number; readonly deliveryTimeoutMs: number };
  /** How soon members of a dead bridge leave their groups, and consumers without requests go. */
  readonly consumer: { readonly sessionTimeoutMs: number; readonly heartbeatIntervalMs: number; readonly idleTimeoutSeconds: number };
  /** Threads that polls, commits and produces share. */
  readonly executorThreads: number;
  /** At the gateway: one try, a whole request, a whole request to a consumer. */
  readonly timeouts: { readonly perTryMs: number; readonly routeMs: number; readonly consumersMs: number };
}

/** A bridge that acknowledges a record only when two brokers have it, and whose clients' times are bounded. */
export function bridgeSpec({ replicas, bootstrapServers, bounds }: { replicas: number; bootstrapServers: pulumi.Input<string>; bounds: BridgeBounds }): KafkaBridgeSpec {
  const { producer, consumer, executorThreads } = bounds;
  return {
    replicas,
    bootstrapServers,
    tls: { trustedCertificates: [{ secretName: trustSecret, certificate: 'ca.crt' }] },
    http: { port: bridgePort },
    config: { 'bridge.executor.pool.size': executorThreads },
    producer: {
      config: {
        acks: 'all',
        'enable.idempotence': true,
        'max.block.ms': producer.maxBlockMs,
        'request.timeout.ms': producer.requestTimeoutMs,
        'delivery.timeout.ms': producer.deliveryTimeoutMs,
      },
    },
    consumer: {
      timeoutSeconds: consumer.idleTimeoutSeconds,
      config: { 'session.timeout.ms': consumer.sessionTimeoutMs, 'heartbeat.interval.ms': consumer.heartbeatIntervalMs },
    },
    readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 5 },
    template: { apiService: { metadata: { labels: failoverLabel } }, pod: { metadata: { labels: localPodLabel } } },
  };
}

/** The labels by which Strimzi selects a bridge's pods. */
export function selectorOf(bridge: string): Record<string, string> {
  return { 'strimzi.io/cluster': bridge, 'strimzi.io/name': `${bridge}-bridge`, 'strimzi.io/kind': 'KafkaBridge' };
}
