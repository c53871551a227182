import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import { bridgesAuthentication, givenNamespaces } from '../config/given-namespace.ts';
import { operatorIn } from '../config/operator-place.ts';
import type { Configuration, InstalledKafka } from '../config/schema.ts';
import { expectAvailable, expectConverted, expectRuns, expectServed, expectWatches, type OperatorNeed } from './expected-operator.ts';
import { hasOwnCertificate } from './kafka-listeners.ts';
import { Operator } from './operator.ts';
import { operatorCatalog, type OperatorName } from './operator-catalog.ts';

/** The operators of all clusters. */
export interface Operators {
  /**
   * What the components of a cluster have to come after: its operators, found to be of use. A cluster is looked at, or its operators
   * installed, when it is first asked for, so that a cluster without components is left alone.
   */
  in(context: string): Promise<pulumi.Resource[]>;
}

/** Installs operators by their charts, or expects and checks them, as the configuration says. */
export function operatorsOf(configuration: Configuration, cluster: (context: string) => Cluster): Operators {
  const needs = operatorNeeds(configuration);
  const known = new Map<string, Promise<pulumi.Resource[]>>();
  return {
    in: (context) => {
      const ready = known.get(context) ?? allReady(needs.get(context) ?? [], configuration, cluster(context));
      known.set(context, ready);
      return ready;
    },
  };
}

/** What each cluster needs, by context. */
export function operatorNeeds({ kafka, regions, bridge, tier1 }: Configuration): ReadonlyMap<string, readonly OperatorNeed[]> {
  const needs = new Map<string, OperatorNeed[]>();
  const add = (context: string, need: OperatorNeed) => { needs.set(context, [...(needs.get(context) ?? []), need]); };
  const api = kafka.existing === undefined ? kafka.api : 'v1';
  if (kafka.existing === undefined) {
    add(kafka.context, { operator: 'strimzi', version: api, kinds: kafkaKinds(kafka), namespace: kafka.namespace, kafka: kafka.version });
    const kinds = certificateKinds(kafka);
    if (kinds.length > 0) add(kafka.context, { operator: 'certManager', version: 'v1', kinds, namespace: kafka.namespace });
  }
  for (const { context } of regions) add(context, { operator: 'strimzi', version: api, kinds: ['KafkaBridge'], namespace: bridge.namespace });
  if (tier1.tls?.source === 'cert-manager') add(tier1.context, { operator: 'certManager', version: 'v1', kinds: ['Certificate'], namespace: tier1.namespace });
  return needs;
}

/** Each operator once for each cluster that needs it. */
export function neededOperators(configuration: Configuration): { context: string; operator: OperatorName }[] {
  return [...operatorNeeds(configuration)].flatMap(([context, needs]) => [...new Set(needs.map(({ operator }) => operator))].map((operator) => ({ context, operator })));
}

function kafkaKinds({ api, topics, listeners }: InstalledKafka): string[] {
  return ['Kafka', ...(api === 'v1' ? ['KafkaNodePool'] : []), ...(topics.length > 0 ? ['KafkaTopic'] : []), ...(bridgesAuthentication(listeners) === 'scram-sha-512' ? ['KafkaUser'] : [])];
}

function certificateKinds({ listeners, certificate }: InstalledKafka): string[] {
  if (!listeners.some(hasOwnCertificate)) return [];
  switch (certificate.source) {
    case 'own-root':
      return ['Certificate', 'Issuer'];
    case 'self-signed':
      return ['Certificate', 'ClusterIssuer'];
    case 'issuer':
      return ['Certificate'];
    case 'secret':
      return [];
  }
}

/** An operator is there once for all that a cluster needs of it. */
function allReady(needs: readonly OperatorNeed[], configuration: Configuration, cluster: Cluster): Promise<pulumi.Resource[]> {
  const ready = [...new Set(needs.map(({ operator }) => operator))].map(async (operator) => {
    const own = needs.filter((need) => need.operator === operator);
    const settings = configuration.operators[operator];
    const { install, namespace } = operatorIn(settings, cluster.name);
    if (!install) return await expected(own, { operator, namespace }, cluster);
    if (operator === 'strimzi') await expectConverted(cluster, own.flatMap(({ kinds }) => kinds), settings.version);
    const givenNamespace = givenNamespaces(configuration).operators !== undefined;
    return await installed(own, { operator: new Operator(`${operatorCatalog[operator].release}-${cluster.name}`, { ...settings, operator, givenNamespace, cluster }), namespace }, cluster);
  });
  return Promise.all(ready).then((resources) => resources.flat());
}

async function expected(needs: readonly OperatorNeed[], { operator, namespace }: { operator: OperatorName; namespace: string }, cluster: Cluster): Promise<pulumi.Resource[]> {
  for (const need of needs) await expectServed(cluster, need);
  for (const { kafka } of needs) if (kafka !== undefined) await expectRuns(cluster, kafka, namespace);
  if (operator === 'strimzi') await expectWatches(cluster, placesOf(needs), namespace);
  await expectAvailable(cluster, operator, namespace);
  return [];
}

/** Kafka and a bridge may be in one cluster. */
function placesOf(needs: readonly OperatorNeed[]): string[] {
  return [...new Set(needs.map(({ namespace }) => namespace))];
}

/** In a preview nothing is installed that could be looked at. */
async function installed(needs: readonly OperatorNeed[], { operator, namespace }: { operator: Operator; namespace: string }, cluster: Cluster): Promise<pulumi.Resource[]> {
  if (pulumi.runtime.isDryRun()) return [operator];
  await new Promise((resolve) => operator.release.id.apply(resolve));
  for (const need of needs) await expectServed(cluster, need, 'installed');
  for (const { kafka } of needs) if (kafka !== undefined) await expectRuns(cluster, kafka, namespace);
  // By the values that were given it may watch less.
  if (needs.some((need) => need.operator === 'strimzi')) await expectWatches(cluster, placesOf(needs), namespace);
  return [operator];
}
