/** Namespaces that the state has and a cluster has not: by the state nothing in them would have to be made. */
import assert from 'node:assert/strict';

import * as pulumi from '@pulumi/pulumi';

import { refuseLostNamespaces } from '../../components/lost-namespaces.ts';
import { Previous } from '../../components/previous.ts';
import { answeringCluster, record } from './pulumi-mocks.ts';
import { type Changes, configuration } from './topology-fixtures.ts';

describe('a namespace that this stack made', () => {
  const previous = new Previous({
    'urn:pulumi:test::p::kbf:index:KafkaBridgeRegion::east': { outputs: { cluster: 'east' } },
    'urn:pulumi:test::p::kbf:index:KafkaBridgeRegion$kubernetes:core/v1:Namespace::east-namespace': { outputs: { metadata: { name: 'kafka-bridge', uid: 'u1' } } },
  });

  /** @param answer of east, of its namespace kafka-bridge */
  async function refused(answer: () => Record<string, unknown> | undefined, { skipped = new Set<string>(), changes = {} as Changes, before = previous } = {}): Promise<void> {
    await record(() => undefined);
    const cluster = answeringCluster(({ kind, name }, context) => {
      assert.deepEqual([kind, name, context], ['Namespace', 'kafka-bridge', 'east'], 'nothing else is in the state');
      return answer();
    });
    await refuseLostNamespaces({ previous: before, configuration: configuration(changes), cluster, skipped });
  }

  it('is refused where it is gone, with its cluster and what to do', async () => {
    await assert.rejects(refused(() => undefined), (error: Error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      const [head, problem, remedy = ''] = error.message.split('\n');
      assert.deepEqual([head, problem], ['Namespaces of this stack are gone; nothing was changed:', '  bridge.namespace: cluster east has no namespace kafka-bridge any more']);
      assert.match(remedy, /context leads to another cluster than before, set it back.* run `kbf refresh`/);
      return true;
    });
  });

  it('is refused as well where the run that made it failed', async () => {
    const before = new Previous({
      'urn:pulumi:test::p::kbf:index:KafkaBridgeRegion::east': { outputs: {} },
      'urn:pulumi:test::p::kbf:index:KafkaBridgeRegion$kbf:index:Placement::east-placement': { outputs: { cluster: 'east' } },
      'urn:pulumi:test::p::kbf:index:KafkaBridgeRegion$kubernetes:core/v1:Namespace::east-namespace': { outputs: { metadata: { name: 'kafka-bridge', uid: 'u1' } } },
    });
    await assert.rejects(refused(() => undefined, { before }), /cluster east has no namespace kafka-bridge any more/);
  });

  it('is refused where it is another one', async () => {
    await assert.rejects(refused(() => ({ metadata: { name: 'kafka-bridge', uid: 'u2' } })), /cluster east has another namespace kafka-bridge than this stack made/);
  });

  it('is fine where it is the same', async () => {
    await refused(() => ({ metadata: { name: 'kafka-bridge', uid: 'u1' } }));
  });

  it('is left to the engine where nobody answers', async () => {
    await refused(() => { throw new Error('connect ECONNREFUSED'); });
  });

  it('is not looked for where a region is skipped, nor where somebody else makes it', async () => {
    const asked = (): never => assert.fail('asked');
    await refused(asked, { skipped: new Set(['east']) });
    await refused(asked, { changes: { namespaces: 'given' } });
  });
});
