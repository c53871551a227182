import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanLeftovers } from '../../sandbox/machine/leftovers.ts';
import { openSandbox, removeSandbox } from '../../sandbox/index.ts';
import { locked } from '../../sandbox/machine/lock.ts';
import { pidNamespace } from '../../sandbox/machine/namespace.ts';
import { RunningSandbox } from '../../sandbox/machine/running.ts';
import { identify, readState, sandboxDir, writeJson, writeState } from '../../sandbox/machine/state.ts';
import type { ProcessId, SandboxState } from '../../sandbox/machine/state.ts';
import { endProcesses } from '../../sandbox/machine/teardown.ts';
import type { UserError } from '../../errors.ts';

describe('cleanLeftovers', () => {
  let stateDir: string;
  let dir: string;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'kbf-leftovers-'));
    dir = sandboxDir(stateDir, 'demo');
    await mkdir(dir, { recursive: true });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(stateDir, { recursive: true });
  });

  async function process_(): Promise<ProcessId> {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    children.push(child);
    await once(child, 'spawn');
    return await identify(child.pid ?? 0) ?? assert.fail();
  }

  const dead = (id: ProcessId): ProcessId => ({ ...id, startTime: `${id.startTime}0` });

  async function written(more: Partial<SandboxState>): Promise<SandboxState> {
    const self = await identify(process.pid) ?? assert.fail();
    const sockets = join(stateDir, 'sockets');
    await mkdir(sockets, { recursive: true });
    const state: SandboxState = {
      name: 'demo', clusters: [], phase: 'running', detached: false, keep: false, createdAt: '', startedAt: '',
      starter: dead(self), userNamespace: false, sockets, ...more,
    };
    await writeState(dir, state);
    return state;
  }

  const exists = (path: string) => access(path).then(() => true, () => false);

  it('ends and removes a sandbox whose command died before it was detached', async () => {
    const tree = await process_();
    const { sockets } = await written({ tree });
    assert.deepEqual(await cleanLeftovers(stateDir), ['sandbox demo: its command ended without stopping it; it was ended and removed']);
    assert.equal(await identify(tree.pid), undefined);
    assert.equal(await exists(dir), false);
    assert.equal(await exists(sockets), false);
    assert.deepEqual(await cleanLeftovers(stateDir), []);
  });

  it('touches no process that merely has a pid of the sandbox', async () => {
    const stranger = await process_();
    await written({ tree: dead(stranger) });
    await writeJson(join(dir, 'relays.json'), { process: dead(stranger), relays: {} });
    assert.equal((await cleanLeftovers(stateDir)).length, 1);
    assert.deepEqual(await identify(stranger.pid), stranger);
  });

  it('leaves a detached sandbox alone while it runs', async () => {
    await written({ tree: await process_(), detached: true });
    assert.deepEqual(await cleanLeftovers(stateDir), []);
    assert.ok(await exists(dir));
  });

  it('leaves a sandbox alone whose command lives', async () => {
    await written({ tree: await process_(), starter: await identify(process.pid) ?? assert.fail() });
    assert.deepEqual(await cleanLeftovers(stateDir), []);
  });

  it('keeps the state of a detached sandbox that ended without being stopped', async () => {
    await written({ tree: dead(await process_()), detached: true, keep: true });
    assert.deepEqual(await cleanLeftovers(stateDir), ['sandbox demo: ended without being stopped; its remains were cleaned up, its state is kept']);
    assert.equal((await readState(dir))?.phase, 'stopped');
  });

  it('ends a relay that did not end with its tree', async () => {
    const relay = await process_();
    await written({ tree: dead(relay) });
    await writeJson(join(dir, 'relays.json'), { process: relay, relays: {} });
    await cleanLeftovers(stateDir);
    assert.equal(await identify(relay.pid), undefined);
  });

  it('removes a directory in which nothing was written yet', async () => {
    assert.equal((await cleanLeftovers(stateDir)).length, 1);
    assert.equal(await exists(dir), false);
  });

  it('leaves stopped sandboxes alone, and those that someone is starting or stopping', async () => {
    await written({ phase: 'stopped' });
    assert.deepEqual(await cleanLeftovers(stateDir), []);
    await written({ phase: 'starting' });
    await locked(dir, async () => { assert.deepEqual(await cleanLeftovers(stateDir), []); });
    assert.ok(await exists(dir));
  });

  it('is not needed to remove a stopped sandbox', async () => {
    await written({ phase: 'stopped', keep: true });
    assert.equal(await removeSandbox('demo', stateDir), true);
    assert.equal(await exists(dir), false);
    assert.equal(await removeSandbox('demo', stateDir), false);
  });

  it('leaves a running sandbox to be stopped first', async () => {
    await written({ tree: await process_(), detached: true });
    await assert.rejects(removeSandbox('demo', stateDir), /runs/);
  });

  it('says that a sandbox of another PID namespace is not to be judged from here, and leaves it as it is', async () => {
    const { sockets } = await written({ tree: dead(await process_()), detached: true, keep: true, pidNamespace: 'pid:[1]' });
    const refusal = (error: UserError) => error.exitCode === 2 && /another PID namespace/.test(error.message) && /where the sandbox was started.*exit/.test(error.remedy ?? '');
    await assert.rejects(cleanLeftovers(stateDir), refusal);
    await assert.rejects(openSandbox('demo', stateDir), refusal);
    await assert.rejects(removeSandbox('demo', stateDir), refusal);
    assert.equal((await readState(dir))?.phase, 'running');
    assert.ok(await exists(sockets));
  });

  it('cleans up a sandbox of its own PID namespace, and removes a stopped one of any', async () => {
    await written({ tree: dead(await process_()), pidNamespace: await pidNamespace() });
    assert.equal((await cleanLeftovers(stateDir)).length, 1);
    await mkdir(dir);
    await written({ starter: { pid: 1, startTime: 'a boot before this one:1' }, tree: undefined, pidNamespace: 'pid:[1]' });
    assert.equal((await cleanLeftovers(stateDir)).length, 1);
    await mkdir(dir);
    await written({ phase: 'stopped', keep: true, pidNamespace: 'pid:[1]' });
    assert.deepEqual(await cleanLeftovers(stateDir), []);
    assert.equal(await removeSandbox('demo', stateDir), true);
  });

  it('takes a process for ended that ends between the look and the kill', async () => {
    const tree = await process_();
    const state = await written({ tree });
    const { kill } = process;
    process.kill = (pid, signal) => {
      kill.call(process, pid, signal);
      throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' });
    };
    try {
      await endProcesses(dir, state, { orderly: false });
    } finally {
      process.kill = kill;
    }
    assert.equal(await identify(tree.pid), undefined);
  });

  it('does not keep a sandbox from being stopped that it has a look at', async () => {
    const sandbox = new RunningSandbox(dir, await written({ tree: await process_() }));
    const looked = locked(dir, () => new Promise((resolve) => { setTimeout(resolve, 200); }));
    await sandbox.stop();
    await looked;
    assert.equal(await exists(dir), false);
  });

  it('does not take for empty what it cannot read', async () => {
    await writeFile(join(stateDir, 'sandboxes-are-no-directory'), '');
    await assert.rejects(cleanLeftovers(join(stateDir, 'sandboxes-are-no-directory')), { code: 'ENOTDIR' });
  });

  it('finds nothing where there is no state directory', async () => {
    assert.deepEqual(await cleanLeftovers(join(stateDir, 'none')), []);
  });
});

describe('stop', () => {
  it('can be tried again after it failed', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kbf-stop-'));
    try {
      const sandbox = new RunningSandbox(dir, {
        name: 'demo', clusters: [], phase: 'running', detached: false, keep: false, createdAt: '', startedAt: '', starter: { pid: 1, startTime: '' }, userNamespace: false, sockets: join(dir, 'sockets'),
      });
      await writeFile(join(dir, 'relays.json'), '{');
      await assert.rejects(sandbox.stop(), SyntaxError);
      await rm(join(dir, 'relays.json'));
      await sandbox.stop();
      await assert.rejects(access(dir), { code: 'ENOENT' });
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
