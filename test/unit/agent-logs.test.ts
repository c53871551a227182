import assert from 'node:assert/strict';
import fs from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { selectLines } from '../../sandbox/agent/kubelet.ts';
import { ContainerLog, dropOldLogs, logPath, readLog } from '../../sandbox/agent/logs.ts';

describe('A container\'s log', () => {
  let dir: string;
  beforeEach(async () => { dir = await mkdtemp(join(tmpdir(), 'logs-')); });
  afterEach(() => rm(dir, { recursive: true }));
  const texts = (path: string) => readLog(path).map((line) => line.slice(line.indexOf(' ') + 1));

  it('puts lines together that come in pieces, also within a character', () => {
    const path = logPath(dir, 'c', 0);
    const log = new ContainerLog(path);
    const bytes = Buffer.from('grün\nrest');
    log.write('stdout', bytes.subarray(0, 3));
    log.write('stderr', Buffer.from('other\n'));
    log.write('stdout', bytes.subarray(3));
    assert.deepEqual(texts(path), ['other', 'grün']);
    log.end();
    assert.deepEqual(texts(path), ['other', 'grün', 'rest']);
  });

  it('stays within twice its bound and keeps the newest lines', async () => {
    const path = logPath(dir, 'c', 0);
    const log = new ContainerLog(path, 1000);
    for (let i = 0; i < 200; i++) log.write('stdout', Buffer.from(`line ${i}\n`));
    log.end();
    const sizes = await Promise.all((await readdir(join(dir, 'c'))).map(async (file) => (await stat(join(dir, 'c', file))).size));
    assert.ok(sizes.reduce((a, b) => a + b) < 2200, String(sizes));
    assert.equal(texts(path).at(-1), 'line 199');
  });

  it('breaks up a line that never ends', () => {
    const path = logPath(dir, 'c', 0);
    const log = new ContainerLog(path);
    log.write('stdout', Buffer.alloc(40_000, 'x'));
    assert.deepEqual(texts(path).map((line) => line.length), [16_384, 16_384]);
    log.end();
  });

  it('does without its lines on a full disk', async () => {
    const path = logPath(dir, 'c', 0);
    await mkdir(join(dir, 'c'));
    await symlink('/dev/full', path);
    const log = new ContainerLog(path);
    log.write('stdout', Buffer.from('one\ntwo\nrest'));
    log.end();
  });

  it('says when there is room again how many lines are missing, and has none by halves', () => {
    const path = logPath(dir, 'c', 0);
    const log = new ContainerLog(path);
    log.write('stdout', Buffer.from('kept\n'));
    const { writeSync } = fs;
    const full = mock.method(fs, 'writeSync', (descriptor: number, text: Buffer) => writeSync(descriptor, text.subarray(0, 30)));
    syncBuiltinESMExports();
    try {
      log.write('stdout', Buffer.from('one\ntwo\n'));
      full.mock.mockImplementation(() => { throw new Error('ENOSPC'); });
      log.write('stderr', Buffer.from('three\n'));
    } finally {
      full.mock.restore();
      syncBuiltinESMExports();
    }
    log.write('stdout', Buffer.from('four\n'));
    log.write('stdout', Buffer.from('five\n'));
    log.end();
    assert.deepEqual(texts(path), ['kept', 'The node agent had no room for 3 lines here.', 'four', 'five']);
  });

  it('goes on in its old file while there is no room for a new one', () => {
    const path = logPath(dir, 'c', 0);
    const log = new ContainerLog(path, 100);
    const full = mock.method(fs, 'openSync', () => { throw new Error('ENOSPC'); });
    syncBuiltinESMExports();
    try {
      for (let i = 0; i < 5; i++) log.write('stdout', Buffer.from(`line ${i}\n`));
    } finally {
      full.mock.restore();
      syncBuiltinESMExports();
    }
    for (let i = 5; i < 7; i++) log.write('stdout', Buffer.from(`line ${i}\n`));
    log.end();
    assert.deepEqual(texts(path), [0, 1, 2, 3, 4, 5, 6].map((i) => `line ${i}`));
  });

  it('is followed to its end', () => {
    const log = new ContainerLog(logPath(dir, 'c', 0));
    const seen: (string | undefined)[] = [];
    log.follow((line) => { seen.push(line?.slice(line.indexOf(' ') + 1)); });
    log.write('stdout', Buffer.from('a\nb'));
    log.end();
    assert.deepEqual(seen, ['a', 'b', undefined]);
    log.follow((line) => { seen.push(line); });
    assert.equal(seen.length, 4, 'a log that is over ends at once');
  });

  it('of a run is dropped when two later ones have been', async () => {
    for (const run of [0, 1, 2]) new ContainerLog(logPath(dir, 'c', run)).end();
    dropOldLogs(dir, 'c', 2);
    assert.deepEqual(await readdir(join(dir, 'c')), ['1.log', '2.log']);
  });

  it('is answered by tail, time and size', () => {
    const lines = ['2026-01-01T00:00:01.000Z one', '2026-01-01T00:00:02.000Z two', '2026-01-01T00:00:03.000Z three'];
    assert.equal(selectLines(lines, { timestamps: false, tailLines: 2 }), 'two\nthree\n');
    assert.equal(selectLines(lines, { timestamps: false, tailLines: 0 }), '');
    assert.equal(selectLines(lines, { timestamps: true, since: '2026-01-01T00:00:03.000Z' }), '2026-01-01T00:00:03.000Z three\n');
    assert.equal(selectLines(lines, { timestamps: false, limitBytes: 5 }), 'one\nt');
  });
});
