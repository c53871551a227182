import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Deployment, Stack } from '@pulumi/pulumi/automation/index.js';
import { editState, isThere, readState } from '../../automation/stackState.ts';
import type { StackFiles, StackState } from '../../automation/stackState.ts';

describe('a stack\'s state in files', () => {
  const encrypted = { urn: 'urn:pulumi:dev::p::kubernetes:core/v1:Secret::s', type: 'kubernetes:core/v1:Secret', custom: true, protect: true, inputs: { stringData: { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', ciphertext: 'v1:abc' } } };
  const latest = { manifest: { magic: 'm' }, secrets_providers: { type: 'passphrase' }, resources: [encrypted] };
  let files: StackFiles;

  beforeEach(async () => {
    files = { state: await mkdtemp(join(tmpdir(), 'stack-state-')), project: 'p', stack: 'dev' };
  });
  afterEach(async () => { await rm(files.state, { recursive: true }); });

  it('is changed without the secret values of it being asked for in plain text', async () => {
    await written();
    const { stack, imported } = recording();
    await editState(files, stack, unprotect);
    assert.deepEqual(imported, [{ version: 3, deployment: { ...latest, resources: [{ ...encrypted, protect: false }] } }]);
  });

  it('is left alone where there is nothing to change', async () => {
    await written();
    const { stack, imported } = recording();
    await editState(files, stack, () => false);
    assert.deepEqual(imported, []);
  });

  it('is that of an empty stack before there is any', async () => {
    assert.equal(isThere(files), false);
    assert.deepEqual(await readState(files, recording().stack), {});
    await written();
    assert.equal(isThere(files), true);
    assert.deepEqual(await readState(files, recording().stack), latest);
  });

  async function written(): Promise<void> {
    const directory = join(files.state, '.pulumi/stacks/p');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'dev.json'), JSON.stringify({ version: 3, checkpoint: { stack: 'organization/p/dev', latest } }));
  }
});

/** A stack that only takes states. */
function recording(): { stack: Stack; imported: Deployment[] } {
  const imported: Deployment[] = [];
  const importStack = (deployment: Deployment): Promise<void> => {
    imported.push(deployment);
    return Promise.resolve();
  };
  return { stack: { importStack } as Partial<Stack> as Stack, imported };
}

function unprotect({ resources = [] }: StackState): boolean {
  for (const resource of resources) resource.protect = false;
  return true;
}
