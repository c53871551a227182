import { existsSync } from 'node:fs';
import { cp, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { shellWord } from '../config/shell-word.ts';
import type { Sandbox } from '../sandbox/index.ts';
import type { ToolPaths } from '../sandbox/toolchain/index.ts';
import type { DrillEvent, DrillResult } from './drill/index.ts';
import { pageOf } from './drill/show/page.ts';
import { mustTakeReport } from './drill/store.ts';
import { renderTable } from './drill/table.ts';
import type { EngineProgress } from './engineEvents.ts';
import { defaultStateDir } from './options.ts';
import { showDrill, showEngine, showSandbox, showTools } from './live.ts';
import { duration } from './progress.ts';
import type { Progress } from './progress.ts';
import { runWorker } from './runWorker.ts';
import { inside, sandboxEnvironment, tier1Relay } from './sandboxes.ts';
import type { SandboxModules } from './sandboxes.ts';

export interface DemoOptions {
  /** How long the drill's load lasts. */
  seconds: number;
  /** Records per second. */
  rate: number;
  /** The sandbox goes on running after the drill. */
  keep: boolean;
  /** An empty or absent directory for the drill's files; on failure also for the sandbox's logs. */
  reportDir: string;
  stateDir: string;
  signal: AbortSignal;
  progress: Progress;
  /** Runs the operations; a test gives its own. */
  work?: typeof runWorker;
}

const fault = 'bridge-scale-0';
/** For an interrupted operation: whatever it leaves undone ends with the sandbox anyway. */
const workerGraceMs = 20_000;

/**
 * Everything once, on a sandbox of its own: toolchain, clusters, program, drill, report, destroy. Nothing of it is left when
 * this settles, unless it is to be kept.
 */
export async function demo(o: DemoOptions, modules: SandboxModules): Promise<DrillResult> {
  mustTakeReport(o.reportDir, { series: false });
  // At once: what forbids a sandbox is not to be learnt after half an hour of building its tools.
  await modules.checkPrerequisites();
  for (const line of await modules.cleanLeftovers(o.stateDir)) o.progress.note(line);
  await modules.checkStart(sandboxOf(o));
  const tools = await toolchain(o, modules);
  const sandbox = await startSandbox(o, modules, tools);
  let kept = false;
  try {
    const result = await withClusters(o, sandbox, tools);
    if (o.keep) {
      await sandbox.detach();
      kept = true;
      sayHowToGoOn(o, sandbox);
    }
    return result;
  } catch (error) {
    if (!o.signal.aborted) await keepLogs(o, sandbox);
    throw error;
  } finally {
    if (!kept) await stop(o, sandbox);
  }
}

function sandboxOf({ stateDir }: DemoOptions): { name: string; stateDir: string; regions: number } {
  return { name: `demo-${String(process.pid)}`, stateDir, regions: 2 };
}

async function toolchain({ progress, signal }: DemoOptions, { ensureTools, toolPaths }: SandboxModules): Promise<ToolPaths> {
  const startedAt = performance.now();
  const tools = await ensureTools(undefined, { signal, onEvent: showTools(progress) });
  progress.note(`${'toolchain'.padEnd(30)} ${String(tools.size)} tools ready after ${duration(performance.now() - startedAt)}`);
  return toolPaths(tools);
}

async function startSandbox(o: DemoOptions, modules: SandboxModules, tools: ToolPaths): Promise<Sandbox> {
  const { progress, signal } = o;
  const startedAt = performance.now();
  const { name } = sandboxOf(o);
  try {
    const sandbox = await modules.startSandbox({ ...sandboxOf(o), tools, signal, onEvent: showSandbox(progress) });
    progress.note(`${`sandbox ${name}`.padEnd(30)} ${String(sandbox.clusters.length)} clusters ready after ${duration(performance.now() - startedAt)}`);
    return sandbox;
  } finally {
    progress.done('sandbox');
  }
}

async function withClusters(o: DemoOptions, sandbox: Sandbox, tools: ToolPaths): Promise<DrillResult> {
  const work = o.work ?? runWorker;
  const worker = { start: inside(sandbox), signal: o.signal, graceMs: workerGraceMs };
  const environment = sandboxEnvironment(sandbox, tools);
  const { outputs } = await showing(o, 'up', (onEvent) => work({ operation: 'up', environment }, { ...worker, onEvent })) as { outputs: Record<string, unknown> };
  await sayOutputs(o, sandbox, outputs);
  const onDrill = showDrill(o.progress);
  const result = await work({
    operation: 'drill',
    drill: {
      outputs, environment: sandbox.name, kubeconfig: sandbox.kubeconfig, stateDir: join(sandbox.dir, 'drill'), reportDir: o.reportDir,
      fault, rate: o.rate, durationSeconds: o.seconds, parts: await sandbox.parts(),
    },
  }, { ...worker, onEvent: (event) => { onDrill(event as DrillEvent); } }) as DrillResult;
  o.progress.done('drill');
  o.signal.throwIfAborted();
  o.progress.note(`\n${renderTable(result.report)}\n${pageOf(o.reportDir)}\n`);
  if (!o.keep) await showing(o, 'destroy', (onEvent) => work({ operation: 'destroy', environment }, { ...worker, onEvent }));
  return result;
}

/** An engine operation with its components' lines. */
async function showing(o: DemoOptions, what: string, run: (onEvent: (event: unknown) => void) => Promise<unknown>): Promise<unknown> {
  const startedAt = performance.now();
  const engine = showEngine(o.progress);
  try {
    const result = await run((event) => { engine.onEvent(event as EngineProgress); });
    engine.finish();
    o.progress.note(`${what.padEnd(30)} done after ${duration(performance.now() - startedAt)}`);
    return result;
  } catch (error) {
    engine.finish();
    throw error;
  }
}

async function sayOutputs({ progress }: DemoOptions, sandbox: Sandbox, outputs: Record<string, unknown>): Promise<void> {
  const relay = await tier1Relay(sandbox);
  const hostname = String(outputs['hostname']);
  progress.note('');
  for (const name of ['url', 'tier1Address']) if (name in outputs) progress.note(`${name.padEnd(14)} ${String(outputs[name])}`);
  progress.note(`${'kubeconfig'.padEnd(14)} ${sandbox.outsideKubeconfig}`);
  if (relay !== undefined) {
    progress.note('While it runs, from this machine:');
    progress.note(`  curl -H 'Host: ${hostname}' http://${relay}/topics`);
    progress.note(`  curl -H 'Host: ${hostname}' -H 'content-type: application/vnd.kafka.json.v2+json' -d '{"records":[{"value":"hello"}]}' http://${relay}/topics/hello`);
  }
  progress.note('');
}

function sayHowToGoOn({ progress, stateDir }: DemoOptions, { name }: Sandbox): void {
  const kbf = stateDir === defaultStateDir ? 'npx kbf' : `npx kbf --state-dir ${shellWord(stateDir)}`;
  progress.note(`\nThe sandbox ${name} goes on running:`);
  progress.note(`  ${kbf} sandbox status --name ${name}              what runs, and where to reach it`);
  progress.note(`  ${kbf} drill --sandbox ${name} --fault ${fault}   another drill`);
  progress.note(`  ${kbf} sandbox shell --name ${name}               a shell inside, with kubectl`);
  progress.note(`  ${kbf} sandbox down --name ${name}                stops and removes all of it`);
}

/** What a person needs to find the cause, out of a sandbox that is about to be removed: its logs, nothing else. */
async function keepLogs({ reportDir, progress }: DemoOptions, sandbox: Sandbox): Promise<void> {
  try {
    const target = join(reportDir, 'logs');
    for (const part of ['logs', 'pods']) {
      if (!existsSync(join(sandbox.dir, part))) continue;
      await cp(join(sandbox.dir, part), join(target, part), {
        recursive: true,
        filter: async (source) => source.endsWith('.log') || (await stat(source)).isDirectory(),
      });
    }
    progress.note(`The sandbox's logs are in ${target}.`);
  } catch (error) {
    progress.note(`The sandbox's logs could not be kept: ${(error as Error).message}`);
  }
}

async function stop({ progress }: DemoOptions, sandbox: Sandbox): Promise<void> {
  const startedAt = performance.now();
  await sandbox.stop();
  progress.note(`${`sandbox ${sandbox.name}`.padEnd(30)} stopped and removed after ${duration(performance.now() - startedAt)}`);
}
