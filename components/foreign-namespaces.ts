import * as pulumi from '@pulumi/pulumi';

import { givenInKafkaNamespace, needsGivenNamespace } from '../config/given-namespace.ts';
import { operatorIn } from '../config/operator-place.ts';
import type { Configuration } from '../config/schema.ts';
import type { Cluster } from './cluster.ts';
import { reasonOf } from './cluster-client.ts';
import { plainError } from './cluster-reader.ts';
import { operatorCatalog } from './operator-catalog.ts';
import { neededOperators } from './operators.ts';
import { ownerAnnotation } from './own-namespace.ts';
import type { Previous } from './previous.ts';
import { runningIn } from './running.ts';
import { within } from './within.ts';

export interface Surroundings {
  readonly previous: Previous;
  readonly configuration: Configuration;
  readonly cluster: (context: string) => Cluster;
  /** Names of regions whose clusters are not asked. */
  readonly skipped: { has(region: string): boolean };
}

/**
 * Refuses, before any object is registered, namespaces that are there and that this stack did not make: the provider would take one over
 * without a word, and a destroy would delete it with everything in it. What the state has is not asked for again.
 * @throws pulumi.RunError that names each with its cluster and what to do
 */
export async function refuseForeignNamespaces({ previous, configuration, cluster, skipped }: Surroundings): Promise<void> {
  const silent = new Set(configuration.regions.filter(({ name }) => skipped.has(name)).map(({ context }) => context));
  const own = ownNamespaces(configuration);
  const known = new Set(own.map(({ component }) => runningIn(previous)(...component)).map(({ cluster: context, namespace }) => `${context ?? ''}/${namespace ?? ''}`));
  const asked = own.filter(({ context, namespace }) => !silent.has(context) && !known.has(`${context}/${namespace}`));
  const problems = (await Promise.all(asked.map((each) => problemOf(each, cluster(each.context))))).flatMap((problem) => problem ?? []);
  if (problems.length === 0) return;
  throw plainError(['Namespaces are there that this stack did not make; nothing was changed:', ...new Set(problems.map((problem) => `  ${problem}`))].join('\n'));
}

async function problemOf({ path, context, namespace }: OwnNamespace, { reader }: Cluster): Promise<string | undefined> {
  try {
    const live = await within(reader.read({ apiVersion: 'v1', kind: 'Namespace', name: namespace }));
    const owner = live?.metadata?.annotations?.[ownerAnnotation];
    if (live === undefined || owner === pulumi.getStack()) return undefined;
    return `${path}: cluster ${context} has a namespace ${namespace}${owner === undefined ? '' : ` of stack ${owner}`}. ${foreignRemedy(context, namespace, pulumi.getStack())}`;
  } catch (error) {
    const message = `${path}: cluster ${context} does not say whether it has a namespace ${namespace} already, which would be taken over: ${reasonOf(error)}`;
    if (!pulumi.runtime.isDryRun()) return message;
    // It may answer by the time of the run itself.
    await pulumi.log.warn(message);
    return undefined;
  }
}

/** What to do about a namespace that is there. */
export function foreignRemedy(context: string, namespace: string, stack: string): string {
  return `A destroy of this stack would delete it with everything in it: choose another name. If that is meant, give it to the stack: kubectl --context ${context} annotate --overwrite namespace ${namespace} ${ownerAnnotation}=${stack}`;
}

/** Where the program makes a namespace. */
export interface OwnNamespace {
  /** Of the setting that names it. */
  readonly path: string;
  readonly context: string;
  readonly namespace: string;
  /** The component that makes it, by type and name. */
  readonly component: readonly [type: string, name: string];
}

/** Every namespace that the program makes with these settings. */
export function ownNamespaces(configuration: Configuration): OwnNamespace[] {
  const { kafka, regions, bridge, tsb, tier1, generators } = configuration;
  return [
    ...(kafka.existing !== undefined || givenInKafkaNamespace(kafka) !== undefined ? [] : [{ path: 'kafka.namespace', context: kafka.context, namespace: kafka.namespace, component: ['KafkaCluster', 'kafka'] as const }]),
    ...(bridge.authentication !== undefined ? [] : regions.map(({ name, context }) => ({ path: 'bridge.namespace', context, namespace: bridge.namespace, component: ['KafkaBridgeRegion', name] as const }))),
    { path: 'tsb.namespace', context: tsb.context, namespace: tsb.namespace, component: ['TsbWorkspace', 'tsb'] },
    ...(needsGivenNamespace(tier1.tls) ? [] : [{ path: 'tier1.namespace', context: tier1.context, namespace: tier1.namespace, component: ['Tier1Failover', 'tier1'] as const }]),
    ...(generators?.context === undefined ? [] : [{ path: 'generators.namespace', context: generators.context, namespace: generators.namespace, component: ['TrafficGenerators', 'generators'] as const }]),
    ...ofOperators(configuration),
  ];
}

function ofOperators(configuration: Configuration): OwnNamespace[] {
  return neededOperators(configuration).flatMap(({ context, operator }) => {
    const { install, namespace } = operatorIn(configuration.operators[operator], context);
    return install ? [{ path: `operators.${operator}.namespace`, context, namespace, component: ['Operator', `${operatorCatalog[operator].release}-${context}`] as const }] : [];
  });
}
