import assert from 'node:assert/strict';

import type { ClusterFacts, TsbObject } from '../../sandbox/operators/tsb/model.ts';
import { onboardingLabel } from '../../sandbox/operators/tsb/hierarchy.ts';
import { translate } from '../../sandbox/operators/tsb/translate/index.ts';
import { central, group, region as facts, tsb } from './tsb-fixtures.ts';
import { balancedAt, type Changes, operators, recordTopology, region } from './topology-fixtures.ts';

/** What the program can be asked for, as the stand-in takes it: what it said, and what it wants in a cluster. */
interface Outcome {
  /** Everything that is not plain acceptance: `Kind name: text`. */
  readonly said: string[];
  readonly wanted: (cluster: string, kind: string, name: string) => Record<string, unknown>;
  readonly names: (cluster: string, kind: string) => string[];
}

const regions = (more: (name: string) => object = () => ({})) => ['east', 'west'].map((name) => region(name, { tsbCluster: name, locality: { region: `us-${name}1` }, ...more(name) }));

async function outcome(changes: Changes, { more = [], clusters = everywhere(), answers = operators }: { more?: TsbObject[]; clusters?: ClusterFacts[]; answers?: typeof operators } = {}): Promise<Outcome> {
  const { resources } = await recordTopology({ regions: regions(), ...changes }, answers);
  const objects = [
    ...['central', 'east', 'west'].map(onboarded),
    ...resources.filter(({ inputs }) => /tetrate\.io|istio\.io/.test(String(inputs['apiVersion']))).map(({ inputs, provider }) => ({ spec: {}, ...inputs, cluster: provider }) as unknown as TsbObject),
    ...more,
  ];
  const { wanted, verdicts } = translate({ objects, clusters });
  const inCluster = (name: string, kind: string) => wanted.filter(({ cluster, object }) => cluster.name === name && object.kind === kind).map(({ object }) => object);
  return {
    said: [...verdicts].flatMap(([{ kind, metadata }, { state, message, warnings }]) => (state === 'ACCEPTED' ? warnings : [`${state} ${message}`]).map((text) => `${kind} ${metadata.name}: ${text}`)),
    wanted: (cluster, kind, name) => {
      const found = inCluster(cluster, kind).find(({ metadata }) => metadata.name === name);
      assert.ok(found, `${kind} ${name} in ${cluster}: ${inCluster(cluster, kind).map(({ metadata }) => metadata.name).join(', ')}`);
      return found as unknown as Record<string, unknown>;
    },
    names: (cluster, kind) => inCluster(cluster, kind).map(({ metadata }) => metadata.name),
  };
}

function onboarded(name: string): TsbObject {
  const object = tsb(['tsb.tetrate.io/v2', 'Cluster', name], { displayName: name }, { namespace: 'tsb', parents: {} });
  return { ...object, metadata: { ...object.metadata, labels: onboardingLabel } };
}

function everywhere(network: (name: string) => string = () => ''): ClusterFacts[] {
  return [central(), facts('east', '10.213.0.1'), facts('west', '10.214.0.1')].map((cluster) => ({ ...cluster, network: network(cluster.name) }));
}

const spec = (object: Record<string, unknown>) => object['spec'] as Record<string, unknown>;
const json = (value: unknown) => JSON.stringify(value);

describe('what the program can be asked for, on the stand-in', () => {
  it('weights make a subset of each cluster, which no failover leaves', async () => {
    const { said, wanted } = await outcome({ tier1: { mode: 'weighted', weights: { east: 70, west: 30 } } });
    assert.deepEqual(said, []);
    const [route] = (spec(wanted('central', 'VirtualService', 'tier1-global'))['http'] as { route: { destination: { subset: string }; weight: number }[] }[]);
    assert.deepEqual(route?.route.map(({ destination, weight }) => [destination.subset, weight]), [['east', 70], ['west', 30]]);
  });

  it('the deprecated kinds do the same as the unified one', async () => {
    const { said, wanted, names } = await outcome({ tsb: { api: 'tier1gateway' } });
    assert.deepEqual(said, []);
    const unified = await outcome({});
    const routes = (found: Outcome, name: string) => json((spec(found.wanted('east', 'VirtualService', name))['http'] as { route: unknown; timeout: unknown; headers: unknown; retries: unknown }[]).map(({ route, timeout, headers, retries }) => ({ route, timeout, headers, retries })));
    assert.equal(routes({ said, wanted, names }, 'kafka-bridge-gateway-east-bridge-example'), routes(unified, 'kafka-bridge-gateway-global'), 'bounds of requests included');
    assert.deepEqual(names('central', 'Deployment'), ['tier1']);
    const [tier1Route] = spec(wanted('central', 'VirtualService', 'tier1-bridge-example'))['http'] as { timeout: string; route: unknown[] }[];
    assert.deepEqual([tier1Route?.timeout, tier1Route?.route.length], ['31s', 1], 'one destination of both clusters');
  });

  it('a region that is to be first is ranked first by its gateway’s label', async () => {
    const labelled = everywhere().map((cluster) => ({ ...cluster, services: cluster.services.map((service) => (service.labels['istio'] === undefined ? service : { ...service, labels: { ...service.labels, 'failover.tetrate.io/region': cluster.name } })) }));
    const { said, wanted } = await outcome({ tier1: { active: { first: 'west' } } }, { clusters: labelled });
    assert.deepEqual(said, []);
    assert.match(json(wanted('central', 'DestinationRule', 'bridge.example')), /"localityLbSetting":\{"enabled":true,"failoverPriority":\["failover\.tetrate\.io\/region=west"\]\}/);
    assert.match(json(wanted('central', 'ServiceEntry', 'global-gateway-bridge.example')), /"address":"10\.214\.0\.1".*"failover\.tetrate\.io\/region":"west"/);
    assert.equal((wanted('east', 'Service', 'kafka-bridge-gateway')['metadata'] as { labels: Record<string, string> }).labels['failover.tetrate.io/region'], 'east');
  });

  it('none is ranked where all are to serve', async () => {
    const { wanted } = await outcome({});
    assert.match(json(wanted('central', 'DestinationRule', 'bridge.example')), /"localityLbSetting":\{"enabled":false\}/);
  });

  it('TLS ends at tier1 with the certificate that istiod takes from the Secret, which the gateway may read', async () => {
    const { said, wanted } = await outcome({ tier1: { tls: { source: 'self-signed' } } });
    assert.deepEqual(said, []);
    const servers = spec(wanted('central', 'Gateway', 'tier1'))['servers'] as { port: { number: number; name: string; protocol: string }; tls?: unknown }[];
    assert.deepEqual(servers[0], { port: { number: 443, name: 'https-global', protocol: 'HTTPS' }, tls: { mode: 'SIMPLE', credentialName: 'tier1-tls' }, hosts: ['*/bridge.example'] });
    assert.ok(servers.every(({ port, tls }) => port.number === 443 && tls !== undefined));
    assert.deepEqual(wanted('central', 'Role', 'tier1-sds')['rules'], [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }]);
    assert.deepEqual(wanted('central', 'RoleBinding', 'tier1-sds')['subjects'], [{ kind: 'ServiceAccount', name: 'tier1-service-account', namespace: 'edge' }]);
    const region = spec(wanted('east', 'Gateway', 'kafka-bridge-gateway'))['servers'] as { port: { number: number; protocol: string } }[];
    assert.ok(region.every(({ port }) => port.protocol === 'HTTP'), 'hops stay plain here');
  });

  it('without EnvoyFilters rules mark answers, and ejections are longer', async () => {
    const { said, wanted, names } = await outcome({ tsb: { envoyFilters: 'none' } });
    assert.deepEqual(said, []);
    assert.ok(names('east', 'EnvoyFilter').every((name) => name.endsWith('-outlier-detection')), 'only the stand-in’s own');
    assert.match(json(wanted('east', 'VirtualService', 'kafka-bridge-gateway-global')), /"response":\{"set":\{"x-kbf-gateway":"east","x-kbf-upstream":"%UPSTREAM_HOST%"\}\}/);
    assert.match(json(wanted('east', 'DestinationRule', 'kafka-bridge-http.kafka-bridge.svc.cluster.local')), /"baseEjectionTime":"10s"/);
  });

  it('TSB’s own settings replay requests and eject after ten errors', async () => {
    const { said, wanted } = await outcome({ tier1: { retries: 'tsb-default' } });
    assert.deepEqual(said, []);
    assert.match(json(wanted('east', 'VirtualService', 'kafka-bridge-gateway-global')), /"attempts":2,"retryOn":"reset,connect-failure,[^"]*503"/);
    assert.match(json(wanted('central', 'DestinationRule', 'bridge.example')), /"consecutiveGatewayErrors":10/);
    const told = /"response":\{"add":\{"x-envoy-attempt-count":"%UPSTREAM_REQUEST_ATTEMPT_COUNT%"\}\}/g;
    for (const [cluster, routes] of [['east', 'kafka-bridge-gateway-global'], ['central', 'tier1-global']] as const) {
      assert.equal(json(wanted(cluster, 'VirtualService', routes)).match(told)?.length, 2, `${cluster}: of consumers and of everything else`);
    }
  });

  it('one group for all regions sends each gateway’s routes to every cluster, where only its own pods take them', async () => {
    const clusters = everywhere().map((cluster) => ({ ...cluster, services: cluster.services.map((service) => (service.name === 'kafka-bridge-gateway' ? { ...service, name: `${cluster.name}-ig`, labels: { app: `${cluster.name}-ig`, istio: 'ingressgateway' } } : service)) }));
    const { said, names } = await outcome({ tsb: { envoyFilters: 'none', groups: { bridges: 'kafka-bridges-gwg' } }, regions: regions((name) => ({ gateway: { name: `${name}-ig` } })) }, { clusters });
    assert.deepEqual(said.sort(), ['east', 'west'].map((name) => `Gateway ${name}-ig: no gateway with labels {"app":"${name}-ig"} is installed in namespace kafka-bridge of ${name === 'east' ? 'west' : 'east'}`));
    assert.deepEqual(names('east', 'WorkloadEntry').length, 1, 'the peer is reached by the label that all gateways have');
  });

  it('what exists is stood on', async () => {
    const existing = [tsb(['tsb.tetrate.io/v2', 'Tenant', 'platform'], {}, { parents: {} }), inTenant('Workspace', 'ws-b', { namespaceSelector: { names: ['*/kafka-bridge'] } }), inTenant('Workspace', 'ws-e', { namespaceSelector: { names: ['central/edge'] } }),
      { ...group('gateway', 'g-edge', 'ws-e', 'central/edge') }].map((object) => ({ ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...(object.kind === 'Group' ? { 'tsb.tetrate.io/tenant': 'platform' } : {}) } } }));
    const { said } = await outcome({ tsb: { tenant: { existing: 'platform' }, workspaces: { bridges: { existing: 'ws-b' }, edge: { existing: 'ws-e' } }, settings: { bridges: 'ws-b', edge: 'ws-e' }, groups: { existing: { edge: 'g-edge' } } } }, { more: existing });
    assert.deepEqual(said, []);
    const missing = await outcome({ tsb: { tenant: { existing: 'nobody' }, workspaces: { bridges: { existing: 'ws-b' }, edge: { existing: 'ws-e' } }, settings: { bridges: 'ws-b', edge: 'ws-e' } } });
    assert.ok(missing.said.some((text) => /FAILED tenant "nobody" does not exist/.test(text)));
  });

  it('what a gateway is asked for beside its type is done or said', async () => {
    const { said, wanted } = await outcome({ regions: regions((name) => (name === 'east' ? { gateway: { replicas: 3, service: { address: '10.9.0.1', annotations: { mine: 'yes' } } } } : {})) }, { answers: balancedAt('10.9.0.1') });
    assert.deepEqual(said, ['Gateway kafka-bridge-gateway: spec.kubeSpec.deployment.hpaSpec.maxReplicas is not honoured by this stand-in']);
    assert.equal(spec(wanted('east', 'Deployment', 'kafka-bridge-gateway'))['replicas'], 3);
    assert.equal(spec(wanted('east', 'Service', 'kafka-bridge-gateway'))['loadBalancerIP'], '10.9.0.1');
    assert.equal((wanted('east', 'Service', 'kafka-bridge-gateway')['metadata'] as { annotations: Record<string, string> }).annotations['mine'], 'yes');
  });
});

describe('networks on the stand-in', () => {
  const setup = (reachability: Record<string, string[]>) => ({ tsb: { setup: { networks: { central: 'tier1', east: 'tier2', west: 'tier2' }, reachability } } });
  /** What the program refuses to be asked for, somebody else may have asked of TSB. */
  const elsewhere = (networkReachability: Record<string, string>): TsbObject[] => [tsb(['tsb.tetrate.io/v2', 'OrganizationSetting', 'others'], { networkSettings: { networkReachability } }, { parents: {} })];
  const networks = everywhere((name) => (name === 'central' ? 'tier1' : 'tier2'));

  it('are a person’s objects in the place of those that onboarding left', async () => {
    const { said, names } = await outcome(setup({ tier1: ['tier2'] }), { clusters: networks });
    assert.deepEqual(said, []);
    assert.ok(names('central', 'ServiceEntry').includes('global-gateway-bridge.example'));
  });

  it('are said to be out of reach where nothing lets them be reached, and then get nothing', async () => {
    const { said, names } = await outcome({}, { clusters: networks, more: elsewhere({ tier2: 'tier1' }) });
    assert.deepEqual(names('central', 'ServiceEntry'), [], 'reachability is one-way');
    assert.ok(said.includes('Gateway tier1: network "tier2" of east cannot be reached from network "tier1" of central (networkReachability of the OrganizationSetting): its gateway does not get requests for "bridge.example"'), said.join('\n'));
  });

  it('keep peers apart as well', async () => {
    const apart = everywhere((name) => name);
    const { said, names } = await outcome({}, { clusters: apart, more: elsewhere({ central: 'east,west', east: 'west' }) });
    assert.deepEqual([names('east', 'WorkloadEntry').length, names('west', 'WorkloadEntry').length], [1, 0]);
    assert.ok(said.some((text) => /^WorkspaceSetting bridges: network "east" of east cannot be reached from network "west" of west .* does not fail over there$/.test(text)), said.join('\n'));
  });

  it('belong to the organization that onboarded the clusters', async () => {
    const foreign = tsb(['tsb.tetrate.io/v2', 'Cluster', 'east'], { network: 'mine' }, { parents: {} });
    const { said } = await outcome({}, { more: [{ ...foreign, metadata: { ...foreign.metadata, annotations: { 'tsb.tetrate.io/organization': 'acme' } } }] });
    assert.deepEqual(said, ['Cluster east: FAILED organization "acme" is not known; known: tetrate']);
  });
});

function inTenant(kind: string, name: string, content: object): TsbObject {
  return tsb(['tsb.tetrate.io/v2', kind, name], content, { parents: { tenant: 'platform' } });
}
