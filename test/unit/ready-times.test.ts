import assert from 'node:assert/strict';

import type * as pulumi from '@pulumi/pulumi';

import { KafkaBridgeRegion } from '../../components/kafka-bridge-region.ts';
import { KafkaCluster } from '../../components/kafka-cluster.ts';
import type { InstalledKafka } from '../../config/schema.ts';
import { operators as kafkaOperators, settings, type Written } from './kafka-fixtures.ts';
import { answeringCluster, record } from './pulumi-mocks.ts';
import { configuration, operators, region, root } from './topology-fixtures.ts';

describe('the time that it has to be ready is enough for all that are restarted one after the other', () => {
  it('of Kafka', async () => {
    const secondsOf = (written: Written) => timeoutOf(':Kafka', (opts) => new KafkaCluster('kafka', { ...settings(written) as InstalledKafka, cluster: answeringCluster(kafkaOperators())('here'), givenNamespace: false }, opts));
    assert.equal(await secondsOf({}), '600s');
    assert.equal(await secondsOf({ brokers: 99 }), '19800s');
    assert.equal(await secondsOf({ api: 'v1beta2', version: '3.4.0', brokers: 4 }), '1400s', 'three ZooKeepers among them');
  });

  it('of a region’s bridges', async () => {
    const secondsOf = (replicas: number) => {
      const { bridge, tsb, tier1, operators: { strimzi }, regions: [east] } = configuration({ regions: [region('east', { replicas }), region('west')] });
      assert.ok(east);
      const args = {
        ...east, ...tsb, bridge, givenNamespace: false, retries: tier1.retries, operator: strimzi, ranked: false, cluster: answeringCluster(operators)('east'), tsb: { organization: 'o', tenant: 't', workspace: 'w', gatewayGroup: 'g', istioInternalGroup: 'i' },
        hostname: 'h.example', regionHostname: 'east.h.example', scheme: 'http', tsbCluster: 'tsb-east', strimziApi: 'v1', trustSecret: 'kafka-ca', bootstrapServers: 'k:9093', authorities: [root],
      } as const;
      return timeoutOf(':KafkaBridge', (opts) => new KafkaBridgeRegion('east', args, opts));
    };
    assert.deepEqual([await secondsOf(1), await secondsOf(5), await secondsOf(100)], ['360s', '360s', '6000s'], 'more than the 300 s after which Strimzi says why there are none');
  });
});

/** What the engine is told of the one resource of a type. */
async function timeoutOf(type: string, make: (opts: pulumi.ComponentResourceOptions) => unknown): Promise<unknown> {
  let timeouts: pulumi.CustomTimeouts | undefined;
  const noting: pulumi.ResourceTransformation = (resource) => {
    if (resource.type.endsWith(type)) timeouts = (resource.opts as pulumi.CustomResourceOptions).customTimeouts;
    return undefined;
  };
  await record(() => make({ transformations: [noting] }));
  assert.equal(timeouts?.create, timeouts?.update);
  return timeouts?.update;
}
