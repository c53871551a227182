import { dirname, resolve } from 'node:path';

import { type KubeconfigContexts, kubeconfigContexts, kubeconfigPath } from '../kubeconfig.ts';
import { nearest } from '../near.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import { foundText, type Path, pathText } from '../text.ts';

/** One mention of a cluster. */
interface Place {
  readonly path: Path;
  readonly context: string;
  /** Of this place alone. */
  readonly kubeconfig: string | undefined;
}

export const contextRules = [
  'Every `context` is in the file that `kubeconfig` names, the place’s own or the common one, with its cluster and its user, or it is a key of `gcp.clusters`. Nothing is taken from the environment.',
  'A context is the name of one cluster: two files cannot both have a cluster of that name.',
  'Certificates, keys, tokens and plugins of these contexts stand in the file by absolute paths, or as data: the Kubernetes provider of Pulumi looks for relative ones in a directory of its own.',
  'Every key of `gcp.clusters` is some place’s context, and no two are one cluster.',
];

/** Every context must be in the kubeconfig file that it is looked for in, or be a cluster of GKE. */
export function checkContexts(configuration: Readable, contextsOf: ContextReader): Finding[] {
  const common = configuration.kubeconfig;
  const places = placesOf(configuration).filter((place) => !isOnGke(place, configuration));
  return [
    ...(common === undefined ? [] : unreadable(['kubeconfig'], common, contextsOf(common))),
    ...places.flatMap(({ path, context, kubeconfig }) => {
      const own = kubeconfig === undefined ? [] : unreadable([...path, 'kubeconfig'], kubeconfig, contextsOf(kubeconfig));
      const file = kubeconfig ?? common;
      return file === undefined ? [] : [...own, ...missing([...path, 'context'], context, contextsOf(file))];
    }),
    // Of places in one cluster the first stands for all.
    ...[...Map.groupBy(places, ({ context }) => context).values()].flatMap(([place]) => (place === undefined ? [] : relativePaths(place, common, contextsOf))),
  ];
}

/** What can be said of clusters without any kubeconfig. */
export function checkPlaces(configuration: Readable, raw: Record<string, unknown>, directory: string): Finding[] {
  const places = placesOf(configuration);
  const fileOf = ({ kubeconfig = configuration.kubeconfig }: Place): string | undefined => kubeconfig && kubeconfigPath(kubeconfig, directory);
  return [...(raw['kubeconfig'] === undefined ? unnamed(places, configuration) : []), ...twoFiles(places, fileOf), ...unusedOnGke(places, configuration), ...oneGkeClusterTwice(configuration), ...doublyFound(places, configuration)];
}

function placesOf({ kafka, regions, tsb, tier1, generators }: Readable): Place[] {
  const concerns: [Path, Placed | undefined][] = [
    [['kafka'], kafka],
    ...(regions ?? []).map((region, index): [Path, typeof region] => [['regions', index], region]),
    [['tsb'], tsb],
    [['tier1'], tier1],
    [['generators'], generators],
  ];
  return concerns.flatMap(([path, concern]) => (concern?.context === undefined ? [] : [{ path, context: concern.context, kubeconfig: concern.kubeconfig }]));
}

/** A concern that has a cluster. */
export interface Placed {
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
}

export function isOnGke({ context, kubeconfig }: Placed, { gcp }: Readable): boolean {
  return context !== undefined && kubeconfig === undefined && Object.hasOwn(gcp?.clusters ?? {}, context);
}

type ReadContexts = { readonly file: string } & KubeconfigContexts;

/** Gives the contexts of a file by its path as it was written. */
export type ContextReader = (path: string) => ReadContexts;

/** Reads each file once. */
export function contextReader(directory: string): ContextReader {
  const files = new Map<string, ReadContexts>();
  return (path) => {
    const file = kubeconfigPath(path, directory);
    const known = files.get(file) ?? { file, ...kubeconfigContexts(file) };
    files.set(file, known);
    return known;
  };
}

function unreadable(path: Path, found: string, contexts: ReadContexts): Finding[] {
  if (!('unreadable' in contexts)) return [];
  return [{ path, found: `${foundText(path, found)} (${contexts.file}: ${contexts.unreadable})`, allowed: 'the path of a kubeconfig file' }];
}

function missing(path: Path, context: string, kubeconfig: ReadContexts): Finding[] {
  if ('unreadable' in kubeconfig || kubeconfig.contexts.includes(context)) return [];
  const { file, contexts } = kubeconfig;
  return [{ path, allowed: `a complete context of ${file}: ${contexts.join(', ') || 'it has none'}`, suggestion: nearest(context, contexts) }];
}

/** The provider gets the path of the file, so that nothing secret enters the state; it then takes the text in it for one that lies in its own directory. */
function relativePaths({ path, context, kubeconfig }: Place, common: string | undefined, contextsOf: ContextReader): Finding[] {
  const name = kubeconfig ?? common;
  const contexts = name === undefined ? undefined : contextsOf(name);
  if (contexts === undefined || 'unreadable' in contexts) return [];
  const { file, relative } = contexts;
  return (relative.get(context) ?? []).map((found) => ({
    path: [...path, 'context'], found: `${foundText([], context)}, whose ${found.key} in ${file} is ${foundText([], found.path)}`,
    allowed: `an absolute path there, ${resolve(dirname(file), found.path)}: the Kubernetes provider of Pulumi would look for a relative one in a directory of its own`,
  }));
}

/** Contexts without any file that could have them. */
function unnamed(places: readonly Place[], configuration: Readable): Finding[] {
  const homeless = places.filter((place) => place.kubeconfig === undefined && !isOnGke(place, configuration)).map(({ context }) => context);
  if (homeless.length === 0) return [];
  return [{ path: ['kubeconfig'], allowed: `the path of a kubeconfig file with these contexts: ${[...new Set(homeless)].join(', ')}` }];
}

/** A context is a cluster's one name: objects are told apart by it. */
function twoFiles(places: readonly Place[], fileOf: (place: Place) => string | undefined): Finding[] {
  return places.flatMap((place, index) => {
    const { path, context } = place;
    const first = places.slice(0, index).find((other) => other.context === context && fileOf(other) !== fileOf(place));
    if (first === undefined) return [];
    return [{ path: [...path, 'context'], allowed: `one name for one cluster: ${pathText(first.path)} takes the same context from ${fileOf(first) ?? 'no file'}; rename it in one of the two` }];
  });
}

function unusedOnGke(places: readonly Place[], { gcp }: Readable): Finding[] {
  const contexts = places.map(({ context }) => context);
  return Object.keys(gcp?.clusters ?? {})
    .filter((key) => !contexts.includes(key))
    .map((key) => ({ path: ['gcp', 'clusters', key], allowed: `a context that another concern names: ${[...new Set(contexts)].join(', ')}`, suggestion: nearest(key, contexts) }));
}

function oneGkeClusterTwice({ gcp }: Readable): Finding[] {
  const clusters = Object.entries(gcp?.clusters ?? {}).map(([key, cluster]) => ({ key, id: `${cluster?.location ?? key}/${cluster?.name ?? ''}` }));
  return clusters.flatMap(({ key, id }, index) => {
    const first = clusters.slice(0, index).find((other) => other.id === id);
    return first === undefined ? [] : [{ path: ['gcp', 'clusters', key], allowed: `another cluster: gcp.clusters.${first.key} is the same` }];
  });
}

function doublyFound(places: readonly Place[], { gcp }: Readable): Finding[] {
  return places
    .filter(({ context, kubeconfig }) => kubeconfig !== undefined && Object.hasOwn(gcp?.clusters ?? {}, context))
    .map(({ path, context }) => ({ path: [...path, 'kubeconfig'], allowed: `nothing: gcp.clusters says how ${foundText([], context)} is reached` }));
}
