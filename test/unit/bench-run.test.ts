import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { killFamily } from '../../bench/family.ts';

const program = fileURLToPath(new URL('../fixtures/bench.ts', import.meta.url));

describe('a bench', function () {
  this.timeout(60_000);
  let stateDir: string;
  afterEach(async () => { await rm(stateDir, { recursive: true, force: true }); });

  /** In a process group of its own, as a terminal has it, once it has said where its directory is. */
  const start = async (...args: string[]): Promise<{ child: ChildProcess; ended: Promise<{ code: number | null; stderr: string }> }> => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }));
    const [sandboxDir] = await once(createInterface({ input: child.stdout }), 'line') as [string];
    stateDir = dirname(dirname(sandboxDir));
    return { child, ended };
  };

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`that gets ${signal} leaves nothing and exits with 130`, async () => {
      const { child, ended } = await start();
      assert.ok(existsSync(stateDir));
      child.kill(signal);
      const { code, stderr } = await ended;
      assert.equal(code, 130, stderr);
      assert.equal(stderr, `\n${signal}: stopping and cleaning up\n`);
      assert.equal(existsSync(stateDir), false);
    });
  }

  it('whose Ctrl-C is repeated, to its whole group, cleans up as for the first time', async () => {
    const { child, ended } = await start();
    const repeated = setInterval(() => { if (existsSync(stateDir)) process.kill(-(child.pid ?? assert.fail()), 'SIGINT'); }, 20);
    const { code, stderr } = await ended;
    clearInterval(repeated);
    assert.equal(code, 130, stderr);
    assert.equal(stderr.match(/cleaning up/g)?.length, 1);
    assert.equal(existsSync(stateDir), false);
  });

  it('removes what one left that was killed, and nothing of one that lives', async () => {
    const [killed, living] = await Promise.all([spawnSync('true').pid, process.pid].map((pid) => mkdtemp(join(tmpdir(), `kbf-bench-${String(pid)}-`))));
    try {
      await (await start('failing')).ended;
      assert.equal(existsSync(killed ?? ''), false);
      assert.equal(existsSync(living ?? ''), true);
    } finally {
      for (const directory of [killed, living]) await rm(directory ?? '', { recursive: true, force: true });
    }
  });

  it('that fails cleans up too, and says why', async () => {
    const { ended } = await start('failing');
    const { code, stderr } = await ended;
    assert.equal(code, 1);
    assert.match(stderr, /measured nothing/);
    assert.equal(existsSync(stateDir), false);
  });
});

describe('the end of a family', () => {
  it('is nothing to do for one that has ended', async () => {
    await killFamily(spawnSync('true').pid);
  });
});
