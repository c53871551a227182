import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, readdir, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Environment } from '../../automation/environment.ts';
import { UserError } from '../../errors.ts';
import { EnvironmentFixture } from './environment-fixtures.ts';

describe('an environment', () => {
  let fixture: EnvironmentFixture;
  let directory: string;
  beforeEach(async () => { ({ directory } = fixture = await EnvironmentFixture.make()); });
  afterEach(async () => { await fixture[Symbol.asyncDispose](); });

  const fakePulumi = async (script: string): Promise<string> => await fixture.pulumi(script);
  const open = async (script: string, onVersion = ':'): Promise<Environment> => await fixture.open(script, { onVersion });

  it('whose stack was never set up says so', async () => {
    const environment = await open('echo "error: no stack named \'dev\' found" >&2; exit 255');
    await assert.rejects(environment.outputs(), (error: UserError) => error.exitCode === 2 && /Stack dev does not exist/.test(error.message));
    await assert.rejects(environment.drill({ reportDir: '/dev/null/report' }), (error: UserError) => error.exitCode === 2 && /name no kubeconfig/.test(error.message));
  });

  describe('previewed', () => {
    const calls = async (): Promise<string[]> => (await readFile(join(directory, 'calls'), 'utf8')).trimEnd().split('\n');
    /** A backend that has the stack once it was made. */
    const backend = (preview: string, rm = 'rm made'): string => `cd ${directory}; echo "$*" | sed 's/ --non-interactive//' >> calls
case "$1 $2" in
"stack --show-name") [ -e made ] || { echo "error: no stack named 'dev' found" >&2; exit 255; };;
"stack init") touch made;;
"stack rm") ${rm};;
*) ${preview};;
esac`;
    const refused = 'echo "error: wrong settings" >&2; exit 255';
    const notices = async (environment: Environment): Promise<string[]> => {
      const said: string[] = [];
      await assert.rejects(environment.preview({ onEvent: (event) => { if (event.kind === 'notice') said.push(event.text); } }), /preview of stack dev failed\.\nwrong settings/);
      return said;
    };

    it('leaves no stack behind that it had to make, and keeps the settings of it, also where it failed', async () => {
      assert.deepEqual(await notices(await open(backend(refused))), ['stack dev does not exist yet: it is made for this preview, and removed again']);
      assert.equal((await calls()).at(-1), 'stack rm --yes --preserve-config dev');
      await assert.rejects(stat(join(directory, 'made')), { code: 'ENOENT' });
    });

    it('leaves a stack alone that is there', async () => {
      await writeFile(join(directory, 'made'), '');
      assert.deepEqual(await notices(await open(backend(refused))), []);
      assert.deepEqual((await calls()).filter((call) => /^stack (init|rm)/.test(call)), []);
    });

    it('says that a stack stayed which somebody has filled meanwhile', async () => {
      const said = await notices(await open(backend(refused, 'echo "error: \'dev\' still has resources" >&2; exit 255')));
      assert.equal(said[1], 'stack dev, which was made for this preview, could not be removed again: \'dev\' still has resources; if nobody uses it: '
        + `PULUMI_BACKEND_URL=file://${directory}/state/state PULUMI_HOME=${directory}/state/pulumi-home pulumi stack rm --preserve-config dev`);
    });

    for (const [by, more, init] of [['the provider of secrets that its settings name', {}, 'stack init dev --secrets-provider awskms://key'], ['a passphrase where that is a sandbox\'s', { passphraseFile: '/dev/null' }, 'stack init dev']] as const) {
      it(`is made with ${by}`, async () => {
        await open('');
        await writeFile(join(directory, 'program', 'Pulumi.dev.yaml'), 'secretsprovider: awskms://key\n');
        await notices(await Environment.open({ program: join(directory, 'program'), stateDir: join(directory, 'state'), ownBackend: true, pulumiBin: await fakePulumi(backend(refused)), ...more }));
        assert.ok((await calls()).includes(init), (await calls()).join('\n'));
      });
    }
  });

  it('passes on what the CLI said, without its command line', async () => {
    const environment = await open('[ "$1" = stack ] && exit 0; echo "error: incorrect passphrase" >&2; exit 255');
    await assert.rejects(environment.up(), (error: UserError) => error instanceof UserError && error.message === 'up of stack dev failed.\nincorrect passphrase');
  });

  it('says as of any operation why it could not look up what a killed one was creating', async () => {
    const environment = await open('[ "$1" = stack ] && exit 0; echo "error: the cluster is gone" >&2; exit 255');
    const stacks = join(directory, 'state', 'state', '.pulumi', 'stacks', 'tiny');
    await mkdir(stacks, { recursive: true });
    const pod = { urn: 'urn:pulumi:dev::tiny::kubernetes:core/v1:Pod::slow', type: 'kubernetes:core/v1:Pod', custom: true, inputs: { metadata: { name: 'slow' } } };
    await writeFile(join(stacks, 'dev.json'), JSON.stringify({ version: 3, checkpoint: { latest: { resources: [], pending_operations: [{ type: 'creating', resource: pod }] } } }));
    await assert.rejects(environment.up(), (error: UserError) => error instanceof UserError && error.message === 'refresh of stack dev failed.\nthe cluster is gone');
  });

  it('leaves the temporary files of another PID namespace\'s operations alone, whose pids mean nothing here', async () => {
    const tmp = join(directory, 'state', 'tmp');
    const dead = String(spawnSync('true').pid);
    const here = /\d+/.exec(await readlink('/proc/self/ns/pid'))?.[0] ?? '';
    for (const name of [`${dead}-1-elsewhere`, `${dead}-${here}-killed`]) await mkdir(join(tmp, name), { recursive: true });
    const environment = await open('[ "$1" = stack ] && exit 0; echo "error: enough" >&2; exit 255');
    await assert.rejects(environment.up(), /enough/);
    assert.deepEqual(await readdir(tmp), [`${dead}-1-elsewhere`]);
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
    // In any other form it would not be found again here.
    for (const name of ['DIY_BACKEND', 'SELF_MANAGED_STATE'].flatMap((of) => ['GZIP', 'ZSTD', 'LEGACY_LAYOUT'].map((form) => `${of}_${form}`))) assert.match(env, new RegExp(`^PULUMI_${name}=false$`, 'm'));
    assert.match(env, new RegExp(`^PULUMI_CONFIG_PASSPHRASE=${await readFile(join(directory, 'passphrase'), 'utf8')}$`, 'm'));
  });

  it('gives the engine no say in whether to overwrite what others have written, whatever the process has', async () => {
    const before = process.env['PULUMI_K8S_ENABLE_PATCH_FORCE'];
    try {
      // Also where it says false, a preview fails that makes an object anew under its name.
      process.env['PULUMI_K8S_ENABLE_PATCH_FORCE'] = 'false';
      const environment = await open(`[ "$1" = stack ] && exit 0; env > ${join(directory, 'env')}; exit 1`);
      await assert.rejects(environment.preview());
    } finally {
      if (before === undefined) delete process.env['PULUMI_K8S_ENABLE_PATCH_FORCE'];
      else process.env['PULUMI_K8S_ENABLE_PATCH_FORCE'] = before;
    }
    const env = await readFile(join(directory, 'env'), 'utf8');
    assert.match(env, /^PULUMI_SKIP_UPDATE_CHECK=true$/m);
    assert.doesNotMatch(env, /PATCH_FORCE/);
  });

  it('has the program call the engine without a proxy, also where one is told for all other calls', async () => {
    const before = process.env['no_grpc_proxy'];
    const told = async (own?: string): Promise<string | undefined> => {
      if (own === undefined) delete process.env['no_grpc_proxy'];
      else process.env['no_grpc_proxy'] = own;
      const environment = await open(`env > ${join(directory, 'env')}; exit 1`);
      await assert.rejects(environment.outputs());
      return /^no_grpc_proxy=(.*)$/m.exec(await readFile(join(directory, 'env'), 'utf8'))?.[1];
    };
    try {
      assert.equal(await told(), '127.0.0.1,localhost');
      assert.equal(await told(''), '127.0.0.1,localhost');
      assert.equal(await told('.example'), '.example,127.0.0.1,localhost');
    } finally {
      if (before === undefined) delete process.env['no_grpc_proxy'];
      else process.env['no_grpc_proxy'] = before;
    }
  });

  it('gives the engine its plugins, of which it then downloads none', async () => {
    const withPlugins = async (...plugins: string[]): Promise<string> => {
      await open('');
      const environment = await Environment.open({
        program: join(directory, 'program'), stateDir: join(directory, 'state'), passphraseFile: join(directory, 'passphrase'), ownBackend: true,
        pulumiBin: await fakePulumi(`env > ${join(directory, 'env')}; exit 1`), ...(plugins.length > 0 ? { plugins } : {}),
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

  it('begins no state beside the one that plain pulumi would look for, and says so before a passphrase is needed', async () => {
    await open('');
    const told = process.env['PULUMI_CREDENTIALS_PATH'];
    process.env['PULUMI_CREDENTIALS_PATH'] = directory;
    await writeFile(join(directory, 'credentials.json'), '{"current":"https://api.pulumi.com"}');
    try {
      await assert.rejects(Environment.open({ program: join(directory, 'program'), stateDir: join(directory, 'state') }), (error: UserError) => error.exitCode === 2 && /has no state in/.test(error.message));
    } finally {
      if (told === undefined) Reflect.deleteProperty(process.env, 'PULUMI_CREDENTIALS_PATH');
      else process.env['PULUMI_CREDENTIALS_PATH'] = told;
    }
  });

  for (const [how, home] of [['not set', undefined], ['empty', '']] as const) {
    it(`asks the CLI for its version without a home that it would write to, and has one of its own for all else, where PULUMI_HOME is ${how}`, async () => {
      const told = process.env['PULUMI_HOME'];
      if (home === undefined) delete process.env['PULUMI_HOME'];
      else process.env['PULUMI_HOME'] = home;
      try {
        const environment = await open(`echo "$PULUMI_HOME" > ${join(directory, 'own')}; echo '{}'`, `echo "$PULUMI_HOME" > ${join(directory, 'home')}`);
        assert.equal(await readFile(join(directory, 'home'), 'utf8'), '/dev/null\n');
        assert.equal(process.env['PULUMI_HOME'], home);
        await environment.outputs();
        assert.equal(await readFile(join(directory, 'own'), 'utf8'), `${join(directory, 'state', 'pulumi-home')}\n`);
      } finally {
        if (told === undefined) delete process.env['PULUMI_HOME'];
        else process.env['PULUMI_HOME'] = told;
      }
    });
  }

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
      Environment.open({ program, stateDir: join(directory, 'state'), passphraseFile: join(directory, 'p'), ownBackend: true, pulumiBin: join(directory, 'none', 'bin') }),
      (error: UserError) => error instanceof UserError && error.message.includes(join(directory, 'none', 'bin')),
    );
  });
});
