/** What is said of an object whose time is over: the Kubernetes provider gives no reason. */
import assert from 'node:assert/strict';

import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from '../../components/cluster.ts';
import type { LiveObject } from '../../components/cluster-reader.ts';
import { type Readiness, untilReady } from '../../components/ready.ts';

const topic = { apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaTopic', namespace: 'kafka-cluster', name: 'sales' };
const ready = (observedGeneration = 1): LiveObject => ({ metadata: { generation: 1 }, status: { observedGeneration, conditions: [{ type: 'Ready', status: 'True' }] } });
const notReady: LiveObject = { metadata: { generation: 1 }, status: { observedGeneration: 1, conditions: [{ type: 'NotReady', status: 'True', reason: 'Full' }] } };

describe('an object that is waited for', () => {
  const { warn } = pulumi.log;
  let said: string[];
  /** Until something is said. */
  let spoken: Promise<void>;

  beforeEach(() => {
    said = [];
    const first = Promise.withResolvers<undefined>();
    spoken = first.promise;
    pulumi.log.warn = (text) => {
      // What other files' programs left behind speaks here, too.
      if (!text.startsWith('KafkaTopic ')) return Promise.resolve();
      said.push(text);
      first.resolve(undefined);
      return Promise.resolve();
    };
  });
  afterEach(() => { pulumi.log.warn = warn; });

  /** @param made before each resource by its name is there @param live each look at the topic */
  async function waited(made: (name: string) => Promise<unknown>, live: () => LiveObject | undefined, waitFor: Readiness['waitFor'] = 'condition=Ready'): Promise<pulumi.CustomResource> {
    await pulumi.runtime.setMocks({
      newResource: async ({ name, inputs }) => {
        await made(name);
        return { id: name, state: inputs as Record<string, unknown> };
      },
      call: () => ({}),
    }, 'p', 's');
    const kafka = new k8s.core.v1.ConfigMap('kafka', {});
    const cluster = { name: 'kafka', reader: { read: () => Promise.resolve(live()) } } as unknown as Cluster;
    return untilReady(topic, cluster, { waitFor, seconds: 6 }, ({ annotations, options }) => new k8s.core.v1.ConfigMap('topic', { metadata: { annotations } }, { dependsOn: [kafka], ...options }));
  }

  it('has its time from when what it comes after is there', async () => {
    const isThere = Promise.withResolvers<undefined>();
    const before: boolean[] = [];
    let kafkaIsThere = false;
    await waited(async (name) => {
      if (name !== 'kafka') return await isThere.promise;
      await new Promise((resolve) => { setTimeout(resolve, 3_000); });
      kafkaIsThere = true;
    }, () => {
      before.push(kafkaIsThere);
      return notReady;
    });
    await spoken;
    isThere.resolve(undefined);
    assert.deepEqual([...new Set(before)], [true]);
    assert.deepEqual(said, ['KafkaTopic kafka-cluster/sales in cluster kafka is not ready, and the 6 s it has are over; last state: condition NotReady=True (Full)']);
  });

  for (const [waitFor, done] of [
    ['condition=Ready', ready()], ['jsonpath={.status.state}=ACCEPTED', { metadata: { generation: 2 }, status: { state: 'ACCEPTED' } }],
  ] as const) {
    it(`is nothing to speak of while ${waitFor}, and is looked at on`, async () => {
      let looks = 0;
      const isThere = Promise.withResolvers<undefined>();
      await waited((name) => (name === 'topic' ? isThere.promise : Promise.resolve()), () => ((looks += 1) <= 3 ? done : notReady), waitFor);
      await spoken;
      isThere.resolve(undefined);
      assert.ok(looks > 4, `it has its time again from when it is not ready: ${looks} looks`);
      assert.match(said.join('\n'), /last state: condition NotReady=True \(Full\)$/);
    });
  }

  it('is not ready while that is of an older generation', async () => {
    const isThere = Promise.withResolvers<undefined>();
    await waited((name) => (name === 'topic' ? isThere.promise : Promise.resolve()), () => ready(0));
    await spoken;
    isThere.resolve(undefined);
    assert.match(said.join('\n'), /last state: condition Ready=True; all this of generation 0/);
  });
});
