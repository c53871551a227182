import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { whyStuck } from '../../automation/stuckNamespaces.ts';

describe('a namespace that was not deleted', () => {
  let server: Server;
  let namespaces: Record<string, object>;
  before(async () => {
    server = createServer(({ url = '' }, response) => {
      const answer = url === '/api/v1' ? { resources: [{ name: 'namespaces', kind: 'Namespace', namespaced: false }] } : namespaces[url.split('/').at(-1) ?? ''];
      response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? {}));
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  });
  after(() => { server.close(); });

  const provider = 'urn:pulumi:dev::p::pulumi:providers:kubernetes::east';
  const why = async (...names: string[]): Promise<string[]> => {
    const kubeconfig = JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: {} }], contexts: [{ name: 'east', context: { cluster: 'c', user: 'u' } }],
    });
    const state = {
      resources: [
        { urn: provider, type: 'pulumi:providers:kubernetes', custom: true, id: 'id', inputs: { context: 'east', kubeconfig } },
        { urn: 'urn:pulumi:dev::p::kubernetes:core/v1:Namespace::n', type: 'kubernetes:core/v1:Namespace', custom: true, provider: `${provider}::id` },
      ],
    };
    return await whyStuck(names.map((name) => ({ name, provider: `${provider}::id` })), state, '/');
  };

  it('says what is left in it, and where to see more', async () => {
    namespaces = {
      'kafka-bridge': { status: { phase: 'Terminating', conditions: [
        { type: 'NamespaceDeletionContentFailure', status: 'False', message: 'All content successfully deleted' },
        { type: 'NamespaceContentRemaining', status: 'True', message: 'Some resources are remaining: kafkatopics.kafka.strimzi.io has 1 resource instances' },
        { type: 'NamespaceFinalizersRemaining', status: 'True', message: 'Some content in the namespace has finalizers remaining: strimzi.io/topic-operator in 1 resource instances.' },
      ] } },
      other: { status: { phase: 'Active' } },
    };
    assert.deepEqual(await why('kafka-bridge', 'other', 'gone'), [
      'Namespace kafka-bridge in cluster east is not gone: NamespaceContentRemaining: Some resources are remaining: kafkatopics.kafka.strimzi.io has 1 resource instances; '
      + 'NamespaceFinalizersRemaining: Some content in the namespace has finalizers remaining: strimzi.io/topic-operator in 1 resource instances. See: kubectl --context east describe namespace kafka-bridge',
    ]);
  });

  it('says nothing where its cluster is not known', async () => {
    assert.deepEqual(await whyStuck([{ name: 'kafka-bridge', provider: 'urn:pulumi:dev::p::pulumi:providers:kubernetes::west::id' }], { resources: [] }, '/'), []);
  });
});
