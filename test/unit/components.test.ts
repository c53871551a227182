import assert from 'node:assert/strict';

import { buildTopology } from '../../components/topology.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import type { Configuration } from '../../config/schema.ts';
import { answeringCluster, record, type Recording } from './pulumi-mocks.ts';
import { operators, recordTopology, root } from './topology-fixtures.ts';

describe('the four components', () => {
  let two: Recording;
  let three: Recording;

  before(async () => {
    two = await record(() => buildTopology(configuration('east', 'west'), answeringCluster(operators)));
    three = await record(() => buildTopology(configuration('east', 'west', 'north'), answeringCluster(operators)));
  });

  it('make one provider for each cluster and nothing else at the top', () => {
    assert.deepEqual(
      two.resources.filter(({ parent }) => parent === undefined).map(({ type, name }) => `${type} ${name}`).sort(),
      [
        'kbf:index:KafkaBridgeRegion east',
        'kbf:index:KafkaBridgeRegion west',
        'kbf:index:KafkaCluster kafka',
        'kbf:index:Tier1Failover tier1',
        'kbf:index:TsbWorkspace tsb',
        'pulumi:providers:kubernetes central',
        'pulumi:providers:kubernetes east',
        'pulumi:providers:kubernetes kafka',
        'pulumi:providers:kubernetes west',
      ],
    );
  });

  it('send every object to the cluster it belongs to', () => {
    const cluster = { KafkaCluster: ['kafka'], TsbWorkspace: ['central'], Tier1Failover: ['central'], KafkaBridgeRegion: ['east', 'west'] };
    for (const { name, type, parent, provider } of two.resources) {
      if (parent === undefined || type.startsWith('command:') || type.startsWith('kbf:')) continue;
      const allowed = cluster[parent as keyof typeof cluster];
      const expected = parent === 'KafkaBridgeRegion' ? name.split('-')[0] : allowed[0];
      assert.equal(provider, expected, `${type} ${name}`);
    }
  });

  it('make exactly these objects for Kafka', () => {
    assert.deepEqual(two.childrenOf('KafkaCluster'), [
      'Namespace kafka-namespace',
      'cert-manager.io/v1:Certificate kafka-listener',
      'cert-manager.io/v1:Certificate kafka-root',
      'cert-manager.io/v1:Issuer kafka-issuer',
      'cert-manager.io/v1:Issuer kafka-self-signed',
      'command:local:Command kafka-brokers-check',
      'kafka.strimzi.io/v1:Kafka kafka',
      'kafka.strimzi.io/v1:KafkaNodePool kafka-pool',
    ]);
  });

  it('make exactly these objects for a region', () => {
    assert.deepEqual(two.childrenOf('KafkaBridgeRegion'), [...regionChildren('east'), ...regionChildren('west')].sort());
  });

  it('make exactly these objects for tier1', () => {
    assert.deepEqual(two.childrenOf('Tier1Failover'), [
      'Namespace tier1-namespace',
      'command:local:Command tier1-check',
      'gateway.tsb.tetrate.io/v2:Gateway tier1-routes',
      'install.tetrate.io/v1alpha1:Gateway tier1-gateway',
      'networking.istio.io/v1alpha3:EnvoyFilter tier1-filter',
    ]);
  });

  it('make exactly these objects for TSB', () => {
    assert.deepEqual(two.childrenOf('TsbWorkspace'), [
      'Namespace tsb-namespace',
      'gateway.tsb.tetrate.io/v2:Group tsb-gateways-bridges-east',
      'gateway.tsb.tetrate.io/v2:Group tsb-gateways-bridges-west',
      'gateway.tsb.tetrate.io/v2:Group tsb-gateways-edge',
      'istiointernal.tsb.tetrate.io/v2:Group tsb-istio-bridges-east',
      'istiointernal.tsb.tetrate.io/v2:Group tsb-istio-bridges-west',
      'istiointernal.tsb.tetrate.io/v2:Group tsb-istio-edge',
      'tsb.tetrate.io/v2:Tenant tsb-tenant',
      'tsb.tetrate.io/v2:Workspace tsb-workspace-bridges',
      'tsb.tetrate.io/v2:Workspace tsb-workspace-edge',
      'tsb.tetrate.io/v2:WorkspaceSetting tsb-setting-bridges',
      'tsb.tetrate.io/v2:WorkspaceSetting tsb-setting-edge',
    ]);
  });

  it('register their outputs', () => {
    assert.deepEqual(two.outputsOf('kafka'), {
      cluster: 'kafka',
      bootstrapServers: 'bootstrap.kafka.example:9094',
      caCertificate: root,
      listeners: [{ name: 'external', type: 'loadbalancer', tls: true, bootstrapServers: 'bootstrap.kafka.example:9094' }],
    });
    assert.deepEqual(two.outputsOf('east'), {
      cluster: 'east',
      tsbCluster: 'tsb-east',
      bridge: 'kafka-bridge',
      bridgeService: 'kafka-bridge-http',
      gatewayAddress: '10.0.0.1',
      regionUrl: 'http://east.bridge.example',
    });
    assert.deepEqual(two.outputsOf('tsb'), {
      cluster: 'central',
      tenant: 'kafka',
      workspaces: { bridges: 'bridges', edge: 'edge' },
      groups: ['bridges-east', 'bridges-west', 'edge'],
    });
    assert.deepEqual(two.outputsOf('tier1'), {
      cluster: 'central',
      address: '10.0.0.1',
      url: 'http://bridge.example',
      caCertificate: '',
      curlResolve: ['bridge.example:80:10.0.0.1', 'east.bridge.example:80:10.0.0.1', 'west.bridge.example:80:10.0.0.1'],
      resolve: ['bridge.example', 'east.bridge.example', 'west.bridge.example'].map((name) => ({ name, address: '10.0.0.1', port: 80 })),
    });
  });

  it('add only a region’s own objects when a region is added, and change only tier1’s routes and TSB’s hierarchy', () => {
    const key = ({ type, name }: { type: string; name: string }) => `${type} ${name}`;
    const before = new Map(two.resources.map((resource) => [key(resource), resource]));
    const added = three.resources.filter((resource) => !before.has(key(resource)));
    const changed = three.resources.filter((resource) => before.has(key(resource)) && JSON.stringify(before.get(key(resource))?.inputs) !== JSON.stringify(resource.inputs));
    assert.deepEqual(
      added.map(({ name }) => name).sort(),
      [
        'north', // the provider
        'north', // the component
        'north-bridge',
        'north-bridge-check',
        'north-filter',
        'north-filter-sidecars',
        'north-gateway',
        'north-local',
        'north-namespace',
        'north-placement',
        'north-routes',
        'north-shared',
        'north-sidecars-check',
        'north-trust',
        'tsb-gateways-bridges-north',
        'tsb-istio-bridges-north',
      ],
    );
    assert.deepEqual(changed.map(({ name }) => name).sort(), ['tier1-check', 'tier1-filter', 'tier1-routes', 'tsb-setting-bridges', 'tsb-workspace-bridges']);
    assert.equal(three.resources.length, two.resources.length + added.length, 'nothing went away');
  });

  it('may be called as the objects of another are', async () => {
    const names = ['a', 'a-sidecar', 'a-filter', 'a-bridge', 'a-shared', 'a-gateway', 'a-sidecars'];
    const { resources } = await record(() => buildTopology(configuration(...names), answeringCluster(operators)));
    const resourceNames = resources.map(({ type, name, parent }) => `${parent ?? ''} ${type} ${name}`);
    assert.deepEqual(resourceNames.filter((each, index) => resourceNames.indexOf(each) < index), []);
  });

  it('label the bridge’s namespace for injection when it is made', () => {
    const { metadata } = two.inputsOf('Namespace', 'east-namespace') as { metadata: { labels: unknown } };
    assert.deepEqual(metadata.labels, { 'istio-injection': 'enabled' });
  });

  it('give regions the certificate of the root and nothing else of the Secret', () => {
    // A secret value reaches the engine in an envelope of two keys.
    const { stringData, data } = two.inputsOf('Secret', 'east-trust') as { stringData: { value: Record<string, string> }; data?: unknown };
    assert.deepEqual(stringData.value, { 'ca.crt': root });
    assert.equal(data, undefined);
    assert.doesNotMatch(JSON.stringify(two.resources), /PRIVATE KEY|leaf-key/);
  });

  it('bind the local Service to bridge pods by a label that remote endpoints lack', () => {
    const selector = (name: string) => (two.inputsOf('Service', name) as { spec: { selector: Record<string, string> } }).spec.selector;
    const metadata = (name: string) => (two.inputsOf('Service', name) as { metadata: { labels?: Record<string, string> } }).metadata;
    assert.deepEqual(selector('east-shared'), { 'strimzi.io/cluster': 'kafka-bridge', 'strimzi.io/name': 'kafka-bridge-bridge', 'strimzi.io/kind': 'KafkaBridge' });
    assert.deepEqual(selector('east-local'), { ...selector('east-shared'), 'kafka-bridge-failover/local': 'true' });
    assert.deepEqual(metadata('east-shared').labels, { failover: 'enabled' });
    assert.deepEqual(metadata('east-local').labels, {});
  });

  it('name tier1’s clusters without weights', () => {
    const { spec } = two.inputsOf('gateway.tsb.tetrate.io/v2:Gateway', 'tier1-routes') as { spec: { http: { hostname: string; routing: { rules: { route: unknown }[] } }[] } };
    assert.deepEqual(
      spec.http.map(({ hostname, routing }) => [hostname, ...routing.rules.map(({ route }) => JSON.stringify(route))]),
      [
        ['bridge.example', ...twice({ clusterDestination: { clusters: [{ name: 'tsb-east' }, { name: 'tsb-west' }] } })],
        ['east.bridge.example', ...twice({ clusterDestination: { clusters: [{ name: 'tsb-east' }] } })],
        ['west.bridge.example', ...twice({ clusterDestination: { clusters: [{ name: 'tsb-west' }] } })],
      ],
    );
  });

  it('pin consumers to their region by the forwarded host, on both host names', () => {
    const { spec } = two.inputsOf('gateway.tsb.tetrate.io/v2:Gateway', 'west-routes') as { spec: { http: { hostname: string; routing: { rules: Record<string, unknown>[] } }[] } };
    assert.deepEqual(spec.http.map(({ hostname }) => hostname), ['bridge.example', 'west.bridge.example']);
    for (const { routing } of spec.http) {
      assert.deepEqual(routing.rules, [
        {
          match: [{ uri: { prefix: '/consumers' } }],
          modify: { headers: { request: { set: { 'X-Forwarded-Host': 'west.bridge.example', 'X-Forwarded-Proto': 'http' }, remove: ['Forwarded', 'X-Forwarded-Path'] } } },
          timeout: '30s',
          route: { serviceDestination: { host: 'kafka-bridge/kafka-bridge-local.kafka-bridge.svc.cluster.local', port: 8080 } },
        },
        { timeout: '15s', route: { serviceDestination: { host: 'kafka-bridge/kafka-bridge-http.kafka-bridge.svc.cluster.local', port: 8080 } } },
      ]);
    }
  });

  it('retry produces only when nothing was sent, which sidecars say of their bridges, and consumers never', () => {
    const { spec } = two.inputsOf('tsb.tetrate.io/v2:WorkspaceSetting', 'tsb-setting-bridges') as {
      spec: { defaultTrafficSetting: { outbound: { upstreamTrafficSettings: { hosts: string[]; settings: { resilience: { connectionPool: { http: { retries: unknown } } } } }[] } } };
    };
    const retries = spec.defaultTrafficSetting.outbound.upstreamTrafficSettings.map(({ hosts, settings }) => [hosts, settings.resilience.connectionPool.http.retries]);
    assert.deepEqual(retries, [
      [
        ['kafka-bridge-http.kafka-bridge.svc.cluster.local'],
        { attempts: 2, retryOn: 'connect-failure,refused-stream,retriable-headers', retryBackOff: { baseInterval: '0.005s' }, perTryTimeout: '12s' },
      ],
      [['kafka-bridge-local.kafka-bridge.svc.cluster.local'], { attempts: 0 }],
    ]);
    const patches = (name: string) => JSON.stringify(two.inputsOf('networking.istio.io/v1alpha3:EnvoyFilter', name));
    assert.match(patches('east-filter'), /"retriable_headers":\[\{"name":"x-kbf-unsent","present_match":true\}\]/);
    // What is asked of a group of consumers goes to one bridge of several, and what is produced to all.
    assert.match(patches('east-filter'), /"hash_policy":\[\{"header":\{"header_name":":path","regex_rewrite":\{"pattern":\{"regex":"\^\/consumers\/\(\[\^\/\?\]\+\)\.\*\$"\},"substitution":"\\\\1"\}\}\}\]/);
    assert.deepEqual(patches('east-filter').match(/"service":"[^"]+"|"RING_HASH"/g), ['"service":"kafka-bridge-http.kafka-bridge.svc.cluster.local"', '"service":"kafka-bridge-local.kafka-bridge.svc.cluster.local"', '"RING_HASH"']);
    assert.match(patches('east-filter-sidecars'), /"mappers":\[\{"filter":\{"response_flag_filter":\{"flags":\["UF"\]\}\},"headers_to_add":\[\{[^\]]*"key":"x-kbf-unsent"/);
  });

  it('give a connection the time that one to another region takes, but for a host that has none there', async () => {
    interface Setting { readonly spec: { readonly defaultTrafficSetting: { readonly outbound: { readonly upstreamTrafficSettings: { hosts: string[]; settings: { resilience: { connectionPool: { tcp: unknown } } } }[] } } } }
    const times = (recording: Recording) => ['bridges', 'edge'].flatMap((name) => (recording.inputsOf('tsb.tetrate.io/v2:WorkspaceSetting', `tsb-setting-${name}`) as unknown as Setting).spec.defaultTrafficSetting.outbound.upstreamTrafficSettings)
      .map(({ hosts, settings }) => [hosts[0]?.split('.')[0], settings.resilience.connectionPool.tcp]);
    const of = (far: string) => [['kafka-bridge-http', { connectTimeout: far }], ['kafka-bridge-local', { connectTimeout: '0.25s' }], ['*', { connectTimeout: far }]];
    assert.deepEqual(times(two), of('0.5s'));
    assert.deepEqual(times(await recordTopology({ bridge: { timeouts: { connectMs: 1_200 }, healthCheck: { timeoutMs: 2_000 } } })), of('1.2s'));
  });

  it('check bridges and regions four times a second, or as they are told to, each by its own path', async () => {
    interface Filter { readonly spec: { readonly configPatches: { patch: { value: { health_checks?: Record<string, unknown>[] } } }[] } }
    const checks = (recording: Recording, name: string) => (recording.inputsOf('networking.istio.io/v1alpha3:EnvoyFilter', name) as unknown as Filter).spec.configPatches.flatMap(({ patch }) => patch.value.health_checks ?? []);
    const asked = { host: 'kafka-bridge-http.kafka-bridge.svc.cluster.local', codec_client_type: 'HTTP2' };
    assert.deepEqual(checks(two, 'east-filter')[0], {
      timeout: '0.75s', interval: '0.25s', no_traffic_interval: '2s', unhealthy_threshold: 2, healthy_threshold: 1, http_health_check: { path: '/topics', ...asked },
    });
    const slow = await recordTopology({ bridge: { healthCheck: { path: '/topics/orders', intervalMs: 5_000, timeoutMs: 1_500 } } });
    assert.deepEqual(checks(slow, 'east-filter')[0], {
      timeout: '1.5s', interval: '5s', no_traffic_interval: '5s', unhealthy_threshold: 2, healthy_threshold: 1, http_health_check: { path: '/topics/orders', ...asked },
    });
    assert.equal(checks(slow, 'east-filter').length, 2);
    for (const { timeout, interval, http_health_check: asked } of checks(slow, 'tier1-filter')) {
      assert.deepEqual([timeout, interval, (asked as { path: string }).path], ['1.5s', '5s', '/consumers/kbf-check/instances/none/subscription']);
    }
  });

  it('wait for readiness by conditions, with a time limit', () => {
    for (const [type, name] of [
      ['kafka.strimzi.io/v1:Kafka', 'kafka'],
      ['kafka.strimzi.io/v1:KafkaBridge', 'east-bridge'],
      ['cert-manager.io/v1:Certificate', 'kafka-listener'],
    ] as const) {
      const { metadata } = two.inputsOf(type, name) as { metadata: { annotations: Record<string, string> } };
      assert.equal(metadata.annotations['pulumi.com/waitFor'], 'condition=Ready', name);
    }
  });

  it('declare a listener whose advertised names are all in its certificate', () => {
    const { spec: certificate } = two.inputsOf('cert-manager.io/v1:Certificate', 'kafka-listener') as { spec: { dnsNames: string[]; privateKey: { encoding: string } } };
    const { spec } = two.inputsOf('kafka.strimzi.io/v1:Kafka', 'kafka') as {
      spec: { kafka: { listeners: { configuration: { bootstrap: { annotations: object }; brokers: { broker: number; advertisedHost: string }[] } }[] } };
    };
    const brokers = spec.kafka.listeners[0]?.configuration.brokers ?? [];
    assert.deepEqual(brokers.map(({ broker, advertisedHost }) => [broker, advertisedHost]), [
      [0, 'broker-0.kafka.example'],
      [1, 'broker-1.kafka.example'],
      [2, 'broker-2.kafka.example'],
    ]);
    for (const { advertisedHost } of brokers) assert.ok(certificate.dnsNames.includes(advertisedHost), advertisedHost);
    assert.ok(certificate.dnsNames.includes('bootstrap.kafka.example'));
    assert.equal(certificate.privateKey.encoding, 'PKCS8');
  });
});

function twice(route: object): string[] {
  return [JSON.stringify(route), JSON.stringify(route)];
}

function regionChildren(region: string): string[] {
  return [
    `Namespace ${region}-namespace`,
    `Secret ${region}-trust`,
    `Service ${region}-local`,
    `Service ${region}-shared`,
    `command:local:Command ${region}-bridge-check`,
    `command:local:Command ${region}-sidecars-check`,
    `gateway.tsb.tetrate.io/v2:Gateway ${region}-routes`,
    `install.tetrate.io/v1alpha1:Gateway ${region}-gateway`,
    `kafka.strimzi.io/v1:KafkaBridge ${region}-bridge`,
    `networking.istio.io/v1alpha3:EnvoyFilter ${region}-filter`,
    `networking.istio.io/v1alpha3:EnvoyFilter ${region}-filter-sidecars`,
  ];
}

function configuration(...regions: string[]): Configuration {
  return parseConfiguration({
    hostname: 'bridge.example',
    kubeconfig: '/none',
    kafka: { context: 'kafka', domain: 'kafka.example' },
    regions: regions.map((name) => ({ name, context: name, tsbCluster: `tsb-${name}`, locality: { region: `us-${name}1` } })),
    tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka', acceptedWhen: 'condition=Accepted' },
    tier1: { context: 'central', tsbCluster: 'central' },
  }, '/', 'unchecked');
}
