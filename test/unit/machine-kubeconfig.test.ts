import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { planClusters } from '../../sandbox/machine/clusters.ts';
import { writeKubeconfigs } from '../../sandbox/machine/kubeconfig.ts';
import { createPki } from '../../sandbox/machine/pki.ts';
import { writePrivate } from '../../sandbox/machine/private-file.ts';

describe('A sandbox\'s kubeconfigs', () => {
  const clusters = planClusters(1);
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kbf-kubeconfig-'));
    await createPki(dir, clusters);
    await writeKubeconfigs(dir, clusters);
  });
  after(() => rm(dir, { recursive: true }));

  it('have a context per cluster, named like it, with everything embedded', async () => {
    const config = new KubeConfig();
    config.loadFromString(await readFile(join(dir, 'kubeconfig'), 'utf8'));
    assert.deepEqual(config.getContexts().map((c) => c.name), ['kafka', 'central', 'east']);
    config.setCurrentContext('east');
    assert.equal(config.getCurrentCluster()?.server, 'https://10.13.0.2:6443');
    assert.ok(config.getCurrentCluster()?.caData);
    assert.ok(config.getCurrentUser()?.certData);
    assert.ok(config.getCurrentUser()?.keyData);
    assert.ok(!config.getCurrentCluster()?.skipTLSVerify);
  });

  it('are there for each of our own processes, per cluster, and readable by the owner alone', async () => {
    const files = ['kubeconfig', ...clusters.flatMap((c) => ['agent', 'loadbalancer', 'controller-manager'].map((user) => `clusters/${c.name}/${user}.kubeconfig`))];
    for (const file of files) assert.equal((await stat(join(dir, file))).mode & 0o777, 0o600, file);
  });

  it('are never read half written, however often they are written anew', async () => {
    const file = join(dir, 'kubeconfig');
    const whole = await readFile(file, 'utf8');
    let writing = true;
    const writer = (async () => {
      for (let n = 0; n < 100; n += 1) await writePrivate(file, whole);
    })().finally(() => { writing = false; });
    // Without waiting in between, so that reads fall between the steps of a write.
    while (writing) {
      assert.equal(readFileSync(file, 'utf8'), whole);
      await new Promise(setImmediate);
    }
    await writer;
  });
});
