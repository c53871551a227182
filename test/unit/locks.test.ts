import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearDeadLocks } from '../../automation/locks.ts';
import { UserError } from '../../errors.ts';

describe('a lock of the file backend', () => {
  let directory: string;
  beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf-unit-')); });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  const write = async (lock: object, name = 'a'): Promise<void> => {
    await writeFile(join(directory, `${name}.json`), JSON.stringify({ username: 'me', hostname: hostname(), timestamp: new Date().toISOString(), ...lock }));
    await writeFile(join(directory, `${name}.json.attrs`), '{}');
  };
  /** The pid of a process that has ended. */
  const deadPid = (): number => spawnSync('true').pid;

  it('is taken away with its attributes, and said, when its holder is dead', async () => {
    const pid = deadPid();
    await write({ pid });
    const lines = await clearDeadLocks(directory, 'dev');
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', new RegExp(`lock of stack dev that process ${String(pid)} left behind`));
    assert.deepEqual(await readdir(directory), []);
  });

  it('is taken away when its pid now belongs to a process younger than the lock', async () => {
    await write({ pid: process.pid, timestamp: '2020-01-01T00:00:00Z' });
    assert.equal((await clearDeadLocks(directory, 'dev')).length, 1);
  });

  it('is respected while its holder lives', async () => {
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      await write({ pid: holder.pid });
      await assert.rejects(clearDeadLocks(directory, 'dev'), (error: UserError) => error instanceof UserError && error.code === 'locked'
        && error.message.includes(`pid ${String(holder.pid)}`) && error.remedy?.includes(`kill -INT ${String(holder.pid)}`) === true);
      assert.equal((await readdir(directory)).length, 2);
    } finally {
      holder.kill('SIGKILL');
      await new Promise((resolve) => { holder.once('exit', resolve); });
    }
  });

  it('is respected when another host holds it, dead pid or not', async () => {
    await write({ pid: deadPid(), hostname: 'elsewhere' });
    await assert.rejects(clearDeadLocks(directory, 'dev'), (error: UserError) => error.code === 'locked' && /locked by me on host elsewhere/.test(error.message)
      && error.remedy === `If nothing runs there any more, remove ${join(directory, 'a.json')}.`);
    assert.equal((await readdir(directory)).length, 2);
  });

  it('that cannot be read is an error that names the file', async () => {
    await writeFile(join(directory, 'a.json'), '{');
    await assert.rejects(clearDeadLocks(directory, 'dev'), (error: UserError) => error.message.includes(join(directory, 'a.json')));
  });

  it('needs no directory', async () => {
    assert.deepEqual(await clearDeadLocks(join(directory, 'absent'), 'dev'), []);
  });
});
