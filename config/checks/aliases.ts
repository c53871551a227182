import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import { checkDuplicates } from './duplicates.ts';
import { type ContextReader, isOnGke, type Placed } from './kubeconfigs.ts';

/** A context, and the one before it that is the same cluster. */
type Aliases = Map<string, string>;

export const aliasRules = ['Contexts with one server and one certificate authority are one cluster: what is refused of parts that share a context is refused of them, too.'];

/** What two parts must not have in common, where several contexts may be one cluster. */
export function checkClusters(configuration: Readable, contextsOf: ContextReader, check: (configuration: Readable) => Finding[] = checkDuplicates): Finding[] {
  const aliases: Aliases = new Map();
  const found = check(underOneName(configuration, { contextsOf, aliases }));
  if (aliases.size === 0) return found;
  const byName = new Set(check(configuration).map(keyOf));
  const same = [...aliases].map(([context, first]) => `${context} and ${first} are one cluster`).join(', ');
  return found.map((finding) => (byName.has(keyOf(finding)) ? finding : { ...finding, allowed: `${finding.allowed}; by the kubeconfig ${same}` }));
}

/** The same with one context for each cluster. Regions come first, as messages name theirs. */
function underOneName(configuration: Readable, { contextsOf, aliases }: { contextsOf: ContextReader; aliases: Aliases }): Readable {
  const known = new Map<string, string>();
  const named = <P extends Placed | undefined>(place: P): P => {
    const file = place?.kubeconfig ?? configuration.kubeconfig;
    if (place?.context === undefined || file === undefined || isOnGke(place, configuration)) return place;
    const { context } = place;
    const contexts = contextsOf(file);
    const cluster = 'unreadable' in contexts ? undefined : contexts.clusters.get(context);
    if (cluster === undefined) return place;
    const first = known.get(cluster) ?? context;
    known.set(cluster, first);
    if (first !== context) aliases.set(context, first);
    return { ...place, context: first };
  };
  const { regions, tier1, kafka, tsb, generators } = configuration;
  return { ...configuration, regions: regions?.map(named), tier1: named(tier1), kafka: named(kafka), tsb: named(tsb), generators: named(generators) };
}

function keyOf({ path, allowed }: Finding): string {
  return JSON.stringify([path, allowed]);
}
