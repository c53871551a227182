import { X509Certificate } from 'node:crypto';

import type * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import { type LiveObject, nameOf } from './cluster-reader.ts';
import { untilReady, type UntilReady } from './ready.ts';
import { Certificate, ClusterIssuer, Issuer } from './resources/cert-manager.ts';

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

const tenYears = '87600h';
const oneYear = '8760h';

/**
 * Root, issuer and leaf. Clients trust the root, which outlives every renewal of the leaf:
 * a self-signed leaf would take their trust away with each renewal.
 */
export function issueListenerCertificate(name: string, args: ListenerCertificateArgs, opts: { parent: pulumi.Resource }): ListenerCertificate {
  const { namespace, kafka } = args;
  const inNamespace = (object: string, ready?: UntilReady) => ({ name: object, namespace: namespace.metadata.name, ...(ready && { annotations: ready.annotations }) });
  const root = `${kafka}-listener-ca`;
  const leaf = `${kafka}-listener`;

  const selfSigned = new ClusterIssuer(`${name}-self-signed`, { metadata: { name: `${kafka}-self-signed` }, spec: { selfSigned: {} } }, opts);
  const rootReady = certificateReady(root, args);
  const rootCertificate = new Certificate(
    `${name}-root`,
    {
      metadata: inNamespace(root, rootReady),
      spec: {
        secretName: root,
        commonName: `${kafka} listener root`,
        isCA: true,
        duration: tenYears,
        usages: ['cert sign', 'crl sign', 'digital signature'],
        privateKey: { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Never' },
        issuerRef: { name: `${kafka}-self-signed`, kind: 'ClusterIssuer' },
      },
    },
    { ...opts, dependsOn: [selfSigned], ...rootReady.options },
  );
  const issuer = new Issuer(`${name}-issuer`, { metadata: inNamespace(root), spec: { ca: { secretName: root } } }, { ...opts, dependsOn: [rootCertificate] });
  const leafReady = certificateReady(leaf, args);
  const leafCertificate = new Certificate(
    `${name}-listener`,
    {
      metadata: inNamespace(leaf, leafReady),
      spec: {
        secretName: leaf,
        commonName: `${kafka} listener`,
        dnsNames: args.hosts,
        duration: oneYear,
        usages: ['server auth', 'digital signature', 'key encipherment'],
        privateKey: { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Always' },
        issuerRef: { name: root, kind: 'Issuer' },
      },
    },
    { ...opts, dependsOn: [issuer], ...leafReady.options },
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
      throw new pulumi.RunError(`ca.crt of ${nameOf(secret)} in cluster ${name} is not one CA certificate: bridges would not trust the brokers. Was the Secret made by another issuer?`);
    });
}

function certificateReady(certificate: string, { cluster, namespaceName }: ListenerCertificateArgs): UntilReady {
  return untilReady({ apiVersion: 'cert-manager.io/v1', kind: 'Certificate', namespace: namespaceName, name: certificate }, cluster, {
    waitFor: 'condition=Ready',
    seconds: 120,
  });
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
