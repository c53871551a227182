import type { BridgeConfiguration, TsbConfiguration } from '../config/schema.ts';
import { checkLoggers } from './health-checks.ts';
import type { KafkaBridgeSpec } from './resources/kafka-bridge.ts';

/** What is said of loggers is added to the operator's own settings, of which all that is not said stays: so does each release from 0.36.0 to 1.2.0 (its LoggingUtils). */
export function bridgeLogging(bridge: BridgeConfiguration, envoyFilters: TsbConfiguration['envoyFilters']): Pick<KafkaBridgeSpec, 'logging'> {
  const levels = { ...Object.fromEntries(checkLoggers(bridge, envoyFilters).map((logger) => [logger, 'WARN'])), ...bridge.logging };
  return Object.keys(levels).length === 0 ? {} : { logging: { type: 'inline', loggers: loggers(levels) } };
}

/** What all loggers are below, in a person's words and in Log4j2's. */
const rootLoggers = ['root', 'rootLogger', 'rootLogger.level'];

/**
 * The identifiers of loggers in the operator's own settings (its default-logging/KafkaBridgeCluster.properties, 0.36.0 to 1.2.0). Of two identifiers with one name Log4j2 takes either.
 */
const operatorsOwn: Readonly<Record<string, string>> = {
  'io.strimzi.kafka.bridge': 'bridge', 'http.openapi.operation.healthy': 'healthy', 'http.openapi.operation.ready': 'ready', 'io.vertx.ext.web.openapi.router.impl.RouterBuilderImpl': 'vertx',
};

/** Log4j2's way to say a logger's level: an identifier for each, with its name and level. */
function loggers(levels: Readonly<Record<string, string>>): Record<string, string> {
  const taken = new Set(Object.values(operatorsOwn));
  return Object.fromEntries(
    Object.entries(levels).flatMap(([logger, level]) => {
      if (rootLoggers.includes(logger)) return [['rootLogger.level', level]];
      const id = operatorsOwn[logger] ?? freeId(logger.replaceAll(/[^a-zA-Z0-9]+/g, '_'), taken);
      taken.add(id);
      return [[`logger.${id}.name`, logger], [`logger.${id}.level`, level]];
    }),
  );
}

/** Names that differ in other characters only have one identifier: those after the first are numbered. */
function freeId(id: string, taken: ReadonlySet<string>, number = 2): string {
  if (!taken.has(id)) return id;
  return taken.has(`${id}_${number}`) ? freeId(id, taken, number + 1) : `${id}_${number}`;
}
