import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { openSandbox, startSandbox } from '../../sandbox/index.ts';
import { prepare } from '../../sandbox/machine/start.ts';
import type { StartOptions } from '../../sandbox/machine/start.ts';
import { explainDisk } from '../../sandbox/machine/disk.ts';
import { locked } from '../../sandbox/machine/lock.ts';

describe('startSandbox', () => {
  const start = (more: Partial<StartOptions>) => startSandbox({ name: 'dev', stateDir: '/nowhere', regions: 2, tools: {} as StartOptions['tools'], ...more });

  async function refusal(more: Partial<StartOptions>): Promise<UserError> {
    const error = await start(more).then(() => undefined, (e: unknown) => e);
    assert.ok(error instanceof UserError);
    assert.equal(error.exitCode, 2);
    return error;
  }

  it('refuses a name that it could not give to files', async () => {
    for (const name of ['', 'Dev', 'a/b', '..', 'x'.repeat(21)]) assert.match((await refusal({ name })).message, /cannot be a sandbox's name/);
  });

  it('refuses a number of regions that it has no addresses for', async () => {
    for (const regions of [0, 44, 1.5, NaN]) assert.match((await refusal({ regions })).remedy ?? '', /1 to 43/);
  });

  it('refuses a state directory that the tree could not see', async () => {
    assert.match((await refusal({ stateDir: '/run/user/0/kbf' })).message, /cannot see/);
  });
});

describe('what a tree starts from', () => {
  it('makes no directory for sockets that no state names, as nobody would remove it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kbf-start-'));
    const socketDirectories = async () => (await readdir('/tmp')).filter((name) => /^kbf-[^-]+$/.test(name));
    try {
      // The state cannot be written where a directory lies.
      await mkdir(join(dir, `sandbox.json.${process.pid}.tmp`));
      const before = await socketDirectories();
      await assert.rejects(prepare(dir, { name: 'dev', stateDir: dir, regions: 2, tools: {} as StartOptions['tools'] }, false), { code: 'EISDIR' });
      assert.deepEqual((await socketDirectories()).filter((name) => !before.includes(name)), []);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe('openSandbox', () => {
  it('finds none where none was started', async () => {
    assert.equal(await openSandbox('dev', '/nowhere'), undefined);
  });
});

describe('locked', () => {
  it('refuses a second holder of the same directory, and no other', async () => {
    await locked('/a', async () => {
      await assert.rejects(locked('/a', () => Promise.resolve()), /another process is starting or stopping the sandbox in \/a/);
      await locked('/b', () => Promise.resolve());
    });
    await locked('/a', () => Promise.resolve());
  });

  it('is free again after a failure', async () => {
    await assert.rejects(locked('/a', () => Promise.reject(new Error('x'))), /x/);
    await locked('/a', () => Promise.resolve());
  });
});

describe('explainDisk', () => {
  let dir: string;
  before(async () => { await mkdir(dir = await mkdtemp(join(tmpdir(), 'kbf-disk-')), { recursive: true }); });
  after(() => rm(dir, { recursive: true }));

  it('names the full disk as the cause of a failed write', async () => {
    const error = await explainDisk(Object.assign(new Error('write'), { code: 'ENOSPC' }), dir);
    assert.ok(error instanceof UserError);
    assert.match(error.message, /the disk is full/);
  });

  it('leaves other errors as they are while there is room', async () => {
    const error = new Error('something else');
    assert.equal(await explainDisk(error, dir), error);
  });
});
