import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Agent } from 'undici';
import { Applier } from '../../sandbox/machine/apply.ts';
import { planClusters } from '../../sandbox/machine/clusters.ts';

describe('Applier', () => {
  const http = new Agent();
  let server: Server;
  let applier: Applier;
  let requests: string[];
  /** Answers by "METHOD path", the query left out. */
  let answers: Record<string, unknown>;

  beforeEach(async () => {
    requests = [];
    answers = {
      'GET /api/v1': { resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true }] },
      'GET /apis/apps/v1': { resources: [{ name: 'deployments/status', kind: 'Deployment', namespaced: true }, { name: 'deployments', kind: 'Deployment', namespaced: true }] },
      'GET /apis/apiextensions.k8s.io/v1': { resources: [{ name: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false }] },
    };
    server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? '', 'http://x');
      void text(request).then((body) => {
        requests.push(`${request.method ?? ''} ${pathname}${search} ${body}`);
        const answer = answers[`${request.method ?? ''} ${pathname}`];
        response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? { message: 'not found' }));
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const [kafka] = planClusters(0);
    applier = new Applier(http, { ...kafka ?? assert.fail(), apiServer: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  afterEach(() => { server.closeAllConnections(); server.close(); });
  after(() => http.destroy());

  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'b' } };

  it('applies an object as it is, by server-side apply', async () => {
    answers['PATCH /api/v1/namespaces/b/configmaps/a'] = {};
    const object = { ...configMap, data: { default: 'x' }, 'x-kubernetes-unknown': true };
    await applier.apply(object);
    assert.deepEqual(requests.at(-1), `PATCH /api/v1/namespaces/b/configmaps/a?fieldManager=sandbox&force=true ${JSON.stringify(object)}`);
  });

  it('reports what the API server says of an object that it refuses', async () => {
    await assert.rejects(applier.apply(configMap), /configmaps\/a.* answered 404: .*not found/);
  });

  it('takes a definition for applied when it is Established', async () => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x.y';
    answers[`PATCH ${path}`] = {};
    answers[`GET ${path}`] = { status: { conditions: [{ type: 'Established', status: 'False' }] } };
    const applied = applier.apply({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'x.y' } });
    setTimeout(() => { answers[`GET ${path}`] = { status: { conditions: [{ type: 'Established', status: 'True' }] } }; }, 100);
    await applied;
    assert.ok(requests.filter((r) => r.startsWith(`GET ${path}`)).length > 1);
  });

  it('finds a kind that is served a moment later', async () => {
    const kinds = answers['GET /api/v1'];
    answers['GET /api/v1'] = { resources: [] };
    setTimeout(() => { answers['GET /api/v1'] = kinds; }, 100);
    answers['PATCH /api/v1/namespaces/b/configmaps/a'] = {};
    await applier.apply(configMap);
  });

  it('names object, kind and cluster when the kind is not served', async () => {
    await assert.rejects(applier.apply({ ...configMap, kind: 'Nothing' }), /Nothing b\/a in cluster kafka: this cluster serves no v1 Nothing/);
  }).timeout(20_000);

  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'operator', namespace: 'b' } };

  it('does not take an Available of an older generation for the answer', async () => {
    answers['GET /apis/apps/v1/namespaces/b/deployments/operator'] = {
      metadata: { generation: 2 }, status: { observedGeneration: 1, conditions: [{ type: 'Available', status: 'True' }] },
    };
    await assert.rejects(applier.awaitCondition(deployment, 'Available', 200), /is not Available/);
  });

  it('says what the pods of a Deployment wait for when it does not become Available', async () => {
    answers['GET /apis/apps/v1/namespaces/b/deployments/operator'] = {
      metadata: { generation: 1 }, spec: { selector: { matchLabels: { app: 'operator' } } },
      status: { observedGeneration: 1, conditions: [{ type: 'Available', status: 'False', message: 'no minimum availability' }] },
    };
    answers['GET /api/v1/namespaces/b/pods'] = {
      items: [{ metadata: { name: 'operator-1' }, status: { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull' } } }] } }],
    };
    await assert.rejects(applier.awaitCondition(deployment, 'Available', 200),
      /Deployment b\/operator in cluster kafka is not Available after 0\.2 s \(Available=False no minimum availability\)\n {2}pod operator-1: Pending .*ErrImagePull/);
  });
});
