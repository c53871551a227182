/** What is said of a gateway that does not come: why its pods do not run, or why there are none. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import * as pulumi from '@pulumi/pulumi';

import { readerOf } from '../../components/cluster-reader.ts';

const place = { namespace: 'kafka-bridge', name: 'gateway' };
const deployment = {
  metadata: { ...place, generation: 1 }, spec: { selector: { matchLabels: { app: 'gateway', 'istio.io/rev': 'a' } } },
  status: { observedGeneration: 1, conditions: [{ type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable' }] },
};
const discovery = { '/apis/apps/v1': [{ name: 'deployments', kind: 'Deployment', namespaced: true }], '/apis/install.tetrate.io/v1alpha1': [{ name: 'gateways', kind: 'Gateway', namespaced: true }] };
const paths = {
  deployment: '/apis/apps/v1/namespaces/kafka-bridge/deployments/gateway',
  install: '/apis/install.tetrate.io/v1alpha1/namespaces/kafka-bridge/gateways/gateway',
  pods: '/api/v1/namespaces/kafka-bridge/pods?labelSelector=app%3Dgateway%2Cistio.io%2Frev%3Da',
};

describe('a gateway that does not come', () => {
  let server: Server;
  let answers: Record<string, object>;
  const { info } = pulumi.log;
  const told: string[] = [];

  before(async () => {
    server = createServer(({ url = '' }, response) => {
      const resources = (discovery as Record<string, object>)[url];
      const answer = resources === undefined ? answers[url] : { resources };
      response.writeHead(answer === undefined ? 404 : 'code' in answer ? Number(answer.code) : 200).end(JSON.stringify(answer ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    pulumi.log.info = (text) => {
      told.push(text);
      return Promise.resolve();
    };
  });
  after(() => {
    pulumi.log.info = info;
    server.close();
  });

  async function failure(given: Record<string, object>, timeoutMs = 1): Promise<string> {
    answers = given;
    told.length = 0;
    await pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'p', 's', false);
    const text = JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: {} }], contexts: [{ name: 'east', context: { cluster: 'c', user: 'u' } }],
    });
    const reader = readerOf({ text: Promise.resolve(text) }, 'east');
    const wanted = { select: () => undefined, what: 'available pod', madeOf: { apiVersion: 'install.tetrate.io/v1alpha1', kind: 'Gateway', ...place }, timeoutMs };
    const output = reader.awaitField({ apiVersion: 'apps/v1', kind: 'Deployment', ...place }, wanted) as unknown as { promise(): Promise<unknown> };
    return await output.promise().then(() => assert.fail('it came'), (error: unknown) => (error as Error).message);
  }

  const ofPods = (...statuses: object[]) => ({ [paths.deployment]: deployment, [paths.pods]: { items: statuses.map((status, index) => ({ metadata: { name: `gateway-${index}` }, status })) } });

  it('is said of with what the first of its pods waits for, and where to see more', async () => {
    const running = { containerStatuses: [{ state: { running: {} } }], conditions: [{ type: 'Ready', status: 'True' }] };
    const pulling = { containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }, { state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } } }] };
    assert.equal(await failure(ofPods(running, pulling)), [
      'Deployment kafka-bridge/gateway in cluster east has no available pod after 0 s; last state: condition Available=False (MinimumReplicasUnavailable); pod gateway-1: ImagePullBackOff: Back-off pulling image "x".',
      'See: kubectl --context east describe deployment -n kafka-bridge gateway; kubectl --context east get pods,events -n kafka-bridge',
    ].join('\n'));
    const unscheduled = { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available: insufficient cpu.' }] };
    assert.match(await failure(ofPods(unscheduled)), /; pod gateway-0: Unschedulable: 0\/3 nodes are available/);
    const unready = { containerStatuses: [{ state: { running: {} } }], conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [istio-proxy]' }] };
    assert.match(await failure(ofPods(unready)), /; pod gateway-0: ContainersNotReady: containers with unready status/);
  });

  it('is said of without them where the credentials may not list pods', async () => {
    const [said, see] = (await failure({ [paths.deployment]: deployment, [paths.pods]: { code: 403 } })).split('\n');
    assert.match(said ?? '', /last state: condition Available=False \(MinimumReplicasUnavailable\)\.$/);
    assert.match(see ?? '', /get pods,events -n kafka-bridge$/);
  });

  it('is looked for in what it is made of, where there is none', async () => {
    assert.equal(await failure({ [paths.install]: { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'NoSuchRevision' }] } } }), [
      'Deployment kafka-bridge/gateway in cluster east has no available pod after 0 s; last state: there is no such object, and of Gateway kafka-bridge/gateway (install.tetrate.io/v1alpha1), of which it is made: condition Ready=False (NoSuchRevision).',
      'See: kubectl --context east describe gateway.install.tetrate.io -n kafka-bridge gateway',
    ].join('\n'));
  });

  it('is told of once while it is waited for', async () => {
    await failure({ [paths.deployment]: deployment }, 5_000);
    assert.deepEqual(told, ['waiting for the available pod of Deployment kafka-bridge/gateway in cluster east, 5 s at most; its state now: condition Available=False (MinimumReplicasUnavailable)']);
  });
});
