import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as pulumi from '@pulumi/pulumi';

import { reasonOf } from '../../components/cluster-client.ts';
import { type LiveObject, readerOf, stateOf } from '../../components/cluster-reader.ts';

const service = { apiVersion: 'v1', kind: 'Service', namespace: 'edge', name: 'tier1' };
const address = (object: LiveObject) => (object['status'] as { loadBalancer?: { ingress?: { ip: string }[] } } | undefined)?.loadBalancer?.ingress?.[0]?.ip;

describe('reading a field past the engine', () => {
  let server: Server;
  let directory: string;
  let kubeconfig: string;
  /** Answers of the API server to each GET of the Service, in order; the last one stays. */
  let answers: { code: number; body: object }[];

  before(async () => {
    server = createServer((request, response) => {
      const list = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'v1', resources: [{ name: 'services', singularName: 'service', namespaced: true, kind: 'Service', verbs: ['get'] }] };
      const answer = request.url === '/api/v1' ? { code: 200, body: list } : answers.length > 1 ? answers.shift() : answers[0];
      response.writeHead(answer?.code ?? 500, { 'content-type': 'application/json' }).end(JSON.stringify(answer?.body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    directory = mkdtempSync(join(tmpdir(), 'kbf reader-'));
    kubeconfig = join(directory, 'kubeconfig');
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor((server.address() as AddressInfo).port)));
  });

  after(() => {
    rmSync(directory, { recursive: true });
    server.close();
  });

  const awaited = async (timeoutMs: number, preview = false): Promise<unknown> => {
    await pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'kafka-bridge-failover', 'test', preview);
    const output = readerOf({ file: kubeconfig }, 'central').awaitField(service, { select: address, what: 'load balancer address', timeoutMs });
    const { isKnown, promise } = output as unknown as { isKnown: Promise<boolean>; promise(): Promise<unknown> };
    return (await isKnown) ? promise() : 'unknown';
  };

  it('waits over an absent object, an API server that fails and a status that is not there yet', async () => {
    answers = [absent(), failing(), present({}), present({ loadBalancer: { ingress: [{ ip: '10.0.0.7' }] } })];
    assert.equal(await awaited(10_000), '10.0.0.7');
  });

  it('names object, cluster and last state when the time is over', async () => {
    answers = [present({ conditions: [{ type: 'NotReady', status: 'True', reason: 'NoAddress', message: 'the pool is empty' }] })];
    await assert.rejects(awaited(1), (error: unknown) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.match(String(error), /Service edge\/tier1 in cluster central has no load balancer address after 0 s; last state: condition NotReady=True \(NoAddress: the pool is empty\)/);
      assert.match(String(error), /kubectl --kubeconfig '\S+ \S+' --context central describe service -n edge tier1/);
      return true;
    });
  });

  it('says which one is wanted, where not any will do', async () => {
    answers = [present({ loadBalancer: { ingress: [{ ip: '10.0.0.7' }] } })];
    const output = readerOf({ file: kubeconfig }, 'central').awaitField(service, { select: () => undefined, what: 'load balancer address', which: '34.1.1.1', timeoutMs: 1 });
    await assert.rejects((output as unknown as { promise(): Promise<unknown> }).promise(), /^Error: Service edge\/tier1 in cluster central has no load balancer address 34\.1\.1\.1 after 0 s; last state: status \{"loadBalancer":\{"ingress":\[\{"ip":"10\.0\.0\.7"\}\]\}\}\.\nSee: kubectl /);
  });

  it('keeps its message when the SDK writes the way of a property before it', async () => {
    answers = [absent()];
    const error = await awaited(1).then(() => assert.fail('it ended well'), (reason: unknown) => reason as Error);
    error.message = `error serializing property "outputs": ${error.message}`;
    assert.match(error.message, /^Service edge\/tier1 in cluster central/);
  });

  it('says that there is no such object', async () => {
    answers = [absent()];
    await assert.rejects(awaited(1), /last state: there is no such object/);
  });

  it('says that the API server cannot be asked', async () => {
    answers = [failing()];
    await assert.rejects(awaited(1), /last state: the API server cannot be asked/);
  });

  it('asks an API server again that has too much to do, or is away for a moment', async () => {
    const tooMuch = { code: 429, body: { kind: 'Status', code: 429 } };
    answers = [tooMuch, failing(), present({ loadBalancer: { ingress: [{ ip: '10.0.0.9' }] } })];
    assert.equal(await awaited(1, true), '10.0.0.9');
    answers = [{ code: 500, body: { kind: 'Status', message: 'etcd' } }, present({})];
    await assert.rejects(readerOf({ file: kubeconfig }, 'central').read(service), { message: 'HTTP 500: etcd' });
  });

  it('looks once in a preview, and what is not there is unknown', async () => {
    answers = [absent()];
    assert.equal(await awaited(60_000, true), 'unknown');
    answers = [present({ loadBalancer: { ingress: [{ ip: '10.0.0.8' }] } })];
    assert.equal(await awaited(60_000, true), '10.0.0.8');
  });
});

describe('the state of an object in one line', () => {
  it('is its conditions, with reason and message where they are', () => {
    const conditions = [{ type: 'Ready', status: 'True' }, { type: 'Warning', status: 'True', reason: 'UnknownFields' }];
    assert.equal(stateOf(live({ conditions })), 'condition Ready=True; condition Warning=True (UnknownFields)');
  });

  it('is the status where it has no conditions', () => {
    assert.equal(stateOf(live({ state: 'FAILED', message: 'no such group' })), 'status {"state":"FAILED","message":"no such group"}');
  });

  it('says that it is of an older generation than the object', () => {
    const conditions = [{ type: 'Ready', status: 'True' }];
    const object = (generation: number): LiveObject => ({ metadata: { name: 'bridge', generation }, status: { observedGeneration: 1, conditions } });
    assert.equal(stateOf(object(1)), 'condition Ready=True');
    assert.equal(stateOf(object(2)), 'condition Ready=True; all this of generation 1: of generation 2 no operator has said anything yet');
  });

  it('says that nobody answered, or that the object is not there', () => {
    assert.equal(stateOf(live({})), 'it has no status: no operator has answered yet');
    assert.equal(stateOf(undefined), 'there is no such object');
  });
});

function live(status: object): LiveObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'tier1' }, status };
}

function present(status: object): { code: number; body: object } {
  return { code: 200, body: live(status) };
}

function absent(): { code: number; body: object } {
  return { code: 404, body: { kind: 'Status', code: 404, reason: 'NotFound' } };
}

function failing(): { code: number; body: object } {
  return { code: 503, body: { kind: 'Status', code: 503 } };
}

function kubeconfigFor(port: number): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    // Plain HTTP has no TLS to verify, and the client insists on hearing so.
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'central', context: { cluster: 'c', user: 'u' } }],
  };
}

describe('the reason of a failed request', () => {
  it('is what lies under it, in one line', () => {
    assert.equal(reasonOf(new Error('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1\n more') })), 'fetch failed: connect ECONNREFUSED 127.0.0.1:1');
    assert.equal(reasonOf(new Error('\nHTTP 503\nbody')), 'HTTP 503');
    assert.equal(reasonOf(new TypeError('')), 'TypeError');
    assert.equal(reasonOf('torn'), 'torn');
  });
});
