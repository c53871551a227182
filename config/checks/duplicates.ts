import { givenNamespaces, type Part } from '../given-namespace.ts';
import { operatorIn } from '../operator-place.ts';
import { bridgeServices, regionGroup, regionHostname, strimziBridgeDeployment, strimziBridgeService } from '../names.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import { type Path, pathText } from '../text.ts';
import { advertisedHosts, advertising } from './advertising.ts';

/** A value that must be there once, and where it stands. */
interface Used {
  readonly path: Path;
  readonly value: string | number | undefined;
  /** What the value is for, where its path does not say it. */
  readonly owner?: string;
}

export const duplicateRules = [
  'Regions differ in `name`, `context`, `tsbCluster` and place: two of one `locality.region` need different zones. Gateways, tier1’s as well, differ in `service.address`.',
  'Listeners differ in name and port, topics in name (dots and underscores count as the same).',
  '`hostname` and `<region>.<hostname>` are no names that Kafka advertises, and none of `kafka.existing.bootstrapServers`.',
  'Parts in one cluster, operators that the program installs among them, have namespaces of their own, and none that Kubernetes or Istio has: the program makes them, and removes them with everything in them. Those that are given may be Kubernetes’ or Istio’s, but are not shared either.',
  'A cluster has one name in TSB: where tier1 stands in a region’s cluster, both say the same `tsbCluster`. With `tsb.api: tier1gateway` it stands in none of them.',
  'Workspaces, their settings (without a name of their own: that of the workspace) and groups have names of their own. Groups of EnvoyFilters are called `bridges-<region>` and `tsb.groups.edge`, also where `tsb.groups.bridges` is set, and no group that exists is called like one that the program makes in its workspace.',
  'No gateway is called like a Service or the Deployment of the bridge.',
];

/** What two parts of a configuration must not have in common. */
export function checkDuplicates(configuration: Readable): Finding[] {
  return [...regionValues(configuration), ...addresses(configuration), ...localities(configuration), ...hosts(configuration), ...kafkaLists(configuration), ...namespaces(configuration), ...tsbNames(configuration)];
}

/** Every use of a value after its first. */
function repeated(uses: readonly Used[], what: string): Finding[] {
  return uses.flatMap(({ path, value }, index) => {
    const first = uses.slice(0, index).find((other) => value !== undefined && other.value === value);
    return first === undefined ? [] : [{ path, allowed: `${what} that is not taken (by ${first.owner ?? pathText(first.path)})` }];
  });
}

function regionValues({ regions = [] }: Readable): Finding[] {
  const of = (key: 'name' | 'context', what: string) => repeated(regions.map((region, index) => ({ path: ['regions', index, key], value: region?.[key] })), what);
  return [...of('name', 'a name'), ...of('context', 'a cluster')];
}

/** Whoever calls one gateway must not come to another. */
function addresses({ regions = [], tier1 }: Readable): Finding[] {
  const ofRegions = regions.map((region, index) => ({ path: ['regions', index, 'gateway', 'service', 'address'], value: region?.gateway?.service?.address }));
  return repeated([...ofRegions, { path: ['tier1', 'service', 'address'], value: tier1?.service?.address }], 'an address');
}

/** Two clusters in one place are not two regions: what takes the one takes the other. */
function localities({ regions = [] }: Readable): Finding[] {
  return regions.flatMap((region, index) => {
    const here = region?.locality;
    if (here?.region === undefined) return [];
    const first = regions.slice(0, index).findIndex((other) => {
      const there = other?.locality;
      return there !== undefined && there.region === here.region && (here.zone === undefined || there.zone === undefined || there.zone === here.zone);
    });
    return first < 0 ? [] : [{ path: ['regions', index, 'locality'], allowed: `a place that no other region is in: regions[${first}] is there, and would be lost together with this one` }];
  });
}

/** Host names that follow from configured ones. */
function hosts(configuration: Readable): Finding[] {
  const { hostname, regions = [], existingKafka } = configuration;
  const servers = existingKafka?.bootstrapServers?.split(',').map((server) => server.split(':')[0]) ?? [];
  const ours = [hostname, ...regions.map((region) => (hostname === undefined || region?.name === undefined ? undefined : regionHostname(region.name, hostname)))];
  const kafka = advertising(configuration);
  const taken = new Set(kafka && advertisedHosts(kafka));
  const found: Finding[] = servers.some((server) => ours.includes(server)) ? [{ path: ['kafka', 'existing', 'bootstrapServers'], allowed: 'servers of Kafka: by hostname and those of the regions clients call bridges' }] : [];
  if (hostname !== undefined && taken.has(hostname)) found.push({ path: ['hostname'], allowed: 'a host name that Kafka does not advertise' });
  regions.forEach((region, index) => {
    const host = region?.name === undefined || hostname === undefined ? undefined : regionHostname(region.name, hostname);
    if (host !== undefined && taken.has(host)) found.push({ path: ['regions', index, 'name'], allowed: `another name: with it the region is called ${host}, which Kafka advertises` });
  });
  return found;
}

function kafkaLists({ kafka }: Readable): Finding[] {
  const { listeners = [], topics = [] } = kafka ?? {};
  const listener = (key: 'name' | 'port', what: string) => repeated(listeners.map((one, index) => ({ path: ['kafka', 'listeners', index, key], value: one?.[key] })), what);
  return [
    ...listener('name', 'a name'),
    ...listener('port', 'a port'),
    // Kafka takes names that differ by dot and underscore only for one.
    ...repeated(topics.map((topic, index) => ({ path: ['kafka', 'topics', index, 'name'], value: topic?.name?.replaceAll('.', '_') })), 'a name (dots and underscores count as the same)'),
  ];
}

/** The program makes these namespaces, and removes them with everything in them. Given ones are not shared either: in a workspace of TSB each has one owner. */
function namespaces(configuration: Readable): Finding[] {
  const { kafka, regions = [], bridge, tsb, tier1, generators, operators } = configuration;
  const contexts = {
    strimzi: [kafka?.context, ...regions.map((region) => region?.context)],
    certManager: [...(isIssued(kafka) ? [kafka?.context] : []), ...(tier1?.tls?.source === 'cert-manager' ? [tier1.context] : [])],
  };
  const installed = (['strimzi', 'certManager'] as const).flatMap((name) => {
    const { install = false, namespace, given = {} } = operators?.[name] ?? {};
    return [...new Set(contexts[name])].filter((context) => context === undefined || operatorIn({ install, namespace, given }, context).install)
      .map((context) => ({ path: ['operators', name, 'namespace'], owner: `operators.${name}.namespace`, context, namespace }));
  });
  const places: { path: Path; owner: string; context: string | undefined; namespace: string | undefined }[] = [
    ...regions
      .map((region, index) => ({ path: ['bridge', 'namespace'], owner: `the bridge of regions[${index}]`, context: region?.context, namespace: bridge?.namespace }))
      .filter(({ context }, index, all) => all.findIndex((other) => other.context === context) === index),
    { path: ['kafka', 'namespace'], owner: 'Kafka', context: kafka?.context, namespace: kafka?.namespace },
    { path: ['tsb', 'namespace'], owner: 'the TSB objects', context: tsb?.context, namespace: tsb?.namespace },
    { path: ['tier1', 'namespace'], owner: 'tier1', context: tier1?.context, namespace: tier1?.namespace },
    { path: ['generators', 'namespace'], owner: 'generators', context: generators === undefined ? undefined : (generators.context ?? tier1?.context), namespace: generators?.namespace },
    ...installed,
  ];
  const given = givenNamespaces(configuration);
  const inUse = places.filter(({ context }) => context !== undefined);
  return [
    ...inUse.filter(({ path: [concern], namespace }) => namespace !== undefined && reserved.has(namespace) && given[concern as Part] === undefined).map(({ path }) => ({ path, allowed: 'a namespace of its own: the program makes it, and removes it with everything in it' })),
    ...repeated(inUse.map(({ path, owner, context, namespace }) => ({ path, owner, value: namespace === undefined ? undefined : `${context ?? ''}/${namespace}` })), 'a namespace in this cluster'),
  ];
}

/** Whether cert-manager has to issue the certificate of Kafka's listeners. */
export function isIssued(kafka: Readable['kafka']): boolean {
  return kafka?.certificate?.source !== 'secret' && kafka?.listeners?.some((listener) => listener?.tls === true && listener.certificate === 'own') === true;
}

const reserved = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease', 'istio-system']);

/** TSB's objects of one kind are in one namespace, and a region's gateway, its Service and its Deployment, is beside those of its bridge. */
function tsbNames({ tsb, regions = [], bridge, tier1 }: Readable): Finding[] {
  const taken = bridge?.name === undefined ? [] : [...Object.values(bridgeServices(bridge.name)), strimziBridgeService(bridge.name), strimziBridgeDeployment(bridge.name)];
  return [
    ...repeated((['bridges', 'edge'] as const).map((side) => ({ path: ['tsb', 'workspaces', side], value: tsb?.workspaces?.[side]?.name })), 'a workspace'),
    ...settingNames(tsb),
    ...groupNames(tsb, regions),
    ...regions.flatMap((region, index) => (region?.gateway?.name !== undefined && taken.includes(region.gateway.name) ? [{ path: ['regions', index, 'gateway', 'name'], allowed: `a name that no Service and no Deployment of the bridge has (${taken.join(', ')})` }] : [])),
    ...checkTsbClusters({ regions, tier1 }),
    ...besideRegion(regions, tier1, tsb),
  ];
}

/** Settings that the program makes lie in one namespace, and without a name have that of their workspace. */
function settingNames(tsb: Readable['tsb']): Finding[] {
  const made = (side: 'bridges' | 'edge') => {
    const given = tsb?.settings?.[side];
    return given?.existing === true ? undefined : given?.name ?? tsb?.workspaces?.[side]?.name;
  };
  const side = tsb?.settings?.edge === undefined ? 'bridges' : 'edge';
  const other = side === 'edge' ? 'bridges' : 'edge';
  if (tsb?.settings?.[side] === undefined || made(side) === undefined || made(side) !== made(other)) return [];
  const first = tsb.settings[other] === undefined ? `tsb.workspaces.${other}, whose settings are called like it` : `tsb.settings.${other}`;
  return [{ path: ['tsb', 'settings', side], allowed: `a name that is not taken (by ${first})` }];
}

/** Groups that the program makes lie in one namespace, those of gateways and, for EnvoyFilters, internal ones of Istio. One that exists is not made again. */
function groupNames(tsb: Readable['tsb'], regions: NonNullable<Readable['regions']>): Finding[] {
  const { bridges: common, edge, existing } = tsb?.groups ?? {};
  const others = (given: Readonly<Record<string, string | undefined>> = {}) => regions.flatMap((region) => (region?.name === undefined || Object.hasOwn(given, region.name) ? [] : [regionGroup(region.name)]));
  const kinds = [
    { path: ['tsb', 'groups', 'existing'], given: existing, made: common === undefined ? others(existing?.regions) : [common], what: 'a name that no group of the regions has' },
    ...(tsb?.envoyFilters === 'none' ? [] : [{ path: ['tsb', 'groups', 'existing', 'internal'], given: existing?.internal, made: others(existing?.internal?.regions), what: 'a name that no group of the regions’ EnvoyFilters has, which are called bridges-<region>' }]),
  ];
  return kinds.flatMap(({ path, given, made, what }) => [
    ...(edge !== undefined && given?.edge === undefined && made.includes(edge) ? [{ path: ['tsb', 'groups', 'edge'], allowed: what }] : []),
    ...Object.entries(given?.regions ?? {}).filter(([, group]) => group !== undefined && made.includes(group))
      .map(([region]) => ({ path: [...path, 'regions', region], allowed: 'a group that exists: of this name the program makes one in the same workspace' })),
  ]);
}

/** One cluster has one name in TSB, and one name in TSB means one cluster. */
export function checkTsbClusters({ regions = [], tier1 }: Pick<Readable, 'regions' | 'tier1'>): Finding[] {
  const ofRegions = repeated(regions.map((region, index) => ({ path: ['regions', index, 'tsbCluster'], value: region?.tsbCluster })), 'a TSB cluster');
  return [...ofRegions, ...regions.flatMap((region, index) => {
    if (region?.context === undefined || tier1?.context === undefined || region.tsbCluster === undefined || tier1.tsbCluster === undefined) return [];
    if ((region.context === tier1.context) === (region.tsbCluster === tier1.tsbCluster)) return [];
    return [{ path: ['tier1', 'tsbCluster'], allowed: `one name for one cluster: regions[${index}] has context ${JSON.stringify(region.context)} and tsbCluster ${JSON.stringify(region.tsbCluster)}` }];
  })];
}

/** TSB's documentation of Tier1Gateway: it cannot route to its own cluster, and no other gateway may be there. That of Gateway says nothing of the kind. */
function besideRegion(regions: NonNullable<Readable['regions']>, tier1: Readable['tier1'], tsb: Readable['tsb']): Finding[] {
  if (tsb?.api !== 'tier1gateway' || tier1?.context === undefined) return [];
  const index = regions.findIndex((region) => region?.context === tier1.context);
  return index < 0 ? [] : [{ path: ['tier1', 'context'], allowed: `a cluster that no region is in (regions[${index}] is): gateways of the deprecated kinds send nothing to their own cluster; or tsb.api: gateway. Of a stack that runs either takes a destroy first` }];
}
