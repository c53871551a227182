/**
 * The certificates of a PEM text, each by itself. A single one stays as it is written, with whatever stands around it, and so does text that is none,
 * such as what stands for a certificate that is known only later.
 */
export function certificatesOf(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.length > 1 ? blocks.map((block) => `${block}\n`) : [pem];
}
