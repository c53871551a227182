/** The Secrets that a person makes so that bridges can say to Kafka who they are: looked for before anything is made. */
import assert from 'node:assert/strict';

import * as pulumi from '@pulumi/pulumi';

import { refuseMissingSecrets } from '../../components/client-secrets.ts';
import { root } from './kafka-fixtures.ts';
import { answeringCluster } from './pulumi-mocks.ts';
import { type Changes, configuration } from './topology-fixtures.ts';

const password: Changes = { kafka: { listeners: [{ type: 'loadbalancer', authentication: 'scram-sha-512' }] }, bridge: { authentication: { type: 'scram-sha-512', username: 'bridge', secret: { name: 'user' } } } };
const certificate: Changes = { kafka: { listeners: [{ type: 'loadbalancer', authentication: 'tls' }] }, bridge: { authentication: { type: 'tls', secret: { name: 'user' } } } };
const found = { 'strimzi.io/kind': 'Kafka', 'strimzi.io/cluster': 'kafka' };
const pem = { 'user.crt': '-----BEGIN CERTIFICATE-----\n', 'user.key': '-----BEGIN PRIVATE KEY-----\n' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('the Secrets that bridges say who they are by', () => {
  /** @param secrets their data, by `context/namespace/name`; `undefined`: clusters do not answer */
  async function refused(changes: Changes, secrets: Record<string, Record<string, string>> | undefined, skipped: string[] = [], labels: Record<string, string> = found): Promise<string[]> {
    const cluster = answeringCluster(({ kind, namespace, name }, context) => {
      if (secrets === undefined) throw new Error('connect ECONNREFUSED');
      const data = secrets[`${context}/${namespace ?? ''}/${name}`];
      return kind === 'Secret' && data !== undefined ? { metadata: { labels }, data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])) } : undefined;
    });
    try {
      await refuseMissingSecrets({ configuration: configuration(changes), cluster, skipped: new Set(skipped) });
      return [];
    } catch (error) {
      assert.ok(pulumi.RunError.isInstance(error));
      const [title, ...problems] = error.message.split('\n');
      assert.match(title ?? '', /docs\/authentication\.md\); nothing was changed:$/);
      return problems.map((problem) => problem.trim());
    }
  }

  it('are in every region and beside Kafka, or all that are not are named', async () => {
    const is = ['bridge.authentication.secret: Secret', 'is not there. Its namespace is not made by this program.'] as const;
    assert.deepEqual(await refused(password, { 'east/kafka-bridge/user': { password: 'p' } }), [`${is[0]} kafka-cluster/user in cluster kafka ${is[1]}`, `${is[0]} kafka-bridge/user in cluster west ${is[1]}`]);
    assert.deepEqual(await refused(password, Object.fromEntries(['kafka/kafka-cluster', 'east/kafka-bridge', 'west/kafka-bridge'].map((place) => [`${place}/user`, { password: 'p' }]))), []);
    assert.deepEqual(await refused({}, {}), []);
  });

  it('are a CA beside Kafka where bridges show certificates, and nothing beside one that exists', async () => {
    const regions = Object.fromEntries(['east', 'west'].map((context) => [`${context}/kafka-bridge/user`, pem]));
    const [first, second] = await refused(certificate, regions);
    assert.match(first ?? '', /^bridge\.authentication: Secret kafka-cluster\/kafka-clients-ca-cert in cluster kafka is not there/);
    assert.match(second ?? '', /^bridge\.authentication: Secret kafka-cluster\/kafka-clients-ca in cluster kafka is not there/);
    assert.deepEqual(await refused(certificate, { ...regions, 'kafka/kafka-cluster/kafka-clients-ca-cert': { 'ca.crt': 'c' }, 'kafka/kafka-cluster/kafka-clients-ca': { 'ca.key': 'k' } }), []);
    const unlabelled = await refused(certificate, { ...regions, 'kafka/kafka-cluster/kafka-clients-ca-cert': { 'ca.crt': 'c' }, 'kafka/kafka-cluster/kafka-clients-ca': { 'ca.key': 'k' } }, [], { 'strimzi.io/kind': 'Kafka', 'strimzi.io/cluster': 'other' });
    assert.equal(unlabelled[0], 'bridge.authentication: Secret kafka-cluster/kafka-clients-ca-cert in cluster kafka has no label strimzi.io/cluster=kafka, without which Strimzi does not find it: kubectl label secret --namespace kafka-cluster kafka-clients-ca-cert --overwrite strimzi.io/cluster=kafka.');
    assert.equal(unlabelled.length, 2);
    assert.deepEqual(await refused({ ...certificate, kafka: { existing: { bootstrapServers: 'kafka.example:9094', caCertificate: root } } }, regions), []);
  });

  it('have their entries, and passwords that end where they end', async () => {
    const east = async (data: Record<string, string>, changes = certificate): Promise<string> => (await refused({ ...changes, kafka: { existing: { bootstrapServers: 'kafka.example:9094', caCertificate: root } } }, { 'east/kafka-bridge/user': data }, ['west'])).join();
    assert.equal(await east({ 'user.crt': 'c' }), 'bridge.authentication.secret: Secret kafka-bridge/user in cluster east has no entry user.key; it has: user.crt.');
    assert.match(await east({}), /has no entry user\.crt, user\.key; it has: none\.$/);
    assert.equal(await east({ password: 'p\n' }, password), 'bridge.authentication.secret: Secret kafka-bridge/user in cluster east has a line break, a quotation mark or a backslash in password, which would not be the same password to bridges: make it without one, also at its end (printf, kubectl create secret --from-literal).');
    for (const odd of ['a"b', 'a\\b', 'a\nb']) assert.match(await east({ password: odd }, password), /has a line break, a quotation mark or a backslash in password/);
    assert.equal(await east({ password: "p w'ö#$%" }, password), '');
    assert.equal(await east(pem), '');
    for (const other of ['RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'CERTIFICATE']) {
      assert.match(await east({ ...pem, 'user.key': `-----BEGIN ${other}-----\n` }), /has a key that is not PKCS#8, which bridges cannot load\. Convert user\.key \(openssl/);
    }
    // Bridges of before have it converted.
    const before = { ...certificate, operators: { strimzi: { version: '1.0.1' } } };
    assert.equal(await east({ ...pem, 'user.key': '-----BEGIN RSA PRIVATE KEY-----\n' }, before), '');
    assert.match(await east({ ...pem, 'user.key': '-----BEGIN RSA PRIVATE KEY-----\n' }, { ...before, operators: { strimzi: { version: '1.1.0' } } }), /PKCS#8/);
    assert.match(await east({ ...pem, 'user.crt': pem['user.key'] }), /has no certificate in user\.crt\.$/);
  });

  it('are left to the engine where a cluster cannot be asked', async () => {
    assert.deepEqual(await refused(password, undefined), []);
  });
});
