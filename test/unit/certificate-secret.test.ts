import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import * as pulumi from '@pulumi/pulumi';

import { caOfSecret, existingSecret } from '../../components/certificate-secret.ts';
import type { Cluster } from '../../components/cluster.ts';
import type { LiveObject } from '../../components/cluster-reader.ts';
import { serverCertificate } from '../fixtures/server-certificate.ts';

const root = readFileSync(new URL('../fixtures/certificates/root.crt', import.meta.url), 'utf8');
const leaf = readFileSync(new URL('../fixtures/certificates/leaf.crt', import.meta.url), 'utf8');
const hosts = ['bootstrap.kafka.example', 'broker-0.kafka.example'];

describe('a Secret with the listeners’ certificate that exists', () => {
  const found = (data: Record<string, string> | undefined, pkcs8 = true): Promise<unknown> =>
    valueOf(existingSecret({ cluster: clusterWith(data), namespaceName: 'kafka-cluster', secret: { name: 'company', certificate: 'tls.crt', key: 'tls.key' }, advertised: hosts, pkcs8 }));
  const refused = (data: Record<string, string> | undefined, message: RegExp): Promise<void> =>
    assert.rejects(found(data), (error: Error) => {
      assert.match(error.message, /^kafka\.certificate\.secret: Secret kafka-cluster\/company in cluster here /);
      assert.match(error.message, message);
      return true;
    });

  it('is taken when brokers can load it and it covers what they advertise', async () => {
    const { cert, key } = await serverCertificate(hosts);
    assert.equal(await found({ 'tls.crt': cert, 'tls.key': key }), 'company');
    const { cert: wildcard } = await serverCertificate(['*.kafka.example']);
    assert.equal(await found({ 'tls.crt': wildcard, 'tls.key': key }), 'company');
  });

  it('may have a key of the old form where brokers load it', async () => {
    const { cert } = await serverCertificate(hosts);
    const old = { 'tls.crt': cert, 'tls.key': '-----BEGIN RSA PRIVATE KEY-----' };
    await refused(old, /has a key that is not PKCS#8/);
    assert.equal(await found(old, false), 'company');
  });

  it('has to be there', () => refused(undefined, /is not there\. Make it first/));
  it('has to have both entries', () => refused({ 'tls.crt': root, password: 'x' }, /has no entry tls\.key; it has: password, tls\.crt\./));
  it('has to hold a certificate', () => refused({ 'tls.crt': 'x', 'tls.key': '-----BEGIN PRIVATE KEY-----' }, /has no certificate in tls\.crt/));
  it('has to cover every host that brokers advertise', async () => {
    const { cert, key } = await serverCertificate(hosts.slice(0, 1));
    await refused({ 'tls.crt': cert, 'tls.key': key }, /does not cover what brokers advertise: broker-0\.kafka\.example\./);
  });

  it('is left to the engine where its cluster cannot be asked', async () => {
    const cluster = { ...clusterWith({}), reader: { ...clusterWith({}).reader, read: () => Promise.reject(new Error('connection refused')) } };
    assert.equal(await valueOf(existingSecret({ cluster, namespaceName: 'n', secret: { name: 'company', certificate: 'c', key: 'k' }, advertised: [], pkcs8: true })), 'company');
  });
});

describe('the CA that clients trust', () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', namespace: 'kafka-cluster', name: 'kafka-listener' };
  const ca = (data: Record<string, string>, expected: 'authority' | 'leaf' = 'authority') => valueOf(caOfSecret(secret, clusterWith({ 'tls.key': 'leaf-key', ...data }), expected));

  it('is the root alone', async () => assert.equal(await ca({ 'ca.crt': root }), root));
  it('has to come from the issuer', () => assert.rejects(ca({}), /^Error: Secret kafka-cluster\/kafka-listener in cluster here has no ca\.crt: its issuer does not say which CA signs/));
  it('is a leaf only where that is what was asked for', async () => {
    await assert.rejects(ca({ 'ca.crt': leaf }), /is not one CA certificate/);
    assert.equal(await ca({ 'ca.crt': leaf }, 'leaf'), leaf);
  });
  it('is one certificate', () => assert.rejects(ca({ 'ca.crt': root + root }), /is not one CA certificate/));
  it('is never beside a key', () => assert.rejects(ca({ 'ca.crt': `${root}-----BEGIN PRIVATE KEY-----` }, 'leaf'), /is not one CA certificate/));
});

function clusterWith(data: Record<string, string> | undefined): Cluster {
  const encoded = data && { data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])) };
  const object = encoded as LiveObject | undefined;
  const reader = {
    read: () => Promise.resolve(object),
    awaitField: (_reference: unknown, { select }: { select: (object: LiveObject) => unknown }) => pulumi.output(Promise.resolve(object).then((found) => found && select(found))),
  };
  return { name: 'here', reader } as unknown as Cluster;
}

function valueOf(output: pulumi.Output<unknown>): Promise<unknown> {
  return (output as unknown as { promise(): Promise<unknown> }).promise();
}
