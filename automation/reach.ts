import { UserError } from '../errors.ts';
import { noFile, probeCluster } from './clusterProbe.ts';
import type { Answer } from './clusterProbe.ts';
import { isText } from './kubeconfigs.ts';
import { runsProgram } from './operation.ts';
import { trafficGenerators } from './usedClusters.ts';
import type { AskedCluster, UsedCluster } from './usedClusters.ts';

/** What a person chose about clusters that do not answer, for one operation. */
export interface Choices {
  /** Regions that are left as they are, by name. */
  readonly skipRegions?: readonly string[];
  /** `destroy` goes on without clusters that do not answer, and remembers what is left in them. */
  readonly abandonUnreachable?: boolean;
}

export type Reached = AskedCluster & Answer;

/** Asks clusters at the same time. One that only the engine can reach is not asked. */
export async function askClusters(clusters: readonly UsedCluster[], signal?: AbortSignal, probe = probeCluster): Promise<Reached[]> {
  const asked = clusters.filter((cluster): cluster is AskedCluster => cluster.kubeconfig !== undefined);
  return await Promise.all(asked.map(async (cluster) => ({ ...cluster, ...await probe(cluster, signal) })));
}

/**
 * The clusters of skipped regions, by context.
 * @throws UserError for a region that there is none of, or whose cluster the others need
 */
export function skippedContexts(clusters: readonly UsedCluster[], skip: readonly string[]): Map<string, string> {
  const all = clusters.flatMap(({ regions }) => regions);
  const unknown = skip.filter((region) => !all.includes(region));
  if (unknown.length > 0) {
    throw new UserError(`There is no region ${unknown.join(', ')}.`, { exitCode: 2, remedy: `Regions: ${[...new Set(all)].join(', ')}.` });
  }
  const contexts = new Map<string, string>();
  for (const cluster of clusters.filter(({ regions }) => regions.some((region) => skip.includes(region)))) {
    const { context, regions } = cluster;
    const others = needed(cluster);
    if (others.length > 0) throw new UserError(`Region ${regions.join(', ')} cannot be skipped: its cluster ${context} has ${others.join(' and ')} in it, too.`, { exitCode: 2 });
    for (const region of regions) contexts.set(region, context);
  }
  return contexts;
}

/** What cannot be left as it is with the regions of a cluster. */
function needed({ parts, regions }: UsedCluster): string[] {
  const left = [...regions.map((region) => `region ${region}`), trafficGenerators, leftBehind];
  return parts.filter((part) => !left.includes(part));
}

const leftBehind = 'objects that were left behind';

/**
 * The clusters that an operation goes on without.
 * @throws UserError that names every cluster which does not answer or refuses, unless the person chose what to do about it
 */
export function abandonedClusters(operation: string, reached: readonly Reached[], { abandonUnreachable = false }: Choices): Reached[] {
  const refusing = reached.filter(({ state }) => state === 'refused' || state === 'unusable');
  const silent = reached.filter(({ state }) => state === 'unreachable');
  const busy = reached.filter(({ state }) => state === 'busy');
  if (refusing.length > 0) {
    throw new UserError([...refusing, ...silent, ...busy].map(describe).concat(nothingChanged).join('\n'), {
      remedy: [
        ...remedyForMoved(operation, [...refusing, ...silent]),
        'Renew or correct what is wrong there. A cluster that refuses is never taken for one that is gone.', ...refusing.some(({ detail }) => detail === noFile) ? [remedyForPath(operation)] : [],
      ].join(' '),
    });
  }
  if (busy.length > 0) throw new UserError([...busy, ...silent].map(describe).concat(nothingChanged).join('\n'), { remedy: 'Try again: an API server that answers so is there.' });
  if (silent.length === 0) return [];
  if (operation === 'destroy' && abandonUnreachable) {
    // When nobody answers, the fault is more likely here than everywhere else.
    if (silent.length < reached.length) return silent;
    throw new UserError([...silent.map(describe), nothingChanged].join('\n'), { code: 'unreachable', remedy: 'No cluster answers at all: look at this machine\'s own network first.' });
  }
  throw new UserError([...silent.map(describe), nothingChanged].join('\n'), { code: 'unreachable', remedy: [...remedyForMoved(operation, silent), remedyFor(operation, silent)].join(' ') });
}

/** Paths of the settings are looked at before, so that one which is not there is from the state. */
function remedyForPath(operation: string): string {
  const there = 'A path that is not there is the one of the last `up`, perhaps on another machine: have a kubeconfig with the context there';
  return runsProgram(operation) ? `${there}.` : `${there}, or run \`up\` here first, which takes the path in the settings.`;
}

/** A kubeconfig that the state has as text is what Google Cloud said at the last `up`: an operation that runs the program asks anew, and the others go by it. */
function remedyForMoved(operation: string, reached: readonly Reached[]): string[] {
  const moved = reached.filter(({ state, kubeconfig }) => state !== 'refused' && isText(kubeconfig));
  if (runsProgram(operation) || moved.length === 0) return [];
  return [`${moved.map(({ context }) => context).join(' and ')} may have another address now than Google Cloud said at the last \`up\`: where it has, run \`up\` first, which takes the new one.`];
}

const nothingChanged = 'Nothing was changed.';

function remedyFor(operation: string, silent: readonly Reached[]): string {
  if (operation === 'destroy') return 'Bring it back, or say --abandon-unreachable: then everything else is destroyed, and what is left there is listed and remembered.';
  const kept = silent.filter((cluster) => cluster.regions.length === 0 || needed(cluster).length > 0);
  if (kept.length > 0) return `${kept.map(({ context }) => context).join(' and ')} cannot be left out. Bring it back${kept.every(({ kubeconfig }) => isText(kubeconfig)) ? '' : ', or correct its address in the kubeconfig'}.`;
  const skips = silent.flatMap(({ regions }) => regions).map((region) => `--skip-region ${region}`).join(' ');
  return `Bring it back, or say ${skips}: then everything else is worked on, and what is there stays as it is.`;
}

function describe({ context, parts, state, address, kubeconfig, detail }: Reached): string {
  const cluster = `Cluster ${context} (${parts.join(', ')})`;
  const file = isText(kubeconfig) ? 'its kubeconfig' : kubeconfig;
  if (state === 'unreachable') return `${cluster} does not answer at ${address}: ${detail}.`;
  if (state === 'busy') return `${cluster} at ${address} has too much to do: ${detail}.`;
  if (state === 'refused') return `${cluster} at ${address} refuses the credentials in ${file}: ${detail}.`;
  return address === '' ? `${cluster} cannot be reached by ${file}: ${detail}.` : `${cluster} at ${address} cannot be used with ${file}: ${detail}.`;
}
