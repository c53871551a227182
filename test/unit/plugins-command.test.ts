import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandPlugin } from '../../sandbox/plugins/command.ts';
import type { StandIn } from '../../sandbox/plugins/stand-in.ts';
import { pluginVersions } from '../../sandbox/plugins/versions.ts';
import { plain, secret } from '../../sandbox/plugins/values.ts';
import type { Bag } from '../../sandbox/plugins/values.ts';

const urn = 'urn:pulumi:dev::tiny::kbf:index:Region$command:local:Command::check::brokers';
const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

describe('the stand-in for the command plugin', () => {
  let directory: string;
  let said: string[];
  let plugin: StandIn;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kbf-command-'));
    said = [];
    plugin = commandPlugin({ info: (_urn, text) => said.push(text), status: (_urn, text) => said.push(`status ${text}`) });
  });
  afterEach(() => rm(directory, { recursive: true }));

  const create = async (inputs: Bag): Promise<Bag> => (await plugin.create(urn, inputs)).outs as Bag;
  const update = async (before: Bag, inputs: Bag): Promise<Bag> => (await plugin.update('id', urn, before, inputs)).outs as Bag;
  const reasons = async (inputs: Bag): Promise<string[]> =>
    ((await plugin.check(urn, {}, inputs)).failures ?? []).map(({ property, reason }) => `${property}: ${reason}`);

  it('takes the place of the version that the program imports', async () => {
    for (const [name, version] of Object.entries(pluginVersions)) {
      const file = new URL(`../../node_modules/@pulumi/${name}/package.json`, import.meta.url);
      assert.equal((JSON.parse(await readFile(file, 'utf8')) as { version: string }).version, version, name);
    }
  });

  it('says what it is by its version, in its schema, and once when it first does something', async () => {
    assert.equal(plugin.version, '1.2.1+reference');
    assert.equal((JSON.parse(await plugin.getSchema()) as Bag)['version'], '1.2.1+reference');
    await create({});
    await create({});
    assert.deepEqual(said, ['pulumi-resource-command is a stand-in of kafka-bridge-failover for the official plugin 1.2.1.']);
  });

  it('gives what a command wrote, each without its last line\'s end, beside the inputs', async () => {
    const inputs = { create: 'echo out; echo; printf err >&2', triggers: [1] };
    assert.deepEqual(await create(inputs), { ...inputs, stdout: 'out\n', stderr: 'err' });
  });

  it('names a resource after itself', async () => {
    assert.match((await plugin.create(urn, {})).id, /^check::brokers[0-9a-f]{8}$/);
  });

  it('runs it in a directory, with variables and standard input, by the interpreter that is named', async () => {
    const { stdout } = await create({
      create: 'process.stdin.on("data", (text) => console.log(process.cwd(), process.env.NAME, String(text)))', interpreter: [process.execPath, '-e'],
      dir: directory, environment: { NAME: 'value' }, stdin: 'given',
    });
    assert.equal(stdout, `${directory} value given`);
  });

  it('shows each line as it comes, of the streams that are to be logged', async () => {
    const lines = async (logging?: string): Promise<string[]> => {
      said = [];
      await create({ create: 'echo out; echo err >&2', ...(logging === undefined ? {} : { logging }) });
      return said.filter((text) => text.startsWith('status')).sort();
    };
    assert.deepEqual(await lines(), ['status err', 'status out']);
    assert.deepEqual(await lines('stderr'), ['status err']);
    assert.deepEqual(await lines('none'), []);
  });

  it('fails with how the command ended, the command and all that it wrote', async () => {
    await assert.rejects(create({ create: 'echo asked; sleep 0.1; echo no answer >&2; exit 3' }), {
      message: 'exit status 3: running "echo asked; sleep 0.1; echo no answer >&2; exit 3":\nasked\nno answer\n',
    });
    await assert.rejects(create({ create: 'kill -9 $$' }), /^Error: signal: SIGKILL: running "kill -9 \$\$":/);
    await assert.rejects(create({ create: 'true', dir: join(directory, 'none') }), /^Error: chdir .*none: no such directory/);
    await assert.rejects(create({ create: 'true', interpreter: ['no-such-program'] }), /no-such-program/);
  });

  it('ends a command when the engine is told to stop', async () => {
    const running = assert.rejects(create({ create: 'exec sleep 60' }), /^Error: canceled: running "exec sleep 60"/);
    await plugin.cancel();
    await running;
  });

  it('runs `update`, else `create` again, with what was written before in its environment', async () => {
    const before = await create({ create: 'echo first' });
    assert.equal((await update(before, { create: 'echo again after $PULUMI_COMMAND_STDOUT' }))['stdout'], 'again after first');
    assert.equal((await update(before, { create: 'false', update: 'echo updated' }))['stdout'], 'updated');
    assert.equal((await update(before, { create: 'echo "[$PULUMI_COMMAND_STDOUT]"', addPreviousOutputInEnv: false }))['stdout'], '[]');
    assert.equal((await update(before, {}))['stdout'], 'first');
  });

  it('runs `delete` with what was written before', async () => {
    const file = join(directory, 'gone');
    const before = await create({ create: 'echo first', delete: `echo "$PULUMI_COMMAND_STDOUT" > ${file}` });
    await plugin.delete('id', urn, before);
    assert.equal(await readFile(file, 'utf8'), 'first\n');
    await assert.rejects(plugin.delete('id', urn, { delete: 'exit 4' }), /exit status 4: running "exit 4"/);
  });

  it('changes nothing for the same inputs, whether secret or not, and for those that are not set', async () => {
    const before = await create({ create: 'true', environment: { PASSWORD: secret('x') } });
    assert.deepEqual(await plugin.diff('id', urn, before, { create: 'true', environment: { PASSWORD: 'x' }, delete: null }), { changes: false, replaces: [] });
    const asset = (path: string, hash: string): Bag => ({ '4dabf18193072939515e22adb298388d': 'c44067f5952c0a294b673a41bacd8c17', path, hash });
    assert.equal((await plugin.diff('id', urn, { triggers: [asset('a', '1')] }, { triggers: [asset('b', '1')] })).changes, false);
    assert.equal((await plugin.diff('id', urn, { triggers: [asset('a', '1')] }, { triggers: [asset('a', '2')] })).changes, true);
  });

  it('is updated for changed inputs, and replaced for changed triggers', async () => {
    assert.deepEqual(await plugin.diff('id', urn, { create: 'a' }, { create: 'b' }), { changes: true, replaces: [] });
    assert.deepEqual(await plugin.diff('id', urn, { create: 'a', triggers: [1] }, { create: 'a', triggers: [2] }), { changes: true, replaces: ['triggers'] });
  });

  it('keeps secrets secret, and what was written with their knowledge', async () => {
    const outs = await create({ create: 'echo $PASSWORD', environment: { PASSWORD: secret('x') } });
    assert.deepEqual(outs, { create: 'echo $PASSWORD', environment: { PASSWORD: secret('x') }, stdout: secret('x'), stderr: secret('') });
    assert.deepEqual((await update(outs, { create: 'echo $PULUMI_COMMAND_STDOUT', stdin: secret('y') }))['stdout'], secret('x'));
    assert.equal(plain(outs['stdout']), 'x');
  });

  for (const [what, inputs, expected] of [
    ['what it does not have', { create: 'true', assetPaths: ['*'] }, /^assetPaths: the stand-in for the official command plugin does not honour it/],
    ['a secret that it does not have', { archivePaths: secret(['*']) }, /^: archivePaths: the stand-in/],
    ['a value of another type', { create: 1 }, /^create: Invalid input: expected string, received number$/],
    ['a secret of another type', { create: secret(1) }, /^: create: Invalid input/],
    ['a value that is not one of the possible', { logging: 'all' }, /^logging: Invalid option: expected one of "stdout"/],
    ['a value inside another', { environment: { A: 1 } }, /^environment: A: Invalid input: expected string/],
  ] as const) {
    // The engine prints the value of a field that it is named apart, so that of a secret stands in the text alone.
    it(`refuses ${what}, naming the field`, async () => {
      const [reason = '', ...others] = await reasons(inputs);
      assert.match(reason, expected);
      assert.deepEqual(others, []);
    });
  }

  it('waits for values that are known only later', async () => {
    assert.deepEqual(await reasons({ logging: unknown, environment: { A: unknown }, create: secret(unknown) }), []);
  });

  it('refuses commands on other machines, and functions, by name', async () => {
    const { failures } = await plugin.check('urn:pulumi:dev::tiny::command:remote:Command::x', {}, { create: 'true' });
    assert.match(failures?.[0]?.reason ?? '', /does not have command:remote:Command, only command:local:Command; use the official plugin/);
    assert.match((await plugin.invoke('command:local:run')).failures?.[0]?.reason ?? '', /does not have command:local:run/);
  });
});
