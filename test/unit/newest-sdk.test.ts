/** The program is written for the Kubernetes SDK of the provider that can be built here; whoever installs it may get a newer one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { execa } from 'execa';

import { compareVersions } from '../../config/versions.ts';
import { sdkProblem } from '../../components/sdk-version.ts';

/** Every kind of object that the program makes, charts included. */
const settings = {
  hostname: 'kafka.example.com',
  kubeconfig: '/nowhere/kubeconfig',
  kafka: { context: 'kafka', domain: 'kafka.example', topics: [{ name: 'orders' }] },
  regions: [{ name: 'east', context: 'east', tsbCluster: 'east' }, { name: 'west', context: 'west', tsbCluster: 'west' }],
  tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka' },
  tier1: { context: 'central', tsbCluster: 'central', tls: { source: 'self-signed' } },
  generators: { topic: 'orders' },
  operators: { strimzi: { install: true }, certManager: { install: true } },
};

interface Rendered {
  readonly version: string;
  readonly loaded: readonly string[];
  /** Inputs of a cluster's provider. */
  readonly provider: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
}

async function rendered(sdk: string, env: Record<string, string> = {}): Promise<Rendered> {
  const { stdout } = await execa(process.execPath, [fileURLToPath(new URL('../fixtures/render-with-sdk.ts', import.meta.url)), sdk], { input: JSON.stringify(settings), env });
  return JSON.parse(stdout) as Rendered;
}

describe('the newest SDK of Kubernetes', function () {
  this.timeout(60_000);

  it('makes the same objects as the pinned one', async () => {
    const [pinned, newest] = await Promise.all([rendered('@pulumi/kubernetes'), rendered('kubernetes-newest')]);
    assert.ok(compareVersions(newest.version, pinned.version) > 0, `${newest.version} is no newer than ${pinned.version}`);
    assert.ok(newest.loaded.length > 0 && newest.loaded.every((url) => url.includes('/kubernetes-newest/')), newest.loaded.join('\n'));
    assert.ok(Object.keys(pinned.files).length > 40);
    assert.deepEqual(newest.files, pinned.files);
  });

  it('has its provider write over what exists, as the pinned one does by itself, whatever the environment says', async () => {
    const variables = [...new Set(readFileSync(createRequire(import.meta.url).resolve('kubernetes-newest/provider.js'), 'utf8').match(/PULUMI_K8S_\w+/g))];
    assert.ok(variables.includes('PULUMI_K8S_UPSERT_EXISTING_OBJECTS'));
    const all = (value: string): Record<string, string> => Object.fromEntries(variables.map((name) => [name, value]));
    const [pinned, yes, no] = await Promise.all([rendered('@pulumi/kubernetes'), rendered('kubernetes-newest', all('true')), rendered('kubernetes-newest', all('false'))]);
    assert.deepEqual(yes.provider, no.provider);
    assert.deepEqual(yes.provider, { ...pinned.provider, upsertExistingObjects: 'true', enablePatchForce: 'false' });
  });

  it('is taken, as others of its major version are', () => {
    const newest = (createRequire(import.meta.url)('kubernetes-newest/package.json') as { version: string }).version;
    for (const version of [newest, '4.25.0', 'v4.25.1']) assert.equal(sdkProblem(version), undefined);
  });

  for (const way of ['up', 'render']) {
    it(`of another major version is refused by ${way} before anything else`, async () => {
      const { stdout } = await execa(process.execPath, [fileURLToPath(new URL('../fixtures/run-with-sdk-version.ts', import.meta.url)), '5.0.0', way], { input: JSON.stringify(settings) });
      assert.match(stdout, /^@pulumi\/kubernetes is installed in version 5\.0\.0, and this program needs /);
    });
  }

  it('of another major version, or from before the pinned one, is refused in a word', () => {
    for (const version of ['5.0.0', '3.30.2', '4.9.1']) {
      assert.match(sdkProblem(version) ?? '', new RegExp(`^@pulumi/kubernetes is installed in version ${version}, and .* 4\\.25\\.0 or a newer 4\\.x`));
    }
  });
});
