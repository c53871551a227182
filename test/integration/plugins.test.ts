/** The stand-ins for Pulumi's plugins under the real engine. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, readdir, rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineProgress } from '../../automation/engineEvents.ts';
import { Environment } from '../../automation/environment.ts';
import { ensureTools } from '../../sandbox/toolchain/index.ts';
import { root } from './support.ts';

/** What no other test's command line has. */
const longSleep = 'sleep 6173';

describe('the engine with the stand-ins for its command and tls plugins', () => {
  let directory: string;
  let pulumiBin: string;
  let log: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kbf-plugins-'));
    log = join(directory, 'log');
    pulumiBin = join((await ensureTools(['pulumi'])).get('pulumi')?.home ?? '', 'bin');
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const open = (settings: Record<string, unknown>): Promise<Environment> => Environment.open({
    program: join(root, 'test/fixtures/plugins'), stack: 'dev', stateDir: join(directory, 'state'), passphraseFile: join(directory, 'passphrase'), ownBackend: true,
    pulumiBin, plugins: [join(root, 'sandbox/plugins/bin')], settings: { log, create: `echo created >> ${log}; echo "$KEY"`, ...settings },
  });
  const state = (): Promise<string> => readFile(join(directory, 'state/state/.pulumi/stacks/plugins/dev.json'), 'utf8');
  const logged = async (): Promise<string> => (await readFile(log, 'utf8')).trim().replaceAll('\n', ', ');

  it('makes the resources, and each plugin says what it is', async () => {
    const said: string[] = [];
    const onEvent = (event: EngineProgress): void => { if (event.kind === 'message') said.push(event.text); };
    const { changes, outputs } = await (await open({})).up({ onEvent });
    assert.deepEqual(changes, { create: 4 });
    assert.equal(new X509Certificate(String(outputs['certPem'])).subjectAltName, 'DNS:bridge.example');
    assert.equal(outputs['stdout'], '[secret]');
    assert.equal(await logged(), 'created');
    for (const plugin of ['command', 'tls']) {
      assert.ok(said.some((text) => text.startsWith(`pulumi-resource-${plugin} is a stand-in of kafka-bridge-failover`)), said.join('\n'));
    }
  });

  it('has no private key in its state in plain, nor in what a command wrote', async () => {
    assert.doesNotMatch(await state(), /PRIVATE KEY/);
    const { checkpoint } = JSON.parse(await state()) as { checkpoint: { latest: { resources: { type: string; outputs: Record<string, { ciphertext?: string }> }[] } } };
    const outputs = checkpoint.latest.resources.find(({ type }) => type === 'tls:index/privateKey:PrivateKey')?.outputs;
    for (const name of ['privateKeyPem', 'privateKeyPemPkcs8', 'privateKeyOpenssh']) assert.match(outputs?.[name]?.ciphertext ?? '', /^v1:/, name);
  });

  it('changes nothing the second time, nor by looking', async () => {
    const environment = await open({});
    assert.deepEqual((await environment.up()).changes, { same: 4 });
    assert.deepEqual((await environment.refresh()).changes, { same: 4 });
    assert.deepEqual((await environment.preview()).changes, { same: 4 });
    assert.equal(await logged(), 'created');
  });

  it('replaces a command whose trigger changed, and only that', async () => {
    const environment = await open({ trigger: 'two' });
    assert.deepEqual((await environment.preview()).changes, { same: 3, replace: 1 });
    assert.deepEqual((await environment.up()).changes, { same: 3, replace: 1 });
    assert.equal(await logged(), 'created, created, deleted');
  });

  it('fails with what the command said', async () => {
    const environment = await open({ trigger: 'two', create: 'echo "no broker answers at 192.0.2.1:9094" >&2; exit 3' });
    await assert.rejects(environment.up(), {
      name: 'UserError',
      message: 'up of stack dev failed.\n'
        + 'Command check: exit status 3: running "echo \\"no broker answers at 192.0.2.1:9094\\" >&2; exit 3":\nno broker answers at 192.0.2.1:9094',
    });
  });

  it('ends a command when it is told to stop', async () => {
    const stop = new AbortController();
    const onEvent = (event: EngineProgress): void => {
      if (event.kind === 'resource' && event.type === 'Command' && event.state === 'started') setTimeout(() => { stop.abort(new Error('stopped')); }, 500);
    };
    await assert.rejects((await open({ trigger: 'two', create: longSleep })).up({ signal: stop.signal, onEvent }), { message: 'stopped' });
    assert.deepEqual(await commandLines(longSleep), []);
  });

  it('downloads no plugin that it was not given, and names it', async () => {
    await assert.rejects((await open({ trigger: 'two', gcp: true })).up(), /no resource plugin 'pulumi-resource-gcp' found/);
  });

  it('runs the delete command, and has nothing left', async () => {
    await (await open({ trigger: 'two' })).destroy();
    assert.match(await logged(), /deleted, deleted$/);
    assert.doesNotMatch(await state(), /"resources"/);
  });
});

/** The command lines of running processes that hold the text. */
async function commandLines(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' ')).filter((line) => line.includes(text));
}
