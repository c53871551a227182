import assert from 'node:assert/strict';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { main } from '../../automation/kbf.ts';
import { shellWord } from '../../config/shell-word.ts';
import { fakeModules } from '../fixtures/fake-sandbox.ts';
import { Sink } from '../fixtures/sink.ts';

describe('a state directory that is not to be read or written', () => {
  let state: string;
  beforeEach(async () => {
    state = await mkdtemp(join(tmpdir(), 'kbf unit-'));
    await writeFile(join(state, 'file'), '');
  });
  afterEach(async () => { await rm(state, { recursive: true, force: true }); });

  /** What `kbf up` answers where the worker could not have a file. */
  async function refused(code: string, path: string, stateDir = state): Promise<{ exitCode: number; stderr: string }> {
    const stderr = new Sink();
    const exitCode = await main(['up', '--state-dir', stateDir], {
      stdout: new Sink(), stderr, modules: () => Promise.resolve(fakeModules({})),
      work: () => Promise.reject(Object.assign(new Error(`${code}: refused, open '${path}'`), { code, path })),
    });
    return { exitCode, stderr: stderr.text };
  }

  it('is said with whose it is and what to do', async () => {
    const mine = process.getuid?.() ?? assert.fail();
    const path = join(state, 'file', 'deeper');
    const { exitCode, stderr } = await refused('EACCES', path);
    assert.equal(stderr, `kbf: ${path} may not be read or written (EACCES): ${join(state, 'file')} belongs to ${mine === 0 ? 'root' : `uid ${String(mine)}`}.
Allow yourself to (chmod -R u+rwX '${state}'), or name another place with --state-dir.\n`);
    assert.equal(exitCode, 1);
    assert.match((await refused('EROFS', join(state, 'file'))).stderr, /its file system is read-only \(EROFS\)\.\nName another place with --state-dir\.\n$/);
  });

  it('is somebody else\'s where a directory above the file is', async () => {
    const { theirs, owner } = await someoneElses();
    const { stderr } = await refused('EPERM', join(theirs, 'mine'), dirname(theirs));
    assert.ok(stderr.includes(`${theirs} belongs to ${owner}.\nMake it yours (sudo chown -R "$(id -u)" ${shellWord(dirname(theirs))}), or name another place with --state-dir.`), stderr);
  });

  /** Only root can give a directory away; to anybody else root's are another's. */
  async function someoneElses(): Promise<{ theirs: string; owner: string }> {
    if (process.getuid?.() !== 0) return { theirs: '/usr/share', owner: 'root' };
    const theirs = join(state, 'theirs');
    await mkdir(theirs);
    await chown(theirs, 4711, 4711);
    return { theirs, owner: 'uid 4711' };
  }

  it('is told from any other file', async () => {
    for (const path of ['/etc/shadow', `${state}-beside/file`]) assert.match((await refused('EACCES', path)).stderr, /refused, open .*\nThis is not a mistake of yours/);
    assert.match((await refused('ENOENT', join(state, 'file'))).stderr, /This is not a mistake of yours/);
  });
});
