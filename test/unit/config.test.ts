import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as pulumi from '@pulumi/pulumi';

import { parseConfiguration, readConfiguration } from '../../config/configuration.ts';
import { ConfigurationError } from '../../config/problems.ts';

type Raw = Record<string, unknown>;

describe('the configuration', () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'kbf-config-'));
    writeFileSync(join(directory, 'kubeconfig'), JSON.stringify(kubeconfigOf('kafka', 'central', 'east', 'west')));
    writeFileSync(join(directory, 'broken'), 'clusters: [');
  });

  after(() => rmSync(directory, { recursive: true }));

  const problemsOf = (raw: unknown): string[] => {
    try {
      parseConfiguration(raw, directory);
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems.map(({ path, found, allowed, suggestion }) => `${path}|${found}|${allowed}|${suggestion ?? ''}`);
      throw error;
    }
    return [];
  };

  it('fills in every default', () => {
    const configuration = parseConfiguration(valid(), directory);
    assert.deepEqual(configuration.kafka, {
      context: 'kafka',
      kubeconfig: join(directory, 'kubeconfig'),
      namespace: 'kafka-cluster',
      name: 'kafka',
      api: 'v1',
      version: '4.3.1',
      brokers: 3,
      zookeeper: undefined,
      storage: { size: '10Gi', deleteClaim: false },
      config: {},
      domain: 'kafka.example',
      listeners: [{ name: 'external', type: 'loadbalancer', port: 9094, tls: true, annotations: {}, certificate: 'own' }],
      certificate: { source: 'own-root', rootDays: 3_650, leafDays: 365 },
      topics: [],
      entityOperator: { topics: false, users: false },
    });
    assert.equal(configuration.regions[0]?.replicas, 1);
    assert.equal(configuration.tier1.mode, 'failover');
    assert.equal(configuration.kubeconfig, join(directory, 'kubeconfig'));
  });

  it('has time limits by default of which the inner ones end first', () => {
    const { bridge } = parseConfiguration(valid(), directory);
    const { producer, consumer, timeouts } = bridge;
    assert.ok(producer.requestTimeoutMs < producer.deliveryTimeoutMs);
    assert.ok(producer.maxBlockMs + producer.deliveryTimeoutMs < timeouts.perTryMs);
    assert.ok(timeouts.perTryMs < timeouts.routeMs);
    assert.ok(timeouts.consumersMs < consumer.idleTimeoutSeconds * 1_000);
    assert.deepEqual(consumer, { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 2_000, idleTimeoutSeconds: 60, config: {} });
  });

  /** What is changed in a valid configuration, and what is then said: path, found, a part of what is allowed, a suggestion. */
  const wrong: [title: string, change: (raw: Raw) => void, path: string, found: string, allowed: string, suggestion?: string][] = [
    ['a missing host name', (raw) => delete raw['hostname'], 'hostname', 'nothing', 'text'],
    ['a URL for a host name', (raw) => (raw['hostname'] = 'http://a.example'), 'hostname', '"http://a.example"', 'without scheme'],
    ['a host name of one label', (raw) => (raw['hostname'] = 'localhost'), 'hostname', '"localhost"', 'such as kafka-bridge.example'],
    ['a host name in capitals', (raw) => (raw['hostname'] = 'Kafka.example'), 'hostname', '"Kafka.example"', 'lower-case'],
    ['a number for a host name', (raw) => (raw['hostname'] = 7), 'hostname', '7', 'text'],
    ['a misspelt concern', (raw) => (raw['kafak'] = {}), 'kafak', 'a key that does not exist', 'hostname, kubeconfig, kafka', 'kafka'],
    ['a misspelt key inside', (raw) => at(raw, 'kafka', { storgae: {} }), 'kafka.storgae', 'a key that does not exist', 'storage', 'storage'],
    ['a misspelt key of a region', (raw) => region(raw, 1, { tsbcluster: 'west' }), 'regions[1].tsbcluster', 'a key that does not exist', 'tsbCluster', 'tsbCluster'],
    ['a missing concern', (raw) => delete raw['tsb'], 'tsb', 'nothing', 'keys with values'],
    ['a list for a concern', (raw) => (raw['tier1'] = []), 'tier1', '[]', 'keys with values'],
    ['no kubeconfig', (raw) => delete raw['kubeconfig'], 'kubeconfig', 'nothing', 'the path of a kubeconfig file with these contexts'],
    ['an absent kubeconfig', (raw) => (raw['kubeconfig'] = 'absent'), 'kubeconfig', '"absent" (', 'the path of a kubeconfig file'],
    ['a broken kubeconfig', (raw) => (raw['kubeconfig'] = 'broken'), 'kubeconfig', '"broken" (', 'the path of a kubeconfig file'],
    ['an unknown context of Kafka', (raw) => at(raw, 'kafka', { context: 'kakfa' }), 'kafka.context', '"kakfa"', 'central, east, kafka, west', 'kafka'],
    ['an unknown context of a region', (raw) => region(raw, 1, { context: 'wset' }), 'regions[1].context', '"wset"', 'central, east, kafka, west', 'west'],
    ['an unknown context of tier1', (raw) => at(raw, 'tier1', { context: 'centre' }), 'tier1.context', '"centre"', 'central, east', 'central'],
    ['an unknown context of TSB', (raw) => at(raw, 'tsb', { context: 'mars' }), 'tsb.context', '"mars"', 'central, east'],
    ['an empty context', (raw) => at(raw, 'kafka', { context: '' }), 'kafka.context', '""', 'not empty'],
    ['two brokers', (raw) => at(raw, 'kafka', { brokers: 2 }), 'kafka.brokers', '2', 'a whole number from 3 to 99'],
    ['half a broker', (raw) => at(raw, 'kafka', { brokers: 3.5 }), 'kafka.brokers', '3.5', 'a whole number from 3 to 99'],
    ['brokers as text', (raw) => at(raw, 'kafka', { brokers: '3' }), 'kafka.brokers', '"3"', 'a whole number from 3 to 99'],
    ['a version of two numbers', (raw) => at(raw, 'kafka', { version: '4.3' }), 'kafka.version', '"4.3"', 'three numbers'],
    ['a size without meaning', (raw) => at(raw, 'kafka', { storage: { size: '1 GB' } }), 'kafka.storage.size', '"1 GB"', 'quantity'],
    ['a listener port of Strimzi’s own', (raw) => at(raw, 'kafka', { listeners: [{ type: 'route', port: 9404 }] }), 'kafka.listeners[0].port', '9404', 'Strimzi'],
    ['a low listener port', (raw) => at(raw, 'kafka', { listeners: [{ type: 'route', port: 443 }] }), 'kafka.listeners[0].port', '443', 'a whole number from 9092 to 65535'],
    ['a listener name with a hyphen', (raw) => at(raw, 'kafka', { listeners: [{ type: 'route', name: 'to-west' }] }), 'kafka.listeners[0].name', '"to-west"', '1 to 11'],
    ['one region', (raw) => (raw['regions'] = [regions()[0]]), 'regions', '[{', 'two regions or more'],
    ['regions as text', (raw) => (raw['regions'] = 'east, west'), 'regions', '"east, west"', 'a list'],
    ['a region name with an underscore', (raw) => region(raw, 0, { name: 'us_east' }), 'regions[0].name', '"us_east"', 'hyphens'],
    ['one name for two regions', (raw) => region(raw, 1, { name: 'east' }), 'regions[1].name', '"east"', 'regions[0].name has it'],
    ['one cluster for two regions', (raw) => region(raw, 1, { context: 'east' }), 'regions[1].context', '"east"', 'regions[0].context has it'],
    ['one TSB cluster for two regions', (raw) => region(raw, 1, { tsbCluster: 'east' }), 'regions[1].tsbCluster', '"east"', 'regions[0].tsbCluster has it'],
    ['no bridges in a region', (raw) => region(raw, 0, { replicas: 0 }), 'regions[0].replicas', '0', 'a whole number from 1 to 100'],
    ['tier1’s TSB cluster named like another', (raw) => at(raw, 'tier1', { tsbCluster: 'east' }), 'tier1.tsbCluster', '"east"', 'one name for one cluster'],
    ['an unknown mode', (raw) => at(raw, 'tier1', { mode: 'failovr' }), 'tier1.mode', '"failovr"', 'failover', 'failover'],
    ['a namespace that is taken', (raw) => at(raw, 'kafka', { context: 'east', namespace: 'kafka-bridge' }), 'kafka.namespace', '"kafka-bridge"', 'the bridge of regions[0]'],
    ['TSB’s namespace for tier1', (raw) => at(raw, 'tier1', { namespace: 'tsb-conf' }), 'tier1.namespace', '"tsb-conf"', 'the TSB objects'],
    ['a Kafka name that is too long', (raw) => at(raw, 'kafka', { name: 'k'.repeat(50) }), 'kafka.name', `"${'k'.repeat(50)}"`, 'shorter by 12: it gives the name'],
    ['a region name that is too long', (raw) => region(raw, 0, { name: 'r'.repeat(60) }), 'regions[0].name', `"${'r'.repeat(60)}"`, 'shorter by 5'],
    ['a delivery that outlives a try', (raw) => (raw['bridge'] = { producer: { deliveryTimeoutMs: 9_000 } }), 'bridge.producer.deliveryTimeoutMs', '9000', 'less than 9000'],
    ['a try that outlives its request', (raw) => (raw['bridge'] = { timeouts: { perTryMs: 15_000 } }), 'bridge.timeouts.perTryMs', '15000', 'less than 15000'],
    ['polls longer than the idle limit', (raw) => (raw['bridge'] = { timeouts: { consumersMs: 60_000 } }), 'bridge.timeouts.consumersMs', '60000', 'idleTimeoutSeconds'],
    ['heartbeats too rare for the session', (raw) => (raw['bridge'] = { consumer: { heartbeatIntervalMs: 3_000 } }), 'bridge.consumer.heartbeatIntervalMs', '3000', 'less than 3000'],
    ['a condition that is none', (raw) => at(raw, 'tsb', { acceptedWhen: 'ACCEPTED' }), 'tsb.acceptedWhen', '"ACCEPTED"', 'condition=Name'],
  ];

  for (const [title, change, path, found, allowed, suggestion = ''] of wrong) {
    it(`refuses ${title}`, () => {
      const raw = valid();
      change(raw);
      const problems = problemsOf(raw);
      const [mine] = problems.filter((problem) => problem.startsWith(`${path}|`));
      assert.ok(mine, `no problem at ${path}: ${JSON.stringify(problems)}`);
      const [, foundText = '', allowedText = '', suggested] = mine.split('|');
      assert.ok(foundText.startsWith(found), foundText);
      assert.ok(allowedText.includes(allowed), allowedText);
      assert.equal(suggested, suggestion);
    });
  }

  it('reports every problem at once, also those between values', () => {
    const raw = valid();
    raw['hostname'] = 'x';
    at(raw, 'kafka', { brokers: 1, context: 'nowhere' });
    region(raw, 1, { name: 'east' });
    raw['bridge'] = { timeouts: { perTryMs: 20_000 } };
    assert.deepEqual(
      problemsOf(raw).map((problem) => problem.split('|')[0]).sort(),
      ['bridge.timeouts.perTryMs', 'hostname', 'kafka.brokers', 'kafka.context', 'regions[1].name'],
    );
  });

  it('refuses a configuration that is not there at all', () => {
    assert.deepEqual(
      problemsOf({}).map((problem) => problem.split('|')[0]),
      ['hostname', 'kafka', 'regions', 'tsb', 'tier1'],
    );
  });

  it('is wrong use, with a message of one line for each problem', () => {
    const raw = valid();
    region(raw, 1, { context: 'wset' });
    assert.throws(() => parseConfiguration(raw, directory), (error: unknown) => {
      assert.ok(error instanceof ConfigurationError);
      assert.equal(error.exitCode, 2);
      assert.equal(
        error.message,
        'The configuration has one problem:\n' +
          `  regions[1].context: found "wset" (did you mean "west"?); allowed: a complete context of ${join(directory, 'kubeconfig')}: central, east, kafka, west`,
      );
      return true;
    });
  });

  it('reaches Pulumi as an error without a stack trace', async () => {
    await pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'kafka-bridge-failover', 'test');
    pulumi.runtime.setAllConfig({ 'kafka-bridge-failover:hostname': 'x', 'other:hostname': 'y', 'kafka-bridge-failover:regions': '[{"name":"east"' });
    assert.throws(readConfiguration, (error: unknown) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.match(String(error), /hostname: found "x"/);
      assert.match(String(error), /regions: found "\[\{\\"name/);
      return true;
    });
  });

  it('is read from what Pulumi hands over', async () => {
    await pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'kafka-bridge-failover', 'test');
    const raw = { ...valid(), kubeconfig: join(directory, 'kubeconfig') };
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(raw).map(([key, value]) => [`kafka-bridge-failover:${key}`, typeof value === 'string' ? value : JSON.stringify(value)])),
    );
    assert.deepEqual(readConfiguration(), parseConfiguration(raw, directory));
  });
});

function valid(): Raw {
  return {
    hostname: 'bridge.example',
    kubeconfig: 'kubeconfig',
    kafka: { context: 'kafka', domain: 'kafka.example' },
    regions: regions(),
    tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka' },
    tier1: { context: 'central', tsbCluster: 'central' },
  };
}

function regions(): Raw[] {
  return ['east', 'west'].map((name) => ({ name, context: name, tsbCluster: name }));
}

function at(raw: Raw, concern: string, change: Raw): void {
  raw[concern] = { ...(raw[concern] as Raw), ...change };
}

function region(raw: Raw, index: number, change: Raw): void {
  raw['regions'] = (raw['regions'] as Raw[]).map((one, at) => (at === index ? { ...one, ...change } : one));
}

function kubeconfigOf(...contexts: string[]): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'u', user: {} }],
    contexts: [...contexts.map((name) => ({ name, context: { cluster: 'c', user: 'u' } })), { name: 'half', context: { cluster: 'gone', user: 'u' } }],
  };
}
