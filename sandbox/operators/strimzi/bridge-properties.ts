import { authenticationOf, authenticationProperties } from './bridge-authentication.ts';
import type { Config, KafkaBridge } from './model.ts';

const forbiddenPrefixes = ['ssl.', 'sasl.', 'security.', 'bootstrap.servers'];
const allowedAnyway = ['ssl.endpoint.identification.algorithm', 'ssl.cipher.suites', 'ssl.protocol', 'ssl.enabled.protocols'];
const forbiddenOfBridge = ['kafka.', 'http.', 'bridge.metrics', 'bridge.id', 'bridge.tracing'];

/** The bridge's `application.properties`, in the order in which the real operator writes it. */
export function bridgeProperties(bridge: KafkaBridge): string {
  const { metadata: { name, namespace }, spec } = bridge;
  const { http = {}, producer = {}, consumer = {} } = spec;
  const trusted = (spec.tls?.trustedCertificates ?? []).length > 0;
  return lines([
    [['bridge.id', name], ['kafka.bootstrap.servers', spec.bootstrapServers]],
    trusted ? [
      ['kafka.ssl.truststore.certificates', `\${strimzisecrets:${namespace}/${name}-bridge-tls-trusted-certs:ca.crt}`],
      ['kafka.ssl.truststore.type', 'PEM'],
    ] : [],
    authenticationProperties(bridge),
    [...providers('admin'), ...client('admin', spec.adminClient?.config)],
    [...providers('producer'), ...client('producer', producer.config)],
    [...providers('consumer'), ...client('consumer', consumer.config)],
    [
      ['http.host', '0.0.0.0'], ['http.port', String(http.port ?? 8080)],
      ['http.cors.enabled', String(http.cors !== undefined)],
      ...(http.cors === undefined ? [] : [
        ['http.cors.allowedOrigins', http.cors.allowedOrigins.join(',')], ['http.cors.allowedMethods', http.cors.allowedMethods.join(',')],
      ] as [string, string][]),
      ['http.consumer.enabled', String(consumer.enabled ?? true)], ['http.timeoutSeconds', String(consumer.timeoutSeconds ?? -1)],
      ['http.producer.enabled', String(producer.enabled ?? true)],
    ],
    entries(spec.config, (key) => !forbiddenOfBridge.some((prefix) => key.startsWith(prefix))),
    [['kafka.security.protocol', `${authenticationOf(bridge)?.type === 'scram-sha-512' ? 'SASL_' : ''}${spec.tls === undefined ? 'PLAINTEXT' : 'SSL'}`]],
  ]);
}

function client(kind: 'admin' | 'producer' | 'consumer', config: Config | undefined): [string, string][] {
  const forbidden = kind === 'consumer' ? [...forbiddenPrefixes, 'group.id'] : forbiddenPrefixes;
  const allowed = (key: string): boolean => allowedAnyway.includes(key) || !forbidden.some((prefix) => key.startsWith(prefix));
  return entries(config, allowed).map(([key, value]) => [`kafka.${kind}.${key}`, value]);
}

function providers(kind: string): [string, string][] {
  const prefix = `kafka.${kind}.config.providers`;
  const kafka = 'org.apache.kafka.common.config.provider';
  return [
    [prefix, 'strimzienv,strimzifile,strimzidir,strimzisecrets'],
    [`${prefix}.strimzienv.class`, `${kafka}.EnvVarConfigProvider`],
    [`${prefix}.strimzienv.param.allowlist.pattern`, '.*'],
    [`${prefix}.strimzifile.class`, `${kafka}.FileConfigProvider`],
    [`${prefix}.strimzifile.param.allowed.paths`, '/opt/strimzi'],
    [`${prefix}.strimzidir.class`, `${kafka}.DirectoryConfigProvider`],
    [`${prefix}.strimzidir.param.allowed.paths`, '/opt/strimzi'],
    [`${prefix}.strimzisecrets.class`, 'io.strimzi.kafka.KubernetesSecretConfigProvider'],
  ];
}

/** The entries of a free map that may be set, values as text. */
export function entries(config: Config | undefined, allowed: (key: string) => boolean): [string, string][] {
  return Object.entries(config ?? {}).filter(([key]) => allowed(key)).map(([key, value]) => [key, String(value)]);
}

/** Properties text of sections of entries. */
export function lines(sections: readonly (readonly (readonly [string, string])[])[]): string {
  return sections.flat().map(([key, value]) => `${key}=${value}\n`).join('');
}
