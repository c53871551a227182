import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startClock } from '../../automation/drill/exchange.ts';
import { Live } from '../../automation/drill/live.ts';
import { defaultLoad } from '../../automation/drill/load-plan.ts';
import type { Drill } from '../../automation/drill/phases.ts';
import type { FaultMark, PlanStep } from '../../automation/drill/plan.ts';
import { carryOutSteps } from '../../automation/drill/steps.ts';
import { prepareFault, refresh } from '../../automation/drill/underFault.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';

const pods = '/api/v1/namespaces/apps/pods/';
const region = { name: 'east', context: 'east', namespace: 'apps', bridge: 'b', gatewayAddress: '10.0.0.1' };
const kafka = { topic: 't', leader: () => Promise.resolve(1), hosts: () => Promise.resolve([]) };

describe('the steps of a plan', () => {
  let api: FakeKubernetes;
  beforeEach(async () => { api = await startFakeKubernetes(); });
  afterEach(() => api[Symbol.asyncDispose]());

  function pod(name: string, endedAt?: Date): void {
    api.objects.set(`${pods}${name}`, {
      metadata: { name, uid: `uid-${name}`, labels: { 'strimzi.io/kind': 'KafkaBridge', 'strimzi.io/cluster': 'b' } }, spec: { containers: [{ name: 'b-bridge' }] },
      status: {
        phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [{ name: 'b-bridge', containerID: `c-${name}`, state: { running: {} }, ...(endedAt === undefined ? {} : { lastState: { terminated: { finishedAt: endedAt.toISOString() } } }) }],
      },
    });
  }

  it('hurt the pods that are there when their turn comes, the first one too, though a later fault had them made anew before the load', async () => {
    await using state = await mkdtempDisposable(path.join(tmpdir(), 'kbf-steps-'));
    pod('b-1', new Date(Date.now() - 60_000));
    let made = 1;
    const deleted: string[] = [];
    api.answer = (method, { pathname }) => {
      if (method !== 'DELETE' || !api.objects.delete(pathname)) return undefined;
      deleted.push(pathname.slice(pods.length));
      pod(`b-${++made}`);
      return [200, {}];
    };
    const clock = startClock();
    const steps: PlanStep[] = [{ kind: 'do', fault: 'bridge-terminate', region: 'east' }, { kind: 'do', fault: 'bridge-kill', region: 'east' }];
    const live = new Live(clock, ['east']);
    live.until = () => Promise.resolve(true);
    const faults: FaultMark[] = [];
    const drill = {
      options: { kubeconfig: api.kubeconfig, stateDir: state.path }, plan: { run: 'run-1', rate: 100, durationSeconds: 0.03, load: defaultLoad, steps: steps.slice(0, 1) }, outputs: { regions: [region], kafka: {} },
      clock, live, faults, marks: { loadMs: 0 }, steps: [], signal: new AbortController().signal, mark: (mark: FaultMark, more: Partial<FaultMark>) => Object.assign(mark, more), phase: () => undefined,
    } as unknown as Drill;
    const injections = await Promise.all(steps.flatMap((step) => (step.kind === 'do' ? [prepareFault(drill, step, kafka)] : [])));
    for (const injection of injections) await refresh(drill, injection);
    await carryOutSteps(drill, injections[0] ?? assert.fail('no fault'), kafka, { recreated: [] });
    assert.deepEqual(deleted, ['b-1', 'b-2']);
    assert.notEqual(faults[0]?.tookHoldMs, undefined);

    // What a consumer loses while they are looked up is not theirs.
    const recreated: string[] = [];
    const { answer } = api;
    api.answer = (method, ...asked) => {
      if (method === 'GET' && recreated.length === 0) recreated.push('consumer 0: poll: 404 not known');
      return answer(method, ...asked);
    };
    await assert.rejects(carryOutSteps(drill, injections[0] ?? assert.fail('no fault'), kafka, { recreated }), /^UserError: consumers lost their instances 1 times before the fault/);
    assert.deepEqual(deleted, ['b-1', 'b-2']);
  });
});
