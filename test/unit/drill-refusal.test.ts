import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeEntry } from '../../automation/drill/faults/journal.ts';
import { healStack, runDrill } from '../../automation/drill/index.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';

const region = { context: 'east', namespace: 'kafka-bridge', bridge: 'bridge', gatewayAddress: '10.0.0.1' };
const outputs = { hostname: 'bridge.example', tier1Address: '127.0.0.1', kafka: { bootstrapServers: '127.0.0.1:1' }, regions: [{ ...region, name: 'east' }, { ...region, name: 'west' }] };

describe('a drill that may not be', () => {
  let api: FakeKubernetes;
  let directory: string;
  beforeEach(async () => {
    api = await startFakeKubernetes();
    directory = await mkdtemp(path.join(tmpdir(), 'kbf-refusal-'));
  });
  afterEach(async () => {
    await api[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const refused = (reportDir: string): Promise<void> => assert.rejects(
    runDrill({ outputs, environment: 'test', kubeconfig: api.kubeconfig, stateDir: path.join(directory, 'state'), reportDir }),
    { exitCode: 2, message: /may not create leases in namespace kafka-bridge/ },
  );

  it('leaves nothing behind, and whatever else is in the directory of its report', async () => {
    api.denied.add('create leases');
    const own = path.join(directory, 'own');
    await refused(own);
    await assert.rejects(readdir(own), { code: 'ENOENT' });
    const shared = await mkdtemp(path.join(directory, 'shared-'));
    await writeFile(path.join(shared, 'precious.txt'), 'mine');
    await refused(shared);
    assert.deepEqual(await readdir(shared), ['precious.txt']);
  });

  it('is not healed by another while it lives: the stack\'s Lease is its own', async () => {
    const stateDir = path.join(directory, 'state');
    const refs = { run: 'run-1', region: { ...region, name: 'east' }, regions: [], lease: { context: 'east', namespace: 'edge' }, forSeconds: 1 };
    await writeEntry(stateDir, { schema: 'kbf-fault/2', run: 'run-1', fault: 'bridge-scale-0', target: 'a bridge', refs, undo: { uid: 'u', replicas: 1, owners: [] }, at: '2026-01-01T00:00:00Z' });
    const file = '/apis/coordination.k8s.io/v1/namespaces/edge/leases/kbf-drill';
    let renewals = 0;
    const renewing = setInterval(() => {
      renewals += 1;
      api.objects.set(file, { metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: String(renewals) }, spec: { holderIdentity: 'a living drill', renewTime: new Date(Date.now() + renewals).toISOString(), leaseDurationSeconds: 15 } });
    }, 50);
    try {
      while (renewals === 0) await new Promise((resolve) => { setTimeout(resolve, 20); });
      await assert.rejects(healStack({ stateDir, kubeconfig: api.kubeconfig }), { exitCode: 2, message: /another drill is running on this stack: a living drill/ });
    } finally {
      clearInterval(renewing);
    }
    assert.deepEqual(await readdir(path.join(stateDir, 'faults')), ['run-1.json']);
  });

  it('needs no cluster where there is nothing to heal', async () => {
    assert.deepEqual(await healStack({ stateDir: path.join(directory, 'state'), kubeconfig: '/none' }), []);
  });
});
