import assert from 'node:assert/strict';
import { mkdtemp, mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from '../../automation/drill/cluster.ts';
import { isNoted, noteHolder } from '../../automation/drill/last-holder.ts';
import { Lease, times as usual } from '../../automation/drill/lease.ts';
import type { SeenLease } from '../../automation/drill/lease.ts';
import { leaseAwayMs } from '../../automation/drill/place.ts';
import type { Plan } from '../../automation/drill/plan.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';

const times = { durationMs: 800, renewEveryMs: 100, retryEveryMs: 100, requestMs: 10_000 };
const file = '/apis/coordination.k8s.io/v1/namespaces/edge/leases/kbf-drill';

describe('the Lease of a stack', () => {
  let api: FakeKubernetes;
  beforeEach(async () => { api = await startFakeKubernetes(); });
  let held: AsyncDisposableStack;
  let stateDir: string;
  beforeEach(async () => {
    held = new AsyncDisposableStack();
    stateDir = await mkdtemp(path.join(tmpdir(), 'kbf-lease-'));
  });
  afterEach(async () => {
    await held.disposeAsync();
    await rm(stateDir, { recursive: true });
    await api[Symbol.asyncDispose]();
  });

  const take = (holder: string, onLost: (why: string) => void = () => undefined, awayMs = 0): Promise<Lease> =>
    Lease.take(new Cluster(api.kubeconfig, 'east'), { namespace: 'edge', holder, stateDir, onLost, awayMs }, times);
  const holder = (): unknown => (api.objects.get(file)?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity;

  it('is one drill\'s, and says whose it is to the second', async () => {
    held.use(await take('ann'));
    await assert.rejects(take('bob'), { exitCode: 2, code: 'drill-running', message: /another drill is running on this stack: ann \(Lease edge\/kbf-drill in cluster east/ });
    assert.equal(holder(), 'ann');
  });

  it('is free at once when a drill has ended', async () => {
    await (await take('ann'))[Symbol.asyncDispose]();
    assert.equal(api.objects.has(file), false);
    held.use(await take('bob'));
    assert.equal(holder(), 'bob');
  });

  /** As a driver leaves it that is killed. */
  const leave = (): void => {
    api.objects.set(file, { metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: '0' }, spec: { holderIdentity: 'dead', renewTime: '2026-01-02T03:04:05.000Z', leaseDurationSeconds: 1, leaseTransitions: 4 } });
  };
  const left = { context: 'east', namespace: 'edge', holder: 'dead', at: '2026-01-02T03:04:05.000Z' };

  it('is taken over from a holder that renews it no more, and says from whom', async () => {
    leave();
    const lease = held.use(await take('ann'));
    assert.equal(holder(), 'ann');
    assert.equal((api.objects.get(file)?.['spec'] as { leaseTransitions: number }).leaseTransitions, 5);
    assert.deepEqual(lease.takenFrom, left);
  });

  it('says nothing of a dead holder whose journal is here, as that is healed', async () => {
    leave();
    await noteHolder(stateDir, 'dead');
    assert.equal(held.use(await take('ann')).takenFrom, undefined);
    assert.ok(await isNoted(stateDir, 'ann'));
  });

  describe('looked at', () => {
    const look = (): Promise<unknown> => Lease.look(new Cluster(api.kubeconfig, 'east'), { namespace: 'edge', stateDir }, times);

    it('is nobody\'s after an orderly end', async () => {
      await (await take('ann'))[Symbol.asyncDispose]();
      assert.equal(await look(), undefined);
      assert.equal(await isNoted(stateDir, 'ann'), false);
    });

    it('is that of a drill that goes on', async () => {
      held.use(await take('ann'));
      const { holder: whose, goesOn } = await look() as SeenLease;
      assert.deepEqual([whose, goesOn], ['ann', true]);
      assert.equal(holder(), 'ann');
    });

    it('stays where its holder died elsewhere, so that it is told again', async () => {
      leave();
      await noteHolder(stateDir, 'another');
      assert.deepEqual(await look(), { ...left, goesOn: false });
      assert.equal(holder(), 'dead');
    });

    it('is taken away where its holder died here, whose journal is empty', async () => {
      leave();
      await noteHolder(stateDir, 'dead');
      assert.equal(await look(), undefined);
      assert.equal(api.objects.has(file), false);
    });

    it('says why it could not be', async () => {
      api.answer = (method) => (method === 'GET' ? [403, { message: 'leases is forbidden' }] : undefined);
      await assert.rejects(look(), { name: 'UserError', message: 'Lease edge/kbf-drill cannot be read in cluster east: 403 leases is forbidden' });
    });
  });

  it('is not taken from a living holder whose clock is behind and whose renewal takes long', async () => {
    const spec = { holderIdentity: 'bob', renewTime: '2020-01-01T00:00:00.000Z', leaseDurationSeconds: 1 };
    api.objects.set(file, { metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: '0' }, spec });
    const taking = assert.rejects(take('ann'), { exitCode: 2, message: /another drill is running on this stack: bob/ });
    await delay(500);
    api.objects.set(file, { metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: '1' }, spec: { ...spec, renewTime: '2020-01-01T00:00:01.000Z' } });
    await taking;
    assert.equal(holder(), 'bob');
  });

  it('tells who lost it, and leaves it to the new holder', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const lease = await take('ann', resolve);
    api.objects.set(file, { metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: '99' }, spec: { holderIdentity: 'bob' } });
    assert.match(await promise, /taken over by another drill: bob/);
    await lease[Symbol.asyncDispose]();
    assert.equal(holder(), 'bob');
  });

  it('may be another\'s when it could not be renewed for its duration, which its holder is told then, and not before', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    held.use(await take('ann', resolve));
    const heard = (ms: number): Promise<string> => Promise.race([promise, delay(ms, 'nothing')]);
    // Calls that take longer than the duration, as through a network that lets nothing through.
    api.slowMs.set('kbf-drill', 3_000);
    assert.equal(await heard(400), 'nothing');
    assert.equal(await heard(1_200), 'Lease edge/kbf-drill in cluster east could not be renewed for 0.8 s: another drill may have the stack by now');
  });

  it('outlives requests that hang: each is given up early, and the next one is soon', async () => {
    const { durationMs, renewEveryMs, retryEveryMs, requestMs } = usual;
    assert.ok(renewEveryMs + 2 * (requestMs + retryEveryMs) < durationMs);
    const lost: string[] = [];
    await using lease = await Lease.take(new Cluster(api.kubeconfig, 'east'), { namespace: 'edge', holder: 'ann', stateDir, onLost: (why) => lost.push(why) },
      { durationMs: 9_000, renewEveryMs: 100, retryEveryMs: 100, requestMs: 1_500 });
    const renewed = (): unknown => (api.objects.get(file)?.['spec'] as { renewTime: string } | undefined)?.renewTime;
    const before = renewed();
    let asked = 0;
    api.answer = (method) => {
      asked += 1;
      return (asked === 1 && method === 'GET') || (asked === 3 && method === 'PUT') ? 'never' : undefined;
    };
    while (renewed() === before && lost.length === 0) await delay(20);
    assert.deepEqual(lost, []);
    assert.ok(asked > 4 && lease.takenFrom === undefined);
  });

  it('lasts longer where its holder keeps itself from renewing it, for everybody', async () => {
    const lost: string[] = [];
    held.use(await take('ann', (why) => lost.push(why), 3_000));
    api.slowMs.set('kbf-drill', 1_500);
    await delay(1_300);
    assert.deepEqual(lost, []);
    assert.equal((api.objects.get(file)?.['spec'] as { leaseDurationSeconds: number }).leaseDurationSeconds, 4);
  });

  it('of a plan lasts as long as it stops the API server that keeps it, and of other API servers no longer', () => {
    const region = { context: 'east', namespace: 'edge', bridge: 'b', gatewayAddress: '' };
    const outputs = { hostname: 'h', tier1Address: '', kafka: { bootstrapServers: '' }, regions: [{ ...region, name: 'east' }, { ...region, name: 'west', context: 'west' }] };
    const awayMs = (fault: string, region: string, forSeconds?: number): number => leaseAwayMs({ durationSeconds: 30, steps: [{ kind: 'do', fault, region, ...(forSeconds === undefined ? {} : { forSeconds }) }] } as unknown as Plan, outputs, api.kubeconfig);
    assert.deepEqual([awayMs('api-server-down', 'east'), awayMs('api-server-down', 'east', 60), awayMs('api-server-down', 'west'), awayMs('bridge-kill', 'east')], [10_000, 60_000, 0, 0]);
  });

  it('of a plan lasts as long also where another context is the same cluster', async () => {
    await using directory = await mkdtempDisposable(path.join(tmpdir(), 'kbf-lease-'));
    const kubeconfig = path.join(directory.path, 'kubeconfig');
    const cluster = (name: string, server: string): object => ({ name, cluster: { server } });
    const contexts = ['east', 'central', 'west'].map((name) => ({ name, context: { cluster: name, user: name === 'central' ? 'plugin' : 'u' } }));
    await writeFile(kubeconfig, JSON.stringify({ clusters: [cluster('east', 'https://one:6443'), cluster('central', 'https://one:6443/'), cluster('west', 'https://two:6443')], users: [{ name: 'u', user: {} }, { name: 'plugin', user: { exec: { command: 'login' } } }], contexts }));
    const region = { namespace: 'edge', bridge: 'b', gatewayAddress: '' };
    const outputs = {
      hostname: 'h', tier1Address: '', kafka: { bootstrapServers: '' }, tier1: { context: 'central', namespace: 'edge', gateway: 't' }, regions: ['east', 'west'].map((name) => ({ ...region, name, context: name })),
    };
    const awayMs = (name: string): number => leaseAwayMs({ durationSeconds: 30, steps: [{ kind: 'do', fault: 'api-server-down', region: name }] } as unknown as Plan, outputs, kubeconfig);
    assert.deepEqual([awayMs('east'), awayMs('west')], [10_000, 0]);
  });

  it('is refused without the right to write it', async () => {
    api.denied.add('create leases');
    await assert.rejects(take('ann'), { exitCode: 2, message: 'your credentials for cluster east may not create leases in namespace edge' });
    assert.equal(api.objects.size, 0);
  });
});
