import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import * as tls from '@pulumi/tls';

import type { Tier1Configuration } from '../config/schema.ts';
import type { Cluster } from './cluster.ts';
import type { LiveObject } from './cluster-reader.ts';
import { untilReady } from './ready.ts';
import { Certificate } from './resources/cert-manager.ts';

export interface Tier1TlsArgs {
  readonly cluster: Cluster;
  /** Known when it is there. */
  readonly namespace: pulumi.Input<string>;
  readonly namespaceName: string;
  /** Host name that all regions share; each region's own is below it. */
  readonly hostname: string;
  /** Every host name that clients call. */
  readonly hosts: readonly string[];
  readonly tls: NonNullable<Tier1Configuration['tls']>;
}

/** What tier1 shows to clients. */
export interface Tier1Tls {
  /** Secret with certificate and key. */
  readonly secretName: pulumi.Output<string>;
  /** PEM that clients have to trust; empty where the Secret has none, as with certificates of public authorities. */
  readonly caCertificate: pulumi.Output<string>;
}

/** The certificate of tier1, by whichever way it comes. */
export function tier1Tls(name: string, args: Tier1TlsArgs, parent: pulumi.Resource): Tier1Tls {
  const { tls: given } = args;
  switch (given.source) {
    case 'secret':
      return { secretName: pulumi.output(given.secret), caCertificate: caOf(pulumi.output(given.secret), args) };
    case 'cert-manager':
      return issued(name, given, { args, parent });
    case 'self-signed':
      return selfSigned(name, given.secret, { args, parent });
  }
}

interface Where {
  readonly args: Tier1TlsArgs;
  readonly parent: pulumi.Resource;
}

function issued(name: string, { secret, issuer }: { secret: string; issuer: { name: string; kind: 'Issuer' | 'ClusterIssuer' } }, { args, parent }: Where): Tier1Tls {
  const reference = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', namespace: args.namespaceName, name: secret };
  const certificate = untilReady(reference, args.cluster, { waitFor: 'condition=Ready', seconds: 300 }, ({ annotations, options }) =>
    new Certificate(
      `${name}-certificate`,
      {
        metadata: { name: secret, namespace: args.namespace, annotations },
        spec: {
          secretName: secret,
          dnsNames: args.hosts,
          duration: `${validHours}h`,
          usages: ['server auth', 'digital signature', 'key encipherment'],
          privateKey: { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Always' },
          issuerRef: issuer,
        },
      },
      { parent, ...options },
    ),
  );
  const secretName = certificate.id.apply(() => secret);
  return { secretName, caCertificate: caOf(secretName, args) };
}

/** A year, as browsers and public authorities take no longer ones gladly. */
const validHours = 8_760;
/** A run of `up` in the last 30 days makes another. */
const renewalHours = 720;

/** Clients trust the certificate itself, so it names all hosts below the common one: a region that is added does not change it. */
function selfSigned(name: string, secret: string, { args, parent }: Where): Tier1Tls {
  const key = new tls.PrivateKey(`${name}-key`, { algorithm: 'ECDSA', ecdsaCurve: 'P256' }, { parent });
  const certificate = new tls.SelfSignedCert(
    `${name}-certificate`,
    {
      privateKeyPem: key.privateKeyPem,
      subject: { commonName: args.hostname.length <= longestCommonName ? args.hostname : 'tier1' },
      dnsNames: [args.hostname, `*.${args.hostname}`],
      allowedUses: ['server_auth', 'digital_signature', 'key_encipherment'],
      validityPeriodHours: validHours,
      earlyRenewalHours: renewalHours,
    },
    { parent },
  );
  const made = new k8s.core.v1.Secret(
    `${name}-tls`,
    {
      metadata: { name: secret, namespace: args.namespace },
      type: 'kubernetes.io/tls',
      // A secret as a whole: the state holds it encrypted.
      stringData: pulumi.secret({ 'tls.crt': certificate.certPem, 'tls.key': key.privateKeyPemPkcs8, 'ca.crt': certificate.certPem }),
    },
    { parent },
  );
  return { secretName: made.metadata.name, caCertificate: certificate.certPem };
}

/** Of X.509. */
const longestCommonName = 64;

/** Only the one entry is read, so that no private key enters the state. */
function caOf(secretName: pulumi.Output<string>, { cluster, namespaceName }: Tier1TlsArgs): pulumi.Output<string> {
  return secretName.apply((secret) =>
    cluster.reader.awaitField({ apiVersion: 'v1', kind: 'Secret', namespace: namespaceName, name: secret }, { select: caCertificate, what: 'CA certificate', timeoutMs: 60_000 }),
  );
}

function caCertificate(secret: LiveObject): string | undefined {
  const data = secret['data'] as Record<string, string> | undefined;
  return data && Buffer.from(data['ca.crt'] ?? data['cacert'] ?? '', 'base64').toString('utf8');
}
