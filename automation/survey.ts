import type { Configuration } from '../config/schema.ts';
import { askedWhereItIs } from './movedClusters.ts';
import type { Abandoned } from './orphans.ts';
import { abandonedClusters, askClusters, skippedContexts } from './reach.ts';
import type { Choices } from './reach.ts';
import type { StackState } from './stackState.ts';
import { clustersInSettings, clustersOfOrphans, clustersOfState, resourcesOfRegion, together } from './usedClusters.ts';

/** What an operation works on, once every cluster was asked. */
export interface Survey {
  /** Regions that are left as they are. */
  readonly skipped: readonly string[];
  /** URNs that the engine has to leave alone for it. */
  excluded(state: StackState): string[];
  /** Clusters that objects are left behind in, and that answer now. */
  readonly returned: readonly string[];
  /** Clusters that it goes on without. */
  readonly abandoned: readonly { readonly context: string; readonly kubeconfig: string }[];
}

/** What is known before anything is asked. */
export interface Known {
  /** Undefined for operations that do not run the program. */
  readonly configuration: Configuration | undefined;
  readonly state: StackState;
  /** The program's directory. */
  readonly program: string;
  readonly orphans: readonly Abandoned[];
}

/**
 * Asks every cluster that an operation needs, before anything is changed anywhere.
 * @throws UserError that names those which do not answer or refuse, unless the person chose what to do about them
 */
export async function survey(operation: string, { configuration, state, program, orphans }: Known, choices: Choices & { signal?: AbortSignal }): Promise<Survey> {
  const { skipRegions = [], signal } = choices;
  const used = together(configuration === undefined ? [] : clustersInSettings(configuration), clustersOfState(state, program));
  const all = together(used, clustersOfOrphans(orphans));
  const skipped = skippedContexts(all, skipRegions);
  const contexts = new Set(skipped.values());
  const asked = await askClusters(all.filter(({ context }) => !contexts.has(context)), signal);
  const reached = await Promise.all(asked.map((cluster) => askedWhereItIs(cluster, configuration?.gcp, signal)));
  const needed = reached.filter(({ context }) => used.some((cluster) => cluster.context === context));
  return {
    skipped: [...skipped.keys()],
    excluded: (current) => [...new Set([...skipped].flatMap(([region, context]) => [...resourcesOfRegion(current, region, context)]))],
    returned: reached.filter(({ state: answer }) => answer === 'answers').map(({ context }) => context).filter((context) => orphans.some((each) => each.context === context)),
    abandoned: abandonedClusters(operation, needed, choices),
  };
}
