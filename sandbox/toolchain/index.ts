import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../errors.ts';
import { cacheDirectory } from './cache.ts';
import { Downloads } from './download.ts';
import { cached, explicit, install, type Installed, type Run } from './install.ts';
import { table } from './table.ts';
import type { SpecName, Tool, ToolEvent, ToolName, ToolSpec } from './tool.ts';

export type { Tool, ToolEvent, ToolName } from './tool.ts';

/** What the sandbox is made of, as absolute paths. */
export interface ToolPaths {
  /** To be put on PATH: pulumi, pulumi-language-nodejs, pulumi-resource-kubernetes. */
  pulumiBin: string;
  /** To be put on PATH, too: the engine's other plugins. A stand-in is found only where no official one comes before it. */
  plugins: string[];
  etcd: string;
  kubeApiserver: string;
  kubeControllerManager: string;
  kubectl: string;
  istiod: string;
  certManager: string;
  envoy: string;
  java: string;
  /** Directory of jars. */
  kafkaLibs: string;
  /** The same of an older Kafka, where it could be had. */
  kafkaOlderLibs?: string;
  /** YAML files of several documents each. */
  strimziCrds: string;
  istioCrds: string;
  certManagerCrds: string;
  /** The official bridge's release, where it could be had. */
  kafkaBridge?: string;
}

/** Plugins of the engine that there are stand-ins for. */
export const pluginNames = ['pulumi-resource-command', 'pulumi-resource-tls'] as const satisfies readonly ToolName[];

/** A stand-in says what it is by its version. */
export function kindOf(version: string): 'real' | 'reference' {
  return version.endsWith('reference') ? 'reference' : 'real';
}

export const toolNames: readonly ToolName[] = table.map((spec) => spec.name).filter((name) => name !== 'go');

/**
 * Has every tool of `names` ready: found at an explicit path (KBF_TOOL_<NAME>), in the cache, downloaded, or built.
 * Optional tools that cannot be had are absent from the result. Two processes may call it at once.
 * @throws UserError naming every source that failed, why, and what to do; the signal's reason when aborted.
 */
export async function ensureTools(
  names: readonly ToolName[] = toolNames,
  options: { signal?: AbortSignal; onEvent?: (event: ToolEvent) => void } = {},
): Promise<Map<ToolName, Tool>> {
  return ensure(table, names, options);
}

/** `ensureTools` on a table of one's own. */
export async function ensure(
  specs: readonly ToolSpec[],
  names: readonly ToolName[],
  options: { signal?: AbortSignal; onEvent?: (event: ToolEvent) => void } = {},
): Promise<Map<ToolName, Tool>> {
  checkPlatform();
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const downloads = new Downloads();
  const find = once(specs, { cacheDir: cacheDirectory(), downloads, signal, onEvent: withoutGo(options.onEvent) });
  const wanted = names.map((name) => specOf(specs, name));
  const all = async (some: readonly ToolSpec[], onFailure?: () => void): Promise<[ToolName, Tool][]> => {
    const { tools, failures } = await settle(some, find, onFailure);
    options.signal?.throwIfAborted();
    throwFailures(failures.filter((failure) => failure !== signal.reason));
    return tools;
  };
  try {
    const quick = await all(wanted.filter((spec) => !spec.slow));
    // Here one failure ends the others at once: what they have compiled stays in Go's own cache.
    const slow = await all(wanted.filter((spec) => spec.slow), () => { stop.abort(); });
    const found = new Map([...quick, ...slow]);
    return new Map(names.flatMap((name) => found.has(name) ? [[name, found.get(name) as Tool]] : []));
  } finally {
    await downloads.close();
  }
}

/** Whether a tool is its maker's, or a stand-in of ours that takes its place; absent where it is neither. */
export type ListedTool =
  | Tool & { kind: 'real' | 'reference' }
  | { name: ToolName; version: string; missing: true; kind?: 'reference' };

/** What is there already, without making anything. */
export async function listTools(): Promise<ListedTool[]> {
  const run = { cacheDir: cacheDirectory(), signal: undefined };
  const homeOf = async (name: SpecName): Promise<string> => {
    const spec = specOf(table, name);
    const tool = await explicit(spec, { ...run, homeOf }) ?? await cached(spec, run);
    if (!tool) throw new UserError(`${name} is needed to ask for the version and is not installed`, { remedy: 'kbf toolchain install' });
    return tool.home;
  };
  return Promise.all(toolNames.map(async (name) => {
    const spec = specOf(table, name);
    const tool = await explicit(spec, { ...run, homeOf }) ?? await cached(spec, run);
    if (tool) return { ...tool, name, kind: kindOf(tool.version) };
    return { name, version: spec.version, missing: true, ...(spec.optional === 'stand-in' ? { kind: 'reference' } : {}) };
  }));
}

/** The paths in tools that ensureTools returned for all names. */
export function toolPaths(tools: Map<ToolName, Tool>): ToolPaths {
  const at = (name: ToolName, path: string): string => {
    const tool = tools.get(name);
    if (!tool) throw new Error(`toolPaths: ${name} is not among ${[...tools.keys()].join(', ')}`);
    return join(tool.home, path);
  };
  const bridge = tools.get('kafka-bridge');
  const official = pluginNames.flatMap((name) => tools.has(name) ? [at(name, 'bin')] : []);
  return {
    pulumiBin: at('pulumi', 'bin'),
    plugins: [...official, fileURLToPath(new URL('../plugins/bin', import.meta.url))],
    etcd: at('etcd', 'bin/etcd'),
    kubeApiserver: at('kubernetes', 'bin/kube-apiserver'),
    kubeControllerManager: at('kubernetes', 'bin/kube-controller-manager'),
    kubectl: at('kubernetes', 'bin/kubectl'),
    istiod: at('istiod', 'bin/pilot-discovery'),
    certManager: at('cert-manager', 'bin/cert-manager-controller'),
    envoy: at('envoy', 'bin/envoy'),
    java: at('java', 'bin/java'),
    kafkaLibs: at('kafka', 'libs'),
    ...(tools.has('kafka-older') ? { kafkaOlderLibs: at('kafka-older', 'libs') } : {}),
    strimziCrds: at('strimzi-crds', 'crds.yaml'),
    istioCrds: at('istiod', 'crds.yaml'),
    certManagerCrds: at('cert-manager', 'crds.yaml'),
    ...(bridge ? { kafkaBridge: bridge.home } : {}),
  };
}

type Find = (spec: ToolSpec) => Promise<Installed | undefined>;

/** Installs each tool once, whoever asks for it: the caller, or another tool's build. */
function once(specs: readonly ToolSpec[], parts: Omit<Run, 'homeOf'>): Find {
  const begun = new Map<SpecName, Promise<Installed>>();
  const run: Run = { ...parts, homeOf: async (name) => (await begin(specOf(specs, name))).home };
  const begin = (spec: ToolSpec): Promise<Installed> => {
    const tool = begun.get(spec.name) ?? install(spec, run);
    begun.set(spec.name, tool);
    return tool;
  };
  return async (spec) => {
    try {
      return await begin(spec);
    } catch (error) {
      if (spec.optional && error instanceof UserError && error.exitCode === 1) return undefined;
      throw error;
    }
  };
}

/** Waits for all, so that nothing goes on behind a failure. */
async function settle(
  specs: readonly ToolSpec[], find: Find, onFailure: () => void = () => undefined,
): Promise<{ tools: [ToolName, Tool][]; failures: unknown[] }> {
  const results = await Promise.allSettled(specs.map(async (spec) => find(spec).catch((error: unknown) => {
    onFailure();
    throw error;
  })));
  const tools: [ToolName, Tool][] = [];
  const failures: unknown[] = [];
  for (const result of results) {
    if (result.status === 'rejected') failures.push(result.reason);
    else if (result.value && result.value.name !== 'go') tools.push([result.value.name, { ...result.value, name: result.value.name }]);
  }
  return { tools, failures };
}

/** One error for all that a person can mend, so that the next run does not meet the second of them. */
function throwFailures(failures: readonly unknown[]): void {
  const mistakes = failures.filter((failure) => failure instanceof UserError);
  const bug = failures.find((failure) => !(failure instanceof UserError));
  if (bug !== undefined || mistakes.length === 1) throw bug ?? mistakes[0];
  if (mistakes.length === 0) return;
  throw new UserError([...new Set(mistakes.map((mistake) => mistake.message))].join('\n'), {
    exitCode: mistakes.some((mistake) => mistake.exitCode === 2) ? 2 : 1,
    remedy: [...new Set(mistakes.flatMap((mistake) => mistake.remedy ?? []))].join('\n'),
  });
}

/** Go is nobody's tool: its progress would puzzle. */
function withoutGo(onEvent: ((event: ToolEvent) => void) | undefined): Run['onEvent'] {
  return ({ tool, ...event }) => { if (tool !== 'go') onEvent?.({ tool, ...event }); };
}

function specOf(specs: readonly ToolSpec[], name: SpecName): ToolSpec {
  const spec = specs.find((each) => each.name === name);
  if (!spec) throw new UserError(`there is no tool named ${name}`, { exitCode: 2, remedy: `the tools are ${toolNames.join(', ')}` });
  return spec;
}

function checkPlatform(): void {
  if (process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')) return;
  throw new UserError(`the sandbox's tools are for Linux on x64 or arm64; this is ${process.platform} on ${process.arch}`, {
    remedy: 'run it in a Linux virtual machine or container',
  });
}
