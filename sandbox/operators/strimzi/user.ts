import { serverText } from '../../bridge/cluster.ts';
import type { KubernetesCluster } from './cluster.ts';
import type { Bootstrap } from './kafka-connection.ts';
import { internalPorts } from './kafka-plan.ts';
import { Failure, type Kafka, type KafkaUser } from './model.ts';
import type { Outcome } from './reconciler.ts';
import { unhonouredWarnings } from './status.ts';
import { certificateData, passwordData, passwordOf, userSecret } from './user-secret.ts';

/** How a user's password gets into Kafka, or with `undefined` out of it. */
export type SetPassword = (bootstrap: Bootstrap, name: string, password: string | undefined) => Promise<void>;

/** Brings one KafkaUser about: its credentials in a Secret, and in Kafka where it has a password. */
export async function reconcileUser(cluster: KubernetesCluster, user: KafkaUser, set: SetPassword): Promise<Outcome> {
  const { metadata: { name, namespace, labels }, spec: { authentication } } = user;
  const warnings = unhonouredWarnings(user, 'KafkaUser');
  // To Kafka a client with a certificate is its whole subject.
  const fields = { username: authentication?.type.startsWith('tls') === true ? `CN=${name}` : name };
  try {
    const kafka = await kafkaOf(cluster, user, labels?.['strimzi.io/cluster']);
    const password = authentication?.type === 'scram-sha-512' ? await passwordOf(cluster, user) : undefined;
    const data = authentication?.type === 'tls' ? await certificateData(cluster, kafka, user) : password === undefined ? undefined : passwordData(name, password);
    await set({ host: `${kafka}-kafka-bootstrap.${namespace}.svc`, port: internalPorts.replication }, name, password).catch((error: unknown) => { throw new Failure('KafkaError', serverText(error)); });
    if (data === undefined) return { state: 'ready', warnings, fields };
    await cluster.apply([userSecret(user, data)], user);
    return { state: 'ready', warnings, fields: { ...fields, secret: name } };
  } catch (error) {
    if (error instanceof Failure) return { state: 'failed', warnings, fields, failure: error };
    throw error;
  }
}

/** Names of the users that have a password in a Kafka. */
export function usersWithPassword({ metadata: { name, namespace } }: Kafka, users: Iterable<KafkaUser>): Set<string> {
  const own = [...users].filter(({ metadata, spec }) => metadata.namespace === namespace && metadata.labels?.['strimzi.io/cluster'] === name && spec.authentication?.type === 'scram-sha-512');
  return new Set(own.map(({ metadata }) => metadata.name));
}

/** The name of a user's Kafka. @throws Failure where none obeys it */
async function kafkaOf(cluster: KubernetesCluster, { apiVersion, metadata: { namespace } }: KafkaUser, kafka: string | undefined): Promise<string> {
  if (kafka === undefined) throw new Failure('InvalidResourceException', 'The label strimzi.io/cluster does not name a Kafka cluster');
  const { spec: its } = (await cluster.get<Kafka>(apiVersion, 'Kafka', namespace, kafka)) ?? {};
  if (its?.entityOperator?.userOperator === undefined) throw new Failure('InvalidResourceException', `Kafka ${kafka} has no spec.entityOperator.userOperator, so that nobody obeys its users`);
  return kafka;
}
