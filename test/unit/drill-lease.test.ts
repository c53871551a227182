import assert from 'node:assert/strict';
import { Cluster } from '../../automation/drill/cluster.ts';
import { Lease } from '../../automation/drill/lease.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';

const times = { durationMs: 800, renewEveryMs: 100 };
const file = '/apis/coordination.k8s.io/v1/namespaces/edge/leases/kbf-drill';

describe('the Lease of a stack', () => {
  let api: FakeKubernetes;
  beforeEach(async () => { api = await startFakeKubernetes(); });
  let held: AsyncDisposableStack;
  beforeEach(() => { held = new AsyncDisposableStack(); });
  afterEach(async () => {
    await held.disposeAsync();
    await api[Symbol.asyncDispose]();
  });

  const take = (holder: string, onLost: (why: string) => void = () => undefined): Promise<Lease> =>
    Lease.take(new Cluster(api.kubeconfig, 'east'), { namespace: 'edge', holder, onLost }, times);
  const holder = (): unknown => (api.objects.get(file)?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity;

  it('is one drill\'s, and says whose it is to the second', async () => {
    held.use(await take('ann'));
    await assert.rejects(take('bob'), { exitCode: 2, message: /another drill is running on this stack: ann \(Lease edge\/kbf-drill in cluster east/ });
    assert.equal(holder(), 'ann');
  });

  it('is free at once when a drill has ended', async () => {
    await (await take('ann'))[Symbol.asyncDispose]();
    assert.equal(api.objects.has(file), false);
    held.use(await take('bob'));
    assert.equal(holder(), 'bob');
  });

  it('is taken over from a holder that renews it no more', async () => {
    api.objects.set(file, { metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: '0' }, spec: { holderIdentity: 'dead', renewTime: new Date().toISOString(), leaseDurationSeconds: 1, leaseTransitions: 4 } });
    held.use(await take('ann'));
    assert.equal(holder(), 'ann');
    assert.equal((api.objects.get(file)?.['spec'] as { leaseTransitions: number }).leaseTransitions, 5);
  });

  it('tells who lost it, and leaves it to the new holder', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const lease = await take('ann', resolve);
    api.objects.set(file, { metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: '99' }, spec: { holderIdentity: 'bob' } });
    assert.match(await promise, /taken over by another drill: bob/);
    await lease[Symbol.asyncDispose]();
    assert.equal(holder(), 'bob');
  });

  it('is refused without the right to write it', async () => {
    api.denied.add('create leases');
    await assert.rejects(take('ann'), { exitCode: 2, message: 'your credentials for cluster east may not create leases in namespace edge' });
    assert.equal(api.objects.size, 0);
  });
});
