import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../errors.ts';
import type { ToolPaths } from '../toolchain/index.ts';
import { maxRegions, planClusters } from './clusters.ts';
import { explainDisk } from './disk.ts';
import { writeKubeconfigs } from './kubeconfig.ts';
import { cleanOne } from './leftovers.ts';
import { locked, patienceMs } from './lock.ts';
import { pidNamespace } from './namespace.ts';
import { createPki } from './pki.ts';
import { checkPrerequisites } from './prerequisites.ts';
import type { ToStarter } from './protocol.ts';
import { ensureRelays } from './relays.ts';
import { RunningSandbox } from './running.ts';
import type { Sandbox } from './running.ts';
import { identify, readState, sandboxDir, writeJson, writeState } from './state.ts';
import type { SandboxState } from './state.ts';
import { endAndForget } from './teardown.ts';
import { startTree } from './tree.ts';

export interface SandboxEvent { readonly phase: string; readonly detail?: string; readonly elapsedMs: number }

export interface SandboxOptions {
  /** 1 to 20 of a-z, 0-9 and "-"; sandboxes of different names run side by side. */
  readonly name: string;
  /** Everything lies under `<stateDir>/sandboxes/<name>/`, but for one short directory with unix sockets. */
  readonly stateDir: string;
  /** Bridge regions, 1 to 43, each a cluster; kafka and central come on top. */
  readonly regions: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: SandboxEvent) => void;
}

export type StartOptions = SandboxOptions & { readonly tools: ToolPaths };

/**
 * Starts a sandbox, or one that was stopped with its state. Resolves when its API servers, nodes, load balancers and add-ons are ready.
 * @throws UserError with the remedy; whatever was started is gone by then, its logs are kept beside the sandboxes
 */
export async function startSandbox(options: StartOptions): Promise<Sandbox> {
  checkOptions(options);
  const { userNamespace } = await checkPrerequisites();
  const dir = sandboxDir(resolve(options.stateDir), options.name);
  await mkdir(dirname(dir), { recursive: true, mode: 0o700 }).catch(async (error: unknown) => { throw await explainDisk(error, dir); });
  return locked(dir, async () => {
    await cleanOne(dir);
    const kept = await readState(dir);
    if (kept !== undefined) checkKept(kept, options, dir);
    return start(dir, options, userNamespace, kept).catch(async (error: unknown) => { throw await rollBack(dir, error); });
  }, patienceMs);
}

/**
 * What forbids a start, as far as it can be told without the tools, which take long to get.
 * @throws UserError with the remedy
 */
export async function checkStart(options: SandboxOptions): Promise<void> {
  checkOptions(options);
  const dir = sandboxDir(resolve(options.stateDir), options.name);
  const kept = await readState(dir);
  if (kept !== undefined) checkKept(kept, options, dir);
}

async function start(dir: string, options: StartOptions, userNamespace: boolean, kept?: SandboxState): Promise<Sandbox> {
  const startedAt = performance.now();
  const say = (phase: string, detail?: string) => {
    options.onEvent?.({ phase, elapsedMs: Math.round(performance.now() - startedAt), ...(detail === undefined ? {} : { detail }) });
  };
  const state = await prepare(dir, options, userNamespace, kept);
  say('prepared');
  const { child, id } = await startTree(dir, state, { say, signal: options.signal });
  // Until it is detached, its parts' deaths are heard of.
  child.on('message', (message: ToStarter) => { if (message.kind === 'event') say(message.phase, message.detail); });
  const running: SandboxState = { ...state, phase: 'running', tree: id };
  await writeState(dir, running);
  await ensureRelays(dir, options.signal);
  say('ready');
  return new RunningSandbox(dir, running, child);
}

function checkOptions({ name, regions, stateDir }: SandboxOptions): void {
  if (!/^[a-z0-9-]{1,20}$/.test(name)) {
    throw new UserError(`"${name}" cannot be a sandbox's name`, { exitCode: 2, remedy: 'Use 1 to 20 of the characters a-z, 0-9 and "-".' });
  }
  if (!Number.isInteger(regions) || regions < 1 || regions > maxRegions) {
    throw new UserError(`a sandbox cannot have ${regions} regions`, { exitCode: 2, remedy: `Use 1 to ${maxRegions}.` });
  }
  // The tree has file systems of its own there.
  if (/^\/(run|proc|sys)(\/|$)/.test(resolve(stateDir))) {
    throw new UserError(`the state directory ${stateDir} lies where the sandbox cannot see it`, { exitCode: 2, remedy: 'Use one outside /run, /proc and /sys.' });
  }
}

/** @throws UserError unless what is on disk is a stopped sandbox of the same shape */
function checkKept(kept: SandboxState, { name, regions }: SandboxOptions, dir: string): void {
  if (kept.phase !== 'stopped') {
    throw new UserError(`the sandbox "${name}" already runs`, { remedy: 'Use it, stop it first, or start another one under a different name.' });
  }
  const had = kept.clusters.length - planClusters(0).length;
  if (had !== regions) {
    throw new UserError(`the stopped sandbox "${name}" has ${had} regions, not ${regions}`, { exitCode: 2, remedy: `Start it with ${had}, or remove its state first: ${dir}` });
  }
}

/** Everything on disk that the tree starts from. */
export async function prepare(dir: string, o: StartOptions, userNamespace: boolean, kept?: SandboxState): Promise<SandboxState> {
  await mkdir(join(dir, 'logs'), { recursive: true, mode: 0o700 });
  const starter = await identify(process.pid);
  if (starter === undefined) throw new Error('/proc does not show this process');
  const now = new Date().toISOString();
  const state: SandboxState = {
    name: o.name, phase: 'starting', detached: false, keep: kept !== undefined, starter, pidNamespace: await pidNamespace(), userNamespace,
    clusters: kept?.clusters ?? planClusters(o.regions),
    createdAt: kept?.createdAt ?? now, startedAt: now,
    sockets: `/tmp/kbf-${randomBytes(6).toString('hex')}`,
  };
  await writeState(dir, state);
  // Not before the state names it: the next command removes what a killed one has made, and finds it nowhere else.
  await mkdir(state.sockets, { mode: 0o700 });
  await createPki(dir, state.clusters);
  const project = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
  await Promise.all([
    writeKubeconfigs(dir, state.clusters),
    writeJson(join(dir, 'tools.json'), { ...o.tools, node: process.execPath, project }),
    // Bind-mounted, so they must exist; the load balancer fills them.
    ...[dir, ...state.clusters.map((c) => join(dir, 'clusters', c.name))].map(async (at) => {
      await mkdir(at, { recursive: true, mode: 0o700 });
      await writeFile(join(at, 'hosts'), '127.0.0.1 localhost\n', { mode: 0o644 });
    }),
  ]);
  return state;
}

/** Ends what was started, and keeps its logs where the next start does not remove them. @returns the error with that place in it */
export async function rollBack(dir: string, error: unknown): Promise<unknown> {
  const explained = await explainDisk(error, dir);
  const logs = join(dirname(dirname(dir)), 'failed', basename(dir));
  const saveLogs = async (): Promise<void> => {
    await rm(logs, { recursive: true, force: true });
    await mkdir(dirname(logs), { recursive: true, mode: 0o700 });
    await rename(join(dir, 'logs'), logs);
  };
  // What even this leaves, on a full disk above all, is a leftover to the next command. Why the start failed is told now or never.
  await endAndForget(dir, saveLogs).catch(() => undefined);
  if (!(explained instanceof UserError)) return explained;
  const remedy = explained.remedy?.replaceAll(join(dir, 'logs'), logs);
  return new UserError(explained.message, { exitCode: explained.exitCode, cause: explained, ...(remedy === undefined ? {} : { remedy }) });
}
