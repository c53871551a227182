import assert from 'node:assert/strict';
import { mkdtemp, mkdtempDisposable, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bridgeScale0, failBack } from '../../automation/drill/faults/scalings.ts';
import { Target } from '../../automation/drill/faults/target.ts';
import type { TargetRefs } from '../../automation/drill/faults/target.ts';
import { healLeftovers, sentenceOf, writeEntry } from '../../automation/drill/faults/journal.ts';
import { returnField } from '../../automation/drill/faults/ownership.ts';
import { pulumiFields, startFakeApi } from '../fixtures/fake-bridge-api.ts';
import type { FakeApi } from '../fixtures/fake-bridge-api.ts';

const region = { name: 'east', context: 'east', namespace: 'kafka-bridge', bridge: 'bridge' };
const refs: TargetRefs = { run: 'run-1', region, regions: [region], lease: { context: 'east', namespace: 'kafka-bridge' }, forSeconds: 10 };
const fault = bridgeScale0;

describe('the fault bridge-scale-0', () => {
  let api: FakeApi;
  let stateDir: string;
  beforeEach(async () => {
    api = await startFakeApi();
    stateDir = await mkdtemp(path.join(tmpdir(), 'kbf-state-'));
  });
  afterEach(async () => {
    await api.stop();
    await rm(stateDir, { recursive: true, force: true });
  });

  async function injectAndLeave(run: string): Promise<void> {
    const target = new Target(api.kubeconfig, refs);
    const undo = await fault.prepare(target);
    await writeEntry(stateDir, { schema: 'kbf-fault/2', run, fault: fault.name, target: fault.describe(target), refs, undo, at: '2026-01-01T00:00:00Z' });
    await fault.inject(target, undo);
  }

  it('scales to none, and heals replicas and ownership to what they were', async () => {
    const target = new Target(api.kubeconfig, refs);
    const undo = await fault.prepare(target);
    await fault.inject(target, undo);
    assert.equal(api.bridge?.replicas, 0);
    assert.equal(await fault.isEffective(target, undo), true);
    assert.equal(await fault.heal(target, undo), true);
    assert.equal(api.bridge.replicas, 2);
    assert.deepEqual(api.bridge.managedFields, [pulumiFields]);
    assert.equal(await fault.isHealed(target, undo), true);
  });

  it('heals twice without harm', async () => {
    const target = new Target(api.kubeconfig, refs);
    const undo = await fault.prepare(target);
    await fault.inject(target, undo);
    await fault.heal(target, undo);
    const { resourceVersion } = api.bridge ?? {};
    assert.equal(await fault.heal(target, undo), false);
    assert.equal(api.bridge?.resourceVersion, resourceVersion);
  });

  it('leaves replicas that somebody else set meanwhile', async () => {
    const target = new Target(api.kubeconfig, refs);
    const undo = await fault.prepare(target);
    await fault.inject(target, undo);
    if (api.bridge) api.bridge.replicas = 5;
    assert.equal(await fault.heal(target, undo), true);
    assert.equal(api.bridge?.replicas, 5);
  });

  it('heals an object that keeps changing under it', async () => {
    const target = new Target(api.kubeconfig, refs);
    const undo = await fault.prepare(target);
    await fault.inject(target, undo);
    api.conflicts = 3;
    await fault.heal(target, undo);
    assert.deepEqual(api.bridge?.managedFields, [pulumiFields]);
  });

  it('refuses a bridge without replicas, and one that is not there', async () => {
    const target = new Target(api.kubeconfig, refs);
    if (api.bridge) api.bridge.replicas = 0;
    await assert.rejects(fault.prepare(target), { name: 'UserError', message: 'KafkaBridge kafka-bridge/bridge in cluster east has no replicas already' });
    api.bridge = undefined;
    await assert.rejects(fault.prepare(target), { name: 'UserError', message: 'there is no KafkaBridge kafka-bridge/bridge in cluster east' });
  });

  it('refuses where the bridge may not be scaled, or its ownership not be given back, and so does fail-back; nothing is touched', async () => {
    api.denied = new Set(['patch kafkabridges', 'patch kafkabridges/scale']);
    const message = 'your credentials for cluster east may not patch kafkabridges/scale in namespace kafka-bridge, nor patch kafkabridges in namespace kafka-bridge';
    for (const each of [fault, failBack]) await assert.rejects(each.prepare(new Target(api.kubeconfig, refs)), { exitCode: 2, message });
    assert.ok(!api.requests.some((request) => request.startsWith('PATCH')), api.requests.join('\n'));
  });

  it('names cluster and object when the API server fails', async () => {
    api.failWith = 503;
    await assert.rejects(fault.prepare(new Target(api.kubeconfig, refs)),
      { name: 'UserError', message: 'KafkaBridge kafka-bridge/bridge cannot be read in cluster east: 503 the API server is not well' });
  });

  it('refuses a context that the kubeconfig does not have', () => {
    assert.throws(() => new Target(api.kubeconfig, { ...refs, region: { ...region, context: 'mars' } }), { name: 'UserError', message: /has no context mars with a cluster and a user$/ });
  });

  it('is healed by the next run when a killed driver left it', async () => {
    await injectAndLeave('run-1');
    assert.deepEqual((await healLeftovers({ stateDir, kubeconfig: api.kubeconfig })).map(sentenceOf),
      ['bridge-scale-0 of 2026-01-01T00:00:00Z on KafkaBridge kafka-bridge/bridge in cluster east: healed']);
    assert.equal(api.bridge?.replicas, 2);
    assert.deepEqual(api.bridge.managedFields, [pulumiFields]);
    assert.deepEqual(await readdir(path.join(stateDir, 'faults')), []);
    assert.deepEqual(await healLeftovers({ stateDir, kubeconfig: api.kubeconfig }), []);
  });

  it('is forgotten without a change when the bridge is another one by now', async () => {
    await injectAndLeave('run-1');
    if (api.bridge) Object.assign(api.bridge, { uid: 'uid-2', replicas: 0 });
    const healed = await healLeftovers({ stateDir, kubeconfig: api.kubeconfig });
    assert.deepEqual(healed.map(({ now }) => now), ['over']);
    assert.equal(api.bridge?.replicas, 0);
  });

  it('stays in the journal while it cannot be healed', async () => {
    await injectAndLeave('run-1');
    api.failWith = 500;
    await assert.rejects(healLeftovers({ stateDir, kubeconfig: api.kubeconfig }), { name: 'UserError' });
    assert.deepEqual(await readdir(path.join(stateDir, 'faults')), ['run-1.json']);
    api.failWith = undefined;
    assert.equal((await healLeftovers({ stateDir, kubeconfig: api.kubeconfig })).length, 1);
  });

  it('is not looked for in a half-written entry', async () => {
    await injectAndLeave('run-1');
    await writeFile(path.join(stateDir, 'faults', 'run-2.json.draft'), '{"schema":"kbf-fa');
    assert.equal((await healLeftovers({ stateDir, kubeconfig: api.kubeconfig })).length, 1);
  });

  it('is healed also where another entry cannot be; each of those is named with its target and why, and stays', async () => {
    await injectAndLeave('run-2');
    const mars = { ...refs, region: { ...region, context: 'mars' } };
    await writeEntry(stateDir, { schema: 'kbf-fault/2', run: 'run-1', fault: fault.name, target: 'the bridge of mars', refs: mars, undo: {}, at: '2026-01-01T00:00:00Z' });
    await writeFile(path.join(stateDir, 'faults', 'run-3.json'), '{');
    await assert.rejects(healLeftovers({ stateDir, kubeconfig: api.kubeconfig }), (error: Error) => {
      assert.match(error.message, /^bridge-scale-0 of 2026-01-01T00:00:00Z on the bridge of mars could not be healed: .* has no context mars with a cluster and a user; .*run-3\.json cannot be read: .*; bridge-scale-0 of \S+ on KafkaBridge kafka-bridge\/bridge in cluster east: healed$/);
      return error.name === 'UserError';
    });
    assert.equal(api.bridge?.replicas, 2);
    assert.deepEqual(await readdir(path.join(stateDir, 'faults')), ['run-1.json', 'run-3.json']);
  });

  it('names an entry of another version instead of guessing', async () => {
    await injectAndLeave('run-1');
    await writeFile(path.join(stateDir, 'faults', 'run-0.json'), '{"schema":"kbf-fault/9"}');
    await assert.rejects(healLeftovers({ stateDir, kubeconfig: api.kubeconfig }), { name: 'UserError', message: /run-0\.json is not a journal of kbf-fault\/2; .*: healed$/ });
  });
});

describe('the fault fail-back', () => {
  it('has the bridges away before the load, and brings them back under it as they were, which leaves nothing to heal', async () => {
    await using api = await startFakeApi();
    const target = new Target(api.kubeconfig, refs);
    const undo = await failBack.prepare(target);
    await failBack.arrange?.(target, undo);
    assert.equal(api.bridge?.replicas, 0);
    assert.deepEqual([await failBack.isArranged?.(target, undo), await failBack.isEffective(target, undo), await failBack.isHealed(target, undo)], [true, false, false]);
    await failBack.inject(target, undo);
    assert.deepEqual([api.bridge.replicas, api.bridge.managedFields], [2, [pulumiFields]]);
    assert.deepEqual([await failBack.isArranged?.(target, undo), await failBack.isEffective(target, undo), await failBack.isHealed(target, undo)], [false, true, true]);
    assert.equal(await failBack.heal(target, undo), false);
  });

  it('is healed by the next run when a driver was killed while the bridges were away', async () => {
    await using api = await startFakeApi();
    await using state = await mkdtempDisposable(path.join(tmpdir(), 'kbf-state-'));
    const target = new Target(api.kubeconfig, refs);
    const undo = await failBack.prepare(target);
    await failBack.arrange?.(target, undo);
    await writeEntry(state.path, { schema: 'kbf-fault/2', run: 'run-1', fault: failBack.name, target: failBack.describe(target), refs, undo, at: '2026-01-01T00:00:00Z' });
    assert.deepEqual((await healLeftovers({ stateDir: state.path, kubeconfig: api.kubeconfig })).map(({ now }) => now), ['healed']);
    assert.deepEqual([api.bridge?.replicas, api.bridge?.managedFields], [2, [pulumiFields]]);
  });
});

describe('giving back the ownership of replicas', () => {
  const operator = { manager: 'strimzi-cluster-operator', operation: 'Update', subresource: 'status', fieldsV1: { 'f:status': { 'f:conditions': {} } } };

  it('restores an owner that held nothing else and therefore vanished', () => {
    const owner = { manager: 'kubectl', operation: 'Update', apiVersion: 'kafka.strimzi.io/v1', subresource: 'scale' };
    const returned = returnField([operator, { manager: 'kbf-drill', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }], 'replicas', { drill: 'kbf-drill', owners: [owner] });
    assert.deepEqual(returned?.map(({ manager, subresource, fieldsV1 }) => ({ manager, subresource, fieldsV1 })), [
      { manager: operator.manager, subresource: 'status', fieldsV1: operator.fieldsV1 },
      { manager: 'kubectl', subresource: 'scale', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
    ]);
  });

  it('keeps what else the drill\'s manager holds', () => {
    const [entry] = returnField([{ manager: 'kbf-drill', fieldsV1: { 'f:metadata': { 'f:labels': {} }, 'f:spec': { '.': {}, 'f:replicas': {} } } }], 'replicas', { drill: 'kbf-drill', owners: [] }) ?? [];
    assert.deepEqual(entry?.fieldsV1, { 'f:metadata': { 'f:labels': {} } });
  });

  it('says so when nothing is to be given back', () => {
    assert.equal(returnField([operator, pulumiFields], 'replicas', { drill: 'kbf-drill', owners: [{ manager: 'pulumi-kubernetes', operation: 'Apply', apiVersion: 'kafka.strimzi.io/v1' }] }), undefined);
  });
});
