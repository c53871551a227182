import { brokerHost, bootstrapHost, nodePool } from './names.ts';

/** What of Kafka decides the names that its brokers advertise. */
export interface AdvertisingKafka {
  readonly name: string;
  readonly namespace: string;
  readonly domain: string;
  readonly brokers: number;
  readonly listeners: readonly AdvertisedListener[];
}

export interface AdvertisedListener {
  readonly name: string;
  readonly type: 'loadbalancer' | 'route' | 'nodeport' | 'ingress' | 'internal';
  readonly port: number;
}

/** Names by which clients outside the cluster call a listener. */
export interface ListenerHosts {
  readonly bootstrap: string;
  /** By node id. */
  readonly brokers: readonly string[];
}

/**
 * The host names of a listener that is not internal. A Route's are those that OpenShift gives it; all others are ours:
 * bootstrap.<domain> and broker-<id>.<domain> for the first listener, and with the listener's name for those that follow.
 */
export function listenerHosts(kafka: AdvertisingKafka, listener: AdvertisedListener): ListenerHosts {
  const ids = Array.from({ length: kafka.brokers }, (_, id) => id);
  if (listener.type === 'route') {
    const { bootstrap, broker } = routeNames(kafka.name, listener);
    const host = (route: string) => `${route}-${kafka.namespace}.${kafka.domain}`;
    return { bootstrap: host(bootstrap), brokers: ids.map((id) => host(broker(id))) };
  }
  const first = kafka.listeners.find(({ type }) => type !== 'internal' && type !== 'route');
  const suffix = first?.name === listener.name ? '' : `-${listener.name}`;
  return { bootstrap: bootstrapHost(kafka.domain, suffix), brokers: ids.map((id) => brokerHost(id, kafka.domain, suffix)) };
}

/** The names by which clients in Kafka's own cluster call an internal listener: those of its Service and of the brokers' pods. */
export function internalHosts({ name, namespace, brokers }: AdvertisingKafka): ListenerHosts {
  const pod = (id: number) => `${name}-${nodePool}-${id}.${name}-kafka-brokers.${namespace}.svc`;
  return { bootstrap: `${name}-kafka-bootstrap.${namespace}.svc`, brokers: Array.from({ length: brokers }, (_, id) => pod(id)) };
}

/** The first listener that is not internal: bridges come in by it. */
export function outsideListener<L extends Pick<AdvertisedListener, 'type'>>(listeners: readonly L[]): L | undefined {
  return listeners.find(({ type }) => type !== 'internal');
}

/** Names of Routes, Ingresses and per-broker Services as Strimzi makes them; a listener `external` on 9094 has the ones of old. */
export function routeNames(kafka: string, { name, port }: Pick<AdvertisedListener, 'name' | 'port'>): { bootstrap: string; broker: (id: number) => string } {
  const infix = name === 'external' && port === 9094 ? '' : `-${name}`;
  return { bootstrap: `${kafka}-kafka${infix}-bootstrap`, broker: (id) => `${kafka}-${nodePool}${infix}-${id}` };
}
