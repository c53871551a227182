import { getCACertificates } from 'node:tls';

/** Whom somebody on this machine trusts, as PEM: what Node.js and the machine's own store do (NODE_EXTRA_CA_CERTS and SSL_CERT_FILE too), and `caCertificate`, PEM or an empty text. */
export function trusted(caCertificate: string): string[] {
  return [...getCACertificates('default'), ...getCACertificates('system'), ...(caCertificate === '' ? [] : [caCertificate])];
}
