import assert from 'node:assert/strict';

import * as pulumi from '@pulumi/pulumi';

import { refuseLeftVolumes } from '../../components/left-volumes.ts';
import { Previous } from '../../components/previous.ts';
import { answeringCluster, record } from './pulumi-mocks.ts';
import { type Changes, configuration, previousOf, recordTopology, root } from './topology-fixtures.ts';

describe('volumes of an earlier Kafka', () => {
  /** What is said of a cluster with these objects; undefined where the run goes on. */
  async function refused(objects: readonly string[], { changes = {}, previous = new Previous({}) }: { changes?: Changes; previous?: Previous } = {}): Promise<string | undefined> {
    await record(() => undefined);
    const cluster = answeringCluster(({ kind, namespace, name }, context) => (objects.includes(`${context}/${namespace ?? ''}/${kind}/${name}`) ? {} : undefined));
    try {
      await refuseLeftVolumes({ previous, configuration: configuration(changes), cluster });
      return undefined;
    } catch (error) {
      assert.ok(pulumi.RunError.isInstance(error));
      return error.message;
    }
  }
  const claim = 'kafka/kafka-cluster/PersistentVolumeClaim/data-0-kafka-kafka-0';

  it('are no place for a new one: where they are, and what to do', async () => {
    assert.equal(await refused([claim]), [
      'kafka.name: namespace kafka-cluster of cluster kafka has volumes of an earlier Kafka kafka (claim data-0-kafka-kafka-0), on which a new one does not start; nothing was changed.',
      'Where nobody needs its records: kubectl --context kafka -n kafka-cluster delete pvc -l strimzi.io/cluster=kafka. With kafka.storage.deleteClaim they go with the brokers. Where somebody does: choose another name.',
    ].join('\n'));
    assert.equal(await refused([claim], { changes: { kafka: { name: 'other' } } }), undefined);
    assert.equal(await refused([]), undefined);
  });

  it('are those of a Kafka that is there, in its cluster or in the state', async () => {
    assert.equal(await refused([claim, 'kafka/kafka-cluster/Kafka/kafka']), undefined);
    assert.equal(await refused([claim], { previous: previousOf(await recordTopology()) }), undefined);
  });

  it('are taken up again with ZooKeeper, which keeps the id of the cluster', async () => {
    assert.equal(await refused([claim], { changes: { kafka: { api: 'v1beta2', version: '3.4.0' }, operators: { strimzi: { version: '0.36.0' } } } }), undefined);
  });

  it('are not asked for by who may not ask, nor without a Kafka of the program’s', async () => {
    await record(() => undefined);
    let asked = 0;
    const cluster = answeringCluster(() => {
      asked += 1;
      throw new Error('persistentvolumeclaims is forbidden');
    });
    await refuseLeftVolumes({ previous: new Previous({}), configuration: configuration({}), cluster });
    assert.ok(asked > 0);
    asked = 0;
    await refuseLeftVolumes({ previous: new Previous({}), configuration: configuration({ kafka: { existing: { bootstrapServers: 'kafka.example:9093', caCertificate: root } } }), cluster });
    assert.equal(asked, 0);
  });
});
