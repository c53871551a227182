import { mkdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { ContainerRunner } from './container.ts';
import type { ContainerHost } from './container.ts';
import { Refusal } from './exec.ts';
import type { Inside } from './inside.ts';
import { writeInPlace } from './in-place.ts';
import { launchContainer } from './launch.ts';
import { NetworkCut, probeIp } from './network-cut.ts';
import { createPodNetwork, removePodNetwork } from './network.ts';
import type { NodeContext } from './node-context.ts';
import { clusterHostsFile, podDiskDir, podHostname, podHostsFile, podWorkDir } from './node-context.ts';
import type { DataKind } from './objects.ts';
import { PodEnd } from './pod-end.ts';
import { podHosts } from './pod-hosts.ts';
import { podStatus } from './status.ts';
import type { PodView } from './status.ts';
import { StatusWriter } from './status-writer.ts';
import { after } from './timers.ts';
import type { Pod, PodCondition } from './types.ts';
import { unhonoured } from './unhonoured.ts';
import { PodVolumes } from './volumes.ts';

const defaultGraceSeconds = 30;

/** One pod on this node, from its binding to its removal. */
export class PodRunner {
  readonly #node: NodeContext;
  #pod: Pod;
  readonly #startTime: string;
  readonly #stopping = new AbortController();
  readonly #writer: StatusWriter;
  readonly #ran: Promise<void>;
  #containers: ContainerRunner[] = [];
  #end = new PodEnd([]);
  #ip: string | undefined;
  #cut: NetworkCut | undefined;
  #cutOff: readonly string[] = [];
  #volumes: PodVolumes | undefined;
  #failure: PodView['failure'];
  #conditions: readonly PodCondition[];
  #ending: Promise<void> | undefined;
  #refreshing = false;
  #refreshAgain = false;
  #released = false;

  /** Begins to run the pod. */
  constructor(node: NodeContext, pod: Pod) {
    this.#node = node;
    this.#pod = pod;
    this.#startTime = pod.status?.startTime ?? new Date().toISOString();
    this.#writer = new StatusWriter(node.api, pod);
    this.#conditions = pod.status?.conditions ?? [];
    this.#ran = this.#run().catch((error: unknown) => {
      console.error(`pod ${pod.metadata.namespace}/${pod.metadata.name} (${node.cluster.name}): ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
    });
  }

  get namespace(): string {
    return this.#pod.metadata.namespace;
  }

  /** The way into a container; undefined when it does not run. @throws Refusal when there is none of that name. */
  inside(container: string): Inside | undefined {
    const runner = this.#containers.find(({ spec }) => spec.name === container);
    if (runner === undefined) throw new Refusal(404, `pod "${this.#pod.metadata.name}" has no container "${container}"`);
    return runner.inside;
  }

  /** The pod has changed in the API. */
  update(pod: Pod): void {
    const relabelled = JSON.stringify([pod.metadata.labels, pod.metadata.annotations]) !== JSON.stringify([this.#pod.metadata.labels, this.#pod.metadata.annotations]);
    this.#pod = pod;
    if (relabelled && this.#volumes?.readsPod() === true) this.#refresh();
  }

  /** The addresses that network policies cut the pod off from, from now on or, when it has no network yet, from its start on. */
  cutOff(blocks: readonly string[]): void {
    this.#cutOff = blocks;
    if (this.#released) return;
    this.#cut?.set(blocks).catch((error: unknown) => {
      this.#node.recorder.event(this.#ref(), 'Warning', 'NetworkPolicyFailed', messageOf(error));
    });
  }

  /** A ConfigMap or Secret of the pod's namespace has changed. */
  dataChanged(kind: DataKind, name: string): void {
    if (this.#volumes?.reads(kind, name) === true) this.#refresh();
  }

  /** The cluster's host names have changed, or are needed for the first time. */
  writeHosts(): void {
    if (this.#ip === undefined || this.#released) return;
    mkdirSync(podWorkDir(this.#pod), { recursive: true, mode: 0o700 });
    const names = readFileSync(clusterHostsFile(this.#node), 'utf8');
    writeInPlace(podHostsFile(this.#pod), podHosts(this.#pod, this.#ip, podHostname(this.#pod), names));
  }

  /** Called now and then: renews tokens that are due. */
  tick(): void {
    if (this.#volumes?.needsToken() === true) this.#refresh();
  }

  /**
   * Ends the pod: containers first, then its last status, then, when it is one that was deleted, the object itself, at last what it
   * left here. A further call can only shorten the grace.
   */
  end(graceSeconds: number, removeObject: boolean): Promise<void> {
    this.#stopping.abort();
    this.#end.begin(graceSeconds);
    this.#ending ??= this.#finish(graceSeconds, removeObject);
    return this.#ending;
  }

  async #finish(graceSeconds: number, removeObject: boolean): Promise<void> {
    await this.#end.endSidecars(graceSeconds);
    await this.#ran;
    await this.#releaseNetwork();
    if (removeObject) {
      await this.#writer.flush();
      await this.#writer.remove();
    } else {
      await Promise.race([this.#writer.flush(), delay(1000)]);
      this.#writer.close();
    }
    const { dir } = this.#node;
    await Promise.all([podWorkDir(this.#pod), ...(removeObject ? [podDiskDir(dir, this.#pod)] : [])].map((path) => rm(path, { recursive: true, force: true })));
  }

  async #run(): Promise<void> {
    const { recorder } = this.#node;
    const ignored = unhonoured(this.#pod);
    if (ignored.length > 0) recorder.event(this.#ref(), 'Normal', 'NotHonoured', `The sandbox's node agent runs this pod without ${ignored.join(', ')}`);
    this.#makeContainers();
    const cancelDeadline = this.#watchDeadline();
    this.#publish();
    try {
      await this.#retry('FailedCreatePodSandBox', () => this.#network());
      await this.#retry('FailedMount', () => this.#makeVolumes());
      await this.#runContainers();
    } finally {
      cancelDeadline();
      this.#publish();
    }
    // What has come to its end needs no address; its status keeps it.
    if (!this.#stopping.signal.aborted) await this.#releaseNetwork();
  }

  #makeContainers(): void {
    const { spec, status } = this.#pod;
    const host = this.#host();
    const before = [...status?.initContainerStatuses ?? [], ...status?.containerStatuses ?? []];
    const make = (kind: ContainerRunner['kind']) => (container: (typeof spec.containers)[number]) =>
      new ContainerRunner(container, container.restartPolicy === 'Always' && kind === 'init' ? 'sidecar' : kind, host, before.find(({ name }) => name === container.name));
    this.#containers = [...(spec.initContainers ?? []).map(make('init')), ...spec.containers.map(make('app'))];
    this.#end = new PodEnd(this.#containers);
    if ((spec.initContainers ?? []).length > 0) for (const container of this.#containers) container.wait('PodInitializing');
  }

  #host(): ContainerHost {
    // The address is known only later, but before any container is launched.
    const ip = () => this.#ip ?? '';
    return {
      get podIp() { return ip(); },
      probeIp: probeIp(this.#node.cluster),
      restartPolicy: this.#pod.spec.restartPolicy ?? 'Always',
      graceSeconds: this.#pod.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds,
      launch: (container, run) => {
        if (this.#volumes === undefined) throw new Error('volumes come before containers');
        return launchContainer({ node: this.#node, pod: this.#pod, podIp: ip(), volumes: this.#volumes, container, run });
      },
      event: (type, reason, message, container) => { this.#node.recorder.event({ ...this.#ref(), fieldPath: `spec.containers{${container}}` }, type, reason, message); },
      changed: () => { this.#publish(); },
    };
  }

  async #network(): Promise<void> {
    const { addresses, cluster, silentPods } = this.#node;
    const ip = addresses.take(this.#pod.status?.podIP);
    try {
      await createPodNetwork(cluster, ip);
      const cut = new NetworkCut(cluster, ip, silentPods);
      await cut.set(this.#cutOff);
      this.#cut = cut;
    } catch (error) {
      await removePodNetwork(ip).catch(() => undefined);
      addresses.give(ip);
      throw error;
    }
    this.#ip = ip;
    // It may have changed meanwhile.
    this.cutOff(this.#cutOff);
    this.writeHosts();
  }

  async #makeVolumes(): Promise<void> {
    const { api, cluster, dir } = this.#node;
    const volumes = new PodVolumes(this.#pod, {
      api, podIp: this.#ip ?? '', hostIp: cluster.nodeIp,
      memoryDir: join(podWorkDir(this.#pod), 'volumes'), diskDir: join(podDiskDir(dir, this.#pod), 'volumes'),
    });
    await volumes.makeAll();
    this.#volumes = volumes;
    this.#publish();
  }

  async #runContainers(): Promise<void> {
    for (const container of this.#containers.filter(({ kind }) => kind !== 'app')) {
      if (this.#stopping.signal.aborted) return;
      const run = container.run();
      await (container.kind === 'sidecar' ? container.startedOnce : run);
      if (container.kind === 'init' && !container.succeeded) return;
    }
    if (this.#stopping.signal.aborted) return;
    const apps = this.#containers.filter(({ kind }) => kind === 'app');
    await Promise.all(apps.map((container) => container.run()));
    await this.#end.endSidecars(this.#pod.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds);
  }

  /** Until it succeeds or the pod is to end: every 0.25 s at first, every 5 s later on. Each failure is an event. */
  async #retry(reason: string, attempt: () => Promise<void>): Promise<void> {
    for (let pauseMs = 250; !this.#stopping.signal.aborted; pauseMs = Math.min(pauseMs * 1.5, 5000)) {
      try {
        return await attempt();
      } catch (error) {
        this.#node.recorder.event(this.#ref(), 'Warning', reason, messageOf(error));
        await delay(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
  }

  /** @returns What prevents that the pod ends by its deadline. */
  #watchDeadline(): () => void {
    const { activeDeadlineSeconds } = this.#pod.spec;
    if (activeDeadlineSeconds === undefined) return () => undefined;
    const left = Date.parse(this.#startTime) + activeDeadlineSeconds * 1000 - Date.now();
    return after(left, () => {
      this.#failure = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
      for (const container of this.#containers) container.stop(this.#pod.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds);
    });
  }

  /** One refresh at a time; a change during one asks for another. */
  #refresh(): void {
    this.#refreshAgain = true;
    if (this.#refreshing) return;
    this.#refreshing = true;
    void (async () => {
      while (this.#refreshAgain && !this.#stopping.signal.aborted) {
        this.#refreshAgain = false;
        await this.#volumes?.refresh(this.#pod).catch((error: unknown) => {
          this.#node.recorder.event(this.#ref(), 'Warning', 'FailedMount', messageOf(error));
        });
      }
      this.#refreshing = false;
    })();
  }

  async #releaseNetwork(): Promise<void> {
    const ip = this.#ip;
    if (ip === undefined || this.#released) return;
    this.#released = true;
    this.#cut?.forget();
    await removePodNetwork(ip).catch((error: unknown) => { console.error(`network of ${ip} was not removed: ${String(error)}`); });
    this.#node.addresses.give(ip);
  }

  #publish(): void {
    const view: PodView = {
      containers: this.#containers.map((container) => container.view()), startTime: this.#startTime, hostIp: this.#node.cluster.nodeIp,
      ...(this.#ip === undefined ? {} : { podIp: this.#ip }), ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
    const status = podStatus(this.#pod, view, this.#conditions, new Date().toISOString());
    this.#conditions = status.conditions ?? [];
    this.#writer.write(status);
  }

  #ref() {
    return { apiVersion: 'v1', kind: 'Pod', metadata: this.#pod.metadata };
  }
}

/** Whether the pod has come to an end of its own; nothing of it is run again. */
export function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Removes the object of a pod that nothing runs of. */
export async function removePod(node: NodeContext, pod: Pod): Promise<void> {
  await new StatusWriter(node.api, pod).remove();
  await rm(podDiskDir(node.dir, pod), { recursive: true, force: true });
}
