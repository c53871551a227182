import { setTimeout as delay } from 'node:timers/promises';

import * as pulumi from '@pulumi/pulumi';

import { shellWord } from '../config/shell-word.ts';
import { releaseWithout } from '../config/versions.ts';
import type { Cluster } from './cluster.ts';
import { reasonOf } from './cluster-client.ts';
import { type LiveObject, nameOf, plainError, stateOf } from './cluster-reader.ts';
import { operatorCatalog, type OperatorName } from './operator-catalog.ts';
import { convertFirst, definitionName, type StoredDefinition, storedOtherwise } from './operator-definitions.ts';
import { imageOf, type OperatorDeployment, watchedBy, watchMore } from './operator-deployment.ts';
import { within } from './within.ts';

/** What one cluster needs of an operator. */
export interface OperatorNeed {
  readonly operator: OperatorName;
  /** Version of its resources. */
  readonly version: string;
  /** Kinds of its resources that are going to be made. */
  readonly kinds: readonly string[];
  /** Where they are going to be. */
  readonly namespace: string;
  /** Version of Kafka that it has to run, where it is to run one. */
  readonly kafka?: string;
}

/**
 * Checks that an operator's resources are served in the version that is needed. Objects of a kind that is not served would fail one by
 * one, in the middle of the run, each with a message that names no remedy.
 * @param how `installed` when its chart was installed just before
 * @throws pulumi.RunError that names cluster, definition, what is served and what to do
 */
export async function expectServed({ name, reader }: Cluster, need: OperatorNeed, how: 'expected' | 'installed' = 'expected'): Promise<void> {
  const { group, title } = operatorCatalog[need.operator];
  const served = await within(reader.served(group)).catch(async (error: unknown) => {
    await pulumi.log.warn(`${title} in cluster ${name} was not looked at: ${reasonOf(error)}`);
    return undefined;
  });
  if (served === undefined) return;
  for (const kind of need.kinds) {
    if (served.get(need.version)?.includes(kind) === true) continue;
    const versions = [...served].filter(([, kinds]) => kinds.includes(kind)).map(([version]) => version);
    const definition = `CustomResourceDefinition ${definitionName(kind, group)}`;
    const found = versions.length === 0 ? 'is not there' : `does not serve ${need.version}; served: ${versions.join(', ')}`;
    throw plainError(`Cluster ${name}: ${definition} ${found}.\n${remedy(need, versions, how)}`);
  }
}

/**
 * Waits for the operator's Deployment, where it can be found: without it every object would wait for its own timeout.
 * @param namespace where it is configured to be; elsewhere it is not looked for
 */
export async function expectAvailable({ name, reader }: Cluster, operator: OperatorName, namespace: string, timeoutMs = 60_000): Promise<void> {
  const { title, deployment } = operatorCatalog[operator];
  const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: deployment };
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const object = await within(reader.read(reference)).catch(() => undefined);
    if (object === undefined || isAvailable(object)) return;
    const message = `${title}'s ${nameOf(reference)} in cluster ${name} is not available; last state: ${stateOf(object)}`;
    // It may be by the time of the run itself.
    if (pulumi.runtime.isDryRun()) return await pulumi.log.warn(message);
    if (performance.now() > deadline) throw plainError(`${message}\nSee: kubectl --context ${shellWord(name)} -n ${namespace} describe deployment ${deployment}`);
    await delay(1_000);
  }
}

/**
 * Checks that Strimzi, where its Deployment can be found, is of a release that runs a version of Kafka. Otherwise Kafka would be waited for until its
 * timeout: an operator says so nowhere but in Kafka's own conditions.
 * @param namespace where it is configured to be; elsewhere it is not looked for
 * @throws pulumi.RunError that names cluster, release, what it runs and what to do
 */
export async function expectRuns({ name, reader }: Cluster, kafka: string, namespace: string): Promise<void> {
  const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: operatorCatalog.strimzi.deployment };
  const object = await within(reader.read(reference)).catch(() => undefined);
  const release = releaseWithout(kafka, imageOf(object as OperatorDeployment | undefined));
  if (release === undefined) return;
  throw plainError(
    `Cluster ${name}: Strimzi ${release.operator} (${nameOf(reference)}) does not run Kafka ${kafka}; it runs ${release.kafka.join(', ')}.\n` +
      'Set kafka.version to one of these, or raise Strimzi first.',
  );
}

/**
 * Checks that no object may be stored in a version that a release of Strimzi does not have any more. Kubernetes would refuse its definitions, in the
 * middle of the run or when they are applied by hand.
 * @param release that is going to be installed
 * @throws pulumi.RunError that names cluster, definition, versions and what to do
 */
export async function expectConverted({ name, reader }: Cluster, kinds: readonly string[], release: string): Promise<void> {
  await Promise.all(kinds.map(async (kind) => {
    const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: definitionName(kind, operatorCatalog.strimzi.group) };
    const object = await within(reader.read(reference)).catch(() => undefined);
    const versions = storedOtherwise(release, object as StoredDefinition | undefined);
    if (versions.length > 0) throw plainError(`Cluster ${name}: ${nameOf(reference)} has ${versions.join(', ')} in status.storedVersions, which Strimzi ${release} does not have.\n${convertFirst}`);
  }));
}

/**
 * Checks that Strimzi, where its Deployment can be found, watches where its resources are going to be: by its chart's default it watches its own
 * namespace only, and whatever is elsewhere would be waited for until its timeout.
 * @param namespace where it is configured to be; elsewhere it is not looked for
 * @throws pulumi.RunError that names cluster, what is not watched, what is and what to do
 */
export async function expectWatches({ name, reader }: Cluster, wanted: readonly string[], namespace: string): Promise<void> {
  const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: operatorCatalog.strimzi.deployment };
  const object = await within(reader.read(reference)).catch(() => undefined);
  const watched = object && watchedBy(object as OperatorDeployment);
  const others = wanted.filter((each) => watched?.includes(each) === false);
  if (watched === undefined || others.length === 0) return;
  throw plainError(`Cluster ${name}: Strimzi (${nameOf(reference)}) does not watch ${others.join(', ')}; it watches ${watched.join(', ')}.\n${watchMore}`);
}

function isAvailable(deployment: LiveObject): boolean {
  const { conditions = [] } = (deployment['status'] ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === 'Available' && status === 'True');
}

function remedy({ operator, version }: OperatorNeed, served: readonly string[], how: 'expected' | 'installed'): string {
  const { title } = operatorCatalog[operator];
  if (how === 'installed') return `Its chart was installed, but Helm leaves definitions alone that are there already. Apply those of this version of ${title}, then run up again.`;
  if (served.length === 0) return `Install ${title} in that cluster, or let this program do it: operators.${operator}.install: true.`;
  if (operator === 'strimzi' && version === 'v1beta2') return 'Strimzi there is too new for ZooKeeper and v1beta2 (both ended before 1.0): set kafka.api to v1.';
  if (operator === 'strimzi') return 'Strimzi there is too old (v1 came with 0.49): raise it, or set kafka.api to v1beta2.';
  return `${title} there is too old: raise it.`;
}
