import assert from 'node:assert/strict';
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { openSandbox, startSandbox } from '../../sandbox/index.ts';
import { checkStart, prepare, rollBack } from '../../sandbox/machine/start.ts';
import type { StartOptions } from '../../sandbox/machine/start.ts';
import { explainDisk } from '../../sandbox/machine/disk.ts';
import { locked } from '../../sandbox/machine/lock.ts';
import { pidNamespace } from '../../sandbox/machine/namespace.ts';
import { planClusters } from '../../sandbox/machine/clusters.ts';
import { sandboxDir, writeState } from '../../sandbox/machine/state.ts';
import type { SandboxState } from '../../sandbox/machine/state.ts';

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

describe('checkStart', () => {
  let stateDir: string;
  let dir: string;
  const state: SandboxState = {
    name: 'dev', clusters: planClusters(2), phase: 'stopped', detached: false, keep: true, createdAt: '', startedAt: '', starter: { pid: 1, startTime: '' }, userNamespace: false, sockets: '/nowhere',
  };
  beforeEach(async () => { dir = sandboxDir(stateDir = await mkdtemp(join(tmpdir(), 'kbf-start-')), 'dev'); });
  afterEach(() => rm(stateDir, { recursive: true }));

  it('refuses kept state of another size as wrong use, and takes it up with its own', async () => {
    await writeState(dir, state);
    await assert.rejects(checkStart({ name: 'dev', stateDir, regions: 3 }), (error: UserError) => error.exitCode === 2 && /has 2 regions, not 3/.test(error.message));
    await checkStart({ name: 'dev', stateDir, regions: 2 });
  });

  it('refuses what no sandbox can be', async () => {
    await assert.rejects(checkStart({ name: 'dev', stateDir, regions: 50 }), { exitCode: 2 });
    await checkStart({ name: 'dev', stateDir, regions: 2 });
  });
});

describe('a start that fails', () => {
  let stateDir: string;
  let dir: string;
  beforeEach(async () => { dir = sandboxDir(stateDir = await mkdtemp(join(tmpdir(), 'kbf-start-')), 'dev'); });
  afterEach(() => rm(stateDir, { recursive: true }));

  it('is rolled back and says why, also where its logs cannot be saved', async () => {
    await mkdir(join(dir, 'logs'), { recursive: true });
    await writeFile(join(stateDir, 'failed'), '');
    const cause = new Error('no addresses left');
    assert.equal(await rollBack(dir, cause), cause);
    await assert.rejects(access(dir), { code: 'ENOENT' });
  });

  it('says why where there is no directory yet, because the disk is full', async () => {
    const error = await rollBack(dir, Object.assign(new Error('mkdir'), { code: 'ENOSPC' }));
    assert.ok(error instanceof UserError);
    assert.match(error.message, /the disk is full/);
  });
});

describe('what a tree starts from', () => {
  it('says in which PID namespace its processes are named', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kbf-start-'));
    try {
      const { pidNamespace: written, sockets } = await prepare(dir, { name: 'dev', stateDir: dir, regions: 2, tools: {} as StartOptions['tools'] }, false);
      await rm(sockets, { recursive: true });
      assert.equal(written, await pidNamespace());
    } finally {
      await rm(dir, { recursive: true });
    }
  });

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

  it('is waited for, so long and no longer', async () => {
    const held = locked('/a', () => new Promise((resolve) => { setTimeout(resolve, 300); }));
    await assert.rejects(locked('/a', () => Promise.resolve(), 100), /another process/);
    await locked('/a', () => Promise.resolve(), 5000);
    await held;
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
