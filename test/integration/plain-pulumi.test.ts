/** `pulumi up` itself, as a person has it who does without `kbf`. */
import assert from 'node:assert/strict';
import { execa } from 'execa';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ensureTools } from '../../sandbox/toolchain/index.ts';
import { root } from './support.ts';

describe('plain pulumi up', () => {
  let directory: string;
  let pulumiBin: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kbf-plain-'));
    pulumiBin = join((await ensureTools(['pulumi'])).get('pulumi')?.home ?? '', 'bin');
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function pulumi(...args: readonly string[]) {
    return await execa(join(pulumiBin, 'pulumi'), ['--cwd', directory, ...args, '--stack', 'wrong', '--non-interactive', '--color', 'never'], {
      reject: false, all: true, stdin: 'ignore', forceKillAfterDelay: false,
      env: { PATH: [pulumiBin, process.env['PATH']].join(delimiter), PULUMI_HOME: join(directory, 'home'), PULUMI_BACKEND_URL: `file://${directory}`, PULUMI_CONFIG_PASSPHRASE: 'of a test', PULUMI_SKIP_UPDATE_CHECK: 'true' },
    });
  }

  it('says all that is wrong with the settings, by path, without a stack trace, and makes nothing', async () => {
    const read = async (name: string): Promise<Record<string, unknown>> => parse(await readFile(join(root, name), 'utf8')) as Record<string, unknown>;
    const { config } = await read('Pulumi.dev.yaml') as { config: Record<string, object[]> };
    config['kafka-bridge-failover:regions']?.splice(1, 1);
    Object.assign(config['kafka-bridge-failover:regions']?.[0] ?? {}, { contxt: 'east' });
    await writeFile(join(directory, 'Pulumi.wrong.yaml'), stringify({ config }));
    // The program where it is; settings and state where the test may write.
    await writeFile(join(directory, 'Pulumi.yaml'), stringify({ ...await read('Pulumi.yaml'), main: join(root, 'main.mjs') }));
    const made = await pulumi('stack', 'init');
    assert.equal(made.exitCode, 0, made.all);
    const { exitCode, all } = await pulumi('up', '--yes', '--skip-preview');
    // Pulumi's own for a program that failed.
    assert.equal(exitCode, 1, all);
    assert.match(all, /error: The configuration has \d problems:/);
    assert.match(all, /^ +regions\[0\]\.contxt: found a key that does not exist \(did you mean "context"\?\)/m);
    assert.match(all, /^ +regions: .*; allowed: two regions or more/m);
    assert.doesNotMatch(all, /^ +at .*\.(ts|mjs|js):\d+/m);
    const { all: state } = await pulumi('stack', 'export');
    assert.doesNotMatch(state, /kubernetes/);
  });
});
