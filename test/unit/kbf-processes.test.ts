import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Interrupted } from '../../automation/interrupt.ts';
import { runWorker } from '../../automation/runWorker.ts';

/** Each case starts processes, which takes seconds on a busy machine. */
const timeoutMs = 60_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const fixture = (name: string): string => join(root, 'test', 'fixtures', name);
const request = { operation: 'outputs', environment: {} } as const;

const isAlive = (pid: number): boolean => {
  try { return process.kill(pid, 0); } catch { return false; }
};

async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; isAlive(pid); tries += 1) {
    assert.ok(tries < 200, `process ${String(pid)} is still there`);
    await sleep(25);
  }
}

describe('a worker', function () {
  this.timeout(timeoutMs);
  it('is told to stop when the signal aborts, and why', async () => {
    const stop = new AbortController();
    let pid = 0;
    await assert.rejects(runWorker(request, {
      program: fixture('worker/obedient.mjs'), signal: stop.signal,
      onEvent: (event) => { ({ pid } = event as { pid: number }); stop.abort(new Interrupted('SIGTERM')); },
    }), (error: Error) => error instanceof Interrupted && error.message === 'SIGTERM');
    assert.equal(isAlive(pid), false);
  });

  it('says which file it was that it could not have', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kbf-unit-'));
    try {
      const stateDir = join(directory, 'a-file');
      await writeFile(stateDir, '');
      await assert.rejects(runWorker({ operation: 'outputs', environment: { stateDir, ownBackend: true, passphraseFile: join(stateDir, 'deep', 'passphrase') } }), { code: 'ENOTDIR', path: join(stateDir, 'deep') });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('that does not stop within its grace is killed', async () => {
    const stop = new AbortController();
    let pid = 0;
    await assert.rejects(runWorker(request, {
      program: fixture('worker/stubborn.mjs'), signal: stop.signal, graceMs: 200,
      onEvent: (event) => { ({ pid } = event as { pid: number }); stop.abort(); },
    }), /the outputs worker ended without an answer \(SIGKILL\)/);
    assert.equal(isAlive(pid), false);
  });

  it('that dies without an answer is reported with its exit code and its last words', async () => {
    await assert.rejects(runWorker(request, { program: fixture('worker/crashing.mjs') }), /\(exit code 7\)\nno space left on device/);
  });

  it('that dies leaves nothing that it started, in whatever process group', async () => {
    let pid = 0;
    await assert.rejects(runWorker(request, {
      program: fixture('worker/with-helper.mjs'), graceMs: 200, onEvent: (event) => { ({ pid } = event as { pid: number }); },
    }), /exit code 1/);
    await untilGone(pid);
  });

  it('is not started once the signal has aborted', async () => {
    await assert.rejects(runWorker(request, { start: () => assert.fail('started'), signal: AbortSignal.abort(new Interrupted('SIGINT')) }), Interrupted);
  });

  it('that cannot be started is an error', async () => {
    const start = () => spawn('/nonexistent/program', [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    await assert.rejects(runWorker(request, { start }), /could not be started/);
  });

  it('ends when whoever started it is killed', async () => {
    const starter = spawn(process.execPath, [fixture('worker/orphan.mjs'), fixture('worker/leaving.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface({ input: starter.stdout }), 'line') as [string];
    starter.kill('SIGKILL');
    await untilGone(Number(line));
  });

  it('is in a session of its own, where a terminal\'s Ctrl-C does not reach it', async () => {
    const starter = spawn(process.execPath, [fixture('worker/orphan.mjs'), fixture('worker/stubborn.mjs')], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const [line] = await once(createInterface({ input: starter.stdout }), 'line') as [string];
    // The whole foreground group gets SIGINT, as from a terminal; the starter here has no handler and dies.
    process.kill(-(starter.pid ?? assert.fail()), 'SIGINT');
    await once(starter, 'exit');
    assert.equal(isAlive(Number(line)), true);
    process.kill(Number(line), 'SIGKILL');
    await untilGone(Number(line));
  });
});

interface Run { child: ChildProcess; ended: Promise<{ code: number | null; stdout: string; stderr: string }>; reached(text: string): Promise<void> }

function run(argv: string[]): Run {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return {
    child, ended,
    async reached(text) {
      for (let tries = 0; !stderr.includes(text); tries += 1) {
        assert.ok(tries < 400 && child.exitCode === null, `never reached "${text}":\n${stderr}`);
        await sleep(25);
      }
    },
  };
}

describe('kbf demo, interrupted', function () {
  this.timeout(timeoutMs);
  let state: string;
  beforeEach(async () => { state = await mkdtemp(join(tmpdir(), 'kbf-unit-')); });
  afterEach(async () => { await rm(state, { recursive: true, force: true }); });
  const start = (stage: string): Run => run([fixture('kbf-demo.ts'), stage, 'demo', '--json', '--state-dir', state]);

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`by ${signal} while the program is set up ends with 130 and the sandbox stopped`, async () => {
      const { child, ended, reached } = start('up');
      await reached('at up');
      child.kill(signal);
      const { code, stdout, stderr } = await ended;
      assert.equal(code, 130, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /^started\n[^]*^stopped$/m);
      assert.match(stderr, /interrupted; what it had started is stopped/);
    });
  }

  for (const stage of ['tools', 'sandbox']) {
    it(`during "${stage}" has no sandbox to stop`, async () => {
      const { child, ended, reached } = start(stage);
      await reached(`at ${stage}`);
      child.kill('SIGINT');
      const { code, stderr } = await ended;
      assert.equal(code, 130, stderr);
      assert.doesNotMatch(stderr, /^(started|stopped)$/m);
    });
  }

  for (const stage of ['drill', 'destroy']) {
    it(`during "${stage}" stops the sandbox`, async () => {
      const { child, ended, reached } = start(stage);
      await reached(`at ${stage}`);
      child.kill('SIGTERM');
      const { code, stderr } = await ended;
      assert.equal(code, 130, stderr);
      assert.match(stderr, /^stopped$/m);
    });
  }

  it('by the end of whoever read its output stops the sandbox', async () => {
    const { child, reached, ended } = start('up');
    await reached('at up');
    child.stderr?.destroy();
    child.stdout?.destroy();
    child.kill('SIGHUP');
    assert.equal((await ended).code, 130);
  });

  it('twice cleans up as for the first time', async () => {
    const { child, ended, reached } = start('up');
    await reached('at up');
    child.kill('SIGINT');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    assert.equal(code, 130, stderr);
    assert.equal(stderr.match(/stopping and cleaning up/g)?.length, 1);
    assert.match(stderr, /^stopped$/m);
  });
});

describe('the launcher', function () {
  this.timeout(timeoutMs);
  /** Makes a program believe in an old Node.js. */
  const oldAs = (node: string): string[] => ['--import', `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${node}"}})`];
  const old = oldAs('20.20.2');
  const launcher = join(root, 'automation', 'kbf.mjs');

  it('goes on with the Node.js among the packages when its own is too old', async () => {
    const { code, stdout, stderr } = await run([...old, launcher, '--version']).ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('hands on the exit code', async () => {
    assert.equal((await run([...old, launcher, 'nonsense']).ended).code, 2);
  });

  for (const [version, code] of [['24.3.0', 2], ['24.4.0', 1], ['25.0.0', 1]] as const) {
    it(`${code === 2 ? 'refuses' : 'takes'} Node.js ${version}, and so does the program`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'kbf-unit-'));
      try {
        await mkdir(join(directory, 'automation'));
        const alone = [join(directory, 'automation', 'kbf.mjs'), join(directory, 'main.mjs')];
        await cp(launcher, alone[0] ?? '');
        await cp(join(root, 'main.mjs'), alone[1] ?? '');
        const [kbf, program] = await Promise.all(alone.map((file) => run([...oldAs(version), file]).ended));
        // What is taken goes on to the files beside it, of which there are none here.
        assert.deepEqual([kbf?.code, program?.code], [code, code === 2 ? 32 : 1], `${kbf?.stderr ?? ''}\n${program?.stderr ?? ''}`);
        if (code === 2) assert.match(program?.stderr ?? '', /needs Node\.js 24\.4 or newer, and `node` on PATH is 24\.3\.0/);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
  }

  it('says what to do where there is no home directory', async () => {
    const homeless = 'data:text/javascript,import os from "node:os";import { syncBuiltinESMExports } from "node:module";os.homedir=()=>{throw new Error("ENOENT: uv_os_homedir")};syncBuiltinESMExports()';
    const { code, stderr } = await run(['--import', homeless, launcher, '--version']).ended;
    assert.equal(code, 2);
    assert.match(stderr, /^kbf: HOME is not set.*\nSet HOME to a directory that you can write.*\n$/);
  });

  it('says what to do when there is none', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kbf-unit-'));
    try {
      await mkdir(join(directory, 'automation'));
      await cp(launcher, join(directory, 'automation', 'kbf.mjs'));
      const { code, stderr } = await run([...old, join(directory, 'automation', 'kbf.mjs'), 'demo']).ended;
      assert.equal(code, 2);
      assert.match(stderr, /needs Node\.js 24\.4 or newer; this is 20\.20\.2[^]*npm ci --ignore-scripts=false --include=dev/);
      assert.doesNotMatch(stderr, /\n\s+at /);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
