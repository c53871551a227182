import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';

import { metricsRules } from './bridge-spec.ts';

/**
 * The rules by which the JMX exporter names series of the bridge's Kafka clients: `strimzi_bridge_kafka_<client>_<metric>`, the names that
 * Strimzi's dashboards ask for. What is per topic comes first, as the first rule that fits wins. Patterns are matched within `…<><attribute>: <value>`,
 * and end with the attribute: with any of the value in it every value would be a series of its own.
 */
const rules = `lowercaseOutputName: true
rules:
- pattern: 'kafka\\.(producer|consumer)<type=([^,]+), client-id=([^,]+), topic=([^,>]+)><>([a-z-]+)-total:'
  name: strimzi_bridge_kafka_$1_$5_total
  type: COUNTER
  labels: {type: $2, clientId: $3, topic: $4}
- pattern: 'kafka\\.(producer|consumer)<type=([^,]+), client-id=([^,]+), topic=([^,>]+)><>([a-z-]+):'
  name: strimzi_bridge_kafka_$1_$5
  type: GAUGE
  labels: {type: $2, clientId: $3, topic: $4}
- pattern: 'kafka\\.(\\w+)<type=([^,]+), client-id=([^,>]+)><>([a-z-]+)-total:'
  name: strimzi_bridge_kafka_$1_$4_total
  type: COUNTER
  labels: {type: $2, clientId: $3}
- pattern: 'kafka\\.(\\w+)<type=([^,]+), client-id=([^,>]+)><>([a-z-]+):'
  name: strimzi_bridge_kafka_$1_$4
  type: GAUGE
  labels: {type: $2, clientId: $3}
`;

/** The ConfigMap that the KafkaBridge takes the exporter's rules from. */
export function bridgeMetrics(name: string, namespace: pulumi.Input<string>, opts: pulumi.CustomResourceOptions): k8s.core.v1.ConfigMap {
  return new k8s.core.v1.ConfigMap(`${name}-metrics`, { metadata: { name: metricsRules.name, namespace }, data: { [metricsRules.key]: rules } }, opts);
}
