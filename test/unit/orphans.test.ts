import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OrphanFile, abandon, orphansOf, takeBack } from '../../automation/orphans.ts';
import { prepareState } from '../../automation/prepareState.ts';
import { Protection } from '../../automation/protection.ts';
import type { Refresh } from '../../automation/recovery.ts';
import { clustersInState, resourcesIn } from '../../automation/stackState.ts';
import type { ResourceState, StackState } from '../../automation/stackState.ts';
import { resourcesOfRegion } from '../../automation/usedClusters.ts';
import type { UserError } from '../../errors.ts';
import { storedStack } from '../fixtures/stored-stack.ts';
import { checkOf, providerUrnOf, stackState, urnsOf } from './stack-state-fixtures.ts';

describe('what is left behind', () => {
  let directory: string;
  beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf-unit-')); });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  it('is everything in the cluster with its provider, and nothing else', () => {
    const state = stackState();
    const [east] = clustersInState(state).filter(({ context }) => context === 'east');
    assert.deepEqual([...resourcesIn(state, new Set([east?.provider ?? '']))].sort(), urnsOf('east').filter((each) => !each.endsWith('Region::east')).sort());
    assert.deepEqual([...resourcesOfRegion(state, 'east', 'east')].sort(), [...urnsOf('east'), checkOf('east')].sort());
  });

  it('is a component as well that has nothing elsewhere, with what the state says of it', () => {
    const state = stackState();
    state.resources = state.resources?.filter(({ urn }) => urn !== checkOf('east')) ?? [];
    const [east = '', component = ''] = urnsOf('east');
    const placement = component.replace('Region::east', 'Region$kbf:index:Placement::east-placement');
    state.resources.push({ urn: placement, type: 'kbf:index:Placement', custom: false, parent: component });
    assert.deepEqual([...resourcesIn(state, new Set([east]))].sort(), [...urnsOf('east'), placement].sort());
    assert.deepEqual([...resourcesIn(state, new Set([providerUrnOf('central')]))].filter((urn) => urn === placement), []);
  });

  it('leaves the state, which then refers to none of it', () => {
    const state = stackState();
    state.pending_operations = [bridgeOf(state, 'east'), bridgeOf(state, 'west')].map((resource) => ({ type: 'updating', resource }));
    const [abandoned] = abandon(state, [{ context: 'east', kubeconfig: '/k' }]);
    assert.deepEqual(state.pending_operations.map(({ resource }) => resource.urn), [urnsOf('west').at(-1)]);
    const left = JSON.stringify(state);
    const gone = urnsOf('east').filter((each) => !each.endsWith('Region::east'));
    for (const each of gone) assert.ok(!left.includes(`"${each}`), each);
    assert.deepEqual(state.resources?.map(({ urn: each }) => each), stackState().resources?.map(({ urn: each }) => each).filter((each) => !gone.includes(each)));
    assert.deepEqual(orphansOf(abandoned ? [abandoned] : []), [
      { cluster: 'east', apiVersion: 'v1', kind: 'Namespace', name: 'kafka-bridge' },
      { cluster: 'east', apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaBridge', namespace: 'kafka-bridge', name: 'bridge' },
    ]);
  });

  it('is of a given namespace what was written to it, and not the namespace', () => {
    const state = stackState();
    for (const each of state.resources ?? []) if (each.type === 'kubernetes:core/v1:Namespace') each.type = 'kubernetes:core/v1:NamespacePatch';
    const [namespace] = orphansOf(abandon(state, [{ context: 'east', kubeconfig: '/k' }]));
    assert.deepEqual(namespace, { cluster: 'east', apiVersion: 'v1', kind: 'NamespacePatch', name: 'kafka-bridge' });
  });

  it('comes back as it was, once, whatever is in the state by then', () => {
    const state = stackState();
    const abandoned = abandon(state, [{ context: 'east', kubeconfig: '/k' }]);
    assert.deepEqual(takeBack(state, abandoned), urnsOf('east').filter((urn) => urn.includes('kubernetes:') && !urn.includes('providers')));
    assert.deepEqual([...state.resources ?? []].sort(byUrn).map(({ urn }) => urn), [...stackState().resources ?? []].sort(byUrn).map(({ urn }) => urn));
    const ofEast = ({ resources = [] }: StackState): ResourceState[] => resources.filter(({ urn }) => urnsOf('east').includes(urn)).sort(byUrn);
    assert.deepEqual(ofEast(state), ofEast(stackState()));
    assert.deepEqual(takeBack(state, abandoned), []);

    const empty: StackState = {};
    takeBack(empty, abandoned);
    const { parent, provider, dependencies } = bridgeOf(empty, 'east');
    const [providerUrn, component, namespace] = urnsOf('east');
    assert.deepEqual([parent, provider, dependencies], [component, `${providerUrn}::id-east`, [namespace]]);
    const urns = empty.resources?.map(({ urn }) => urn) ?? [];
    for (const resource of empty.resources ?? []) {
      const needed = [resource.parent, resource.provider?.replace(/::[^:]*$/, ''), ...resource.dependencies ?? []].filter((urn) => urn !== undefined);
      for (const urn of needed) assert.ok(urns.indexOf(urn) >= 0 && urns.indexOf(urn) < urns.indexOf(resource.urn), `${resource.urn} comes after ${urn}`);
    }
  });

  it('comes back under a provider that was made anew', () => {
    const state = stackState();
    const abandoned = abandon(state, [{ context: 'east', kubeconfig: '/k' }]);
    const provider = stackState().resources?.find(({ urn }) => urn === providerUrnOf('east'));
    state.resources?.push({ ...provider, id: 'new' } as ResourceState);
    takeBack(state, abandoned);
    assert.equal(state.resources?.find((resource) => resource.urn === urnsOf('east').at(-1))?.provider, `${providerUrnOf('east')}::new`);
  });

  it('is kept in a file that only its owner reads, until it is taken back', async () => {
    const file = new OrphanFile(join(directory, 'orphans', 'dev.json'));
    const [east] = abandon(stackState(), [{ context: 'east', kubeconfig: '/k' }]);
    assert.ok(east);
    assert.deepEqual(await file.read(), []);
    await file.add([{ ...east, resources: east.resources.slice(0, 2) }, { ...east, context: 'west' }]);
    await file.add([east]);
    await file.add([{ ...east, resources: east.resources.slice(0, 1) }]);
    assert.equal((await stat(file.path)).mode & 0o777, 0o600);
    assert.deepEqual((await file.read()).map(({ context, resources }) => [context, resources.length]), [['east', east.resources.length], ['west', east.resources.length]]);
    await file.remove(['east']);
    assert.deepEqual((await file.read()).map(({ context }) => context), ['west']);
    await file.remove(['west']);
    await assert.rejects(stat(file.path), { code: 'ENOENT' });
  });

  it('is not lost silently when its file cannot be read', async () => {
    const file = new OrphanFile(join(directory, 'dev.json'));
    await writeFile(file.path, '{');
    await assert.rejects(file.read(), (error: UserError) => error.message.includes(file.path) && /Mend it/.test(error.remedy ?? ''));
  });

  it('is looked up by the next run where the one that took it back was interrupted, and remembered until then', async () => {
    let state = stackState();
    const orphans = new OrphanFile(join(directory, 'dev.json'));
    await orphans.add(abandon(state, [{ context: 'east', kubeconfig: '/k' }]));
    const stack = storedStack({ exported: () => ({ version: 3, deployment: state }), imported: ({ deployment }) => { state = deployment as StackState; } });
    const notices: string[] = [];
    const prepare = (refresh: Refresh) => prepareState({ stack, files: undefined, orphans }, { returned: ['east'], abandoned: [], protection: undefined, notice: (text) => { notices.push(text); }, refresh });
    await assert.rejects(prepare(() => Promise.reject(new Error('interrupted'))), /interrupted/);
    assert.equal((await orphans.read()).length, 1);
    const looked: (string[] | undefined)[] = [];
    await prepare(({ target }) => { looked.push(target); return Promise.resolve(); });
    assert.deepEqual(looked, [urnsOf('east').filter((urn) => urn.includes('kubernetes:') && !urn.includes('providers'))]);
    assert.deepEqual(notices, [`took up 2 objects again that were left behind in east, by ${orphans.path}`]);
    assert.deepEqual(await orphans.read(), []);
  });

  it('is in its file before it leaves the state', async () => {
    const orphans = new OrphanFile(join(directory, 'dev.json'));
    const stack = storedStack({ exported: () => ({ version: 3, deployment: stackState() }), imported: () => { throw new Error('killed'); } });
    await assert.rejects(prepareState({ stack, files: undefined, orphans }, { returned: [], abandoned: [{ context: 'east', kubeconfig: '/k' }], protection: undefined, notice: (text) => assert.fail(text), refresh: () => assert.fail('nothing is to be looked up') }), /killed/);
    assert.deepEqual((await orphans.read()).map(({ resources }) => resources), abandon(stackState(), [{ context: 'east', kubeconfig: '/k' }]).map(({ resources }) => resources));
  });

  it('is protected no more where everything is to go, and only there', async () => {
    let state = stackState();
    const orphans = new OrphanFile(join(directory, 'dev.json'));
    const left = abandon(state, [{ context: 'east', kubeconfig: '/k' }]);
    bridgeOf(state, 'west').protect = true;
    const stack = storedStack({ exported: () => ({ version: 3, deployment: state }), imported: ({ deployment }) => { state = deployment as StackState; } });
    for (const protection of [undefined, new Protection()]) {
      await orphans.add(left);
      await prepareState({ stack, files: undefined, orphans }, { returned: ['east'], abandoned: [], protection, notice: () => undefined, refresh: () => Promise.resolve() });
      assert.equal(bridgeOf(state, 'west').protect, protection === undefined);
    }
  });
});

function bridgeOf({ resources = [] }: StackState, region: string): ResourceState {
  const bridge = resources.find(({ urn }) => urn === urnsOf(region).at(-1));
  assert.ok(bridge);
  return bridge;
}

const byUrn = (one: ResourceState, other: ResourceState): number => one.urn.localeCompare(other.urn);
