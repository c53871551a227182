import type { Cluster } from './cluster.ts';
import { plainError } from './cluster-reader.ts';
import { askedNamespaces, type ConfiguredNamespace, isGiven } from './configured-namespaces.ts';
import type { Surroundings } from './foreign-namespaces.ts';
import { type Running, runningIn } from './running.ts';
import { within } from './within.ts';

/**
 * Refuses, before any object is registered, to go on where a namespace that this stack made is not there any more, or is another one: its context leads to another cluster than
 * before, or somebody deleted it. By the state nothing in it would have to be made, while TSB was told of the new cluster. A cluster that cannot be asked is left to the engine.
 * @throws pulumi.RunError that names each with its cluster and what to do
 */
export async function refuseLostNamespaces({ previous, configuration, cluster, skipped }: Surroundings): Promise<void> {
  const own = askedNamespaces(configuration, skipped).filter((each) => !isGiven(each));
  const problems = (await Promise.all(own.map((each) => problemOf(each, cluster(each.context), runningIn(previous)(...each.component))))).flatMap((problem) => problem ?? []);
  if (problems.length === 0) return;
  throw plainError([
    'Namespaces of this stack are gone; nothing was changed:', ...new Set(problems.map((problem) => `  ${problem}`)),
    'Where a context leads to another cluster than before, set it back; if that is meant, delete first what this stack made in the former one. Otherwise somebody deleted them. '
    + 'Then run `kbf refresh` (or `pulumi refresh`), by which the state forgets what is gone, and `up` makes it anew.',
  ].join('\n'));
}

async function problemOf({ path, context, namespace }: ConfiguredNamespace, { reader }: Cluster, running: Running): Promise<string | undefined> {
  if (running.cluster !== context || running.namespace !== namespace) return undefined;
  try {
    const live = await within(reader.read({ apiVersion: 'v1', kind: 'Namespace', name: namespace }));
    if (live === undefined) return `${path}: cluster ${context} has no namespace ${namespace} any more`;
    return running.namespaceUid === undefined || live.metadata?.uid === running.namespaceUid ? undefined : `${path}: cluster ${context} has another namespace ${namespace} than this stack made`;
  } catch {
    return undefined;
  }
}
