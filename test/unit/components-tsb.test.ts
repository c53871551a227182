import assert from 'node:assert/strict';
import { join } from 'node:path';

import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import type { SkippedRegions } from '../../components/skipped.ts';
import { tsbClusterName } from '../../components/tsb-cluster.ts';
import { tsbClusterNames } from '../../components/tsb-clusters.ts';
import { TsbWorkspace } from '../../components/tsb-workspace.ts';
import { configurationFiles } from './configuration-fixtures.ts';
import { answeringCluster, record, type Recording } from './pulumi-mocks.ts';
import { type Changes, configuration, operators, recordTopology, region } from './topology-fixtures.ts';

describe('TSB’s hierarchy', () => {
  it('leaves what exists as it is, and stands on it by name', async () => {
    const recording = await recordTopology({
      tsb: {
        tenant: { existing: 'platform' }, workspaces: { bridges: { existing: 'ws-b' }, edge: { existing: 'ws-e' } }, settings: { bridges: 'ws-b', edge: { existing: 'theirs' } },
        groups: { existing: { edge: 'g-edge', regions: { east: 'g-east' } } },
      },
    });
    assert.deepEqual(recording.childrenOf('TsbWorkspace'), [
      'Namespace tsb-namespace',
      'gateway.tsb.tetrate.io/v2:Group tsb-gateways-bridges-west',
      'istiointernal.tsb.tetrate.io/v2:Group tsb-istio-bridges-east',
      'istiointernal.tsb.tetrate.io/v2:Group tsb-istio-bridges-west',
      'istiointernal.tsb.tetrate.io/v2:Group tsb-istio-edge',
      'tsb.tetrate.io/v2:WorkspaceSetting tsb-setting-bridges',
    ]);
    const annotations = (name: string) => (recording.inputsOf('gateway.tsb.tetrate.io/v2:Gateway', name) as { metadata: { annotations: Record<string, string> } }).metadata.annotations;
    const parents = (workspace: string, group: string) => ({
      'tsb.tetrate.io/organization': 'tetrate', 'tsb.tetrate.io/tenant': 'platform', 'tsb.tetrate.io/workspace': workspace, 'tsb.tetrate.io/gatewayGroup': group,
    });
    assert.deepEqual(annotations('east-routes'), parents('ws-b', 'g-east'));
    assert.deepEqual(annotations('west-routes'), parents('ws-b', 'bridges-west'));
    assert.deepEqual(annotations('tier1-routes'), parents('ws-e', 'g-edge'));
    assert.deepEqual((recording.outputsOf('tsb') as { groups: string[] }).groups, ['g-east', 'bridges-west', 'g-edge']);
  });

  it('puts EnvoyFilters into groups that exist, and then makes none', async () => {
    const existing = { edge: 'g-edge', regions: { east: 'g-east', west: 'g-west' }, internal: { edge: 'i-edge', regions: { east: 'i-east', west: 'i-west' } } };
    const recording = await recordTopology({ tsb: { tenant: { existing: 'platform' }, workspaces: { bridges: { existing: 'ws-b' }, edge: { existing: 'ws-e' } }, settings: { bridges: 'ws-b', edge: 'ws-e' }, groups: { existing } } });
    assert.deepEqual(recording.childrenOf('TsbWorkspace').filter((child) => child.includes('Group')), []);
    const metadataOf = (name: string) => (recording.inputsOf('networking.istio.io/v1alpha3:EnvoyFilter', name) as { metadata: { annotations: Record<string, string>; labels: object } }).metadata;
    const all = ['east-filter', 'east-filter-sidecars', 'west-filter', 'tier1-filter'].map(metadataOf);
    assert.deepEqual(all.map(({ annotations }) => annotations['tsb.tetrate.io/istioInternalGroup']), ['i-east', 'i-east', 'i-west', 'i-edge']);
    for (const { labels } of all) assert.deepEqual(labels, { 'istio.io/rev': 'tsb' }, 'what istiod leaves to TSB');
  });

  it('has the walk-through’s names where they are asked for, one group for all regions and no filters', async () => {
    const names = (name: string) => region(name, { gateway: { name: `${name}-ig`, routes: `${name}-ig-config` } });
    const recording = await recordTopology({
      tsb: {
        envoyFilters: 'none', workspaces: { bridges: 'kafka-bridges', edge: 'tier1' }, settings: { bridges: 'kafka-bridge-workspace-settings' }, groups: { bridges: 'kafka-bridges-gwg', edge: 'tier1-gwg' },
      },
      regions: [names('east'), names('west')],
    });
    assert.deepEqual(recording.childrenOf('TsbWorkspace').filter((child) => child.includes('Group')), [
      'gateway.tsb.tetrate.io/v2:Group tsb-gateways-kafka-bridges-gwg', 'gateway.tsb.tetrate.io/v2:Group tsb-gateways-tier1-gwg',
    ]);
    assert.deepEqual(specOf(recording, 'gateway.tsb.tetrate.io/v2:Group', 'tsb-gateways-kafka-bridges-gwg'), { namespaceSelector: { names: ['tsb-east/kafka-bridge', 'tsb-west/kafka-bridge'] }, configMode: 'BRIDGED' });
    const { metadata, spec } = recording.inputsOf('tsb.tetrate.io/v2:WorkspaceSetting', 'tsb-setting-bridges') as { metadata: { name: string }; spec: { defaultEastWestGatewaySettings: { workloadSelector: unknown }[] } };
    assert.equal(metadata.name, 'kafka-bridge-workspace-settings');
    assert.deepEqual(spec.defaultEastWestGatewaySettings.map(({ workloadSelector }) => workloadSelector), [{ namespace: 'kafka-bridge', labels: { istio: 'ingressgateway' } }], 'gateways of two names are told by the label that all have');
    const routes = recording.inputsOf('gateway.tsb.tetrate.io/v2:Gateway', 'east-routes') as { metadata: { name: string } };
    assert.equal(routes.metadata.name, 'east-ig-config');
  });

  it('has in one group for all regions only those without one that exists', async () => {
    const grouped = (regions: Record<string, string>) => recordTopology({
      tsb: { envoyFilters: 'none', tenant: { existing: 'platform' }, workspaces: { bridges: { existing: 'ws-b' } }, settings: { bridges: 'ws-b' }, groups: { bridges: 'all', existing: { regions } } },
      regions: ['east', 'west'].map((name) => region(name, { gateway: { name: `${name}-gw` } })),
    });
    const some = await grouped({ east: 'g-east' });
    assert.deepEqual(specOf(some, 'gateway.tsb.tetrate.io/v2:Group', 'tsb-gateways-all'), { namespaceSelector: { names: ['tsb-west/kafka-bridge'] }, configMode: 'BRIDGED' });
    assert.deepEqual((some.outputsOf('tsb') as { groups: string[] }).groups, ['g-east', 'all', 'edge']);
    const every = await grouped({ east: 'g-east', west: 'g-west' });
    assert.deepEqual(every.childrenOf('TsbWorkspace').filter((child) => child.includes('Group')), ['gateway.tsb.tetrate.io/v2:Group tsb-gateways-edge']);
  });

  for (const workspace of ['ws-b', { existing: 'ws-b' }]) {
    it(`takes no region away before that may be, in a workspace ${typeof workspace === 'string' ? 'of its own' : 'that exists'}`, async () => {
      const { tsb, bridge, tier1 } = configuration({ tsb: { tenant: { existing: 'platform' }, workspaces: { bridges: workspace }, settings: { bridges: 'set' }, groups: { bridges: 'all' } }, regions: ['east', 'west'].map((name) => region(name, { gateway: { name: `${name}-gw` } })) });
      const left = Promise.withResolvers<pulumi.Resource[]>();
      const { resources } = await record(() => {
        const cluster = answeringCluster(operators)('central');
        const regions = ['east', 'west'].map((name) => ({ name, tsbCluster: `tsb-${name}`, gateway: `${name}-gw` }));
        const made = new TsbWorkspace('tsb', { cluster, tsb, givenNamespace: false, bridge, regions, edge: { tsbCluster: 'central', namespace: 'edge' }, retries: tier1.retries, after: left.promise });
        // Of which tier1's routes are, that forget the region.
        pulumi.output(made.edge.gatewayGroup).apply(() => new k8s.core.v1.ConfigMap('forgotten', {}, { provider: cluster.provider }).id.apply(() => { left.resolve([]); }));
      });
      const names = resources.map(({ name }) => name);
      const after = names.slice(names.indexOf('forgotten') + 1).filter((name) => ['tsb-workspace-bridges', 'tsb-gateways-all', 'tsb-setting-bridges'].includes(name));
      assert.deepEqual(after.sort(), ['tsb-gateways-all', 'tsb-setting-bridges', ...(typeof workspace === 'string' ? ['tsb-workspace-bridges'] : [])]);
    });
  }

  it('sets up networks and what they reach only where that is asked for', async () => {
    const recording = await recordTopology({ tsb: { setup: { networks: { 'tsb-east': 'tier2', 'tsb-west': 'tier2', central: 'tier1' }, reachability: { tier1: ['tier2', 'tier2'] } } } });
    assert.deepEqual(recording.childrenOf('TsbWorkspace').filter((child) => /Cluster|OrganizationSetting/.test(child)), [
      'tsb.tetrate.io/v2:Cluster tsb-cluster-central', 'tsb.tetrate.io/v2:Cluster tsb-cluster-tsb-east', 'tsb.tetrate.io/v2:Cluster tsb-cluster-tsb-west',
      'tsb.tetrate.io/v2:OrganizationSetting tsb-organization',
    ]);
    assert.deepEqual(specOf(recording, 'tsb.tetrate.io/v2:Cluster', 'tsb-cluster-tsb-east'), { network: 'tier2' });
    for (const [kind, name] of [['Cluster', 'tsb-cluster-central'], ['OrganizationSetting', 'tsb-organization']] as const) {
      const { annotations } = recording.inputsOf(`tsb.tetrate.io/v2:${kind}`, name)['metadata'] as { annotations: object };
      assert.deepEqual(annotations, { 'tsb.tetrate.io/organization': 'tetrate', 'pulumi.com/patchForce': 'true' });
    }
    assert.deepEqual(specOf(recording, 'tsb.tetrate.io/v2:OrganizationSetting', 'tsb-organization'), { networkSettings: { networkReachability: { tier1: 'tier2,tier2' } } });
  });

  it('writes to the one setting of the organization by the name that it has', async () => {
    const named = async (more: object): Promise<unknown> => {
      const recording = await recordTopology({ tsb: { setup: { networks: { 'tsb-east': 'tier2', 'tsb-west': 'tier2', central: 'tier1' }, reachability: { tier1: ['tier2'] }, ...more } } });
      return (recording.inputsOf('tsb.tetrate.io/v2:OrganizationSetting', 'tsb-organization')['metadata'] as { name: string }).name;
    };
    assert.deepEqual([await named({}), await named({ organizationSetting: 'theirs' })], ['tetrate', 'theirs']);
  });

  it('has no mode in its Istio internal groups, which are always DIRECT', async () => {
    assert.deepEqual(specOf(await recordTopology(), 'istiointernal.tsb.tetrate.io/v2:Group', 'tsb-istio-edge'), { namespaceSelector: { names: ['central/edge'] } });
  });

  it('leaves the objects behind that are not only its own, with the namespace that they are in', async () => {
    const staying = async (tsb: object, givenNamespace = false): Promise<string[]> => {
      const names: string[] = [];
      const { tsb: settings, bridge, tier1 } = configuration({ tsb });
      const note: pulumi.ResourceTransformation = ({ name, opts }) => {
        if ((opts as pulumi.CustomResourceOptions).retainOnDelete === true) names.push(name);
        return undefined;
      };
      await record(() => {
        const args = { cluster: answeringCluster(operators)('central'), tsb: settings, givenNamespace, bridge, regions: [], edge: { tsbCluster: 'central', namespace: 'edge' }, retries: tier1.retries };
        return new TsbWorkspace('tsb', args, { transformations: [note] });
      });
      return names.sort();
    };
    const setup = { networks: { 'tsb-east': 'tier2', 'tsb-west': 'tier2', central: 'tier1' }, reachability: { tier1: ['tier2'] } };
    assert.deepEqual(await staying({ setup }), ['tsb-cluster-central', 'tsb-cluster-tsb-east', 'tsb-cluster-tsb-west', 'tsb-namespace', 'tsb-organization']);
    assert.deepEqual(await staying({ setup }, true), ['tsb-cluster-central', 'tsb-cluster-tsb-east', 'tsb-cluster-tsb-west', 'tsb-organization']);
    assert.deepEqual(await staying({}), []);
  });

  it('calls clusters what their control planes say where nothing is configured', async () => {
    const recording = await recordTopology(
      { regions: ['east', 'west'].map((name) => ({ name, context: name })), tier1: { context: 'central', tsbCluster: undefined } },
      (reference, context) => (reference.kind === 'ControlPlane' ? controlPlane(`gke-${context}-1`) : operators(reference)),
    );
    assert.deepEqual(specOf(recording, 'tsb.tetrate.io/v2:Workspace', 'tsb-workspace-bridges'), { namespaceSelector: { names: ['gke-east-1/kafka-bridge', 'gke-west-1/kafka-bridge'] } });
    assert.deepEqual(specOf(recording, 'tsb.tetrate.io/v2:Workspace', 'tsb-workspace-edge'), { namespaceSelector: { names: ['gke-central-1/edge'] } });
    assert.equal((recording.outputsOf('west') as { tsbCluster: string }).tsbCluster, 'gke-west-1');
  });

  it('begins when all names are known and found to fit', async () => {
    const authority = Promise.withResolvers<undefined>();
    const { resources } = await recordTopology({}, (reference) => {
      if (reference.kind === 'ControlPlane') return authority.promise as unknown as undefined;
      // Of which bridges need the certificate, so that it is read once there is a Certificate.
      if (reference.kind === 'Secret') authority.resolve(undefined);
      return operators(reference);
    });
    const at = (type: string) => resources.findIndex((resource) => resource.type.endsWith(type));
    assert.ok(at(':Certificate') >= 0 && at(':Certificate') < at(':TsbWorkspace'), resources.map(({ type }) => type).join(' '));
  });
});

describe('what TSB calls a cluster', () => {
  const asked = async (configured: string | undefined, answer: () => Record<string, unknown> | undefined, preview = false): Promise<unknown> => {
    await pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'kafka-bridge-failover', 'test', preview);
    const output = pulumi.output(tsbClusterName({ cluster: answeringCluster(answer)('east'), path: 'regions[0].tsbCluster', configured }));
    const { isKnown, promise } = output as unknown as { isKnown: Promise<boolean>; promise(): Promise<unknown> };
    return (await isKnown) ? promise() : 'unknown';
  };

  it('is what the cluster says, where it can be asked', async () => {
    assert.equal(await asked(undefined, () => controlPlane('gke-1')), 'gke-1');
    assert.equal(await asked('gke-1', () => controlPlane('gke-1')), 'gke-1');
  });

  it('is what is configured, where it cannot', async () => {
    assert.equal(await asked('mine', () => undefined), 'mine');
    assert.equal(await asked('mine', () => { throw new Error('forbidden'); }), 'mine');
  });

  it('is refused when the two differ: where, what, and what to do', async () => {
    await assert.rejects(asked('gke-2', () => controlPlane('gke-1')), /^Error: regions\[0\]\.tsbCluster is "gke-2", but TSB calls cluster east "gke-1": its ControlPlane.*\nSet regions\[0\]\.tsbCluster to "gke-1" or leave it out/s);
  });

  it('is asked for when neither says it, but not by a plan', async () => {
    await assert.rejects(asked(undefined, () => undefined), /regions\[0\]\.tsbCluster is not set, and cluster east does not say what TSB calls it: there is no ControlPlane.*tctl get clusters/s);
    await assert.rejects(asked(undefined, () => ({ spec: {} })), /has no spec\.managementPlane\.clusterName/);
    assert.equal(await asked(undefined, () => undefined, true), 'unknown');
  });
});

describe('the names of all clusters in TSB', () => {
  const setup = { networks: { hub: 'edge', 'east-1': 'n1', 'west-1': 'n2' }, reachability: { edge: ['n1', 'n2'] } };
  const unnamed: Changes = { regions: ['east', 'west'].map((name) => region(name, { tsbCluster: undefined })), tier1: { tsbCluster: undefined } };
  const said: Readonly<Record<string, string>> = { central: 'hub', east: 'east-1', west: 'west-1' };

  /** Every name; a text where they are refused. */
  async function names(changes: Changes, clusters: Readonly<Record<string, string>> = said, { preview = false, skipped = new Map() as SkippedRegions } = {}): Promise<unknown> {
    await pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'kafka-bridge-failover', 'test', preview);
    const cluster = answeringCluster((_, context) => (clusters[context] === undefined ? undefined : controlPlane(clusters[context])));
    const { regions, tier1, checked } = tsbClusterNames(configuration({ ...unnamed, ...changes }), cluster, skipped);
    const all = await Promise.allSettled([...regions, tier1].map(async (output) => {
      const { isKnown, promise } = output as unknown as { isKnown: Promise<boolean>; promise(): Promise<unknown> };
      return (await isKnown) ? promise() : 'unknown';
    }));
    const [first] = await Promise.allSettled([checked]);
    return first.status === 'fulfilled' ? all.map((each) => (each.status === 'fulfilled' ? each.value : each.reason as unknown)) : (first.reason as Error).message;
  }

  it('fit the settings, as those that are written have to', async () => {
    assert.deepEqual(await names({ tsb: { setup } }), ['east-1', 'west-1', 'hub']);
    const { 'east-1': n1, ...networks } = setup.networks;
    assert.equal(await names({ tsb: { setup: { networks: { ...networks, 'est-1': n1 }, reachability: { n1: ['n2'] } } } }), [
      'What TSB calls the clusters does not fit the settings:',
      '  tsb.setup.networks.est-1: found a network of no configured cluster (did you mean "east-1"?); allowed: what TSB calls a cluster: east-1, west-1, hub',
      '  tsb.setup.reachability.edge: found nothing; allowed: n2: tier1 sends requests to west (n2)',
      'Names that are not set are those that the clusters’ ControlPlanes istio-system/controlplane say. Change the settings; where a name is another cluster’s, its context is wrong.',
    ].join('\n'));
  });

  it('are one for each cluster', async () => {
    assert.match(String(await names({}, { ...said, west: 'east-1' })), /^ {2}regions\[1\]\.tsbCluster: found nothing, so "east-1"; allowed: a TSB cluster that is not taken \(by regions\[0\]\.tsbCluster\)$/m);
    assert.match(String(await names({}, { ...said, central: 'east-1' })), /^ {2}tier1\.tsbCluster: found nothing, so "east-1"; allowed: one name for one cluster: regions\[0\] has context "east"/m);
    assert.deepEqual(await names({ tier1: { context: 'east', tsbCluster: undefined } }), ['east-1', 'west-1', 'east-1']);
  });

  it('may be one for two contexts of one cluster', async () => {
    using files = configurationFiles();
    assert.deepEqual(await names({ kubeconfig: join(files.directory, 'tier1-in-east') }, { ...said, central: 'east-1' }), ['east-1', 'west-1', 'east-1']);
  });

  it('are judged as far as a plan knows them', async () => {
    const { west, ...known } = said;
    assert.deepEqual(await names({ tsb: { setup: { networks: { typo: 'n' } } } }, known, { preview: true }), ['east-1', 'unknown', 'hub'], `${String(west)} may be the one`);
    assert.match(String(await names({}, { ...known, central: 'east-1' }, { preview: true })), /one name for one cluster/);
  });

  it('are the last known ones where a cluster is skipped', async () => {
    const last = new Map([['west', { tsbCluster: pulumi.output('west-0') }]]) as unknown as SkippedRegions;
    assert.deepEqual(await names({}, said, { skipped: last }), ['east-1', 'west-0', 'hub']);
    assert.match(String(await names({}, { ...said, east: 'west-0' }, { skipped: last })), /regions\[1\]\.tsbCluster: found nothing, so "west-0"; allowed: a TSB cluster that is not taken/);
    assert.match(String(await names({}, said, { skipped: new Map([['west', undefined]]) })), /^regions\[1\]\.tsbCluster is not set, and its cluster is skipped/);
  });
});

function controlPlane(clusterName: string): Record<string, unknown> {
  return { spec: { managementPlane: { clusterName } } };
}

function specOf(recording: Recording, type: string, name: string): unknown {
  return recording.inputsOf(type, name)['spec'];
}
