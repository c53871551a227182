import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { writeEntry } from '../../automation/drill/faults/journal.ts';
import { healStack, runDrill } from '../../automation/drill/index.ts';
import type { DrillOptions } from '../../automation/drill/index.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import { kbfHere } from '../fixtures/stored-run.ts';

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

  for (const [left, flags, says] of [
    ['repeat.json', [], 'holds a series of drills\ngo on with that series (--repeat), or name another directory with --report'],
    ['attempts.ndjson', ['--repeat', '3'], 'holds a run\nname another directory with --report, or remove that one'],
  ] as const) {
    it(`is told before a stack is looked for where ${left} is in the directory of its report${flags.length === 0 ? '' : `, and it is to be a series`}`, async () => {
      const taken = path.join(directory, 'taken');
      await mkdir(taken);
      await writeFile(path.join(taken, left), '{}');
      assert.deepEqual(await kbfHere(directory, 'drill', '--report', taken, ...flags), { code: 2, stdout: '', stderr: `kbf: the report directory ${taken} already ${says}\n` });
    });
  }

  describe('of pods that would be made anew first', () => {
    const pod = '/api/v1/namespaces/kafka-bridge/pods/bridge-1';
    beforeEach(() => {
      api.objects.set(pod, {
        metadata: { name: 'bridge-1', uid: 'u', labels: { 'strimzi.io/kind': 'KafkaBridge', 'strimzi.io/cluster': 'bridge' } }, spec: { containers: [{ name: 'bridge-bridge' }] },
        status: {
          phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [{ name: 'bridge-bridge', containerID: 'c-2', state: { running: {} }, lastState: { terminated: { exitCode: 137, finishedAt: new Date().toISOString() } } }],
        },
      });
    });

    const killDrill = (load = {}): DrillOptions => ({
      outputs, environment: 'test', kubeconfig: api.kubeconfig, stateDir: path.join(directory, 'state'), reportDir: path.join(directory, 'report'), fault: 'bridge-kill', load,
    });

    it('leaves them as they are where Kafka is not reached, and says so in a report', async () => {
      const { report, exitCode } = await runDrill(killDrill());
      assert.equal(exitCode, 4);
      assert.match(report.reason ?? '', /^Kafka at 127\.0\.0\.1:1: topic kbf-drill-\S+ cannot be made/);
      assert.ok(api.objects.has(pod));
    });

    it('leaves them as they are where its workers may not be made, and is a refusal', async () => {
      api.denied.add('create jobs');
      await assert.rejects(runDrill(killDrill({ workers: 1 })), { exitCode: 2, message: /may not create jobs in namespace kafka-bridge/ });
      assert.ok(api.objects.has(pod));
      await assert.rejects(readdir(path.join(directory, 'report')), { code: 'ENOENT' });
    });
  });

  it('leaves the directory of its report to be named again where what an earlier one left cannot be healed', async () => {
    const stateDir = path.join(directory, 'state');
    const refs = { run: 'run-1', region: { ...region, name: 'east', context: 'gone' }, regions: [], lease: { context: 'east', namespace: 'edge' }, forSeconds: 1 };
    await writeEntry(stateDir, { schema: 'kbf-fault/2', run: 'run-1', fault: 'bridge-scale-0', target: 'a bridge', refs, undo: { uid: 'u', replicas: 1, owners: [] }, at: '2026-01-01T00:00:00Z' });
    const reportDir = path.join(directory, 'report');
    await assert.rejects(runDrill({ outputs, environment: 'test', kubeconfig: api.kubeconfig, stateDir, reportDir }), { exitCode: 1, message: /bridge-scale-0/ });
    await assert.rejects(readdir(reportDir), { code: 'ENOENT' });
    assert.deepEqual(await readdir(path.join(stateDir, 'faults')), ['run-1.json']);
  });

  it('is not healed by another while it lives: the stack\'s Lease is its own', async () => {
    const stateDir = path.join(directory, 'state');
    // One of another stack in the same cluster, whose Lease nobody holds, comes first.
    for (const [run, namespace] of [['run-1', 'free'], ['run-2', 'edge']] as const) {
      const refs = { run, region: { ...region, name: 'east' }, regions: [], lease: { context: 'east', namespace }, forSeconds: 1 };
      await writeEntry(stateDir, { schema: 'kbf-fault/2', run, fault: 'bridge-scale-0', target: 'a bridge', refs, undo: { uid: 'u', replicas: 1, owners: [] }, at: '2026-01-01T00:00:00Z' });
    }
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
    assert.deepEqual(await readdir(path.join(stateDir, 'faults')), ['run-1.json', 'run-2.json']);
  });

  describe('while the cluster of its Lease does not answer', () => {
    const refs = { run: 'run-1', region: { ...region, name: 'east', gateway: 'gw' }, regions: [], lease: { context: 'edge', namespace: 'tier1' }, forSeconds: 1 };
    const policy = '/apis/networking.k8s.io/v1/namespaces/kafka-bridge/networkpolicies/kbf-drill-run-1-gateway';
    let where: { stateDir: string; kubeconfig: string };
    beforeEach(async () => {
      const config = parse(await readFile(api.kubeconfig, 'utf8')) as { clusters: object[]; contexts: { name: string; context: { user: string } }[] };
      config.clusters.push({ name: 'edge', cluster: { server: 'https://127.0.0.1:9' } });
      config.contexts.push({ name: 'edge', context: { ...config.contexts[0]?.context, cluster: 'edge' } as unknown as { user: string } });
      where = { stateDir: path.join(directory, 'state'), kubeconfig: path.join(directory, 'kubeconfig') };
      await writeFile(where.kubeconfig, stringify(config));
      api.objects.set(policy, { metadata: { name: 'kbf-drill-run-1-gateway' } });
      const undo = { cuts: [{ context: 'east', namespace: 'kafka-bridge', name: 'kbf-drill-run-1-gateway', labels: {} }] };
      await writeEntry(where.stateDir, { schema: 'kbf-fault/2', run: 'run-1', fault: 'gateway-black-hole', target: 'a gateway', refs, undo, at: '2026-01-01T00:00:00Z' });
    });

    /** As if a process wrote it that has ended by now. */
    async function killDriver(more: { place?: string; pid?: number; began?: string } = {}): Promise<void> {
      const dead = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
      await once(dead, 'exit');
      const file = path.join(where.stateDir, 'faults', 'run-1.json');
      const entry = JSON.parse(await readFile(file, 'utf8')) as { driver: object };
      await writeFile(file, JSON.stringify({ ...entry, driver: { ...entry.driver, pid: dead.pid, ...more } }));
    }

    it('is healed where its driver is seen to be dead', async () => {
      await killDriver();
      assert.deepEqual((await healStack(where)).map(({ now }) => now), ['healed']);
      assert.ok(!api.objects.has(policy));
    });

    it('is healed where its driver\'s process id is another\'s by now', async () => {
      await killDriver({ pid: process.pid, began: '1' });
      assert.deepEqual((await healStack(where)).map(({ now }) => now), ['healed']);
    });

    it('is left where its driver lives, or is elsewhere, and says that the Lease could not be asked for', async () => {
      const why = /^gateway-black-hole of \S+ on a gateway was left as it is, as its drill may be going on: Lease tier1\/kbf-drill cannot be read in cluster edge: .*; its driver, process \d+ on \S+, is not seen to be dead from here$/;
      await assert.rejects(healStack(where), { name: 'UserError', exitCode: 1, message: why });
      await killDriver({ place: 'elsewhere' });
      await assert.rejects(healStack(where), { name: 'UserError', exitCode: 1, message: why });
      assert.ok(api.objects.has(policy));
    });

    it('is healed by the next drill too, which does no more than that', async () => {
      await killDriver();
      const tier1 = { context: 'edge', namespace: 'tier1', gateway: 'tier1' };
      const said: string[] = [];
      const { report, exitCode } = await runDrill({
        ...where, outputs: { ...outputs, tier1 } as DrillOptions['outputs'], environment: 'test', reportDir: path.join(directory, 'report'),
        onEvent: (event) => { if (event.kind === 'phase' && event.phase === 'heal-leftovers') said.push(event.detail ?? ''); },
      });
      assert.equal(exitCode, 4);
      assert.match(report.reason ?? '', /^Lease tier1\/kbf-drill cannot be read in cluster edge: /);
      assert.deepEqual(said, ['gateway-black-hole of 2026-01-01T00:00:00Z on a gateway: healed']);
      assert.ok(!api.objects.has(policy));
    });
  });

  describe('after a driver that died elsewhere', () => {
    const leave = (namespace: string): void => {
      api.objects.set(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/kbf-drill`, {
        metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: '0' }, spec: { holderIdentity: 'run-0 on runner-7, process 12', renewTime: '2026-01-02T03:04:05.000Z', leaseDurationSeconds: 1 },
      });
    };
    const told = (namespace: string): RegExp => new RegExp(`^a driver that was killed left the Lease ${namespace}/kbf-drill in cluster east: run-0 on runner-7, process 12, which renewed it last at 2026-01-02T03:04:05\\.000Z\\. .*managed-by=kbf-drill`);

    it('says what that one may have left, as it takes its Lease over', async () => {
      leave('kafka-bridge');
      const said: string[] = [];
      // What becomes of it after that is no matter here: there is no bridge.
      await runDrill({
        outputs, environment: 'test', kubeconfig: api.kubeconfig, stateDir: path.join(directory, 'state'), reportDir: path.join(directory, 'report'),
        onEvent: (event) => { if (event.kind === 'phase' && event.phase === 'heal-leftovers') said.push(event.detail ?? ''); },
      }).catch(() => undefined);
      assert.equal(said.length, 1);
      assert.match(said[0] ?? '', told('kafka-bridge'));
    });

    it('says the same when it heals what another one left here', async () => {
      leave('edge');
      const stateDir = path.join(directory, 'state');
      const refs = { run: 'run-1', region: { ...region, name: 'east', gateway: 'gw' }, regions: [], lease: { context: 'east', namespace: 'edge' }, forSeconds: 1 };
      await writeEntry(stateDir, { schema: 'kbf-fault/2', run: 'run-1', fault: 'gateway-black-hole', target: 'a gateway', refs, undo: { cuts: [] }, at: '2026-01-01T00:00:00Z' });
      const said: string[] = [];
      assert.equal((await healStack({ stateDir, kubeconfig: api.kubeconfig, notice: (text) => { said.push(text); } })).length, 1);
      assert.equal(said.length, 1);
      assert.match(said[0] ?? '', told('edge'));
    });
  });

  it('needs no cluster where there is nothing to heal', async () => {
    assert.deepEqual(await healStack({ stateDir: path.join(directory, 'state'), kubeconfig: '/none' }), []);
  });
});
