import { constants, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { V1Container, V1VolumeMount } from '@kubernetes/client-node';
import { findImage, images } from '../images/index.ts';
import type { ContainerContext, Launch, MeshFile } from '../images/image.ts';
import type { EnvoyFilter } from '../images/sidecar-filters.ts';
import { kubernetesServiceIp } from '../machine/clusters.ts';
import { UserError } from '../../errors.ts';
import type { Launched } from './container.ts';
import { LaunchError } from './container.ts';
import { layOutRoot } from './container-root.ts';
import type { ContainerRoot } from './container-root.ts';
import { startProcess } from './container-process.ts';
import { expand, resolveEnv } from './env.ts';
import { ContainerLog, dropOldLogs, logPath } from './logs.ts';
import type { NodeContext } from './node-context.ts';
import { podDiskDir, podHostname, podHostsFile, podWorkDir } from './node-context.ts';
import { fetchData } from './objects.ts';
import type { Json, Pod } from './types.ts';
import type { PodVolumes } from './volumes.ts';

type Container = Json<V1Container>;

export interface Launching {
  readonly node: NodeContext;
  readonly pod: Pod;
  readonly podIp: string;
  readonly volumes: PodVolumes;
  readonly container: Container;
  /** 0 for the first. */
  readonly run: number;
}

const lastWordsBytes = 4096;
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Starts one run of a container: finds its program, resolves its environment, lays out its file system, runs it.
 * @throws LaunchError with a kubelet's reason when it cannot be started as things are.
 */
export async function launchContainer(l: Launching): Promise<Launched> {
  const { node, pod, container, run } = l;
  const image = findImage(container.image ?? '');
  if (image === undefined) {
    throw new LaunchError('ErrImagePull', `No program stands for image "${container.image ?? ''}": the image table (sandbox/images/index.ts) has ${Object.keys(images).join(', ')}.`);
  }
  const base = await resolveEnv(container, baseEnv(node, pod), envSources(l));
  const expanded = { ...container, ...expandAll('command', container, base), ...expandAll('args', container, base) };
  const launch = callImage(() => image(context(l, expanded, base)), container);
  const env = { ...base, ...launch.env };
  const dir = join(podWorkDir(pod), 'containers', `${container.name}.${run}`);
  await rm(dir, { recursive: true, force: true });
  const root = await rootOf(l, launch, { dir, env });
  await layOutRoot(root);
  const meshFiles = (launch.meshFiles ?? []).map((file) => fileOf(join(dir, 'root'), file));
  for (const write of meshFiles) write(node.meshFilters.all);
  const logs = podDiskDir(node.dir, pod);
  dropOldLogs(logs, container.name, run);
  const path = logPath(logs, container.name, run);
  const log = new ContainerLog(path);
  node.openLogs.set(path, log);
  const process = await startProcess(dir, l.podIp, log);
  const unfollow = meshFiles.map((write) => node.meshFilters.follow(write));
  return {
    process, env,
    terminationMessage: () => lastWords(container, join(dir, 'root'), process.exited, log),
    async cleanUp() {
      for (const end of unfollow) end();
      node.openLogs.delete(path);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Replaces the file, by a rename, which its reader watches for; where nothing is new it stays. */
function fileOf(root: string, { path, text }: MeshFile): (filters: Iterable<EnvoyFilter>) => void {
  const file = join(root, path);
  let there: string | undefined;
  return (filters) => {
    const wanted = text(filters);
    if (wanted === there) return;
    writeFileSync(`${file}.new`, wanted);
    renameSync(`${file}.new`, file);
    there = wanted;
  };
}

function baseEnv(node: NodeContext, pod: Pod): Record<string, string> {
  const host = kubernetesServiceIp(node.cluster);
  return {
    PATH: `${dirname(node.tools.node)}:${defaultPath}`, HOME: '/root', HOSTNAME: podHostname(pod),
    KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '443', KUBERNETES_SERVICE_PORT_HTTPS: '443', KUBERNETES_PORT: `tcp://${host}:443`,
  };
}

function envSources({ node, pod, podIp }: Launching) {
  return {
    pod, podIp, hostIp: node.cluster.nodeIp,
    async get(kind: 'configmaps' | 'secrets', name: string) {
      const data = await fetchData(node.api, kind, pod.metadata.namespace, name);
      return data === undefined ? undefined : Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString()]));
    },
  };
}

function expandAll(field: 'command' | 'args', container: Container, env: Record<string, string>): Partial<Container> {
  const words = container[field];
  return words === undefined ? {} : { [field]: words.map((word) => expand(word, env)) };
}

function context({ node, pod, podIp }: Launching, container: Container, env: Record<string, string>): ContainerContext {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const hasSidecar = all.some(({ name, args }) => name === 'istio-proxy' && args?.includes('sidecar') === true);
  // The library's models have Date where the API has strings; launchers read no times.
  const typed = { pod, container } as unknown as Pick<ContainerContext, 'pod' | 'container'>;
  return { ...typed, cluster: node.cluster, podIp, tools: node.tools, env, hasSidecar };
}

function callImage(call: () => Launch, container: Container): Launch {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new LaunchError('CreateContainerConfigError', `image "${container.image ?? ''}": ${error.message}`, error);
  }
}

async function rootOf({ node, pod, volumes, container }: Launching, launch: Launch, { dir, env }: Pick<ContainerRoot, 'dir' | 'env'>): Promise<ContainerRoot> {
  return {
    dir, env, host: node.host, hostname: podHostname(pod), argv: launch.argv, files: launch.files ?? {},
    hostsFile: podHostsFile(pod),
    volumes: await Promise.all((container.volumeMounts ?? []).map((mount) => mountOf(mount, volumes, env))),
    workingDir: container.workingDir ?? '/',
    terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
  };
}

/** A subPath is looked up once, as by a kubelet: what it leads to then is what the container keeps. */
async function mountOf(mount: V1VolumeMount, volumes: PodVolumes, env: Record<string, string>): Promise<ContainerRoot['volumes'][number]> {
  const { path, readOnly } = volumes.source(mount.name);
  const subPath = mount.subPathExpr === undefined ? mount.subPath : expand(mount.subPathExpr, env);
  if (subPath?.split('/').includes('..') === true) throw new LaunchError('CreateContainerConfigError', `volume mount ${mount.mountPath}: subPath must not contain ".."`);
  if (subPath !== undefined && !readOnly) await stat(join(path, subPath)).catch(() => mkdir(join(path, subPath), { recursive: true }));
  const source = subPath === undefined || subPath === '' ? path : await realpath(join(path, subPath)).catch((error: unknown) => {
    throw new LaunchError('CreateContainerConfigError', `volume mount ${mount.mountPath}: there is no "${subPath}" in volume "${mount.name}"`, error);
  });
  if (source !== path && !source.startsWith(`${await realpath(path)}/`)) throw new LaunchError('CreateContainerConfigError', `volume mount ${mount.mountPath}: subPath leads out of volume "${mount.name}"`);
  return { source, target: mount.mountPath.replace(/(.)\/+$/, '$1'), readOnly: readOnly || mount.readOnly === true, isFile: (await stat(source)).isFile() };
}

/** The termination message file, or, where the container asks for it after a failure, the end of its log. */
async function lastWords(container: Container, root: string, exited: Promise<{ exitCode: number }>, log: ContainerLog): Promise<string> {
  const { exitCode } = await exited;
  const file = join(root, container.terminationMessagePath ?? '/dev/termination-log');
  // A link could lead out of the container, so it is not followed.
  const text = await readFile(file, { flag: constants.O_RDONLY | constants.O_NOFOLLOW, encoding: 'utf8' }).catch(() => '');
  if (text !== '' || container.terminationMessagePolicy !== 'FallbackToLogsOnError' || exitCode === 0) return text.slice(0, lastWordsBytes);
  return log.lastLines(80).slice(-2048);
}
