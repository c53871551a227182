import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { keptDirectory, openDirectory, openProject, stackOfFile } from '../../automation/project.ts';
import type { UserError } from '../../errors.ts';

describe('a project', () => {
  let directory: string;
  beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf-unit-')); });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  let program: string;
  beforeEach(async () => {
    program = join(directory, 'program');
    await mkdir(program);
    await writeFile(join(program, 'Pulumi.yaml'), 'name: tiny\nmain: index.ts\nruntime: nodejs\n');
    await writeFile(join(program, 'Pulumi.dev.yaml'), 'config:\n  tiny:a: 1\n  tiny:b: 2\n');
  });
  const source = { stack: 'dev', configFile: undefined };
  const open = (more: object = {}) => openProject({ program, ...source, ...more });
  /** The directory of one operation. */
  const directoryFor = (operation: string, more: object = {}) => openDirectory({ program, ...source, settings: {}, ...more }, { scratch: join(directory, operation), kept: join(directory, 'kept') });

  it('is the program\'s own directory when nothing is replaced', async () => {
    assert.equal((await directoryFor('up')).path, program);
  });

  it('knows where the engine starts the program, whichever way main says it', async () => {
    assert.equal((await open()).program, program);
    await mkdir(join(program, 'src'));
    for (const [main, start] of [['src', 'src'], ['src/index.ts', 'src'], ['main.mjs', '.'], ['.', '.']] as const) {
      await writeFile(join(program, 'Pulumi.yaml'), `name: tiny\nmain: ${main}\nruntime: nodejs\n`);
      assert.equal((await open()).program, join(program, start, '.').replace(/\/$/, ''), main);
    }
    await writeFile(join(program, 'Pulumi.yaml'), 'name: tiny\nruntime: nodejs\n');
    assert.equal((await open()).program, program);
  });

  it('of this program starts where paths in its state begin', async () => {
    const root = join(import.meta.dirname, '../..');
    assert.equal((await open({ program: root })).program, root);
  });

  it('with replaced settings is made elsewhere and points to the program, whose files stay as they are', async () => {
    const before = await readFile(join(program, 'Pulumi.dev.yaml'), 'utf8');
    const { path } = await directoryFor('up', { settings: { b: 3, kubeconfig: '/k' } });
    assert.equal(path, join(directory, 'up', 'project'));
    assert.deepEqual(parse(await readFile(join(path, 'Pulumi.dev.yaml'), 'utf8')), { config: { 'tiny:a': 1, 'tiny:b': 3, 'tiny:kubeconfig': '/k' } });
    const { main } = parse(await readFile(join(path, 'Pulumi.yaml'), 'utf8')) as { main: string };
    assert.equal(main, join(program, 'index.ts'));
    assert.equal(await readFile(join(program, 'Pulumi.dev.yaml'), 'utf8'), before);
  });

  it('has a replaced setting once, also where its file names it without the project', async () => {
    await writeFile(join(program, 'Pulumi.dev.yaml'), 'config:\n  b: 2\n  other:b: 3\n');
    const { path } = await directoryFor('up', { settings: { b: 4 } });
    assert.deepEqual(parse(await readFile(join(path, 'Pulumi.dev.yaml'), 'utf8')), { config: { 'other:b': 3, 'tiny:b': 4 } });
  });

  it('keeps the salt that Pulumi wrote into one operation\'s settings for the next, and nothing else of them', async () => {
    const settingsIn = async (path: string): Promise<unknown> => parse(await readFile(join(path, 'Pulumi.dev.yaml'), 'utf8'));
    {
      await using first = await directoryFor('first', { settings: { b: 3 } });
      await writeFile(join(first.path, 'Pulumi.dev.yaml'), 'encryptionsalt: v1:salt\nconfig:\n  tiny:b: 3\n');
    }
    assert.deepEqual(await settingsIn(join(directory, 'kept')), { encryptionsalt: 'v1:salt' });
    await using second = await directoryFor('second', { settings: { b: 4 } });
    assert.deepEqual(await settingsIn(second.path), { encryptionsalt: 'v1:salt', config: { 'tiny:a': 1, 'tiny:b': 4 } });
  });

  it('keeps no salt that a person\'s own file has', async () => {
    const configFile = join(directory, 'Pulumi.dev.yaml');
    await writeFile(configFile, 'encryptionsalt: v1:own\nconfig: {}\n');
    {
      await using made = await directoryFor('up', { configFile });
      assert.match(await readFile(join(made.path, 'Pulumi.dev.yaml'), 'utf8'), /v1:own/);
    }
    assert.deepEqual((await readdir(directory)).filter((name) => name === 'kept'), []);
  });

  it('without settings for the stack is refused, naming the stacks that have some', async () => {
    await assert.rejects(open({ stack: 'prod' }), (error: UserError) => error.exitCode === 2 && /There is no stack prod/.test(error.message) && /: dev\./.test(error.remedy ?? ''));
    await assert.rejects(open({ configFile: join(directory, 'Pulumi.x.yaml') }), { exitCode: 2 });
  });

  it('whose settings are not YAML is refused with the file\'s name', async () => {
    await writeFile(join(program, 'Pulumi.dev.yaml'), 'a: [');
    await assert.rejects(open(), (error: UserError) => error.exitCode === 2 && error.message.includes('Pulumi.dev.yaml'));
  });

  it('of a stack with its organization has the settings of the stack\'s own name, and hands the whole name on', async () => {
    for (const stack of ['acme/dev', 'acme/tiny/dev']) assert.equal((await open({ stack })).stack, stack);
    const { path } = await directoryFor('up', { stack: 'acme/dev', settings: { b: 3 } });
    assert.ok((await readFile(join(path, 'Pulumi.dev.yaml'), 'utf8')).includes('tiny:b: 3'));
    await assert.rejects(open({ stack: 'acme/prod' }), /There is no stack acme\/prod: .*program\/Pulumi\.prod\.yaml does not exist/);
    for (const stack of ['../dev', 'a/b/c/dev', 'acme/', '/dev']) await assert.rejects(open({ stack }), { exitCode: 2, message: /is no name of a stack/ });
  });

  it('has what is kept of a stack once, whichever of its names is said', async () => {
    const keep = async (stack: string): Promise<void> => {
      await mkdir(join(directory, 'projects', stack), { recursive: true });
      await writeFile(join(directory, 'projects', stack, 'Pulumi.dev.yaml'), 'encryptionsalt: v1:x\n');
    };
    assert.equal(keptDirectory(directory, 'acme/dev'), join(directory, 'projects', 'acme', 'dev'));
    await keep('acme/dev');
    for (const stack of ['dev', 'acme/dev', 'acme/tiny/dev']) assert.equal(keptDirectory(directory, stack), join(directory, 'projects', 'acme', 'dev'));
    for (const stack of ['beta/dev', 'acme']) assert.equal(keptDirectory(directory, stack), join(directory, 'projects', stack));
  });

  it('takes its stack\'s name from the settings file\'s', () => {
    assert.equal(stackOfFile('/x/Pulumi.gke-prod.yaml'), 'gke-prod');
    assert.throws(() => stackOfFile('/x/prod.yaml'), { exitCode: 2 });
  });
});
