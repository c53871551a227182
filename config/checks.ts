import { listenerService, longestLabel, nodePool, regionGroup, regionHostname } from './names.ts';
import { type KubeconfigContexts, kubeconfigContexts, kubeconfigPath } from './kubeconfig.ts';
import { nearest } from './near.ts';
import { foundText, type Problem } from './problems.ts';
import type { ConfigurationAsWritten } from './schema.ts';

type Configuration = ConfigurationAsWritten;

/** The concerns of a configuration whose own values are right; checks between others wait until they are. */
export type ValidConcerns = Partial<Configuration>;

/** What no single value can say of itself: every problem between the values of a configuration. */
export function checkAcross({ hostname, kafka, regions, bridge, tsb, tier1 }: ValidConcerns): Problem[] {
  return [
    ...(regions ? duplicates(regions) : []),
    ...(regions && tier1 ? clusterNames(regions, tier1) : []),
    ...(kafka && regions && bridge && tsb && tier1 ? namespaces({ kafka, regions, bridge, tsb, tier1 }) : []),
    ...(kafka ? kafkaNames(kafka) : []),
    ...(regions && hostname !== undefined ? regionNames(regions, hostname) : []),
    ...(bridge ? bounds(bridge) : []),
  ];
}

/**
 * Every context that a configuration names, right or wrong in the rest, must be in the kubeconfig file that it is looked for in.
 * @param directory where relative paths begin
 */
export function checkContexts(raw: unknown, directory: string): Problem[] {
  const { kubeconfig: common, gcp } = asRecord(raw);
  const onGke = asRecord(asRecord(gcp)['clusters']);
  const places = placesOf(raw).filter(({ context, kubeconfig }) => kubeconfig !== undefined || !(context in onGke));
  const files = new Map<string, KubeconfigContexts>();
  const contextsOf = (path: string): KubeconfigContexts => {
    const file = kubeconfigPath(path, directory);
    const contexts = files.get(file) ?? kubeconfigContexts(file);
    files.set(file, contexts);
    return contexts;
  };
  return [
    ...(common === undefined ? unnamed(places) : []),
    ...(typeof common === 'string' && common !== '' ? unreadable('kubeconfig', common, { directory, contexts: contextsOf(common) }) : []),
    ...places.flatMap(({ path, context, kubeconfig }) => {
      if (kubeconfig !== undefined) {
        const wrong = unreadable(`${path}.kubeconfig`, kubeconfig, { directory, contexts: contextsOf(kubeconfig) });
        if (wrong.length > 0) return wrong;
      }
      const file = kubeconfig ?? common;
      return typeof file === 'string' && file !== '' ? missing(path, context, { file: kubeconfigPath(file, directory), kubeconfig: contextsOf(file) }) : [];
    }),
  ];
}

function unreadable(path: string, found: string, { directory, contexts }: { directory: string; contexts: KubeconfigContexts }): Problem[] {
  if (!('unreadable' in contexts)) return [];
  return [{ path, found: `${foundText(found)} (${kubeconfigPath(found, directory)}: ${contexts.unreadable})`, allowed: 'the path of a kubeconfig file' }];
}

/** Contexts without any file that could have them. */
function unnamed(places: readonly WrittenPlace[]): Problem[] {
  const homeless = [...new Set(places.filter(({ kubeconfig }) => kubeconfig === undefined).map(({ context }) => context))];
  if (homeless.length === 0) return [];
  return [{ path: 'kubeconfig', found: 'nothing', allowed: `the path of a kubeconfig file with these contexts: ${homeless.join(', ')}` }];
}

function missing(path: string, context: string, { file, kubeconfig }: { file: string; kubeconfig: KubeconfigContexts }): Problem[] {
  if ('unreadable' in kubeconfig || kubeconfig.contexts.includes(context)) return [];
  return [
    {
      path: `${path}.context`,
      found: foundText(context),
      allowed: `a complete context of ${file}: ${kubeconfig.contexts.join(', ') || 'it has none'}`,
      suggestion: nearest(context, kubeconfig.contexts),
    },
  ];
}

interface WrittenPlace {
  readonly path: string;
  readonly context: string;
  readonly kubeconfig: string | undefined;
}

function placesOf(raw: unknown): WrittenPlace[] {
  const { kafka, regions, tsb, tier1, generators } = asRecord(raw);
  const list: [string, unknown][] = [
    ['kafka', kafka],
    ...(Array.isArray(regions) ? regions.map((region, index): [string, unknown] => [`regions[${index}]`, region]) : []),
    ['tsb', tsb],
    ['tier1', tier1],
    ['generators', generators],
  ];
  return list.flatMap(([path, concern]) => {
    const { context, kubeconfig } = asRecord(concern);
    if (typeof context !== 'string' || context === '') return [];
    return [{ path, context, kubeconfig: typeof kubeconfig === 'string' && kubeconfig !== '' ? kubeconfig : undefined }];
  });
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function duplicates(regions: Configuration['regions']): Problem[] {
  return (['name', 'context', 'tsbCluster'] as const).flatMap((key) =>
    regions.flatMap((region, index) => {
      if (region[key] === undefined) return [];
      const first = regions.findIndex((other) => other[key] === region[key]);
      if (first === index) return [];
      return [{ path: `regions[${index}].${key}`, found: foundText(region[key]), allowed: `one that no other region has (regions[${first}] has it)` }];
    }),
  );
}

/** One cluster has one name in TSB, and one name in TSB means one cluster. */
function clusterNames(regions: Configuration['regions'], tier1: Configuration['tier1']): Problem[] {
  return regions.flatMap(({ context, tsbCluster }, index) => {
    if (tsbCluster === undefined || tier1.tsbCluster === undefined) return [];
    if ((context === tier1.context) === (tsbCluster === tier1.tsbCluster)) return [];
    return [
      {
        path: 'tier1.tsbCluster',
        found: foundText(tier1.tsbCluster),
        allowed: `one name for one cluster: regions[${index}] has context ${foundText(context)} and tsbCluster ${foundText(tsbCluster)}`,
      },
    ];
  });
}

/** Two parts in one cluster must not own the same namespace. */
function namespaces({ kafka, regions, bridge, tsb, tier1 }: Pick<Configuration, 'kafka' | 'regions' | 'bridge' | 'tsb' | 'tier1'>): Problem[] {
  const taken = new Map<string, string>([
    ...regions.map(({ context }, index) => [`${context}/${bridge.namespace}`, `the bridge of regions[${index}]`] as const),
    [`${tsb.context}/${tsb.namespace}`, 'the TSB objects'],
  ]);
  return [
    ...(kafka.existing === undefined ? [{ path: 'kafka.namespace', context: kafka.context, namespace: kafka.namespace, owner: 'kafka' }] : []),
    { path: 'tier1.namespace', context: tier1.context, namespace: tier1.namespace, owner: 'tier1' },
  ].flatMap(({ path, context, namespace, owner }) => {
    const key = `${context}/${namespace}`;
    const other = taken.get(key);
    taken.set(key, owner);
    return other === undefined ? [] : [{ path, found: foundText(namespace), allowed: `a namespace that is not used for ${other} in the same cluster` }];
  });
}

function kafkaNames(kafka: Configuration['kafka']): Problem[] {
  if (kafka.existing !== undefined) return [];
  const names = [`${kafka.name}-${nodePool}-${kafka.brokers - 1}`, ...kafka.listeners.map(({ name }) => listenerService(kafka.name, name))];
  const longest = names.reduce((longer, name) => (name.length > longer.length ? name : longer));
  return tooLong('kafka.name', kafka.name, longest, longestLabel);
}

function regionNames(regions: Configuration['regions'], hostname: string): Problem[] {
  return regions.flatMap(({ name }, index) => [
    ...tooLong(`regions[${index}].name`, name, regionGroup(name), longestLabel),
    ...tooLong(`regions[${index}].name`, name, regionHostname(name, hostname), 253),
  ]);
}

/** Names made of configured ones have a length limit that the parts cannot know. */
function tooLong(path: string, found: string, composed: string, limit: number): Problem[] {
  if (composed.length <= limit) return [];
  return [{ path, found: foundText(found), allowed: `shorter by ${composed.length - limit}: it gives the name ${composed}, and ${limit} characters is the limit` }];
}

/** A request must end by the innermost bound first, or its outcome stays unknown while the record still may be written. */
function bounds({ producer, consumer, timeouts }: Configuration['bridge']): Problem[] {
  const below = (path: string, value: number, limit: number, of: string): Problem[] =>
    value < limit ? [] : [{ path: `bridge.${path}`, found: String(value), allowed: `less than ${limit} (${of})` }];
  return [
    ...below('producer.requestTimeoutMs', producer.requestTimeoutMs, producer.deliveryTimeoutMs, 'bridge.producer.deliveryTimeoutMs'),
    ...below(
      'producer.deliveryTimeoutMs',
      producer.deliveryTimeoutMs,
      timeouts.perTryMs - producer.maxBlockMs,
      'bridge.timeouts.perTryMs less bridge.producer.maxBlockMs',
    ),
    ...below('timeouts.perTryMs', timeouts.perTryMs, timeouts.routeMs, 'bridge.timeouts.routeMs'),
    ...below('timeouts.consumersMs', timeouts.consumersMs, consumer.idleTimeoutSeconds * 1_000, 'bridge.consumer.idleTimeoutSeconds'),
    ...below('consumer.heartbeatIntervalMs', consumer.heartbeatIntervalMs, consumer.sessionTimeoutMs / 2, 'half of bridge.consumer.sessionTimeoutMs'),
  ];
}
