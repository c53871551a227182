import assert from 'node:assert/strict';

import * as pulumi from '@pulumi/pulumi';

import { refuseLeftVolumes } from '../../components/left-volumes.ts';
import { Previous } from '../../components/previous.ts';
import { answeringCluster, record } from './pulumi-mocks.ts';
import { type Changes, configuration, previousOf, recordTopology, root } from './topology-fixtures.ts';

describe('volumes of an earlier Kafka', () => {
  type Objects = Readonly<Record<string, Record<string, unknown>>>;

  /** What is said of a cluster with these objects; undefined where the run goes on. */
  async function refused(objects: Objects, { changes = {}, previous = new Previous({}) }: { changes?: Changes; previous?: Previous } = {}): Promise<string | undefined> {
    await record(() => undefined);
    const cluster = answeringCluster(({ apiVersion, kind, namespace, name }, context) => objects[`${context}/${namespace ?? ''}/${apiVersion}/${kind}/${name}`]);
    try {
      await refuseLeftVolumes({ previous, configuration: configuration(changes), cluster });
      return undefined;
    } catch (error) {
      assert.ok(pulumi.RunError.isInstance(error));
      return error.message;
    }
  }
  const claimOf = (id: number, metadata: object = {}): Objects => ({ [`kafka/kafka-cluster/v1/PersistentVolumeClaim/data-0-kafka-kafka-${String(id)}`]: { metadata } });
  const kafka = (metadata: object = {}): Objects => ({ 'kafka/kafka-cluster/kafka.strimzi.io/v1/Kafka/kafka': { metadata } });
  const pool = (status: object, metadata: object = {}): Objects => ({ 'kafka/kafka-cluster/kafka.strimzi.io/v1/KafkaNodePool/kafka': { metadata, status } });
  const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  const owned = { ownerReferences: [{ kind: 'KafkaNodePool', name: 'kafka' }] };
  const claim = claimOf(0);
  const left = (id = 0): string => [
    `kafka.name: namespace kafka-cluster of cluster kafka has volumes of an earlier Kafka kafka (claim data-0-kafka-kafka-${String(id)}), on which a new one does not start; nothing was changed.`,
    'Where nobody needs its records: kubectl --context kafka -n kafka-cluster delete pvc -l strimzi.io/cluster=kafka. Where somebody does need them: choose another name. With kafka.storage.deleteClaim volumes go with the brokers.',
  ].join('\n');
  const leaving = (id = 0): string => [
    `kafka.name: namespace kafka-cluster of cluster kafka still has volumes of an earlier Kafka kafka, which are on their way out (claim data-0-kafka-kafka-${String(id)}); nothing was changed.`,
    'They are gone when the last pod that uses them has ended: run `up` again in a moment. To see whether they are: kubectl --context kafka -n kafka-cluster get pvc -l strimzi.io/cluster=kafka',
  ].join('\n');

  it('are no place for a new one: where they are, and what to do', async () => {
    assert.equal(await refused(claim), left());
    assert.equal(await refused(claimOf(2)), left(2));
    assert.equal(await refused(claimOf(3)), undefined, 'no broker of the new one has it');
    assert.equal(await refused(claim, { changes: { kafka: { name: 'other' } } }), undefined);
    assert.equal(await refused({}), undefined);
    const [, remedy] = (await refused(claim, { changes: { kafka: { storage: { deleteClaim: true } } } }))?.split('\n') ?? [];
    assert.match(remedy ?? '', /choose another name\.$/);
  });

  it('are those of a Kafka that is there, in its cluster or in the state', async () => {
    assert.equal(await refused({ ...claim, ...kafka() }), undefined);
    assert.equal(await refused(claim, { previous: previousOf(await recordTopology()) }), undefined);
    assert.equal(await refused({ ...claim, ...kafka(going) }), left(), 'it will not be there for long');
  });

  it('are taken up again where their node pool is there, which keeps the id of the cluster', async () => {
    assert.equal(await refused({ ...claim, ...pool({ clusterId: 'abc' }) }), undefined);
    assert.equal(await refused({ ...claimOf(0, owned), ...pool({ clusterId: 'abc' }) }), undefined);
    assert.equal(await refused({ ...claim, ...pool({}) }), left(), 'it has no id');
    assert.equal(await refused({ ...claim, ...pool({ clusterId: 'abc' }, going) }), left(), 'it will not be there for long');
  });

  it('are waited for by who runs it, where they are on their way out', async () => {
    assert.equal(await refused(claimOf(0, going)), leaving());
    assert.equal(await refused(claimOf(1, going)), leaving(1), 'not all brokers end at once');
    assert.equal(await refused({ ...claimOf(0, going), ...pool({ clusterId: 'abc' }) }), leaving(), 'a new one would only wait for another claim');
    assert.equal(await refused({ ...claimOf(0, going), ...claimOf(1) }), left(1), 'some stay');
  });

  it('go with their node pool, where they are its', async () => {
    assert.equal(await refused(claimOf(0, owned)), leaving());
    assert.equal(await refused({ ...claimOf(0, owned), ...pool({ clusterId: 'abc' }, going) }), leaving());
    assert.equal(await refused({ ...claimOf(0, owned), ...pool({}) }), left(), 'it stays, and so do they');
  });

  it('are taken up again with ZooKeeper, which keeps the id of the cluster', async () => {
    assert.equal(await refused(claim, { changes: { kafka: { api: 'v1beta2', version: '3.4.0' }, operators: { strimzi: { version: '0.36.0' } } } }), undefined);
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
