/** However a command ends, nothing of it is left once it, or the next one, is done; and it needs no root. */
import assert from 'node:assert/strict';
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Workshop, eventually, leftBehind, pidNamespaces, root } from './support.ts';
import type { SandboxAnswer } from './support.ts';

const nobody = 65534;

describe('however it ends', function () {
  let workshop: Workshop;

  beforeEach(async () => { workshop = await Workshop.make(); });
  afterEach(async () => { await workshop.remove(); });

  /** Starts the demo and lets it come as far as the line that matches. */
  async function demoUntil(line: RegExp): Promise<{ demo: ReturnType<Workshop['start']>; namespaces: Set<string> }> {
    const demo = workshop.start('demo', '--seconds', '10');
    let said = '';
    let ended = false;
    demo.all.on('data', (chunk: Buffer) => { said += chunk.toString(); });
    void demo.then(() => { ended = true; });
    await eventually(`the demo says ${String(line)}`, 240_000, () => {
      if (ended) assert.fail(`it ended: ${said}`);
      return Promise.resolve(line.test(said) ? true : undefined);
    });
    return { demo, namespaces: await pidNamespaces(workshop.stateDir) };
  }

  async function nothingLeft(namespaces: ReadonlySet<string>): Promise<void> {
    await eventually('nothing is left', 20_000, async () => {
      const left = await leftBehind(workshop.stateDir, namespaces);
      if (left.length > 0) throw new Error(left.join('\n'));
      return true;
    });
  }

  it('leaves nothing after Ctrl-C while the clusters start', async () => {
    const { demo, namespaces } = await demoUntil(/cluster \w+ +up after/);
    demo.kill('SIGINT');
    const { exitCode, all } = await demo;
    assert.equal(exitCode, 130, all);
    await nothingLeft(namespaces);
  });

  it('leaves nothing after SIGTERM while the program makes its objects', async () => {
    const { demo, namespaces } = await demoUntil(/TsbWorkspace tsb +\d+ done/);
    demo.kill('SIGTERM');
    const { exitCode, all } = await demo;
    assert.equal(exitCode, 130, all);
    await nothingLeft(namespaces);
  });

  it('leaves nothing after SIGKILL once the next command is done', async () => {
    const { demo, namespaces } = await demoUntil(/TsbWorkspace tsb +\d+ done/);
    demo.kill('SIGKILL');
    await demo;
    await workshop.start('sandbox', 'down', '--name', 'none');
    await nothingLeft(namespaces);
  });
});

describe('as an ordinary user', function () {
  it('starts clusters, runs a pod in them and stops them', async () => {
    const workshop = await Workshop.make();
    const isRoot = process.getuid?.() === 0;
    const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kafka-bridge-failover');
    const env: Record<string, string> = {};
    if (isRoot) {
      env['XDG_CACHE_HOME'] = join(workshop.stateDir, 'cache');
      env['HOME'] = workshop.stateDir;
      await lendCache(cache, env['XDG_CACHE_HOME']);
      await chmod(workshop.stateDir, 0o755);
      await chown(workshop.stateDir, nobody, nobody);
    }
    const kbf = (...args: string[]) => {
      const argv = [process.execPath, join(root, 'automation/kbf.mjs'), '--state-dir', join(workshop.stateDir, 'state'), ...args];
      const asUser = isRoot ? ['setpriv', `--reuid=${String(nobody)}`, `--regid=${String(nobody)}`, '--clear-groups', ...argv] : argv;
      return execa(asUser[0] ?? '', asUser.slice(1), { env, cwd: '/', stdin: 'ignore' });
    };
    try {
      const sandbox = JSON.parse((await kbf('sandbox', 'up', '--name', 'user', '--json')).stdout) as SandboxAnswer;
      const { stdout } = await kbf('sandbox', 'shell', '--name', 'user', '--', 'kubectl', '--context', 'central', '--namespace', 'tsb', 'get', 'pods', '--output', 'jsonpath={.items[0].status.phase}');
      assert.equal(stdout, 'Running');
      assert.equal(sandbox.clusters.length, 4);
      // Inside it, its own processes have other pids: it must not be taken for dead there.
      const inside = ['sandbox', 'shell', '--name', 'user', '--', process.execPath, join(root, 'automation/kbf.mjs'), '--state-dir', join(workshop.stateDir, 'state')];
      await assert.rejects(kbf(...inside, 'sandbox', 'down', '--name', 'user'), { exitCode: 2 });
      assert.match((await kbf('sandbox', 'status', '--name', 'user')).stdout, /sandbox user is running/);
    } finally {
      await kbf('sandbox', 'down', '--name', 'user');
    }
    assert.deepEqual(existsSync(join(workshop.stateDir, 'state', 'sandboxes', 'user')), false);
    await workshop.remove();
  });
});

/** The cache lies in root's own directory: the user gets directories of its own, with links to root's files, which it may only read. */
async function lendCache(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o755 });
  // Across file systems there are no such links.
  await execa('cp', ['--archive', '--link', from, to]).catch(() => cp(from, join(to, 'kafka-bridge-failover'), { recursive: true }));
  await execa('find', [to, '-name', '*.lock', '-delete']);
  await execa('find', [to, '-type', 'd', '-exec', 'chown', `${String(nobody)}:${String(nobody)}`, '{}', '+']);
}
