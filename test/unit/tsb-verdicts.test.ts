import assert from 'node:assert/strict';
import type { TsbObject } from '../../sandbox/operators/tsb/model.ts';
import { tsbDefinitions } from '../../sandbox/operators/tsb/crds.ts';
import { translate } from '../../sandbox/operators/tsb/translate/index.ts';
import { everything, group, region, central, regionGateway, snapshotOf, tier1Gateway, tsb } from './tsb-fixtures.ts';

function verdictOf(name: string, objects: TsbObject[]) {
  const found = [...translate(snapshotOf(objects)).verdicts].filter(([{ kind, metadata }]) => `${kind} ${metadata.name}` === name).at(-1);
  assert.ok(found, `${name} has a verdict`);
  return found[1];
}

function refuses(name: string, objects: TsbObject[], message: RegExp): void {
  const verdict = verdictOf(name, objects);
  assert.equal(verdict.state, 'FAILED');
  assert.match(verdict.message, message);
}

function without(name: string): TsbObject[] {
  return everything().filter(({ kind, metadata }) => `${kind} ${metadata.name}` !== name);
}

function changed(name: string, change: (spec: never) => object): TsbObject[] {
  return everything().map((object) => (`${object.kind} ${object.metadata.name}` === name ? { ...object, spec: change(object.spec as never) } : object));
}

const gateway = (http: object[], more: object = {}) => changed('Gateway tier1', (spec: object) => ({ ...spec, ...more, http }));
const server = (more: object = {}) => ({ name: 'global', hostname: 'kafka.example', routing: { rules: [{ route: { clusterDestination: {} } }] }, ...more });
const rules = (...of: object[]) => ({ routing: { rules: of } });

describe('verdicts on TSB objects', () => {
  it('accepts everything of a whole configuration', () => {
    const states = new Set([...translate(snapshotOf()).verdicts.values()].map(({ state }) => state));
    assert.deepEqual([...states], ['ACCEPTED']);
  });

  it('refuses an object whose parents are missing, down to the last child', () => {
    refuses('Workspace bridges', without('Tenant kafka'), /tenant "kafka" does not exist \(or was refused\) under tetrate; apply it first/);
    refuses('Gateway kafka-bridge-gateway', without('Tenant kafka'), /tenant "kafka" does not exist/);
    refuses('Gateway tier1', without('Group edge'), /gatewayGroup "edge" does not exist \(or was refused\) under tetrate\/tenant\/kafka\/workspace\/edge/);
  });

  it('refuses an object without its annotations, and an organization that nobody onboarded', () => {
    const bare = tsb(['tsb.tetrate.io/v2', 'Workspace', 'bare'], { namespaceSelector: { names: ['east/x'] } }, { parents: {} });
    refuses('Workspace bare', [...everything(), bare], /annotation tsb\.tetrate\.io\/tenant is missing/);
    const foreign = { ...bare, metadata: { ...bare.metadata, annotations: { 'tsb.tetrate.io/organization': 'acme', 'tsb.tetrate.io/tenant': 'kafka' } } };
    refuses('Workspace bare', [...everything(), foreign], /organization "acme" is not known; known: tetrate/);
  });

  it('refuses a group outside of its workspace, and groups that share a namespace', () => {
    refuses('Group stray', [...everything(), group('gateway', 'stray', 'edge', 'east/kafka-bridge')], /"east\/kafka-bridge" is not in workspace "edge", which has central\/edge/);
    refuses('Group zz', [...everything(), group('gateway', 'zz', 'bridges', '*/kafka-bridge')], /already belongs to group "bridges-east"/);
  });

  it('refuses a gateway whose selector is not its group\'s', () => {
    refuses('Gateway tier1', gateway([server()], { workloadSelector: { namespace: 'other', labels: { app: 'tier1' } } }), /workloadSelector\.namespace "other" is not in group "edge", which has central\/edge/);
    refuses('Gateway tier1', gateway([server()], { workloadSelector: { namespace: 'edge', labels: {} } }), /labels is empty/);
  });

  it('refuses a second gateway object for the same workloads, and the same object from a second cluster', () => {
    const second = tier1Gateway();
    refuses('Gateway zz', [...everything(), { ...second, metadata: { ...second.metadata, name: 'zz' } }], /Gateway "tier1" already configures the workloads app=tier1 of namespace edge/);
    refuses('Gateway tier1', [...everything(), { ...second, cluster: 'west' }], /already applied in cluster central/);
  });

  it('refuses what a server may not say', () => {
    refuses('Gateway tier1', gateway([server(), server({ hostname: 'other' })]), /the name is not unique/);
    refuses('Gateway tier1', gateway([server({ port: 15443 })]), /port 15443 is kept for traffic between clusters/);
    refuses('Gateway tier1', gateway([server({ tls: { mode: 'SIMPLE' } })]), /tls\.secretName is missing/);
    refuses('Gateway tier1', gateway([server({ tls: { mode: 'SIMPLE', secretName: 'other/tls' } })]), /tls\.secretName "other\/tls": .* the gateway's own namespace only/);
    refuses('Gateway tier1', gateway([server({ tls: { mode: 'MUTUAL', secretName: 'tls' } })]), /tls\.mode MUTUAL is not honoured/);
    refuses('Gateway tier1', gateway([server(rules({ route: { clusterDestination: {} }, redirect: { uri: '/' } }))]), /rule 0: needs exactly one of route, redirect, directResponse/);
    refuses('Gateway tier1', gateway([server(rules({ route: { clusterDestination: { clusters: [{ name: 'east', weight: 1 }, { name: 'west' }] } } }))]), /give all of them a weight, or none/);
    refuses('Gateway tier1', gateway([server(rules({ route: { clusterDestination: { clusters: [{ name: 'mars' }] } } }))]), /no onboarded cluster is named "mars"; onboarded: central, east, west/);
    refuses('Gateway tier1', gateway([server(rules({ route: { serviceDestination: { host: 'kafka-bridge/x.kafka-bridge.svc.cluster.local' } } }))]), /namespace "kafka-bridge" of serviceDestination is not in workspace "edge"/);
  });

  it('refuses retry conditions that are not on TSB\'s list', () => {
    const objects = changed('WorkspaceSetting bridges', (spec: object) => ({
      ...spec, defaultTrafficSetting: { outbound: { upstreamTrafficSettings: [{ hosts: ['*'], settings: { resilience: { connectionPool: { http: { retries: { attempts: 2, retryOn: 'connect-failure,reset-before-request' } } } } } }] } },
    }));
    refuses('WorkspaceSetting bridges', objects, /retryOn: "reset-before-request" is not one of/);
  });

  it('takes EnvoyFilters alone of Istio’s objects, in an internal group, which has no field for a mode', () => {
    const inGroup = (kind: string) => tsb(['networking.istio.io/v1alpha3', kind, 'tuning'], {}, { namespace: 'edge', parents: { tenant: 'kafka', workspace: 'edge', istioInternalGroup: 'inner' } });
    const inner = group('istiointernal', 'inner', 'edge', 'central/edge');
    assert.deepEqual(verdictOf('EnvoyFilter tuning', [...everything(), inner, inGroup('EnvoyFilter')]), { state: 'ACCEPTED', message: 'translated', warnings: [] });
    refuses('VirtualService tuning', [...everything(), inner, inGroup('VirtualService')], /this stand-in copies EnvoyFilter only, not VirtualService/);
    const moded = { ...inner, spec: { ...inner.spec as object, configMode: 'DIRECT' } };
    assert.deepEqual(verdictOf('Group inner', [...everything(), moded]).warnings, ['spec.configMode is not honoured by this stand-in']);
    const definition = tsbDefinitions().find((each) => (each as { metadata: { name: string } }).metadata.name === 'groups.istiointernal.tsb.tetrate.io');
    assert.ok(definition !== undefined && !JSON.stringify(definition).includes('configMode'));
  });

  it('refuses a second setting of an organization, whatever its name', () => {
    const setting = (name: string, organization = 'tetrate') => tsb(['tsb.tetrate.io/v2', 'OrganizationSetting', name], {}, { parents: { organization } });
    refuses('OrganizationSetting tetrate', [...everything(), setting('default'), setting('tetrate')], /^organization "tetrate" already has the setting "default"$/);
    const acme = tsb(['tsb.tetrate.io/v2', 'Cluster', 'far'], {}, { parents: { organization: 'acme' } });
    assert.equal(verdictOf('OrganizationSetting tetrate', [...everything(), acme, setting('default', 'acme'), setting('tetrate')]).state, 'ACCEPTED');
  });

  it('names the fields that it does not honour', () => {
    const objects = gateway([server({ rateLimiting: { settings: {} }, routing: { rules: [{ route: { clusterDestination: {} }, extensions: { lua: {} } }] } })], { waf: {} });
    const { state, warnings } = verdictOf('Gateway tier1', objects);
    assert.equal(state, 'ACCEPTED');
    assert.deepEqual([...warnings].sort(), ['spec.http.rateLimiting', 'spec.http.routing.rules.extensions', 'spec.waf'].map((path) => `${path} is not honoured by this stand-in`));
  });

  it('warns of services and gateways that are not there yet', () => {
    const east = region('east', '10.213.0.1');
    const { verdicts } = translate(snapshotOf(everything(), [central(), { ...east, services: [] }, region('west', '10.214.0.1')]));
    const [, verdict] = [...verdicts].find(([{ kind, cluster }]) => kind === 'Gateway' && cluster === 'east') ?? [];
    assert.equal(verdict?.state, 'ACCEPTED');
    assert.ok(verdict.warnings.some((warning) => warning.includes('Service kafka-bridge-http.kafka-bridge.svc.cluster.local does not exist in east')), verdict.warnings.join('\n'));
    assert.ok(verdict.warnings.some((warning) => warning.includes('no gateway with labels')));
    assert.equal(regionGateway('east').kind, 'Gateway');
  });
});
