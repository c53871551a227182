import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findParts } from '../../sandbox/machine/parts.ts';
import { toolNames, toolPaths } from '../../sandbox/toolchain/index.ts';
import { askPlugin, askPulumi, providerVersion } from '../../sandbox/toolchain/pulumi.ts';
import type { Tool } from '../../sandbox/toolchain/tool.ts';

describe('asking the Pulumi CLI for its version', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kbf-pulumi-'));
    await mkdir(join(directory, 'bin'));
    await script('pulumi', `echo "$1 $PULUMI_HOME" >> ${join(directory, 'asked')}
case "$1" in version) echo v1.2.3;; package) echo '{"version":"${providerVersion}"}';; esac`);
    await script('pulumi-language-nodejs', 'echo 4711; exec sleep 60');
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function script(name: string, text: string): Promise<void> {
    const file = join(directory, 'bin', name);
    await writeFile(file, `#!/bin/sh\n${text}\n`);
    await chmod(file, 0o755);
  }
  const asked = () => readFile(join(directory, 'asked'), 'utf8');

  it('leaves nothing in the user\'s home when it is installed', async () => {
    const homeOf = () => Promise.reject(new Error('not needed'));
    assert.equal(await askPulumi(directory, { signal: undefined, homeOf }), '1.2.3');
    assert.equal(await asked(), 'version /dev/null\npackage /dev/null\n');
  });

  it('leaves nothing in the user\'s home for the list of a sandbox\'s parts', async () => {
    const none = join(directory, 'none');
    const tools = Object.fromEntries(['etcd', 'kubeApiserver', 'kubeControllerManager', 'istiod', 'certManager', 'envoy', 'java', 'kafkaLibs', 'project'].map((name) => [name, none]));
    await writeFile(join(directory, 'tools.json'), JSON.stringify({ ...tools, pulumiBin: join(directory, 'bin') }));
    const { pulumi } = await findParts(directory);
    assert.deepEqual(pulumi, { kind: 'real', version: '1.2.3' });
    assert.equal(await asked(), 'version /dev/null\n');
  });

  it('asks a plugin that is a tool of its own by the engine', async () => {
    await script('pulumi', 'echo "{\\"version\\":\\"$3\\"}"');
    const homeOf = (name: string) => Promise.resolve(name === 'pulumi' ? directory : '');
    assert.equal(await askPlugin('9.8.7', { signal: undefined, homeOf }), '9.8.7');
  });

  it('lists the plugins that the engine finds first, and which of them are stand-ins', async () => {
    const official = join(directory, 'official');
    await mkdir(official);
    await writeFile(join(official, 'pulumi-resource-tls'), '');
    await script('pulumi', `case "$3" in ${official}/*) version=5.6.1;; *) version=1.2.1+reference;; esac
printf '{\\n  "name": "x",\\n  "version": "%s"\\n}' $version`);
    const { plugins } = toolPaths(new Map(toolNames.map((name): [typeof name, Tool] => [name, { name, version: '1', source: 'cache', home: directory, sizeBytes: 1 }])));
    const none = join(directory, 'none');
    const tools = Object.fromEntries(['etcd', 'kubeApiserver', 'kubeControllerManager', 'istiod', 'certManager', 'envoy', 'java', 'kafkaLibs', 'project'].map((name) => [name, none]));
    await writeFile(join(directory, 'tools.json'), JSON.stringify({ ...tools, pulumiBin: join(directory, 'bin'), plugins: [official, plugins.at(-1)] }));
    const parts = await findParts(directory);
    assert.deepEqual(parts['pulumi-resource-tls'], { kind: 'real', version: '5.6.1' });
    assert.deepEqual(parts['pulumi-resource-command'], { kind: 'reference', version: '1.2.1+reference' });
    assert.deepEqual(plugins.slice(0, -1), [join(directory, 'bin'), join(directory, 'bin')]);
  });
});
