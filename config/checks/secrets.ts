import type { Finding } from '../problems.ts';
import { clusterCaSecret, nodePool, trustSecret } from '../names.ts';
import type { Partly, Readable } from '../readable.ts';
import type { BridgeConfiguration } from '../schema.ts';
import { objectName } from '../schema/values.ts';
import { holdsSecret, holdsToken, isSecret, nameOf, type Path, pathText } from '../text.ts';
import { isIssued } from './duplicates.ts';

const byName = 'no secret itself: where one is needed, a Secret in the cluster holds it, and is named';

export const secretRules = [
  'No secret stands in the settings, neither in plain text nor encrypted by Pulumi (`secure:`): Secrets in the clusters hold them, and are named.',
  'Secrets that are named for Kafka’s certificate and for what bridges are known by are none that the program, Strimzi or cert-manager writes.',
  'Beside a Kafka that the program makes, `bridge.authentication.username` is the name of the KafkaUser that it makes with it, and that of no other Secret there that is named or that operators write: Strimzi writes one of the user’s name.',
];

/**
 * Secrets that stand in the settings themselves, where everybody who reads the file or the state would have them.
 * @param name what the value at the path is called
 */
export function checkSecrets(raw: unknown, path: Path = [], name = ''): Finding[] {
  if (typeof raw === 'string' || typeof raw === 'number') return ofValue(raw, { path, name });
  if (typeof raw !== 'object' || raw === null) return [];
  if ('secure' in raw && typeof raw.secure === 'string' && Object.keys(raw).length === 1) return [encrypted(path)];
  return (Array.isArray(raw) ? [...raw.entries()] : Object.entries(raw)).flatMap(([key, value]: [PropertyKey, unknown]) => checkSecrets(value, [...path, key], nameOf(key, raw)));
}

/** A value of Pulumi's own encryption. It is plain again in the program, and in the objects that it would make. */
export function encrypted(path: Path): Finding {
  return { path, whole: true, found: 'an encrypted value (secure:)', allowed: 'plain values only: nothing here is secret. Where a secret is needed, its Secret in the cluster is named' };
}

function ofValue(value: string | number, { path, name }: { path: Path; name: string }): Finding[] {
  const text = String(value);
  if (text.includes('PRIVATE KEY-----')) return [{ path, found: 'a private key in plain text', allowed: byName }];
  if (holdsToken(text)) return [{ path, found: 'a token in plain text', allowed: byName }];
  if (holdsSecret(text)) return [{ path, found: 'a password in plain text', allowed: byName }];
  return isSecret(name, value) && !isSetting(path) ? [{ path, found: 'a secret in plain text', allowed: byName }] : [];
}

/** Maps whose keys are names that people give: of loggers, annotations, clusters and regions. */
const named: readonly string[] = ['tier1.weights', 'tsb.setup.networks', 'tsb.groups.existing.regions', 'tsb.groups.existing.internal.regions'];

function isSetting(path: Path): boolean {
  return path.includes('logging') || path.includes('annotations') || named.includes(pathText(path.slice(0, -1)));
}

/** A Secret that somebody else writes holds what that one needs. Source: KafkaResources and KafkaBridgeResources of Strimzi. */
export function checkSecretNames({ kafka, bridge }: Readable): Finding[] {
  const ofKafka = ['cluster-ca-cert', 'cluster-ca', 'clients-ca-cert', 'clients-ca', 'cluster-operator-certs', 'trustbundle', 'entity-topic-operator-certs', 'entity-user-operator-certs', 'kafka-brokers', 'zookeeper-nodes'];
  const certificate = kafka?.certificate?.source === 'secret' ? kafka.certificate.secret?.name : undefined;
  const client = bridge?.authentication?.secret?.name;
  const trust = kafka?.api === 'v1beta2' && kafka.name !== undefined ? clusterCaSecret(kafka.name) : trustSecret;
  const isStrimzis = (name: string | undefined): boolean => {
    const rest = kafka?.name !== undefined && name?.startsWith(`${kafka.name}-`) === true ? name.slice(kafka.name.length + 1) : '';
    return ofKafka.includes(rest) || new RegExp(`^${nodePool}-\\d+$`).test(rest);
  };
  return [
    ...(isStrimzis(certificate) ? [{ path: ['kafka', 'certificate', 'secret', 'name'], allowed: 'a Secret of your own: Strimzi writes this one' }] : []),
    ...(client !== undefined && client === trust ? [{ path: ['bridge', 'authentication', 'secret', 'name'], allowed: 'a Secret of your own: the program writes this one, with what brokers are trusted by' }] : []),
    ...(client !== undefined && client === `${bridge?.name ?? ''}-bridge-tls-trusted-certs` ? [{ path: ['bridge', 'authentication', 'secret', 'name'], allowed: 'a Secret of your own: Strimzi writes this one' }] : []),
    ...userNames(kafka, bridge?.authentication, isStrimzis),
  ];
}

/** Beside a Kafka that the program makes there is a KafkaUser of that name, the Secret that it has its password from, and one of the user's own name that Strimzi writes. */
function userNames(kafka: Readable['kafka'], authentication: Partly<BridgeConfiguration['authentication']>, isStrimzis: (name: string | undefined) => boolean): Finding[] {
  if (kafka === undefined || authentication?.type !== 'scram-sha-512') return [];
  const { username, secret } = authentication;
  const path = ['bridge', 'authentication'];
  const issued = issuedSecrets(kafka);
  const isTaken = (name: string): boolean => isStrimzis(name) || issued.includes(name) || (kafka.certificate?.source === 'secret' && kafka.certificate.secret?.name === name);
  return [
    ...(username !== undefined && !objectName.safeParse(username).success ? [{ path: [...path, 'username'], allowed: 'the name of a KafkaUser: lower-case letters, digits, inner hyphens and dots' }] : []),
    ...(username !== undefined && isTaken(username) ? [{ path: [...path, 'username'], allowed: 'a name that no other Secret in Kafka’s namespace has: Strimzi writes one of the user’s name' }] : []),
    ...(secret?.name !== undefined && (secret.name === username || isStrimzis(secret.name)) ? [{ path: [...path, 'secret', 'name'], allowed: 'a Secret of your own: in Kafka’s namespace Strimzi writes this one' }] : []),
    ...(secret?.name !== undefined && issued.includes(secret.name) ? [{ path: [...path, 'secret', 'name'], allowed: 'a Secret of your own: in Kafka’s namespace cert-manager writes this one' }] : []),
  ];
}

/** What cert-manager writes in Kafka's namespace for the certificate of its listeners. */
function issuedSecrets(kafka: NonNullable<Readable['kafka']>): string[] {
  const { name, namespace, certificate } = kafka;
  if (name === undefined || !isIssued(kafka)) return [];
  if (certificate?.source === 'self-signed') return namespace === undefined ? [] : [`${name}-${namespace}`];
  return [`${name}-listener`, ...(certificate?.source === 'own-root' ? [`${name}-listener-ca`] : [])];
}
