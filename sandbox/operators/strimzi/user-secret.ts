import { randomInt, X509Certificate } from 'node:crypto';
import { clientsCa } from '../../../config/names.ts';
import type { KubernetesCluster } from './cluster.ts';
import { Failure, type KafkaUser, type Secret, type Written } from './model.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** A certificate that ends sooner is replaced, ms. */
const renewalMs = 30 * 86_400_000;

/**
 * The password of a user that has one: the person's, else the one that it has, else a new one.
 * @throws Failure in the real operator's words where the person's is not there
 */
export async function passwordOf(cluster: KubernetesCluster, { metadata: { name, namespace }, spec: { authentication } }: KafkaUser): Promise<string> {
  if (authentication?.type === 'scram-sha-512' && authentication.password !== undefined) {
    const { name: secretName, key } = authentication.password.valueFrom?.secretKeyRef ?? {};
    if (secretName === undefined || key === undefined) throw new Failure('InvalidResourceException', 'Resource requests custom SCRAM-SHA-512 password but doesn\'t specify the secret name and/or key');
    const secret = await cluster.get<Secret>('v1', 'Secret', namespace, secretName);
    if (secret === undefined) throw new Failure('InvalidResourceException', `Secret ${secretName} in namespace ${namespace} not found`);
    const wanted = secret.data?.[key];
    if (wanted === undefined) throw new Failure('InvalidResourceException', `Secret ${secretName} does not contain the key ${key} with requested user password.`);
    if (wanted === '') throw new Failure('InvalidResourceException', 'The requested user password is empty.');
    return decoded(wanted);
  }
  const own = (await cluster.get<Secret>('v1', 'Secret', namespace, name))?.data?.['password'] ?? '';
  return own === '' ? Array.from({ length: 32 }, () => alphabet[randomInt(alphabet.length)]).join('') : decoded(own);
}

/** What the Secret of a user with a password holds. */
export function passwordData(name: string, password: string): Record<string, string> {
  return { password, 'sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required username="${name}" password="${password}";` };
}

/**
 * What the Secret of a user with a certificate holds: the one that it has, where that is of the clients' CA as it is now and good for a while, else a new one.
 * The real operator adds the same as PKCS #12.
 * @throws Failure in the real operator's words where the CA is not there
 */
export async function certificateData(cluster: KubernetesCluster, kafka: string, { metadata: { name, namespace } }: KafkaUser): Promise<Record<string, string>> {
  if (name.length > 64) throw new Failure('InvalidResourceException', 'Users with TLS client authentication can have a username (name of the KafkaUser custom resource) only up to 64 characters long.');
  const names = clientsCa(kafka);
  const certificate = await read(cluster, namespace, names.certificate, 'ca.crt');
  const key = await read(cluster, namespace, names.key, 'ca.key');
  const has = Object.fromEntries(Object.entries((await cluster.get<Secret>('v1', 'Secret', namespace, name))?.data ?? {}).map(([each, value]) => [each, decoded(value)]));
  const { 'user.crt': crt = '', 'user.key': own = '' } = has;
  if (has['ca.crt'] === certificate && crt !== '' && own !== '' && isGood(crt)) return { 'ca.crt': certificate, 'user.crt': crt, 'user.key': own };
  const { issueClient } = await import('./certificates.ts');
  const issued = await issueClient({ certificate, key }, name);
  return { 'ca.crt': certificate, 'user.crt': issued.certificate, 'user.key': issued.key };
}

/** A user's Secret, named like it. It goes with the user. @param data not encoded */
export function userSecret({ apiVersion, kind, metadata: { name, namespace, uid, labels } }: KafkaUser, data: Readonly<Record<string, string>>): Written {
  const operator = 'strimzi-user-operator';
  return {
    apiVersion: 'v1', kind: 'Secret',
    metadata: {
      name, namespace,
      labels: {
        ...labels, 'strimzi.io/kind': 'KafkaUser',
        'app.kubernetes.io/name': operator, 'app.kubernetes.io/instance': name, 'app.kubernetes.io/part-of': `strimzi-${name}`, 'app.kubernetes.io/managed-by': operator,
      },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: false, blockOwnerDeletion: false }],
    },
    type: 'Opaque',
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  };
}

async function read(cluster: KubernetesCluster, namespace: string, name: string, key: 'ca.crt' | 'ca.key'): Promise<string> {
  const secret = await cluster.get<Secret>('v1', 'Secret', namespace, name);
  if (secret === undefined) throw new Failure('InvalidConfigurationException', `Secret ${name} in namespace ${namespace} not found`);
  const value = secret.data?.[key];
  if (value === undefined) throw new Failure('InvalidCertificateException', `The Clients CA ${key === 'ca.crt' ? 'Cert' : 'Key'} Secret is missing the ${key} file`);
  return decoded(value);
}

function isGood(certificate: string): boolean {
  try {
    return new X509Certificate(certificate).validToDate.getTime() - Date.now() > renewalMs;
  } catch {
    return false;
  }
}

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
