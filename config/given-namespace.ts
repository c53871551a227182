/** Where a certificate of Kafka's listeners or of tier1 comes from, as far as it can be read. */
interface CertificateSource {
  readonly source?: string | undefined;
  readonly issuer?: { readonly kind?: string | undefined } | undefined;
}

/** Whether a certificate needs a Secret or an Issuer that lies in its namespace already: then the namespace is there before the program, which leaves it as it is. */
export function needsGivenNamespace(certificate: CertificateSource | undefined): boolean {
  return certificate?.source === 'secret' || certificate?.issuer?.kind === 'Issuer';
}
