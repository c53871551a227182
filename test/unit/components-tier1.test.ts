import assert from 'node:assert/strict';

import { balancedAt, type Changes, operators, recordTopology, region } from './topology-fixtures.ts';
import type { Recording } from './pulumi-mocks.ts';

interface Server { readonly name: string; readonly hostname: string; readonly port: number; readonly [more: string]: unknown }

describe('tier1', () => {
  it('ranks no region, wherever it stands itself', async () => {
    const [global, ...pinned] = await serversOf({});
    assert.deepEqual(global?.['failoverSettings'], { topologyChoice: 'NONE' });
    assert.ok(pinned.every(({ failoverSettings }) => failoverSettings === undefined));
  });

  it('prefers a region by a label of its gateway, where one is to be first', async () => {
    const recording = await recordTopology({ tier1: { active: { first: 'west' } } });
    assert.deepEqual(servers(recording)[0]?.['failoverSettings'], { failoverPriority: ['failover.tetrate.io/region=west'] });
    for (const name of ['east', 'west']) assert.deepEqual(installed(recording, `${name}-gateway`).spec.kubeSpec, { service: { type: 'LoadBalancer', labels: { 'failover.tetrate.io/region': name } } });
  });

  it('asks a region\'s gateway as consumers do, whose requests stay in the region, unless they take the hop as well', async () => {
    for (const [service, path] of [['own', '/consumers/kbf-check/instances/none/subscription'], ['strimzi', '/']]) {
      const recording = await recordTopology({ bridge: { service } });
      const filter = recording.resources.find(({ inputs }) => inputs['kind'] === 'EnvoyFilter' && JSON.stringify(inputs).includes('"app":"tier1"'));
      assert.deepEqual([...new Set(JSON.stringify(filter?.inputs).match(/"path":"[^"]*"/g))], [`"path":"${path}"`], service);
    }
  });

  it('gives weights only where they are asked for, and then ranks nothing', async () => {
    const [global, east] = await serversOf({ tier1: { mode: 'weighted', weights: { east: 70, west: 30 } } });
    assert.deepEqual(clustersOf(global), [{ name: 'tsb-east', weight: 70 }, { name: 'tsb-west', weight: 30 }]);
    assert.equal(global?.['failoverSettings'], undefined);
    assert.deepEqual(clustersOf(east), [{ name: 'tsb-east' }], 'a pinned name has one region, and no weight');
  });

  it('says in the deprecated kinds what they can say, and the bounds of requests as settings of hosts', async () => {
    const recording = await recordTopology({
      tsb: { api: 'tier1gateway', setup: { networks: { 'tsb-east': 'tier2', 'tsb-west': 'tier2', central: 'tier1' }, reachability: { tier1: ['tier2'] } } },
      tier1: { mode: 'weighted', weights: { east: 50, west: 50 } },
    });
    const { spec } = recording.inputsOf('gateway.tsb.tetrate.io/v2:Tier1Gateway', 'tier1-routes') as { spec: unknown };
    const pinned = (name: string) => ({ name: `${name}-bridge-example`, hostname: `${name}.bridge.example`, port: 80, clusters: [{ name: `tsb-${name}` }] });
    assert.deepEqual(spec, {
      workloadSelector: { namespace: 'edge', labels: { app: 'tier1' } },
      externalServers: [
        { name: 'bridge-example', hostname: 'bridge.example', port: 80, clusters: ['east', 'west'].map((name) => ({ name: `tsb-${name}`, network: 'tier2', weight: 50 })) },
        pinned('east'), pinned('west'),
      ],
    });
    assert.deepEqual(recording.inputsOf('install.tetrate.io/v1alpha1:Tier1Gateway', 'tier1-gateway')['spec'], { kubeSpec: { service: { type: 'LoadBalancer' } } });
    assert.deepEqual(recording.inputsOf('install.tetrate.io/v1alpha1:IngressGateway', 'east-gateway')['spec'], { kubeSpec: { service: { type: 'LoadBalancer' } } });
    const { spec: ingress } = recording.inputsOf('gateway.tsb.tetrate.io/v2:IngressGateway', 'east-routes') as { spec: { http: (Server & { routing: { rules: object[] } })[] } };
    assert.deepEqual(ingress.http.map(({ name, hostname }) => [name, hostname]), [['east-bridge-example', 'bridge.example'], ['east-pinned', 'east.bridge.example']]);
    assert.deepEqual(ingress.http[0]?.routing.rules, [
      {
        match: [{ uri: { prefix: '/consumers' } }],
        modify: { headers: { request: { set: { 'X-Forwarded-Host': 'east.bridge.example', 'X-Forwarded-Proto': 'http' }, remove: ['Forwarded', 'X-Forwarded-Path'] } } },
        route: { host: 'kafka-bridge/kafka-bridge-local.kafka-bridge.svc.cluster.local', port: 8080 },
      },
      { route: { host: 'kafka-bridge/kafka-bridge-http.kafka-bridge.svc.cluster.local', port: 8080 } },
    ]);
    const bounds = (name: string, of = recording) => (JSON.stringify(of.inputsOf('tsb.tetrate.io/v2:WorkspaceSetting', name)).match(/requestTimeout":"\d+s/g) ?? []).map((found) => found.slice(17));
    assert.deepEqual([bounds('tsb-setting-bridges'), bounds('tsb-setting-edge')], [['15s', '30s'], ['31s']]);
    assert.deepEqual(bounds('tsb-setting-bridges', await recordTopology({ bridge: { service: 'strimzi' }, tsb: { api: 'tier1gateway' } })), ['30s'], 'polls go by the one route as well');
  });

  it('leaves retries and ejections to TSB where that is asked for, at both hops', async () => {
    const recording = await recordTopology({ tier1: { retries: 'tsb-default' } });
    assert.ok(!JSON.stringify(recording.resources).includes('upstreamTrafficSettings'));
    assert.ok(!recording.resources.some(({ name }) => name === 'tsb-setting-edge'), 'settings that say nothing are not made');
    assert.deepEqual(Object.keys(recording.inputsOf('tsb.tetrate.io/v2:WorkspaceSetting', 'tsb-setting-bridges')['spec'] as object), ['defaultEastWestGatewaySettings'], 'nor is the order of regions TSB’s own again');
  });

  it('is published only where that is asked for, and has the address that was reserved', async () => {
    assert.deepEqual(installed(await recordTopology(), 'tier1-gateway').spec.kubeSpec, { service: { type: 'LoadBalancer' } });
    const published = installed(await recordTopology({ tier1: { dns: 'external-dns', service: { address: '10.9.0.2', internal: 'gke' } } }, balancedAt('10.9.0.2')), 'tier1-gateway').spec.kubeSpec as { service: { annotations: object }; overlays: unknown };
    assert.deepEqual(published.service.annotations, {
      'networking.gke.io/load-balancer-type': 'Internal', 'networking.gke.io/internal-load-balancer-allow-global-access': 'true',
      'external-dns.alpha.kubernetes.io/hostname': 'bridge.example,east.bridge.example,west.bridge.example',
      'external-dns.kubernetes.io/hostname': 'bridge.example,east.bridge.example,west.bridge.example',
    });
    assert.deepEqual(published.overlays, [{ apiVersion: 'v1', kind: 'Service', name: 'tier1', patches: [{ path: 'spec.loadBalancerIP', value: '10.9.0.2' }] }]);
  });

  it('has as many pods as are asked for, whatever its kind', async () => {
    for (const [api, kind, replicas, most] of [['gateway', 'Gateway', 12, 12], ['tier1gateway', 'Tier1Gateway', 3, 10]] as const) {
      const deployment = { replicaCount: replicas, hpaSpec: { minReplicas: replicas, maxReplicas: most } };
      const recording = await recordTopology({ tier1: { replicas }, tsb: { api } });
      const { spec } = recording.inputsOf(`install.tetrate.io/v1alpha1:${kind}`, 'tier1-gateway') as { spec: { kubeSpec: unknown } };
      assert.deepEqual(spec.kubeSpec, { service: { type: 'LoadBalancer' }, deployment });
    }
  });

  it('is of a revision of its own cluster’s mesh, whatever its kind', async () => {
    for (const [api, kind] of [['gateway', 'Gateway'], ['tier1gateway', 'Tier1Gateway']] as const) {
      const recording = await recordTopology({ tier1: { revision: '1-24' }, tsb: { api } });
      const revision = (of: string, name: string) => (recording.inputsOf(`install.tetrate.io/v1alpha1:${of}`, name)['spec'] as { revision?: string }).revision;
      assert.deepEqual([revision(kind, 'tier1-gateway'), revision(api === 'gateway' ? 'Gateway' : 'IngressGateway', 'east-gateway')], ['1-24', undefined]);
    }
  });

  it('has an address and records of Google Cloud where those are asked for', async () => {
    const recording = await recordTopology({ gcp: { project: 'my-project', region: 'us-central1', staticAddress: 'tier1', dnsZone: 'my-zone' } }, balancedAt('34.0.0.9'));
    assert.deepEqual(recording.inputsOf('gcp:compute/address:Address', 'tier1-address'), { name: 'tier1', project: 'my-project', region: 'us-central1' });
    assert.deepEqual((installed(recording, 'tier1-gateway').spec.kubeSpec as { overlays: unknown }).overlays, [{ apiVersion: 'v1', kind: 'Service', name: 'tier1', patches: [{ path: 'spec.loadBalancerIP', value: '34.0.0.9' }] }]);
    const records = recording.resources.filter(({ type }) => type === 'gcp:dns/recordSet:RecordSet');
    assert.deepEqual(records.map(({ parent, inputs }) => [parent, inputs]), ['bridge.example', 'east.bridge.example', 'west.bridge.example'].map((name) => [
      'Tier1Failover', { project: 'my-project', managedZone: 'my-zone', name: `${name}.`, type: 'A', ttl: 60, rrdatas: ['34.0.0.9'] },
    ]));
  });

  it('says which name is which address and port, as they are and as curl takes them', async () => {
    const recording = await recordTopology({ tier1: { tls: { source: 'secret', secret: 'mine' } } });
    assert.deepEqual((recording.outputsOf('tier1') as { curlResolve: unknown }).curlResolve, ['bridge.example:443:10.0.0.1', 'east.bridge.example:443:10.0.0.1', 'west.bridge.example:443:10.0.0.1']);
    assert.deepEqual((recording.outputsOf('tier1') as { resolve: unknown }).resolve, ['bridge.example', 'east.bridge.example', 'west.bridge.example'].map((name) => ({ name, address: '10.0.0.1', port: 443 })));
  });
});

describe('an address of tier1 that is a host name', () => {
  it('is nothing that curl takes for a name', async () => {
    const recording = await recordTopology({}, (reference) => (reference.kind === 'Service' ? { status: { loadBalancer: { ingress: [{ hostname: 'lb.example' }] } } } : operators(reference)));
    const { resolve, curlResolve } = recording.outputsOf('tier1') as { resolve: readonly { address: string }[]; curlResolve: string[] };
    assert.deepEqual([resolve.map(({ address }) => address), curlResolve], [['lb.example', 'lb.example', 'lb.example'], []]);
  });
});

describe('TLS at tier1', () => {
  it('ends at port 443 with a Secret that exists, and consumers come back by https', async () => {
    const recording = await recordTopology({ tier1: { tls: { source: 'secret', secret: 'mine' } } });
    for (const { port, tls } of servers(recording)) assert.deepEqual([port, tls], [443, { mode: 'SIMPLE', secretName: 'mine' }]);
    assert.ok(!recording.resources.some(({ name }) => name === 'tier1-namespace'), 'the namespace is there with the Secret');
    assert.equal((recording.outputsOf('tier1') as { url: string }).url, 'https://bridge.example');
    assert.equal((recording.outputsOf('east') as { regionUrl: string }).regionUrl, 'https://east.bridge.example');
    assert.match(JSON.stringify(recording.inputsOf('gateway.tsb.tetrate.io/v2:Gateway', 'east-routes')), /"X-Forwarded-Proto":"https"/);
    assert.deepEqual(servers(recording, 'east-routes').map(({ port }) => port), [80, 80], 'TLS ends at tier1');
  });

  it('has consumers come back by it to their region behind Strimzi’s own Service, too, whose one rule is theirs as well', async () => {
    for (const api of ['gateway', 'tier1gateway'] as const) {
      const recording = await recordTopology({ bridge: { service: 'strimzi' }, tier1: { tls: { source: 'secret', secret: 'mine' } }, tsb: { api } });
      const kind = api === 'gateway' ? 'Gateway' : 'IngressGateway';
      const { spec } = recording.inputsOf(`gateway.tsb.tetrate.io/v2:${kind}`, 'east-routes') as { spec: { http: { routing: { rules: { match?: unknown; modify: unknown }[] } }[] } };
      const comeBack = { headers: { request: { set: { 'X-Forwarded-Host': 'east.bridge.example', 'X-Forwarded-Proto': 'https' }, remove: ['Forwarded', 'X-Forwarded-Path'] } } };
      for (const { routing } of spec.http) assert.deepEqual(routing.rules.map(({ match, modify }) => [match, modify]), [[undefined, comeBack]], api);
    }
  });

  it('comes from cert-manager, which names every host', async () => {
    const recording = await recordTopology({ tier1: { tls: { source: 'cert-manager', issuer: { name: 'public', kind: 'ClusterIssuer' } } } });
    const { metadata, spec } = recording.inputsOf('cert-manager.io/v1:Certificate', 'tier1-certificate') as { metadata: Record<string, unknown>; spec: Record<string, unknown> };
    assert.deepEqual(metadata, { name: 'tier1-tls', namespace: 'edge', annotations: { 'pulumi.com/waitFor': 'condition=Ready' } });
    assert.deepEqual([spec['secretName'], spec['dnsNames'], spec['issuerRef']], ['tier1-tls', ['bridge.example', 'east.bridge.example', 'west.bridge.example'], { name: 'public', kind: 'ClusterIssuer' }]);
  });

  it('leaves the namespace as it is that its issuer is in', async () => {
    const recording = await recordTopology({ tier1: { tls: { source: 'cert-manager', issuer: { name: 'own', kind: 'Issuer' } } } });
    assert.ok(!recording.resources.some(({ name }) => name === 'tier1-namespace'));
    assert.equal((recording.inputsOf('cert-manager.io/v1:Certificate', 'tier1-certificate')['metadata'] as { namespace: string }).namespace, 'edge');
  });

  it('signs for itself by a key that the state has only encrypted, and that no added region changes', async () => {
    const [two, three] = [await recordTopology({ tier1: { tls: { source: 'self-signed' } } }), await recordTopology({ tier1: { tls: { source: 'self-signed' } }, regions: ['east', 'west', 'north'].map((name) => region(name)) })];
    const { stringData, type, metadata } = two.inputsOf('Secret', 'tier1-tls') as { stringData: { value: unknown }; type: string; metadata: object };
    assert.deepEqual(stringData.value, { 'tls.crt': 'a certificate', 'tls.key': 'a key in PKCS#8', 'ca.crt': 'a certificate' }, 'in the envelope of a secret');
    assert.deepEqual([type, metadata], ['kubernetes.io/tls', { name: 'tier1-tls', namespace: 'edge' }]);
    const certificate = (recording: Recording) => recording.inputsOf('tls:index/selfSignedCert:SelfSignedCert', 'tier1-certificate');
    const { dnsNames, validityPeriodHours, earlyRenewalHours } = certificate(two);
    assert.deepEqual([dnsNames, validityPeriodHours, earlyRenewalHours], [['bridge.example', '*.bridge.example'], 8_760, 720]);
    assert.deepEqual(certificate(two), certificate(three));
    assert.equal((two.outputsOf('tier1') as { caCertificate: string }).caCertificate, 'a certificate');
    const elsewhere = two.resources.filter(({ name }) => !['tier1-tls', 'tier1-certificate'].includes(name));
    assert.ok(!JSON.stringify(elsewhere).includes('a key'), 'the key goes nowhere else');
  });

  it('is trusted by whatever the Secret names, and by public authorities where it names none', async () => {
    const ca = async (data: Record<string, string>) => {
      const recording = await recordTopology({ tier1: { tls: { source: 'secret', secret: 'mine' } } }, (reference) => (reference.name === 'mine'
        ? { data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])) } : operators(reference)));
      return (recording.outputsOf('tier1') as { caCertificate: string }).caCertificate;
    };
    assert.equal(await ca({ 'ca.crt': 'root', 'tls.key': 'secret' }), 'root');
    assert.equal(await ca({ 'tls.crt': 'chain', 'tls.key': 'secret' }), '');
  });
});

async function serversOf(changes: Changes): Promise<Server[]> {
  return servers(await recordTopology(changes));
}

function servers(recording: Recording, name = 'tier1-routes'): Server[] {
  return (recording.inputsOf('gateway.tsb.tetrate.io/v2:Gateway', name) as { spec: { http: Server[] } }).spec.http;
}

function clustersOf(server: Server | undefined): unknown {
  return (server?.['routing'] as { rules: { route: { clusterDestination: { clusters: unknown } } }[] }).rules[0]?.route.clusterDestination.clusters;
}

function installed(recording: Recording, name: string): { spec: { kubeSpec: unknown } } {
  return recording.inputsOf('install.tetrate.io/v1alpha1:Gateway', name) as { spec: { kubeSpec: unknown } };
}
