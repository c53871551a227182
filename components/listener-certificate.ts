import * as pulumi from '@pulumi/pulumi';

import { caOfSecret, existingSecret } from './certificate-secret.ts';
import type { Cluster } from './cluster.ts';
import type { InstalledKafka } from '../config/schema.ts';
import { untilReady } from './ready.ts';
import { Certificate, type CertificateSpec, ClusterIssuer, Issuer } from './resources/cert-manager.ts';
import type { CertificateSecret } from './resources/strimzi.ts';

type Source = InstalledKafka['certificate'];

export interface ListenerCertificateArgs {
  readonly cluster: Cluster;
  /** Namespace of Kafka, and its name. */
  readonly namespace: pulumi.Input<string>;
  readonly namespaceName: string;
  /** Name of the Kafka resource, which the names of issuers and Secrets begin with. */
  readonly kafka: string;
  readonly source: Source;
  /** Host names that the certificate is for. */
  readonly hosts: readonly string[];
  /** Those of them that brokers advertise to other clusters. */
  readonly advertised: readonly string[];
  /** Whether brokers load keys in PKCS#8 only, as they do since Strimzi 0.49. */
  readonly pkcs8: boolean;
}

/** The certificate that listeners show, and what clients trust it by. */
export interface ListenerCertificate {
  readonly secret: CertificateSecret;
  /** What has to be there before Kafka. */
  readonly dependsOn: readonly pulumi.Resource[];
  /** PEM of the CA certificate, and of nothing else: no key enters the state. */
  readonly caCertificate: pulumi.Output<string>;
}

interface Parent {
  readonly parent: pulumi.Resource;
}

const privateKey = { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8' } as const;
const days = (count: number) => `${count * 24}h`;

/** The issuer of the leaf that the program's own root signs. */
export function rootIssuer(kafka: string): string {
  return `${kafka}-listener-ca`;
}

/** The walk-through's name of its issuer. */
export const selfSignedIssuer = 'selfsigned-issuer-kafka';

/** Makes the certificate, or finds it, as its source says. */
export function listenerCertificate(name: string, args: ListenerCertificateArgs, opts: Parent): ListenerCertificate {
  const { source } = args;
  switch (source.source) {
    case 'own-root':
      return ownRoot(name, { ...args, source }, opts);
    case 'issuer':
      return byCertManager(leafOf(name, args, { ...leaf(args, source.leafDays), issuerRef: source.issuer }, opts), args, 'authority');
    case 'self-signed':
      return selfSigned(name, { ...args, source }, opts);
    case 'secret': {
      const { secret, caCertificate } = source;
      const { certificate, key } = secret;
      return { secret: { secretName: existingSecret({ ...args, secret }), certificate, key }, dependsOn: [], caCertificate: pulumi.output(caCertificate) };
    }
  }
}

/** Of one kind of source. */
type From<S extends Source['source']> = ListenerCertificateArgs & { readonly source: Extract<Source, { source: S }> };

/**
 * Root, issuer and leaf. Clients trust the root, which outlives every renewal of the leaf:
 * a self-signed leaf would take their trust away with each renewal.
 */
function ownRoot(name: string, args: From<'own-root'>, opts: Parent): ListenerCertificate {
  const { namespace, kafka, source } = args;
  const root = rootIssuer(kafka);
  const issuerName = `${kafka}-self-signed`;

  // In Kafka's namespace: one for the whole cluster would be another stack's as well, and go with the first of them.
  const issuerOfRoot = new Issuer(`${name}-self-signed`, { metadata: { name: issuerName, namespace }, spec: { selfSigned: {} } }, opts);
  const rootCertificate = issue(
    `${name}-root`,
    { ...args, certificate: root },
    {
      commonName: `${kafka} listener root`,
      isCA: true,
      duration: days(source.rootDays),
      usages: ['cert sign', 'crl sign', 'digital signature'],
      privateKey: { ...privateKey, rotationPolicy: 'Never' },
      issuerRef: { name: issuerName, kind: 'Issuer' },
    },
    { ...opts, dependsOn: [issuerOfRoot] },
  );
  const issuer = new Issuer(`${name}-issuer`, { metadata: { name: root, namespace }, spec: { ca: { secretName: root } } }, { ...opts, dependsOn: [rootCertificate] });
  const spec = { commonName: `${kafka} listener`, ...leaf(args, source.leafDays), issuerRef: { name: root, kind: 'Issuer' } } as const;
  return byCertManager(leafOf(name, args, spec, { ...opts, dependsOn: [issuer] }), args, 'authority');
}

/** The walk-through's own certificate: field by field what it has, and with it that every renewal takes the bridges' trust away. */
function selfSigned(name: string, args: From<'self-signed'>, opts: Parent): ListenerCertificate {
  const { kafka, namespaceName, hosts, source } = args;
  const issuer = new ClusterIssuer(`${name}-self-signed`, { metadata: { name: selfSignedIssuer }, spec: { selfSigned: {} } }, opts);
  const certificate = issue(
    `${name}-listener`,
    { ...args, certificate: `${kafka}-${namespaceName}` },
    { subject: { organizations: [source.organization] }, dnsNames: hosts, duration: days(source.leafDays), issuerRef: { name: selfSignedIssuer, kind: 'ClusterIssuer' } },
    { ...opts, dependsOn: [issuer] },
  );
  return byCertManager({ certificate, secretName: `${kafka}-${namespaceName}` }, args, 'leaf');
}

/** Without a common name: many issuers, such as ACME's, refuse one that is no host name of the certificate. */
function leaf({ hosts }: ListenerCertificateArgs, leafDays: number): Omit<CertificateSpec, 'secretName' | 'issuerRef'> {
  return {
    dnsNames: hosts,
    duration: days(leafDays),
    usages: ['server auth', 'digital signature', 'key encipherment'],
    privateKey: { ...privateKey, rotationPolicy: 'Always' },
  };
}

interface Issued {
  readonly certificate: Certificate;
  readonly secretName: string;
}

function leafOf(name: string, args: ListenerCertificateArgs, spec: Omit<CertificateSpec, 'secretName'>, opts: pulumi.CustomResourceOptions): Issued {
  const secretName = `${args.kafka}-listener`;
  return { certificate: issue(`${name}-listener`, { ...args, certificate: secretName }, spec, opts), secretName };
}

/** The CA certificate is read past the engine: the Secret beside it holds the brokers' key. */
function byCertManager({ certificate, secretName }: Issued, { cluster, namespaceName: namespace }: ListenerCertificateArgs, expected: 'authority' | 'leaf'): ListenerCertificate {
  return {
    secret: { secretName, certificate: 'tls.crt', key: 'tls.key' },
    dependsOn: [certificate],
    caCertificate: certificate.id.apply(() => caOfSecret({ apiVersion: 'v1', kind: 'Secret', namespace, name: secretName }, cluster, expected)),
  };
}

type CertificateArgs = Pick<ListenerCertificateArgs, 'cluster' | 'namespace' | 'namespaceName'> & { readonly certificate: string };

/** A certificate whose Secret has its name. */
function issue(name: string, args: CertificateArgs, spec: Omit<CertificateSpec, 'secretName'>, opts: pulumi.CustomResourceOptions): Certificate {
  const { certificate, cluster, namespace, namespaceName } = args;
  return untilReady(
    { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', namespace: namespaceName, name: certificate },
    cluster,
    { waitFor: 'condition=Ready', seconds: 120 },
    ({ annotations, options }) =>
      new Certificate(name, { metadata: { name: certificate, namespace, annotations }, spec: { ...spec, secretName: certificate } }, { ...opts, ...options }),
  );
}
