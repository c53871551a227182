import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, isAlive, readJson, readState, writeJson } from '../../sandbox/machine/state.ts';

describe('The identity of a process', () => {
  it('is found while it runs, and gone with it', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    const id = await identify(child.pid ?? 0);
    assert.equal(await isAlive(id), true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(await isAlive(id), false);
  });

  it('is not that of a later process with the same pid', async () => {
    const self = await identify(process.pid);
    assert.ok(self);
    assert.equal(await isAlive({ ...self, startTime: self.startTime.replace(/\d+$/, '1') }), false);
    assert.equal(await isAlive({ ...self, startTime: self.startTime.replace(/^[^:]+/, 'another-boot') }), false);
  });

  it('is missing where there was no process', async () => {
    assert.equal(await isAlive(undefined), false);
  });
});

describe('A state file', () => {
  let dir: string;
  beforeEach(async () => { dir = await mkdtemp(join(tmpdir(), 'kbf-state-')); });
  afterEach(() => rm(dir, { recursive: true }));

  it('is written for its owner alone, and leaves no draft behind', async () => {
    await writeJson(join(dir, 'sandbox.json'), { a: 1 });
    assert.deepEqual(await readJson(join(dir, 'sandbox.json')), { a: 1 });
    assert.equal((await stat(join(dir, 'sandbox.json'))).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(dir), ['sandbox.json']);
  });

  it('is absent where there is no sandbox', async () => {
    assert.equal(await readState(join(dir, 'none')), undefined);
  });
});
