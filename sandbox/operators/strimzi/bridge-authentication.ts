import { Failure, type BridgeAuthentication, type KafkaBridge, type Secret } from './model.ts';
import { valuesOf } from './secret-values.ts';

/**
 * How a bridge says to Kafka who it is; undefined when it does not.
 * @throws Failure for a way that this stand-in has not
 */
export function authenticationOf({ spec: { authentication } }: KafkaBridge): BridgeAuthentication | undefined {
  if (authentication === undefined || authentication.type === 'tls' || authentication.type === 'scram-sha-512') return authentication;
  throw new Failure('UnhonouredByStandIn', `This stand-in for the Strimzi operator cannot honour spec.authentication of type ${authentication.type}, only tls and scram-sha-512: a bridge that says nothing of itself would be made.`);
}

/** The Secret with what a bridge shows, and the keys that are read of it. */
export function credentialsSource(bridge: KafkaBridge): { secretName: string; keys: string[] } | undefined {
  const authentication = authenticationOf(bridge);
  if (authentication?.type === 'scram-sha-512') return { secretName: authentication.passwordSecret.secretName, keys: [authentication.passwordSecret.password] };
  const own = authentication?.certificateAndKey;
  return own && { secretName: own.secretName, keys: [own.certificate, own.key] };
}

/**
 * What a bridge shows, as text that changes with it; empty when it shows nothing.
 * @param secrets by name, those that are there
 * @throws Failure naming the Secret or the keys that are missing
 */
export function credentials(bridge: KafkaBridge, secrets: ReadonlyMap<string, Secret>): string {
  const source = credentialsSource(bridge);
  return source === undefined ? '' : valuesOf(bridge.metadata.namespace, source.secretName, source.keys, secrets).join('\n');
}

/** The bridge's properties by which it says who it is. They name the Secret: only the bridge itself reads it. */
export function authenticationProperties(bridge: KafkaBridge): [string, string][] {
  const authentication = authenticationOf(bridge);
  const read = (secretName: string, key: string): string => `\${strimzisecrets:${bridge.metadata.namespace}/${secretName}:${key}}`;
  if (authentication?.type === 'scram-sha-512') {
    const { username, passwordSecret: { secretName, password } } = authentication;
    return [
      ['kafka.sasl.mechanism', 'SCRAM-SHA-512'],
      ['kafka.sasl.jaas.config', `org.apache.kafka.common.security.scram.ScramLoginModule required username="${username}" password="${read(secretName, password)}";`],
    ];
  }
  const own = authentication?.certificateAndKey;
  return own === undefined ? [] : [
    ['kafka.ssl.keystore.certificate.chain', read(own.secretName, own.certificate)],
    ['kafka.ssl.keystore.key', read(own.secretName, own.key)],
    ['kafka.ssl.keystore.type', 'PEM'],
  ];
}
