import { readFileSync } from 'node:fs';

import type { V1ConfigMap, V1Job } from '@kubernetes/client-node';

import { restricted } from '../../../config/pod-security.ts';
import { fieldManager } from '../cluster.ts';
import { recoverTimeoutMs, takeHoldTimeoutMs } from '../fault-times.ts';
import { runLabel } from '../faults/target.ts';
import { defaultWorkerImage } from '../load-plan.ts';
import type { Plan } from '../plan.ts';
import type { WorkerSettings } from './protocol.ts';

const directory = '/etc/kbf-worker';
/** What a worker is made of: the drill's own modules that need nothing but Node.js, where they lie under automation/drill. */
const sources = [
  'bracketed', 'client-retry', 'content', 'exchange', 'instance', 'lanes', 'load', 'outcome', 'pacer', 'producer', 'random',
  'workers/http-dispatcher', 'workers/outbox', 'workers/protocol', 'workers/worker',
].map((name) => `${name}.ts`);
const program = 'workers/worker.ts';
/** What may be left unsaid at the end takes its time. */
const graceSeconds = 110;
/** From the Job's making until the load begins, and at its end. No worker outlives a load by more whose driver was killed, and whose journal nobody heals. */
const extraSeconds = 900;

/** How long the load lasts at most: half of its time is before the first step and after the last, and every fault may take long to take hold and to be over. */
export function longestLoadSeconds({ durationSeconds, steps }: Pick<Plan, 'durationSeconds' | 'steps'>): number {
  const faultSeconds = 2 * (takeHoldTimeoutMs + recoverTimeoutMs) / 1000;
  const secondsOf = (step: Plan['steps'][number]): number => (step.kind === 'wait' ? step.seconds : step.kind === 'do' ? (step.forSeconds ?? durationSeconds / 3) + faultSeconds : 0);
  return Math.ceil(Math.max(durationSeconds, steps.reduce((sum, step) => sum + secondsOf(step), durationSeconds / 2)));
}

/** The files of a worker's program by path, package.json included. */
export function workerFiles(): Map<string, string> {
  const files = new Map([['package.json', '{"type":"module"}\n']]);
  for (const source of sources) files.set(source, readFileSync(new URL(`../${source}`, import.meta.url), 'utf8'));
  return files;
}

/** Keys of a ConfigMap cannot have slashes. */
function keyOf(path: string): string {
  return path.replaceAll('/', '.');
}

/**
 * A Job of one pod for each worker, and the ConfigMap of the program.
 * @param givesUsers whether the cluster says itself as which user a pod runs
 */
export function workerObjects(settings: WorkerSettings, namespace: string, givesUsers: boolean): { job: V1Job; configMap: V1ConfigMap } {
  const { plan: { run, load: { workers, workerImage: image = defaultWorkerImage } } } = settings;
  const security = restricted(givesUsers);
  const name = `kbf-drill-${run}`;
  const labels = { 'app.kubernetes.io/managed-by': fieldManager, [runLabel]: run };
  const metadata = { name, namespace, labels };
  const files = workerFiles();
  return {
    configMap: { metadata, data: Object.fromEntries([...files].map(([path, text]) => [keyOf(path), text])) },
    job: {
      metadata,
      spec: {
        completionMode: 'Indexed', completions: workers, parallelism: workers, backoffLimit: 0,
        activeDeadlineSeconds: longestLoadSeconds(settings.plan) + extraSeconds, ttlSecondsAfterFinished: 60,
        template: {
          // A sidecar would stay behind when the worker is done, and its proxy would be part of what is measured.
          metadata: { labels, annotations: { 'sidecar.istio.io/inject': 'false' } },
          spec: {
            restartPolicy: 'Never', terminationGracePeriodSeconds: graceSeconds, automountServiceAccountToken: false, securityContext: security.pod,
            containers: [{
              name: 'worker', image, command: ['node', `${directory}/${program}`],
              env: [{ name: 'KBF_WORKER', value: JSON.stringify(settings) }],
              // A namespace with a quota refuses pods that ask for nothing.
              resources: { requests: { cpu: '100m', memory: '128Mi' } },
              securityContext: security.container,
              volumeMounts: [{ name: 'program', mountPath: directory, readOnly: true }],
            }],
            volumes: [{ name: 'program', configMap: { name, items: [...files.keys()].map((path) => ({ key: keyOf(path), path })) } }],
          },
        },
      },
    },
  };
}
