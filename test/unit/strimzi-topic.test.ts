import assert from 'node:assert/strict';

import type { Api } from '../../sandbox/agent/api.ts';
import { KubernetesCluster } from '../../sandbox/operators/strimzi/cluster.ts';
import { Failure, type KafkaTopic, type TopicSpec } from '../../sandbox/operators/strimzi/model.ts';
import { bringAbout, reconcileTopic } from '../../sandbox/operators/strimzi/topic.ts';
import type { TopicAdmin } from '../../sandbox/operators/strimzi/topic-admin.ts';
import { kafka } from './strimzi-fixtures.ts';

const topic = (labels: Record<string, string>): KafkaTopic => ({
  apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaTopic', metadata: { name: 't', namespace: 'ns', uid: 'u', resourceVersion: '1', labels }, spec: {},
});

/** A cluster with one Kafka, which has no operator for topics. */
function clusterWith(paths: string[]): KubernetesCluster {
  const call = (method: string, path: string) => { paths.push(`${method} ${path}`); return Promise.resolve(kafka()); };
  return new KubernetesCluster({ call } as unknown as Api);
}

describe('strimzi: a KafkaTopic', () => {
  it('is not obeyed where its Kafka has no operator for topics', async () => {
    const paths: string[] = [];
    const outcome = await reconcileTopic(clusterWith(paths), topic({ 'strimzi.io/cluster': 'kafka' }));
    assert.deepEqual(paths, ['GET /apis/kafka.strimzi.io/v1/namespaces/ns/kafkas/kafka']);
    assert.ok(outcome.state === 'failed');
    assert.deepEqual([outcome.failure.reason, outcome.failure.message], ['InvalidResourceException', 'Kafka kafka has no spec.entityOperator.topicOperator, so that nobody obeys its topics']);
  });

  it('has to name its Kafka', async () => {
    const outcome = await reconcileTopic(clusterWith([]), topic({}));
    assert.ok(outcome.state === 'failed');
    assert.match(outcome.failure.message, /strimzi\.io\/cluster/);
  });
});

describe('strimzi: a topic that is there', () => {
  /** What is asked of Kafka for a topic that has so many replicas of each partition, and such configuration of its own. */
  async function asked(spec: TopicSpec, has: { replicas: number[]; config?: string[] }): Promise<{ calls: unknown[]; refusal: string | undefined }> {
    const calls: unknown[] = [];
    const note = (name: string) => (...args: unknown[]) => { calls.push([name, ...args.slice(1)]); return Promise.resolve(); };
    const admin: TopicAdmin = {
      replicas: () => Promise.resolve(has.replicas), configured: () => Promise.resolve(has.config ?? []),
      create: note('create'), addPartitions: note('addPartitions'), configure: note('configure'), delete: note('delete'), close: note('close'),
    };
    const refusal = await bringAbout(admin, 't', { ...topic({}), spec }).then(() => undefined, (error: unknown) => error instanceof Failure ? `${error.reason}: ${error.message}` : String(error));
    return { calls, refusal };
  }

  it('is left alone where it is as it should be', async () => {
    assert.deepEqual(await asked({ partitions: 2, replicas: 2 }, { replicas: [2, 2] }), { calls: [], refusal: undefined });
    assert.deepEqual(await asked({}, { replicas: [2, 2] }), { calls: [], refusal: undefined });
  });

  it('gets back its brokers\' configuration where it is not told another any more', async () => {
    const { calls } = await asked({ config: { 'retention.ms': 1000 } }, { replicas: [2], config: ['retention.ms', 'cleanup.policy'] });
    assert.deepEqual(calls, [['configure', [{ name: 'retention.ms', value: '1000' }], ['cleanup.policy']]]);
    assert.deepEqual((await asked({}, { replicas: [2], config: ['cleanup.policy'] })).calls, [['configure', [], ['cleanup.policy']]]);
  });

  it('is not given other replicas, which is said, but all else', async () => {
    const { calls, refusal } = await asked({ partitions: 4, replicas: 3, config: { a: true } }, { replicas: [2, 3, 2] });
    assert.equal(refusal, 'NotSupported: Replication factor change not supported, but required for partitions [0, 2]');
    assert.deepEqual(calls, [['configure', [{ name: 'a', value: 'true' }], []], ['addPartitions', 4]]);
  });

  it('is not given fewer partitions, which is said, but all else', async () => {
    const { calls, refusal } = await asked({ partitions: 1, config: { a: 1 } }, { replicas: [2, 2] });
    assert.equal(refusal, 'NotSupported: Decreasing partitions not supported');
    assert.deepEqual(calls, [['configure', [{ name: 'a', value: '1' }], []]]);
  });
});
