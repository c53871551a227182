import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { EnvironmentFixture } from './environment-fixtures.ts';

describe('a preview after a run that was killed', () => {
  let fixture: EnvironmentFixture;
  beforeEach(async () => { fixture = await EnvironmentFixture.make(); });
  afterEach(async () => { await fixture[Symbol.asyncDispose](); });

  const refusing = 'case "$1" in preview|refresh) echo "error: enough" >&2; exit 255;; esac';

  it('changes nothing in the state, also where an object was being created', async () => {
    const pod = { urn: 'urn:pulumi:dev::tiny::kubernetes:core/v1:Pod::slow', type: 'kubernetes:core/v1:Pod', custom: true, inputs: { metadata: { name: 'slow' } } };
    const file = await fixture.state({ resources: [], pending_operations: [{ type: 'creating', resource: pod }] });
    const before = await readFile(file, 'utf8');
    const environment = await fixture.open(`[ "$2" != import ] || echo '{}' > ${file}\n${refusing}`);
    await assert.rejects(environment.preview(), /^UserError: preview of stack dev failed\.\nenough/);
    assert.equal(await readFile(file, 'utf8'), before);
  });

  it('takes away the lock of its dead process, and says so', async () => {
    const locks = fixture.at('state', 'state', '.pulumi', 'locks', 'organization', 'tiny', 'dev');
    await mkdir(locks, { recursive: true });
    const { pid } = spawnSync('true');
    await writeFile(`${locks}/a.json`, JSON.stringify({ pid, username: 'me', hostname: hostname(), timestamp: new Date().toISOString() }));
    const environment = await fixture.open(refusing);
    const notices: string[] = [];
    await assert.rejects(environment.preview({ onEvent: (event) => { if (event.kind === 'notice') notices.push(event.text); } }), /enough/);
    assert.match(notices.join('\n'), new RegExp(`^took away the lock of stack dev that process ${String(pid)} left behind`));
    assert.deepEqual(await readdir(locks), []);
  });
});

describe('after a run that was killed while Helm installed an operator', () => {
  let fixture: EnvironmentFixture;
  beforeEach(async () => { fixture = await EnvironmentFixture.make(); });
  afterEach(async () => { await fixture[Symbol.asyncDispose](); });

  const urn = 'urn:pulumi:dev::tiny::kubernetes:helm.sh/v3:Release::strimzi-east';

  it('up is refused with what to do, and destroy goes on', async () => {
    await fixture.state({ resources: [{ urn, type: 'kubernetes:helm.sh/v3:Release', custom: true, id: 'kafka/strimzi', inputs: {}, outputs: { status: { status: 'pending-install' } } }] });
    const environment = await fixture.open(`echo "$*" >> ${fixture.at('calls')}; case "$1" in up|destroy) echo "error: enough" >&2; exit 255;; esac`);
    await assert.rejects(environment.up(), { name: 'UserError', message: /^Helm did not finish installing strimzi in namespace kafka/, remedy: /^helm uninstall strimzi -n kafka/ });
    await assert.rejects(environment.destroy(), /^UserError: destroy of stack dev failed\.\nenough/);
    const calls = (await fixture.written('calls')).trim().split('\n').filter((call) => !call.startsWith('stack'));
    assert.deepEqual(calls.map((call) => call.split(' ')[0]), ['refresh', 'refresh', 'destroy']);
    assert.ok(calls.slice(0, 2).every((call) => call.includes(`--target ${urn}`)), calls.join('\n'));
  });
});
