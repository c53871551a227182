import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDrill } from '../../automation/drill/index.ts';
import { readParts } from '../../automation/drill/parts.ts';
import type { PartPlaces } from '../../automation/drill/parts.ts';
import type { Parts } from '../../automation/drill/report.ts';
import { startFakeCluster } from '../fixtures/fake-cluster.ts';
import type { FakeCluster } from '../fixtures/fake-cluster.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';

const region = (name: string): PartPlaces['regions'][number] => ({ name, context: name, namespace: 'bridges', bridge: 'kafka-bridge', gateway: 'gateway' });
const outputs: PartPlaces = { regions: [region('east')], kafka: { context: 'east', namespace: 'kafka', name: 'events' }, tier1: { context: 'east', namespace: 'edge', gateway: 'tier1' } };
const digest = (letter: string): string => letter.repeat(64);
const strimzi = '/apis/kafka.strimzi.io/v1/namespaces';
const [bridges, edge, anywhere] = ['/api/v1/namespaces/bridges/pods', '/api/v1/namespaces/edge/pods', '/api/v1/pods'];

/** @param containers each with its image and what it is called by who pulled it */
function pod(...containers: [name: string, image: string, imageID: string][]): object {
  return { spec: { containers: containers.map(([name]) => ({ name })) }, status: { phase: 'Running', containerStatuses: containers.map(([name, image, imageID]) => ({ name, image, imageID })) } };
}

describe('the parts of clusters that exist', () => {
  let cluster: FakeCluster;
  beforeEach(async () => {
    cluster = await startFakeCluster('east');
    const { objects } = cluster;
    objects.set('/apis', { groups: [{ name: 'kafka.strimzi.io', versions: [{ version: 'v1' }], preferredVersion: { version: 'v1' } }] });
    objects.set(`${strimzi}/kafka/kafkas/events`, { status: { kafkaVersion: '4.1.1' } });
    const sidecar: [string, string, string] = ['istio-proxy', 'istio/proxyv2:1.30', `istio/proxyv2@sha256:${digest('b')}`];
    // The Deployment of the gateway is in the same namespace, and so are its pods.
    objects.set(bridges, { items: [pod(sidecar, ['kafka-bridge-bridge', 'quay.io/strimzi/kafka-bridge:1.1.0', `quay.io/strimzi/kafka-bridge@sha256:${digest('a')}`])] });
    objects.set(edge, { items: [pod(['istio-proxy', `istio/proxyv2@sha256:${digest('c')}`, `istio/proxyv2@sha256:${digest('c')}`])] });
    for (const path of ['bridges/deployments/gateway', 'edge/deployments/tier1']) objects.set(`/apis/apps/v1/namespaces/${path}`, { spec: { selector: { matchLabels: { app: 'gateway' } } } });
    objects.set(anywhere, { items: [pod(['discovery', 'istio/pilot:1.30', `sha256:${digest('d')}`]), pod(['discovery', 'istio/pilot:1.31', `sha256:${digest('e')}`])] });
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const read = async (where = outputs): Promise<Record<string, string>> =>
    Object.fromEntries(Object.entries(await readParts({ kubeconfig: cluster.kubeconfig, outputs: where })).map(([name, { kind, version }]) => [name, `${kind} ${version}`]));
  const everything = {
    'kafka': 'real 4.1.1',
    'kafka-bridge of east': 'real quay.io/strimzi/kafka-bridge:1.1.0 (sha256:aaaaaaaaaaaa)',
    'gateway of east': 'real istio/proxyv2:1.30 (sha256:bbbbbbbbbbbb)',
    'gateway of tier1': 'real istio/proxyv2 (sha256:cccccccccccc)',
    'kube-apiserver of cluster east': 'real v1.34.1',
    'istiod of cluster east': 'real istio/pilot:1.30 (sha256:dddddddddddd), istio/pilot:1.31 (sha256:eeeeeeeeeeee)',
    'strimzi-operator of cluster east': 'real istio/pilot:1.30 (sha256:dddddddddddd), istio/pilot:1.31 (sha256:eeeeeeeeeeee)',
  };
  const but = (...names: string[]): object => Object.fromEntries(Object.entries(everything).filter(([name]) => !names.includes(name)));

  it('are what their pods run, and the versions that they say', async () => {
    assert.deepEqual(await read(), everything);
    for (const query of ['bridges/pods?labelSelector=strimzi.io%2Fkind%3DKafkaBridge%2Cstrimzi.io%2Fcluster%3Dkafka-bridge', 'bridges/pods?labelSelector=app%3Dgateway', 'v1/pods?labelSelector=app%3Distiod', 'v1/pods?labelSelector=strimzi.io%2Fkind%3Dcluster-operator']) {
      assert.ok(cluster.requests.some((request) => request.includes(query)), `${query} in ${cluster.requests.join(' ')}`);
    }
  });

  it('lack what may not be read, is not there, or cannot be reached', async () => {
    cluster.statuses.set(anywhere, 403);
    cluster.objects.delete('/apis/apps/v1/namespaces/edge/deployments/tier1');
    cluster.objects.set(`${strimzi}/kafka/kafkas/events`, { spec: {} });
    const lost = ['kafka', 'gateway of tier1', 'istiod of cluster east', 'strimzi-operator of cluster east'];
    assert.deepEqual(await read({ ...outputs, regions: [region('east'), region('nowhere')] }), but(...lost));
    await cluster.stop();
    assert.deepEqual(await read(), {});
  });

  it('lack what is not the stack\'s own', async () => {
    assert.deepEqual(Object.keys(await read({ kafka: {}, regions: [{ name: 'east', context: 'east', namespace: 'bridges', bridge: 'kafka-bridge' }] })), Object.keys(but('kafka', 'gateway of east', 'gateway of tier1')));
  });

  it('lack a container whose image nobody pulled: what runs there need not be what it is called', async () => {
    cluster.objects.set(bridges, { items: [pod(['kafka-bridge-bridge', 'quay.io/strimzi/kafka-bridge:1.1.0', 'sandbox://quay.io/strimzi/kafka-bridge:1.1.0'])] });
    assert.deepEqual(await read(), but('kafka-bridge of east', 'gateway of east'));
  });
});

describe('the record of a drill', () => {
  /** The parts in the report of one that ends where it would make its topic: there is no Kafka. */
  async function reported(parts?: Parts, kafka: Partial<PartPlaces['kafka']> = {}, status: object = { kafkaVersion: '4.2.1' }): Promise<Parts> {
    await using api = await startFakeKubernetes();
    api.objects.set(`${strimzi}/kafka/kafkas/events`, { metadata: { name: 'events', uid: 'u', resourceVersion: '1' }, status });
    api.objects.set('/apis', { metadata: {}, groups: [{ name: 'kafka.strimzi.io', versions: [{ version: 'v1' }] }] });
    api.objects.set('/version', { metadata: {}, gitVersion: 'v1.34.1' });
    api.objects.set(`${strimzi}/bridges/kafkabridges/kafka-bridge`, { metadata: { name: 'kafka-bridge', uid: 'u', resourceVersion: '1' }, spec: { replicas: 1 } });
    const directory = await mkdtemp(join(tmpdir(), 'kbf-parts-'));
    try {
      const regions = ['east', 'west'].map((name) => ({ name, context: 'east', namespace: 'bridges', bridge: 'kafka-bridge', gatewayAddress: '10.0.0.1' }));
      const { report } = await runDrill({
        outputs: { hostname: 'bridge.example', tier1Address: '127.0.0.1', kafka: { bootstrapServers: '127.0.0.1:1', ...kafka }, regions }, environment: 'test',
        kubeconfig: api.kubeconfig, stateDir: join(directory, 'state'), reportDir: join(directory, 'report'), ...(parts === undefined ? {} : { parts }),
      });
      return report.parts;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  it('has what its clusters run, or the parts that it was given instead', async () => {
    const given: Parts = { 'kafka-bridge': { kind: 'reference', version: '1.1.0' } };
    assert.deepEqual(await Promise.all([reported(), reported(given)]), [{ 'kube-apiserver of cluster east': { kind: 'real', version: 'v1.34.1' } }, given]);
  });

  it('has the Kafka that runs, and none of those that are installed, of which pods run the one that their image says', async () => {
    const bridge: Parts = { 'kafka-bridge': { kind: 'reference', version: '1.1.0' } };
    const given: Parts = { ...bridge, 'kafka': { kind: 'real', version: '4.3.1' }, 'kafka-older': { kind: 'real', version: '4.2.1' } };
    assert.deepEqual(await reported(given, outputs.kafka), { ...bridge, kafka: { kind: 'real', version: '4.2.1' } });
    // From outside the program, or without a status: nobody can tell.
    assert.deepEqual(await Promise.all([reported(given), reported(given, outputs.kafka, {}), reported(given, { ...outputs.kafka, context: 'gone' })]), [bridge, bridge, bridge]);
  });

  it('has no Kafka that is only installed where the drill ended before the clusters were asked', async () => {
    const installed: Parts = { kafka: { kind: 'real', version: '4.3.1' } };
    await using api = await startFakeKubernetes();
    api.answer = () => [500, { message: 'etcdserver: no leader' }];
    const directory = await mkdtemp(join(tmpdir(), 'kbf-parts-'));
    try {
      const { report } = await runDrill({
        outputs: { hostname: 'bridge.example', tier1Address: '127.0.0.1', kafka: { bootstrapServers: '127.0.0.1:1' }, regions: ['east', 'west'].map((name) => ({ name, context: 'east', namespace: 'bridges', bridge: 'kafka-bridge', gatewayAddress: '10.0.0.1' })) },
        environment: 'test', kubeconfig: api.kubeconfig, stateDir: join(directory, 'state'), reportDir: join(directory, 'report'), parts: installed,
      });
      assert.deepEqual(report.parts, {});
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
