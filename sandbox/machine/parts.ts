import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { kindOf, pluginNames } from '../toolchain/index.ts';
import { homeless } from '../toolchain/pulumi.ts';
import { readJson } from './state.ts';
import type { TreeTools } from './state.ts';

/** `reference` is a stand-in of ours for what cannot be shipped. */
export interface Part { readonly kind: 'real' | 'reference'; readonly version: string }

/** What a sandbox is made of. Each part is asked, by starting it where it can say its version; `unknown` when it does not say. */
export async function findParts(dir: string): Promise<Record<string, Part>> {
  const tools = await readJson<TreeTools>(join(dir, 'tools.json'));
  if (tools === undefined) throw new Error(`${dir} holds no sandbox`);
  const real = async (version: Promise<string>): Promise<Part> => ({ kind: 'real', version: await version });
  const ownVersion = readJson<{ version: string }>(join(tools.project, 'package.json')).then((p): Part => ({ kind: 'reference', version: p?.version ?? 'unknown' }));
  const asked: Record<string, Promise<Part>> = {
    'etcd': real(ask([tools.etcd, '--version'], /etcd Version: (\S+)/)),
    'kube-apiserver': real(ask([tools.kubeApiserver, '--version'], /Kubernetes v(\S+)/)),
    'kube-controller-manager': real(ask([tools.kubeControllerManager, '--version'], /Kubernetes v(\S+)/)),
    'istiod': real(ask([tools.istiod, 'version'], /Version:"([^"]+)"/)),
    'cert-manager': real(ask([tools.certManager, '--version'], /^v(\S+)/)),
    'envoy': real(ask([tools.envoy, '--version'], /version: [0-9a-f]+\/([^/]+)\//)),
    'java': real(ask([tools.java, '--version'], /^openjdk (\S+)/)),
    'kafka': real(kafka(tools.kafkaLibs, tools.java)),
    ...(tools.kafkaOlderLibs === undefined ? {} : { 'kafka-older': real(kafka(tools.kafkaOlderLibs, tools.java)) }),
    'pulumi': real(ask([join(tools.pulumiBin, 'pulumi'), 'version'], /^v?(\S+)/, homeless)),
    ...plugins(tools),
    'kafka-bridge': bridge(tools),
    'strimzi-operator': ownVersion,
    'tsb-operator': ownVersion,
    'node-agent': ownVersion,
    'load-balancer': ownVersion,
  };
  return Object.fromEntries(await Promise.all(Object.entries(asked).map(async ([name, part]) => [name, await part] as const)));
}

function kafka(libs: string, java: string): Promise<string> {
  return ask([java, '-cp', join(libs, '*'), 'kafka.Kafka', '--version'], /^(\d\S*)/m);
}

async function ask([program = '', ...args]: readonly string[], pattern: RegExp, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await execa(program, args, { reject: false, timeout: 60_000, stdin: 'ignore', env });
  return pattern.exec(stdout)?.[1] ?? 'unknown';
}

/** The first on PATH is the one that the engine uses. */
function plugins({ pulumiBin, plugins: directories = [] }: Partial<TreeTools>): Record<string, Promise<Part>> {
  const found = pluginNames.flatMap((name) => {
    const file = directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
    return file === undefined ? [] : [[name, file] as const];
  });
  return Object.fromEntries(found.map(([name, file]) =>
    [name, ask([join(pulumiBin ?? '', 'pulumi'), 'package', 'get-schema', file], /^ {2}"version": "([^"]+)"/m, homeless).then((version) => ({ kind: kindOf(version), version }))]));
}

/** The official release says its version by the name of its jar; ours is loaded only here, as it brings a Kafka client with it. */
async function bridge({ kafkaBridge }: TreeTools): Promise<Part> {
  if (kafkaBridge === undefined) {
    const { version } = await import('../bridge/api.ts');
    return { kind: 'reference', version };
  }
  const jars = await readdir(join(kafkaBridge, 'libs'));
  const version = jars.map((jar) => /(?:^|\.)kafka-bridge-(\d[\w.]*)\.jar$/.exec(jar)?.[1]).find((found) => found !== undefined);
  return { kind: 'real', version: version ?? 'unknown' };
}
