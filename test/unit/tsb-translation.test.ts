import assert from 'node:assert/strict';
import type { ClusterFacts, TsbObject } from '../../sandbox/operators/tsb/model.ts';
import { translate } from '../../sandbox/operators/tsb/translate/index.ts';
import { bridgesSetting, central, everything, group, region, snapshotOf, tier1Gateway, tsb } from './tsb-fixtures.ts';

type Fields = Record<string, never>;

function wantedIn(context: string, snapshot = snapshotOf()): Map<string, Fields> {
  const { wanted, verdicts } = translate(snapshot);
  const failed = [...verdicts].filter(([, { state }]) => state === 'FAILED').map(([object, { message }]) => `${object.kind} ${object.metadata.name}: ${message}`);
  assert.deepEqual(failed, []);
  return new Map(wanted.filter(({ cluster }) => cluster.context === context).map(({ object }) => [`${object.kind} ${object.metadata.namespace}/${object.metadata.name}`, (object as unknown as { spec: Fields }).spec]));
}

function at(object: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((value, field) => (value as Record<string | number, unknown> | undefined)?.[field], object);
}

function without(name: string, objects = everything()): TsbObject[] {
  return objects.filter(({ kind, metadata }) => `${kind} ${metadata.name}` !== name);
}

describe('translation of TSB to Istio', () => {
  it('gives a region gateway a server per hostname on its port and on the east-west port', () => {
    const gateway = wantedIn('east').get('Gateway kafka-bridge/kafka-bridge-gateway');
    const servers = at(gateway, 'servers') as { port: { number: number }; hosts: string[] }[];
    assert.deepEqual(servers.map(({ port, hosts }) => [port.number, hosts[0]]), [
      [80, '*/kafka.example'], [15443, '*/kafka.example'], [80, '*/east.kafka.example'], [15443, '*/east.kafka.example'],
    ]);
    assert.deepEqual(at(gateway, 'selector'), { app: 'kafka-bridge-gateway' });
  });

  it('routes by rules in their order, with headers and timeouts', () => {
    const service = wantedIn('east').get('VirtualService kafka-bridge/kafka-bridge-gateway-global');
    assert.deepEqual(at(service, 'http', 0, 'match'), [{ uri: { prefix: '/consumers' } }]);
    assert.deepEqual(at(service, 'http', 0, 'headers'), { request: { set: { 'X-Forwarded-Host': 'east.kafka.example' }, remove: ['Forwarded'] } });
    assert.deepEqual(at(service, 'http', 0, 'timeout'), undefined);
    assert.deepEqual(at(service, 'http', 1, 'timeout'), '15s');
    assert.deepEqual(at(service, 'http', 1, 'route', 0, 'destination'), { host: 'kafka-bridge-http.kafka-bridge.svc.cluster.local', port: { number: 8080 } });
  });

  it('names the Service to its peers only where the Service is exposed', () => {
    const service = wantedIn('east').get('VirtualService kafka-bridge/kafka-bridge-gateway-global');
    assert.equal(at(service, 'http', 0, 'rewrite'), undefined);
    assert.deepEqual(at(service, 'http', 1, 'rewrite'), { authority: 'kafka-bridge-http.kafka-bridge.svc.cluster.local' });
  });

  it('joins the peer gateway to an exposed Service, with the peer\'s locality and the east-west port', () => {
    const entries = [...wantedIn('east')].filter(([name]) => name.startsWith('WorkloadEntry'));
    assert.equal(entries.length, 1);
    assert.match(entries[0]?.[0] ?? '', /^WorkloadEntry kafka-bridge\/k-kafka-bridge-http-[0-9a-f]{8}$/);
    assert.deepEqual(entries[0]?.[1], {
      address: '10.214.0.1', labels: { 'strimzi.io/cluster': 'kafka-bridge', 'xcp.tetrate.io/cluster': 'west' }, locality: 'us-west1/us-west1-a', ports: { http2: 15443 },
    });
  });

  it('ends the failover hop at local endpoints', () => {
    const wanted = wantedIn('east');
    const name = 'bridges-0-kafka-bridge-http-kafka-bridge';
    const host = 'kafka-bridge-http.kafka-bridge.svc.cluster.local';
    assert.deepEqual(at(wanted.get(`Gateway kafka-bridge/ewgen-${name}`), 'servers', 0, 'port', 'number'), 15443);
    assert.deepEqual(at(wanted.get(`VirtualService kafka-bridge/vs-${name}`), 'http', 0, 'route', 0, 'destination'), { host, port: { number: 8080 }, subset: 'local' });
    assert.deepEqual(at(wanted.get(`DestinationRule kafka-bridge/${host}`), 'subsets'), [
      { name: 'local', labels: { 'topology.kubernetes.io/region': 'us-east1', 'topology.kubernetes.io/zone': 'us-east1-a' } },
    ]);
  });

  it('gives each region every other region as a peer', () => {
    const clusters = [central(), region('east', '10.213.0.1'), region('west', '10.214.0.1'), region('north', '10.215.0.1')];
    const names = ['east', 'west', 'north'];
    const objects = [
      ...without('Workspace bridges'),
      tsb(['tsb.tetrate.io/v2', 'Workspace', 'bridges'], { namespaceSelector: { names: ['*/kafka-bridge'] } }, { parents: { tenant: 'kafka' } }),
    ];
    for (const name of names) {
      const entries = [...wantedIn(name, snapshotOf(objects, clusters))].filter(([key]) => key.startsWith('WorkloadEntry'));
      assert.deepEqual(entries.map(([, spec]) => at(spec, 'labels', 'xcp.tetrate.io/cluster')).sort(), names.filter((other) => other !== name).sort());
    }
  });

  it('does not join clusters of the same region and zone, whose hop could come back, and says so', () => {
    const east = region('east', '10.213.0.1');
    const snapshot = snapshotOf(everything(), [central(), east, { ...region('west', '10.214.0.1'), region: east.region, zone: east.zone }]);
    assert.ok(![...wantedIn('east', snapshot).keys()].some((name) => name.startsWith('WorkloadEntry')));
    const warnings = [...translate(snapshot).verdicts].find(([{ kind }]) => kind === 'WorkspaceSetting')?.[1].warnings ?? [];
    assert.match(warnings.join('\n'), /east and west have the same region and zone/);
  });

  it('sends tier1 to the gateways of the named clusters as one destination without weights', () => {
    const wanted = wantedIn('central');
    const endpoints = at(wanted.get('ServiceEntry xcp-multicluster/global-gateway-kafka.example'), 'endpoints') as { address: string; ports: object; locality: string }[];
    assert.deepEqual(endpoints.map(({ address, ports, locality }) => [address, ports, locality]), [
      ['10.213.0.1', { http: 15443 }, 'us-east1/us-east1-a'], ['10.214.0.1', { http: 15443 }, 'us-west1/us-west1-a'],
    ]);
    const service = wanted.get('VirtualService edge/tier1-global');
    assert.deepEqual(at(service, 'http', 0, 'route'), [{ destination: { host: 'kafka.example', port: { number: 80 }, subset: 'east-west' } }]);
    assert.deepEqual(at(wanted.get('ServiceEntry xcp-multicluster/global-gateway-east.kafka.example'), 'endpoints', 'length'), 1);
  });

  it('makes a subset per cluster of weights, so that none of them fails over', () => {
    const objects = [...without('Gateway tier1'), tier1Gateway([{ name: 'east', weight: 50 }, { name: 'west', weight: 50 }])];
    const wanted = wantedIn('central', snapshotOf(objects));
    assert.deepEqual(at(wanted.get('VirtualService edge/tier1-global'), 'http', 0, 'route'), ['east', 'west'].map((subset) => (
      { destination: { host: 'kafka.example', port: { number: 80 }, subset }, weight: 50 })));
    assert.deepEqual(at(wanted.get('DestinationRule edge/kafka.example'), 'subsets', 0, 'labels'), { 'xcp.tetrate.io/cluster': 'east' });
  });

  it('takes a gateway without an address out of its clients\' endpoints', () => {
    const east = region('east', '10.213.0.1');
    const silent: ClusterFacts = { ...east, services: east.services.map((service) => ({ ...service, addresses: [] })) };
    const snapshot = snapshotOf(everything(), [central(), silent, region('west', '10.214.0.1')]);
    assert.deepEqual(at(wantedIn('central', snapshot).get('ServiceEntry xcp-multicluster/global-gateway-kafka.example'), 'endpoints', 'length'), 1);
    assert.ok(![...wantedIn('west', snapshot).keys()].some((name) => name.startsWith('WorkloadEntry')));
  });

  it('copies a DIRECT object without its revision to the clusters that its group owns', () => {
    const filter = tsb(['networking.istio.io/v1alpha3', 'EnvoyFilter', 'tuning'], { configPatches: [] }, {
      cluster: 'east', namespace: 'kafka-bridge', parents: { tenant: 'kafka', workspace: 'bridges', istioInternalGroup: 'bridges-east' },
    });
    const objects = [...everything(), group('istiointernal', 'bridges-east', 'bridges', 'east/kafka-bridge'), filter];
    assert.deepEqual(wantedIn('east', snapshotOf(objects)).get('EnvoyFilter kafka-bridge/tuning-tsb'), { configPatches: [] });
    assert.equal(wantedIn('west', snapshotOf(objects)).get('EnvoyFilter kafka-bridge/tuning-tsb'), undefined);
  });

  it('takes the seed\'s IngressGateway and Tier1Gateway like their unified forms', () => {
    const unified = everything();
    const seed = unified.map((object) => {
      const spec = object.spec as { http: { routing: { rules: { route: { serviceDestination?: object; clusterDestination?: { clusters: object[] } } }[] } }[] };
      if (object.kind !== 'Gateway') return object;
      if (object.metadata.name === 'tier1') return { ...object, kind: 'Tier1Gateway', spec: { ...spec, http: undefined, externalServers: spec.http.map(({ routing, ...server }) => ({ ...server, clusters: routing.rules[0]?.route.clusterDestination?.clusters })) } };
      const http = spec.http.map((server) => ({ ...server, routing: { rules: server.routing.rules.map((rule) => ({ ...rule, route: rule.route.serviceDestination })) } }));
      return { ...object, kind: 'IngressGateway', spec: { ...spec, http } };
    });
    const objectsOf = (objects: TsbObject[]) => translate(snapshotOf(objects)).wanted.map(({ object }) => object);
    assert.deepEqual(objectsOf(seed), objectsOf(unified));
  });

  it('gives the same answer whatever the order of the objects', () => {
    const specs = (objects: TsbObject[]) => translate(snapshotOf(objects)).wanted.map(({ cluster, object }) => JSON.stringify([cluster.name, object])).sort();
    assert.deepEqual(specs(everything().reverse()), specs(everything()));
  });

  it('orders endpoints by the serving workspace\'s failoverSettings', () => {
    const locality = (settings: object) => {
      const objects = everything().map((object) => (object.kind === 'WorkspaceSetting' ? { ...object, spec: bridgesSetting({ failoverSettings: settings }) } : object));
      const rule = wantedIn('east', snapshotOf(objects)).get('DestinationRule kafka-bridge/kafka-bridge-http.kafka-bridge.svc.cluster.local');
      return at(rule, 'trafficPolicy', 'loadBalancer', 'localityLbSetting');
    };
    assert.deepEqual(locality({ topologyChoice: 'NONE' }), { enabled: false });
    assert.deepEqual(locality({ topologyChoice: 'CLUSTER', regionalFailover: [{ from: 'us-east1', to: 'us-west1' }] }), { enabled: true, failover: [{ from: 'us-east1', to: 'us-west1' }] });
    assert.deepEqual(locality({ failoverPriority: ['failover.tetrate.io/domain'] }), { enabled: true, failoverPriority: ['failover.tetrate.io/domain'] });
    assert.deepEqual(at(locality({}), 'failoverPriority', 0), 'topology.kubernetes.io/region');
  });
});
