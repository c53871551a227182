// The certificate library needs the polyfill before it.
import 'reflect-metadata';
import { createPublicKey } from 'node:crypto';
import type { KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** What a self-signed certificate says, in the official plugin's words. */
export interface CertificateOptions {
  readonly key: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** 128 bits in hexadecimal digits. */
  readonly serialNumber: string;
  readonly subject: Readonly<Record<string, string | readonly string[]>>;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly allowedUses: readonly string[];
  readonly isCaCertificate: boolean;
  readonly maxPathLength: number | undefined;
  readonly setSubjectKeyId: boolean;
  readonly setAuthorityKeyId: boolean;
}

const flags = x509.KeyUsageFlags;
const usages: Readonly<Record<string, x509.KeyUsageFlags>> = {
  digital_signature: flags.digitalSignature, content_commitment: flags.nonRepudiation, key_encipherment: flags.keyEncipherment,
  data_encipherment: flags.dataEncipherment, key_agreement: flags.keyAgreement, cert_signing: flags.keyCertSign, crl_signing: flags.cRLSign,
  encipher_only: flags.encipherOnly, decipher_only: flags.decipherOnly,
};
const pkix = '1.3.6.1.5.5.7.3';
const extendedUsages: Readonly<Record<string, string>> = {
  any_extended: '2.5.29.37.0', server_auth: `${pkix}.1`, client_auth: `${pkix}.2`, code_signing: `${pkix}.3`, email_protection: `${pkix}.4`,
  ipsec_end_system: `${pkix}.5`, ipsec_tunnel: `${pkix}.6`, ipsec_user: `${pkix}.7`, timestamping: `${pkix}.8`, ocsp_signing: `${pkix}.9`,
  microsoft_server_gated_crypto: '1.3.6.1.4.1.311.10.3.3', netscape_server_gated_crypto: '2.16.840.1.113730.4.1',
  microsoft_commercial_code_signing: '1.3.6.1.4.1.311.2.1.22', microsoft_kernel_code_signing: '1.3.6.1.4.1.311.61.1.1',
};

export const allowedUses: readonly string[] = [...Object.keys(usages), ...Object.keys(extendedUsages)];

/** Parts of a subject, in the order in which Go writes them. */
const subjectParts: Readonly<Record<string, string>> = {
  country: '2.5.4.6', organization: '2.5.4.10', organizationalUnit: '2.5.4.11', locality: '2.5.4.7', province: '2.5.4.8', streetAddresses: '2.5.4.9',
  postalCode: '2.5.4.17', commonName: '2.5.4.3', serialNumber: '2.5.4.5', emailAddress: '1.2.840.113549.1.9.1',
};

export const subjectFields: readonly string[] = Object.keys(subjectParts);

/** OpenSSL's names of the curves that webcrypto has, with what each is signed with. */
const curves: Readonly<Record<string, { namedCurve: string; hash: string }>> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' }, secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' }, secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
};

type Signing = webcrypto.RsaHashedImportParams & webcrypto.EcKeyImportParams & webcrypto.EcdsaParams;

/** How webcrypto names the key's algorithm; undefined for what it cannot sign with. */
export function signing(key: KeyObject): Signing | undefined {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as Signing;
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' } as Signing;
  const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  return curve && { name: 'ECDSA', ...curve };
}

/** The certificate, in PEM. */
export async function selfSigned(o: CertificateOptions): Promise<string> {
  const algorithm = signing(o.key);
  if (algorithm === undefined) throw new Error('nothing can be signed with a key of this kind');
  const keys = {
    privateKey: o.key.toCryptoKey(algorithm, true, ['sign']),
    publicKey: createPublicKey(o.key).toCryptoKey(algorithm, true, ['verify']),
  };
  const name = new x509.Name(Object.entries(subjectParts).flatMap(([field, oid]) =>
    [o.subject[field] ?? []].flat().map((value) => ({ [oid]: [value] }))));
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: name.toJSON(), keys, signingAlgorithm: algorithm,
    serialNumber: o.serialNumber, notBefore: o.notBefore, notAfter: o.notAfter, extensions: await extensions(o, keys.publicKey, name.toJSON().length === 0),
  });
  return `${certificate.toString('pem')}\n`;
}

async function extensions(o: CertificateOptions, publicKey: webcrypto.CryptoKey, nameless: boolean): Promise<x509.Extension[]> {
  const usage = o.allowedUses.reduce((sum, use) => sum | (usages[use] ?? 0), 0);
  const extended = o.allowedUses.flatMap((use) => extendedUsages[use] ?? []);
  const names = [
    ...o.dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...o.ipAddresses.map((value) => ({ type: 'ip' as const, value })),
    ...o.uris.map((value) => ({ type: 'url' as const, value })),
  ];
  return [
    ...(usage === 0 ? [] : [new x509.KeyUsagesExtension(usage, true)]),
    ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
    new x509.BasicConstraintsExtension(o.isCaCertificate, o.isCaCertificate ? o.maxPathLength : undefined, true),
    ...(o.isCaCertificate || o.setSubjectKeyId ? [await x509.SubjectKeyIdentifierExtension.create(publicKey)] : []),
    ...(o.setAuthorityKeyId ? [await x509.AuthorityKeyIdentifierExtension.create(publicKey)] : []),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, nameless)]),
  ];
}
