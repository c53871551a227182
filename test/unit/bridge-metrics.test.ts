import assert from 'node:assert/strict';

import { parse } from 'yaml';

import { recordTopology } from './topology-fixtures.ts';

interface Rule { readonly pattern: string; readonly name: string; readonly type: string; readonly labels: Readonly<Record<string, string>> }

/** A series as the exporter makes it of one attribute: the first rule whose pattern fits what is in the line. Source: JmxCollector of the JMX exporter. */
function series(rules: readonly Rule[], line: string): string | undefined {
  for (const { pattern, name, type, labels } of rules) {
    const whole = new RegExp(`^.*(?:${pattern}).*$`);
    if (!whole.test(line)) continue;
    const filled = (template: string): string => line.replace(whole, template);
    const [safe, ...values] = [filled(name).replace(/[^a-zA-Z0-9_]+/g, '_').toLowerCase(), ...Object.entries(labels).map(([label, value]) => `${label}=${filled(value)}`)];
    return `${type} ${safe} ${values.join(' ')}`;
  }
  return undefined;
}

describe('the rules of the bridges’ JMX exporter', () => {
  let rules: Rule[];
  before(async () => {
    const { data } = (await recordTopology({ bridge: { metrics: 'jmx' } })).inputsOf('ConfigMap', 'east-metrics') as { data: Record<string, string> };
    ({ rules } = parse(data['metrics-config.yml'] ?? '') as { rules: Rule[] });
  });

  const named = (lines: Readonly<Record<string, string | undefined>>): void => {
    assert.deepEqual(Object.fromEntries(Object.keys(lines).map((line) => [line, series(rules, line)])), lines);
  };

  it('call a series by its attribute, whatever its value', () => {
    named({
      'kafka.producer<type=producer-metrics, client-id=x><>connection-count: 3.0': 'GAUGE strimzi_bridge_kafka_producer_connection_count type=producer-metrics clientId=x',
      'kafka.producer<type=producer-metrics, client-id=x><>record-send-rate: 1.25E-4': 'GAUGE strimzi_bridge_kafka_producer_record_send_rate type=producer-metrics clientId=x',
      'kafka.consumer<type=consumer-coordinator-metrics, client-id=x><>last-heartbeat-seconds-ago: NaN': 'GAUGE strimzi_bridge_kafka_consumer_last_heartbeat_seconds_ago type=consumer-coordinator-metrics clientId=x',
      'kafka.producer<type=producer-metrics, client-id=x><>record-send-total: 17.0': 'COUNTER strimzi_bridge_kafka_producer_record_send_total type=producer-metrics clientId=x',
    });
  });

  it('have what is per topic with its topic', () => {
    named({
      'kafka.producer<type=producer-topic-metrics, client-id=x, topic=a.b><>byte-rate: 12.5': 'GAUGE strimzi_bridge_kafka_producer_byte_rate type=producer-topic-metrics clientId=x topic=a.b',
      'kafka.consumer<type=consumer-fetch-manager-metrics, client-id=x, topic=a.b><>bytes-consumed-total: 99.0': 'COUNTER strimzi_bridge_kafka_consumer_bytes_consumed_total type=consumer-fetch-manager-metrics clientId=x topic=a.b',
    });
  });

  it('count only what ends in total', () => {
    named({
      'kafka.producer<type=producer-metrics, client-id=x><>buffer-total-bytes: 3.3554432E7': 'GAUGE strimzi_bridge_kafka_producer_buffer_total_bytes type=producer-metrics clientId=x',
    });
  });
});
