import { X509Certificate } from 'node:crypto';

import type * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import { type LiveObject, nameOf, plainError } from './cluster-reader.ts';
import { untilReady } from './ready.ts';
import { Certificate, type CertificateSpec, ClusterIssuer, Issuer } from './resources/cert-manager.ts';

export interface ListenerCertificateArgs {
  readonly cluster: Cluster;
  /** Namespace of Kafka, and its name. */
  readonly namespace: k8s.core.v1.Namespace;
  readonly namespaceName: string;
  /** Name of the Kafka resource, which the names of issuers and Secrets begin with. */
  readonly kafka: string;
  /** Host names that the certificate is for. */
  readonly hosts: readonly string[];
}

export interface ListenerCertificate {
  readonly leaf: Certificate;
  /** Secret with `tls.crt`, `tls.key` and the root as `ca.crt`. */
  readonly secretName: string;
}

interface CertificateArgs extends Pick<ListenerCertificateArgs, 'cluster' | 'namespace' | 'namespaceName'> {
  readonly certificate: string;
}

const privateKey = { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8' } as const;
const tenYears = '87600h';
const oneYear = '8760h';

/**
 * Root, issuer and leaf. Clients trust the root, which outlives every renewal of the leaf:
 * a self-signed leaf would take their trust away with each renewal.
 */
export function issueListenerCertificate(name: string, args: ListenerCertificateArgs, opts: { parent: pulumi.Resource }): ListenerCertificate {
  const { namespace, kafka } = args;
  const root = `${kafka}-listener-ca`;
  const leaf = `${kafka}-listener`;

  const selfSigned = new ClusterIssuer(`${name}-self-signed`, { metadata: { name: `${kafka}-self-signed` }, spec: { selfSigned: {} } }, opts);
  const rootCertificate = issue(
    `${name}-root`,
    { ...args, certificate: root },
    {
      commonName: `${kafka} listener root`,
      isCA: true,
      duration: tenYears,
      usages: ['cert sign', 'crl sign', 'digital signature'],
      privateKey: { ...privateKey, rotationPolicy: 'Never' },
      issuerRef: { name: `${kafka}-self-signed`, kind: 'ClusterIssuer' },
    },
    { ...opts, dependsOn: [selfSigned] },
  );
  const issuer = new Issuer(
    `${name}-issuer`,
    { metadata: { name: root, namespace: namespace.metadata.name }, spec: { ca: { secretName: root } } },
    { ...opts, dependsOn: [rootCertificate] },
  );
  const leafCertificate = issue(
    `${name}-listener`,
    { ...args, certificate: leaf },
    {
      commonName: `${kafka} listener`,
      dnsNames: args.hosts,
      duration: oneYear,
      usages: ['server auth', 'digital signature', 'key encipherment'],
      privateKey: { ...privateKey, rotationPolicy: 'Always' },
      issuerRef: { name: root, kind: 'Issuer' },
    },
    { ...opts, dependsOn: [issuer] },
  );
  return { leaf: leafCertificate, secretName: leaf };
}

/** The root alone, read past the engine: the Secret beside it holds the brokers' key. */
export function readRootCertificate({ leaf, secretName }: ListenerCertificate, namespace: string, { name, reader }: Cluster): pulumi.Output<string> {
  const secret = { apiVersion: 'v1', kind: 'Secret', namespace, name: secretName };
  return leaf.id
    .apply(() => reader.awaitField(secret, { select: rootOf, what: 'ca.crt', timeoutMs: 30_000 }))
    .apply((pem) => {
      if (isAuthority(pem)) return pem;
      throw plainError(`ca.crt of ${nameOf(secret)} in cluster ${name} is not one CA certificate: bridges would not trust the brokers. Was the Secret made by another issuer?`);
    });
}

/** A certificate whose Secret has its name. */
function issue(name: string, args: CertificateArgs, spec: Omit<CertificateSpec, 'secretName'>, opts: pulumi.CustomResourceOptions): Certificate {
  const { certificate, cluster, namespace, namespaceName } = args;
  return untilReady(
    { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', namespace: namespaceName, name: certificate },
    cluster,
    { waitFor: 'condition=Ready', seconds: 120 },
    ({ annotations, options }) =>
      new Certificate(name, { metadata: { name: certificate, namespace: namespace.metadata.name, annotations }, spec: { ...spec, secretName: certificate } }, { ...opts, ...options }),
  );
}

function rootOf(secret: LiveObject): string | undefined {
  const { 'ca.crt': encoded } = (secret['data'] ?? {}) as Record<string, string | undefined>;
  return encoded === undefined || encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** Bridges use the first certificate of a file only, so there must be no more, and never a key. */
function isAuthority(pem: string): boolean {
  if ([...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label]) => label).join() !== 'CERTIFICATE') return false;
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
