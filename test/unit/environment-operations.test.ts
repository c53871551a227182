import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { configurationOf } from '../../automation/configuration.ts';
import { ConfigurationError, UserError } from '../../automation/environment.ts';
import { located } from '../../automation/options.ts';
import { runWorker } from '../../automation/runWorker.ts';
import { loopbackCertificate } from '../fixtures/loopback-certificate.ts';
import { EnvironmentFixture } from './environment-fixtures.ts';

describe('operations on an environment', () => {
  let fixture: EnvironmentFixture;
  beforeEach(async () => { fixture = await EnvironmentFixture.make(); });
  afterEach(async () => { await fixture[Symbol.asyncDispose](); });

  const calls = async (): Promise<string[]> => (await fixture.written('calls')).trimEnd().split('\n');
  /** Notes what it is called with, by which several are told apart. */
  const noting = (script: string): string => `echo "$*" | sed 's/ --non-interactive//' >> ${fixture.at('calls')}\n${script}`;
  const refusing = 'case "$1" in up|preview|refresh|destroy) echo "error: enough" >&2; exit 255;; esac';
  const appears = async (file: string): Promise<void> => { while (!existsSync(fixture.at(file))) await sleep(5, undefined, { ref: false }); };

  describe('that are told to stop', () => {
    const servers: Server[] = [];
    afterEach(async () => { await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => { server.close(resolve); }))); });

    it('leave no cluster behind that may be alive', async () => {
      const { cert, key } = await loopbackCertificate();
      const stop = new AbortController();
      const reason = new Error('the pod is shut down');
      let asked = 0;
      const cluster = async (name: string, answer: Parameters<typeof createServer>[1]): Promise<object> => {
        const server = createServer({ cert, key }, answer);
        servers.push(server);
        await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
        const kubeconfig = {
          apiVersion: 'v1', kind: 'Config', users: [{ name: 'u', user: { token: 't' } }], contexts: [{ name, context: { cluster: 'c', user: 'u' } }],
          clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`, 'certificate-authority-data': Buffer.from(cert).toString('base64') } }],
        };
        return { urn: `urn:pulumi:dev::tiny::pulumi:providers:kubernetes::${name}`, type: 'pulumi:providers:kubernetes', custom: true, id: name, inputs: { context: name, kubeconfig: JSON.stringify(kubeconfig) } };
      };
      const object = (name: string): object => ({
        urn: `urn:pulumi:dev::tiny::kubernetes:core/v1:ConfigMap::${name}`, type: 'kubernetes:core/v1:ConfigMap', custom: true, id: name, inputs: { metadata: { name } },
        provider: `urn:pulumi:dev::tiny::pulumi:providers:kubernetes::${name}::${name}`,
      });
      const state = await fixture.state({ resources: [
        await cluster('west', (request, response) => { response.writeHead(request.method === 'GET' ? 200 : 201).end('{}'); }), object('west'),
        // Not ready at first, as one that restarts is; asked again, it is told nothing more.
        await cluster('east', (_request, response) => {
          asked += 1;
          if (asked === 1) response.writeHead(500).end();
          else stop.abort(reason);
        }), object('east'),
      ] });
      const before = await readFile(state, 'utf8');
      const environment = await fixture.open(noting(refusing));
      await assert.rejects(environment.destroy({ abandonUnreachable: true, signal: stop.signal }), (error) => error === reason);
      assert.equal(asked, 2);
      assert.equal(await readFile(state, 'utf8'), before);
      assert.equal(existsSync(fixture.at('calls')), false);
      assert.equal(existsSync(fixture.at('state', 'orphans')), false);
    });

    it('end asking for outputs', async () => {
      const environment = await fixture.open(`[ "$2" = output ] || exit 0; touch ${fixture.at('asked')}; exec sleep 600`);
      const stop = new AbortController();
      const outputs = environment.outputs({ signal: stop.signal });
      const reason = new Error('nobody waits for it');
      const rejected = assert.rejects(outputs, (error) => error === reason);
      await Promise.race([appears('asked'), rejected]);
      stop.abort(reason);
      await rejected;
    });

    it('begin no drill, neither before nor after its outputs', async () => {
      const reason = new Error('not now');
      const configFile = fixture.at('Pulumi.dev.yaml');
      await copyFile('Pulumi.dev.yaml', configFile);
      const kubeconfig = fixture.at('kubeconfig');
      const contexts = ['kafka', 'east', 'west', 'central'].map((name) => ({ name, context: { cluster: name, user: name } }));
      await writeFile(kubeconfig, JSON.stringify({ apiVersion: 'v1', kind: 'Config', contexts, clusters: contexts.map(({ name }) => ({ name, cluster: { server: `https://${name}.invalid` } })), users: contexts.map(({ name }) => ({ name, user: { token: 't' } })) }));
      const environment = await fixture.open(noting(`[ "$2" = output ] || exit 0; touch ${fixture.at('asked')}; exec sleep 600`), { program: undefined, configFile, kubeconfig });
      const drill = async (signal: AbortSignal): Promise<void> => {
        await assert.rejects(environment.drill({ signal, reportDir: fixture.at('report') }), (error) => error === reason);
        assert.equal(existsSync(fixture.at('report')), false);
      };
      await drill(AbortSignal.abort(reason));
      assert.equal(existsSync(fixture.at('calls')), false);
      const stop = new AbortController();
      const drilled = drill(stop.signal);
      await Promise.race([appears('asked'), drilled]);
      stop.abort(reason);
      await drilled;
    });
  });

  it('at once have variables and temporary files of their own', async () => {
    const orphan = { context: 'east', kubeconfig: '{}', since: '2026-01-01T00:00:00Z', resources: [{ urn: 'urn:pulumi:dev::tiny::kbf:index:KafkaBridgeRegion::east', type: 'kbf:index:KafkaBridgeRegion', custom: false }] };
    await mkdir(fixture.at('state', 'orphans'), { recursive: true });
    await writeFile(fixture.at('state', 'orphans', 'dev.json'), JSON.stringify({ schema: 1, clusters: [orphan] }));
    // Who comes first waits in its first call until the other has ended.
    const environment = await fixture.open(`cd ${fixture.directory}
echo "$1 skips=$KBF_SKIP_REGIONS" >> variables
if mkdir first 2>/dev/null; then touch held; while [ ! -e released ]; do sleep 0.02; done; echo "held skips=$KBF_SKIP_REGIONS" >> variables; fi
[ "$1" != up ] || { [ -d "$TMPDIR" ] && touch there; }
${refusing}`);
    const up = assert.rejects(environment.up(), /enough/);
    await Promise.race([appears('held'), up]);
    await assert.rejects(environment.preview({ skipRegions: ['east'] }), /enough/);
    await writeFile(fixture.at('released'), '');
    await up;
    assert.ok(existsSync(fixture.at('there')));
    assert.deepEqual((await fixture.written('variables')).trimEnd().split('\n'), ['stack skips=', 'stack skips=', 'preview skips=east', 'held skips=', 'up skips=']);
    assert.deepEqual(await readdir(fixture.at('state', 'tmp')), []);
    await assert.rejects(environment.refresh(), /enough/);
    assert.match(await fixture.written('variables'), /stack skips=\nrefresh skips=\n$/);
  });

  it('take up what was left behind of the stack under another of its names, and refuse to guess', async () => {
    const orphan = { context: 'nowhere', kubeconfig: '{}', since: '2026-01-01T00:00:00Z', resources: [] };
    const file = fixture.at('state', 'orphans', 'acme', 'dev.json');
    await mkdir(fixture.at('state', 'orphans', 'acme'), { recursive: true });
    await writeFile(file, JSON.stringify({ schema: 1, clusters: [orphan] }));
    const environment = await fixture.open('exit 0');
    const { orphanFile } = await environment.destroy();
    assert.equal(orphanFile, file);
    await copyFile(file, fixture.at('state', 'orphans', 'dev.json'));
    await assert.rejects(environment.destroy(), { exitCode: 2, message: /acme\/dev\.json and .*\/dev\.json may both be of stack dev/ });
  });

  describe('with settings of their own', () => {
    const ran = async (): Promise<string> => await fixture.written('ran');
    const copying = (): string => `[ "$1" = stack ] && exit 0; cp Pulumi.dev.yaml ${fixture.at('ran')}\n${refusing}`;

    it('run them as they are when they begin, whatever another environment runs', async () => {
      const environment = await fixture.open(copying(), { settings: { a: 1 } });
      await writeFile(fixture.at('program', 'Pulumi.dev.yaml'), 'config:\n  tiny:b: changed\n');
      const other = await fixture.open(copying(), { settings: { a: 2 } });
      await writeFile(fixture.at('program', 'Pulumi.dev.yaml'), 'config:\n  tiny:b: changed\n');
      for (const [each, a] of [[other, 2], [environment, 1]] as const) {
        await assert.rejects(each.up(), /enough/);
        assert.equal(await ran(), `config:\n  tiny:b: changed\n  tiny:a: ${String(a)}\n`);
      }
    });

    it('keep the salt that Pulumi gives a new stack', async () => {
      const script = `if [ "$1 $2" = "stack --show-name" ]; then [ -e ${fixture.at('made')} ] && exit 0; echo "error: no stack named 'dev' found" >&2; exit 255; fi
if [ "$1 $2" = "stack init" ]; then touch ${fixture.at('made')}; echo "encryptionsalt: v1:salt" >> Pulumi.dev.yaml; exit 0; fi
${copying()}`;
      for (const a of [1, 2]) await assert.rejects((await fixture.open(script, { settings: { a } })).up(), /enough/);
      assert.equal(await ran(), 'encryptionsalt: v1:salt\nconfig:\n  tiny:a: 2\n');
    });

    it('have their state in one place where it is named by a relative path', async () => {
      const { PULUMI_BACKEND_URL: before } = process.env;
      process.env['PULUMI_BACKEND_URL'] = 'file://.';
      try {
        for (const [settings, place] of [[{ a: 1 }, fixture.at('state', 'projects', 'dev')], [{}, fixture.at('program')]] as const) {
          const environment = await fixture.open(`echo "$PULUMI_BACKEND_URL" >> ${fixture.at('backend')}; echo '{}'`, { settings, ownBackend: false });
          for (let time = 0; time < 2; time += 1) await environment.outputs();
          assert.deepEqual(new Set((await fixture.written('backend')).trimEnd().split('\n')), new Set([`file://${place}`]));
          await rm(fixture.at('backend'));
        }
      } finally {
        if (before === undefined) delete process.env['PULUMI_BACKEND_URL'];
        else process.env['PULUMI_BACKEND_URL'] = before;
      }
    });

    it('are refused by the file that a person wrote them in, as it is by then', async () => {
      const configFile = fixture.at('Pulumi.dev.yaml');
      await copyFile('Pulumi.dev.yaml', configFile);
      const environment = await fixture.open(noting(''), { program: undefined, configFile });
      await writeFile(configFile, 'config:\n  kafka-bridge-failover:hostname: 7\n');
      await assert.rejects(environment.up(), (error: ConfigurationError) => error instanceof ConfigurationError && error.remedy?.includes(`${configFile},`) === true
        && error.problems.some(({ path }) => path === 'hostname'));
      assert.equal(existsSync(fixture.at('calls')), false);
    });
  });

  it('go on where the stack was removed meanwhile', async () => {
    const environment = await fixture.open(noting(`[ "$1 $2" != "stack --show-name" ] || { echo "error: no stack named 'dev' found" >&2; exit 255; }\n${refusing}`));
    const state = await fixture.state({ resources: [] });
    await assert.rejects(environment.up(), /enough/);
    await rm(state);
    await assert.rejects(environment.up(), /enough/);
    assert.deepEqual((await calls()).map((call) => call.split(' --')[0]?.split(' ').slice(0, 2).join(' ')), ['up', 'stack', 'stack init', 'up']);
    await assert.rejects(environment.outputs(), (error: UserError) => error.exitCode === 2 && /does not exist/.test(error.message));
  });

  it('take a stack that another has made meanwhile', async () => {
    const environment = await fixture.open(`if [ "$1 $2" = "stack --show-name" ]; then [ -e ${fixture.at('made')} ] && exit 0; echo "error: no stack named 'dev' found" >&2; exit 255; fi
if [ "$1 $2" = "stack init" ]; then touch ${fixture.at('made')}; echo "error: stack 'organization/tiny/dev' already exists" >&2; exit 255; fi
${noting(refusing)}`);
    await assert.rejects(environment.preview(), /preview of stack dev failed\.\nenough/);
    assert.deepEqual((await calls()).map((call) => call.split(' ')[0]), ['preview'], 'it is not the one to remove it');
  });

  it('say why outputs cannot be read', async () => {
    const environment = await fixture.open('[ "$2" = output ] || exit 0; echo "error: incorrect passphrase" >&2; exit 255');
    await assert.rejects(environment.outputs(), (error: UserError) => error instanceof UserError && error.message === 'The outputs of stack dev cannot be read.\nincorrect passphrase');
  });

  it('say by a code that another operation has the stack', async () => {
    const locked = '[ "$1" = stack ] && exit 0; echo "error: the stack is currently locked by 1 lock(s). Either wait" >&2; exit 255';
    const isLocked = (error: UserError): boolean => error instanceof UserError && error.code === 'locked' && /up of stack dev failed/.test(error.message);
    await assert.rejects((await fixture.open(locked)).up(), isLocked);
    await assert.rejects(runWorker({ operation: 'up', environment: await fixture.options(locked) }), isLocked);
    await assert.rejects((await fixture.open(refusing)).up(), (error: UserError) => error instanceof UserError && error.code === undefined);
  });

  it('do not end by what a listener throws', async () => {
    const environment = await fixture.open(noting(`[ "$1 $2" != "stack --show-name" ] || { echo "error: no stack named 'dev' found" >&2; exit 255; }\n${refusing}`));
    let told = 0;
    const warned = once(process, 'warning');
    await assert.rejects(environment.preview({ onEvent() { told += 1; throw new Error('the stream is closed'); } }), /preview of stack dev failed\.\nenough/);
    assert.match((await warned as [Error])[0].message, /the stream is closed/);
    assert.equal(told, 1);
    assert.equal((await calls()).at(-1), 'stack rm --yes --preserve-config dev');
  });

  it('take relative paths from where the process is, wherever its program is', async () => {
    const before = process.cwd();
    process.chdir(fixture.directory);
    try {
      const { settings, ...paths } = located({ configFile: 'Pulumi.dev.yaml', kubeconfig: 'kubeconfig', passphraseFile: 'passphrase', stateDir: 'state' });
      assert.deepEqual(paths, { ...paths, configFile: fixture.at('Pulumi.dev.yaml'), kubeconfig: fixture.at('kubeconfig'), passphraseFile: fixture.at('passphrase'), stateDir: fixture.at('state') });
      assert.deepEqual(settings, { kubeconfig: fixture.at('kubeconfig') });
      assert.equal((await configurationOf({ stack: 'dev', kubeconfig: 'kubeconfig' }, 'unchecked')).regions[0]?.kubeconfig, fixture.at('kubeconfig'));
    } finally {
      process.chdir(before);
    }
  });

  it('read a passphrase as Pulumi reads the same file', async () => {
    await writeFile(fixture.at('passphrase'), ' two words\n');
    await (await fixture.open(`printf '%s' "$PULUMI_CONFIG_PASSPHRASE" > ${fixture.at('given')}; echo '{}'`)).outputs();
    assert.equal(await fixture.written('given'), 'two words');
  });
});
