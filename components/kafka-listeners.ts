import type * as pulumi from '@pulumi/pulumi';

import type { ClusterReader, LiveObject, ObjectReference } from './cluster-reader.ts';
import { listenerHosts, outsideListener } from '../config/listener-hosts.ts';
import { listenerService, serviceHost } from '../config/names.ts';
import type { InstalledKafka } from '../config/schema.ts';
import { externalDns, saidTarget } from './external-dns.ts';
import type { CertificateSecret, KafkaListener, KafkaListenerConfiguration } from './resources/strimzi.ts';

export type Listener = InstalledKafka['listeners'][number];
export type Kafka = Pick<InstalledKafka, 'name' | 'namespace' | 'domain' | 'brokers' | 'listeners'>;

/** A listener, and how clients begin with it. */
export interface ListenerAddress {
  readonly name: string;
  readonly type: Listener['type'];
  readonly tls: boolean;
  /** `host:port` by which it is reached: an internal one in its own cluster, all others from elsewhere. */
  readonly bootstrapServers: string;
}

/** Whether a listener shows a certificate that is not the operator's. */
export function hasOwnCertificate(listener: Pick<Listener, 'tls' | 'certificate'>): boolean {
  return shownCertificate(listener) === 'own';
}

/** Whose certificate a listener shows. */
export function shownCertificate({ tls, certificate }: Pick<Listener, 'tls' | 'certificate'>): Listener['certificate'] | 'none' {
  return tls ? certificate : 'none';
}

/** The listener that bridges come in by. Every configuration has one. */
export function bridgesListener({ listeners }: Kafka): Listener {
  const listener = outsideListener(listeners);
  if (listener === undefined) throw new Error('kafka.listeners has none that other clusters reach');
  return listener;
}

/** A listener as Strimzi has it. */
export function listenerSpec(kafka: Kafka, listener: Listener, secret: CertificateSecret | undefined): KafkaListener {
  const { name, port, type, tls, authentication } = listener;
  const configuration: KafkaListenerConfiguration = {
    ...(hasOwnCertificate(listener) && secret !== undefined ? { brokerCertChainAndKey: secret } : {}),
    ...(listener.class === undefined ? {} : { class: listener.class }),
    ...(type === 'internal' ? {} : exposure(kafka, listener)),
  };
  return {
    name,
    port,
    type,
    tls,
    ...(authentication === undefined ? {} : { authentication: { type: authentication } }),
    ...(Object.keys(configuration).length === 0 ? {} : { configuration }),
  };
}

/** Every name by which a client may call a listener that has its own certificate: advertised ones, and those of Services inside the cluster. Or those that are given. */
export function certificateHosts(kafka: Kafka & Pick<InstalledKafka, 'certificate'>): string[] {
  return kafka.certificate.hosts ?? [...new Set(kafka.listeners.filter(hasOwnCertificate).flatMap((listener) => (listener.type === 'internal' ? internalHosts(kafka) : outsideHosts(kafka, listener))))];
}

/** Names that brokers advertise to other clusters and that a certificate of one's own has to cover. */
export function advertisedHosts(kafka: Kafka): string[] {
  return kafka.listeners.filter((listener) => hasOwnCertificate(listener) && listener.type !== 'internal').flatMap((listener) => {
    const { bootstrap, brokers } = listenerHosts(kafka, listener);
    return [bootstrap, ...brokers];
  });
}

/**
 * Where a listener is reached, once the brokers are ready.
 * @param ready known when they are
 * @param resource the Kafka resource, whose status has the ports of nodes
 */
export function listenerAddress(kafka: Kafka, listener: Listener, { ready, resource, reader }: ReadyKafka): pulumi.Output<ListenerAddress> {
  const { name, type, tls } = listener;
  return bootstrapServers(kafka, listener, { ready, resource, reader }).apply((servers) => ({ name, type, tls, bootstrapServers: servers }));
}

/** A Kafka resource that becomes ready. */
export interface ReadyKafka {
  readonly ready: pulumi.Output<unknown>;
  readonly resource: ObjectReference;
  readonly reader: ClusterReader;
}

function bootstrapServers(kafka: Kafka, listener: Listener, { ready, resource, reader }: ReadyKafka): pulumi.Output<string> {
  const at = (host: string, port: number) => ready.apply(() => `${host}:${port}`);
  switch (listener.type) {
    case 'internal':
      return at(`${kafka.name}-kafka-bootstrap.${kafka.namespace}.svc`, listener.port);
    case 'loadbalancer':
      return at(listenerHosts(kafka, listener).bootstrap, listener.port);
    case 'route':
    case 'ingress':
      // Both pass TLS through on the port of HTTPS, whatever the brokers' own is.
      return at(listenerHosts(kafka, listener).bootstrap, 443);
    case 'nodeport':
      return ready
        .apply(() => reader.awaitField(resource, { select: nodePortOf(listener), what: `port of listener ${listener.name} in its status`, timeoutMs: 30_000 }))
        .apply((port) => `${listenerHosts(kafka, listener).bootstrap}:${port}`);
  }
}

/** Kubernetes chooses a Service's port on the nodes, and the operator writes it down. */
function nodePortOf({ name }: Listener): (kafka: LiveObject) => number | undefined {
  return (kafka) => {
    const { listeners = [] } = (kafka['status'] ?? {}) as { listeners?: { name: string; addresses?: { port: number }[] }[] };
    return listeners.find((each) => each.name === name)?.addresses?.[0]?.port;
  };
}

/**
 * Brokers advertise configured names: their certificate is needed before a load balancer has an address.
 * ExternalDNS publishes each name with the address of its Service; that of an Ingress it takes from its rules. OpenShift
 * gives Routes their hosts by itself.
 */
function exposure(kafka: Kafka, listener: Listener): Pick<KafkaListenerConfiguration, 'bootstrap' | 'brokers'> {
  const { bootstrap, brokers } = listenerHosts(kafka, listener);
  const given = Object.keys(listener.annotations).length === 0 ? {} : { annotations: listener.annotations };
  switch (listener.type) {
    case 'loadbalancer':
    case 'nodeport': {
      const published = (host: string) => ({ annotations: { ...externalDns(host), ...saidTarget(listener.annotations), ...listener.annotations } });
      // Of the names in a certificate of its own the operator knows all but this one.
      const alternativeNames = listener.tls && !hasOwnCertificate(listener) ? { alternativeNames: [bootstrap] } : {};
      return {
        bootstrap: { ...published(bootstrap), ...alternativeNames },
        brokers: brokers.map((advertisedHost, broker) => ({ broker, advertisedHost, ...published(advertisedHost) })),
      };
    }
    case 'ingress':
      return { bootstrap: { host: bootstrap, ...given }, brokers: brokers.map((host, broker) => ({ broker, host, ...given })) };
    default:
      return 'annotations' in given ? { bootstrap: given, brokers: brokers.map((_, broker) => ({ broker, ...given })) } : {};
  }
}

function outsideHosts(kafka: Kafka, listener: Listener): string[] {
  const { bootstrap, brokers } = listenerHosts(kafka, listener);
  const service = listenerService(kafka.name, listener.name);
  return [bootstrap, ...brokers, `${service}.${kafka.namespace}.svc`, serviceHost(service, kafka.namespace)];
}

function internalHosts({ name, namespace }: Kafka): string[] {
  return [`${name}-kafka-bootstrap`, `*.${name}-kafka-brokers`].flatMap((service) => [`${service}.${namespace}.svc`, serviceHost(service, namespace)]);
}
