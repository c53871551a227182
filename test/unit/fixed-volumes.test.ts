import assert from 'node:assert/strict';

import * as pulumi from '@pulumi/pulumi';

import { refuseFixedVolumes } from '../../components/fixed-volumes.ts';
import { Previous } from '../../components/previous.ts';
import { answeringCluster, record } from './pulumi-mocks.ts';
import { type Changes, configuration, previousOf, recordTopology, root } from './topology-fixtures.ts';

describe('volumes that are to be larger', () => {
  const sized = (size: string, more: object = {}): Changes => ({ kafka: { storage: { size, ...more } } });
  const old = (broker: string, zookeeper: string): Changes => ({
    kafka: { api: 'v1beta2', version: '3.9.1', storage: { size: broker }, zookeeper: { storage: { size: zookeeper } } }, operators: { strimzi: { version: '0.45.1' } },
  });

  /** What is said of a cluster whose claims and classes are these, by name; undefined where the run goes on. */
  async function refused(before: Changes | Previous, after: Changes, objects: Readonly<Record<string, object | 'denied'>>): Promise<string | undefined> {
    const previous = before instanceof Previous ? before : previousOf(await recordTopology(before));
    await record(() => undefined);
    const cluster = answeringCluster(({ apiVersion, kind, namespace = '', name }, context) => {
      const found = objects[`${context}/${namespace}/${apiVersion}/${kind}/${name}`];
      if (found === 'denied') throw new Error('HTTP 403: forbidden');
      return found as Record<string, unknown> | undefined;
    });
    try {
      await refuseFixedVolumes({ previous, configuration: configuration(after), cluster });
      return undefined;
    } catch (error) {
      assert.ok(pulumi.RunError.isInstance(error));
      return error.message;
    }
  }
  const claim = (storageClassName?: string, name = 'data-0-kafka-kafka-0'): Record<string, object> => ({ [`kafka/kafka-cluster/v1/PersistentVolumeClaim/${name}`]: { spec: { ...(storageClassName === undefined ? {} : { storageClassName }) } } });
  const classOf = (name: string, allowVolumeExpansion?: boolean): Record<string, object> => ({ [`kafka//storage.k8s.io/v1/StorageClass/${name}`]: { ...(allowVolumeExpansion === undefined ? {} : { allowVolumeExpansion }) } });

  it('are refused where their class cannot make them so: where they are, and what to do', async () => {
    const expected = [
      'kafka.storage.size: 200Gi is wanted, 100Gi is running, and claim data-0-kafka-kafka-0 in namespace kafka-cluster of cluster kafka is of StorageClass gp2, which is not said to make volumes larger (allowVolumeExpansion): Strimzi would leave the volumes as they are without a word; nothing was changed.',
      `Set it back, or mirror the records to a Kafka of another stack. Where the driver of the class can do it: kubectl --context kafka patch storageclass gp2 -p '{"allowVolumeExpansion": true}'`,
    ].join('\n');
    for (const objects of [{ ...claim('gp2'), ...classOf('gp2') }, { ...claim('gp2'), ...classOf('gp2', false) }, claim('gp2')]) assert.equal(await refused(sized('100Gi'), sized('200Gi'), objects), expected);
    assert.match(await refused(sized('100Gi'), sized('200Gi'), claim()) ?? '', /has no StorageClass that could make it larger.*\nSet it back, or mirror the records to a Kafka of another stack\.$/);
  });

  it('are made so where it can', async () => {
    assert.equal(await refused(sized('100Gi'), sized('200Gi'), { ...claim('gp3'), ...classOf('gp3', true) }), undefined);
  });

  it('are asked for only where they are to grow', async () => {
    const fixed = { ...claim('gp2'), ...classOf('gp2') };
    assert.equal(await refused(sized('100Gi'), sized('100Gi'), fixed), undefined);
    assert.equal(await refused(sized('1Ti'), sized('1024Gi'), fixed), undefined);
    assert.equal(await refused(new Previous({}), sized('100Gi'), fixed), undefined);
    assert.equal(await refused(sized('100Gi'), { kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: root } } }, fixed), undefined);
  });

  it('are left to the engine where nobody may look, or where there are none yet', async () => {
    assert.equal(await refused(sized('100Gi'), sized('200Gi'), { 'kafka/kafka-cluster/v1/PersistentVolumeClaim/data-0-kafka-kafka-0': 'denied' }), undefined);
    assert.equal(await refused(sized('100Gi'), sized('200Gi'), { ...claim('gp2'), 'kafka//storage.k8s.io/v1/StorageClass/gp2': 'denied' }), undefined);
    assert.equal(await refused(sized('100Gi'), sized('200Gi'), {}), undefined);
  });

  it('are ZooKeeper’s as well, and those of a Kafka without node pools', async () => {
    const zookeeper = { ...claim('gp2', 'data-kafka-zookeeper-0'), ...claim('gp2'), ...classOf('gp2') };
    assert.match(await refused(old('10Gi', '10Gi'), old('10Gi', '20Gi'), zookeeper) ?? '', /^kafka\.zookeeper\.storage\.size: 20Gi is wanted, 10Gi is running, and claim data-kafka-zookeeper-0 /);
    assert.match(await refused(old('10Gi', '10Gi'), old('20Gi', '10Gi'), zookeeper) ?? '', /^kafka\.storage\.size: 20Gi is wanted, 10Gi is running, and claim data-0-kafka-kafka-0 /);
  });
});
