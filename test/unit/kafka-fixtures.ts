import { readFileSync } from 'node:fs';

import type { ClientAuthentication } from '../../components/client-secrets.ts';
import type { ObjectReference } from '../../components/cluster-reader.ts';
import { KafkaCluster } from '../../components/kafka-cluster.ts';
import { givenNamespaces } from '../../config/given-namespace.ts';
import { kafka as kafkaSchema } from '../../config/schema/kafka.ts';
import type { KafkaConfiguration } from '../../config/schema.ts';
import { answeringCluster, record, type Recording } from './pulumi-mocks.ts';

export const root = readFileSync(new URL('../fixtures/certificates/root.crt', import.meta.url), 'utf8');
export const leaf = readFileSync(new URL('../fixtures/certificates/leaf.crt', import.meta.url), 'utf8');

export type Written = Record<string, unknown>;

/** A configuration's `kafka` as it is after validation; files in it are none. */
export function settings(written: Written): KafkaConfiguration {
  return kafkaSchema.parse('existing' in written ? written : { context: 'here', domain: 'kafka.example', ...written }) as KafkaConfiguration;
}

/** What operators would have made: Secrets, and a Kafka whose listeners have ports on nodes. */
export function operators(secrets: Record<string, Record<string, string>> = {}): (reference: ObjectReference) => Record<string, unknown> | undefined {
  return ({ kind, name }) => {
    if (kind === 'Kafka') return { status: { listeners: [{ name: 'external', addresses: [{ host: '10.1.0.1', port: 31_234 }, { host: '10.1.0.2', port: 31_234 }] }] } };
    const data = secrets[name] ?? (name.endsWith('-listener') || name.endsWith('-ca-cert') ? { 'ca.crt': root, 'tls.key': 'leaf-key' } : undefined);
    return kind === 'Secret' && data ? { data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])) } : undefined;
  };
}

export async function made(written: Written, answers = operators(), client?: ClientAuthentication): Promise<Recording> {
  return await record(() => {
    const kafka = settings(written);
    return new KafkaCluster('kafka', kafka.existing === undefined ? { ...kafka, cluster: answeringCluster(answers)('here'), givenNamespace: givenNamespaces({ kafka }).kafka !== undefined, client } : kafka);
  });
}

export const kafkaOf = (recording: Recording, api = 'v1'): Written => (recording.inputsOf(`kafka.strimzi.io/${api}:Kafka`, 'kafka') as { spec: { kafka: Written } }).spec.kafka;
export const certificateOf = (recording: Recording): Written => (recording.inputsOf('cert-manager.io/v1:Certificate', 'kafka-listener') as { spec: Written }).spec;
export const outputs = (recording: Recording): Written => recording.outputsOf('kafka') as Written;

/** Brokers in zones and on hosts of their own, as far as there are any. */
export const apart = ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
  maxSkew: 1, topologyKey, whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { 'strimzi.io/cluster': 'kafka', 'strimzi.io/name': 'kafka-kafka', 'strimzi.io/kind': 'Kafka' } },
}));
