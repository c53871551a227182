import { shellWord } from '../config/shell-word.ts';
import type { Cluster } from './cluster.ts';
import { type LiveObject, plainError } from './cluster-reader.ts';
import { askedNamespaces, type GivenNamespace, isGiven } from './configured-namespaces.ts';
import type { Surroundings } from './foreign-namespaces.ts';
import type { Previous } from './previous.ts';
import { within } from './within.ts';

/**
 * Refuses, before any object is registered, to go on where a namespace that is given is not there, or will not be for long: else the first object in it would
 * fail when others are made already. A cluster that cannot be asked, as with rights in its namespaces only, is left to the engine.
 * @throws pulumi.RunError that names each with its cluster and what to do
 */
export async function refuseMissingNamespaces({ previous, configuration, cluster, skipped }: Surroundings): Promise<void> {
  const asked = askedNamespaces(configuration, skipped).filter(isGiven);
  const problems = (await Promise.all(asked.map(async (each) => await problemOf(each, cluster(each.context), previous)))).flatMap((problem) => problem ?? []);
  if (problems.length === 0) return;
  throw plainError(['Namespaces that this program does not make are not there; nothing was changed:', ...new Set(problems.map((problem) => `  ${problem}`))].join('\n'));
}

async function problemOf(given: GivenNamespace, { reader }: Cluster, previous: Previous): Promise<string | undefined> {
  const { path, context, namespace, component: [type, name] } = given;
  let live: LiveObject | undefined;
  try {
    live = await within(reader.read({ apiVersion: 'v1', kind: 'Namespace', name: namespace }));
  } catch {
    return undefined;
  }
  const lack = lackOf(live, given);
  if (lack === undefined) return undefined;
  // By the state a run would find nothing to do in the new one, and leave it empty.
  const refresh = previous.outputsOf(`kbf:index:${type}`, name) === undefined ? '' : ', and then run `kbf refresh` (or `pulumi refresh`) before `up`, as what the state has in it is gone';
  return `${path}: namespace ${namespace} of cluster ${context} ${lack.found}. ${lack.remedy}${refresh}`;
}

/** What a given namespace lacks, in words that follow its name, and what to do; undefined where it lacks nothing. */
export function lackOf(live: { readonly metadata?: { readonly deletionTimestamp?: unknown } } | undefined, { context, namespace, given }: GivenNamespace): { found: string; remedy: string } | undefined {
  const others = `and by ${given === 'namespaces' ? 'namespaces: given' : given} the program does not make it`;
  const make = `kubectl --context ${shellWord(context)} create namespace ${namespace}`;
  if (live === undefined) return { found: `is not there, ${others}`, remedy: `Make it, or have it made: ${make}` };
  if (live.metadata?.deletionTimestamp === undefined) return undefined;
  return { found: `is being deleted, ${others}`, remedy: `Nothing can be made in it any more: when it is gone, make it anew, or have it made: ${make}` };
}
