import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { explainFailure, notLinux, programs, programsMissing, unshareArgv } from '../../sandbox/machine/prerequisites.ts';

const failure = 'unshare: unshare failed: Operation not permitted';

describe('A system that forbids namespaces', () => {
  it('is told to lift AppArmor\'s restriction, by name', () => {
    const error = explainFailure(failure, false, { apparmorRestrictUserns: '1', maxUserNamespaces: '96365' });
    assert.match(error.message, /AppArmor restricts them/);
    assert.match(error.remedy ?? '', /sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0.*as root/);
  });

  it('is told to allow unprivileged user namespaces', () => {
    const error = explainFailure(failure, false, { unprivilegedUsernsClone: '0', apparmorRestrictUserns: '1' });
    assert.match(error.remedy ?? '', /kernel\.unprivileged_userns_clone=1.*as root/);
  });

  it('is told to allow any user namespaces at all', () => {
    const error = explainFailure(failure, false, { maxUserNamespaces: '0', unprivilegedUsernsClone: '0' });
    assert.match(error.remedy ?? '', /user\.max_user_namespaces=10000.*as root/);
  });

  it('gets what the kernel said and the way by root when no setting explains it', () => {
    const error = explainFailure(failure, false, { maxUserNamespaces: '96365' });
    assert.ok(error.message.includes(failure));
    assert.match(error.remedy ?? '', /as root/);
  });

  it('is not told to become root when it is, but what its container needs', () => {
    const error = explainFailure(failure, true, {});
    assert.match(error.remedy ?? '', /--privileged/);
    assert.doesNotMatch(error.remedy ?? '', /as root/);
  });
});

describe('Missing prerequisites', () => {
  it('are named with the packages that have them', () => {
    const error = programsMissing(['ip', 'unshare']);
    assert.match(error.message, /ip, unshare, which are not installed/);
    assert.match(error.remedy ?? '', /iproute2/);
  });

  it('include all that the node agent asks for, which would be late to be told', async () => {
    const [, list = ''] = /^const commands = \[(.*)\];$/m.exec(await readFile(new URL('../../sandbox/agent/main.ts', import.meta.url), 'utf8')) ?? [];
    const asked = list.split(', ').map((name) => name.replaceAll('\'', ''));
    assert.ok(asked.includes('hostname'));
    for (const name of [...asked, 'setpriv', 'mkfifo', 'flock']) {
      assert.ok(programs.includes(name), name);
      assert.ok(programsMissing([name]).remedy?.includes(name), name);
    }
  });

  it('include a setpriv that ends what it started, which BusyBox\'s does not', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kbf-unit-'));
    try {
      await writeFile(join(directory, 'setpriv'), '#!/bin/sh\necho "setpriv: unrecognized option: pdeathsig" >&2\necho "BusyBox v1.36.1 multi-call binary." >&2\nexit 1\n');
      await chmod(join(directory, 'setpriv'), 0o755);
      // Where programs are looked for is read once in a process.
      const script = `import { checkPrerequisites } from ${JSON.stringify(new URL('../../sandbox/machine/prerequisites.ts', import.meta.url).href)};
        console.log(await checkPrerequisites().catch(({ message, remedy }) => message + ' ' + remedy));`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env: { ...process.env, PATH: `${directory}:${process.env['PATH'] ?? ''}` } });
      assert.match(stdout, /setpriv --pdeathsig, which the setpriv of this system does not do: setpriv: unrecognized option: pdeathsig Install the setpriv of util-linux 2\.33/);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('include Linux', () => {
    assert.match(notLinux('darwin').message, /darwin/);
  });
});

describe('unshareArgv', () => {
  it('makes a user namespace for an ordinary user only, and always ties the tree to its first process', () => {
    assert.ok(unshareArgv(true, ['sh']).includes('--map-root-user'));
    assert.ok(!unshareArgv(false, ['sh']).includes('--user'));
    for (const argv of [unshareArgv(true, ['sh']), unshareArgv(false, ['sh'])]) assert.ok(argv.includes('--kill-child'));
  });
});
