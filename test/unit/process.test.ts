import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { startProcess, tail, until } from '../../sandbox/process.ts';
import type { ManagedProcess, ProcessOptions } from '../../sandbox/process.ts';

describe('startProcess', () => {
  let dir: string;
  beforeEach(async () => { dir = await mkdtemp(join(tmpdir(), 'kbf-process-')); });
  afterEach(() => rm(dir, { recursive: true }));

  function options(script: string, more: Partial<ProcessOptions> = {}): ProcessOptions {
    return { name: 'fixture', argv: [process.execPath, '-e', script], env: { PATH: process.env['PATH'] ?? '' }, log: join(dir, 'log'), readyTimeoutMs: 10_000, ...more };
  }

  /** Ready when the fixture has printed `word`. */
  function printed(word: string): (signal: AbortSignal) => Promise<void> {
    return (signal) => until(async () => assert.match(await readFile(join(dir, 'log'), 'utf8'), new RegExp(word)), signal);
  }

  const forever = 'setInterval(() => {}, 1000);';

  it('resolves when the server is ready, and stops it', async () => {
    const server = await startProcess(options(`console.log('up'); ${forever}`, { ready: printed('up') }));
    assert.ok(isAlive(server.pid));
    await server.stop();
    assert.ok(!isAlive(server.pid));
    assert.equal((await server.exited).signal, 'SIGTERM');
  });

  it('reports a server that ends before it is ready, with its exit code, its last lines and its log', async () => {
    const error = await rejection(startProcess(options(`console.error('no such flag'); process.exitCode = 3`, { ready: () => new Promise(() => undefined) })));
    assert.match(error.message, /^fixture exited with code 3 after \d+\.\d s\. Its last lines:\n {2}no such flag$/);
    assert.match(error.remedy ?? '', /\/log\.$/);
  });

  it('quotes no more than the last 40 lines', async () => {
    const error = await rejection(startProcess(options(`for (let i = 1; i <= 100; i++) console.log('line', i); process.exitCode = 1`, { ready: () => new Promise(() => undefined) })));
    assert.match(error.message, /line 61\n/);
    assert.doesNotMatch(error.message, /line 60\n/);
  });

  it('ends a server that is not ready in time before it says so', async () => {
    const error = await rejection(startProcess(options(`console.log(process.pid); ${forever}`, { readyTimeoutMs: 1000, ready: () => new Promise(() => undefined) })));
    assert.match(error.message, /was not ready after 1 s/);
    assert.ok(!isAlive(await pidInLog()));
  });

  it('ends a server whose start is aborted, and throws the reason', async () => {
    const abort = new AbortController();
    const reason = new Error('interrupted');
    const started = startProcess(options(`console.log(process.pid); ${forever}`, { signal: abort.signal, ready: () => new Promise(() => undefined) }));
    await until(async () => { await pidInLog(); }, AbortSignal.timeout(10_000));
    abort.abort(reason);
    await assert.rejects(started, reason);
    assert.ok(!isAlive(await pidInLog()));
  });

  it('does not take a ready answer for its own when its child has ended', async () => {
    const ready = async () => { await until(async () => { assert.ok(!isAlive(await pidInLog())); }, AbortSignal.timeout(10_000)); };
    const error = await rejection(startProcess(options('console.log(process.pid)', { ready })));
    assert.match(error.message, /exited with code 0/);
  });

  it('reports a program that does not exist', async () => {
    const error = await rejection(startProcess({ ...options(''), argv: [join(dir, 'nothing')], ready: () => new Promise(() => undefined) }));
    assert.match(error.message, /ENOENT/);
  });

  it('kills what ignores SIGTERM after its grace time', async () => {
    const server = await startProcess(options(`process.on('SIGTERM', () => {}); console.log('up'); ${forever}`, { ready: printed('up'), graceMs: 200 }));
    await server.stop();
    assert.equal((await server.exited).signal, 'SIGKILL');
  });

  it('ends the children of a server with it, also when it dies by itself', async () => {
    const child = `require('child_process').spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); console.log('child', process.pid); ${forever}"], { stdio: 'inherit' });`;
    const server = await startProcess(options(`${child} process.on('SIGUSR2', () => process.exit(0));`, { ready: printed('child \\d+') }));
    const childPid = await pidInLog();
    process.kill(server.pid, 'SIGUSR2');
    await server.exited;
    await until(async () => { assert.ok(!isAlive(childPid)); }, AbortSignal.timeout(5000));
  });

  it('stops once, however often it is asked to', async () => {
    const server: ManagedProcess = await startProcess(options(`console.log('up'); ${forever}`, { ready: printed('up') }));
    assert.equal(server.stopping, false);
    assert.equal(server.stop(), server.stop());
    assert.equal(server.stopping, true);
    await server.stop();
  });

  it('gives the server no environment but the one stated', async () => {
    process.env['HTTPS_PROXY_FOR_TEST'] = 'leaked';
    const server = await startProcess(options(`console.log('up', process.env.HTTPS_PROXY_FOR_TEST, process.env.MINE); ${forever}`, { env: { MINE: 'yes' }, ready: printed('up') }));
    await server.stop();
    delete process.env['HTTPS_PROXY_FOR_TEST'];
    assert.deepEqual(await tail(join(dir, 'log'), 1), ['up undefined yes']);
  });

  async function pidInLog(): Promise<number> {
    const [, pid] = /(\d+)/.exec(await readFile(join(dir, 'log'), 'utf8')) ?? [];
    assert.ok(pid !== undefined);
    return Number(pid);
  }
});

describe('until', () => {
  it('gives the last failure as the cause when its time is over', async () => {
    const error = await rejection(until(() => Promise.reject(new Error('connection refused')), AbortSignal.timeout(100)), Error);
    assert.equal((error.cause as Error).message, 'connection refused');
  });
});

async function rejection<T extends Error = UserError>(promise: Promise<unknown>, type: abstract new (...a: never[]) => T = UserError as never): Promise<T> {
  const error = await promise.then(() => undefined, (e: unknown) => e);
  assert.ok(error instanceof type, `expected a ${type.name}, got ${String(error)}`);
  return error;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
