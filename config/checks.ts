import { bridgeNamespace, listenerService, longestLabel, nodePool, regionGroup, regionHostname, tsbNamespace } from './names.ts';
import type { KubeconfigContexts } from './kubeconfig.ts';
import { nearest } from './near.ts';
import { foundText, type Problem } from './problems.ts';
import type { Configuration } from './schema.ts';

/** The concerns of a configuration whose own values are right; checks between others wait until they are. */
export type ValidConcerns = Partial<Configuration>;

/** What no single value can say of itself: every problem between the values of a configuration. */
export function checkAcross({ hostname, kafka, regions, bridge, tsb, tier1 }: ValidConcerns): Problem[] {
  return [
    ...(regions ? duplicates(regions) : []),
    ...(regions && tier1 ? clusterNames(regions, tier1) : []),
    ...(kafka && regions && tsb && tier1 ? namespaces({ kafka, regions, tsb, tier1 }) : []),
    ...(kafka ? kafkaNames(kafka) : []),
    ...(regions && hostname !== undefined ? regionNames(regions, hostname) : []),
    ...(bridge ? bounds(bridge) : []),
  ];
}

/** Every context that a configuration names, right or wrong in the rest, must be in its kubeconfig. */
export function checkContexts(raw: unknown, file: string, kubeconfig: KubeconfigContexts): Problem[] {
  if ('unreadable' in kubeconfig) {
    return [{ path: 'kubeconfig', found: `${foundText(asRecord(raw)['kubeconfig'])} (${file}: ${kubeconfig.unreadable})`, allowed: 'the path of a kubeconfig file' }];
  }
  return contextsOf(raw)
    .filter(({ context }) => !kubeconfig.contexts.includes(context))
    .map(({ path, context }) => ({
      path: `${path}.context`,
      found: foundText(context),
      allowed: `a complete context of ${file}: ${kubeconfig.contexts.join(', ') || 'it has none'}`,
      suggestion: nearest(context, kubeconfig.contexts),
    }));
}

function contextsOf(raw: unknown): { path: string; context: string }[] {
  const { kafka, regions, tsb, tier1 } = asRecord(raw);
  const list: [string, unknown][] = [
    ['kafka', kafka],
    ...(Array.isArray(regions) ? regions.map((region, index): [string, unknown] => [`regions[${index}]`, region]) : []),
    ['tsb', tsb],
    ['tier1', tier1],
  ];
  return list.flatMap(([path, concern]) => {
    const { context } = asRecord(concern);
    return typeof context === 'string' && context !== '' ? [{ path, context }] : [];
  });
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function duplicates(regions: Configuration['regions']): Problem[] {
  return (['name', 'context', 'tsbCluster'] as const).flatMap((key) =>
    regions.flatMap((region, index) => {
      const first = regions.findIndex((other) => other[key] === region[key]);
      if (first === index) return [];
      return [{ path: `regions[${index}].${key}`, found: foundText(region[key]), allowed: `one that no other region has (regions[${first}] has it)` }];
    }),
  );
}

/** One cluster has one name in TSB, and one name in TSB means one cluster. */
function clusterNames(regions: Configuration['regions'], tier1: Configuration['tier1']): Problem[] {
  return regions.flatMap(({ context, tsbCluster }, index) => {
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
function namespaces({ kafka, regions, tsb, tier1 }: Pick<Configuration, 'kafka' | 'regions' | 'tsb' | 'tier1'>): Problem[] {
  const taken = new Map<string, string>([
    ...regions.map(({ context }, index) => [`${context}/${bridgeNamespace}`, `the bridge of regions[${index}]`] as const),
    [`${tsb.context}/${tsbNamespace}`, 'the TSB objects'],
  ]);
  return [
    { path: 'kafka.namespace', context: kafka.context, namespace: kafka.namespace, owner: 'kafka' },
    { path: 'tier1.namespace', context: tier1.context, namespace: tier1.namespace, owner: 'tier1' },
  ].flatMap(({ path, context, namespace, owner }) => {
    const key = `${context}/${namespace}`;
    const other = taken.get(key);
    taken.set(key, owner);
    return other === undefined ? [] : [{ path, found: foundText(namespace), allowed: `a namespace that is not used for ${other} in the same cluster` }];
  });
}

function kafkaNames(kafka: Configuration['kafka']): Problem[] {
  const pod = `${kafka.name}-${nodePool}-${kafka.brokers - 1}`;
  const service = listenerService(kafka.name, kafka.listener.name);
  return tooLong('kafka.name', kafka.name, pod.length > service.length ? pod : service, longestLabel);
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
