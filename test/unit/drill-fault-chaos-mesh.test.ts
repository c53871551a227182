/** Faults by Chaos Mesh, on a stand-in of its documented contract (test/fixtures/fake-chaos-mesh.ts). Chaos Mesh itself does not run on the sandbox, and was not run. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bridgeCutFromKafka, gatewayBlackHole, regionBlackHole } from '../../automation/drill/faults/cuts.ts';
import { bridgeHang, bridgeSlow } from '../../automation/drill/faults/holds.ts';
import { healLeftovers, writeEntry } from '../../automation/drill/faults/journal.ts';
import { bridgeKill, brokerLeaderKill, gatewayKill } from '../../automation/drill/faults/kills.ts';
import { Target } from '../../automation/drill/faults/target.ts';
import type { TargetRefs } from '../../automation/drill/faults/target.ts';
import type { Drill } from '../../automation/drill/phases.ts';
import { prepareFault } from '../../automation/drill/underFault.ts';
import { installChaosMesh } from '../fixtures/fake-chaos-mesh.ts';
import type { FakeChaosMesh } from '../fixtures/fake-chaos-mesh.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';

const region = { name: 'east', context: 'east', namespace: 'apps', bridge: 'b', gateway: 'gw' };
const refs: TargetRefs = {
  run: 'run-1', region, regions: [region], lease: { context: 'east', namespace: 'apps' }, forSeconds: 10, kafka: { context: 'east', namespace: 'kafka', name: 'k' },
};
const bridgeLabels = { 'strimzi.io/kind': 'KafkaBridge', 'strimzi.io/cluster': 'b' };
const labels = { 'app.kubernetes.io/managed-by': 'kbf-drill', 'kafka-bridge-failover/run': 'run-1' };
/** 10 s, and longer than a drill holds a fault. */
const limit = '190s';
const policies = '/apis/networking.k8s.io/v1/namespaces/apps/networkpolicies/';
const networkChaos = '/apis/chaos-mesh.org/v1alpha1/namespaces/apps/networkchaos/';
const podChaos = '/apis/chaos-mesh.org/v1alpha1/namespaces/apps/podchaos/';

describe('faults by Chaos Mesh', () => {
  let api: FakeKubernetes;
  let chaos: FakeChaosMesh;
  let target: Target;
  beforeEach(async () => {
    api = await startFakeKubernetes();
    chaos = installChaosMesh(api);
    for (const name of ['b-1', 'b-2']) pod(name, bridgeLabels);
    target = new Target(api.kubeconfig, refs, { topic: 't', leader: () => Promise.resolve(2), hosts: () => Promise.resolve(['10.9.0.1', '10.9.0.2']) });
  });
  afterEach(() => api[Symbol.asyncDispose]());

  function pod(name: string, its: Record<string, string>, { namespace = 'apps', container = 'b-bridge', id = 'c-1', ips = ['10.1.0.7'] } = {}): void {
    api.objects.set(`/api/v1/namespaces/${namespace}/pods/${name}`, {
      metadata: { name, uid: `uid-${name}`, labels: its }, spec: { containers: [{ name: container }] },
      status: { phase: 'Running', podIP: ips[0], podIPs: ips.map((ip) => ({ ip })), conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [{ name: container, containerID: id, state: { running: {} } }] },
    });
  }

  function gateway(): void {
    api.objects.set('/apis/apps/v1/namespaces/apps/deployments/gw', { metadata: { name: 'gw' }, spec: { selector: { matchLabels: { app: 'gw' } } } });
    pod('gw-1', { app: 'gw' }, { container: 'istio-proxy' });
  }

  const noShell = (): void => { api.run = () => ({ exitCode: 127 }); };

  describe('that kill', () => {
    it('are made where a container has no shell, of exactly the containers that ran, and have taken hold when these run anew; the object goes with the healing', async () => {
      noShell();
      chaos.killed = (name) => { pod(name, bridgeLabels, { id: 'c-2' }); };
      const undo = await bridgeKill.prepare(target);
      assert.deepEqual(chaos.made, [], 'nothing is touched yet');
      assert.equal(bridgeKill.means?.(undo), 'by PodChaos of Chaos Mesh');
      await bridgeKill.inject(target, undo);
      const spec = { action: 'container-kill', mode: 'all', selector: { namespaces: ['apps'], pods: { apps: ['b-1', 'b-2'] } }, containerNames: ['b-bridge'] };
      assert.deepEqual(chaos.made, [{ name: 'kbf-drill-run-1-bridge-kill', kind: 'PodChaos', labels, spec }]);
      assert.equal(await bridgeKill.isEffective(target, undo), true);
      assert.equal(await bridgeKill.isHealed(target, undo), true);
      assert.equal(await bridgeKill.heal(target, undo), true);
      assert.equal(await bridgeKill.heal(target, undo), false);
      assert.ok(!api.objects.has(`${podChaos}kbf-drill-run-1-bridge-kill`));
    });

    it('have not taken hold by Chaos Mesh\'s word alone, nor against it', async () => {
      noShell();
      const undo = await bridgeKill.prepare(target);
      await bridgeKill.inject(target, undo);
      assert.equal(await bridgeKill.isEffective(target, undo), false, 'the same containers run');
      await bridgeKill.heal(target, undo);
      chaos.failing.add('b-2');
      await bridgeKill.inject(target, undo);
      for (const name of ['b-1', 'b-2']) pod(name, bridgeLabels, { id: 'c-2' });
      await assert.rejects(bridgeKill.isEffective(target, undo), { message: 'Chaos Mesh did not carry out PodChaos apps/kbf-drill-run-1-bridge-kill of cluster east: no daemon on the node of b-2' });
    });

    it('are made where exec is not allowed, of the gateway as well', async () => {
      api.denied.add('create pods/exec');
      gateway();
      await gatewayKill.inject(target, await gatewayKill.prepare(target));
      assert.deepEqual(chaos.made[0]?.spec['selector'], { namespaces: ['apps'], pods: { apps: ['gw-1'] } });
      assert.deepEqual(chaos.made[0].spec['containerNames'], ['istio-proxy']);
    });

    it('hit the broker alone that leads when they are made', async () => {
      noShell();
      for (const id of [1, 2, 12]) pod(`k-kafka-${id}`, { 'strimzi.io/cluster': 'k', 'strimzi.io/broker-role': 'true' }, { namespace: 'kafka', container: 'kafka' });
      const undo = await brokerLeaderKill.prepare(target);
      await brokerLeaderKill.inject(target, undo);
      assert.deepEqual(chaos.made.map(({ spec }) => spec['selector']), [{ namespaces: ['kafka'], pods: { kafka: ['k-kafka-2'] } }]);
      pod('k-kafka-2', { 'strimzi.io/cluster': 'k', 'strimzi.io/broker-role': 'true' }, { namespace: 'kafka', container: 'kafka', id: 'c-2' });
      assert.equal(await brokerLeaderKill.isEffective(target, undo), true);
      assert.equal(await brokerLeaderKill.heal(target, undo), true);
    });

    it('are a command in the container where that can be run', async () => {
      const undo = await bridgeKill.prepare(target);
      assert.equal(bridgeKill.means?.(undo), 'by a command in its containers');
      await bridgeKill.inject(target, undo);
      assert.deepEqual(chaos.made, []);
      assert.equal(await bridgeKill.heal(target, undo), false);
    });

    it('are not made where a container did not say whether it has a shell', async () => {
      api.run = () => ({});
      await assert.rejects(bridgeKill.prepare(target), { exitCode: 1, message: 'container b-bridge of pod apps/b-1 in cluster east did not say in time whether it has a shell' });
    });
  });

  describe('that need a shell or Chaos Mesh are refused with both reasons', () => {
    const shell = 'container b-bridge of pod apps/b-1 in cluster east has no shell with sleep and cat, so nothing can be signalled in it';
    const refusedBy = async (why: string): Promise<void> => { await assert.rejects(bridgeKill.prepare(target), { exitCode: 2, message: `${shell}, and ${why}` }); };
    beforeEach(noShell);

    it('where it is not installed', async () => {
      api.objects.delete('/apis/chaos-mesh.org/v1alpha1');
      await refusedBy('Chaos Mesh is not installed in cluster east (no PodChaos of chaos-mesh.org/v1alpha1)');
      await assert.rejects(bridgeSlow.prepare(target), { exitCode: 2, message: `${shell}, and Chaos Mesh is not installed in cluster east (no NetworkChaos of chaos-mesh.org/v1alpha1)` });
    });

    it('where its objects may not be made', async () => {
      api.denied.add('create podchaos');
      await refusedBy('for Chaos Mesh your credentials for cluster east may not create podchaos in namespace apps');
    });

    it('where its own admission says no, which is asked before anything is made', async () => {
      chaos.forbidden = 'me is forbidden on namespace apps';
      await refusedBy('Chaos Mesh does not take it: PodChaos apps/kbf-drill-run-1-bridge-kill is refused in cluster east: 403 admission webhook "vauth.kb.io" denied the request: me is forbidden on namespace apps');
      assert.deepEqual(chaos.made, []);
    });

    it('where it was removed, and its kinds are still there', async () => {
      chaos.admits = false;
      await refusedBy('Chaos Mesh is not running in cluster east (its admission takes anything)');
      assert.deepEqual(chaos.made, []);
    });

    it('and where it has nothing of that kind, that is said', async () => {
      await assert.rejects(bridgeHang.prepare(target), { exitCode: 2, message: `${shell}, and Chaos Mesh has nothing that stops a process and lets it go on` });
    });
  });

  describe('that cut off the network', () => {
    it('are made by it before policies: all packets from and to the pods, for a time that ends by itself', async () => {
      gateway();
      const undo = await gatewayBlackHole.prepare(target);
      assert.equal(gatewayBlackHole.means?.(undo), 'by NetworkChaos of Chaos Mesh');
      await gatewayBlackHole.inject(target, undo);
      const spec = { action: 'partition', mode: 'all', selector: { namespaces: ['apps'], labelSelectors: { app: 'gw' }, podPhaseSelectors: ['Running'] }, direction: 'both', duration: limit };
      assert.deepEqual(chaos.made, [{ name: 'kbf-drill-run-1-gateway', kind: 'NetworkChaos', labels, spec }]);
      assert.equal(await gatewayBlackHole.isEffective(target, undo), true);
      assert.ok(![...api.objects.keys()].some((file) => file.startsWith(policies)));
    });

    it('name every address of a broker, by which alone no packet comes or goes', async () => {
      await bridgeCutFromKafka.inject(target, await bridgeCutFromKafka.prepare(target));
      assert.deepEqual(chaos.made[0]?.spec['externalTargets'], ['10.9.0.1/32', '10.9.0.2/32']);
      assert.equal(chaos.made[0].spec['direction'], 'both');
    });

    it('of a region are several objects, healed together', async () => {
      gateway();
      pod('istiod-1', { app: 'istiod' }, { namespace: 'mesh', container: 'discovery' });
      const answer = api.answer;
      const istiod = { metadata: { name: 'istiod-1', namespace: 'mesh', labels: { app: 'istiod' } } };
      api.answer = (method, url, body) => (url.pathname === '/api/v1/pods' ? [200, { items: [istiod] }] : answer(method, url, body));
      const undo = await regionBlackHole.prepare(target);
      await regionBlackHole.inject(target, undo);
      assert.deepEqual(chaos.made.map(({ name }) => name).sort(), ['kbf-drill-run-1-bridge', 'kbf-drill-run-1-gateway', 'kbf-drill-run-1-istiod']);
      assert.deepEqual([await regionBlackHole.isEffective(target, undo), await regionBlackHole.isHealed(target, undo)], [true, false]);
      assert.deepEqual([await regionBlackHole.heal(target, undo), await regionBlackHole.heal(target, undo), await regionBlackHole.isHealed(target, undo)], [true, false, true]);
    });

    it('are undone when Chaos Mesh has let go of its object, and not before', async () => {
      const undo = await bridgeCutFromKafka.prepare(target);
      await bridgeCutFromKafka.inject(target, undo);
      chaos.slowToRecover = 3;
      assert.equal(await bridgeCutFromKafka.heal(target, undo), true);
      assert.equal(await bridgeCutFromKafka.isHealed(target, undo), true);
      assert.ok(!api.objects.has(`${networkChaos}kbf-drill-run-1-bridge`));
    });

    it('are gone once there is a pod that it did not select, or its object is deleted or has ended', async () => {
      const undo = await bridgeCutFromKafka.prepare(target);
      await bridgeCutFromKafka.inject(target, undo);
      const lasts = async (): Promise<boolean | undefined> => await bridgeCutFromKafka.lasts?.(target, undo);
      assert.equal(await lasts(), true);
      pod('b-3', bridgeLabels);
      assert.equal(await lasts(), false);
      await assert.rejects(bridgeCutFromKafka.isEffective(target, undo), { message: /: it did not select pod apps\/b-3$/ });
      api.objects.delete('/api/v1/namespaces/apps/pods/b-3');
      assert.equal(await lasts(), true);
      const object = api.objects.get(`${networkChaos}kbf-drill-run-1-bridge`);
      Object.assign(object?.['status'] as object, { conditions: [{ type: 'Selected', status: 'True' }, { type: 'AllInjected', status: 'False' }, { type: 'AllRecovered', status: 'True' }] });
      assert.equal(await lasts(), false);
      await bridgeCutFromKafka.heal(target, undo);
      assert.equal(await lasts(), false);
    });

    it('say why they did not take hold: a controller that does not look, a namespace that is not enabled', async () => {
      const says = async (change: Partial<FakeChaosMesh>, message: RegExp): Promise<void> => {
        Object.assign(chaos, { works: true, selects: true }, change);
        const undo = await bridgeCutFromKafka.prepare(target);
        await bridgeCutFromKafka.inject(target, undo);
        await assert.rejects(bridgeCutFromKafka.isEffective(target, undo), { name: 'UserError', message });
        await bridgeCutFromKafka.heal(target, undo);
      };
      await says({ works: false }, /^Chaos Mesh did not carry out NetworkChaos apps\/kbf-drill-run-1-bridge of cluster east: its controller says nothing of it/);
      await says({ selects: false }, /enableFilterNamespace, namespace apps needs the annotation chaos-mesh\.org\/inject=enabled$/);
    });

    it('are made by policies where it may not, or cannot: it knows IPv4 alone', async () => {
      gateway();
      const means = async (): Promise<string | undefined> => gatewayBlackHole.means?.(await gatewayBlackHole.prepare(target));
      api.denied.add('create networkchaos');
      assert.equal(await means(), 'by NetworkPolicies');
      api.denied.clear();
      pod('gw-1', { app: 'gw' }, { container: 'istio-proxy', ips: ['10.1.0.7', 'fd00::7'] });
      assert.equal(await means(), 'by NetworkPolicies');
      api.objects.set(`${policies}theirs`, { metadata: { name: 'theirs' }, spec: { podSelector: {}, ingress: [{}] } });
      await assert.rejects(means, { exitCode: 2, message: /^NetworkPolicy apps\/theirs in cluster east allows .*, and Chaos Mesh cuts IPv4 alone, and there is fd00::7 in cluster east$/ });
    });

    it('are made by policies where Chaos Mesh was removed and its kinds are still there, or something else refuses what it would', async () => {
      const means = async (): Promise<string | undefined> => bridgeCutFromKafka.means?.(await bridgeCutFromKafka.prepare(target));
      chaos.admits = false;
      assert.equal(await means(), 'by NetworkPolicies');
      const answer = api.answer;
      api.answer = (method, url, body) => ((body as { spec?: { duration?: string } } | undefined)?.spec?.duration === 'none' ? [422, { message: 'spec.duration: Invalid value: "none"' }] : answer(method, url, body));
      assert.equal(await means(), 'by NetworkPolicies');
      api.answer = answer;
      chaos.admits = true;
      assert.equal(await means(), 'by NetworkChaos of Chaos Mesh');
      assert.deepEqual(chaos.made, []);
    });

    it('are made by neither on Cilium, whose policies know no pod by its address, but where everything is cut', async () => {
      gateway();
      const answer = api.answer;
      api.answer = (method, url, body) => (url.pathname === '/apis' ? [200, { kind: 'APIGroupList', groups: [{ name: 'cilium.io', versions: [] }] }] : answer(method, url, body));
      chaos.admits = false;
      await assert.rejects(bridgeCutFromKafka.prepare(target), { exitCode: 2, message: /^cluster east has Cilium, .*, and Chaos Mesh is not running in cluster east/ });
      assert.equal(gatewayBlackHole.means?.(await gatewayBlackHole.prepare(target)), 'by NetworkPolicies');
      chaos.admits = true;
      assert.equal(bridgeCutFromKafka.means?.(await bridgeCutFromKafka.prepare(target)), 'by NetworkChaos of Chaos Mesh');
    });

    it('take no heed of policies that allow what is cut', async () => {
      api.objects.set(`${policies}theirs`, { metadata: { name: 'theirs' }, spec: { podSelector: {}, egress: [{}] } });
      assert.equal(bridgeCutFromKafka.means?.(await bridgeCutFromKafka.prepare(target)), 'by NetworkChaos of Chaos Mesh');
    });

    it('are refused where another drill left an object, whichever way they would be made', async () => {
      api.objects.set(`${networkChaos}old`, { metadata: { name: 'old', labels: { ...labels, 'kafka-bridge-failover/run': 'run-0' } }, spec: {} });
      const refusal = { exitCode: 2, message: /^NetworkChaos apps\/old in cluster east was left by drill run-0,/, remedy: /kubectl --context east --namespace apps delete networkchaos old$/ };
      await assert.rejects(bridgeCutFromKafka.prepare(target), refusal);
      api.denied.add('create networkchaos');
      await assert.rejects(bridgeCutFromKafka.prepare(target), refusal);
    });
  });

  describe('that slow bridges down', () => {
    it('hold up what leaves the pods where they have no shell, and end by themselves', async () => {
      noShell();
      const undo = await bridgeSlow.prepare(target);
      assert.equal(bridgeSlow.means?.(undo), 'late packets, by NetworkChaos of Chaos Mesh');
      await bridgeSlow.inject(target, undo);
      const spec = { action: 'delay', mode: 'all', selector: { namespaces: ['apps'], labelSelectors: bridgeLabels, podPhaseSelectors: ['Running'] }, direction: 'to', delay: { latency: '100ms' }, duration: limit };
      assert.deepEqual(chaos.made, [{ name: 'kbf-drill-run-1-bridge-slow', kind: 'NetworkChaos', labels, spec }]);
      assert.deepEqual([await bridgeSlow.isEffective(target, undo), await bridgeSlow.lasts?.(target, undo)], [true, true]);
      pod('b-3', bridgeLabels);
      assert.equal(await bridgeSlow.lasts?.(target, undo), false);
      assert.deepEqual([await bridgeSlow.heal(target, undo), await bridgeSlow.heal(target, undo)], [true, false]);
    });

    it('are a command in the container where that can be run', async () => {
      const undo = await bridgeSlow.prepare(target);
      await bridgeSlow.inject(target, undo);
      assert.match(api.scripts.at(-1) ?? '', /kill -STOP -1; sleep 0\.1/);
      assert.deepEqual(chaos.made, []);
    });
  });

  it('say in the report by which means they were made', async () => {
    const drill = { plan: { run: 'run-1', durationSeconds: 30 }, outputs: { regions: [region], kafka: {}, tier1: undefined }, options: { kubeconfig: api.kubeconfig } } as unknown as Drill;
    const textOf = async (fault: string): Promise<string> => (await prepareFault(drill, { kind: 'do', fault, region: 'east' }, target.kafkaView)).text;
    assert.equal(await textOf('bridge-kill'), 'the pods of KafkaBridge apps/b in cluster east (by a command in its containers)');
    assert.equal(await textOf('bridge-cut-from-kafka'), 'the network from KafkaBridge apps/b in cluster east to Kafka\'s brokers (by NetworkChaos of Chaos Mesh)');
    assert.equal(await textOf('bridge-hang'), 'the processes of KafkaBridge apps/b in cluster east');
  });

  it('are healed from the journal after their driver was killed, once', async () => {
    const stateDir = await mkdtemp(path.join(tmpdir(), 'kbf-chaos-'));
    const undo = await bridgeCutFromKafka.prepare(target);
    await writeEntry(stateDir, { schema: 'kbf-fault/2', run: 'run-1', fault: 'bridge-cut-from-kafka', target: 'it', refs, undo, at: '2026-01-01T00:00:00Z' });
    await bridgeCutFromKafka.inject(target, undo);
    assert.deepEqual((await healLeftovers({ stateDir, kubeconfig: api.kubeconfig })).map(({ now }) => now), ['healed']);
    assert.ok(!api.objects.has(`${networkChaos}kbf-drill-run-1-bridge`));
    assert.deepEqual(await readdir(path.join(stateDir, 'faults')), []);
    await rm(stateDir, { recursive: true, force: true });
  });
});
