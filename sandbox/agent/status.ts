import type { V1ContainerState } from '@kubernetes/client-node';
import type { ContainerStatus, Json, Pod, PodCondition, PodStatus } from './types.ts';

export type ContainerState = Json<V1ContainerState>;

/** What a container's runner knows about it. */
export interface ContainerView {
  readonly name: string;
  readonly image: string;
  /** A sidecar is an init container with restartPolicy Always. */
  readonly kind: 'init' | 'sidecar' | 'app';
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly restartCount: number;
  readonly started: boolean;
  readonly ready: boolean;
  readonly containerId?: string;
}

export interface PodView {
  readonly containers: readonly ContainerView[];
  readonly startTime: string;
  readonly hostIp: string;
  readonly podIp?: string;
  /** The pod as a whole was given up. */
  readonly failure?: { readonly reason: string; readonly message: string };
}

/**
 * A pod's status as a kubelet reports it.
 * @param before The conditions reported last. @param now RFC 3339, for conditions that are others now.
 */
export function podStatus(pod: Pod, view: PodView, before: readonly PodCondition[], now: string): PodStatus {
  const phase = phaseOf(pod, view);
  const conditions = conditionsOf(pod, view, phase).map((condition) => stamped(condition, before, now));
  const apps = view.containers.filter(({ kind }) => kind === 'app');
  const inits = view.containers.filter(({ kind }) => kind !== 'app');
  return {
    phase, conditions, startTime: view.startTime,
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    hostIP: view.hostIp, hostIPs: [{ ip: view.hostIp }],
    ...(view.podIp === undefined ? {} : { podIP: view.podIp, podIPs: [{ ip: view.podIp }] }),
    ...(view.failure ?? {}),
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits.map(containerStatus) }),
    containerStatuses: apps.map(containerStatus),
  };
}

function phaseOf(pod: Pod, { containers, failure }: PodView): string {
  if (failure !== undefined) return 'Failed';
  const policy = pod.spec.restartPolicy ?? 'Always';
  const inits = containers.filter(({ kind }) => kind === 'init');
  if (inits.some(({ state }) => failed(state)) && policy === 'Never') return 'Failed';
  const apps = containers.filter(({ kind }) => kind === 'app');
  if (inits.some(({ state }) => state.terminated?.exitCode !== 0) && apps.every(({ state, lastState }) => state.waiting !== undefined && lastState.terminated === undefined)) return 'Pending';
  if (apps.some(({ state, lastState }) => state.waiting !== undefined && lastState.terminated === undefined)) return 'Pending';
  if (apps.some(({ state }) => state.terminated === undefined) || policy === 'Always') return 'Running';
  if (!apps.some(({ state }) => failed(state))) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

function failed({ terminated }: ContainerState): boolean {
  return terminated !== undefined && terminated.exitCode !== 0;
}

type Judged = Pick<PodCondition, 'type' | 'reason' | 'message'> & { status: 'True' | 'False' };

function conditionsOf(pod: Pod, view: PodView, phase: string): Judged[] {
  const over = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : undefined;
  const unready = view.containers.filter(({ kind, ready }) => kind !== 'init' && !ready).map(({ name }) => name);
  const incomplete = view.containers.filter((c) => c.kind === 'init' ? c.state.terminated?.exitCode !== 0 : c.kind === 'sidecar' && !c.started).map(({ name }) => name);
  const containersReady = judge('ContainersReady', unready, 'ContainersNotReady', 'unready');
  const gate = (pod.spec.readinessGates ?? []).find(({ conditionType }) => !pod.status?.conditions?.some(({ type, status }) => type === conditionType && status === 'True'));
  const ready: Judged = gate === undefined || unready.length > 0 ? { ...containersReady, type: 'Ready' }
    : { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: `corresponding condition of pod readiness gate "${gate.conditionType}" does not exist or is not True.` };
  const ended = (type: string): Judged => ({ type, status: 'False', reason: over ?? '' });
  return [
    { type: 'PodReadyToStartContainers', status: view.podIp !== undefined && over === undefined ? 'True' : 'False' },
    phase === 'Succeeded' ? { type: 'Initialized', status: 'True', reason: 'PodCompleted' } : judge('Initialized', incomplete, 'ContainersNotInitialized', 'incomplete'),
    over === undefined ? ready : ended('Ready'),
    over === undefined ? containersReady : ended('ContainersReady'),
    { type: 'PodScheduled', status: 'True' },
  ];
}

function judge(type: string, names: readonly string[], reason: string, what: string): Judged {
  return names.length === 0 ? { type, status: 'True' } : { type, status: 'False', reason, message: `containers with ${what} status: [${names.join(' ')}]` };
}

/** A condition that stays what it was keeps the time at which it became so. Null removes a field from what is stored. */
function stamped(condition: Judged, conditions: readonly PodCondition[], now: string): PodCondition {
  const before = conditions.find(({ type }) => type === condition.type);
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime ?? now : now;
  return { reason: null, message: null, ...condition, lastTransitionTime } as unknown as PodCondition;
}

function containerStatus(view: ContainerView): ContainerStatus {
  const { name, image, state, lastState, restartCount, ready, started, containerId } = view;
  return {
    name, image, imageID: containerId === undefined ? '' : `sandbox://${image}`, restartCount, ready, started, state, lastState,
    ...(containerId === undefined ? {} : { containerID: `sandbox://${containerId}` }),
  };
}
