import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Deployment, Stack } from '@pulumi/pulumi/automation/index.js';
import { editState, isThere, readState } from '../../automation/stackState.ts';
import type { StackFiles, StackState } from '../../automation/stackState.ts';
import { UserError } from '../../errors.ts';
import { storedStack } from '../fixtures/stored-stack.ts';
import type { Kept } from '../fixtures/stored-stack.ts';

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
    const { stack, imported, kept } = recording();
    await editState(files, stack, unprotect);
    assert.deepEqual(imported, [{ version: 3, deployment: { ...latest, resources: [{ ...encrypted, protect: false }] } }]);
    assert.deepEqual(kept.map(({ mode, path }) => [mode, existsSync(path)]), [[0o600, false]]);
  });

  it('of another backend is not either, and its file stays nowhere, also where it cannot be changed', async () => {
    const calls: string[][] = [];
    const { stack, imported, kept } = recording({ calls, exported: () => ({ version: 3, deployment: latest }) });
    await editState(undefined, stack, unprotect);
    assert.deepEqual(imported, [{ version: 3, deployment: { ...latest, resources: [{ ...encrypted, protect: false }] } }]);
    assert.deepEqual(calls.map((args) => args.filter((each) => !each.startsWith('/'))), [['stack', 'export', '--stack', 'dev'], ['stack', 'import', '--file', '--stack', 'dev']]);
    const refusing = recording({ exported: () => ({ version: 3, deployment: latest }), imported: () => { throw new Error('code: 255\nerror: the stack is currently locked by 1 lock(s)\nerr?: x'); } });
    await assert.rejects(editState(undefined, refusing.stack, unprotect), (error) => error instanceof UserError && error.code === 'locked'
      && error.message === 'The state of stack dev cannot be changed.\nthe stack is currently locked by 1 lock(s)' && error.remedy?.endsWith(': pulumi cancel --stack dev') === true);
    for (const { path } of [...kept, ...refusing.kept]) assert.equal(existsSync(path), false, path);
  });

  it('that somebody else has is named with where it is, as a shell takes it', async () => {
    await written();
    const { stack } = recording({ imported: () => { throw new Error('error: the stack is currently locked by 1 lock(s)'); } });
    Object.assign(stack.workspace.envVars, { PULUMI_BACKEND_URL: 'file:///a b/state', PULUMI_HOME: '/it\'s/home', PULUMI_CONFIG_PASSPHRASE: 'x' });
    await assert.rejects(editState(files, stack, unprotect), (error) => error instanceof UserError && error.code === 'locked'
      && error.remedy?.endsWith(': PULUMI_BACKEND_URL=\'file:///a b/state\' PULUMI_HOME=\'/it\'\\\'\'s/home\' pulumi cancel --stack dev') === true);
  });

  it('of another backend that does not answer is said as Pulumi says it', async () => {
    await assert.rejects(readState(undefined, recording({ failure: 'code: 255\nerror: getting credentials: no such file\n' }).stack), (error) => error instanceof UserError && error.message === 'The state of stack dev cannot be read.\ngetting credentials: no such file' && error.remedy === undefined);
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

  for (const [added, compress] of [['.gz', gzipSync], ['.zst', zstdCompressSync]] as const) {
    it(`is found in ${added}, too, as plain pulumi may have written it, and where it was written last`, async () => {
      await written({ added, compress });
      assert.equal(isThere(files), true);
      assert.deepEqual(await readState(files, recording().stack), latest);
      await written({ state: {}, at: 1 });
      assert.deepEqual(await readState(files, recording().stack), latest);
      await written({ state: {}, at: 3 });
      assert.deepEqual(await readState(files, recording().stack), {});
    });
  }

  /** @param at when, in seconds since the epoch: the compressed one at 2 */
  async function written({ state = latest, added = '', compress = (text: string) => Buffer.from(text), at = added === '' ? 1 : 2 }: { state?: object; added?: string; compress?: (text: string) => Buffer; at?: number } = {}): Promise<void> {
    const directory = join(files.state, '.pulumi/stacks/p');
    await mkdir(directory, { recursive: true });
    const file = join(directory, `dev.json${added}`);
    await writeFile(file, compress(JSON.stringify({ version: 3, checkpoint: { stack: 'organization/p/dev', latest: state } })));
    await utimes(file, at, at);
  }
});

function recording(more: Kept = {}): { stack: Stack; imported: Deployment[]; kept: NonNullable<Kept['files']> } {
  const imported: Deployment[] = [];
  const kept: NonNullable<Kept['files']> = [];
  return { stack: storedStack({ imported: (deployment) => imported.push(deployment), files: kept, ...more }), imported, kept };
}

function unprotect({ resources = [] }: StackState): boolean {
  for (const resource of resources) resource.protect = false;
  return true;
}
