import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanLeftovers } from '../../sandbox/machine/leftovers.ts';
import { removeSandbox } from '../../sandbox/index.ts';
import { locked } from '../../sandbox/machine/lock.ts';
import { identify, readState, sandboxDir, writeJson, writeState } from '../../sandbox/machine/state.ts';
import type { ProcessId, SandboxState } from '../../sandbox/machine/state.ts';

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

  it('finds nothing where there is no state directory', async () => {
    assert.deepEqual(await cleanLeftovers(join(stateDir, 'none')), []);
  });
});
