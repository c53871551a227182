import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePayload } from '../../sandbox/agent/payload.ts';

const payload = (files: Record<string, string>, mode = 0o644) => new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

describe('A volume\'s files', () => {
  let dir: string;
  beforeEach(async () => { dir = await mkdtemp(join(tmpdir(), 'payload-')); });
  afterEach(() => rm(dir, { recursive: true }));

  it('are read through one link, which changes for all of them at once', async () => {
    await writePayload(dir, payload({ a: '1', 'sub/b': '2' }));
    const first = await readlink(join(dir, '..data'));
    assert.equal(await readlink(join(dir, 'a')), '..data/a');
    assert.equal(await readFile(join(dir, 'sub/b'), 'utf8'), '2');
    await writePayload(dir, payload({ a: '3', c: '4' }));
    assert.notEqual(await readlink(join(dir, '..data')), first);
    assert.equal(await readFile(join(dir, 'a'), 'utf8'), '3');
    assert.deepEqual((await readdir(dir)).filter((name) => !name.startsWith('..')), ['a', 'c']);
    assert.equal((await readdir(dir)).length, 4, 'the old ones are removed');
  });

  it('stay untouched when nothing changes', async () => {
    await writePayload(dir, payload({ a: '1' }));
    const first = await readlink(join(dir, '..data'));
    await writePayload(dir, payload({ a: '1' }));
    assert.equal(await readlink(join(dir, '..data')), first);
    await writePayload(dir, payload({ a: '1' }, 0o400));
    assert.notEqual(await readlink(join(dir, '..data')), first, 'a mode is a change');
    assert.equal((await stat(join(dir, 'a'))).mode & 0o777, 0o400);
  });
});
