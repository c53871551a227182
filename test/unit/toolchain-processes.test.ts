import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensure } from '../../sandbox/toolchain/index.ts';
import { fakeTool } from '../fixtures/toolchain/fake.ts';

describe('toolchain: several processes', () => {
  let directory: string;
  let log: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kbf-toolchain-'));
    process.env['XDG_CACHE_HOME'] = directory;
    log = join(directory, 'builds');
    await writeFile(log, '');
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    delete process.env['XDG_CACHE_HOME'];
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Starts an installation in a process of its own. */
  function start(ends: string): { child: ChildProcess; output: Promise<string>; says(text: string): Promise<void> } {
    const program = join(import.meta.dirname, '../fixtures/toolchain/install.ts');
    const child = spawn(process.execPath, [program, log, ends], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString(); });
    const says = async (text: string): Promise<void> => { while (!output.includes(text)) await once(child.stdout, 'data'); };
    return { child, output: once(child, 'close').then(() => output), says };
  }

  /** The process ids that the builds noted, once there are `count` builds. */
  async function noted(count: number): Promise<number[]> {
    for (let tries = 0; tries < 400; tries += 1) {
      const lines = (await readFile(log, 'utf8')).split('\n').slice(0, -1);
      if (lines.length >= count) return lines.flatMap((line) => line.split(' ').map(Number));
      await wait(50);
    }
    throw new Error(`there were no ${String(count)} builds within 20 s`);
  }

  async function gone(pid: number): Promise<boolean> {
    for (let tries = 0; tries < 100; tries += 1) {
      const state = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined);
      if (!state || state.includes(') Z ')) return true;
      await wait(50);
    }
    return false;
  }

  it('lets a second process wait for the first and find its tool', async () => {
    const release = join(directory, 'release');
    const first = start(release);
    await noted(1);
    const second = start(release);
    await second.says('another process is installing it');
    await writeFile(release, '');
    assert.match(await first.output, /source build/);
    assert.match(await second.output, /source cache/);
    assert.equal((await noted(1)).length, 2, 'there was one build');
  });

  it('goes on when the process that it waited for is killed, and removes what that left', async () => {
    const first = start('never');
    const [builder = 0] = await noted(1);
    const second = start('soon');
    await second.says('another process is installing it');
    first.child.kill('SIGKILL');
    assert.match(await second.output, /source build/);
    assert.ok(await gone(builder), 'the killed process took its build with it');
    assert.deepEqual((await readdir(join(directory, 'kafka-bridge-failover/etcd'))).sort(), ['.lock', '1.0.0']);
  });

  it('ends the whole build and leaves no file when it is aborted', async () => {
    const stop = new AbortController();
    const pending = ensure([fakeTool({ log, ends: 'never' })], ['etcd'], { signal: stop.signal });
    const pids = await noted(1);
    stop.abort(new Error('interrupted'));
    await assert.rejects(pending, /interrupted/);
    assert.deepEqual(await Promise.all(pids.map(gone)), [true, true]);
    assert.deepEqual(await readdir(join(directory, 'kafka-bridge-failover/etcd')), ['.lock']);
  });

  it('ends a slow build at once when another slow one fails', async () => {
    const endless = fakeTool({ log, ends: 'never' }, { slow: true });
    const broken = fakeTool({ log, answers: 'broken' }, { name: 'java', slow: true });
    await assert.rejects(ensure([endless, broken], ['etcd', 'java']), /java 1\.0\.0 could not be had/);
    const pids = await noted(1);
    assert.deepEqual(await Promise.all(pids.map(gone)), pids.map(() => true));
  });

  it('stops waiting for another process when it is aborted', async () => {
    start('never');
    await noted(1);
    const stop = new AbortController();
    const onEvent = ({ detail }: { detail?: string }): void => { if (detail?.includes('another process')) stop.abort(new Error('interrupted')); };
    await assert.rejects(ensure([fakeTool({ log })], ['etcd'], { signal: stop.signal, onEvent }), /interrupted/);
  });
});
