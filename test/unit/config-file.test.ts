import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parseConfiguration } from '../../config/configuration.ts';
import { ConfigurationError } from '../../config/problems.ts';
import { loadConfiguration, readStackFile } from '../../config/stack-file.ts';
import { UserError } from '../../errors.ts';
import { type ConfigurationFiles, configurationFiles, validConfiguration } from './configuration-fixtures.ts';

describe('a stack’s file of settings', () => {
  let files: ConfigurationFiles;
  before(() => { files = configurationFiles(); });
  after(() => { files[Symbol.dispose](); });

  const file = (text: string): string => {
    const path = join(files.directory, 'Pulumi.test.yaml');
    writeFileSync(path, text);
    return path;
  };
  const load = (text: string, settings = {}) =>
    loadConfiguration(file(text), { project: 'kafka-bridge-failover', directory: files.directory, contexts: 'checked', settings });
  const withConfig = (config: Record<string, unknown>): string => JSON.stringify({ encryptionsalt: 'v1:x', config });
  const prefixed = (raw: Record<string, unknown>) => Object.fromEntries(Object.entries(raw).map(([key, value]) => [`kafka-bridge-failover:${key}`, value]));

  it('gives the configuration without Pulumi, with or without the project’s name in its keys, and in Pulumi’s own way to write JSON', () => {
    const expected = parseConfiguration(validConfiguration(), files.directory);
    const { hostname, kafka, ...rest } = validConfiguration();
    assert.deepEqual(load(withConfig(prefixed(validConfiguration()))), expected);
    assert.deepEqual(load(withConfig({ ...prefixed(rest), hostname, 'kafka-bridge-failover:kafka': JSON.stringify(kafka), 'gcp:project': 'p' })), expected);
  });

  it('has its merge keys merged, as Pulumi does it', () => {
    const merged = load(`
defaults: &defaults { replicas: 2, gateway: { replicas: 3 } }
config:
  hostname: bridge.example
  kubeconfig: kubeconfig
  kafka: { context: kafka, domain: kafka.example }
  regions:
    - { <<: *defaults, name: east, context: east }
    - name: west
      context: west
      replicas: 1
      <<: [{ replicas: 4 }, *defaults]
  tsb: { context: central, organization: tetrate, tenant: kafka }
  tier1: { context: central }
`);
    assert.deepEqual(merged.regions.map(({ replicas, gateway }) => [replicas, gateway.replicas]), [[2, 3], [1, 3]], 'what is written beside one wins, then what comes first');
  });

  it('gives way to values that replace its own', () => {
    assert.equal(load(withConfig(prefixed(validConfiguration())), { hostname: 'other.example' }).hostname, 'other.example');
  });

  describe('of a project whose Pulumi.yaml has settings as well', () => {
    const loadWith = (text: string, projectConfig: unknown) =>
      loadConfiguration(file(text), { project: 'kafka-bridge-failover', projectConfig, directory: files.directory, contexts: 'checked' });

    it('has from there, whole, what it leaves out, in each of the ways that Pulumi takes', () => {
      const { hostname, kafka, regions, ...rest } = validConfiguration();
      const projectConfig = {
        hostname, 'kafka-bridge-failover:kafka': { default: kafka }, 'kafka-bridge-failover:regions': regions, checks: { type: 'boolean', value: false },
        bridge: { type: 'object', description: 'declared only' }, tier1: { value: { context: 'nowhere' } }, 'gcp:project': { value: 'p' },
      };
      assert.deepEqual(loadWith(withConfig(prefixed(rest)), projectConfig), parseConfiguration({ ...validConfiguration(), checks: false }, files.directory));
      assert.equal(loadWith(withConfig(prefixed({ ...rest, hostname: 'other.example' })), projectConfig).hostname, 'other.example');
      assert.deepEqual(loadWith(withConfig(prefixed(validConfiguration())), 'stacks'), parseConfiguration(validConfiguration(), files.directory), 'which names the directory of stack files');
    });

    it('is named beside it where something is wrong', () => {
      assert.throws(() => loadWith(withConfig(prefixed(validConfiguration())), { 'kafka-bridge-failvoer:checks': false, bridges: 1, 'kafka-bridge-failover:namespaces': { value: 'own' } }), (error: unknown) => {
        assert.ok(error instanceof ConfigurationError);
        assert.deepEqual(error.problems.map(({ path }) => path), ['kafka-bridge-failvoer:checks', 'bridges', 'namespaces']);
        assert.match(error.remedy ?? '', /Pulumi\.test\.yaml or in Pulumi\.yaml,/);
        return true;
      });
    });
  });

  it('is taken where Pulumi ESC may have more of it, and named with that where something is missing', () => {
    const load = (config: Record<string, unknown>) => loadConfiguration(file(JSON.stringify({ environment: ['prod'], config: prefixed(config) })), { project: 'kafka-bridge-failover', directory: files.directory, contexts: 'checked', source: '/their/Pulumi.test.yaml' });
    assert.equal(load(validConfiguration()).hostname, validConfiguration().hostname);
    const { hostname, ...rest } = validConfiguration();
    assert.throws(() => load(rest), (error: unknown) => error instanceof ConfigurationError && /their.Pulumi\.test\.yaml \(what its environment: brings from Pulumi ESC is not seen here\)/.test(error.remedy ?? ''), String(hostname));
  });

  it('is named with its problems', () => {
    assert.throws(() => load(withConfig({ ...prefixed(validConfiguration()), 'kafka-bridge-failover:hostname': { secure: 'v1:abc' }, 'kafka-bridge-failvoer:checks': 'true' })), (error: unknown) => {
      assert.ok(error instanceof ConfigurationError);
      assert.deepEqual(error.problems.map(({ path, found }) => [path, found]), [['kafka-bridge-failvoer:checks', 'a key of another project'], ['hostname', 'an encrypted value (secure:)']]);
      assert.match(error.remedy ?? '', /Pulumi\.test\.yaml/);
      return true;
    });
  });

  it('has each setting once, with or without the project’s name', () => {
    for (const [first, second] of [['hostname', 'kafka-bridge-failover:hostname'], ['kafka-bridge-failover:hostname', 'hostname']] as const) {
      const { hostname, ...rest } = validConfiguration();
      assert.throws(() => load(withConfig({ [first]: hostname, ...prefixed(rest), [second]: 'other.example' })), (error: unknown) => {
        assert.ok(error instanceof ConfigurationError);
        assert.deepEqual(error.problems, [{ path: second, found: 'a setting that is there twice', allowed: 'one of hostname and kafka-bridge-failover:hostname, which are the same', suggestion: undefined }]);
        return true;
      });
    }
  });

  it('may be empty, and then lacks everything', () => {
    for (const text of ['', '# nothing\n', 'config:\n']) {
      assert.throws(() => load(text), (error: unknown) => error instanceof ConfigurationError && error.problems.length === 5);
    }
  });

  const refused: Record<string, [text: string, message: RegExp]> = {
    'what is no YAML': ['config: [', /line 1, column 10: Flow sequence/],
    'a key that is there twice': ['config:\n  a: 1\n  a: 2\n', /line 3, column 3: Map keys must be unique/],
    'a second document': ['config: {}\n---\nconfig: {}\n', /a second document begins/],
    'a list': ['- config\n', /has no keys/],
    'a misspelt key around all': ['confg:\n  kafka-bridge-failover:hostname: a.example\n', /has the key confg \(did you mean "config"\?\): settings stand under the key config:/],
    'another spelling of the key beside it': ['config: {}\nConfig: {}\n', /has the key Config \(did you mean "config"\?\)/],
    'a tag that asks for code': ['config: !!js/function "() => 1"\n', /line 1, column 23: the tag tag:yaml.org,2002:js\/function is not allowed/],
    'a tag that asks for bytes': ['config: {a: !!binary aGk=}\n', /the tag tag:yaml.org,2002:binary is not allowed/],
    'an alias of nothing': ['config: *nobody\n', /Unresolved alias/],
    'an alias inside of what it stands for': ['config: &a [*a]\n', /an alias stands inside of what it stands for/],
    'merge keys of what is no map': ['config: {<<: 3}\n', /is not YAML that can be taken as data: Merge sources must be maps/],
    'merge keys that multiply': [`a: &a {x: 1}\n${['ab', 'bc', 'cd', 'de', 'ef'].map(([from = '', to = '']) => `${to}: &${to} {<<: [${Array(9).fill(`*${from}`).join(', ')}]}\n`).join('')}`, /Excessive alias count/],
    'aliases that multiply': [`a: &a [x, x, x, x, x, x, x, x, x]\n${['ab', 'bc', 'cd', 'de', 'ef'].map(([from = '', to = '']) => `${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]\n`).join('')}`, /Excessive alias count/],
    'lists without end': ['['.repeat(20_000), /is not YAML that can be taken as data/],
    'more than anybody writes': [`# ${'x'.repeat(1_048_576)}`, /is larger than 1048576 bytes/],
  };
  for (const [what, [text, message]] of Object.entries(refused)) {
    it(`refuses ${what}, as wrong use`, () => {
      assert.throws(() => readStackFile(file(text)), (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.exitCode, 2);
        assert.match(error.message, message);
        assert.ok(error.message.split('\n').length < 10, 'a few lines');
        return true;
      });
    });
  }

  it('takes no key for more than a key', () => {
    assert.throws(() => load('config:\n  kafka-bridge-failover:__proto__: {hostname: a.example}\n  kafka-bridge-failover:bridge: {__proto__: {port: 1}}\n'), (error: unknown) => {
      assert.ok(error instanceof ConfigurationError);
      assert.deepEqual(error.problems.map(({ path }) => path), ['__proto__', 'hostname', 'kafka', 'regions', 'bridge.__proto__', 'tsb', 'tier1']);
      return true;
    });
    assert.equal(({} as Record<string, unknown>)['port'], undefined);
  });

  it('is the sandbox’s without a problem, and no bridge is where its tier1 is', () => {
    const sandbox = fileURLToPath(new URL('../../Pulumi.dev.yaml', import.meta.url));
    const { regions, tier1 } = loadConfiguration(sandbox, { project: 'kafka-bridge-failover', directory: files.directory, contexts: 'unchecked' });
    assert.ok(regions.every(({ context }) => context !== tier1.context));
  });
});
