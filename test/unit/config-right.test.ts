import assert from 'node:assert/strict';

import { parseConfiguration, problemsOf } from '../../config/configuration.ts';
import { type ConfigurationFiles, configurationFiles, validConfiguration } from './configuration-fixtures.ts';

type Raw = Record<string, unknown>;

describe('settings that are nearly wrong', () => {
  let files: ConfigurationFiles;
  before(() => { files = configurationFiles(); });
  after(() => { files[Symbol.dispose](); });

  /** Paths of what is wrong. */
  const wrong = (raw: Raw): string[] => problemsOf(raw, { directory: files.directory, contexts: 'checked' }).map(({ path }) => path);
  /** The valid settings, with these over those of each concern. */
  const settings = (changes: Record<string, object>): Raw => {
    const whole = validConfiguration();
    return { ...whole, ...Object.fromEntries(Object.entries(changes).map(([concern, change]) => [concern, Array.isArray(change) ? change : { ...whole[concern] as object, ...change }])) };
  };

  it('are paths that every bridge answers', () => {
    for (const path of ['/', '/openapi', '/topics', '/topics/orders', '/topics/orders/partitions', '/topics/orders/partitions/0', '/topics/orders/partitions/0/offsets']) {
      assert.deepEqual(wrong(settings({ bridge: { healthCheck: { path } } })), [], path);
    }
  });

  it('are values that Kafka has', () => {
    const configs = { producer: { 'compression.type': ' zstd' }, consumer: { 'auto.offset.reset': 'by_duration:PT1H', 'isolation.level': 'read_committed' }, admin: { 'client.dns.lookup': 'use_all_dns_ips' } };
    assert.deepEqual(wrong(settings({ bridge: Object.fromEntries(Object.entries(configs).map(([client, config]) => [client, { config }])) })), []);
  });

  it('are scram-sha-256 for a Kafka that exists, whose user may have any name', () => {
    const authentication = { type: 'scram-sha-256', username: 'Bridge User', secret: { name: 'bridge-password' } };
    const raw = { ...settings({ bridge: { authentication } }), kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: { file: 'root.crt' } } } };
    assert.deepEqual(parseConfiguration(raw, files.directory).bridge.authentication, { ...authentication, secret: { name: 'bridge-password', key: 'password' } });
  });

  it('are namespaces of others that are given', () => {
    const raw = settings({ tier1: { namespace: 'istio-system' } });
    assert.deepEqual(wrong(raw), ['tier1.namespace']);
    assert.deepEqual(wrong({ ...raw, namespaces: 'given' }), []);
  });

  it('are names that people give, also those that secrets have', () => {
    const regions = [{ name: 'token', context: 'east', tsbCluster: 'password' }, { name: 'west', context: 'west', tsbCluster: 'west' }];
    const existing = { tenant: { existing: 'k' }, workspaces: { bridges: { existing: 'b' } }, settings: { bridges: 's' } };
    const groups = { existing: { regions: { token: 'g' }, internal: { regions: { token: 'h' } } } };
    assert.deepEqual(wrong(settings({ regions, tier1: { mode: 'weighted', weights: { token: 50, west: 50 } }, tsb: { ...existing, groups, setup: { networks: { password: 'n' } } } })), []);
  });

  describe('are networks', () => {
    const apart = { central: 'n', c0: 'n0', c1: 'n1', c2: 'n2' };
    const regionsIn = (...places: (string | undefined)[]) => places.map((place, index) => ({ name: `r${String(index)}`, context: ['east', 'west', 'kafka'][index], tsbCluster: `c${String(index)}`, ...(place === undefined ? {} : { locality: { region: place } }) }));
    const unreached = (regions: object[], setup: object): string[] => wrong(settings({ regions, tsb: { setup } }));

    it('that tier1 reaches, whatever regions reach: it fails over without their own hop', () => {
      assert.deepEqual(unreached(regionsIn('a', 'b', 'c'), { networks: apart, reachability: { n: ['n0', 'n1', 'n2'] } }), []);
    });

    it('whose reachability the organization has from somebody else', () => {
      assert.deepEqual(unreached(regionsIn('a', 'b', 'c'), { networks: apart }), []);
    });

    it('that are one', () => {
      assert.deepEqual(unreached(regionsIn('a', 'b', 'c'), { networks: { central: 'n', c0: 'n', c1: 'n', c2: 'n' } }), []);
    });

    it('of which TSB knows more than the settings', () => {
      assert.deepEqual(unreached(regionsIn('a', 'b', 'c'), {}), []);
      assert.deepEqual(unreached(regionsIn('a', 'b', 'c'), { networks: { central: 'n', c0: 'n0', c1: 'n1' }, reachability: { n: ['n0', 'n1'] } }), [], 'the network of a cluster');
      const [, ...named] = regionsIn('a', 'b', 'c');
      assert.deepEqual(unreached([{ name: 'r0', context: 'east' }, ...named], { networks: { central: 'n', c1: 'n1', c2: 'n2' }, reachability: { n: ['n1', 'n2'] } }), [], 'the name of a cluster');
    });
  });
});
