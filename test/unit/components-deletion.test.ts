import assert from 'node:assert/strict';

import type * as pulumi from '@pulumi/pulumi';

import { quickDeletion } from '../../components/deletion.ts';

describe('deletion of objects', () => {
  it('is asked for at once where nothing else belongs to the object, beside the annotations it has', () => {
    const { props } = transformed('kubernetes:tsb.tetrate.io/v2:Workspace', { metadata: { name: 'edge', annotations: { 'tsb.tetrate.io/tenant': 'kafka' } }, spec: {} }) ?? {};
    assert.deepEqual(props, {
      metadata: { name: 'edge', annotations: { 'tsb.tetrate.io/tenant': 'kafka', 'pulumi.com/deletionPropagationPolicy': 'background' } },
      spec: {},
    });
  });

  it('does not wait for the pods of a bridge: they drain while brokers end', () => {
    const { props } = transformed('kubernetes:kafka.strimzi.io/v1:KafkaBridge', { metadata: { name: 'bridge' } }) ?? {};
    assert.deepEqual(props, { metadata: { name: 'bridge', annotations: { 'pulumi.com/deletionPropagationPolicy': 'background' } } });
  });

  for (const type of ['kubernetes:core/v1:Namespace', 'kubernetes:kafka.strimzi.io/v1:Kafka', 'kubernetes:kafka.strimzi.io/v1beta2:Kafka', 'kubernetes:install.tetrate.io/v1alpha1:Gateway']) {
    it(`waits for what was made of a ${type}`, () => {
      assert.equal(transformed(type, { metadata: { name: 'a' } }), undefined);
    });
  }

  it('is nothing that is written to an object of somebody else’s, which is only patched', () => {
    assert.equal(transformed('kubernetes:core/v1:NamespacePatch', { metadata: { name: 'kafka-bridge', labels: { a: 'b' } } }), undefined);
  });

  it('leaves what is no object of Kubernetes alone', () => {
    assert.equal(transformed('kbf:index:KafkaCluster', {}), undefined);
    assert.equal(transformed('pulumi:providers:kubernetes', { context: 'east' }), undefined);
  });
});

function transformed(type: string, props: pulumi.Inputs) {
  return quickDeletion({ type, props, name: 'a', opts: {}, resource: {} as pulumi.Resource });
}
