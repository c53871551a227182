import { bridgeOperations } from '../config/bridge-operations.ts';
import type { BridgeConfiguration, TsbConfiguration } from '../config/schema.ts';
import { bridgeHosts } from './bridge-hosts.ts';
import { consumersPath } from './region-routes.ts';

/** A consumer that nobody makes. A bridge answers 404 at once, without Kafka, and logs it as it logs any answer; a path that is none of its API's it logs as an error. */
const ofNoConsumer = `${consumersPath}/kbf-check/instances/none/subscription`;

/**
 * What tier1 asks of a region. Consumers' requests never take the hop to a peer, so that a region whose own bridge is gone answers 503 to their path, whatever its peer does: tier1 then
 * leaves it, and new consumers come to where there is a bridge. Behind Strimzi's own Service they take the hop like the rest.
 */
export function regionCheckPath(bridge: Pick<BridgeConfiguration, 'name' | 'namespace' | 'service'>): string {
  return bridgeHosts(bridge).local === undefined ? '/' : ofNoConsumer;
}

/** By which a bridge tells, at INFO, of all that it asks Kafka for about topics. */
const ofTopics = 'io.strimzi.kafka.bridge.KafkaBridgeAdmin';

/** The loggers by which a bridge tells of each check, two lines at INFO or more, many times a second from every region; none where nothing checks. */
export function checkLoggers(bridge: BridgeConfiguration, envoyFilters: TsbConfiguration['envoyFilters']): string[] {
  if (envoyFilters === 'none') return [];
  const paths = [bridge.healthCheck.path, regionCheckPath(bridge)];
  const asked = paths.flatMap((path) => bridgeOperations.filter((operation) => operation.path.test(path)).map(({ name }) => name));
  return [...[...new Set(asked)].map((operation) => `http.openapi.operation.${operation}`), ...(paths.some((path) => path.startsWith('/topics')) ? [ofTopics] : [])];
}
