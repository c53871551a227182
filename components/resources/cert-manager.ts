import { customResource } from './custom-resource.ts';

const apiVersion = 'cert-manager.io/v1';

export type IssuerSpec = { readonly selfSigned: Record<string, never> } | { readonly ca: { readonly secretName: string } };

export interface CertificateSpec {
  readonly secretName: string;
  readonly commonName?: string;
  readonly subject?: { readonly organizations: readonly string[] };
  readonly dnsNames?: readonly string[];
  readonly isCA?: boolean;
  /** Go duration, at least 1h. */
  readonly duration: string;
  readonly usages?: readonly string[];
  readonly privateKey?: {
    readonly algorithm: 'RSA' | 'ECDSA';
    readonly size: number;
    /** PKCS8 is what Kafka's brokers can load. */
    readonly encoding: 'PKCS1' | 'PKCS8';
    readonly rotationPolicy: 'Never' | 'Always';
  };
  readonly issuerRef: { readonly name: string; readonly kind: 'Issuer' | 'ClusterIssuer' };
}

export class ClusterIssuer extends customResource<IssuerSpec>(apiVersion, 'ClusterIssuer') {}
export class Issuer extends customResource<IssuerSpec>(apiVersion, 'Issuer') {}
export class Certificate extends customResource<CertificateSpec>(apiVersion, 'Certificate') {}
