import type { KafkaPlan } from './kafka-plan.ts';
import type { Listener } from './model.ts';

/** The ways in which clients of a listener can be told to say who they are. */
const offered: readonly string[] = ['tls', 'scram-sha-512'];

/** The name of the file with the clients' CA in a node's Secret, where a listener asks for it. */
export const clientsCaFile = 'clients-ca.crt';

/** Why a listener cannot know its clients as it is asked to; undefined when it can. */
export function authenticationError({ name, tls, authentication }: Listener): string | undefined {
  if (authentication === undefined) return undefined;
  // Ignored, it would let everybody in.
  if (!offered.includes(authentication.type)) return `listener ${name} wants authentication of type ${authentication.type}, which this stand-in does not offer (${offered.join(', ')} are offered)`;
  return authentication.type === 'tls' && !tls ? `listener ${name} cannot use tls type authentication with disabled TLS encryption` : undefined;
}

/** Whether clients of any listener show certificates. */
export function wantsClientCertificates({ listeners }: Pick<KafkaPlan, 'listeners'>): boolean {
  return listeners.some(({ authentication }) => authentication?.type === 'tls');
}

/** Kafka's name for how a listener is spoken to. */
export function securityProtocol({ tls, authentication }: Listener): string {
  return `${authentication?.type === 'scram-sha-512' ? 'SASL_' : ''}${tls ? 'SSL' : 'PLAINTEXT'}`;
}

/** What a broker is told about the clients of a listener. @param prefix of the listener's own settings @param clientsCa where the file with the clients' CA is read from */
export function authenticationConfig({ authentication }: Listener, prefix: string, clientsCa: string): [string, string][] {
  if (authentication?.type === 'scram-sha-512') {
    return [
      [`${prefix}.scram-sha-512.sasl.jaas.config`, 'org.apache.kafka.common.security.scram.ScramLoginModule required ;'],
      [`${prefix}.sasl.enabled.mechanisms`, 'SCRAM-SHA-512'],
    ];
  }
  if (authentication?.type !== 'tls') return [];
  return [
    [`${prefix}.ssl.client.auth`, 'required'],
    [`${prefix}.ssl.truststore.certificates`, clientsCa],
    [`${prefix}.ssl.truststore.type`, 'PEM'],
  ];
}
