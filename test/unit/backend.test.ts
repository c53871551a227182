import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { absoluteBackend, fileUrl, ownState, refuseSecondState } from '../../automation/backend.ts';
import type { UserError } from '../../errors.ts';

describe('where a stack\'s state lies', () => {
  let directory: string;
  let state: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kbf unit-'));
    state = join(directory, 'state');
    await writeFile(join(directory, 'Pulumi.yaml'), 'name: tiny\nruntime: nodejs\n');
    await writeFile(join(directory, 'Pulumi.prod.yaml'), 'config: {}\n');
  });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  const open = (env: NodeJS.ProcessEnv, more: object = {}): Promise<void> => refuseSecondState({ program: directory, stack: 'prod', stateDir: directory, ...more }, { PULUMI_HOME: directory, ...env });
  const login = (current: unknown): Promise<void> => writeFile(join(directory, 'credentials.json'), JSON.stringify({ current }));

  it('is with kbf, unless another backend is named', () => {
    const here = { stateDir: directory, hasBackend: false };
    assert.equal(ownState(here, {}), state);
    assert.equal(ownState(here, { PULUMI_BACKEND_URL: `file://${state}` }), state);
    assert.equal(ownState(here, { PULUMI_BACKEND_URL: 's3://states' }), undefined);
    assert.equal(ownState(here, { PULUMI_BACKEND_URL: '' }), state);
    assert.equal(ownState({ ...here, hasBackend: true }, {}), undefined);
    assert.equal(ownState({ ...here, hasBackend: true }, { PULUMI_BACKEND_URL: '' }), undefined);
    assert.equal(ownState({ ...here, ownBackend: true, hasBackend: true }, { PULUMI_BACKEND_URL: 's3://states' }), state);
  });

  it('is taken from one directory where a relative path names it', () => {
    assert.equal(absoluteBackend('file://.', '/base'), 'file:///base');
    assert.equal(absoluteBackend('file://./states', '/base'), 'file:///base/states');
    for (const named of [undefined, 'file:///states', 'file://~/states', 's3://states', 'https://api.pulumi.com']) assert.equal(absoluteBackend(named, '/base'), undefined);
  });

  it('is named so that the CLI finds it, whatever its path has in it', () => {
    assert.equal(fileUrl('/ä b/100%/#1/why?'), 'file:///ä b/100%25/%231/why%3F');
    assert.equal(absoluteBackend('file://./100%25', '/#1'), 'file:///%231/100%25');
    assert.equal(ownState({ stateDir: '/#1', hasBackend: false }, { PULUMI_BACKEND_URL: 'file:///%231/state' }), '/#1/state');
    assert.equal(ownState({ stateDir: '/#1', hasBackend: false }, { PULUMI_BACKEND_URL: 'file:///#1/state' }), undefined);
  });

  it('is not begun here where plain pulumi is logged in elsewhere, with both ways on', async () => {
    await login('s3://me:secret@states');
    await assert.rejects(open({}), ({ exitCode, message, remedy }: UserError) => {
      assert.equal(exitCode, 2);
      assert.ok(message.includes(`Stack prod has no state in ${state}, and ${join(directory, 'credentials.json')} says`));
      assert.match(remedy ?? '', new RegExp(`export PULUMI_BACKEND_URL=s3://me:PASSWORD@states\n.*export PULUMI_BACKEND_URL='file://${state}'$`));
      return true;
    });
    await login('https://token@states.example');
    await assert.rejects(open({}), ({ message, remedy }: UserError) => !`${message}${remedy ?? ''}`.includes('token') && (remedy ?? '').includes('https://USER@states.example'));
    await assert.rejects(open({ PULUMI_BACKEND_URL: '' }), { exitCode: 2 });
    await assert.rejects(open({ PULUMI_CREDENTIALS_PATH: '' }), { exitCode: 2 });
    await login('');
    await assert.rejects(open({ PULUMI_ACCESS_TOKEN: 'pul-x' }), { remedy: /PULUMI_BACKEND_URL=https:\/\/api\.pulumi\.com/ });
  });

  it('goes on where there is no login, one to this state, a named backend, a sandbox, or a state already', async () => {
    await open({});
    await login(`file://${state}`);
    await open({});
    await login('https://api.pulumi.com');
    await open({ PULUMI_BACKEND_URL: `file://${state}` });
    await open({}, { ownBackend: true });
    await mkdir(join(state, '.pulumi', 'stacks', 'tiny'), { recursive: true });
    await writeFile(join(state, '.pulumi', 'stacks', 'tiny', 'prod.json'), '{}');
    await open({});
    await rm(state, { recursive: true });
    await writeFile(join(directory, 'Pulumi.yaml'), 'name: tiny\nruntime: nodejs\nbackend:\n  url: s3://states\n');
    await open({});
  });
});
