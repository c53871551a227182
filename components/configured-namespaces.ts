import { givenNamespaces } from '../config/given-namespace.ts';
import { operatorIn } from '../config/operator-place.ts';
import type { Configuration } from '../config/schema.ts';
import { operatorCatalog } from './operator-catalog.ts';
import { neededOperators } from './operators.ts';

/** A namespace that the settings name, and that the program makes or finds. */
export interface ConfiguredNamespace {
  /** Of the setting that names it. */
  readonly path: string;
  readonly context: string;
  readonly namespace: string;
  /** The component that has its objects there, by type and name. */
  readonly component: readonly [type: string, name: string];
  /** Of the setting by which it is there before the program; undefined where the program makes it. */
  readonly given: string | undefined;
}

/** One that is there before the program. */
export type GivenNamespace = ConfiguredNamespace & { readonly given: string };

export function isGiven(each: ConfiguredNamespace): each is GivenNamespace {
  return each.given !== undefined;
}

/** Every namespace of these settings, without those that only somebody else has objects in. */
export function configuredNamespaces(configuration: Configuration): ConfiguredNamespace[] {
  const { kafka, regions, bridge, tsb, tier1, generators, operators } = configuration;
  const given = givenNamespaces(configuration);
  return [
    ...(kafka.existing !== undefined ? [] : [{ path: 'kafka.namespace', context: kafka.context, namespace: kafka.namespace, component: ['KafkaCluster', 'kafka'] as const, given: given.kafka }]),
    ...regions.map(({ name, context }) => ({ path: 'bridge.namespace', context, namespace: bridge.namespace, component: ['KafkaBridgeRegion', name] as const, given: given.bridge })),
    { path: 'tsb.namespace', context: tsb.context, namespace: tsb.namespace, component: ['TsbWorkspace', 'tsb'], given: given.tsb },
    { path: 'tier1.namespace', context: tier1.context, namespace: tier1.namespace, component: ['Tier1Failover', 'tier1'], given: given.tier1 },
    ...(generators?.context === undefined ? [] : [{ path: 'generators.namespace', context: generators.context, namespace: generators.namespace, component: ['TrafficGenerators', 'generators'] as const, given: given.generators }]),
    ...neededOperators(configuration).flatMap(({ context, operator }) => {
      const { install, namespace } = operatorIn(operators[operator], context);
      return install ? [{ path: `operators.${operator}.namespace`, context, namespace, component: ['Operator', `${operatorCatalog[operator].release}-${context}`] as const, given: given.operators }] : [];
    }),
  ];
}

/** Those in clusters that are asked: none where a region is skipped. */
export function askedNamespaces(configuration: Configuration, skipped: { has(region: string): boolean }): ConfiguredNamespace[] {
  const silent = new Set(configuration.regions.filter(({ name }) => skipped.has(name)).map(({ context }) => context));
  return configuredNamespaces(configuration).filter(({ context }) => !silent.has(context));
}
