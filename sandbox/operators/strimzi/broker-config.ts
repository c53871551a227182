import { entries, lines } from './bridge-properties.ts';
import { internalPorts, type KafkaNode, type KafkaPlan } from './kafka-plan.ts';
import { authenticationConfig, clientsCaFile, securityProtocol } from './listener-authentication.ts';
import type { Listener } from './model.ts';

/** Where the broker's container finds things. */
export const brokerPaths = { config: '/opt/kafka/custom-config', certificates: '/opt/kafka/listener-certificates', data: '/var/lib/kafka' };

const forbiddenPrefixes = [
  'listeners', 'advertised.', 'broker.', 'listener.', 'inter.broker.listener.name', 'sasl.', 'ssl.', 'security.', 'password.', 'log.dir', 'zookeeper.', 'super.user',
  'authorizer.', 'node.id', 'process.roles', 'controller.', 'metadata.log.dir', 'config.providers', 'client.quota.callback.',
];
const allowedAnyway = [
  'ssl.cipher.suites', 'ssl.protocol', 'ssl.enabled.protocols', 'controller.quorum.election.timeout.ms', 'controller.quorum.fetch.timeout.ms', 'controller.quorum.election.backoff.max.ms',
  'broker.session.timeout.ms', 'broker.heartbeat.interval.ms', 'controller.socket.timeout.ms',
];

/** Directories for a node's data, one for each volume of its pool. */
export function logDirectories({ id, pool }: KafkaNode): string[] {
  const { storage } = pool.spec;
  const volumes = storage.type === 'jbod' ? storage.volumes.map((volume) => `data-${String(volume.id)}`) : ['data'];
  return volumes.map((volume) => `${brokerPaths.data}/${volume}/kafka-log${String(id)}`);
}

/** The file names of a listener's certificate and key in its node's Secret. */
export function certificateFiles({ name, port }: Listener): { certificate: string; key: string } {
  return { certificate: `${name}-${String(port)}.crt`, key: `${name}-${String(port)}.key` };
}

/** Kafka's name of a client listener, e.g. `EXTERNAL-9094`. */
export function listenerId({ name, port }: Listener): string {
  return `${name.toUpperCase()}-${String(port)}`;
}

/**
 * One node's configuration for Kafka. As in the real operator, but for what is plain text here (control plane and replication), and for
 * certificates, which the real one reads through the Kubernetes API: here they come from the mounted Secret.
 * @param advertised host and port of each client listener, by its id
 */
export function brokerConfig(plan: KafkaPlan, node: KafkaNode, advertised: ReadonlyMap<string, { host: string; port: number }>): string {
  const roles = [...(node.broker ? ['broker'] : []), ...(node.controller ? ['controller'] : [])];
  const controllers = plan.nodes.filter(({ controller }) => controller);
  const listeners = node.broker ? plan.listeners : [];
  const replication = node.broker ? [['REPLICATION-9091', internalPorts.replication] as const] : [];
  const all = [...(node.controller ? [['CONTROLPLANE-9090', internalPorts.controlPlane] as const] : []), ...replication, ...listeners.map((each) => [listenerId(each), each.port] as const)];
  return lines([
    [['node.id', String(node.id)], ['process.roles', roles.join(',')]],
    [['controller.listener.names', 'CONTROLPLANE-9090'], ['controller.quorum.voters', controllers.map(({ id, host }) => `${String(id)}@${host}:${String(internalPorts.controlPlane)}`).join(',')]],
    [['listeners', all.map(([name, port]) => `${name}://0.0.0.0:${String(port)}`).join(',')]],
    node.broker ? [
      ['advertised.listeners', [`REPLICATION-9091://${node.host}:${String(internalPorts.replication)}`, ...listeners.map((each) => address(each, advertised))].join(',')],
      ['inter.broker.listener.name', 'REPLICATION-9091'],
    ] : [],
    [['listener.security.protocol.map', ['CONTROLPLANE-9090:PLAINTEXT', 'REPLICATION-9091:PLAINTEXT', ...plan.listeners.map((each) => `${listenerId(each)}:${securityProtocol(each)}`)].join(',')]],
    tls(listeners.filter((each) => each.tls)),
    listeners.flatMap((each) => authenticationConfig(each, ownPrefix(each), fromSecret(clientsCaFile))),
    [['log.dirs', logDirectories(node).join(',')]],
    entries(plan.kafka.spec.kafka.config, (key) => allowedAnyway.includes(key) || !forbiddenPrefixes.some((prefix) => key.startsWith(prefix))),
  ]);
}

function address(listener: Listener, advertised: ReadonlyMap<string, { host: string; port: number }>): string {
  const id = listenerId(listener);
  const { host, port } = advertised.get(id) ?? { host: '', port: listener.port };
  return `${id}://${host}:${String(port)}`;
}

const ownPrefix = (listener: Listener): string => `listener.name.${listenerId(listener).toLowerCase()}`;
const fromSecret = (file: string): string => `\${strimzidir:${brokerPaths.certificates}:${file}}`;

function tls(listeners: readonly Listener[]): [string, string][] {
  if (listeners.length === 0) return [];
  return [
    ['config.providers', 'strimzidir'],
    ['config.providers.strimzidir.class', 'org.apache.kafka.common.config.provider.DirectoryConfigProvider'],
    ['config.providers.strimzidir.param.allowed.paths', brokerPaths.certificates],
    ['ssl.endpoint.identification.algorithm', 'HTTPS'],
    ...listeners.flatMap((listener): [string, string][] => {
      const prefix = `${ownPrefix(listener)}.ssl.keystore`;
      const { certificate, key } = certificateFiles(listener);
      return [
        [`${prefix}.certificate.chain`, fromSecret(certificate)],
        [`${prefix}.key`, fromSecret(key)],
        [`${prefix}.type`, 'PEM'],
      ];
    }),
  ];
}
