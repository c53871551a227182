import { watch } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import { join } from 'node:path';
import type { ClusterInfo } from '../machine/clusters.ts';
import type { TreeTools } from '../machine/state.ts';
import { connectApi } from './api.ts';
import { ControlPlanePod } from './control-plane-pod.ts';
import { createStorageClass, serveClaims } from './claims.ts';
import { eventRecorder } from './events.ts';
import { Refusal } from './exec.ts';
import type { HostParts } from './host-mounts.ts';
import { inform, objectKey } from './informer.ts';
import type { Informer } from './informer.ts';
import type { Inside } from './inside.ts';
import { serveKubelet } from './kubelet.ts';
import { addProbeAddress } from './network-cut.ts';
import { MeshFilters } from './mesh-filters.ts';
import { cutsOf, unhonoured } from './network-policy.ts';
import type { NetworkPolicy } from './network-policy.ts';
import { AddressPool } from './network.ts';
import { keepAlive, registerNode } from './node.ts';
import { clusterHostsFile } from './node-context.ts';
import type { NodeContext } from './node-context.ts';
import type { DataKind } from './objects.ts';
import { PodRunner, isOver, removePod } from './pod.ts';
import { isOutdated, untilAnswered } from './retry.ts';
import type { SilentPods } from './silence.ts';
import { isUnscheduled, refusal } from './scheduler.ts';
import type { Node } from './scheduler.ts';
import type { Pod, Stored } from './types.ts';

const tickMs = 20_000;
const gatherMs = 2;

export interface ClusterAgentOptions { readonly dir: string; readonly tools: TreeTools; readonly host: HostParts; readonly silentPods: SilentPods; readonly cluster: ClusterInfo }

/** The node of one cluster. */
export class ClusterAgent {
  readonly #node: NodeContext;
  readonly #over = new AbortController();
  /** By uid: of two pods of one name the older may still be ending. */
  readonly #runners = new Map<string, PodRunner>();
  readonly #controlPlane: ControlPlanePod;
  #pods: Informer<Pod> | undefined;
  #policies: Informer<NetworkPolicy> | undefined;
  #self: Node | undefined;
  #kubelet: Server | undefined;
  #ticker: NodeJS.Timeout | undefined;

  constructor({ dir, tools, host, silentPods, cluster }: ClusterAgentOptions) {
    const nodeName = `${cluster.name}-node`;
    const api = connectApi(join(dir, 'clusters', cluster.name, 'agent.kubeconfig'));
    this.#node = {
      dir, tools, host, silentPods, cluster, nodeName, api, recorder: eventRecorder(api, 'kubelet', nodeName), addresses: new AddressPool(cluster), openLogs: new Map(), meshFilters: new MeshFilters(),
    };
    this.#controlPlane = new ControlPlanePod(this.#node, this.#over.signal);
  }

  /** Resolves when the node is Ready, serves logs, and has begun to run its pods. @throws Error when the API server does not have it. */
  async start(): Promise<void> {
    const { api, cluster } = this.#node;
    const failed = (error: unknown) => { console.error(`watch (${cluster.name}): ${String(error)}`); };
    const { signal } = this.#over;
    await this.#watchHosts();
    // An API server may come later than we do, or be busy.
    const refusals = [
      await untilAnswered(() => registerNode(this.#node), { signal, what: `node of ${cluster.name}` }),
      await untilAnswered(() => createStorageClass(this.#node), { signal, what: `storage class of ${cluster.name}` }),
    ].filter((refusal) => refusal !== undefined);
    for (const refusal of refusals) throw refusal;
    void keepAlive(this.#node, signal);
    this.#node.meshFilters.watch(api, { recorder: this.#node.recorder, signal });
    const own = inform<Node>(api, { path: '/api/v1/nodes', fieldSelector: `metadata.name=${this.#node.nodeName}`, failed, changed: (node) => { this.#nodeChanged(node); } }, signal);
    const recut = () => { for (const pod of this.#pods?.items.values() ?? []) this.#cutOff(pod); };
    this.#policies = inform<NetworkPolicy>(api, {
      path: '/apis/networking.k8s.io/v1/networkpolicies', failed, changed: (policy) => { this.#judge(policy); recut(); }, deleted: recut,
    }, signal);
    // A pod that starts is to find its policies there.
    await Promise.all([own.synced, this.#policies.synced, addProbeAddress(cluster)]);
    this.#pods = inform<Pod>(api, { path: '/api/v1/pods', failed, changed: (pod) => { this.#podChanged(pod); }, deleted: (pod) => { this.#podDeleted(pod); } }, signal);
    const data = (['configmaps', 'secrets'] as const).map((kind) => inform<Stored>(api, {
      path: `/api/v1/${kind}`, metadataOnly: true, failed, changed: (object) => { this.#dataChanged(kind, object); },
    }, signal));
    this.#kubelet = await serveKubelet(this.#node, (key) => this.#pods?.items.get(key), (namespace, pod, container) => this.#inside(`${namespace}/${pod}`, container));
    await Promise.all([this.#pods.synced, ...data.map(({ synced }) => synced), serveClaims(this.#node, signal).synced]);
    this.#controlPlane.start();
    this.#ticker = setInterval(() => { for (const runner of this.#runners.values()) runner.tick(); }, tickMs);
  }

  /** Ends all pods' processes, each within its own grace, at most the given one; the objects stay. */
  async stop(graceSeconds: number): Promise<void> {
    clearInterval(this.#ticker);
    this.#over.abort();
    this.#kubelet?.close();
    this.#kubelet?.closeAllConnections();
    await Promise.all([...this.#runners.values()].map((runner) => runner.end(graceSeconds, false)));
  }

  /** The load balancer, which may start later, writes host names in place. */
  async #watchHosts(): Promise<void> {
    const file = clusterHostsFile(this.#node);
    await appendFile(file, '');
    let gathering: NodeJS.Timeout | undefined;
    const changed = () => {
      gathering = undefined;
      for (const runner of this.#runners.values()) runner.writeHosts();
    };
    // One write tells more than once.
    watch(file, { signal: this.#over.signal, persistent: false }, () => { gathering ??= setTimeout(changed, gatherMs); });
  }

  /** The way into a container. */
  #inside(key: string, container: string): Inside {
    const pod = this.#pods?.items.get(key);
    if (pod !== undefined && this.#controlPlane.owns(pod)) return this.#controlPlane.inside(container);
    const runner = pod === undefined ? undefined : this.#runners.get(pod.metadata.uid);
    if (runner === undefined) throw new Refusal(404, `pod "${key}" does not run on ${this.#node.nodeName}`);
    const inside = runner.inside(container);
    if (inside === undefined) throw new Refusal(400, `container "${container}" of pod "${key}" does not run`);
    return inside;
  }

  #nodeChanged(node: Node): void {
    this.#self = node;
    // A node that was cordoned may take the pods that wait now.
    for (const pod of this.#pods?.items.values() ?? []) if (isUnscheduled(pod)) this.#schedule(pod);
  }

  #podChanged(pod: Pod): void {
    if (this.#controlPlane.owns(pod)) return this.#controlPlane.changed(pod);
    if (isUnscheduled(pod)) return this.#schedule(pod);
    if (pod.spec.nodeName !== this.#node.nodeName) return;
    const { uid, deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
    const runner = this.#runners.get(uid);
    runner?.update(pod);
    if (deletionTimestamp !== undefined) this.#end(uid, runner, deletionGracePeriodSeconds, pod);
    else if (runner === undefined && !isOver(pod)) this.#runners.set(uid, new PodRunner(this.#node, pod));
    this.#cutOff(pod);
  }

  #judge(policy: NetworkPolicy): void {
    const fields = unhonoured(policy);
    if (fields.length > 0) this.#node.recorder.event({ ...policy, apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' }, 'Warning', 'NotHonoured', `The sandbox's node agent cannot do ${fields.join(', ')}: this policy has no effect`);
  }

  #cutOff(pod: Pod): void {
    this.#runners.get(pod.metadata.uid)?.cutOff(cutsOf(pod, this.#policies?.items.values() ?? []));
  }

  #podDeleted(pod: Pod): void {
    if (this.#controlPlane.owns(pod)) return this.#controlPlane.deleted();
    const runner = this.#runners.get(pod.metadata.uid);
    // Its object is gone already: deleted by force, with no time to go.
    if (runner !== undefined) this.#end(pod.metadata.uid, runner, 0, pod);
  }

  #end(uid: string, runner: PodRunner | undefined, graceSeconds: number, pod: Pod): void {
    const ended = runner === undefined ? removePod(this.#node, pod) : runner.end(graceSeconds, true);
    ended.catch((error: unknown) => { console.error(`end of pod ${objectKey(pod)} (${this.#node.cluster.name}): ${String(error)}`); })
      .finally(() => { this.#runners.delete(uid); });
  }

  #dataChanged(kind: DataKind, { metadata: { namespace, name } }: Stored): void {
    for (const runner of this.#runners.values()) if (runner.namespace === namespace) runner.dataChanged(kind, name);
  }

  #schedule(pod: Pod): void {
    const about = { ...pod, kind: 'Pod' };
    const { recorder, nodeName, cluster } = this.#node;
    const attempt = async () => {
      const reason = await this.#bind(pod);
      if (reason === undefined) recorder.event(about, 'Normal', 'Scheduled', `Successfully assigned ${objectKey(pod)} to ${nodeName}`);
      else recorder.event(about, 'Warning', 'FailedScheduling', reason);
    };
    // A newer version of the pod is scheduled, or not, by its own event.
    const pointless = () => this.#pods?.items.get(objectKey(pod))?.metadata.resourceVersion !== pod.metadata.resourceVersion;
    void untilAnswered(attempt, { signal: this.#over.signal, what: `binding ${objectKey(pod)} (${cluster.name})`, pointless }).then((refusal) => {
      if (refusal !== undefined && !isOutdated(refusal)) recorder.event(about, 'Warning', 'FailedScheduling', refusal.message);
    });
  }

  /** @returns Why the pod cannot be bound. */
  async #bind(pod: Pod): Promise<string | undefined> {
    if (this.#self === undefined) return 'the node is not registered yet';
    const { api, nodeName } = this.#node;
    const { namespace, name, uid } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    const reason = refusal(pod, this.#self);
    if (reason === undefined) {
      await api.call('POST', `${path}/binding`, { body: { apiVersion: 'v1', kind: 'Binding', metadata: { name, uid }, target: { apiVersion: 'v1', kind: 'Node', name: nodeName } } });
      return undefined;
    }
    const known = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    if (known?.message !== reason) {
      const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: reason, lastTransitionTime: known?.lastTransitionTime ?? new Date().toISOString() };
      await api.call('PATCH', `${path}/status`, { contentType: 'application/strategic-merge-patch+json', body: { metadata: { uid }, status: { conditions: [condition] } } });
    }
    return reason;
  }
}
