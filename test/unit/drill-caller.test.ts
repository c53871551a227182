import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Admin } from '@platformatic/kafka';
import { contentOf } from '../../automation/drill/content.ts';
import { startClock } from '../../automation/drill/exchange.ts';
import { writeEntry } from '../../automation/drill/faults/journal.ts';
import { healStack, repeatDrill, runDrill } from '../../automation/drill/index.ts';
import type { DrillEvent, DrillOptions } from '../../automation/drill/index.ts';
import { Live } from '../../automation/drill/live.ts';
import { planOf } from '../../automation/drill/options.ts';
import { carryOut } from '../../automation/drill/phases.ts';
import type { Drill } from '../../automation/drill/phases.ts';
import type { RunRecord } from '../../automation/drill/report.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import { fakeRegions, globalHost, startFakeTier1 } from '../fixtures/fake-tier1.ts';

const lease = '/apis/coordination.k8s.io/v1/namespaces/kafka-bridge/leases/kbf-drill';
const policies = '/apis/networking.k8s.io/v1/namespaces/kafka-bridge/networkpolicies/';

/** What becomes of a drill's Lease, faults and memory whatever its caller does: it may be a service that runs for months. */
describe('the caller of a drill', () => {
  const { createTopics, deleteTopics, deleteGroups, metadata } = Admin.prototype;
  let api: FakeKubernetes;
  let directory: string;
  let stop: AbortController;
  /** Topics that were made. */
  let made: unknown[];
  beforeEach(async () => {
    api = await startFakeKubernetes();
    api.objects.set('/api/v1/namespaces/kafka-bridge/pods/bridge-1', {
      metadata: { name: 'bridge-1', uid: 'u', labels: { 'strimzi.io/kind': 'KafkaBridge', 'strimzi.io/cluster': 'bridge' } }, spec: { containers: [{ name: 'bridge-bridge' }] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [{ name: 'bridge-bridge', containerID: 'c-1', state: { running: {} } }] },
    });
    directory = await mkdtemp(path.join(tmpdir(), 'kbf-caller-'));
    stop = new AbortController();
    made = [];
    Object.assign(Admin.prototype, {
      createTopics: (asked: unknown) => Promise.resolve(void made.push(asked)), deleteTopics: () => Promise.resolve(), deleteGroups: () => Promise.resolve(),
      metadata: () => Promise.resolve({ topics: new Map(), brokers: new Map([[1, { host: '127.0.0.1' }]]) }),
    });
  });
  afterEach(async () => {
    Object.assign(Admin.prototype, { createTopics, deleteTopics, deleteGroups, metadata });
    await api[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const options = (tier1Address = '127.0.0.1:1'): DrillOptions & { signal: AbortSignal } => ({
    outputs: {
      hostname: globalHost, tier1Address, kafka: { bootstrapServers: '127.0.0.1:1' },
      regions: fakeRegions.map((region) => ({ ...region, context: 'east', namespace: 'kafka-bridge', bridge: 'bridge' })),
    },
    environment: 'test', kubeconfig: api.kubeconfig, stateDir: path.join(directory, 'state'), reportDir: path.join(directory, 'report'),
    fault: 'bridge-cut-from-kafka', rate: 20, durationSeconds: 6, parts: {}, signal: stop.signal,
  });
  const there = (prefix: string): string[] => [...api.objects.keys()].filter((file) => file.startsWith(prefix));

  describe('whose listener throws', () => {
    for (const [when, isThen] of [
      ['while the fault is in effect', (event: DrillEvent) => event.kind === 'live' && event.phase === 'observe'],
      ['as it is to be healed', (event: DrillEvent) => event.kind === 'phase' && event.phase === 'heal'],
    ] as const) {
      it(`has it healed all the same: ${when}`, async function () {
        this.timeout(120_000);
        await using tier1 = await startFakeTier1();
        const cut: string[][] = [];
        const { exitCode } = await runDrill({
          ...options(tier1.origin.replace('http://', '')),
          onEvent(event) {
            // By then it is certain that it was injected.
            if (event.kind === 'live' && event.phase === 'observe') stop.abort();
            if (!isThen(event)) return;
            cut.push(there(policies));
            throw new Error('the listener is broken');
          },
        });
        assert.equal(exitCode, 130);
        // It threw once, while the fault was in effect.
        assert.deepEqual(cut.map((names) => names.length), [1]);
        assert.deepEqual([there(policies), there(lease), await readdir(path.join(directory, 'state', 'faults'))], [[], [], []]);
      });
    }

    it('has what an earlier drill left healed', async () => {
      api.objects.set(lease, { metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: '0' }, spec: { holderIdentity: 'dead', renewTime: '2026-01-02T03:04:05.000Z', leaseDurationSeconds: 1 } });
      const where = { stateDir: path.join(directory, 'state'), kubeconfig: api.kubeconfig };
      const region = { name: 'east', context: 'east', namespace: 'kafka-bridge', bridge: 'bridge' };
      const refs = { run: 'run-1', region, regions: [region], lease: { context: 'east', namespace: 'kafka-bridge' }, forSeconds: 1 };
      await writeEntry(where.stateDir, { schema: 'kbf-fault/2', run: 'run-1', fault: 'bridge-cut-from-kafka', target: 'a bridge', refs, undo: { cuts: [] }, at: '2026-01-01T00:00:00Z' });
      let told = 0;
      const healed = await healStack({ ...where, notice: () => { told += 1; throw new Error('the listener is broken'); } });
      assert.deepEqual([told, healed.map(({ now }) => now)], [1, ['over']]);
    });
  });

  describe('who aborts it', () => {
    const reason = new Error('the service ends');

    it('before it begins has nothing touched, and gets the reason', async () => {
      stop.abort(reason);
      api.answer = () => assert.fail('the cluster was asked');
      await assert.rejects(runDrill(options()), (error) => error === reason);
      await assert.rejects(repeatDrill(options(), { repeat: 2, seed: 1 }, () => assert.fail('a drill was run')), (error) => error === reason);
      assert.deepEqual(await readdir(directory), []);
    });

    it('while it waits for a Lease gets the reason, and finds no report', async () => {
      const held = { metadata: { name: 'kbf-drill', uid: 'u', resourceVersion: '0' }, spec: { holderIdentity: 'bob', renewTime: '2026-01-02T03:04:05.000Z', leaseDurationSeconds: 600 } };
      api.objects.set(lease, held);
      let reads = 0;
      api.answer = (method, url) => {
        if (method === 'GET' && url.pathname === lease && (reads += 1) === 2) setImmediate(() => { stop.abort(reason); });
        return undefined;
      };
      await assert.rejects(runDrill(options()), (error) => error === reason);
      assert.equal(api.objects.get(lease), held);
      assert.ok(!existsSync(path.join(directory, 'report')));
    });

    it('as it is about to take the Lease leaves it free', async () => {
      api.answer = (method, url) => {
        if (method === 'POST' && url.pathname.endsWith('/selfsubjectaccessreviews')) stop.abort(reason);
        return undefined;
      };
      await assert.rejects(runDrill(options()), (error) => error === reason);
      assert.deepEqual([there(lease), existsSync(path.join(directory, 'report'))], [[], false]);
    });

    it('once it holds the Lease gets a report, and no topic is made', async () => {
      const { report, exitCode } = await runDrill({ ...options(), onEvent: (event) => { if (event.kind === 'phase' && event.phase === 'steady') stop.abort(reason); } });
      assert.deepEqual([exitCode, report.verdict, report.reason, made, there(lease)], [130, 'aborted', 'the service ends', [], []]);
      assert.equal((JSON.parse(await readFile(path.join(directory, 'report', 'run.json'), 'utf8')) as RunRecord).interrupted, true);
    });
  });

  it('has no listener left on the signal of one that has ended', async () => {
    const { plan, outputs } = planOf(options());
    const clock = startClock();
    let aheadMs = 0;
    const listening: number[] = [];
    const listeners = (): number => getEventListeners(stop.signal, 'abort').length;
    const stored = { append: () => undefined, written: () => Promise.resolve(0), close: () => Promise.resolve(0) };
    // Ends as nobody answers its first request, and the time for that is over.
    const attempts = {
      ...stored,
      append() {
        listening.push(listeners());
        aheadMs = 61_000;
        return undefined;
      },
    };
    const drill: Drill = {
      options: options(), plan, outputs, clock: () => clock() + aheadMs, live: new Live(clock, []), content: contentOf(plan), store: { attempts, deliveries: stored, commits: stored, log: stored },
      marks: {}, faults: [], steps: [], seen: { logRead: false }, touched: false, mark: () => undefined, judgeAhead: () => Promise.resolve(), stop: () => undefined, phase: () => undefined, signal: stop.signal,
    };
    const ending = await carryOut(drill);
    assert.match(ending.kind === 'inconclusive' ? ending.reason : ending.kind, /^no steady state within 60 s/);
    assert.deepEqual([listening, listeners()], [[1], 0]);
  });
});
