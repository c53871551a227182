import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../errors.ts';
import { expectationsOf } from '../../automation/drill/expectations.ts';
import { bridgeCutFromKafka, regionBlackHole } from '../../automation/drill/faults/cuts.ts';
import { apiServerDown, bothRegionsBlip, bridgeHang, bridgeSlow } from '../../automation/drill/faults/holds.ts';
import { bridgeKill, bridgeTerminate, brokerLeaderKill } from '../../automation/drill/faults/kills.ts';
import { operatorDown } from '../../automation/drill/faults/scalings.ts';
import { cutAll, policiesThere } from '../../automation/drill/faults/policies.ts';
import type { Cut } from '../../automation/drill/faults/policies.ts';
import { Target } from '../../automation/drill/faults/target.ts';
import type { TargetRefs } from '../../automation/drill/faults/target.ts';
import { unhonoured } from '../../sandbox/agent/network-policy.ts';
import type { NetworkPolicy } from '../../sandbox/agent/network-policy.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';

const region = { name: 'east', context: 'east', namespace: 'apps', bridge: 'b', gateway: 'gw' };
const refs: TargetRefs = {
  run: 'run-1', region, regions: [region], lease: { context: 'east', namespace: 'apps' }, forSeconds: 10, kafka: { context: 'east', namespace: 'kafka', name: 'k' },
};
const bridge = { namespace: 'apps', name: 'b-1', container: 'b-bridge' };
const bridgeLabels = { 'strimzi.io/kind': 'KafkaBridge', 'strimzi.io/cluster': 'b' };
const noChaos = (kind: string): string => `Chaos Mesh is not installed in cluster east (no ${kind} of chaos-mesh.org/v1alpha1)`;
const policies = '/apis/networking.k8s.io/v1/namespaces/apps/networkpolicies/';

describe('faults', () => {
  let api: FakeKubernetes;
  let target: Target;
  beforeEach(async () => {
    api = await startFakeKubernetes();
    pod(bridge, bridgeLabels);
    target = new Target(api.kubeconfig, refs, { topic: 't', leader: () => Promise.resolve(2), hosts: () => Promise.resolve(['10.9.0.1', '10.9.0.2']) });
  });
  afterEach(() => api[Symbol.asyncDispose]());

  /** A ready pod; the same again is another run of its container. */
  function pod({ namespace, name, container }: { namespace: string; name: string; container: string }, labels: Record<string, string>, id = 'c-1', endedAt?: string): void {
    api.objects.set(`/api/v1/namespaces/${namespace}/pods/${name}`, {
      metadata: { name, uid: `uid-${name}`, labels }, spec: { containers: [{ name: container }] },
      status: {
        phase: 'Running', podIP: '10.1.0.7', conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [{ name: container, containerID: id, state: { running: {} }, ...(endedAt === undefined ? {} : { lastState: { terminated: { exitCode: 137, finishedAt: endedAt } } }) }],
      },
    });
  }

  it('that kill have taken hold when the container runs anew, and not before', async () => {
    const undo = await bridgeKill.prepare(target);
    await bridgeKill.inject(target, undo);
    assert.equal(api.scripts.at(-1), 'b-1/b-bridge: kill -KILL -1');
    assert.equal(await bridgeKill.isEffective(target, undo), false);
    assert.equal(await bridgeKill.isHealed(target, undo), false);
    pod(bridge, bridgeLabels, 'c-2');
    assert.equal(await bridgeKill.isEffective(target, undo), true);
    assert.equal(await bridgeKill.isHealed(target, undo), true);
  });

  it('that delete pods have taken hold when the pods are gone, and are over when as many others are ready', async () => {
    const undo = await bridgeTerminate.prepare(target);
    assert.equal(await bridgeTerminate.isEffective(target, undo), false);
    await bridgeTerminate.inject(target, undo);
    assert.deepEqual([await bridgeTerminate.isEffective(target, undo), await bridgeTerminate.isHealed(target, undo)], [true, false]);
    pod({ ...bridge, name: 'b-2' }, bridgeLabels);
    assert.equal(await bridgeTerminate.isHealed(target, undo), true);
  });

  it('that kill have pods made anew first whose containers the kubelet would make wait, where that is allowed', async () => {
    const isRefreshed = async (endedAt?: Date): Promise<boolean> => {
      pod(bridge, bridgeLabels, 'c-2', endedAt?.toISOString());
      return await bridgeKill.refresh?.(target, await bridgeKill.prepare(target)) !== undefined;
    };
    const ago = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
    assert.equal(await isRefreshed(), false);
    assert.equal(await isRefreshed(ago(11)), false);
    api.denied.add('delete pods');
    assert.equal(await isRefreshed(ago(1)), false);
    assert.ok(api.objects.has('/api/v1/namespaces/apps/pods/b-1'));
    api.denied.clear();
    assert.equal(await isRefreshed(ago(1)), true);
    assert.ok(!api.objects.has('/api/v1/namespaces/apps/pods/b-1'));
  });

  it('that kill wait for those pods alone that they have made anew, where others need not be', async () => {
    pod(bridge, bridgeLabels, 'c-1', new Date(Date.now() - 60_000).toISOString());
    pod({ ...bridge, name: 'b-2' }, bridgeLabels);
    const anew = await bridgeKill.refresh?.(target, await bridgeKill.prepare(target)) ?? assert.fail('nothing was made anew');
    assert.deepEqual([api.objects.has('/api/v1/namespaces/apps/pods/b-1'), api.objects.has('/api/v1/namespaces/apps/pods/b-2')], [false, true]);
    assert.equal(await bridgeKill.isHealed(target, anew), false, 'one is missing');
    pod({ ...bridge, name: 'b-3' }, bridgeLabels);
    assert.equal(await bridgeKill.isHealed(target, anew), true);
  });

  it('of the operator stop those that look after the bridge, and name them; others go on', async () => {
    const operator = (namespace: string, env: object[]): object => ({
      metadata: { namespace, name: 'operator', uid: `uid-${namespace}`, resourceVersion: '1' },
      spec: { replicas: 1, selector: { matchLabels: { name: 'operator' } }, template: { metadata: { labels: { 'strimzi.io/kind': 'cluster-operator' } }, spec: { containers: [{ env }] } } },
    });
    const watching = (value: string): object[] => [{ name: 'STRIMZI_NAMESPACE', value }];
    const hit = async (...deployments: object[]): Promise<string[]> => {
      const scaled: string[] = [];
      api.answer = (method, { pathname }) => {
        if (pathname === '/apis/apps/v1/deployments') return [200, { items: deployments }];
        const [, namespace, scale] = /^\/apis\/apps\/v1\/namespaces\/(.+)\/deployments\/operator(\/scale)?$/.exec(pathname) ?? [];
        if (namespace === undefined) return undefined;
        if (method === 'PATCH' && scale !== undefined) scaled.push(namespace);
        return [200, operator(namespace, [])];
      };
      const undo = await operatorDown.prepare(target);
      assert.equal(operatorDown.describe(target), 'Strimzi\'s operator of namespace apps in cluster east');
      await operatorDown.inject(target, undo);
      assert.deepEqual(operatorDown.means?.(undo), scaled.map((namespace) => `${namespace}/operator`).join(', '));
      return scaled;
    };
    assert.deepEqual(await hit(operator('strimzi', watching('team-a,apps')), operator('team-b', watching('team-b'))), ['strimzi']);
    assert.deepEqual(await hit(operator('all', watching('*')), operator('silent', [])), ['all', 'silent']);
    await assert.rejects(hit(operator('team-b', watching('team-b'))), { exitCode: 2, message: /no Deployment of Strimzi's operator .* that watches namespace apps \(cluster east\)$/ });
  });

  it('of a broker hit the one that leads', async () => {
    const labels = { 'strimzi.io/cluster': 'k', 'strimzi.io/broker-role': 'true' };
    for (const id of [1, 2, 12]) pod({ namespace: 'kafka', name: `k-kafka-${id}`, container: 'kafka' }, labels);
    const undo = await brokerLeaderKill.prepare(target);
    await brokerLeaderKill.inject(target, undo);
    assert.deepEqual(api.scripts.filter((script) => script.includes('KILL')), ['k-kafka-2/kafka: kill -KILL -1']);
  });

  it('of a broker hit nobody, and say so, where the one that leads did not run when they were prepared', async () => {
    pod({ namespace: 'kafka', name: 'k-kafka-1', container: 'kafka' }, { 'strimzi.io/cluster': 'k', 'strimzi.io/broker-role': 'true' });
    const undo = await brokerLeaderKill.prepare(target);
    await assert.rejects(brokerLeaderKill.inject(target, undo), { name: 'UserError', message: 'the broker that leads, 2, did not run when the drill began' });
    assert.ok(api.scripts.every((script) => !script.includes('KILL')), api.scripts.join('\n'));
  });

  it('that need a shell are refused without the right, and without a shell, before anything is signalled', async () => {
    api.denied.add('create pods/exec');
    await assert.rejects(bridgeKill.prepare(target), { exitCode: 2, message: `your credentials for cluster east may not create pods/exec in namespace apps, and ${noChaos('PodChaos')}` });
    api.denied.clear();
    api.run = () => ({ exitCode: 127 });
    await assert.rejects(bridgeHang.prepare(target), { exitCode: 2, message: /^container b-bridge of pod apps\/b-1 in cluster east has no shell with sleep and cat, so nothing can be signalled in it, and Chaos Mesh has nothing that stops a process and lets it go on$/ });
    assert.ok(api.scripts.every((script) => !script.includes('kill')), api.scripts.join('\n'));
  });

  it('say pod, container and cluster when the API server refuses a shell after all', async () => {
    api.run = () => ({ refused: 'pods "b-1" is forbidden' });
    await assert.rejects(bridgeKill.prepare(target), { exitCode: 1, message: 'no shell could be run in container b-bridge of pod apps/b-1 in cluster east: 403 pods "b-1" is forbidden' });
  });

  it('that stop a process end by themselves, and only containers of the same run are let go on', async () => {
    const undo = await bridgeHang.prepare(target);
    const beginMs = performance.now();
    await bridgeHang.inject(target, undo);
    assert.ok(performance.now() - beginMs > 300, 'who asks before the script stops everything is stopped as well');
    assert.match(api.scripts.at(-1) ?? '', /kbf-drill-run-1; sleep 0\.3; kill -STOP -1; sleep 70; kill -CONT -1/);
    api.run = () => ({ exitCode: 10 });
    assert.equal(await bridgeHang.heal(target, undo), true);
    assert.doesNotMatch(api.scripts.at(-1) ?? '', /kbf-drill-run-1\*/, 'it would find itself');
    const run = api.scripts.length;
    pod(bridge, bridgeLabels, 'c-2');
    assert.equal(await bridgeHang.heal(target, undo), false);
    assert.equal(api.scripts.length, run);
  });

  it('of an API server are refused where it is no pod', async () => {
    await assert.rejects(apiServerDown.prepare(target), { exitCode: 2, message: /^no container kube-apiserver runs in the pods component=kube-apiserver,tier=control-plane .*, and Chaos Mesh has nothing that stops a process/ });
  });

  it('that stop a process are over when its container is another, as the kubelet has it; that one by turns runs is no sign', async () => {
    const undo = await bridgeHang.prepare(target);
    const lasts = async (): Promise<(boolean | undefined)[]> => [await bridgeHang.lasts?.(target, undo), await bridgeSlow.lasts?.(target, undo)];
    assert.deepEqual(await lasts(), [true, true]);
    api.run = () => ({ exitCode: 1 });
    assert.deepEqual(await lasts(), [false, true]);
    api.run = () => ({ exitCode: 0 });
    pod(bridge, bridgeLabels, 'c-2');
    assert.deepEqual(await lasts(), [false, false]);
  });

  it('that cut off the network are refused where another policy of the same pods allows something of it', async () => {
    const allow = { ports: [{ port: 8080 }] };
    const isRefused = async (spec: object): Promise<boolean> => {
      api.objects.set(`${policies}theirs`, { metadata: { name: 'theirs' }, spec });
      return await bridgeCutFromKafka.prepare(target).then(() => false, (error: unknown) => {
        assert.ok(error instanceof UserError && error.exitCode === 2, String(error));
        assert.match(error.message, /^NetworkPolicy apps\/theirs in cluster east allows traffic of the pods that are to be cut off \(strimzi\.io\/kind=KafkaBridge,strimzi\.io\/cluster=b\): /);
        return true;
      });
    };
    assert.deepEqual([
      await isRefused({ podSelector: {}, policyTypes: ['Egress'], egress: [allow] }),
      await isRefused({ podSelector: { matchExpressions: [{ key: 'strimzi.io/cluster', operator: 'In', values: ['a', 'b'] }] }, egress: [allow] }),
      // Of other pods, of what is not cut, and one that allows nothing.
      await isRefused({ podSelector: { matchLabels: { app: 'other' } }, egress: [allow] }),
      await isRefused({ podSelector: { matchExpressions: [{ key: 'strimzi.io/cluster', operator: 'NotIn', values: ['b'] }] }, egress: [allow] }),
      await isRefused({ podSelector: {}, policyTypes: ['Ingress'], ingress: [allow], egress: [allow] }),
      await isRefused({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
    ], [true, true, false, false, false, false]);
    api.denied.add('list networkpolicies');
    await assert.rejects(bridgeCutFromKafka.prepare(target), { exitCode: 2, message: `your credentials for cluster east may not list networkpolicies in namespace apps, and ${noChaos('NetworkChaos')}` });
  });

  it('that cut off the network are refused where another drill left a policy that nobody here can heal, and say how to be rid of it', async () => {
    const labels = (run: string): Record<string, string> => ({ 'app.kubernetes.io/managed-by': 'kbf-drill', 'kafka-bridge-failover/run': run });
    api.objects.set(`${policies}own`, { metadata: { name: 'own', labels: labels('run-1') }, spec: {} });
    await bridgeCutFromKafka.prepare(target);
    api.objects.set(`${policies}old`, { metadata: { name: 'old', labels: labels('run-0') }, spec: {} });
    await assert.rejects(bridgeCutFromKafka.prepare(target), {
      exitCode: 2, message: /^NetworkPolicy apps\/old in cluster east was left by drill run-0,/, remedy: /kubectl --context east --namespace apps delete networkpolicy old$/,
    });
  });

  it('that cut from Kafka leave all but every address of a broker, and are undone by removing the policy', async () => {
    const undo = await bridgeCutFromKafka.prepare(target);
    await bridgeCutFromKafka.inject(target, undo);
    assert.deepEqual(api.objects.get(`${policies}kbf-drill-run-1-bridge`)?.['spec'], {
      podSelector: { matchLabels: { 'strimzi.io/kind': 'KafkaBridge', 'strimzi.io/cluster': 'b' } }, policyTypes: ['Egress'],
      egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.9.0.1/32', '10.9.0.2/32'] } }, { ipBlock: { cidr: '::/0' } }] }],
    });
    // A sandbox's network honours it.
    assert.deepEqual(unhonoured(api.objects.get(`${policies}kbf-drill-run-1-bridge`) as unknown as NetworkPolicy), []);
    assert.equal(await bridgeCutFromKafka.isEffective(target, undo), true);
    assert.equal(await bridgeCutFromKafka.heal(target, undo), true);
    assert.equal(await bridgeCutFromKafka.heal(target, undo), false);
    assert.equal(await bridgeCutFromKafka.isHealed(target, undo), true);
  });

  it('that cut from Kafka cut every address of a broker\'s pod by which it may be reached: of the families that its names lead to', async () => {
    const cutOff = async (hosts: string[], podIPs: string[] | undefined): Promise<string[] | undefined> => {
      const one = new Target(api.kubeconfig, refs, { topic: 't', leader: () => Promise.resolve(2), hosts: () => Promise.resolve(hosts) });
      api.objects.set('/api/v1/namespaces/kafka/pods/k-kafka-1', {
        metadata: { name: 'k-kafka-1', labels: { 'strimzi.io/cluster': 'k', 'strimzi.io/broker-role': 'true' } }, status: { phase: 'Running', podIP: '10.1.0.9', ...(podIPs === undefined ? {} : { podIPs: podIPs.map((ip) => ({ ip })) }) },
      });
      return (await bridgeCutFromKafka.prepare(one)).cuts[0]?.from;
    };
    assert.deepEqual(await cutOff(['10.9.0.1', 'fd00::1'], ['10.1.0.9', 'fd00::9']), ['10.1.0.9/32', '10.9.0.1/32', 'fd00::1/128', 'fd00::9/128']);
    assert.deepEqual(await cutOff(['10.9.0.1'], ['10.1.0.9', 'fd00::9']), ['10.1.0.9/32', '10.9.0.1/32']);
    assert.deepEqual(await cutOff(['nowhere.invalid'], ['10.1.0.9', 'fd00::9']), ['10.1.0.9/32', 'fd00::9/128']);
    assert.deepEqual(await cutOff(['10.9.0.1'], undefined), ['10.1.0.9/32', '10.9.0.1/32']);
  });

  it('that cut off addresses of one family alone leave the other as it is', async () => {
    const toOf = async (from: string[]): Promise<unknown> => {
      const name = from.join().replace(/\W/g, '-');
      await cutAll(target, [{ context: 'east', namespace: 'apps', name, labels: bridgeLabels, from }]);
      return (api.objects.get(`${policies}${name}`)?.['spec'] as { egress: [{ to: unknown }] }).egress[0].to;
    };
    assert.deepEqual(await toOf(['10.9.0.1/32']), [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.9.0.1/32'] } }, { ipBlock: { cidr: '::/0' } }]);
    assert.deepEqual(await toOf(['fd00::1/128']), [{ ipBlock: { cidr: '0.0.0.0/0' } }, { ipBlock: { cidr: '::/0', except: ['fd00::1/128'] } }]);
  });

  it('that cut off the network by several policies are there while every one of them is', async () => {
    const undo = { cuts: ['one', 'two'].map((name): Cut => ({ context: 'east', namespace: 'apps', name, labels: bridgeLabels })) };
    const isThere = async (): Promise<(boolean | undefined)[]> => [await regionBlackHole.isEffective(target, undo), await regionBlackHole.lasts?.(target, undo)];
    await regionBlackHole.inject(target, undo);
    assert.deepEqual(await isThere(), [true, true]);
    api.objects.delete(`${policies}one`);
    assert.deepEqual(await isThere(), [false, false]);
  });

  it('that fail in part have nothing on its way any more when they say so', async () => {
    const cuts = ['there', 'slow'].map((name): Cut => ({ context: 'east', namespace: 'apps', name, labels: bridgeLabels }));
    api.objects.set(`${policies}there`, { metadata: { name: 'there' } });
    api.slowMs.set('slow', 200);
    await assert.rejects(cutAll(target, cuts), { message: 'NetworkPolicy apps/there cannot be made in cluster east: 409 it exists' });
    assert.equal(await policiesThere(target, cuts), 2);
  });

  it('that black out a region are refused where its gateway is not', async () => {
    await assert.rejects(regionBlackHole.prepare(target), { exitCode: 2, message: 'cluster east has no Deployment apps/gw' });
  });
});

describe('a blip of both regions', () => {
  /** Clusters by how long a script takes to begin there, and its end to be known here, ms. Their containers' clocks have nothing in common. */
  async function blip(ways: Record<string, [number, number]>, isStopped = true): Promise<{ isEffective: boolean; stops: { fromMs: number; toMs: number }[] }> {
    const stops: { fromMs: number; toMs: number }[] = [];
    const left = new Map<string, string>();
    const sh = async (context: string, script: string): Promise<{ exitCode: number; output: string }> => {
      const [there = 0, back = 0] = ways[context] ?? [];
      await delay(there);
      const [begunMs, uptimeMs] = [performance.now(), 1e6 * (1 + Object.keys(ways).indexOf(context))];
      const [, aMoment, wait, held] = /sleep ([\d.]+); sleep ([\d.]+); kill -STOP -1; .*sleep ([\d.]+); read v/.exec(script)?.map(Number) ?? [];
      if (aMoment !== undefined && wait !== undefined && held !== undefined && isStopped) {
        const [fromMs, toMs] = [(aMoment + wait) * 1000, (aMoment + wait + held) * 1000];
        stops.push({ fromMs: begunMs + fromMs, toMs: begunMs + toMs });
        left.set(context, `sh-c: kbf-drill-run-1-held ${[0, fromMs, toMs].map((ms) => ((uptimeMs + ms) / 1000).toFixed(2)).join(' ')}; sleep 60; :`);
      }
      const output = script.includes('-hel"[d]"') ? left.get(context) ?? '' : '';
      await delay(back);
      return { exitCode: 0, output };
    };
    const target = { refs, cluster: (context: string) => ({ sh: (_: unknown, script: string) => sh(context, script) }) } as unknown as Target;
    const undo = { containers: Object.keys(ways).map((context) => ({ ...bridge, pod: 'p', context, uid: 'u' })) };
    await bothRegionsBlip.inject(target, undo);
    return { stops, isEffective: await bothRegionsBlip.isEffective(target, undo) };
  }
  const overlapMs = (stops: { fromMs: number; toMs: number }[]): number => Math.min(...stops.map(({ toMs }) => toMs)) - Math.max(...stops.map(({ fromMs }) => fromMs));

  it('is one also where one of them is further away', async () => {
    const { isEffective, stops } = await blip({ east: [5, 5], west: [180, 20] });
    assert.equal(isEffective, true);
    assert.ok(overlapMs(stops) > 200, JSON.stringify(stops));
  });

  it('is none where nobody knows that all stood still at once', async () => {
    assert.equal((await blip({ east: [5, 5], west: [600, 5] })).isEffective, false);
    assert.equal((await blip({ east: [5, 5], west: [5, 5] }, false)).isEffective, false);
  });
});

describe('who should answer', () => {
  const regions = [{ name: 'east' }, { name: 'west' }];
  const during = (of: Parameters<typeof expectationsOf>[0], first?: string): unknown =>
    Object.entries(expectationsOf(of, { region: 'east', regions, tier1: first === undefined ? undefined : { first } })).map(([name, { during: now }]) => `${name} ${now}`);

  it('follows from the fault: all but the silent region, or all, or nobody is asked', () => {
    assert.deepEqual(during({ during: 'silent' }), ['east silent', 'west serves']);
    assert.deepEqual(during({ during: 'serves' }), ['east serves', 'west serves']);
    assert.deepEqual(during({ during: 'any', everywhere: true }), ['east any', 'west any']);
  });

  it('asks a standby only while the first is away', () => {
    assert.deepEqual(during({ during: 'silent' }, 'east'), ['east silent', 'west serves']);
    assert.deepEqual(during({ during: 'silent' }, 'west'), ['east silent', 'west serves']);
    assert.deepEqual(expectationsOf({ during: 'silent' }, { region: 'east', regions, tier1: { first: 'east' } })['west'], { before: 'any', during: 'serves', after: 'any' });
  });

  it('asks a region that tier1 gives nothing no more than a standby, and knows the share of the others', () => {
    const [east, west] = Object.values(expectationsOf({ during: 'silent' }, { region: 'east', regions, tier1: { weights: { east: 100, west: 0 } } }));
    assert.deepEqual([east, west], [{ before: 'serves', during: 'silent', after: 'serves', share: 1 }, { before: 'any', during: 'serves', after: 'any' }]);
    const shared = Object.values(expectationsOf({ during: 'serves' }, { region: 'east', regions, tier1: { weights: { east: 70, west: 30 } } }));
    assert.deepEqual(shared.map(({ before, share }) => [before, share]), [['serves', 0.7], ['serves', 0.3]]);
  });
});
