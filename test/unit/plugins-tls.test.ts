import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { openSsh } from '../../sandbox/plugins/openssh.ts';
import { tlsPlugin } from '../../sandbox/plugins/tls.ts';
import { plain, secret } from '../../sandbox/plugins/values.ts';
import type { Bag } from '../../sandbox/plugins/values.ts';

const plugin = tlsPlugin({ info: () => undefined, status: () => undefined });
const keyUrn = 'urn:pulumi:dev::tiny::tls:index/privateKey:PrivateKey::key';
const certUrn = 'urn:pulumi:dev::tiny::tls:index/selfSignedCert:SelfSignedCert::cert';

async function create(urn: string, given: Bag): Promise<Bag> {
  const { inputs, failures = [] } = await plugin.check(urn, {}, given);
  assert.deepEqual(failures, []);
  return (await plugin.create(urn, inputs as Bag)).outs as Bag;
}

const text = (value: unknown): string => String(plain(value));

describe('the stand-in for the tls plugin: private keys', () => {
  const kinds: [Bag, RegExp, string][] = [
    [{ algorithm: 'RSA' }, /^-----BEGIN RSA PRIVATE KEY-----/, 'ssh-rsa'],
    [{ algorithm: 'ECDSA', ecdsaCurve: 'P256' }, /^-----BEGIN EC PRIVATE KEY-----/, 'ecdsa-sha2-nistp256'],
    [{ algorithm: 'ECDSA', ecdsaCurve: 'P384' }, /^-----BEGIN EC PRIVATE KEY-----/, 'ecdsa-sha2-nistp384'],
    [{ algorithm: 'ED25519' }, /^-----BEGIN PRIVATE KEY-----/, 'ssh-ed25519'],
  ];
  for (const [inputs, head, ssh] of kinds) {
    it(`makes ${JSON.stringify(inputs)}, whose private forms are secret and one key`, async () => {
      const outs = await create(keyUrn, inputs);
      const key = createPrivateKey(text(outs['privateKeyPem']));
      assert.match(text(outs['privateKeyPem']), head);
      assert.ok(key.equals(createPrivateKey(text(outs['privateKeyPemPkcs8']))));
      assert.ok(createPublicKey(key).equals(createPublicKey(text(outs['publicKeyPem']))));
      for (const name of ['privateKeyPem', 'privateKeyPemPkcs8', 'privateKeyOpenssh']) assert.deepEqual(outs[name], secret(text(outs[name])));
      const [type, blob = ''] = text(outs['publicKeyOpenssh']).trim().split(' ');
      assert.equal(type, ssh);
      const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=$/, '');
      assert.equal(outs['publicKeyFingerprintSha256'], `SHA256:${digest}`);
      assert.match(text(outs['publicKeyFingerprintMd5']), /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    });
  }

  it('has the defaults of the official plugin, and no OpenSSH form of what OpenSSH does not have', async () => {
    const outs = await create(keyUrn, { algorithm: 'ECDSA' });
    assert.deepEqual([outs['ecdsaCurve'], outs['rsaBits'], outs['publicKeyOpenssh'], plain(outs['privateKeyOpenssh'])], ['P224', 2048, '', '']);
    assert.equal(createPrivateKey(text(outs['privateKeyPem'])).asymmetricKeyDetails?.namedCurve, 'secp224r1');
  });

  it('writes the public keys and fingerprints that ssh-keygen writes', () => {
    // Of the bytes 0 to 31, which protect nothing.
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from([...Array(32).keys()])]);
    const { publicKey, md5, sha256 } = openSsh(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
    assert.equal(publicKey, 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n');
    assert.equal(md5, 'f1:02:17:de:ef:c1:30:83:11:8b:82:a0:0e:67:7f:d5');
    assert.equal(sha256, 'SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg');
  });

  it('stays as it is for the same inputs, and is another key for others', async () => {
    const before = await create(keyUrn, { algorithm: 'RSA' });
    const { inputs } = await plugin.check(keyUrn, {}, { algorithm: 'RSA' });
    assert.deepEqual(await plugin.diff('id', keyUrn, before, inputs as Bag), { changes: false, replaces: [] });
    assert.deepEqual((await plugin.diff('id', keyUrn, before, { ...inputs as Bag, rsaBits: 4096 })).replaces, ['rsaBits']);
  });

  it('refuses other algorithms', async () => {
    assert.match((await plugin.check(keyUrn, {}, { algorithm: 'DSA' })).failures?.[0]?.reason ?? '', /expected one of "RSA"\|"ECDSA"\|"ED25519"/);
  });
});

describe('the stand-in for the tls plugin: self-signed certificates', () => {
  let key: Bag;
  let wanted: Bag;
  before(async () => {
    key = await create(keyUrn, { algorithm: 'ECDSA', ecdsaCurve: 'P256' });
    wanted = {
      privateKeyPem: key['privateKeyPem'], validityPeriodHours: 24, allowedUses: ['digital_signature', 'server_auth'],
      subject: { commonName: 'bridge.example', organization: 'Example' }, dnsNames: ['bridge.example', '*.bridge.example'], ipAddresses: ['192.0.2.1', '2001:db8::1'],
    };
  });
  const failures = async (changes: Bag): Promise<string[]> =>
    ((await plugin.check(certUrn, {}, { ...wanted, ...changes })).failures ?? []).map(({ property, reason }) => `${property}: ${reason}`);

  it('says what it was asked to say, of the key that it was given', async () => {
    const outs = await create(certUrn, wanted);
    const certificate = new X509Certificate(text(outs['certPem']));
    assert.ok(certificate.verify(createPublicKey(text(key['publicKeyPem']))));
    assert.equal(certificate.subject, 'O=Example\nCN=bridge.example');
    assert.equal(certificate.issuer, certificate.subject);
    assert.equal(certificate.subjectAltName, 'DNS:bridge.example, DNS:*.bridge.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1');
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
    assert.equal(certificate.ca, false);
    assert.equal(certificate.validToDate.getTime() - certificate.validFromDate.getTime(), 24 * 3_600_000);
    assert.equal(Math.floor(Date.parse(text(outs['validityEndTime'])) / 1000), certificate.validToDate.getTime() / 1000);
    assert.deepEqual([outs['keyAlgorithm'], outs['readyForRenewal'], outs['earlyRenewalHours']], ['ECDSA', false, 0]);
    assert.deepEqual(outs['privateKeyPem'], key['privateKeyPem']);
  });

  it('can be an authority, of any kind of key that can sign', async () => {
    for (const algorithm of [{ algorithm: 'RSA' }, { algorithm: 'ECDSA', ecdsaCurve: 'P384' }, { algorithm: 'ED25519' }]) {
      const { privateKeyPem } = await create(keyUrn, algorithm);
      const outs = await create(certUrn, { ...wanted, privateKeyPem, isCaCertificate: true, maxPathLength: 0, allowedUses: ['cert_signing'], setAuthorityKeyId: true });
      const certificate = new X509Certificate(text(outs['certPem']));
      assert.equal(certificate.ca, true);
      assert.ok(certificate.checkIssued(certificate));
      assert.equal(outs['keyAlgorithm'], algorithm.algorithm);
    }
  });

  it('makes a secret of a key that was given in plain', async () => {
    const outs = await create(certUrn, { ...wanted, privateKeyPem: text(key['privateKeyPem']) });
    assert.deepEqual(outs['privateKeyPem'], key['privateKeyPem']);
  });

  it('stays as it is for the same inputs, is replaced for others, and only updated for an earlier renewal', async () => {
    const outs = await create(certUrn, wanted);
    const { inputs } = await plugin.check(certUrn, {}, wanted);
    const diff = async (changes: Bag) => await plugin.diff('id', certUrn, outs, { ...inputs as Bag, ...changes });
    assert.deepEqual(await diff({}), { changes: false, replaces: [] });
    assert.deepEqual(await diff({ dnsNames: ['other.example'] }), { changes: true, replaces: ['dnsNames'] });
    assert.deepEqual(await diff({ earlyRenewalHours: 1 }), { changes: true, replaces: [] });
    const { outs: updated } = await plugin.update('id', certUrn, outs, { ...inputs as Bag, earlyRenewalHours: 1 });
    assert.deepEqual(updated, { ...outs, earlyRenewalHours: 1 });
  });

  it('is due, and replaced, from the hour of its early renewal on', async () => {
    const outs = await create(certUrn, { ...wanted, earlyRenewalHours: 24 });
    assert.equal(outs['readyForRenewal'], true);
    assert.deepEqual((await plugin.diff('id', certUrn, outs, outs)).replaces, ['readyForRenewal']);
    const stale = { ...await create(certUrn, wanted), validityEndTime: new Date(Date.now() - 1).toISOString() };
    assert.equal(((await plugin.read('id', certUrn, stale)).props as Bag)['readyForRenewal'], true);
  });

  it('refuses what it cannot do, naming the field, and a key\'s text never', async () => {
    const p224 = await create(keyUrn, { algorithm: 'ECDSA' });
    assert.match((await failures({ privateKeyPem: p224['privateKeyPem'] })).join(), /^: privateKeyPem: is no private key in PEM/);
    assert.match((await failures({ privateKeyPem: secret('x') })).join(), /^: privateKeyPem: is no private key in PEM/);
    assert.match((await failures({ privateKeyPemWo: 'x' })).join(), /^privateKeyPemWo: the stand-in .* does not honour it/);
    assert.match((await failures({ allowedUses: ['serve'] })).join(), /^allowedUses: 0: Invalid option/);
    assert.match((await failures({ subject: { comonName: 'x' } })).join(), /^subject: Unrecognized key: "comonName"$/);
    assert.match((await failures({ ipAddresses: ['192.0.2'] })).join(), /^ipAddresses: 0: is no IP address$/);
    assert.match((await failures({ validityPeriodHours: undefined })).join(), /^validityPeriodHours: Invalid input/);
    await assert.rejects(create(certUrn, { ...wanted, subject: undefined, isCaCertificate: true }), /subject: a certificate authority must have one/);
  });
});
