import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

import { readConfiguration } from '../../automation/drill/predict/read.ts';
import type { Places } from '../../automation/drill/predict/read.ts';
import { startFakeCluster } from '../fixtures/fake-cluster.ts';
import type { FakeCluster } from '../fixtures/fake-cluster.ts';

const names = ['east', 'west', 'central'] as const;
const region = (name: string): Places['regions'][number] => ({ name, context: name, namespace: 'bridges', bridge: 'kafka-bridge' });
const outputs: Places = {
  hostname: 'kafka.example', regions: [region('east'), region('west')], tier1: { context: 'central', namespace: 'edge' }, kafka: { context: 'central', namespace: 'kafka', name: 'events' },
};
const strimzi = '/apis/kafka.strimzi.io/v1/namespaces';
const bridgePath = `${strimzi}/bridges/kafkabridges/kafka-bridge`;
const deploymentPath = '/apis/apps/v1/namespaces/bridges/deployments/kafka-bridge-bridge';
const istioPath = (namespace: string, plural: string, version = 'v1'): string => `/apis/networking.istio.io/${version}/namespaces/${namespace}/${plural}`;
const shared = 'kafka-bridge-http.bridges.svc.cluster.local';
const strimzis = 'kafka-bridge-bridge-service.bridges.svc.cluster.local';
const rule = (host: string, connectTimeout: string): object => ({ spec: { host, trafficPolicy: { connectionPool: { tcp: { connectTimeout } } } } });

describe('the configuration in effect', () => {
  let clusters: Record<(typeof names)[number], FakeCluster>;
  let directory: string;
  let kubeconfig: string;

  beforeEach(async () => {
    clusters = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await startFakeCluster(name)] as const))) as typeof clusters;
    directory = await mkdtemp(join(tmpdir(), 'kbf-unit-'));
    kubeconfig = join(directory, 'kubeconfig');
    await writeFile(kubeconfig, await joined(Object.values(clusters)));
    for (const cluster of Object.values(clusters)) for (const namespace of ['istio-system', 'xcp-multicluster']) giveIstio(cluster, namespace, []);
    for (const { objects } of Object.values(clusters)) objects.set('/apis', { groups: [{ name: 'kafka.strimzi.io', versions: [{ version: 'v1' }], preferredVersion: { version: 'v1' } }] });
    for (const name of ['east', 'west'] as const) {
      const { objects } = clusters[name];
      objects.set(bridgePath, { spec: { replicas: 2, producer: { config: { 'delivery.timeout.ms': 8000 } } } });
      objects.set(deploymentPath, { spec: { template: { spec: { containers: [{ name: 'bridge', image: 'bridge', readinessProbe: { periodSeconds: 2 } }] } } } });
      giveIstio(clusters[name], 'bridges', [rule(shared, '250ms'), rule(strimzis, '9s')]);
    }
    giveIstio(clusters.central, 'edge', [rule('kafka.example', '1s')]);
    clusters.central.objects.set(`${strimzi}/kafka/kafkas/events`, { spec: { kafka: { config: { 'broker.session.timeout.ms': 3000 } } } });
  });
  afterEach(async () => {
    for (const cluster of Object.values(clusters)) await cluster[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const bridge = { replicas: 2, deliveryTimeoutMs: 8000, readinessPeriodMs: 2000 };
  const everything = {
    'east bridge': bridge, 'east gateway → bridge': { connectTimeoutMs: 250 }, 'west bridge': bridge, 'west gateway → bridge': { connectTimeoutMs: 250 },
    'tier1 → regions': { connectTimeoutMs: 1000 }, 'Kafka': { brokerSessionTimeoutMs: 3000 },
  };
  const but = (...names: string[]): object => Object.fromEntries(Object.entries(everything).filter(([name]) => !names.includes(name)));

  it('is read from every cluster of the stack', async () => {
    const configuration = await readConfiguration({ kubeconfig, outputs });
    assert.partialDeepStrictEqual(configuration, everything);
    assert.deepEqual(Object.keys(configuration), Object.keys(everything));
  });

  it('says of the objects of a cluster that does not answer that they cannot be read, and has the others', async () => {
    await clusters.west.stop();
    const { 'west bridge': lost, 'west gateway → bridge': hop, ...others } = await readConfiguration({ kubeconfig, outputs });
    assert.partialDeepStrictEqual(others, but('west bridge', 'west gateway → bridge'));
    assert.match(String(lost?.['unreadable']), /^Deployment bridges\/kafka-bridge-bridge cannot be read in cluster west: .*ECONNREFUSED/);
    assert.match(String(hop?.['unreadable']), /^destinationrules of namespace bridges cannot be read in cluster west: .*ECONNREFUSED/);
  });

  it('says what the API server says of an object that may not be read', async () => {
    clusters.east.statuses.set(bridgePath, 403);
    const { 'east bridge': refused, ...others } = await readConfiguration({ kubeconfig, outputs });
    assert.match(String(refused?.['unreadable']), /^kafkabridges bridges\/kafka-bridge cannot be read in cluster east: 403 the test says 403$/);
    assert.partialDeepStrictEqual(others, but('east bridge'));
  });

  it('has what a KafkaBridge says where its Deployment is not there', async () => {
    clusters.east.objects.delete(deploymentPath);
    assert.deepEqual((await readConfiguration({ kubeconfig, outputs }))['east bridge'], { replicas: 2, deliveryTimeoutMs: 8000 });
  });

  it('is of Strimzi\'s own Service where nothing is said of the program\'s', async () => {
    giveIstio(clusters.east, 'bridges', [rule(strimzis, '9s')]);
    assert.equal((await readConfiguration({ kubeconfig, outputs }))['east gateway → bridge']?.['connectTimeoutMs'], 9000);
  });

  it('leaves out the filters of other workloads, by the labels of the gateway\'s Deployment and the bridge\'s, and no filter where that cannot be read', async () => {
    const { objects, statuses } = clusters.east;
    const gatewayPath = '/apis/apps/v1/namespaces/bridges/deployments/gateway';
    const labelled = (app: string): object => ({ spec: { template: { metadata: { labels: { app } }, spec: { containers: [{ name: 'it', image: 'it' }] } } } });
    const filter = (app: string, path: string): object => ({ spec: { workloadSelector: { labels: { app } }, configPatches: [{ applyTo: 'CLUSTER', match: { cluster: { service: shared } }, patch: { value: { health_checks: [{ http_health_check: { path } }] } } }] } });
    objects.set(gatewayPath, labelled('gateway'));
    objects.set(istioPath('bridges', 'envoyfilters', 'v1alpha3'), { items: [filter('gateway', '/own'), filter('payments', '/x')] });
    const [east, ...others] = outputs.regions;
    const pathOf = async (): Promise<unknown> => (await readConfiguration({ kubeconfig, outputs: { ...outputs, regions: [{ ...east ?? assert.fail(), gateway: 'gateway' }, ...others] } }))['east gateway → bridge']?.['healthCheckPath'];
    assert.equal(await pathOf(), '/own');
    statuses.set(gatewayPath, 403);
    assert.equal(await pathOf(), '/x');
  });

  it('has what Istio\'s root namespace says for all others, and its mesh configuration', async () => {
    const { objects } = clusters.east;
    const merging = (window: string): object => ({ spec: { configPatches: [{ applyTo: 'CLUSTER', patch: { value: { common_lb_config: { update_merge_window: window } } } }] } });
    const upstream = async (): Promise<unknown[]> => ['host', 'connectTimeoutMs', 'mergeWindowMs'].map(((found) => (name) => found?.[name])((await readConfiguration({ kubeconfig, outputs }))['east gateway → bridge']));
    objects.set(istioPath('istio-system', 'envoyfilters', 'v1alpha3'), { items: [merging('7s')] });
    giveIstio(clusters.east, 'elsewhere', [rule('*.local', '11s')]);
    objects.set(istioPath('elsewhere', 'envoyfilters', 'v1alpha3'), { items: [merging('8s')] });
    assert.deepEqual(await upstream(), [shared, 250, 7000]);
    objects.set('/api/v1/namespaces/istio-system/configmaps/istio', { data: { mesh: 'rootNamespace: elsewhere\nconnectTimeout: 4s\n' } });
    assert.deepEqual(await upstream(), [shared, 250, 8000]);
    giveIstio(clusters.east, 'bridges', []);
    assert.deepEqual(await upstream(), [shared, 11_000, 8000], 'its rules where the namespace has none');
    giveIstio(clusters.east, 'bridges', [{ spec: { host: shared } }]);
    assert.deepEqual(await upstream(), [shared, 4000, 8000], 'Istio\'s time for a connection where nobody says another');
  });

  it('has the mesh configuration of the gateway\'s own revision, and bounds nothing where that is not there', async () => {
    const { objects } = clusters.east;
    const [east, ...others] = outputs.regions;
    const upstream = async (): Promise<Record<string, unknown>> => (await readConfiguration({ kubeconfig, outputs: { ...outputs, regions: [{ ...east ?? assert.fail(), gateway: 'gateway' }, ...others] } }))['east gateway → bridge'] ?? {};
    objects.set('/apis/apps/v1/namespaces/bridges/deployments/gateway', { spec: { template: { metadata: { labels: { 'istio.io/rev': '1-24' } }, spec: { containers: [{ name: 'it', image: 'it' }] } } } });
    objects.set('/api/v1/namespaces/istio-system/configmaps/istio', { data: { mesh: 'connectTimeout: 4s\n' } });
    giveIstio(clusters.east, 'bridges', [{ spec: { host: shared } }]);
    assert.match(String((await upstream())['unreadable']), /^cluster east has no ConfigMap istio-system\/istio-1-24 of the mesh's revision 1-24$/);
    objects.set('/api/v1/namespaces/istio-system/configmaps/istio-1-24', { data: { mesh: 'connectTimeout: 3s\n' } });
    assert.equal((await upstream())['connectTimeoutMs'], 3000);
  });

  it('has no rule of the root namespace that is not exported, nor one for a host that may be told of elsewhere', async () => {
    const unreadable = async (name: string): Promise<string> => String((await readConfiguration({ kubeconfig, outputs }))[name]?.['unreadable']);
    giveIstio(clusters.east, 'bridges', []);
    giveIstio(clusters.east, 'istio-system', [{ spec: { host: '*.local', exportTo: ['.'] } }]);
    assert.match(await unreadable('east gateway → bridge'), /^no DestinationRule in namespace bridges of cluster east names/);
    for (const namespace of ['bridges', '*']) {
      giveIstio(clusters.east, 'istio-system', [{ spec: { host: '*.local', exportTo: [namespace] } }]);
      assert.equal(await unreadable('east gateway → bridge'), 'undefined', namespace);
    }
    giveIstio(clusters.central, 'edge', []);
    giveIstio(clusters.central, 'istio-system', [{ spec: { host: '*' } }]);
    assert.match(await unreadable('tier1 → regions'), /^no DestinationRule in namespace edge or xcp-multicluster of cluster central names kafka.example/);
  });

  it('has the rule of a host of several clusters from where TSB keeps those, where the gateway\'s own namespace has none', async () => {
    const connectMs = async (): Promise<unknown> => (await readConfiguration({ kubeconfig, outputs }))['tier1 → regions']?.['connectTimeoutMs'];
    const own = await connectMs();
    giveIstio(clusters.central, 'xcp-multicluster', [rule('kafka.example', '9s')]);
    assert.equal(await connectMs(), own);
    giveIstio(clusters.central, 'edge', []);
    assert.equal(await connectMs(), 9000);
    giveIstio(clusters.central, 'xcp-multicluster', [{ spec: { host: 'kafka.example', exportTo: ['.'] } }]);
    assert.equal(await connectMs(), undefined);
  });

  it('bounds nothing where what applies to all namespaces may not be read', async () => {
    for (const path of [istioPath('istio-system', 'envoyfilters', 'v1alpha3'), istioPath('istio-system', 'destinationrules'), istioPath('istio-system', 'virtualservices'), '/api/v1/namespaces/istio-system/configmaps/istio']) {
      clusters.east.statuses.set(path, 403);
      const { 'east gateway → bridge': refused, ...others } = await readConfiguration({ kubeconfig, outputs });
      assert.match(String(refused?.['unreadable']), /istio-system.* cannot be read in cluster east: 403 the test says 403$/, path);
      assert.partialDeepStrictEqual(others, but('east gateway → bridge'));
      clusters.east.statuses.delete(path);
    }
  });

  it('is of the host that requests of the topic go to, by the route that takes them', async () => {
    const { objects } = clusters.east;
    const to = (host: string, exact: string, timeout: string): object => ({ match: [{ uri: { exact } }], timeout, route: [{ destination: { host } }] });
    const http = [to(shared, '/topics/payments', '5s'), to(strimzis, '/topics/orders', '6s')];
    objects.set(istioPath('bridges', 'virtualservices'), { items: [{ spec: { hosts: [outputs.hostname], gateways: ['bridges/gateway'], http } }] });
    const { host, routeTimeoutMs } = (await readConfiguration({ kubeconfig, outputs, topic: 'orders' }))['east gateway → bridge'] ?? assert.fail();
    assert.deepEqual([host, routeTimeoutMs], [strimzis, 6000]);
  });

  it('is found under the API version that an older Istio has', async () => {
    for (const plural of ['destinationrules', 'virtualservices']) {
      clusters.east.objects.set(istioPath('bridges', plural, 'v1beta1'), clusters.east.objects.get(istioPath('bridges', plural)));
      clusters.east.objects.delete(istioPath('bridges', plural));
    }
    assert.partialDeepStrictEqual(await readConfiguration({ kubeconfig, outputs }), everything);
  });

  it('names what is not there: rules for a host, Istio, Strimzi, an object', async () => {
    giveIstio(clusters.east, 'bridges', [rule('another.host', '1s')]);
    clusters.west.objects.delete(istioPath('bridges', 'destinationrules'));
    clusters.west.objects.set('/apis', { groups: [] });
    clusters.central.objects.delete(`${strimzi}/kafka/kafkas/events`);
    const { 'east gateway → bridge': east, 'west gateway → bridge': west, 'west bridge': unknown, Kafka: gone } = await readConfiguration({ kubeconfig, outputs });
    assert.deepEqual(east, { unreadable: `no DestinationRule in namespace bridges of cluster east names ${shared} or ${strimzis}` });
    assert.deepEqual(west, { unreadable: 'cluster west does not know destinationrules of networking.istio.io' });
    assert.match(String(unknown?.['unreadable']), /in cluster west: the cluster does not know kafka\.strimzi\.io; is Strimzi installed\?$/);
    assert.match(String(gone?.['unreadable']), /^kafkas kafka\/events cannot be read in cluster central: 404 not found$/);
  });

  it('has nothing of a tier1 or a Kafka that are not the stack\'s own', async () => {
    assert.deepEqual(Object.keys(await readConfiguration({ kubeconfig, outputs: { hostname: outputs.hostname, regions: [region('east')], kafka: { namespace: 'kafka' } } })), ['east bridge', 'east gateway → bridge']);
  });
});

function giveIstio({ objects }: FakeCluster, namespace: string, destinationRules: readonly object[]): void {
  objects.set(istioPath(namespace, 'destinationrules'), { items: destinationRules });
  objects.set(istioPath(namespace, 'virtualservices'), { items: [] });
  objects.set(istioPath(namespace, 'envoyfilters', 'v1alpha3'), { items: [] });
}

/** One kubeconfig with the contexts of all. */
async function joined(clusters: readonly FakeCluster[]): Promise<string> {
  const all = await Promise.all(clusters.map(async ({ kubeconfig }) => parse(await readFile(kubeconfig, 'utf8')) as Record<'clusters' | 'contexts' | 'users', object[]>));
  return stringify({ apiVersion: 'v1', kind: 'Config', clusters: all.flatMap((each) => each.clusters), contexts: all.flatMap((each) => each.contexts), users: all[0]?.users });
}
