import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bridgeDrain } from '../../automation/drill/faults/drain.ts';
import { healLeftovers, writeEntry } from '../../automation/drill/faults/journal.ts';
import { Target } from '../../automation/drill/faults/target.ts';
import type { TargetRefs } from '../../automation/drill/faults/target.ts';
import type { ManagedFields } from '../../automation/drill/kubernetes.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';

const region = { name: 'east', context: 'east', namespace: 'apps', bridge: 'b' };
const refs: TargetRefs = { run: 'run-1', region, regions: [region], lease: { context: 'east', namespace: 'apps' }, forSeconds: 10 };
const pods = '/api/v1/namespaces/apps/pods/';
const labels = { 'strimzi.io/kind': 'KafkaBridge', 'strimzi.io/cluster': 'b' };
const kubelet: ManagedFields = { manager: 'kubelet', operation: 'Update', apiVersion: 'v1', fieldsV1: { 'f:spec': { 'f:providerID': {} } } };

interface FakeNode {
  metadata: { name: string; uid: string; resourceVersion: string; managedFields: ManagedFields[] };
  spec: { unschedulable?: true };
}

type Patch = { op: string; path: string; value?: unknown }[];

describe('the fault bridge-drain', () => {
  let api: FakeKubernetes;
  let target: Target;
  let nodes: Map<string, FakeNode>;
  /** Names of pods for whose eviction was asked, in turn, with what was answered. */
  let asked: [string, number][];
  /** How often a pod's disruption budget holds it back. */
  let heldBack: Record<string, number>;
  let patches: number;
  /** How many of the next writes meet a node that changed meanwhile. */
  let conflicts: number;
  beforeEach(async () => {
    api = await startFakeKubernetes();
    target = new Target(api.kubeconfig, refs);
    [nodes, asked, heldBack, patches, conflicts] = [new Map(), [], {}, 0, 0];
    for (const name of ['n-1', 'n-2', 'n-3']) node(name);
    pod('b-1', 'n-1');
    pod('b-2', 'n-2');
    api.answer = (method, { pathname }, body) => {
      const [, name = '', eviction] = /^\/api\/v1\/(?:nodes|namespaces\/apps\/pods)\/([^/]+)(\/eviction)?$/.exec(pathname) ?? [];
      if (eviction !== undefined) {
        const answer = evict(name, body as { apiVersion: string; kind: string; deleteOptions: { preconditions: { uid: string } } });
        asked.push([name, answer[0]]);
        return answer;
      }
      if (!pathname.startsWith('/api/v1/nodes/')) return undefined;
      const found = nodes.get(name);
      if (found === undefined) return [404, { message: 'not found' }];
      return method === 'PATCH' ? patch(found, body as Patch) : [200, found];
    };
  });
  afterEach(() => api[Symbol.asyncDispose]());

  function node(name: string): void {
    nodes.set(name, { metadata: { name, uid: `uid-${name}`, resourceVersion: '1', managedFields: [structuredClone(kubelet)] }, spec: {} });
  }

  function pod(name: string, nodeName: string): void {
    api.objects.set(`${pods}${name}`, {
      metadata: { name, uid: `uid-${name}`, labels }, spec: { nodeName, containers: [{ name: 'b-bridge' }] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [{ name: 'b-bridge', containerID: `c-${name}`, state: { running: {} } }] },
    });
  }

  /** As the Eviction API answers: 201, 429 where a budget is used up, 409 where the pod is another. */
  function evict(name: string, { apiVersion, kind, deleteOptions }: { apiVersion: string; kind: string; deleteOptions: { preconditions: { uid: string } } }): [number, object] {
    assert.deepEqual([apiVersion, kind], ['policy/v1', 'Eviction']);
    const found = api.objects.get(`${pods}${name}`);
    if (found === undefined) return [404, { message: 'not found' }];
    if (found.metadata.uid !== deleteOptions.preconditions.uid) return [409, { message: 'the UID in the precondition does not match' }];
    const times = heldBack[name] ?? 0;
    if (times > 0) {
      heldBack[name] = times - 1;
      return [429, { message: 'Cannot evict pod as it would violate the pod\'s disruption budget.' }];
    }
    api.objects.delete(`${pods}${name}`);
    return [201, {}];
  }

  /** As an API server keeps it, which notes who changed a field and not who wrote what was there. */
  function patch(found: FakeNode, operations: Patch): [number, object] {
    patches += 1;
    if (conflicts > 0) {
      conflicts -= 1;
      found.metadata.resourceVersion += '1';
    }
    const { metadata, spec } = found;
    for (const { op, path: at, value } of operations) {
      if (op === 'test' && value !== { '/metadata/uid': metadata.uid, '/metadata/resourceVersion': metadata.resourceVersion }[at]) return [422, { message: 'test failed' }];
      if (at === '/spec/unschedulable' && op === 'add' && spec.unschedulable !== true) own(found, 'kbf-drill');
      if (at === '/spec/unschedulable' && op === 'remove') {
        delete spec.unschedulable;
        metadata.managedFields = metadata.managedFields.filter(({ fieldsV1 }) => fieldsV1?.['f:spec']?.['f:unschedulable'] === undefined);
      }
      if (at === '/metadata/managedFields') metadata.managedFields = value as ManagedFields[];
    }
    metadata.resourceVersion += '1';
    return [200, found];
  }

  function own({ metadata, spec }: FakeNode, manager: string): void {
    spec.unschedulable = true;
    metadata.managedFields = metadata.managedFields.filter(({ fieldsV1 }) => fieldsV1?.['f:spec']?.['f:unschedulable'] === undefined);
    metadata.managedFields.push({ manager, operation: 'Update', apiVersion: 'v1', fieldsV1: { 'f:spec': { 'f:unschedulable': {} } } });
  }

  const nodeOf = (name: string): FakeNode => nodes.get(name) ?? assert.fail(name);
  const unschedulable = (): string[] => [...nodes].filter(([, { spec }]) => spec.unschedulable === true).map(([name]) => name);

  it('cordons the nodes of the bridges alone, evicts these alone, and gives the nodes back as they were, once', async () => {
    api.objects.set(`${pods}other`, { metadata: { name: 'other', uid: 'o', labels: { app: 'other' } }, spec: { nodeName: 'n-1' } });
    const undo = await bridgeDrain.prepare(target);
    assert.deepEqual([unschedulable(), patches], [[], 0], 'nothing is touched yet');
    await bridgeDrain.inject(target, undo);
    assert.deepEqual(unschedulable(), ['n-1', 'n-2']);
    assert.deepEqual(asked.map(([name]) => name).sort(), ['b-1', 'b-2']);
    assert.deepEqual([await bridgeDrain.isEffective(target, undo), await bridgeDrain.isHealed(target, undo)], [true, false]);
    assert.equal(await bridgeDrain.heal(target, undo), true);
    assert.deepEqual([...nodes.values()].map(({ spec, metadata: { managedFields } }) => [spec, managedFields]), Array.from({ length: 3 }, () => [{}, [kubelet]]));
    assert.equal(await bridgeDrain.isHealed(target, undo), false, 'the bridges are not back');
    const before = patches;
    assert.equal(await bridgeDrain.heal(target, undo), false);
    assert.equal(patches, before);
    for (const name of ['b-3', 'b-4']) pod(name, 'n-3');
    assert.equal(await bridgeDrain.isHealed(target, undo), true);
  });

  it('evicts the bridges that are there when it strikes, and has not taken hold while one is on a cordoned node', async () => {
    const undo = await bridgeDrain.prepare(target);
    api.objects.delete(`${pods}b-1`);
    pod('b-new', 'n-1');
    await bridgeDrain.inject(target, undo);
    assert.deepEqual(asked.map(([name]) => name).sort(), ['b-2', 'b-new']);
    assert.equal(await bridgeDrain.isEffective(target, undo), true);
    pod('b-3', 'n-2');
    assert.equal(await bridgeDrain.isEffective(target, undo), false);
  });

  it('evicts nobody, and says so, where a bridge is on a node by then that it cannot cordon, or none is on those that it did', async () => {
    const undo = await bridgeDrain.prepare(target);
    pod('b-new', 'n-3');
    await assert.rejects(bridgeDrain.inject(target, undo), { name: 'UserError', message: /^nothing was evicted in cluster east, .*: pod apps\/b-new is on node n-3 by now/ });
    for (const name of ['b-1', 'b-2', 'b-new']) api.objects.delete(`${pods}${name}`);
    await assert.rejects(bridgeDrain.inject(target, undo), { name: 'UserError', message: /no bridge is on n-1, n-2 any more$/ });
    assert.deepEqual(asked, []);
  });

  it('asks again for what a disruption budget holds back, and not for what is gone', async () => {
    heldBack['b-2'] = 1;
    const undo = await bridgeDrain.prepare(target);
    await bridgeDrain.inject(target, undo);
    assert.deepEqual(asked.toSorted(([a, one], [b, other]) => a.localeCompare(b) || other - one), [['b-1', 201], ['b-2', 429], ['b-2', 201]]);
    assert.equal(await bridgeDrain.isEffective(target, undo), true);
  });

  it('has not taken hold while a pod is held back; an interrupted drill waits for none', async () => {
    heldBack['b-2'] = Infinity;
    const undo = await bridgeDrain.prepare(target);
    await bridgeDrain.inject(target, undo, AbortSignal.abort(new Error('interrupted')));
    assert.deepEqual(asked.map(([name]) => name).sort(), ['b-1', 'b-2']);
    assert.equal(await bridgeDrain.isEffective(target, undo), false);
    assert.equal(await bridgeDrain.heal(target, undo), true);
    assert.deepEqual(unschedulable(), []);
  });

  /** Each question for an eviction takes so long, by the clock. */
  async function whileEvictionsTake(ms: number, work: () => Promise<void>): Promise<void> {
    const { now } = performance;
    let passedMs = 0;
    performance.now = () => now.call(performance) + passedMs;
    const answer = api.answer;
    api.answer = (method, url, body) => {
      if (url.pathname.endsWith('/eviction')) passedMs += ms;
      return answer(method, url, body);
    };
    try {
      await work();
    } finally {
      performance.now = now;
    }
  }

  it('says whom a disruption budget held back for as long as a fault has to take hold', async () => {
    const undo = await bridgeDrain.prepare(target);
    await whileEvictionsTake(31_000, async () => {
      heldBack['b-2'] = Infinity;
      await assert.rejects(bridgeDrain.inject(target, undo), {
        name: 'UserError', message: 'a disruption budget held back the eviction of pod apps/b-2 in cluster east for 60 s, and kubectl drain would go on trying',
      });
    });
    assert.equal(await bridgeDrain.heal(target, undo), true);
  });

  it('takes longer than that where its budget goes on letting one go after the other', async () => {
    const undo = await bridgeDrain.prepare(target);
    await whileEvictionsTake(25_000, async () => {
      // At 50 s none is gone, at 100 s b-1, at 125 s b-2.
      heldBack = { 'b-1': 1, 'b-2': 2 };
      await bridgeDrain.inject(target, undo);
    });
    assert.equal(await bridgeDrain.isEffective(target, undo), true);
  });

  it('is over when somebody has a node take pods again', async () => {
    const undo = await bridgeDrain.prepare(target);
    await bridgeDrain.inject(target, undo);
    nodeOf('n-2').spec = {};
    assert.equal(await bridgeDrain.isEffective(target, undo), false);
  });

  it('leaves a node cordoned that others cordoned, before it or instead of it, and one that is another by now', async () => {
    own(nodeOf('n-1'), 'kubectl');
    const undo = await bridgeDrain.prepare(target);
    own(nodeOf('n-2'), 'kubectl');
    await bridgeDrain.inject(target, undo);
    assert.equal(await bridgeDrain.isEffective(target, undo), true);
    assert.equal(await bridgeDrain.heal(target, undo), false);
    assert.deepEqual(unschedulable(), ['n-1', 'n-2']);
    own(nodeOf('n-2'), 'kbf-drill');
    nodeOf('n-2').metadata.uid = 'another';
    assert.equal(await bridgeDrain.heal(target, undo), false);
    nodes.delete('n-2');
    assert.equal(await bridgeDrain.heal(target, undo), false);
  });

  it('gives the field back to who held it, and to a node that keeps changing', async () => {
    const applied: ManagedFields = { manager: 'gitops', operation: 'Apply', apiVersion: 'v1', fieldsV1: { 'f:spec': { 'f:unschedulable': {} } } };
    nodeOf('n-1').metadata.managedFields.push(structuredClone(applied));
    const undo = await bridgeDrain.prepare(target);
    await bridgeDrain.inject(target, undo);
    conflicts = 3;
    assert.equal(await bridgeDrain.heal(target, undo), true);
    assert.deepEqual(unschedulable(), []);
    const [, returned] = nodeOf('n-1').metadata.managedFields;
    assert.deepEqual([returned?.manager, returned?.operation, returned?.fieldsV1], ['gitops', 'Apply', applied.fieldsV1]);
  });

  it('is refused without the rights, with each of them that is missing', async () => {
    api.denied.add('get nodes').add('patch nodes');
    await assert.rejects(bridgeDrain.prepare(target), { exitCode: 2, message: 'your credentials for cluster east may not get nodes, nor patch nodes' });
    api.denied.clear();
    api.denied.add('create pods/eviction');
    await assert.rejects(bridgeDrain.prepare(target), { exitCode: 2, message: 'your credentials for cluster east may not create pods/eviction in namespace apps' });
    assert.equal(patches, 0);
  });

  it('says which pod cannot be evicted, and does not ask again, where that is for another reason', async () => {
    const answer = api.answer;
    const undo = await bridgeDrain.prepare(target);
    let times = 0;
    api.answer = (method, url, body) => {
      if (!url.pathname.endsWith('/b-2/eviction')) return answer(method, url, body);
      times += 1;
      return [500, { message: 'This pod has more than one PodDisruptionBudget' }];
    };
    await assert.rejects(bridgeDrain.inject(target, undo), { message: 'pod apps/b-2 cannot be evicted in cluster east: 500 This pod has more than one PodDisruptionBudget' });
    assert.equal(times, 1);
  });

  it('is healed from the journal after its driver was killed, once', async () => {
    const stateDir = await mkdtemp(path.join(tmpdir(), 'kbf-drain-'));
    const undo = await bridgeDrain.prepare(target);
    await writeEntry(stateDir, { schema: 'kbf-fault/2', run: 'run-1', fault: 'bridge-drain', target: bridgeDrain.describe(target), refs, undo, at: '2026-01-01T00:00:00Z' });
    await bridgeDrain.inject(target, undo);
    const heal = async (): Promise<string[]> => (await healLeftovers({ stateDir, kubeconfig: api.kubeconfig })).map(({ now }) => now);
    assert.deepEqual([await heal(), await heal()], [['healed'], []]);
    assert.deepEqual(unschedulable(), []);
    await rm(stateDir, { recursive: true, force: true });
  });
});
