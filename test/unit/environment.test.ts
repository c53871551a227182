import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineEvent, StepEventMetadata } from '@pulumi/pulumi/automation/index.js';
import { parse } from 'yaml';
import { EngineReader } from '../../automation/engineEvents.ts';
import { Environment } from '../../automation/environment.ts';
import { clearDeadLocks } from '../../automation/locks.ts';
import { keptPassphrase, stackPassphrase } from '../../automation/passphrase.ts';
import { openProject, stackOfFile } from '../../automation/project.ts';
import { adoptPendingCreates } from '../../automation/recovery.ts';
import { UserError } from '../../errors.ts';

let directory: string;
beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf-unit-')); });
afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

describe('a lock of the file backend', () => {
  const write = async (lock: object, name = 'a'): Promise<void> => {
    await writeFile(join(directory, `${name}.json`), JSON.stringify({ username: 'me', hostname: hostname(), timestamp: new Date().toISOString(), ...lock }));
    await writeFile(join(directory, `${name}.json.attrs`), '{}');
  };
  /** The pid of a process that has ended. */
  const deadPid = (): number => spawnSync('true').pid;

  it('is taken away with its attributes, and said, when its holder is dead', async () => {
    const pid = deadPid();
    await write({ pid });
    const lines = await clearDeadLocks(directory, 'dev');
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', new RegExp(`lock of stack dev that process ${String(pid)} left behind`));
    assert.deepEqual(await readdir(directory), []);
  });

  it('is taken away when its pid now belongs to a process younger than the lock', async () => {
    await write({ pid: process.pid, timestamp: '2020-01-01T00:00:00Z' });
    assert.equal((await clearDeadLocks(directory, 'dev')).length, 1);
  });

  it('is respected while its holder lives', async () => {
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      await write({ pid: holder.pid });
      await assert.rejects(clearDeadLocks(directory, 'dev'), (error: UserError) => error instanceof UserError
        && error.message.includes(`pid ${String(holder.pid)}`) && error.remedy?.includes(`kill -INT ${String(holder.pid)}`) === true);
      assert.equal((await readdir(directory)).length, 2);
    } finally {
      holder.kill('SIGKILL');
      await new Promise((resolve) => { holder.once('exit', resolve); });
    }
  });

  it('is respected when another host holds it, dead pid or not', async () => {
    await write({ pid: deadPid(), hostname: 'elsewhere' });
    await assert.rejects(clearDeadLocks(directory, 'dev'), /locked by me on host elsewhere/);
    assert.equal((await readdir(directory)).length, 2);
  });

  it('that cannot be read is an error that names the file', async () => {
    await writeFile(join(directory, 'a.json'), '{');
    await assert.rejects(clearDeadLocks(directory, 'dev'), (error: UserError) => error.message.includes(join(directory, 'a.json')));
  });

  it('needs no directory', async () => {
    assert.deepEqual(await clearDeadLocks(join(directory, 'absent'), 'dev'), []);
  });
});

describe('what a killed engine was creating', () => {
  const urn = 'urn:pulumi:dev::p::kubernetes:core/v1:Pod::slow';
  const creating = (more: object = {}) => ({ type: 'creating', resource: { urn, type: 'kubernetes:core/v1:Pod', custom: true, inputs: { metadata: { name: 'slow', namespace: 'n' } }, ...more } });

  it('enters the state under the id that it has in its cluster, to be looked up', () => {
    const state = { resources: [], pending_operations: [creating(), { ...creating(), type: 'updating' }] };
    assert.match(adoptPendingCreates(state)[0] ?? '', /looked up slow \(kubernetes:core\/v1:Pod\)/);
    assert.deepEqual(state.resources.map(({ id }) => id), ['n/slow']);
    assert.deepEqual(state.pending_operations.map(({ type }) => type), ['updating']);
  });

  it('has no namespace in its id where it has none', () => {
    const state = { resources: [], pending_operations: [creating({ inputs: { metadata: { name: 'n' } } })] };
    adoptPendingCreates(state);
    assert.deepEqual(state.resources.map(({ id }) => id), ['n']);
  });

  for (const [what, more] of Object.entries({ 'another provider\'s': { type: 'gcp:dns:RecordSet' }, 'a component': { custom: false }, 'unnamed': { inputs: {} } })) {
    it(`is only said where it is ${what}`, () => {
      const state = { resources: [], pending_operations: [creating(more)] };
      assert.match(adoptPendingCreates(state)[0] ?? '', /had begun to create slow/);
      assert.deepEqual(state, { resources: [], pending_operations: [] });
    });
  }

  it('does not enter the state twice', () => {
    const state = { resources: [{ ...creating().resource, id: 'n/slow' }], pending_operations: [creating()] };
    adoptPendingCreates(state);
    assert.equal(state.resources.length, 1);
  });
});

describe('a passphrase', () => {
  it('of a sandbox is made once, kept, and readable by its owner only', async () => {
    const file = join(directory, 'deep', 'passphrase');
    const first = await keptPassphrase(file);
    assert.ok(first.length >= 32);
    assert.equal(await keptPassphrase(file), first);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  const question = { stack: 'prod', settings: { encryptionsalt: 'v1:x' }, env: {} };
  const never = (): Promise<string> => Promise.reject(new Error('asked'));

  for (const [where, given] of Object.entries({
    'PULUMI_CONFIG_PASSPHRASE has it, even empty': { env: { PULUMI_CONFIG_PASSPHRASE: '' } },
    'another secrets provider needs none': { settings: { secretsprovider: 'awskms://key' } },
    'Pulumi Cloud keeps the key': { env: { PULUMI_BACKEND_URL: 'https://api.pulumi.com' } },
  })) {
    it(`is not asked for where ${where}`, async () => {
      assert.equal(await stackPassphrase({ ...question, ...given, ask: never }), undefined);
    });
  }

  it('is left to Pulumi where PULUMI_CONFIG_PASSPHRASE_FILE names a file that exists', async () => {
    const file = join(directory, 'p');
    await writeFile(file, 'x');
    assert.equal(await stackPassphrase({ ...question, env: { PULUMI_CONFIG_PASSPHRASE_FILE: file }, ask: never }), undefined);
    await rm(file);
    await assert.rejects(stackPassphrase({ ...question, env: { PULUMI_CONFIG_PASSPHRASE_FILE: file } }), { exitCode: 2 });
  });

  it('without a terminal is an error that names both variables', async () => {
    await assert.rejects(stackPassphrase(question), (error: UserError) => error.exitCode === 2
      && /PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE/.test(error.remedy ?? ''));
  });

  it('is asked for once for a stack that has one, twice for a new stack', async () => {
    const asked: string[] = [];
    const ask = (text: string): Promise<string> => { asked.push(text); return Promise.resolve('s3cret'); };
    assert.equal(await stackPassphrase({ ...question, ask }), 's3cret');
    assert.equal(asked.length, 1);
    assert.equal(await stackPassphrase({ ...question, settings: {}, ask }), 's3cret');
    assert.equal(asked.length, 3);
  });

  it('that is typed differently the second time is refused', async () => {
    const answers = ['one', 'two'];
    await assert.rejects(stackPassphrase({ ...question, settings: {}, ask: () => Promise.resolve(answers.shift() ?? '') }), { exitCode: 2 });
  });
});

describe('a project', () => {
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

  it('takes its stack\'s name from the settings file\'s', () => {
    assert.equal(stackOfFile('/x/Pulumi.gke-prod.yaml'), 'gke-prod');
    assert.throws(() => stackOfFile('/x/prod.yaml'), { exitCode: 2 });
  });
});

describe('engine events', () => {
  const stack = 'urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev';
  const region = 'urn:pulumi:dev::p::kbf:index:KafkaBridgeRegion::east';
  const bridge = 'urn:pulumi:dev::p::kbf:index:KafkaBridgeRegion$kubernetes:kafka.strimzi.io/v1:KafkaBridge::east-bridge';
  const step = (urn: string, parent: string, op = 'create'): StepEventMetadata => ({ op, urn, type: '', new: { parent } } as unknown as StepEventMetadata);
  const event = (fields: object): EngineEvent => ({ sequence: 1, timestamp: 1, ...fields });

  it('name a resource by its kind and the component around it', () => {
    const reader = new EngineReader();
    assert.equal(reader.read(event({ resourcePreEvent: { metadata: step(stack, '') } })), undefined);
    reader.read(event({ resourcePreEvent: { metadata: step(region, stack) } }));
    assert.deepEqual(reader.read(event({ resOutputsEvent: { metadata: step(bridge, region) } })), {
      kind: 'resource', urn: bridge, type: 'KafkaBridge', name: 'east-bridge', component: 'KafkaBridgeRegion east', op: 'create', state: 'done',
    });
  });

  it('give a failure in the resource\'s own words, without colours, stack frames or the engine\'s closing line', () => {
    const reader = new EngineReader();
    reader.read(event({ resourcePreEvent: { metadata: step(region, stack) } }));
    reader.read(event({ resourcePreEvent: { metadata: step(bridge, region) } }));
    reader.read(event({ diagnosticEvent: { urn: bridge, severity: 'error', color: '', message: '<{%reset%}>timed out: NotReady<{%reset%}>\n    at run (/a/b.ts:1:2)\n' } }));
    reader.read(event({ diagnosticEvent: { urn: stack, severity: 'error', color: '', message: 'update failed' } }));
    assert.equal(reader.failure(), 'KafkaBridge east-bridge (KafkaBridgeRegion east): timed out: NotReady');
  });

  it('that are chatter mean nothing', () => {
    const reader = new EngineReader();
    for (const said of [{ severity: 'debug' }, { severity: 'info', ephemeral: true }, { severity: 'info', message: ' ' }, { severity: 'warning', message: 'using pulumi-resource-kubernetes from $PATH at /t/bin/x' }]) {
      assert.equal(reader.read(event({ diagnosticEvent: { color: '', message: 'x', ...said } })), undefined);
    }
    assert.equal(reader.failure(), undefined);
  });
});

describe('an environment', () => {
  /** A Pulumi CLI that answers with what the test wants. */
  const fakePulumi = async (script: string, onVersion: string): Promise<string> => {
    const bin = join(directory, 'pulumi', 'bin');
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, 'pulumi'), `#!/bin/sh\nif [ "$1" = version ]; then ${onVersion}; echo v3.259.0; exit 0; fi\n${script}\n`);
    await chmod(join(bin, 'pulumi'), 0o755);
    return bin;
  };
  const open = async (script: string, onVersion = ':'): Promise<Environment> => {
    const program = join(directory, 'program');
    await mkdir(program, { recursive: true });
    await writeFile(join(program, 'Pulumi.yaml'), 'name: tiny\nruntime: nodejs\n');
    await writeFile(join(program, 'Pulumi.dev.yaml'), 'config: {}\n');
    return await Environment.open({
      program, stack: 'dev', stateDir: join(directory, 'state'), passphraseFile: join(directory, 'passphrase'), ownBackend: true, pulumiBin: await fakePulumi(script, onVersion),
    });
  };

  it('whose stack was never set up says so', async () => {
    const environment = await open('echo "error: no stack named \'dev\' found" >&2; exit 255');
    await assert.rejects(environment.outputs(), (error: UserError) => error.exitCode === 2 && /Stack dev does not exist/.test(error.message));
    await assert.rejects(environment.drill({ reportDir: '/dev/null/report' }), (error: UserError) => error.exitCode === 2 && /name no kubeconfig/.test(error.message));
  });

  it('passes on what the CLI said, without its command line', async () => {
    const environment = await open('[ "$1" = stack ] && exit 0; echo "error: incorrect passphrase" >&2; exit 255');
    await assert.rejects(environment.up(), (error: UserError) => error instanceof UserError && error.message === 'up of stack dev failed.\nincorrect passphrase');
  });

  it('begins nothing once it was told to stop', async () => {
    const environment = await open(`touch ${join(directory, 'called')}; exit 1`);
    await assert.rejects(environment.up({ signal: AbortSignal.abort(new Error('enough')) }), /enough/);
    await assert.rejects(stat(join(directory, 'called')), { code: 'ENOENT' });
  });

  it('keeps its state in files of its own with a home of Pulumi\'s own', async () => {
    const environment = await open(`env > ${join(directory, 'env')}; echo '{}'`);
    await environment.outputs();
    const env = await readFile(join(directory, 'env'), 'utf8');
    assert.match(env, new RegExp(`^PULUMI_BACKEND_URL=file://${join(directory, 'state', 'state')}$`, 'm'));
    assert.match(env, new RegExp(`^PULUMI_CONFIG_PASSPHRASE=${await readFile(join(directory, 'passphrase'), 'utf8')}$`, 'm'));
  });

  it('gives the engine its plugins, of which it then downloads none', async () => {
    const withPlugins = async (...plugins: string[]): Promise<string> => {
      await open('');
      const environment = await Environment.open({
        program: join(directory, 'program'), stateDir: join(directory, 'state'), passphraseFile: join(directory, 'passphrase'), ownBackend: true,
        pulumiBin: await fakePulumi(`env > ${join(directory, 'env')}; exit 1`, ':'), ...(plugins.length > 0 ? { plugins } : {}),
      });
      await assert.rejects(environment.outputs());
      return readFile(join(directory, 'env'), 'utf8');
    };
    const given = await withPlugins('/official', '/stand-ins');
    assert.match(given, /^PATH=.*:\/official:\/stand-ins:/m);
    assert.match(given, /^PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true$/m);
    const none = await withPlugins();
    assert.doesNotMatch(none, /PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION/);
    assert.match(none, /^PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL=true$/m);
  });

  it('asks the CLI for its version without a home that it would write to', async () => {
    const told = process.env['PULUMI_HOME'];
    delete process.env['PULUMI_HOME'];
    try {
      await open('', `echo "$PULUMI_HOME" > ${join(directory, 'home')}`);
      assert.equal(await readFile(join(directory, 'home'), 'utf8'), '/dev/null\n');
      assert.equal(process.env['PULUMI_HOME'], undefined);
    } finally {
      if (told !== undefined) process.env['PULUMI_HOME'] = told;
    }
  });

  it('removes what an operation left among its temporary files, keys of clusters for one', async () => {
    const tmp = join(directory, 'state', 'tmp');
    await mkdir(join(tmp, `${String(spawnSync('true').pid)}-killed`), { recursive: true });
    const environment = await open(`[ "$1" = stack ] && exit 0; touch "$TMPDIR/kubeconfig1"; ls -d "$TMPDIR"/* > ${join(directory, 'seen')}; echo "error: enough" >&2; exit 255`);
    await assert.rejects(environment.up(), /enough/);
    assert.ok((await readFile(join(directory, 'seen'), 'utf8')).startsWith(join(tmp, `${String(process.pid)}-`)));
    assert.deepEqual(await readdir(tmp), []);
  });

  it('names the CLI that does not answer', async () => {
    const program = join(directory, 'program');
    await mkdir(program);
    await writeFile(join(program, 'Pulumi.yaml'), 'name: tiny\nruntime: nodejs\n');
    await writeFile(join(program, 'Pulumi.dev.yaml'), 'config: {}\n');
    await assert.rejects(
      Environment.open({ program, stateDir: join(directory, 'state'), passphraseFile: join(directory, 'p'), pulumiBin: join(directory, 'none', 'bin') }),
      (error: UserError) => error instanceof UserError && error.message.includes(join(directory, 'none', 'bin')),
    );
  });
});
