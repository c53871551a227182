import { metadataOf, selectorOf } from './labels.ts';
import { internalPorts, kafkaComponent, poolMetadata, type KafkaNode, type KafkaPlan } from './kafka-plan.ts';
import type { Listener, Service, Written } from './model.ts';

/** All Services of a Kafka cluster: internal bootstrap, headless brokers, and for each external listener a bootstrap and one per broker. */
export function kafkaServices(plan: KafkaPlan): Written[] {
  const external = plan.listeners.filter(isExternal);
  return [
    internalBootstrap(plan),
    headless(plan),
    ...external.map((listener) => externalBootstrap(plan, listener)),
    ...external.flatMap((listener) => plan.nodes.filter(({ broker }) => broker).map((node) => brokerService(plan, listener, node))),
  ];
}

export const isExternal = ({ type }: Listener): boolean => type !== 'internal';

// Names of external listeners are the old ones when a listener is called `external` and stands on port 9094.
const isOldExternal = ({ name, port }: Listener): boolean => name === 'external' && port === 9094;

/** Name of the Service by which clients of an external listener begin. */
export function bootstrapServiceName({ kafka }: KafkaPlan, { name }: Listener): string {
  return `${kafka.metadata.name}-kafka-${name}-bootstrap`;
}

/** Name of the Service of one broker for an external listener. */
export function brokerServiceName({ kafka }: KafkaPlan, listener: Listener, { name, pool, id }: KafkaNode): string {
  return isOldExternal(listener) ? name : `${kafka.metadata.name}-${pool.metadata.name}-${listener.name}-${String(id)}`;
}

/** The address of a load balancer, once it has one. */
function loadBalancerAddress(service: Service | undefined): string | undefined {
  const ingress = service?.status?.loadBalancer?.ingress?.[0];
  return ingress?.hostname ?? ingress?.ip;
}

/** Where Services lead to: themselves as they are, by name, and the address of the node, for those that have a port on it. */
export interface Exposed {
  readonly services: ReadonlyMap<string, Service>;
  readonly nodeAddress: string | undefined;
}

/** How a Service is reached by clients of a listener; undefined while it has no address yet. */
export function serviceAddress(plan: KafkaPlan, { type, port: own }: Listener, name: string, { services, nodeAddress }: Exposed): { host: string; port: number } | undefined {
  if (type === 'loadbalancer') {
    const host = loadBalancerAddress(services.get(name));
    return host === undefined ? undefined : { host, port: own };
  }
  if (type === 'nodeport') {
    const nodePort = services.get(name)?.spec?.ports?.[0]?.nodePort;
    return nodePort === undefined || nodeAddress === undefined ? undefined : { host: nodeAddress, port: nodePort };
  }
  return { host: `${name}.${plan.kafka.metadata.namespace}.svc`, port: own };
}

/** What a broker advertises for a listener: configured names, else the address of its Service or its name inside the cluster. */
export function advertisedAddress(plan: KafkaPlan, listener: Listener, node: KafkaNode, exposed: Exposed): { host: string; port: number } {
  const configured = listener.configuration?.brokers?.find(({ broker }) => broker === node.id);
  const own = listener.type === 'internal' ? { host: node.host, port: listener.port } : serviceAddress(plan, listener, brokerServiceName(plan, listener, node), exposed);
  return { host: configured?.advertisedHost ?? own?.host ?? '', port: configured?.advertisedPort ?? own?.port ?? listener.port };
}

const brokerSelector = (plan: KafkaPlan): Record<string, string> => ({ ...selectorOf(kafkaComponent(plan.kafka)), 'strimzi.io/broker-role': 'true' });
const port = (name: string, number: number): object => ({ name, port: number, targetPort: number, protocol: 'TCP' });
const clientPort = ({ name, port: number }: Listener): object => port(number === 9092 ? 'tcp-clients' : number === 9093 ? 'tcp-clientstls' : `tcp-${name}`, number);

function internalBootstrap(plan: KafkaPlan): Written {
  const { name } = plan.kafka.metadata;
  const internal = plan.listeners.filter(({ type }) => type === 'internal');
  return {
    apiVersion: 'v1', kind: 'Service', metadata: metadataOf(kafkaComponent(plan.kafka), `${name}-kafka-bootstrap`, { labels: { 'strimzi.io/discovery': 'true' } }),
    spec: { type: 'ClusterIP', selector: brokerSelector(plan), ports: [port('tcp-replication', internalPorts.replication), ...internal.map(clientPort)] },
  };
}

function headless(plan: KafkaPlan): Written {
  const component = kafkaComponent(plan.kafka);
  const internal = plan.listeners.filter(({ type }) => type === 'internal');
  return {
    apiVersion: 'v1', kind: 'Service', metadata: metadataOf(component, `${plan.kafka.metadata.name}-kafka-brokers`),
    spec: {
      type: 'ClusterIP', clusterIP: 'None', publishNotReadyAddresses: true, selector: selectorOf(component),
      ports: [port('tcp-ctrlplane', internalPorts.controlPlane), port('tcp-replication', internalPorts.replication), port('tcp-kafkaagent', 8443), ...internal.map(clientPort)],
    },
  };
}

function externalSpec({ type }: Listener): object {
  if (type === 'loadbalancer' || type === 'nodeport') return { type: type === 'nodeport' ? 'NodePort' : 'LoadBalancer', externalTrafficPolicy: 'Cluster' };
  return { type: 'ClusterIP' };
}

function externalBootstrap(plan: KafkaPlan, listener: Listener): Written {
  return {
    apiVersion: 'v1', kind: 'Service',
    metadata: metadataOf(kafkaComponent(plan.kafka), bootstrapServiceName(plan, listener), listener.configuration?.bootstrap ?? {}),
    spec: { ...externalSpec(listener), selector: brokerSelector(plan), ports: [port(`tcp-${listener.name}`, listener.port)] },
  };
}

function brokerService(plan: KafkaPlan, listener: Listener, node: KafkaNode): Written {
  const { labels, annotations } = listener.configuration?.brokers?.find(({ broker }) => broker === node.id) ?? {};
  return {
    apiVersion: 'v1', kind: 'Service',
    metadata: poolMetadata(plan, node.pool, brokerServiceName(plan, listener, node), { ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) }),
    spec: {
      ...externalSpec(listener),
      selector: { ...selectorOf(kafkaComponent(plan.kafka)), 'strimzi.io/pool-name': node.pool.metadata.name, 'strimzi.io/pod-name': node.name },
      ports: [port(`tcp-${listener.name}`, listener.port)],
    },
  };
}
