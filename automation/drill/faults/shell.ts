import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../../errors.ts';
import { refuse } from './target.ts';
import type { Target } from './target.ts';
import { podOf } from './pods.ts';
import type { Incarnation } from './pods.ts';
import { together } from './together.ts';

/**
 * Signals go to process -1: everything in the container but its first process and the shell itself. Images with an init (Strimzi's have tini) run
 * their program under it; the container ends with its program.
 */

/** Refuses where the rights are missing, or the image has no shell. Leaves nothing behind. */
export async function mustHaveShell(target: Target, containers: readonly Incarnation[]): Promise<void> {
  for (const container of containers) {
    const cluster = target.cluster(container.context);
    // A web socket is opened by GET; newer API servers ask for `create` as well.
    await cluster.mustAllow(['get', 'create'].map((verb) => ({ verb, group: '', resource: 'pods/exec', namespace: container.namespace })));
    const where = `container ${container.container} of pod ${container.namespace}/${container.pod} in cluster ${container.context}`;
    const { exitCode } = await cluster.sh(container, 'command -v sleep && command -v cat').catch((error: unknown) => {
      // Clear where the image has no shell: the runtime says so. All else is the cluster's state, not its abilities.
      if (error instanceof UserError && /executable file not found|no such file/i.test(error.message)) return { exitCode: 127 };
      throw error;
    });
    // Its connection broke, or it took too long: nobody knows.
    if (exitCode === undefined) throw new UserError(`${where} did not say in time whether it has a shell`);
    if (exitCode !== 0) refuse(`${where} has no shell with sleep and cat, so nothing can be signalled in it`);
  }
}

/** Ends every program of the containers at once. */
export async function killAll(target: Target, containers: readonly Incarnation[]): Promise<void> {
  await together(containers, async (container) => {
    // Whether the shell still gets to say how it ended depends on how fast the container goes.
    await target.cluster(container.context).sh(container, 'kill -KILL -1');
  });
}

/** Stops the containers' programs now, and lets them go on after `seconds`, whatever becomes of driver and API server. */
export async function holdAll(target: Target, containers: readonly Incarnation[], seconds: number): Promise<void> {
  await detached(target, containers, `kill -STOP -1; sleep ${seconds}; kill -CONT -1`);
  // A shell that asks whether it has done so while it does is stopped like the rest, and says nothing until nobody waits for it any more.
  await delay(2 * startSeconds * 1000);
}

/** How long a script waits before it does anything, as it would stop the shell that starts it. */
const startSeconds = 0.3;

/** One container's programs that are stopped for a moment: when that was asked for and answered, by the clock of this process, ms. Their script began between these. */
export interface Pause {
  container: Incarnation;
  askedMs: number;
  answeredMs: number;
}

/**
 * Stops the containers' programs for a moment, all at the same time as far as that can be told: where a script takes longer to begin, as its cluster is further away, the others
 * wait for it, and the moment is longer, up to `most`. What is left of the script then says when they were stopped, by the container's own clock.
 */
export async function pauseAll(target: Target, containers: readonly Incarnation[], { least, most }: { least: number; most: number }): Promise<Pause[]> {
  const begins = await together(containers, async (container) => {
    const askedMs = performance.now();
    await target.cluster(container.context).sh(container, ':');
    return { container, afterSeconds: (performance.now() - askedMs) / 1000 };
  });
  const last = Math.max(...begins.map(({ afterSeconds }) => afterSeconds));
  const count = 'n=0; for f in /proc/[0-9]*/stat; do case "$(cat $f 2>/dev/null)" in *") T "*) n=1;; esac; done';
  return await together(begins, async ({ container, afterSeconds }) => {
    const seconds = Math.min(most, Math.max(least, 1.5 * afterSeconds)).toFixed(2);
    const script = `sleep ${(last - afterSeconds).toFixed(2)}; kill -STOP -1; read u _ </proc/uptime; ${count}; sleep ${seconds}; read v _ </proc/uptime; kill -CONT -1; `
      + `[ $n = 0 ] || exec sh -c ": ${markOf(target)}-held $1 $u $v; sleep 60; :"`;
    const askedMs = performance.now();
    await detached(target, [container], script);
    return { container, askedMs, answeredMs: performance.now() };
  });
}

/**
 * Whether there was an instant for certain at which all of the containers' programs were stopped. Their clocks are not known to be one: each says how long after its script's begin
 * they were stopped and let go on, and the begin was between question and answer.
 */
export async function werePausedAtOnce(target: Target, pauses: readonly Pause[]): Promise<boolean> {
  const spans = await together(pauses, async ({ container, askedMs, answeredMs }) => {
    // What it looks for must not be in itself; in quotes a pattern is none.
    const script = `for f in /proc/[0-9]*/cmdline; do c=$(cat $f 2>/dev/null); case "$c" in *": ${markOf(target)}-hel"[d]" "[0-9]*) echo "$c"; exit 0;; esac; done; exit 1`;
    const { output } = await target.cluster(container.context).sh(container, script);
    const [begun, stopped, goesOn] = (/-held ([\d.]+) ([\d.]+) ([\d.]+);/.exec(output) ?? []).slice(1).map((seconds) => Number(seconds) * 1000);
    if (begun === undefined || stopped === undefined || goesOn === undefined) return { fromMs: Infinity, toMs: -Infinity };
    return { fromMs: answeredMs + stopped - begun + uptimeStepMs, toMs: askedMs + goesOn - begun - uptimeStepMs };
  });
  return Math.max(...spans.map(({ fromMs }) => fromMs)) <= Math.min(...spans.map(({ toMs }) => toMs));
}

/** In such steps /proc/uptime counts. */
const uptimeStepMs = 10;

/** Lets the containers' programs run half of the time only, by turns of `turnSeconds`, for `seconds`. */
export async function slowAll(target: Target, containers: readonly Incarnation[], { turnSeconds, seconds }: { turnSeconds: number; seconds: number }): Promise<void> {
  const turns = Math.ceil(seconds / (2 * turnSeconds));
  await detached(target, containers, `i=0; while [ $i -lt ${turns} ]; do kill -STOP -1; sleep ${turnSeconds}; kill -CONT -1; sleep ${turnSeconds}; i=$((i+1)); done`);
}

/** Ends what `holdAll` and `slowAll` of this run began. Containers that are gone have nothing left of it. Returns how many were held. */
export async function releaseAll(target: Target, containers: readonly Incarnation[]): Promise<number> {
  // Its own pattern must not find the script that looks for it.
  const mark = markOf(target).replace(/.$/, '[$&]');
  const script = `n=0; for f in /proc/[0-9]*/cmdline; do case "$(cat $f 2>/dev/null)" in *${mark}*) p=\${f%/cmdline}; kill -KILL \${p#/proc/} 2>/dev/null && n=1;; esac; done; kill -CONT -1; exit $((n*10))`;
  const held = await together(containers, async (container) => {
    const cluster = target.cluster(container.context);
    const pod = await podOf(cluster, container);
    const status = pod?.status?.containerStatuses?.find(({ name }) => name === container.container);
    if (pod?.metadata?.uid !== container.uid || status?.containerID !== container.id || status?.state?.running === undefined) return 0;
    const { exitCode, output } = await cluster.sh(container, script);
    if (exitCode === 0 || exitCode === 10) return exitCode / 10;
    throw new UserError(`container ${container.container} of pod ${container.namespace}/${container.pod} in cluster ${container.context} was not let go on: exit code ${String(exitCode)} ${output}`);
  });
  return held.reduce((sum, one) => sum + one, 0);
}

/** One that was stopped after all does not answer; it is asked again. */
const heldWithinMs = 3_000;

/** Whether every container has a process that is stopped. */
export async function areHeld(target: Target, containers: readonly Incarnation[]): Promise<boolean> {
  const held = await together(containers, async (container) => {
    const { exitCode } = await target.cluster(container.context).sh(container, 'for f in /proc/[0-9]*/stat; do case "$(cat $f 2>/dev/null)" in *") T "*) exit 0;; esac; done; exit 1', heldWithinMs);
    // Its connection broke: nobody knows.
    if (exitCode === undefined) throw new UserError(`container ${container.container} of pod ${container.namespace}/${container.pod} in cluster ${container.context} did not say whether it is held`);
    return exitCode === 0;
  });
  return held.every(Boolean);
}

/** Starts a script that outlives its connection. Its `$1` is when that shell ran, by /proc/uptime. */
async function detached(target: Target, containers: readonly Incarnation[], script: string): Promise<void> {
  const command = `read b _ </proc/uptime; $(command -v setsid) sh -c ': ${markOf(target)}; sleep ${startSeconds}; ${script}' sh "$b" </dev/null >/dev/null 2>&1 & exit 0`;
  await together(containers, async (container) => {
    const { exitCode, output } = await target.cluster(container.context).sh(container, command);
    if (exitCode !== undefined && exitCode !== 0) throw new UserError(`a script in container ${container.container} of pod ${container.namespace}/${container.pod} ended with ${exitCode}: ${output}`);
  });
}

/** By which this run's scripts are found. */
function markOf({ refs }: Target): string {
  return `kbf-drill-${refs.run}`;
}
