import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { openProject, stackOfFile } from '../../automation/project.ts';
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
  const open = (more: object = {}) => openProject({
    program, stack: 'dev', configFile: undefined, directory: join(directory, 'made'), settings: {}, ...more,
  });

  it('is the program\'s own directory when nothing is replaced', async () => {
    assert.equal((await open()).directory, program);
  });

  it('knows where the engine starts the program, whichever way main says it', async () => {
    assert.equal((await open()).program, program);
    await mkdir(join(program, 'src'));
    for (const [main, start] of [['src', 'src'], ['src/index.ts', 'src'], ['main.mjs', '.'], ['.', '.']] as const) {
      await writeFile(join(program, 'Pulumi.yaml'), `name: tiny\nmain: ${main}\nruntime: nodejs\n`);
      assert.equal((await open()).program, join(program, start, '.').replace(/\/$/, ''), main);
      assert.equal((await open({ settings: { b: 3 } })).program, (await open()).program, main);
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
    const project = await open({ settings: { b: 3, kubeconfig: '/k' } });
    assert.equal(project.directory, join(directory, 'made'));
    assert.deepEqual(parse(await readFile(join(project.directory, 'Pulumi.dev.yaml'), 'utf8')), { config: { 'tiny:a': 1, 'tiny:b': 3, 'tiny:kubeconfig': '/k' } });
    const { main } = parse(await readFile(join(project.directory, 'Pulumi.yaml'), 'utf8')) as { main: string };
    assert.equal(main, join(program, 'index.ts'));
    assert.equal(await readFile(join(program, 'Pulumi.dev.yaml'), 'utf8'), before);
  });

  it('keeps the salt that Pulumi wrote into it, and takes new settings', async () => {
    const { directory: made } = await open({ settings: { b: 3 } });
    await writeFile(join(made, 'Pulumi.dev.yaml'), 'encryptionsalt: v1:salt\nconfig:\n  tiny:b: 3\n');
    const { settings } = await open({ settings: { b: 4 } });
    assert.equal(settings.encryptionsalt, 'v1:salt');
    assert.equal(settings.config?.['tiny:b'], 4);
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
    const { directory: made } = await open({ stack: 'acme/dev', settings: { b: 3 } });
    assert.ok((await readFile(join(made, 'Pulumi.dev.yaml'), 'utf8')).includes('tiny:b: 3'));
    await assert.rejects(open({ stack: 'acme/prod' }), /There is no stack acme\/prod: .*program\/Pulumi\.prod\.yaml does not exist/);
    for (const stack of ['../dev', 'a/b/c/dev', 'acme/', '/dev']) await assert.rejects(open({ stack }), { exitCode: 2, message: /is no name of a stack/ });
  });

  it('takes its stack\'s name from the settings file\'s', () => {
    assert.equal(stackOfFile('/x/Pulumi.gke-prod.yaml'), 'gke-prod');
    assert.throws(() => stackOfFile('/x/prod.yaml'), { exitCode: 2 });
  });
});
