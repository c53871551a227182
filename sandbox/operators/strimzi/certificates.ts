// The certificate library needs the polyfill before it.
import 'reflect-metadata';
import { createPrivateKey, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { messageOf } from '../../../errors.ts';
import { Failure } from './model.ts';

/** A certificate and its key, PEM; the key as PKCS#8, which is all that Kafka reads. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const validDays = 365;

/** A certificate authority that signs itself. */
export async function issueAuthority(commonName: string): Promise<Issued> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: subject(commonName), keys, signingAlgorithm: algorithm, ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await pemOf(keys.privateKey) };
}

/** A client's certificate; to Kafka the client is its whole subject. @throws Failure for an authority whose certificate or key cannot be read */
export async function issueClient(authority: Issued, commonName: string): Promise<Issued> {
  const { issuer, signingKey, signingAlgorithm } = read(authority);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [commonName] }], issuer: issuer.subjectName, publicKey: keys.publicKey, signingKey, signingAlgorithm, ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    ],
  });
  return { certificate: pem(certificate), key: await pemOf(keys.privateKey) };
}

// Somebody else's authority may have either kind of key, in any PEM.
function read({ certificate, key }: Issued): { issuer: x509.X509Certificate; signingKey: webcrypto.CryptoKey; signingAlgorithm: { name: string; hash: string } } {
  try {
    const issuer = new x509.X509Certificate(certificate);
    const given = createPrivateKey(key);
    const kind = given.asymmetricKeyType === 'ec' ? { name: 'ECDSA', namedCurve: curves[given.asymmetricKeyDetails?.namedCurve ?? ''] ?? '' } : { name: 'RSASSA-PKCS1-v1_5' };
    const signingAlgorithm = { ...kind, hash: 'SHA-256' };
    return { issuer, signingKey: given.toCryptoKey(signingAlgorithm, false, ['sign']), signingAlgorithm };
  } catch (error) {
    throw new Failure('InvalidCertificateException', `The clients CA cannot be used: ${messageOf(error)}`);
  }
}

const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };
const subject = (commonName: string): x509.JsonName => [{ O: ['io.strimzi'] }, { CN: [commonName] }];
const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
const pem = (certificate: x509.X509Certificate): string => `${certificate.toString('pem')}\n`;

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

// An hour in the past, for clocks that are set back after a suspend.
function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + validDays * 86_400_000) };
}
