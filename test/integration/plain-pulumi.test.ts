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
    return await execa(join(pulumiBin, 'pulumi'), [...args, '--non-interactive', '--color', 'never'], {
      cwd: root, reject: false, all: true, stdin: 'ignore', forceKillAfterDelay: false,
      env: { PATH: [pulumiBin, process.env['PATH']].join(delimiter), PULUMI_HOME: join(directory, 'home'), PULUMI_BACKEND_URL: `file://${directory}`, PULUMI_CONFIG_PASSPHRASE: 'of a test', PULUMI_SKIP_UPDATE_CHECK: 'true' },
    });
  }

  it('says all that is wrong with the settings, by path, without a stack trace, and makes nothing', async () => {
    const { config } = parse(await readFile(join(root, 'Pulumi.dev.yaml'), 'utf8')) as { config: Record<string, { context: string; name: string }[]> };
    config['kafka-bridge-failover:regions']?.splice(1, 1);
    Object.assign(config['kafka-bridge-failover:regions']?.[0] ?? {}, { contxt: 'east' });
    const file = join(directory, 'Pulumi.wrong.yaml');
    await writeFile(file, stringify({ config }));
    assert.equal((await pulumi('stack', 'init', 'wrong', '--config-file', file)).exitCode, 0);
    const { exitCode, all } = await pulumi('up', '--stack', 'wrong', '--config-file', file, '--yes', '--skip-preview');
    // Pulumi's own for whatever fails.
    assert.notEqual(exitCode, 0);
    assert.match(all, /regions\[0\]\.contxt.*context/);
    assert.match(all, /regions: .*two/i);
    assert.doesNotMatch(all, /^ +at .*\.(ts|mjs|js):\d+/m);
    assert.doesNotMatch(all, /kubernetes:|pulumi:providers/);
    const { all: state } = await pulumi('stack', 'export', '--stack', 'wrong');
    assert.doesNotMatch(state, /kubernetes/);
  });
});
