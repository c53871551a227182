import { X509Certificate } from 'node:crypto';

import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import { type LiveObject, nameOf, type ObjectReference, plainError } from './cluster-reader.ts';

/**
 * The CA certificate in a Secret that an issuer filled, and nothing else of it: beside it lies a key, which must not enter the state.
 * @param expected `leaf` where a certificate is its own authority, as the walk-through has it
 */
export function caOfSecret(secret: ObjectReference, { name, reader }: Cluster, expected: 'authority' | 'leaf'): pulumi.Output<string> {
  const where = `${nameOf(secret)} in cluster ${name}`;
  const select = (object: LiveObject): string | undefined => {
    const { 'ca.crt': ca, ...others } = entriesOf(object) ?? {};
    if (ca !== undefined && ca !== '' && !isTrustAnchor(ca, expected)) {
      throw plainError(`ca.crt of ${where} is not one CA certificate: bridges would not trust the brokers. Was the Secret made by another issuer?`);
    }
    if (!ca && Object.keys(others).length > 0) {
      throw plainError(
        `${where} has no ca.crt: its issuer does not say which CA signs, so that bridges cannot trust the brokers.\n` +
          'Set kafka.certificate.source to secret, with this Secret and with the CA as caCertificate.',
      );
    }
    return ca;
  };
  return reader.awaitField(secret, { select, what: 'ca.crt', timeoutMs: 30_000 });
}

export interface ExistingSecretArgs {
  readonly cluster: Cluster;
  readonly namespaceName: string;
  readonly secret: { readonly name: string; readonly certificate: string; readonly key: string };
  readonly advertised: readonly string[];
  readonly pkcs8: boolean;
}

/**
 * Name of a Secret that exists, once it was found to be of use: brokers that cannot load it come up as a Kafka that never gets ready.
 * A cluster that cannot be asked is left to the engine.
 */
export function existingSecret({ cluster: { name: cluster, reader }, namespaceName, secret, advertised, pkcs8 }: ExistingSecretArgs): pulumi.Output<string> {
  const reference = { apiVersion: 'v1', kind: 'Secret', namespace: namespaceName, name: secret.name };
  const look = async (): Promise<string> => {
    let found: LiveObject | undefined;
    try {
      found = await reader.read(reference);
    } catch {
      return secret.name;
    }
    const lack = whatLacks(found, { secret, advertised, pkcs8 });
    if (lack === undefined) return secret.name;
    throw plainError(`kafka.certificate.secret: ${nameOf(reference)} in cluster ${cluster} ${lack}`);
  };
  return pulumi.output(look());
}

function whatLacks(found: LiveObject | undefined, { secret, advertised, pkcs8 }: Omit<ExistingSecretArgs, 'cluster' | 'namespaceName'>): string | undefined {
  if (found === undefined) return 'is not there. Make it first: its namespace is not made by this program.';
  const entries = entriesOf(found) ?? {};
  const { [secret.certificate]: certificate = '', [secret.key]: key = '' } = entries;
  for (const [entry, value] of [[secret.certificate, certificate], [secret.key, key]]) {
    if (value === '') return `has no entry ${entry}; it has: ${Object.keys(entries).sort().join(', ') || 'none'}.`;
  }
  if (pkcs8 && !key.includes('-----BEGIN PRIVATE KEY-----')) {
    return `has a key that is not PKCS#8, which brokers cannot load. Convert ${secret.key} (openssl pkcs8 -topk8 -nocrypt), or set privateKey.encoding: PKCS8 in its Certificate.`;
  }
  const missing = notCovered(certificate, advertised);
  return missing === undefined ? `has no certificate in ${secret.certificate}.` : missing.length === 0 ? undefined : `has a certificate that does not cover what brokers advertise: ${missing.join(', ')}.`;
}

/** Hosts that a certificate is not good for; undefined if it is none. */
function notCovered(chain: string, hosts: readonly string[]): string[] | undefined {
  try {
    const leaf = new X509Certificate(chain);
    return hosts.filter((host) => leaf.checkHost(host) === undefined);
  } catch {
    return undefined;
  }
}

/** The entries of a Secret as text; undefined while it has none. */
function entriesOf(secret: LiveObject): Record<string, string> | undefined {
  const { data } = secret as { data?: Record<string, string> };
  return data === undefined ? undefined : Object.fromEntries(Object.entries(data).map(([key, encoded]) => [key, Buffer.from(encoded, 'base64').toString('utf8')]));
}

/** Bridges use the first certificate of a file only, so there must be no more, and never a key. */
function isTrustAnchor(pem: string, expected: 'authority' | 'leaf'): boolean {
  if ([...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label]) => label).join() !== 'CERTIFICATE') return false;
  try {
    return new X509Certificate(pem).ca || expected === 'leaf';
  } catch {
    return false;
  }
}
