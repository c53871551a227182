import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { issueAuthority, issueClient } from '../../sandbox/operators/strimzi/certificates.ts';
import { settleClientsCa } from '../../sandbox/operators/strimzi/clients-ca.ts';
import { Failure, type Kafka } from '../../sandbox/operators/strimzi/model.ts';
import { clusterOf, kafka, secret, textIn } from './strimzi-fixtures.ts';

const asking = (change: (kafka: Kafka) => void = () => undefined): { kafka: Kafka; listeners: Kafka['spec']['kafka']['listeners'] } => {
  const resource = kafka((each) => {
    for (const listener of each.spec.kafka.listeners) listener.authentication = { type: 'tls' };
    change(each);
  });
  return { kafka: resource, listeners: resource.spec.kafka.listeners };
};
const given = (each: Kafka): void => { each.spec.clientsCa = { generateCertificateAuthority: false }; };
const labelled = (data: Record<string, string>): object => ({ ...secret(data), metadata: { labels: { 'strimzi.io/kind': 'Kafka', 'strimzi.io/cluster': 'kafka' } } });
const certificate = 'secrets/kafka-clients-ca-cert';
const key = 'secrets/kafka-clients-ca';

describe('strimzi: the clients\' CA of a Kafka', () => {
  it('is made where a listener asks for certificates, with Strimzi\'s names and labels, and goes with it', async () => {
    const { cluster, has } = clusterOf({});
    const trusted = await settleClientsCa(cluster, asking());
    assert.ok(new X509Certificate(trusted ?? '').ca);
    for (const path of [certificate, key]) {
      const { metadata: { labels, ownerReferences } } = has(path);
      assert.deepEqual([labels?.['strimzi.io/kind'], labels?.['strimzi.io/cluster'], labels?.['strimzi.io/component-type'], ownerReferences?.length], ['Kafka', 'kafka', 'certificate-authority', 1]);
    }
    assert.deepEqual([Object.keys(has(certificate).data ?? {}), Object.keys(has(key).data ?? {})], [['ca.crt'], ['ca.key']]);
    assert.ok(new X509Certificate(textIn(has(certificate), 'ca.crt')).checkPrivateKey(createPrivateKey(textIn(has(key), 'ca.key'))));
  });

  it('stays the same once it is there, so that no broker starts anew', async () => {
    const { cluster } = clusterOf({});
    assert.equal(await settleClientsCa(cluster, asking()), await settleClientsCa(cluster, asking()));
  });

  it('is not made where no listener asks for certificates', async () => {
    const { cluster, has } = clusterOf({});
    const other = kafka();
    assert.equal(await settleClientsCa(cluster, { kafka: other, listeners: other.spec.kafka.listeners }), undefined);
    assert.throws(() => has(certificate));
  });

  it('that is the person\'s is taken as it is, with all that it trusts', async () => {
    const { cluster, has } = clusterOf({ [certificate]: labelled({ 'ca.crt': 'NEW\n', 'ca-2026.crt': 'OLD\n', 'ca.p12': 'x' }), [key]: labelled({ 'ca.key': 'KEY' }) });
    assert.equal(await settleClientsCa(cluster, asking(given)), 'OLD\nNEW');
    assert.equal(textIn(has(certificate), 'ca.crt'), 'NEW\n');
  });

  const missing: [string, Record<string, object>, string][] = [
    ['certificate', { [key]: labelled({ 'ca.key': 'KEY' }) }, 'Clients CA should not be generated, but the secrets were not found.'], ['key', { [certificate]: labelled({ 'ca.crt': 'CRT' }) }, 'Clients CA should not be generated, but the secrets were not found.'],
    ['labels', { [certificate]: secret({ 'ca.crt': 'CRT' }), [key]: labelled({ 'ca.key': 'KEY' }) }, 'Clients CA should not be generated, but the secrets were not found.'],
    ['entry', { [certificate]: labelled({ 'tls.crt': 'CRT' }), [key]: labelled({ 'ca.key': 'KEY' }) }, 'Secret kafka-clients-ca-cert has no key ca.crt'],
  ];
  for (const [what, objects, message] of missing) {
    it(`that is the person's has to be there: without its ${what} there is no Kafka`, async () => {
      await assert.rejects(settleClientsCa(clusterOf(objects).cluster, asking(given)), (error: unknown) => error instanceof Failure && error.reason === 'InvalidResourceException' && error.message === message);
    });
  }
});

describe('strimzi: a client\'s certificate', () => {
  it('is signed by the CA, for clients only, with a key that Kafka reads', async () => {
    const authority = await issueAuthority('clients-ca v0');
    const issued = await issueClient(authority, 'one');
    const client = new X509Certificate(issued.certificate);
    assert.ok(client.verify(new X509Certificate(authority.certificate).publicKey) && client.checkIssued(new X509Certificate(authority.certificate)));
    assert.deepEqual([client.subject, client.ca, client.keyUsage], ['CN=one', false, ['1.3.6.1.5.5.7.3.2']]);
    assert.match(issued.key, /^-----BEGIN PRIVATE KEY-----/);
    assert.ok(client.checkPrivateKey(createPrivateKey(issued.key)));
  });

  it('is signed by a CA of any kind of key and any PEM of it, with a chain behind its certificate', async () => {
    const { certificate: ours } = await issueAuthority('ours');
    const keys = [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }), generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey.export({ type: 'sec1', format: 'pem' })] as string[];
    for (const own of keys) assert.ok(new X509Certificate((await issueClient({ certificate: `${ours}${ours}`, key: own }, 'one')).certificate).verify(createPublicKey(own)));
  });

  it('cannot be of a CA that is none', async () => {
    await assert.rejects(issueClient({ certificate: 'x', key: 'y' }, 'one'), (error: unknown) => error instanceof Failure && error.reason === 'InvalidCertificateException');
  });
});
