import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { kubeconfigPath } from './kubeconfig.ts';
import type { Configuration, ConfigurationAsWritten } from './schema.ts';

type Kafka = ConfigurationAsWritten['kafka'];

/**
 * Puts in what stands in files, and makes every path absolute.
 * @param directory where relative paths begin
 * @throws if a file cannot be read, which the checks say in better words before
 */
export function complete(written: ConfigurationAsWritten, directory: string): Configuration {
  const common = written.kubeconfig === undefined ? undefined : kubeconfigPath(written.kubeconfig, directory);
  /** A place has a kubeconfig unless GKE says how its cluster is reached. */
  const placed = <P extends { context?: string | undefined; kubeconfig?: string | undefined }>(place: P): P => {
    if (place.kubeconfig !== undefined) return { ...place, kubeconfig: kubeconfigPath(place.kubeconfig, directory) };
    const onGke = place.context !== undefined && written.gcp?.clusters[place.context] !== undefined;
    return { ...place, kubeconfig: onGke ? undefined : common };
  };
  const { kafka, regions, tsb, tier1, generators } = written;
  return {
    ...written,
    kubeconfig: common,
    kafka: withCertificate(kafka.existing === undefined ? placed(kafka) : kafka, directory),
    regions: regions.map(placed),
    tsb: placed(tsb),
    tier1: placed(tier1),
    generators: generators && placed({ ...generators, ...(generators.context === undefined ? { context: tier1.context, kubeconfig: tier1.kubeconfig } : {}) }),
  };
}

function withCertificate(kafka: Kafka, directory: string): Configuration['kafka'] {
  const read = (pem: string | { file: string }): string => (typeof pem === 'string' ? pem : readFileSync(resolve(directory, pem.file), 'utf8'));
  if (kafka.existing !== undefined) return { existing: { ...kafka.existing, caCertificate: read(kafka.existing.caCertificate) } };
  const { certificate } = kafka;
  return { ...kafka, certificate: certificate.source === 'secret' ? { ...certificate, caCertificate: read(certificate.caCertificate) } : certificate };
}
