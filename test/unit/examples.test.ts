import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { Ajv } from 'ajv';
import { parse } from 'yaml';

import { configurationOf, inRepository, RenderedStack, repository, stackFile } from './examples-fixtures.ts';

/** How many objects of each kind an example makes. */
const counts: Readonly<Record<string, Record<string, number>>> = {
  'existing-kafka': { envoyfilter: 5, gateway: 6, group: 6, kafkabridge: 2, namespace: 4, secret: 2, service: 4, workspace: 2, workspacesetting: 2 },
  gke: {
    address: 1, certificate: 2, envoyfilter: 5, gateway: 6, group: 6, helmrelease: 4, issuer: 2, kafka: 1, kafkabridge: 2, kafkanodepool: 1, kafkatopic: 1,
    namespace: 9, recordset: 3, secret: 2, service: 4, tenant: 1, workspace: 2, workspacesetting: 2,
  },
  openshift: {
    certificate: 2, envoyfilter: 5, gateway: 6, group: 6, issuer: 2, kafka: 1, kafkabridge: 2, kafkanodepool: 1, kafkatopic: 1,
    namespace: 5, secret: 2, service: 4, tenant: 1, workspace: 2, workspacesetting: 2,
  },
  seed: {
    certificate: 1, cluster: 3, clusterissuer: 1, configmap: 1, deployment: 3, group: 2, helmrelease: 2, ingressgateway: 4, kafka: 1, kafkabridge: 2,
    namespace: 8, organizationsetting: 1, secret: 2, tenant: 1, tier1gateway: 2, workspace: 2, workspacesetting: 1,
  },
  'seed-routing': {
    certificate: 2, gateway: 6, group: 3, issuer: 2, kafka: 1, kafkabridge: 2, kafkanodepool: 1,
    namespace: 5, secret: 2, service: 4, tenant: 1, workspace: 2, workspacesetting: 1,
  },
  'three-regions': {
    certificate: 2, configmap: 1, deployment: 3, envoyfilter: 7, gateway: 8, group: 8, issuer: 2, kafka: 1, kafkabridge: 3, kafkanodepool: 1,
    namespace: 7, secret: 3, service: 6, tenant: 1, workspace: 2, workspacesetting: 2,
  },
};
const names = Object.keys(counts);
const stacks = new Map<string, RenderedStack>();
const stack = (name: string): RenderedStack => stacks.get(name) ?? assert.fail(`${name} is not rendered`);

describe('the examples', () => {
  before(async () => { for (const name of names) stacks.set(name, await RenderedStack.of(stackFile(name))); });

  const check = new Ajv({ strict: true, strictTypes: false, formats: { ipv4: true, ipv6: true } }).compile(JSON.parse(inRepository('docs/configuration.schema.json')) as object);

  it('are these', () => {
    assert.deepEqual(readdirSync(join(repository, 'examples')).sort(), names.toSorted());
  });

  it('are led to from README.md, which stays short', () => {
    const readme = inRepository('README.md');
    for (const name of names) assert.ok(readme.includes(`(docs/examples/${name}.md)`), name);
    assert.ok(readme.split('\n').length <= 121);
  });

  for (const name of names) {
    describe(name, () => {
      const text = inRepository(stackFile(name));

      it('has settings that editors and the program take', () => {
        const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
        assert.equal(normalize(join(dirname(stackFile(name)), schema)), 'docs/configuration.schema.json');
        assert.ok(check(parse(text)), JSON.stringify(check.errors));
        assert.ok(configurationOf(stackFile(name)));
      });

      it('names no place of anybody’s machine', () => {
        assert.doesNotMatch(text, /\/(home|root|tmp|work|Users)\//);
        const { config } = parse(text) as { config: Record<string, unknown> };
        assert.ok([undefined, '~/.kube/config', '.kbf/sandboxes/dev/kubeconfig.outside'].includes(config['kafka-bridge-failover:kubeconfig'] as string | undefined));
      });

      it('is rendered with these objects, the same each time', async () => {
        assert.deepEqual(stack(name).kinds, counts[name]);
        assert.deepEqual((await RenderedStack.of(stackFile(name))).rendering, stack(name).rendering);
      });

      it('has no placeholder that is not listed', () => {
        // The generators' program has signs of its own between the words.
        for (const { path, text: file, placeholders } of stack(name).rendering.files.filter((each) => !each.path.endsWith('/configmap.generator.yaml'))) {
          assert.equal([...file.matchAll(/<[^>]+>/g)].length, placeholders.length, path);
        }
      });

      it('has a guide, from its own file to a drill', () => {
        const guide = inRepository(`docs/examples/${name}.md`);
        assert.ok(guide.includes(stackFile(name)));
        assert.match(guide, /kbf render/);
        assert.match(guide, /kbf drill/);
        for (const [, link = ''] of guide.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
          if (!link.includes('://')) assert.ok(existsSync(join(repository, 'docs/examples', link)), `${name} leads to ${link}`);
        }
      });
    });
  }
});

interface Tier1 { readonly http: readonly { readonly hostname: string; readonly failoverSettings?: object; readonly routing: { readonly rules: readonly { readonly route: { readonly clusterDestination: { readonly clusters: readonly object[] } } }[] } }[] }
const tier1Of = (name: string): Tier1 => stack(name).spec<Tier1>('central/edge/gateway.gateway.tsb.tetrate.io.tier1');
const choiceOf = ({ http }: Tier1): readonly object[] => http[0]?.routing.rules[0]?.route.clusterDestination.clusters ?? [];
const bridgeOf = (name: string, region: string) => stack(name).spec<{ replicas: number; bootstrapServers: string; authentication?: object }>(`${region}/kafka-bridge/kafkabridge.kafka-bridge`);

describe('the example seed-routing', () => {
  it('is the sandbox’s own stack but for who gets requests, what is sent again, and what TSB has no field for', async () => {
    const dev = await RenderedStack.of('Pulumi.dev.yaml');
    const written = new Set(stack('seed-routing').paths.map((path) => path.replace(/group\.(?!gateway)/, 'group.gateway.tsb.tetrate.io.')));
    assert.deepEqual([...written].filter((path) => !dev.paths.includes(path)), []);
    assert.deepEqual([...new Set(dev.paths.filter((path) => !written.has(path)).map((path) => path.split('/').slice(1).join('/')))], [
      'edge/envoyfilter.tier1.yaml', 'tsb-conf/group.istiointernal.tsb.tetrate.io.bridges-east.yaml', 'tsb-conf/group.istiointernal.tsb.tetrate.io.bridges-west.yaml',
      'tsb-conf/group.istiointernal.tsb.tetrate.io.edge.yaml', 'tsb-conf/workspacesetting.edge.yaml', 'kafka-bridge/envoyfilter.kafka-bridge-bridge.yaml', 'kafka-bridge/envoyfilter.kafka-bridge-gateway.yaml',
    ]);
  });

  it('has the walk-through’s weights and nothing that would soften them', () => {
    const tier1 = tier1Of('seed-routing');
    assert.deepEqual(choiceOf(tier1), [{ name: 'east', weight: 50 }, { name: 'west', weight: 50 }]);
    assert.ok(tier1.http.every(({ failoverSettings }) => failoverSettings === undefined));
    assert.deepEqual(Object.keys(stack('seed-routing').spec('central/tsb-conf/workspacesetting.bridges')), ['defaultEastWestGatewaySettings']);
  });
});

describe('the example openshift', () => {
  const certificate = (): { dnsNames: string[] } => stack('openshift').spec('openshift/kafka-cluster/certificate.openshift-listener');

  it('has Kafka behind Routes, whose hosts are in its certificate and reached on the port of HTTPS', () => {
    const { kafka } = stack('openshift').spec<{ kafka: { listeners: { type: string; port: number; tls: boolean }[] } }>('openshift/kafka-cluster/kafka.openshift');
    assert.deepEqual(kafka.listeners.map(({ type, port, tls }) => [type, port, tls]), [['route', 9094, true]]);
    for (const part of ['bootstrap', '0', '1', '2']) assert.ok(certificate().dnsNames.includes(`openshift-kafka-${part}-kafka-cluster.apps.ocp.example.com`), part);
    for (const region of ['east', 'west']) {
      const { replicas, bootstrapServers } = bridgeOf('openshift', region);
      assert.deepEqual([replicas, bootstrapServers], [2, 'openshift-kafka-bootstrap-kafka-cluster.apps.ocp.example.com:443']);
    }
  });
});

describe('the example gke', () => {
  const values = (path: string): Record<string, unknown> => stack('gke').object(`_gcp/${path}`)['inputs'] as Record<string, unknown>;

  it('reserves an address, gives it to tier1, and publishes every host name', () => {
    assert.deepEqual(values('address.kafka-bridge'), { name: 'kafka-bridge', project: 'my-project', region: 'us-central1' });
    const { kubeSpec } = stack('gke').spec<{ kubeSpec: { overlays: { name: string; patches: object[] }[] } }>('central/edge/gateway.install.tetrate.io.tier1');
    assert.deepEqual(kubeSpec.overlays.map(({ name, patches }) => ({ name, patches })), [{ name: 'tier1', patches: [{ path: 'spec.loadBalancerIP', value: '<reserved address tier1-address>' }] }]);
    for (const host of ['', 'east.', 'west.']) {
      const { name, managedZone, type } = values(`recordset.${host}kafka-bridge.example.com.`);
      assert.deepEqual([name, managedZone, type], [`${host}kafka-bridge.example.com.`, 'example-com', 'A']);
    }
  });

  it('keeps Kafka and the regions’ gateways inside of the network', () => {
    const internal = { 'networking.gke.io/load-balancer-type': 'Internal', 'networking.gke.io/internal-load-balancer-allow-global-access': 'true' };
    for (const region of ['east', 'west']) {
      const { kubeSpec } = stack('gke').spec<{ kubeSpec: { service: { annotations: object } } }>(`${region}/kafka-bridge/gateway.install.tetrate.io.kafka-bridge-gateway`);
      assert.deepEqual(kubeSpec.service.annotations, internal);
    }
    const { kafka } = stack('gke').spec<{ kafka: { listeners: { configuration: { bootstrap: { annotations: object }; brokers: { annotations: object }[] } }[] } }>('kafka/kafka-cluster/kafka.kafka');
    const [listener] = kafka.listeners;
    for (const { annotations } of [listener?.configuration.bootstrap, ...listener?.configuration.brokers ?? []].filter((each) => each !== undefined)) {
      for (const [key, value] of Object.entries(internal)) assert.equal((annotations as Record<string, string>)[key], value);
    }
  });

  it('needs no kubeconfig, asks clusters for their names in TSB, and installs operators where they are needed', () => {
    const { kubeconfig, regions } = configurationOf(stackFile('gke'));
    assert.deepEqual([kubeconfig, ...regions.map((region) => region.kubeconfig)], [undefined, undefined, undefined]);
    assert.deepEqual(choiceOf(tier1Of('gke')), ['east', 'west'].map((region) => ({ name: `<TSB cluster name of ControlPlane istio-system/controlplane in cluster ${region}>` })));
    assert.deepEqual(stack('gke').paths.filter((path) => path.includes('helmrelease')), ['east/strimzi/helmrelease.strimzi.yaml', 'kafka/cert-manager/helmrelease.cert-manager.yaml', 'kafka/strimzi/helmrelease.strimzi.yaml', 'west/strimzi/helmrelease.strimzi.yaml']);
  });
});

describe('the example existing-kafka', () => {
  it('makes nothing of Kafka’s, and no tenant that is there already', () => {
    assert.deepEqual(stack('existing-kafka').clusters, ['central', 'east', 'west']);
    const { annotations } = stack('existing-kafka').object('central/tsb-conf/workspace.bridges').metadata;
    assert.equal(annotations?.['tsb.tetrate.io/tenant'], 'payments');
    assert.deepEqual(stack('existing-kafka').object('west/kafka-bridge/secret.kafka-ca')['stringData'], { 'ca.crt': inRepository('examples/existing-kafka/ca.crt') }, 'the CA that was given is public');
    const { bootstrapServers, authentication } = bridgeOf('existing-kafka', 'west');
    assert.equal(bootstrapServers, 'kafka-0.example.com:9093,kafka-1.example.com:9093,kafka-2.example.com:9093');
    assert.equal(authentication, undefined);
  });

  it('takes what its guide adds for a Kafka that asks who comes', async () => {
    const [, added = ''] = /```yaml\n([\s\S]*?)```/.exec(inRepository('docs/examples/existing-kafka.md')) ?? [];
    const { config } = parse(added) as { config: Record<string, unknown> };
    const settings = Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace('kafka-bridge-failover:', ''), value]));
    const secured = await RenderedStack.of(stackFile('existing-kafka'), settings);
    assert.deepEqual(secured.spec<{ authentication: object }>('west/kafka-bridge/kafkabridge.kafka-bridge').authentication, {
      type: 'scram-sha-512', username: 'kafka-bridge', passwordSecret: { secretName: 'kafka-bridge-user', password: 'password' },
    });
    assert.deepEqual(secured.object('east/_cluster/namespace.kafka-bridge').metadata.labels, { 'istio-injection': 'enabled' });
  });

  it('takes what its guide adds for a Kafka that is slow', async () => {
    const [, added = ''] = /## Where Kafka is slow[^]*?```yaml\n([\s\S]*?)```/.exec(inRepository('docs/examples/existing-kafka.md')) ?? [];
    const { config } = parse(added) as { config: Record<string, unknown> };
    const slow = await RenderedStack.of(stackFile('existing-kafka'), { bridge: config['kafka-bridge-failover:bridge'] });
    assert.match(JSON.stringify(slow.object('east/kafka-bridge/envoyfilter.kafka-bridge-gateway')), /"path":"\/topics\/orders\/partitions".*"timeout":"1\.5s"/);
  });
});

describe('the example three-regions', () => {
  it('sends requests to all of them, and from each to the next when its bridge is gone', () => {
    assert.deepEqual(choiceOf(tier1Of('three-regions')), [{ name: 'east' }, { name: 'west' }, { name: 'north' }]);
    assert.deepEqual(tier1Of('three-regions').http.map(({ hostname }) => hostname), ['kafka-bridge.example', 'east.kafka-bridge.example', 'west.kafka-bridge.example', 'north.kafka-bridge.example']);
    const { failoverSettings } = stack('three-regions').spec<{ failoverSettings: object }>('central/tsb-conf/workspacesetting.bridges');
    const [east, west, north] = ['us-east1', 'us-west1', 'us-north1'];
    assert.deepEqual(failoverSettings, { topologyChoice: 'CLUSTER', regionalFailover: [{ from: east, to: west }, { from: west, to: north }, { from: north, to: east }] });
  });
});
