import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { main } from '../../automation/kbf.ts';
import { inside } from '../../automation/sandboxes.ts';
import { environmentProxy } from '../../config/environment-proxy.ts';
import { fakeModules } from '../fixtures/fake-sandbox.ts';
import { Sink } from '../fixtures/sink.ts';

describe('a program inside a sandbox', () => {
  it('goes by no proxy of this machine', async () => {
    const start = inside({ enter: ([file = '', ...args], { env = {}, stdio = 'inherit' } = {}) => spawn(file, args, { stdio, env: { ...process.env, HTTPS_PROXY: 'http://proxy.example', ...env } }) });
    const program = start([process.execPath, '-p', 'JSON.stringify(process.env)'], { stdio: ['ignore', 'pipe', 'inherit'], env: { MINE: 'yes' }, detached: false });
    const env = JSON.parse(await text(program.stdout ?? assert.fail())) as NodeJS.ProcessEnv;
    assert.equal(env['MINE'], 'yes');
    assert.equal(environmentProxy('https://10.10.0.2:6443', env), undefined);
  });
});

describe('the status of a sandbox', () => {
  it('says how kubectl gets there, as a shell takes it', async () => {
    const stdout = new Sink();
    await main(['sandbox', 'status', '--state-dir', '/my state'], { stdout, stderr: new Sink(), modules: () => Promise.resolve(fakeModules({ dir: '/my state/dev' })) });
    assert.match(stdout.text, /^kubectl: export KUBECONFIG='\/my state\/dev\/kubeconfig\.outside'$/m);
  });
});
