import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from '../../automation/drill/cluster.ts';
import { Lease } from '../../automation/drill/lease.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';

const times = { durationMs: 5_000, renewEveryMs: 100, retryEveryMs: 100, requestMs: 10_000 };
const file = '/apis/coordination.k8s.io/v1/namespaces/edge/leases/kbf-drill';

describe('a Lease that others write as well', () => {
  let api: FakeKubernetes;
  let stateDir: string;
  beforeEach(async () => {
    api = await startFakeKubernetes();
    stateDir = await mkdtemp(path.join(tmpdir(), 'kbf-lease-'));
  });
  afterEach(async () => {
    await rm(stateDir, { recursive: true });
    await api[Symbol.asyncDispose]();
  });

  const take = (holder: string): Promise<Lease> => Lease.take(new Cluster(api.kubeconfig, 'east'), { namespace: 'edge', holder, stateDir, onLost: (why) => assert.fail(why) }, times);

  for (const [what, found] of [
    ['is none yet', undefined],
    ['was left by a dead drill', { metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: '0' }, spec: { holderIdentity: 'dead', renewTime: '2026-01-02T03:04:05.000Z', leaseDurationSeconds: 1 } }],
  ] as const) {
    it(`is one drill's where two take it at once, and it ${what}`, async () => {
      if (found !== undefined) api.objects.set(file, found);
      // Each has looked before the other has written.
      api.slowMs.set('kbf-drill', 300);
      const taking = await Promise.allSettled([take('ann'), take('bob')]);
      const held = taking.filter((each) => each.status === 'fulfilled');
      for (const { value } of held) await value[Symbol.asyncDispose]();
      assert.equal(held.length, 1);
      const [refused] = taking.filter((each) => each.status === 'rejected');
      assert.match(String(refused?.reason), /another drill is running on this stack: (ann|bob) \(Lease edge\/kbf-drill in cluster east, just renewed\)/);
    });
  }

  it('is made again by its holder when somebody deletes it', async () => {
    await using lease = await take('ann');
    let looked = 0;
    api.answer = (method) => {
      if (method === 'GET') looked += 1;
      return undefined;
    };
    api.objects.delete(file);
    // Who looks a second time has done by then what follows from the first.
    while (looked < 2) await delay(10);
    assert.equal((api.objects.get(file)?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity, 'ann');
    assert.equal(lease.takenFrom, undefined);
  });

  it('is deleted as it was found, and no other', async () => {
    const lease = await take('ann');
    let asked: unknown;
    let there: unknown;
    api.answer = (method, _url, body) => {
      if (method !== 'DELETE') return undefined;
      asked = body;
      there = api.objects.get(file)?.metadata;
      return undefined;
    };
    await lease[Symbol.asyncDispose]();
    const { uid, resourceVersion } = there as { uid: string; resourceVersion: string };
    assert.deepEqual((asked as { preconditions: object }).preconditions, { uid, resourceVersion });
  });

  for (const verb of ['get', 'create', 'update', 'delete']) {
    it(`is not taken by who may not ${verb} it`, async () => {
      api.denied.add(`${verb} leases`);
      await assert.rejects(take('ann'), { exitCode: 2, message: `your credentials for cluster east may not ${verb} leases in namespace edge` });
    });
  }
});
