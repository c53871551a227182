import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Container } from '@kubernetes/client-node';
import { messageOf, UserError } from '../../errors.ts';
import type { ContainerProcess, Exit } from './container-process.ts';
import type { Inside } from './inside.ts';
import { probeOnce, runProbe } from './probes.ts';
import type { ProbeTarget } from './probes.ts';
import type { ContainerState, ContainerView } from './status.ts';
import { after, longestDelayMs } from './timers.ts';
import type { ContainerStatus, Json } from './types.ts';

/** What a container needs from the pod that it belongs to. */
export interface ContainerHost {
  readonly podIp: string;
  /** Where probes come from; unless told, wherever the route says. */
  readonly probeIp?: string;
  readonly restartPolicy: string;
  readonly graceSeconds: number;
  /** Starts the nth run (0 is the first). @throws UserError (its message goes to the status) when it cannot be started as things are. */
  launch(container: Json<V1Container>, run: number): Promise<Launched>;
  event(type: 'Normal' | 'Warning', reason: string, message: string, container: string): void;
  /** The container's view is another one now. */
  changed(): void;
}

export interface Launched {
  readonly process: ContainerProcess;
  readonly env: Readonly<Record<string, string>>;
  /** After its end: its last words. */
  terminationMessage(): Promise<string>;
  cleanUp(): Promise<void>;
}

/** A reason that a kubelet gives for a container that cannot be started as things are. */
export class LaunchError extends UserError {
  readonly reason: string;

  constructor(reason: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

const firstBackOffMs = 10_000;
const longestBackOffMs = 300_000;
/** A container that ran this long starts with a clean record. */
const forgivenAfterMs = 600_000;
/** A kubelet never gives a container less. */
const leastGraceSeconds = 2;

/** One container of a pod: started, probed, started again, ended. */
export class ContainerRunner {
  readonly spec: Json<V1Container>;
  readonly kind: ContainerView['kind'];
  readonly #host: ContainerHost;
  readonly #stopping = new AbortController();
  readonly #startedOnce = Promise.withResolvers<undefined>();
  #state: ContainerState = { waiting: { reason: 'PodInitializing' } };
  #lastState: ContainerState = {};
  #restarts = 0;
  #backOffMs = 0;
  #ready = false;
  #started = false;
  #id: string | undefined;
  #process: ContainerProcess | undefined;
  #target: ProbeTarget | undefined;
  /** While it is ending: when SIGKILL is due, by the clock of `performance.now()`. */
  #kill: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #done = false;
  #running: Promise<void> = Promise.resolve();

  /** @param before Its status in an agent's earlier life, whose processes are gone. */
  constructor(spec: Json<V1Container>, kind: ContainerView['kind'], host: ContainerHost, before?: ContainerStatus) {
    this.spec = spec;
    this.kind = kind;
    this.#host = host;
    if (kind !== 'app' || before === undefined) this.#state = { waiting: { reason: kind === 'app' ? 'ContainerCreating' : 'PodInitializing' } };
    if (before?.containerID !== undefined) this.#resume(before);
  }

  view(): ContainerView {
    return {
      name: this.spec.name, image: this.spec.image ?? '', kind: this.kind, state: this.#state, lastState: this.#lastState,
      restartCount: this.#restarts, started: this.#started, ready: this.kind === 'init' ? this.#state.terminated?.exitCode === 0 : this.#ready,
      ...(this.#id === undefined ? {} : { containerId: this.#id }),
    };
  }

  /** The way into it, while it runs. */
  get inside(): Inside | undefined {
    return this.#target;
  }

  /** Its status while nothing of it runs yet. */
  wait(reason: string): void {
    if (this.#state.waiting !== undefined) this.#state = { waiting: { reason } };
  }

  /** Resolves when it runs and its startup probe has passed, or never will. */
  get startedOnce(): Promise<undefined> {
    return this.#startedOnce.promise;
  }

  get succeeded(): boolean {
    return this.#state.terminated?.exitCode === 0;
  }

  /** Resolves when it has ended for good; at once when it was never run. */
  get ended(): Promise<void> {
    return this.#running;
  }

  /** Runs it, again and again where the restart policy says so; resolves when it has ended for good or was stopped. */
  run(): Promise<void> {
    this.#running = this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#done && !this.#stopping.signal.aborted) {
      const launched = await this.#launch();
      if (launched === undefined) break;
      await this.#live(launched);
      if (this.#stopping.signal.aborted || !this.#restartsAfter(this.#state.terminated?.exitCode ?? 0)) break;
      await this.#backOff();
    }
    this.#startedOnce.resolve(undefined);
  }

  /** Ends it for good. A further call can only shorten the time that it has. */
  stop(graceSeconds: number): void {
    const first = !this.#stopping.signal.aborted;
    this.#stopping.abort();
    this.#end(graceSeconds, first, `Stopping container ${this.spec.name}`);
  }

  #resume(before: ContainerStatus): void {
    const { terminated } = before.state ?? {};
    this.#restarts = before.restartCount;
    if (terminated !== undefined && (this.kind === 'app' && !this.#restartsAfter(terminated.exitCode))) {
      this.#state = { terminated };
      this.#done = true;
      return;
    }
    const now = new Date().toISOString();
    const waited = before.state?.waiting === undefined ? undefined : before.lastState?.terminated;
    const lost = terminated ?? waited ?? { exitCode: 137, reason: 'Error', message: 'It ended with the node agent that ran it.', startedAt: before.state?.running?.startedAt ?? now, finishedAt: now };
    if (this.#host.restartPolicy === 'Never' && this.kind === 'app') {
      this.#state = { terminated: lost };
      this.#done = true;
      return;
    }
    this.#restarts += 1;
    this.#lastState = { terminated: lost };
  }

  #restartsAfter(exitCode: number): boolean {
    if (this.kind === 'sidecar') return true;
    const { restartPolicy } = this.#host;
    if (this.kind === 'init') return exitCode !== 0 && restartPolicy !== 'Never';
    return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0);
  }

  /** Tries until it can be started; undefined when it was stopped meanwhile. */
  async #launch(): Promise<Launched | undefined> {
    for (let pauseMs = 500; !this.#stopping.signal.aborted; pauseMs = Math.min(pauseMs * 2, 20_000)) {
      try {
        const launched = await this.#host.launch(this.spec, this.#restarts);
        if (!this.#stopping.signal.aborted) return launched;
        launched.process.signal('SIGKILL');
        await launched.process.exited;
        await launched.cleanUp();
        return undefined;
      } catch (error) {
        const reason = error instanceof LaunchError ? error.reason : 'CreateContainerConfigError';
        const message = messageOf(error);
        this.#set({ waiting: { reason, message } });
        this.#host.event('Warning', 'Failed', `Error: ${message}`, this.spec.name);
        await this.#sleep(pauseMs);
      }
    }
    return undefined;
  }

  async #live({ process, env, terminationMessage, cleanUp }: Launched): Promise<void> {
    this.#process = process;
    this.#id = randomBytes(16).toString('hex');
    const over = new AbortController();
    const startedAt = await process.started;
    if (startedAt !== undefined) {
      this.#host.event('Normal', 'Started', `Started container ${this.spec.name}`, this.spec.name);
      const { podIp, probeIp } = this.#host;
      this.#target = { podIp, container: this.spec, pid: process.pid, env, ...(probeIp === undefined ? {} : { probeIp }) };
      this.#set({ running: { startedAt: startedAt.toISOString() } });
      this.#unawaited(this.#health(this.#target, startedAt, over.signal));
    }
    const exit = await process.exited;
    over.abort();
    this.#kill?.cancel();
    this.#process = this.#target = this.#kill = undefined;
    this.#ready = this.#started = false;
    if (startedAt !== undefined && exit.finishedAt.getTime() - startedAt.getTime() > forgivenAfterMs) this.#backOffMs = 0;
    const message = exit.startError ?? await terminationMessage();
    this.#set({ terminated: terminated(exit, startedAt, message, this.#id) });
    if (exit.startError !== undefined) this.#host.event('Warning', 'Failed', `Error: failed to start container "${this.spec.name}": ${exit.startError}`, this.spec.name);
    await cleanUp();
  }

  /** Startup first, then liveness and readiness side by side, for one run. */
  async #health(target: ProbeTarget, startedAt: Date, signal: AbortSignal): Promise<void> {
    const { startupProbe, livenessProbe, readinessProbe, lifecycle } = this.spec;
    if (lifecycle?.postStart !== undefined) await this.#hook('PostStart', lifecycle.postStart, target);
    const failing = (kind: string) => (message: string) => { this.#host.event('Warning', 'Unhealthy', `${kind} probe failed: ${message}`, this.spec.name); };
    const kill = (kind: string, grace?: number) => { this.#end(grace ?? this.#host.graceSeconds, true, `Container ${this.spec.name} failed ${kind} probe, will be restarted`); };
    if (startupProbe !== undefined) {
      const passed = new AbortController();
      await runProbe(startupProbe, target, {
        failedOnce: failing('Startup'),
        changed: (ok) => { passed.abort(); if (!ok) kill('startup', startupProbe.terminationGracePeriodSeconds); },
      }, AbortSignal.any([signal, passed.signal]));
      if (signal.aborted || this.#kill !== undefined) return;
    }
    this.#started = true;
    this.#startedOnce.resolve(undefined);
    if (readinessProbe === undefined) this.#setReady(true);
    else this.#host.changed();
    // Their initial delays count from the container's start.
    const late = <T extends { initialDelaySeconds?: number }>(probe: T): T => ({ ...probe, initialDelaySeconds: (probe.initialDelaySeconds ?? 0) - (Date.now() - startedAt.getTime()) / 1000 });
    const live = AbortSignal.any([signal, this.#stopping.signal]);
    if (readinessProbe !== undefined) this.#unawaited(runProbe(late(readinessProbe), target, { failedOnce: failing('Readiness'), changed: (ok) => { this.#setReady(ok); } }, signal));
    if (livenessProbe !== undefined) this.#unawaited(runProbe(late(livenessProbe), target, { failedOnce: failing('Liveness'), changed: (ok) => { if (!ok && this.#kill === undefined) kill('liveness', livenessProbe.terminationGracePeriodSeconds); } }, live));
  }

  /** preStop, SIGTERM, and SIGKILL when the grace is over, which a further call can only bring nearer. */
  #end(graceSeconds: number, announce: boolean, why: string): void {
    const { preStop } = this.spec.lifecycle ?? {};
    const child = this.#process;
    if (child === undefined) return;
    const polite = this.#kill === undefined;
    const graceMs = Math.max(graceSeconds, leastGraceSeconds) * 1000;
    const atMs = performance.now() + graceMs;
    if (this.#kill === undefined || atMs < this.#kill.atMs) {
      this.#kill?.cancel();
      this.#kill = { atMs, cancel: after(graceMs, () => { child.signal('SIGKILL'); }) };
    }
    if (announce) this.#host.event('Normal', 'Killing', why, this.spec.name);
    if (!polite) return;
    this.#unawaited((async () => {
      if (preStop !== undefined && this.#target !== undefined) await this.#hook('PreStop', preStop, this.#target, graceSeconds);
      child.signal('SIGTERM');
    })());
  }

  /** What fails here must not take the agent along, and with it all pods. */
  #unawaited(work: Promise<void>): void {
    work.catch((error: unknown) => { console.error(`container ${this.spec.name}: ${error instanceof Error ? error.stack ?? error.message : String(error)}`); });
  }

  async #hook(kind: 'PreStop' | 'PostStart', hook: NonNullable<NonNullable<Json<V1Container>['lifecycle']>['preStop']>, target: ProbeTarget, timeoutSeconds = 60): Promise<void> {
    if (hook.sleep !== undefined) return delay(Math.min(hook.sleep.seconds * 1000, timeoutSeconds * 1000, longestDelayMs));
    const { ok, message } = await probeOnce({ ...hook, timeoutSeconds }, target);
    if (!ok) this.#host.event('Warning', `Failed${kind}Hook`, `${kind}Hook failed: ${message}`, this.spec.name);
  }

  async #backOff(): Promise<void> {
    const { terminated: last } = this.#state;
    const pauseMs = this.#backOffMs;
    this.#backOffMs = Math.min(Math.max(pauseMs * 2, firstBackOffMs), longestBackOffMs);
    this.#lastState = last === undefined ? {} : { terminated: last };
    if (pauseMs > 0) {
      const message = `back-off ${pauseMs / 1000}s restarting failed container=${this.spec.name}`;
      this.#set({ waiting: { reason: 'CrashLoopBackOff', message } });
      this.#host.event('Warning', 'BackOff', `Back-off restarting failed container ${this.spec.name}`, this.spec.name);
      await this.#sleep(pauseMs);
    }
    this.#restarts += 1;
  }

  #setReady(ready: boolean): void {
    if (this.#process === undefined || ready === this.#ready) return;
    this.#ready = ready;
    if (ready) this.#process.ready();
    this.#host.changed();
  }

  #set(state: ContainerState): void {
    this.#state = state;
    this.#host.changed();
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

function terminated(exit: Exit, startedAt: Date | undefined, message: string, id: string | undefined): NonNullable<ContainerState['terminated']> {
  const { exitCode, finishedAt, startError } = exit;
  const reason = startError !== undefined ? 'StartError' : exitCode === 0 ? 'Completed' : 'Error';
  return {
    exitCode, reason, finishedAt: finishedAt.toISOString(), startedAt: (startedAt ?? finishedAt).toISOString(),
    ...(message === '' ? {} : { message }), ...(id === undefined ? {} : { containerID: `sandbox://${id}` }),
  };
}
