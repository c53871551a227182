import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { lineOf } from '../../automation/doctor/finding.ts';
import { kubeconfigFromGoogle } from '../../automation/doctor/gke.ts';
import { judgeMachine } from '../../automation/doctor/machine.ts';
import type { EnvironmentOptions } from '../../automation/options.ts';

let directory: string;
beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf machine-')); });
afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

async function program(name: string, script: string): Promise<void> {
  await mkdir(join(directory, 'bin'), { recursive: true });
  await writeFile(join(directory, 'bin', name), `#!/bin/sh\n${script}\n`);
  await chmod(join(directory, 'bin', name), 0o755);
}

/** Runs with the test's programs as the only ones on PATH. */
async function withPath<T>(run: () => Promise<T>): Promise<T> {
  const { PATH, PULUMI_HOME } = process.env;
  process.env['PATH'] = join(directory, 'bin');
  process.env['PULUMI_HOME'] = join(directory, 'home');
  try {
    return await run();
  } finally {
    for (const [name, value] of Object.entries({ PATH, PULUMI_HOME })) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }
}

describe('doctor: this machine', () => {
  const judged = async (change: EnvironmentOptions = {}, packages = ['kubernetes']): Promise<string[]> => await withPath(async () => (await judgeMachine(change, packages)).map(lineOf));

  it('has what it takes', async () => {
    await program('pulumi', 'echo v99.0.0');
    await mkdir(join(directory, 'home/plugins/resource-kubernetes-v4.25.0'), { recursive: true });
    const [node, pulumi, plugin] = await judged();
    assert.match(node ?? '', /^ok +Node\.js +this machine +\d+/);
    assert.match(pulumi ?? '', /^ok +Pulumi +this machine +99\.0\.0 \(.*bin\/pulumi\)/);
    assert.match(plugin ?? '', /^ok +plugin +kubernetes +.*resource-kubernetes-v4\.25\.0/);
    await program('pulumi-resource-kubernetes', '');
    assert.match((await judged())[2] ?? '', /^ok .*bin\/pulumi-resource-kubernetes/);
  });

  it('may have a plugin on PATH that is not the SDK’s', async () => {
    await program('pulumi-resource-kubernetes', '');
    const plugin = async (version: string): Promise<string> => {
      await program('pulumi', `[ "$1" = version ] && echo v99.0.0 || echo '{"version":"${version}"}'`);
      return (await judged())[2] ?? '';
    };
    assert.match(await plugin('4.25.0'), /^ok .*4\.25\.0 \(.*pulumi-resource-kubernetes\)/);
    assert.match(await plugin('v4.34.2'), /^ok .*4\.34\.2/);
    assert.match(await plugin('4.9.0'), /^warning .*4\.9\.0 .*4\.25\.0, the SDK's, or newer/s);
    assert.match(await plugin('5.0.0'), /^fault .*5\.0\.0 .*4\.25\.0, the SDK's/s);
  });

  it('lacks Pulumi, or has an old or a broken one', async () => {
    assert.match((await judged())[1] ?? '', /^fault .*pulumi is not on PATH\. Install it/);
    await program('pulumi', 'echo v3.1.0');
    assert.match((await judged())[1] ?? '', /^warning .*3\.1\.0 .*Expected: 3\.\d+\.\d+, the SDK's, or newer/);
    await program('pulumi', 'exit 3');
    assert.match((await judged())[1] ?? '', /^fault .*does not answer/);
  });

  it('is looked at only where the engine looks: in the home that goes with the state', async () => {
    const { PULUMI_HOME, PULUMI_BACKEND_URL, HOME } = process.env;
    const plugin = async (backend?: string, home?: string): Promise<string> => {
      const changed = { PULUMI_HOME: home, PULUMI_BACKEND_URL: backend, HOME: directory };
      for (const [name, value] of Object.entries(changed)) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
      return lineOf((await judgeMachine({ stateDir: directory }, ['kubernetes']))[2] ?? assert.fail());
    };
    try {
      await mkdir(join(directory, '.pulumi/plugins/resource-kubernetes-v4.25.0'), { recursive: true });
      assert.match(await plugin('s3://states'), /^ok .*\/\.pulumi\/plugins\//);
      assert.ok((await plugin()).includes(`Where it cannot: PULUMI_HOME='${join(directory, 'pulumi-home')}' pulumi plugin install resource kubernetes 4.25.0`));
      await mkdir(join(directory, 'pulumi-home/plugins/resource-kubernetes-v4.25.0'), { recursive: true });
      assert.match(await plugin(), /^ok .*\/pulumi-home\/plugins\//);
      assert.match(await plugin('', ''), /^ok .*\/pulumi-home\/plugins\//);
    } finally {
      for (const [name, value] of Object.entries({ PULUMI_HOME, PULUMI_BACKEND_URL, HOME })) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    }
  });

  it('lacks a plugin, which may be downloaded or not', async () => {
    await program('pulumi', 'echo v99.0.0');
    assert.match((await judged())[2] ?? '', /^warning .*version 4\.25\.0 is not there: `up` will download it\. Where it cannot: pulumi plugin install resource kubernetes 4\.25\.0/);
    assert.match((await judged({ plugins: [join(directory, 'none')] }))[2] ?? '', /^fault .*Run `kbf toolchain install`/);
  });
});

describe('doctor: clusters of Google Cloud', () => {
  const gcp = { project: 'p-12345', clusters: { east: { name: 'e', location: 'us-east1' } } };
  const asked = async (): Promise<string> => await withPath(async () => {
    const answer = await kubeconfigFromGoogle('east', gcp);
    return typeof answer === 'string' ? answer : lineOf(answer);
  });

  it('are asked for by gcloud, which writes where nobody else looks', async () => {
    await program('gke-gcloud-auth-plugin', '');
    await program('gcloud', '[ "$*" = "container clusters get-credentials e --location us-east1 --project p-12345" ] && echo "current-context: gke_p-12345_us-east1_e" > "$KUBECONFIG"');
    assert.equal(await asked(), 'current-context: east\n');
    await program('gcloud', 'echo "ERROR: not found" >&2; exit 1');
    assert.match(await asked(), /^fault .*GKE cluster e in us-east1 of project p-12345: ERROR: not found\. Is it there, and are you logged in/);
  });

  it('cannot be reached without their plugin, nor asked for without gcloud', async () => {
    assert.match(await asked(), /^fault .*gke-gcloud-auth-plugin.*is not on PATH/);
    await program('gke-gcloud-auth-plugin', '');
    assert.match(await asked(), /^unchecked .*gcloud is not on PATH/);
  });
});
