import * as pulumi from '@pulumi/pulumi';

import type { Configuration } from '../config/schema.ts';
import { shellWord } from '../config/shell-word.ts';
import type { Cluster } from './cluster.ts';
import { reasonOf } from './cluster-client.ts';
import { plainError } from './cluster-reader.ts';
import { askedNamespaces, type ConfiguredNamespace, isGiven } from './configured-namespaces.ts';
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
  const own = askedNamespaces(configuration, skipped).filter((each) => !isGiven(each));
  const known = new Set(own.map(({ component }) => runningIn(previous)(...component)).map(({ cluster: context, namespace }) => `${context ?? ''}/${namespace ?? ''}`));
  const asked = own.filter(({ context, namespace }) => !known.has(`${context}/${namespace}`));
  const problems = (await Promise.all(asked.map((each) => problemOf(each, cluster(each.context))))).flatMap((problem) => problem ?? []);
  if (problems.length === 0) return;
  throw plainError(['Namespaces are there that this stack did not make; nothing was changed:', ...new Set(problems.map((problem) => `  ${problem}`))].join('\n'));
}

async function problemOf({ path, context, namespace }: ConfiguredNamespace, { reader }: Cluster): Promise<string | undefined> {
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
  return `A destroy of this stack would delete it with everything in it: choose another name, or set namespaces: given where somebody else makes all of them. If that is meant, give it to the stack: kubectl --context ${shellWord(context)} annotate --overwrite namespace ${namespace} ${ownerAnnotation}=${stack}`;
}
