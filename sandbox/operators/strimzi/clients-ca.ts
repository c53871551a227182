import { clientsCa } from '../../../config/names.ts';
import type { Issued } from './certificates.ts';
import type { KubernetesCluster } from './cluster.ts';
import { wantsClientCertificates } from './listener-authentication.ts';
import type { KafkaPlan } from './kafka-plan.ts';
import { metadataOf } from './labels.ts';
import { Failure, type Kafka, type Secret, type Written } from './model.ts';

/**
 * The certificates that a Kafka's brokers trust clients by, PEM. The authority is made where a listener asks for certificates and there is none, unless the
 * person says that it is theirs.
 * @returns undefined when no listener asks for certificates
 * @throws Failure where it is the person's and not there
 */
export async function settleClientsCa(cluster: KubernetesCluster, plan: Pick<KafkaPlan, 'kafka' | 'listeners'>): Promise<string | undefined> {
  const { kafka } = plan;
  const names = clientsCa(kafka.metadata.name);
  const isGiven = kafka.spec.clientsCa?.generateCertificateAuthority === false;
  if (!isGiven && !wantsClientCertificates(plan)) return undefined;
  // Strimzi lists by these labels, and knows none without.
  const read = async (name: string): Promise<Secret | undefined> => {
    const secret = await cluster.get<Secret>('v1', 'Secret', kafka.metadata.namespace, name);
    const { 'strimzi.io/kind': kind, 'strimzi.io/cluster': owner } = secret?.metadata?.labels ?? {};
    return kind === 'Kafka' && owner === kafka.metadata.name ? secret : undefined;
  };
  const [certificate, key] = [await read(names.certificate), await read(names.key)];
  if (isGiven && (certificate === undefined || key === undefined)) throw new Failure('InvalidResourceException', 'Clients CA should not be generated, but the secrets were not found.');
  const trusted = trustedBy(certificate);
  if (trusted !== '' && key?.data?.['ca.key'] !== undefined) return wantsClientCertificates(plan) ? trusted : undefined;
  if (isGiven) throw new Failure('InvalidResourceException', `Secret ${trusted === '' ? `${names.certificate} has no key ca.crt` : `${names.key} has no key ca.key`}`);
  // Loaded only here: most clusters issue no certificates, and the library would make this small operator larger.
  const { issueAuthority } = await import('./certificates.ts');
  const issued = await issueAuthority('clients-ca v0');
  await cluster.apply(clientsCaObjects(kafka, issued), kafka);
  return issued.certificate.trimEnd();
}

/** The Secrets of an authority that is made here. */
function clientsCaObjects(kafka: Kafka, { certificate, key }: Issued): Written[] {
  const names = clientsCa(kafka.metadata.name);
  const metadata = (name: string, what: 'cert' | 'key') => metadataOf({ owner: kafka, kind: 'Kafka', name: 'strimzi', type: 'certificate-authority' }, name, { annotations: { [`strimzi.io/ca-${what}-generation`]: '0' } });
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: metadata(names.certificate, 'cert'), type: 'Opaque', data: { 'ca.crt': base64(certificate) } },
    { apiVersion: 'v1', kind: 'Secret', metadata: metadata(names.key, 'key'), type: 'Opaque', data: { 'ca.key': base64(key) } },
  ];
}

// All of them, so that clients of an authority that is being replaced still come in.
function trustedBy(secret: Secret | undefined): string {
  const data = secret?.data ?? {};
  if (data['ca.crt'] === undefined) return '';
  return Object.keys(data).filter((key) => key.endsWith('.crt')).sort().map((key) => Buffer.from(data[key] ?? '', 'base64').toString('utf8').trimEnd()).join('\n');
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
