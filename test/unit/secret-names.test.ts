import assert from 'node:assert/strict';

import { problemsOf } from '../../config/configuration.ts';
import { recordTopology } from './topology-fixtures.ts';

const issuer = { name: 'i', kind: 'ClusterIssuer' };
const old = { api: 'v1beta2', version: '3.4.0' };

describe('what bridges are known by', () => {
  for (const [source, certificate, api, secrets] of [
    ['own-root', {}, {}, ['kafka-listener', 'kafka-listener-ca']],
    ['issuer', { issuer }, {}, ['kafka-listener']],
    ['self-signed', {}, old, ['kafka-kafka-cluster']],
  ] as const) {
    const kafka = { ...api, context: 'kafka', domain: 'kafka.example', certificate: { source, ...certificate } };
    const operators = api === old ? { operators: { strimzi: { version: '0.36.0' } } } : {};

    /**
     * Paths of what is wrong with a user and its password's Secret.
     * @param shown whether a listener shows the certificate; otherwise there is none
     */
    const wrong = (username: string, secret: string, shown = true): string[] => {
      const settings = {
        hostname: 'bridge.example', kubeconfig: '/none', ...operators,
        kafka: { ...kafka, listeners: [{ type: 'loadbalancer', authentication: 'scram-sha-512', ...(shown ? {} : { certificate: 'operator' }) }], ...(shown ? {} : { certificate: {} }) },
        regions: ['east', 'west'].map((name) => ({ name, context: name, tsbCluster: name })),
        bridge: { authentication: { type: 'scram-sha-512', username, secret: { name: secret } } },
        tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka' },
        tier1: { context: 'central', tsbCluster: 'central' },
      };
      return problemsOf(settings, { directory: '/', contexts: 'unchecked' }).map(({ path }) => path);
    };

    it(`is in no Secret that cert-manager writes beside Kafka, source ${source}`, async () => {
      const issued = (await recordTopology({ kafka, ...operators })).resources.filter(({ inputs }) => inputs['kind'] === 'Certificate');
      assert.deepEqual(issued.map(({ inputs }) => (inputs['spec'] as { secretName: string }).secretName).sort(), secrets);
      for (const name of secrets) {
        assert.deepEqual(wrong(name, 'password'), ['bridge.authentication.username'], name);
        assert.deepEqual(wrong('bridge', name), ['bridge.authentication.secret.name'], name);
      }
    });

    it(`may be called like a Secret that nobody writes, source ${source}`, () => {
      for (const name of ['kafka-listener', 'kafka-listener-ca', 'kafka-kafka-cluster'].filter((other) => !(secrets as readonly string[]).includes(other))) assert.deepEqual(wrong(name, 'password'), [], name);
      for (const name of secrets) assert.deepEqual(wrong(name, 'password', false), [], name);
    });
  }
});
