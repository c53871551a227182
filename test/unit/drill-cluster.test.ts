import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { Cluster } from '../../automation/drill/cluster.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import { withHostName } from '../fixtures/host-names.ts';
import { makeCertificate } from '../fixtures/made-certificate.ts';

const container = { namespace: 'apps', pod: 'b-1', container: 'b' };
const pods = '/api/v1/namespaces/apps/pods';

describe('a cluster that is asked', () => {
  let api: FakeKubernetes;
  let directory: string;
  /** `GET /api/v1/namespaces/apps/pods/b-1`. */
  let requests: string[];
  beforeEach(async () => {
    api = await startFakeKubernetes();
    directory = await mkdtemp(path.join(tmpdir(), 'kbf-cluster-'));
    requests = [];
    api.objects.set(`${pods}/b-1`, { metadata: { name: 'b-1' } });
  });
  afterEach(async () => {
    await api[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  /** As somebody else. */
  async function clusterAs(user: object): Promise<Cluster> {
    const config = parse(await readFile(api.kubeconfig, 'utf8')) as { users: object[] };
    config.users = [{ name: 'me', user }];
    const file = path.join(directory, 'kubeconfig');
    await writeFile(file, stringify(config));
    return new Cluster(file, 'east');
  }
  const read = (cluster: Cluster): Promise<unknown> => cluster.ask('pod b-1 cannot be read', () => cluster.core.readNamespacedPod({ namespace: 'apps', name: 'b-1' }));

  it('says why it cannot be asked, also by a name of which no address answers', async () => {
    const file = path.join(directory, 'kubeconfig');
    await writeFile(file, stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://api.example:2' } }], users: [{ name: 'me', user: { token: 't' } }], contexts: [{ name: 'east', context: { cluster: 'c', user: 'me' } }],
    }));
    await withHostName('api.example', ['::1', '127.0.0.1'], async () => {
      await assert.rejects(read(new Cluster(file, 'east')), { name: 'UserError', message: 'pod b-1 cannot be read in cluster east: fetch failed: connect ECONNREFUSED 127.0.0.1:2' });
    });
  });

  describe('with what a plugin gives', () => {
    const timesAsked = (): number => readFileSync(path.join(directory, 'asked'), 'utf8').length;
    /** @param status an expression, of `n`: how often it has been asked */
    const plugin = (status: string): object => {
      const script = `const fs = require('node:fs'); const file = ${JSON.stringify(path.join(directory, 'asked'))}; fs.appendFileSync(file, '.'); const n = fs.readFileSync(file, 'utf8').length; console.log(JSON.stringify({ status: ${status} }))`;
      return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] } };
    };

    it('has the plugin asked again where that is not let in any more, once for all requests of that time, and for commands too', async () => {
      let good = 'token-1';
      const isGood = (request: IncomingMessage | undefined): boolean => request?.headers.authorization === `Bearer ${good}`;
      api.answer = (_method, _url, _body, request) => (isGood(request) ? undefined : [401, { kind: 'Status', message: 'Unauthorized' }]);
      api.run = (_script, request) => (isGood(request) ? { exitCode: 0 } : { refused: 'Unauthorized', status: 401 });
      const cluster = await clusterAs(plugin('{ token: `token-${n}` }'));
      await Promise.all([read(cluster), read(cluster)]);
      assert.equal(timesAsked(), 1);
      good = 'token-2';
      await Promise.all([read(cluster), read(cluster), read(cluster)]);
      assert.equal(timesAsked(), 2);
      good = 'token-3';
      assert.deepEqual(await cluster.sh(container, 'true'), { exitCode: 0, output: '' });
      assert.equal(timesAsked(), 3);
    });

    it('says so where that is not let in either', async () => {
      api.answer = () => [401, { kind: 'Status', message: 'Unauthorized' }];
      await assert.rejects(read(await clusterAs(plugin('{ token: "t" }'))), { name: 'UserError', message: 'pod b-1 cannot be read in cluster east: 401 Unauthorized' });
      assert.equal(timesAsked(), 2);
      await assert.rejects(read(await clusterAs({ token: 'static' })), { message: 'pod b-1 cannot be read in cluster east: 401 Unauthorized' });
    });

    it('runs commands with the certificate of now', async () => {
      const seen: string[] = [];
      api.run = (_script, request) => {
        seen.push((request.socket as TLSSocket).getPeerCertificate().subject.CN as string);
        return { exitCode: 0 };
      };
      const made = await Promise.all(['first', 'second'].map((name) => makeCertificate(name)));
      const each = JSON.stringify(made.map(({ cert, key }) => ({ clientCertificateData: cert, clientKeyData: key, expirationTimestamp: '2020-01-01T00:00:00Z' })));
      const cluster = await clusterAs(plugin(`${each}[n - 1]`));
      await cluster.sh(container, 'true');
      await cluster.sh(container, 'true');
      assert.deepEqual(seen, ['first', 'second']);
    });
  });

  describe('and has too much to do, or is away for a moment', () => {
    let cluster: Cluster;
    beforeEach(() => { cluster = new Cluster(api.kubeconfig, 'east'); });
    /** Answers the first requests so. */
    const refuse = (status: number, times: number, headers: Record<string, string> = {}): void => {
      requests.length = 0;
      api.answer = (method, { pathname }) => {
        requests.push(`${method} ${pathname}`);
        return requests.length <= times ? [status, { kind: 'Status', message: 'not now' }, headers] : undefined;
      };
    };
    const pod = { metadata: { name: 'b-2' } };
    const create = (): Promise<unknown> => cluster.ask('pod b-2 cannot be made', () => cluster.core.createNamespacedPod({ namespace: 'apps', body: pod }));

    it('is asked again what can be asked twice', async () => {
      for (const status of [429, 502, 503, 504]) {
        refuse(status, 2);
        assert.deepEqual(await read(cluster).then(() => requests.length), 3, String(status));
      }
      refuse(503, 1);
      await cluster.mustAllow([{ verb: 'get', group: '', resource: 'pods', namespace: 'apps' }]);
      refuse(504, 1);
      await cluster.core.deleteNamespacedPod({ namespace: 'apps', name: 'b-1' });
      assert.deepEqual(requests, [`DELETE ${pods}/b-1`, `DELETE ${pods}/b-1`]);
    });

    it('is asked to make a thing again only where it says that it did not', async () => {
      refuse(504, 1);
      await assert.rejects(create(), { message: 'pod b-2 cannot be made in cluster east: 504 not now' });
      assert.equal(requests.length, 1);
      refuse(429, 1, { 'retry-after': '1' });
      await create();
      assert.equal(requests.length, 2);
    });

    it('is not asked again for an eviction, whose 429 is about the disruption budget', async () => {
      refuse(429, 1);
      await assert.rejects(cluster.core.createNamespacedPodEviction({ namespace: 'apps', name: 'b-1', body: { metadata: { name: 'b-1' } } }), { code: 429 });
      assert.equal(requests.length, 1);
    });

    it('is asked no more than four times, not at all where it asks for a longer pause, and not whether it answers', async () => {
      refuse(503, 9);
      await assert.rejects(read(cluster), { message: 'pod b-1 cannot be read in cluster east: 503 not now' });
      assert.equal(requests.length, 4);
      refuse(429, 9, { 'retry-after': '60' });
      await assert.rejects(read(cluster), { message: /429 not now/ });
      assert.equal(requests.length, 1);
      refuse(503, 9);
      assert.equal(await cluster.answers(5_000), true);
      assert.equal(requests.length, 1);
    });

    it('is asked to begin a command again', async () => {
      let begun = 0;
      api.run = () => {
        begun += 1;
        return begun === 1 ? { refused: 'not now', status: 429 } : { exitCode: 0 };
      };
      await cluster.sh(container, 'true');
      assert.equal(begun, 2);
    });
  });
});
