import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOutRoot } from '../../sandbox/agent/container-root.ts';
import type { ContainerRoot } from '../../sandbox/agent/container-root.ts';
import { hostParts, mountTable } from '../../sandbox/agent/host-mounts.ts';

describe('What a container sees of this machine', () => {
  let dir: string;
  beforeEach(async () => { dir = await mkdtemp(join(tmpdir(), 'mounts-')); });
  afterEach(() => rm(dir, { recursive: true }));

  it('is its programs, read-only, and the directories of the tools, each once', async () => {
    await mkdir(join(dir, 'java/bin'), { recursive: true });
    await mkdir(join(dir, 'kafka/libs'), { recursive: true });
    await Promise.all(['java/bin/java', 'crds.yaml'].map((file) => writeFile(join(dir, file), '')));
    const { mounts, hidden } = hostParts([join(dir, 'java/bin/java'), join(dir, 'java'), join(dir, 'kafka/libs'), '/usr/bin/env'], '/elsewhere');
    assert.deepEqual(mounts.map(({ target }) => target).filter((path) => path.startsWith(dir)), [join(dir, 'java'), join(dir, 'kafka')]);
    assert.equal(mounts.filter(({ target }) => target.startsWith('/usr')).length, 1);
    assert.ok(mounts.every(({ source, target, readOnly }) => readOnly && source === target));
    assert.deepEqual(hidden, []);
  });

  it('is not the sandboxes\' keys, although they lie in the project', () => {
    assert.deepEqual(hostParts([dir], join(dir, '.kbf')).hidden, [join(dir, '.kbf')]);
    assert.match(mountTable('/root', [], ['/p/.kbf']), /^tmpfs \/root\/p\/\.kbf tmpfs ro,/m);
  });

  it('is mounted in one go, whatever characters a path has', () => {
    const table = mountTable('/r', [{ source: '/a b', target: '/t#x', readOnly: false }, { source: '/proc', target: '/p', readOnly: true, recursive: true }]);
    assert.match(table, /^\/a\\040b \/r\/t\\043x none bind,X-mount\.mkdir 0 0$/m);
    assert.match(table, /^\/proc \/r\/p none rbind,ro,nosuid,nodev(,noexec)?,X-mount\.mkdir 0 0$/m);
  });
});

describe('A container\'s file system', () => {
  let dir: string;
  beforeEach(async () => { dir = await mkdtemp(join(tmpdir(), 'root-')); });
  afterEach(() => rm(dir, { recursive: true }));
  const root = (more: Partial<ContainerRoot> = {}): ContainerRoot => ({
    dir, host: { mounts: [], links: { '/bin': 'usr/bin' }, hidden: [] }, hostname: 'h', hostsFile: '/etc/hosts', volumes: [], files: {},
    env: { A: 'it\'s $HOME', 'odd.name': 'x y' }, argv: ['prog', 'a b', ''], workingDir: '/work', terminationMessagePath: '/dev/termination-log', ...more,
  });

  it('has the image\'s files, and a start script that quotes whatever it is given', async () => {
    const script = await readFile(await layOutRoot(root({ files: { '/etc/app/x.json': '{}' } })), 'utf8');
    assert.equal(await readFile(join(dir, 'root/etc/app/x.json'), 'utf8'), '{}');
    assert.ok(script.includes('export A=\'it\'\\\'\'s $HOME\'\n'), script);
    assert.ok(script.includes('env \'odd.name=x y\' prog \'a b\' \'\' 2>&4 4>&-\n'), script);
    assert.ok(script.includes('cd /work\n'));
  });

  it('refuses an image\'s file that a mount would hide', async () => {
    const volumes = [{ source: dir, target: '/data', readOnly: false, isFile: false }];
    await assert.rejects(layOutRoot(root({ volumes, files: { '/data/x': '' } })), /hidden by the mount on \/data/);
    await assert.rejects(layOutRoot(root({ files: { 'x': '' } })), /not absolute/);
  });
});
