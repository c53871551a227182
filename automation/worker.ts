/**
 * One operation in a process of its own, because the engine and the drill have to run inside the sandbox's
 * namespaces, and in a session of their own, where a terminal's Ctrl-C does not reach them. It is told over its IPC channel what
 * to do and when to stop; when the channel closes, whoever started it is dead, and it stops just the same.
 */
import { UserError } from '../errors.ts';
import { configurationOf } from './configuration.ts';
import type { DrillKubeconfig } from './drillKubeconfig.ts';
import { Environment } from './environment.ts';
import { Interrupted } from './interrupt.ts';
import { located } from './options.ts';
import type { FromWorker, ToWorker, Way, WorkerRequest } from './runWorker.ts';
import { scratchIn } from './scratch.ts';

const stop = new AbortController();
const abort = (why: string): void => { if (!stop.signal.aborted) stop.abort(new Interrupted(why)); };
process.on('disconnect', () => { abort('the process that started this one ended'); });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => { abort(signal); });

process.on('message', (message: ToWorker) => {
  if (message.kind === 'stop') abort(message.why);
  else void answer(message.request);
});

/** The Pulumi CLI's errors hold all that it wrote. */
const causeLength = 4_000;

async function answer(request: WorkerRequest): Promise<void> {
  const reply = await perform(request).then(
    (value): FromWorker => ({ kind: 'result', value }),
    (error: unknown): FromWorker => ({ kind: 'error', error: describe(error) }),
  );
  // The process ends by itself once nothing is left to do; exiting now would cut off what is still to be written.
  if (process.connected) process.send?.(reply, () => { process.disconnect(); });
}

async function perform(request: WorkerRequest): Promise<unknown> {
  const onEvent = (event: unknown): void => { if (process.connected) process.send?.({ kind: 'event', event } satisfies FromWorker); };
  if (request.operation === 'drill') {
    const { repeatDrill, runDrill } = await import('./drill/index.ts');
    // Here, because whoever heals at last is this process, even where the one that started it is dead.
    await using kubeconfig = await kubeconfigOf(request.drill.kubeconfig);
    const options = { ...request.drill, kubeconfig: kubeconfig.path, signal: stop.signal, onEvent };
    return await (request.repeat === undefined ? runDrill(options) : repeatDrill(options, request.repeat, runDrill));
  }
  if (request.operation === 'heal') {
    const { healStack } = await import('./drill/index.ts');
    await using kubeconfig = await kubeconfigOf(request.leftovers.kubeconfig);
    return await healStack({ ...request.leftovers, kubeconfig: kubeconfig.path, notice: onEvent });
  }
  if (request.operation === 'lease') {
    const { lookForLease } = await import('./drill/index.ts');
    await using kubeconfig = await kubeconfigOf(request.drill.kubeconfig);
    return await lookForLease({ ...request.drill, kubeconfig: kubeconfig.path, signal: stop.signal });
  }
  if (request.operation === 'render') {
    const { renderStack } = await import('./render/index.ts');
    return await renderStack(request.environment);
  }
  if (request.operation === 'doctor') {
    const { examine } = await import('./doctor/index.ts');
    return await examine(request.environment, request.isSandbox);
  }
  const environment = await Environment.open(request.environment);
  return await environment[request.operation]({ ...request.choices, signal: stop.signal, onEvent });
}

async function kubeconfigOf(way: Way): Promise<DrillKubeconfig> {
  if (typeof way === 'string') return { path: way, [Symbol.asyncDispose]: () => Promise.resolve() };
  const { drillKubeconfig } = await import('./drillKubeconfig.ts');
  return await drillKubeconfig(await configurationOf(way, 'unchecked'), scratchIn(located(way).stateDir));
}

function describe(error: unknown): Extract<FromWorker, { kind: 'error' }>['error'] {
  const known = error instanceof Error ? error : new Error(String(error));
  const { code, path } = known as NodeJS.ErrnoException;
  const cause = known.cause instanceof Error ? `\nCaused by: ${(known.cause.stack ?? known.cause.message).slice(0, causeLength)}` : '';
  return {
    message: known.message,
    stack: `${known.stack ?? ''}${cause}`,
    interrupted: known instanceof Interrupted,
    ...(code === undefined || path === undefined ? {} : { file: { code, path } }),
    ...(known instanceof UserError ? { user: { exitCode: known.exitCode, ...(known.remedy === undefined ? {} : { remedy: known.remedy }), ...(known.code === undefined ? {} : { code: known.code }) } } : {}),
  };
}
