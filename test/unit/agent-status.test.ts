import assert from 'node:assert/strict';
import { podStatus } from '../../sandbox/agent/status.ts';
import type { ContainerView, PodView } from '../../sandbox/agent/status.ts';
import type { Pod, PodCondition } from '../../sandbox/agent/types.ts';

const pod = (restartPolicy = 'Always', spec = {}) => ({
  metadata: { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1', generation: 3 }, spec: { containers: [], restartPolicy, ...spec },
}) as unknown as Pod;

const container = (more: Partial<ContainerView> = {}): ContainerView =>
  ({ name: 'c', image: 'i', kind: 'app', state: { waiting: { reason: 'ContainerCreating' } }, lastState: {}, restartCount: 0, started: false, ready: false, ...more });
const running = { state: { running: { startedAt: 't' } }, started: true, ready: true };
const ended = (exitCode: number) => ({ state: { terminated: { exitCode } } });
const view = (...containers: ContainerView[]): PodView => ({ containers, startTime: 't0', hostIp: 'h', podIp: 'i' });

const phase = (v: PodView, policy?: string) => podStatus(pod(policy), v, [], 'now').phase;
const conditions = (v: PodView, policy?: string) => Object.fromEntries((podStatus(pod(policy), v, [], 'now').conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason ?? ''}`.trim()]));

describe('A pod\'s phase', () => {
  it('is Pending until every container has been started once', () => {
    assert.equal(phase(view(container())), 'Pending');
    assert.equal(phase(view(container(running), container())), 'Pending');
    assert.equal(phase(view(container({ kind: 'init', ...ended(1) }), container())), 'Pending');
  });

  it('stays Running while a container waits for its next run', () => {
    assert.equal(phase(view(container({ state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1 } } }))), 'Running');
    assert.equal(phase(view(container(ended(1)))), 'Running');
  });

  it('is Succeeded or Failed by exit codes where nothing is started again', () => {
    assert.equal(phase(view(container(ended(0))), 'Never'), 'Succeeded');
    assert.equal(phase(view(container(ended(0)), container(ended(1))), 'Never'), 'Failed');
    assert.equal(phase(view(container(ended(1))), 'OnFailure'), 'Running');
    assert.equal(phase(view(container({ kind: 'init', ...ended(1) }), container()), 'Never'), 'Failed');
  });

  it('is Failed with the reason when the pod was given up as a whole', () => {
    const status = podStatus(pod(), { ...view(container(running)), failure: { reason: 'DeadlineExceeded', message: 'm' } }, [], 'now');
    assert.deepEqual([status.phase, status.reason, status.message], ['Failed', 'DeadlineExceeded', 'm']);
  });
});

describe('A pod\'s conditions', () => {
  it('name the containers that are not ready', () => {
    const status = podStatus(pod(), view(container({ name: 'a', ...running }), container({ name: 'b', ...running, ready: false })), [], 'now');
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready?.status, 'False');
    assert.equal(ready.message, 'containers with unready status: [b]');
  });

  it('are all True for a pod that serves', () => {
    assert.deepEqual(conditions(view(container(running))), { PodReadyToStartContainers: 'True', Initialized: 'True', Ready: 'True', ContainersReady: 'True', PodScheduled: 'True' });
  });

  it('say that a pod completed or failed', () => {
    assert.equal(conditions(view(container(ended(0))), 'Never')['Ready'], 'False PodCompleted');
    assert.equal(conditions(view(container(ended(1))), 'Never')['ContainersReady'], 'False PodFailed');
  });

  it('wait for readiness gates', () => {
    const gated = pod('Always', { readinessGates: [{ conditionType: 'x' }] });
    const ready = (p: Pod) => podStatus(p, view(container(running)), [], 'now').conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready(gated)?.reason, 'ReadinessGatesNotReady');
    assert.equal(ready({ ...gated, status: { conditions: [{ type: 'x', status: 'True' }] } })?.status, 'True');
  });

  it('keep the time of their last change', () => {
    const before: PodCondition[] = [{ type: 'Ready', status: 'True', lastTransitionTime: 'then' }, { type: 'ContainersReady', status: 'False', lastTransitionTime: 'then' }];
    const { conditions: after = [] } = podStatus(pod(), view(container(running)), before, 'now');
    assert.equal(after.find(({ type }) => type === 'Ready')?.lastTransitionTime, 'then');
    assert.equal(after.find(({ type }) => type === 'ContainersReady')?.lastTransitionTime, 'now');
  });

  it('count a sidecar among the ready ones and an init container not', () => {
    const status = conditions(view(container({ kind: 'sidecar', ...running, ready: false }), container({ kind: 'init', ...ended(0) }), container(running)));
    assert.equal(status['Ready'], 'False ContainersNotReady');
    assert.equal(status['Initialized'], 'True');
  });
});
