/** A drill says to Kafka who it is as bridges do, by the Secret that they have. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { readCredentials } from '../../automation/drill/credentials.ts';
import type { ProgramOutputs } from '../../automation/drill/options.ts';
import { UserError } from '../../errors.ts';
import { startFakeCluster } from '../fixtures/fake-cluster.ts';
import type { FakeCluster } from '../fixtures/fake-cluster.ts';

type Authentication = ProgramOutputs['kafka']['authentication'];

const path = '/api/v1/namespaces/kafka-bridge/secrets/bridge-user';
const password: Authentication = { type: 'scram-sha-512', username: 'bridge', secret: { name: 'bridge-user', key: 'password' } };
const certificate: Authentication = { type: 'tls', secret: { name: 'bridge-user', certificate: 'user.crt', key: 'user.key' } };
const data = (entries: Record<string, string>): object => ({ data: Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value).toString('base64')])) });

describe('what a drill says to Kafka of itself', () => {
  let east: FakeCluster;
  let west: FakeCluster;
  let kubeconfig: string;

  beforeEach(async () => {
    [east, west] = await Promise.all([startFakeCluster('east'), startFakeCluster('west')]);
    kubeconfig = join(east.kubeconfig, '..', 'both');
    const [one, other] = await Promise.all([east, west].map(async ({ kubeconfig: file }) => parse(await readFile(file, 'utf8')) as { clusters: object[]; users: object[]; contexts: object[] }));
    await writeFile(kubeconfig, stringify({ ...one, clusters: [...one?.clusters ?? [], ...other?.clusters ?? []], contexts: [...one?.contexts ?? [], ...other?.contexts ?? []] }));
  });
  afterEach(() => Promise.all([east[Symbol.asyncDispose](), west[Symbol.asyncDispose]()]));

  const read = (authentication: Authentication) => readCredentials({
    kubeconfig,
    outputs: { kafka: authentication === undefined ? {} : { authentication }, regions: ['east', 'west'].map((name) => ({ name, context: name, namespace: 'kafka-bridge', bridge: 'kafka-bridge', gatewayAddress: '10.0.0.1' })) },
  });

  it('is nothing where bridges say nothing', async () => {
    assert.equal(await read(undefined), undefined);
    assert.deepEqual(east.requests, []);
  });

  it('is the bridges’ user and password, or their certificate', async () => {
    east.objects.set(path, data({ password: 'p w', 'user.crt': 'CERT', 'user.key': 'KEY' }));
    assert.deepEqual(await read(password), { sasl: { mechanism: 'SCRAM-SHA-512', username: 'bridge', password: 'p w' } });
    assert.deepEqual(await read({ ...password, type: 'scram-sha-256' }), { sasl: { mechanism: 'SCRAM-SHA-256', username: 'bridge', password: 'p w' } });
    assert.deepEqual(await read(certificate), { tls: { cert: 'CERT', key: 'KEY' } });
    assert.deepEqual(west.requests, []);
  });

  it('is what another region has, where one does not answer', async () => {
    await east.stop();
    west.objects.set(path, data({ password: 'of west' }));
    assert.deepEqual(await read(password), { sasl: { mechanism: 'SCRAM-SHA-512', username: 'bridge', password: 'of west' } });
  });

  it('is wrong use where it is nowhere, may not be read, or lacks an entry', async () => {
    const refused = (authentication: Authentication, message: RegExp): Promise<void> => assert.rejects(read(authentication), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      assert.equal(error.exitCode, 2);
      return true;
    });
    await refused(password, /^Secret kafka-bridge\/bridge-user, by which bridges say to Kafka who they are, cannot be read in cluster east: 404 not found/);
    for (const cluster of [east, west]) cluster.statuses.set(path, 403);
    await refused(password, /cannot be read in cluster east: 403 the test says 403/);
    for (const cluster of [east, west]) cluster.statuses.clear();
    east.objects.set(path, data({ other: 'x' }));
    await refused(certificate, /has no entry user\.crt; it has: other$/);
  });

  it('is not known where no cluster answers, which is no wrong use', async () => {
    await Promise.all([east.stop(), west.stop()]);
    await assert.rejects(read(password), (error) => error instanceof UserError && error.exitCode === 1 && /in cluster east/.test(error.message));
  });
});
