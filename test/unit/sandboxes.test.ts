import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { inside } from '../../automation/sandboxes.ts';
import { environmentProxy } from '../../config/environment-proxy.ts';

describe('a program inside a sandbox', () => {
  it('goes by no proxy of this machine', async () => {
    const start = inside({ enter: ([file = '', ...args], { env = {}, stdio = 'inherit' } = {}) => spawn(file, args, { stdio, env: { ...process.env, HTTPS_PROXY: 'http://proxy.example', ...env } }) });
    const program = start([process.execPath, '-p', 'JSON.stringify(process.env)'], { stdio: ['ignore', 'pipe', 'inherit'], env: { MINE: 'yes' }, detached: false });
    const env = JSON.parse(await text(program.stdout ?? assert.fail())) as NodeJS.ProcessEnv;
    assert.equal(env['MINE'], 'yes');
    assert.equal(environmentProxy('https://10.10.0.2:6443', env), undefined);
  });
});
