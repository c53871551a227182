import { mkdir, rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { messageOf, UserError } from '../../errors.ts';
import { cachedHome, commit, filesSize, readCached } from './cache.ts';
import { SourceError } from './command.ts';
import type { Downloads } from './download.ts';
import { withLock } from './lock.ts';
import type { SpecName, Tool, ToolEvent, ToolSpec, Work } from './tool.ts';

/** One call of ensureTools. */
export interface Run {
  cacheDir: string;
  downloads: Downloads;
  signal: AbortSignal | undefined;
  onEvent: (event: Omit<ToolEvent, 'tool'> & { tool: SpecName }) => void;
  /** Another tool's home: builds and version checks may need one. */
  homeOf(name: SpecName): Promise<string>;
}

/** A tool that is ready, as `Tool`, Go included. */
export type Installed = Omit<Tool, 'name'> & { name: SpecName };

/** Why a source did not give the tool. */
interface Refusal { source: string; reason: string; remedy: string | undefined }

/**
 * Has one tool, from the first source that gives it: the path in the environment, the cache, the official download, the
 * registry build. Throws UserError when the explicit path is wrong, or when all sources failed, with each one's reason.
 */
export async function install(spec: ToolSpec, run: Run): Promise<Installed> {
  const began = performance.now();
  const tell: Tell = (phase, more = {}) =>
    { run.onEvent({ tool: spec.name, phase, elapsedMs: Math.round(performance.now() - began), ...more }); };
  tell('resolving');
  try {
    const tool = await explicit(spec, run) ?? await cached(spec, run) ?? await make(spec, run, tell);
    tell('ready', { detail: `${tool.version}, ${tool.source}` });
    return tool;
  } catch (error) {
    const understood = unwritable(error) ?? error;
    if (!run.signal?.aborted) tell('unavailable', { detail: (understood as Error).message });
    throw understood;
  }
}

function unwritable(error: unknown): UserError | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code !== 'EACCES' && code !== 'EROFS') return undefined;
  return new UserError(`The toolchain cache cannot be written: ${code} at ${path ?? 'an unknown path'}.`, { remedy: 'Let XDG_CACHE_HOME name a directory of your own.', cause: error });
}

type Tell = (phase: ToolEvent['phase'], more?: { detail?: string; estimateMs?: number }) => void;

/** E.g. KBF_TOOL_CERT_MANAGER. */
export function variableOf(name: SpecName): string {
  return `KBF_TOOL_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** The tool at the path in the environment. A person chose it, so a wrong one is said, never passed over. */
export async function explicit(spec: ToolSpec, run: Pick<Run, 'signal' | 'homeOf'>): Promise<Installed | undefined> {
  const variable = variableOf(spec.name);
  const home = process.env[variable];
  if (!home) return undefined;
  const wrong = (why: string): UserError => new UserError(`${variable}=${home}: ${why}`, {
    exitCode: 2, remedy: `point it to a directory that holds ${spec.files.join(', ')}, or unset it`,
  });
  if (!isAbsolute(home)) throw wrong('is not an absolute path');
  const sizeBytes = await filesSize(home, spec).catch((error: unknown) => { throw wrong((error as Error).message); });
  const version = await spec.ask(home, run).catch((error: unknown) => {
    run.signal?.throwIfAborted();
    throw wrong((error as Error).message);
  });
  return { name: spec.name, version, source: 'explicit', home, sizeBytes };
}

export async function cached(spec: ToolSpec, run: Pick<Run, 'cacheDir'>): Promise<Installed | undefined> {
  const receipt = await readCached(run.cacheDir, spec);
  if (!receipt) return undefined;
  const { version, origin, sizeBytes } = receipt;
  return { name: spec.name, version, source: 'cache', origin, home: cachedHome(run.cacheDir, spec), sizeBytes };
}

/** Downloads or builds it, with the tool's lock held: a second process waits here and then finds it in the cache. */
async function make(spec: ToolSpec, run: Run, tell: Tell): Promise<Installed> {
  const directory = join(run.cacheDir, spec.name);
  await mkdir(directory, { recursive: true });
  const onWait = (): void => { tell('resolving', { detail: 'another process is installing it' }); };
  return withLock(join(directory, '.lock'), { signal: run.signal, onWait }, async () => {
    const found = await cached(spec, run);
    if (found) return found;
    const work = join(directory, '.work'); // Only the lock's holder has one: any that is here is a dead process's.
    try {
      return await trySources(spec, run, tell, work);
    } finally {
      await remove(work);
    }
  });
}

async function trySources(spec: ToolSpec, run: Run, tell: Tell, directory: string): Promise<Installed> {
  const refusals: Refusal[] = [];
  for (const source of sourcesOf(spec)) {
    await remove(directory);
    const work: Work = {
      home: join(directory, 'home'), scratch: join(directory, 'scratch'), cacheDir: run.cacheDir,
      signal: run.signal, downloads: run.downloads, homeOf: run.homeOf,
      report: (detail) => { tell(source.phase, { detail, ...estimate(source) }); },
    };
    await mkdir(work.home, { recursive: true });
    await mkdir(work.scratch);
    try {
      tell(source.phase, { detail: source.from, ...estimate(source) });
      await source.make(work);
      await spec.finish?.(work);
      tell('verifying');
      const version = await verify(spec, work);
      await commit(run.cacheDir, spec, { home: work.home, version, origin: source.origin, discard: join(directory, 'old') });
      const tool = await cached(spec, run);
      if (!tool) throw new Error(`${spec.name} was installed but is not in ${run.cacheDir}`);
      return { ...tool, source: source.origin };
    } catch (error) {
      run.signal?.throwIfAborted();
      // What a person set wrongly is said, never passed over.
      if (error instanceof UserError && error.exitCode === 2) throw error;
      refusals.push(refusal(source.from, error, run.cacheDir));
    }
  }
  throw allFailed(spec, refusals);
}

interface Source {
  origin: 'download' | 'build';
  phase: 'downloading' | 'building';
  from: string;
  estimateMs?: number;
  make(work: Work): Promise<void>;
}

function sourcesOf(spec: ToolSpec): Source[] {
  const { downloads, build } = spec;
  const sources: Source[] = [];
  if (downloads) {
    const make = async (work: Work): Promise<void> => { for (const each of downloads) await work.downloads.place(each, work); };
    sources.push({ origin: 'download', phase: 'downloading', from: 'official download', make });
  }
  if (build) sources.push({ origin: 'build', phase: 'building', ...build });
  return sources;
}

const estimate = (source: Source): { estimateMs?: number } => source.estimateMs ? { estimateMs: source.estimateMs } : {};

/** A tool is usable only after it answered, and with the version that was asked for. */
async function verify(spec: ToolSpec, work: Work): Promise<string> {
  await filesSize(work.home, spec);
  const version = await spec.ask(work.home, work);
  if (version !== spec.version) throw new SourceError(`it answers version ${version}, not ${spec.version}`);
  return version;
}

function refusal(source: string, error: unknown, cacheDir: string): Refusal {
  const reason = messageOf(error);
  if (/ENOSPC|no space left on device/i.test(reason)) {
    return { source, reason, remedy: `free space on the disk of ${cacheDir} and of the temporary directory (all tools need about 6 GB while they are built)` };
  }
  // A UserError is a tool that this one is made with.
  return { source, reason, remedy: error instanceof SourceError || error instanceof UserError ? error.remedy : undefined };
}

function allFailed(spec: ToolSpec, refusals: readonly Refusal[]): UserError {
  const lines = refusals.map(({ source, reason }) => `  ${source}: ${reason.replaceAll('\n', '\n    ')}`);
  const remedies = new Set(refusals.flatMap(({ remedy }) => remedy ?? []));
  remedies.add(`set ${variableOf(spec.name)} to a directory that holds ${spec.files.join(', ')}`);
  return new UserError(`${spec.name} ${spec.version} could not be had:\n${lines.join('\n')}`, { remedy: [...remedies].join('; or ') });
}

/** Retries, as a killed builder's last children may still be writing. */
async function remove(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
