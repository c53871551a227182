import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { keptPassphrase, stackPassphrase, terminalQuestion } from '../../automation/passphrase.ts';
import type { UserError } from '../../errors.ts';

describe('a passphrase', () => {
  let directory: string;
  beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf-unit-')); });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  it('of a sandbox is made once, kept, and readable by its owner only', async () => {
    const file = join(directory, 'deep', 'passphrase');
    const first = await keptPassphrase(file);
    assert.ok(first.length >= 32);
    assert.equal(await keptPassphrase(file), first);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  const question = { stack: 'prod', settings: { encryptionsalt: 'v1:x' }, backend: undefined, env: {} };
  const never = (): Promise<string> => Promise.reject(new Error('asked'));

  for (const [where, given] of Object.entries({
    'PULUMI_CONFIG_PASSPHRASE has it, even empty': { env: { PULUMI_CONFIG_PASSPHRASE: '' } },
    'another secrets provider needs none': { settings: { secretsprovider: 'awskms://key' } },
    'Pulumi Cloud keeps the key, as Pulumi.yaml says': { settings: {}, backend: 'https://api.pulumi.com' },
    'Pulumi Cloud keeps the key, as Pulumi.yaml says and an empty variable does not deny': { settings: {}, backend: 'https://api.pulumi.com', env: { PULUMI_BACKEND_URL: '' } },
    'Pulumi Cloud keeps the key': { settings: {}, env: { PULUMI_BACKEND_URL: 'https://api.pulumi.com' } },
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

  it('is needed where the variable names another backend than Pulumi.yaml, or that is none of Pulumi Cloud\'s', async () => {
    await assert.rejects(stackPassphrase({ ...question, backend: 'https://api.pulumi.com', env: { PULUMI_BACKEND_URL: 's3://states' } }), { exitCode: 2 });
    await assert.rejects(stackPassphrase({ ...question, backend: 's3://states' }), { exitCode: 2 });
  });

  it('is needed with Pulumi Cloud as well, for a stack that has one or is to have one', async () => {
    const env = { PULUMI_BACKEND_URL: 'https://api.pulumi.com' };
    for (const settings of [{ encryptionsalt: 'v1:x' }, { secretsprovider: 'default', encryptionsalt: 'v1:x' }, { secretsprovider: 'passphrase' }]) {
      await assert.rejects(stackPassphrase({ ...question, settings, env }), { exitCode: 2 });
      assert.equal(await stackPassphrase({ ...question, settings, env, ask: () => Promise.resolve('s3cret') }), 's3cret');
    }
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

  describe('on a terminal', () => {
    const terminal = (): PassThrough & { isTTY: boolean } => Object.assign(new PassThrough(), { isTTY: true });

    it('is what is typed', async () => {
      const input = terminal();
      const answer = terminalQuestion(new AbortController().signal, input)?.('');
      input.write('s3cret\r');
      assert.equal(await answer, 's3cret');
    });

    for (const [what, end] of Object.entries({ 'Ctrl-D': (input: PassThrough) => input.write('\x04'), 'its end': (input: PassThrough) => input.end() })) {
      it(`is not given by ${what}, which is no mistake of ours`, async () => {
        const input = terminal();
        const answer = terminalQuestion(new AbortController().signal, input)?.('');
        end(input);
        await assert.rejects(answer ?? assert.fail(), (error: UserError) => error.exitCode === 2 && /No passphrase was given; nothing was done/.test(error.message));
      });
    }

    it('is not asked for any longer once the command was interrupted', async () => {
      const stop = new AbortController();
      const answer = terminalQuestion(stop.signal, terminal())?.('');
      stop.abort(new Error('SIGINT'));
      await assert.rejects(answer ?? assert.fail(), /SIGINT/);
    });
  });
});
