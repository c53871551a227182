import { readFileSync, readdirSync } from 'node:fs';
import { apiServerIp } from '../machine/clusters.ts';
import { ApiError } from './api.ts';
import { startTime } from './container-process.ts';
import { Refusal } from './exec.ts';
import type { Inside } from './inside.ts';
import type { NodeContext } from './node-context.ts';
import { isOutdated, untilAnswered } from './retry.ts';
import { podStatus } from './status.ts';
import { StatusWriter } from './status-writer.ts';
import type { Pod } from './types.ts';

const mirror = 'kubernetes.io/config.mirror';
const namespace = 'kube-system';
const container = 'kube-apiserver';
const checkMs = 5000;
/** Whoever waits for the end of the one before (`kubectl delete`) must have a chance to see it. */
const againMs = 1000;

interface Process { readonly pid: number; readonly start: string }

/**
 * Shows the cluster's API server, which the sandbox starts before any node, as the mirror pod that a kubelet shows of a static pod on
 * clusters made by kubeadm: found by its labels, entered by exec, made again when it is deleted.
 */
export class ControlPlanePod {
  readonly #node: NodeContext;
  readonly #signal: AbortSignal;
  readonly #name: string;
  #process: Process | undefined;
  #startedAt = new Date().toISOString();
  #restarts = 0;
  #pod: Pod | undefined;

  constructor(node: NodeContext, signal: AbortSignal) {
    this.#node = node;
    this.#signal = signal;
    this.#name = `${container}-${node.nodeName}`;
  }

  /** Nothing waits for it: what fails is tried again. */
  start(): void {
    this.#process = this.#find();
    void this.#create();
    setInterval(() => { this.#check(); }, checkMs).unref();
  }

  owns({ metadata }: Pod): boolean {
    return metadata.namespace === namespace && metadata.name === this.#name && metadata.annotations?.[mirror] !== undefined;
  }

  changed(pod: Pod): void {
    const writer = new StatusWriter(this.#node.api, pod);
    if (pod.metadata.deletionTimestamp !== undefined) return void writer.remove();
    if (this.#pod === undefined) this.#restarts = pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
    const isNew = this.#pod?.metadata.uid !== pod.metadata.uid;
    this.#pod = pod;
    if (isNew) this.#publish();
  }

  deleted(): void {
    this.#pod = undefined;
    setTimeout(() => { void this.#create(); }, againMs).unref();
  }

  /** The way into the API server's own PID namespace. @throws Refusal when it does not run. */
  inside(wanted: string): Inside {
    if (wanted !== container) throw new Refusal(404, `pod "${this.#name}" has no container "${wanted}"`);
    const found = this.#find();
    if (found === undefined) throw new Refusal(400, `the API server of ${this.#node.cluster.name} does not run`);
    return { pid: found.pid, env: { PATH: process.env.PATH ?? '' } };
  }

  async #create(): Promise<void> {
    const { api, cluster, nodeName } = this.#node;
    const attempt = async () => {
      const { gitVersion } = await api.call<{ gitVersion: string }>('GET', '/version');
      await api.call('POST', `/api/v1/namespaces/${namespace}/pods`, { body: {
        apiVersion: 'v1', kind: 'Pod',
        metadata: {
          name: this.#name, namespace, labels: { component: container, tier: 'control-plane' },
          annotations: { [mirror]: cluster.name, 'kubernetes.io/config.source': 'file' },
        },
        spec: {
          nodeName, hostNetwork: true, priorityClassName: 'system-node-critical', tolerations: [{ operator: 'Exists' }],
          containers: [{ name: container, image: `registry.k8s.io/${container}:${gitVersion}`, command: [container] }],
        },
      } });
    };
    // The namespace may come a moment after the API server.
    const patient = () => attempt().catch((error: unknown) => { throw error instanceof ApiError && error.code === 404 ? new Error(error.message) : error; });
    const refusal = await untilAnswered(patient, { signal: this.#signal, what: `${this.#name} (${cluster.name})` });
    // What an agent before this one has made is taken over.
    if (refusal !== undefined && !isOutdated(refusal)) console.error(`${this.#name}: ${refusal.message}`);
  }

  #check(): void {
    if (this.#signal.aborted || (this.#process !== undefined && startTime(this.#process.pid) === this.#process.start)) return;
    const found = this.#find();
    if (found === undefined) return;
    if (this.#process !== undefined) this.#restarts += 1;
    this.#process = found;
    this.#startedAt = new Date().toISOString();
    this.#publish();
  }

  #publish(): void {
    const pod = this.#pod;
    if (pod === undefined) return;
    const { api, cluster } = this.#node;
    const view = {
      containers: [{
        name: container, image: pod.spec.containers[0]?.image ?? '', kind: 'app' as const, state: { running: { startedAt: this.#startedAt } }, lastState: {},
        restartCount: this.#restarts, started: true, ready: true, containerId: `${container}-${this.#process?.pid ?? 0}`,
      }],
      startTime: pod.status?.startTime ?? this.#startedAt, hostIp: cluster.nodeIp, podIp: apiServerIp(cluster),
    };
    new StatusWriter(api, pod).write(podStatus(pod, view, pod.status?.conditions ?? [], new Date().toISOString()));
  }

  /** The `unshare` that the API server was started by, whose child is the first process of its PID namespace. */
  #find(): Process | undefined {
    const mark = `--etcd-prefix=/${this.#node.cluster.name}`;
    for (const entry of readdirSync('/proc')) {
      const [program, ...args] = /^\d+$/.test(entry) ? commandLine(entry) : [];
      const start = program === 'unshare' && args.includes(mark) ? startTime(Number(entry)) : undefined;
      if (start !== undefined) return { pid: Number(entry), start };
    }
    return undefined;
  }
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
