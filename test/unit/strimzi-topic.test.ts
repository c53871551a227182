import assert from 'node:assert/strict';

import type { Api } from '../../sandbox/agent/api.ts';
import { KubernetesCluster } from '../../sandbox/operators/strimzi/cluster.ts';
import type { KafkaTopic } from '../../sandbox/operators/strimzi/model.ts';
import { reconcileTopic } from '../../sandbox/operators/strimzi/topic.ts';
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
