import type * as pulumi from '@pulumi/pulumi';

import type { ClientAuthentication } from './client-secrets.ts';
import type { Cluster } from './cluster.ts';
import type { InstalledKafka } from '../config/schema.ts';
import { untilReady } from './ready.ts';
import { apiVersion, type Kafka, KafkaUser } from './resources/strimzi.ts';

/**
 * The user that bridges are to a Kafka of the program's own, once its operator for users is there. Its password is that of a Secret which the
 * person made, so it never passes through here. A certificate needs no user: the CA that signed it is enough.
 */
export function makeUser(name: string, { kafka, args, cluster, client }: { kafka: Kafka; args: InstalledKafka; cluster: Cluster; client: ClientAuthentication | undefined }, opts: { parent: pulumi.Resource }): KafkaUser | undefined {
  if (client?.type !== 'scram-sha-512') return undefined;
  const { username, secret } = client;
  return untilReady(
    { apiVersion: apiVersion(args.api), kind: 'KafkaUser', namespace: args.namespace, name: username },
    cluster,
    { waitFor: 'condition=Ready', seconds: 120 },
    ({ annotations, options }) =>
      new KafkaUser(
        `${name}-user`,
        {
          api: args.api,
          metadata: { name: username, namespace: kafka.metadata.namespace, labels: { 'strimzi.io/cluster': args.name }, annotations },
          spec: { authentication: { type: 'scram-sha-512', password: { valueFrom: { secretKeyRef: { name: secret.name, key: secret.key } } } } },
        },
        { ...opts, dependsOn: [kafka], ...options },
      ),
  );
}
