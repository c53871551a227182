import { givenNamespaces } from '../config/given-namespace.ts';
import { operatorIn } from '../config/operator-place.ts';
import { amountOf } from '../config/quantity.ts';
import type { Configuration, InstalledKafka, RegionConfiguration } from '../config/schema.ts';
import { asRecord, pathText } from '../config/text.ts';
import { plainError } from './cluster-reader.ts';
import { operatorCatalog } from './operator-catalog.ts';
import { neededOperators } from './operators.ts';
import type { Previous } from './previous.ts';
import { type Refusal, same } from './refusal.ts';
import { type Running, type RunningObject, runningIn, textOf, wasReady } from './running.ts';
import { type RunningVolumes, runningVolumes } from './running-volumes.ts';
import { otherAddress } from './unchangeable-address.ts';
import { movedListener, takenBack } from './unchangeable-kafka.ts';
import { otherCertificate } from './unchangeable-tls.ts';
import { otherTopics } from './unchangeable-topics.ts';
import { movedInTsb } from './unchangeable-tsb.ts';

const another = 'That would make another Kafka and delete this one with its records: give the other a stack of its own.';
const smaller = 'Volumes only grow, and Strimzi would leave them as they are without a word: set it back, or mirror the records to a Kafka of another stack.';
const quorum = 'Every broker is a controller as well, and Strimzi does not make a running quorum of controllers larger or smaller: set it back, or mirror the records to a Kafka of another stack.';
const brokersOfPartitions = 'Strimzi keeps brokers that hold partitions, while their names leave the certificate: set it back. Where nothing is on them any more, lower `spec.kafka.replicas` of the Kafka resource by kubectl, and run `kbf refresh` (or `pulumi refresh`) before `up`.';
const nothingYet = 'It was never ready as far as the last run saw. Run `kbf refresh` (or `pulumi refresh`): where this is still said after it, nothing is in it, so run destroy first, then up. In a namespace that was there before, volumes stay unless kafka.storage.deleteClaim is set: delete their claims in between.';
const unseen = 'Whether a bridge ever came in the last run did not see. Run `kbf refresh` (or `pulumi refresh`): where none did, it may be corrected after that.';
const everything = 'Everything in it would be deleted and made again while clients wait: set it back, or run destroy first.';
const converted = 'Set it back: the objects have to be converted as Strimzi describes, and taken over by a stack of their own.';
const gateways = 'Every gateway would be deleted and made again under the same name while clients wait: set it back, or run destroy first.';
const region = 'Give the region over there another name, run up, then take this one out and run up again: so clients always have one.';
const bridges = 'Every bridge would be deleted, and its consumers with it, while clients wait: set it back, or run destroy first.';
const port = 'Requests would go to the new port at once, and bridges listen on the old one until each was made anew, so that no region answers: set it back, or run destroy first.';
const address = 'Another gateway would take its place, behind another load balancer with another address: set it back, or run destroy first.';
const routes = 'TSB takes one object with routes for each gateway: it refuses another while this one is there. Set it back, or run destroy first. Where TSB refused this one, delete it by kubectl and run `kbf refresh` (or `pulumi refresh`) before `up`.';
const operator = 'The operator would be deleted with its namespace and made again, while nobody looks after what it made: set it back, or run destroy first.';
const withoutOperator = 'The operator would be deleted with its namespace, and nobody would look after what it made: set it back, or run destroy first.';
const traffic = 'Their namespace would be deleted with everything in it: set it back, or take the generators out, run up, and put them in again.';
const ownNamespace = { running: 'a namespace that this stack made', wanted: 'one that exists', instead: 'The namespace would be deleted with everything in it: set it back, or run destroy first.' };

/**
 * Refuses, before anything is registered and so before anything is changed, settings that the engine would carry out by deleting what is
 * running, or that an operator would silently not carry out.
 * @throws pulumi.RunError that names each of them
 */
export function refuseUnchangeable(previous: Previous, configuration: Configuration): void {
  const refusals = unchangeable(previous, configuration);
  if (refusals.length === 0) return;
  const lines = refusals.map(({ path, running, wanted, instead }) => `  ${path}: ${wanted} is wanted, ${running} is running. ${instead}`);
  throw plainError(['What is running cannot be changed to these settings; nothing was changed:', ...lines].join('\n'));
}

/** Every setting that cannot be changed any more. A stack that nothing runs of has none. */
export function unchangeable(previous: Previous, configuration: Configuration): Refusal[] {
  const { kafka, regions, bridge, tsb, tier1, generators } = configuration;
  const running = runningIn(previous);
  const { cluster, namespace } = running('TsbWorkspace', 'tsb');
  const given = givenNamespaces(configuration);
  return [
    ...ofKafka(running('KafkaCluster', 'kafka'), kafka, { bridges: bridgesOf(previous), given: given.kafka }),
    ...regions.flatMap((settings, index) => ofRegion(running('KafkaBridgeRegion', settings.name), bridge, { settings, path: `regions[${index}]`, given: given.bridge })),
    ...ofOperators(previous, configuration),
    ...same('tsb.context', cluster, tsb.context, everything),
    ...same('tsb.namespace', namespace, tsb.namespace, everything),
    ...handedOver(namespace, given.tsb),
    ...movedInTsb(running, tsb, regions),
    ...ofTier1(running('Tier1Failover', 'tier1'), { tsb, tier1, given: given.tier1 }),
    ...otherAddress(previous, configuration.gcp),
    ...ofGenerators(running('TrafficGenerators', 'generators'), generators, given.generators),
  ].filter(({ path }, index, all) => all.findIndex((other) => other.path === path) === index);
}

/** A namespace that the program made, and that by a setting is there before it. */
function handedOver(made: string | undefined, given: string | undefined): Refusal[] {
  return made === undefined || given === undefined ? [] : [{ path: given, ...ownNamespace }];
}

/** Of the clusters that need one: where nothing needs it any more, an operator of the stack's own may go. */
function ofOperators(previous: Previous, configuration: Configuration): Refusal[] {
  const installed = previous.names('kbf:index:Operator');
  const given = givenNamespaces(configuration).operators;
  return neededOperators(configuration).flatMap(({ context, operator: name }) => {
    const component = `${operatorCatalog[name].release}-${context}`;
    if (!installed.includes(component)) return [];
    const settings = configuration.operators[name];
    if (operatorIn(settings, context).install) {
      const { namespace } = runningIn(previous)('Operator', component);
      return [...same(`operators.${name}.namespace`, namespace, settings.namespace, operator), ...handedOver(namespace, given)];
    }
    // Nothing else would notice: its own Deployment, which is still there, is taken for the one that is expected.
    const path = settings.install ? ['operators', name, 'given', context] : ['operators', name, 'install'];
    return [{ path: pathText(path), running: 'one that this stack installed', wanted: 'one that exists', instead: withoutOperator }];
  });
}

function bridgesOf(previous: Previous): RunningObject[] {
  return previous.names('kbf:index:KafkaBridgeRegion').flatMap((name) => runningIn(previous)('KafkaBridgeRegion', name).object('KafkaBridge', `${name}-bridge`) ?? []);
}

/** Whether it came in by what Kafka's listeners were: what never worked may be corrected. One of which nobody knows may have. */
function mayHaveServed(bridge: RunningObject): boolean {
  return bridge.status['conditions'] === undefined || wasReady(bridge);
}

interface KafkasUse {
  /** They are made when Kafka is ready. */
  readonly bridges: readonly RunningObject[];
  readonly given: string | undefined;
}

function ofKafka(running: Running, wanted: Configuration['kafka'], { bridges, given }: KafkasUse): Refusal[] {
  const { cluster, namespace, object } = running;
  const kafka = object('Kafka', 'kafka');
  const volumes = runningVolumes(running);
  if (wanted.existing !== undefined) return same('kafka.existing', kafka && 'one that this stack made', 'one that exists already', another);
  const left = handedOver(namespace, given);
  const corrected = (refusal: Refusal): Refusal => (bridges.length === 0 && !(kafka && wasReady(kafka)) ? { ...refusal, instead: nothingYet } : refusal);
  const moved = [
    ...same('kafka.context', cluster, wanted.context, another),
    ...same('kafka.namespace', kafka?.namespace, wanted.namespace, another),
    ...same('kafka.name', kafka?.name, wanted.name, another),
    ...same('kafka.api', kafka?.version, wanted.api, converted),
  ];
  return [
    ...moved,
    ...brokers(running, wanted).map(corrected),
    ...storage('kafka.storage', volumes.kafka, wanted.storage).map(corrected),
    ...(wanted.zookeeper === undefined ? [] : storage('kafka.zookeeper.storage', volumes.zookeeper, wanted.zookeeper.storage).map(corrected)),
    ...left,
    // Of another Kafka everything is another, and of a given certificate where it is from.
    ...(kafka === undefined || moved.length > 0 ? [] : [...ofListener(running, kafka, { wanted, bridges }).filter(({ path }) => !left.some((refusal) => refusal.path === 'kafka.certificate') || !path.startsWith('kafka.certificate.')), ...takenBack(kafka, wanted), ...otherTopics(running, wanted)]),
  ];
}

/** What never worked may be corrected. */
function ofListener(running: Running, kafka: RunningObject, { wanted, bridges: all }: { wanted: InstalledKafka; bridges: readonly RunningObject[] }): Refusal[] {
  const refusals = all.some(mayHaveServed) ? movedListener(running, kafka, wanted) : [];
  return all.some(wasReady) ? refusals : refusals.map((refusal) => ({ ...refusal, instead: `${refusal.instead} ${unseen}` }));
}

function ofRegion({ cluster, namespace, object }: Running, { name, namespace: wanted, port: wantedPort }: Configuration['bridge'], { settings, path, given }: { settings: RegionConfiguration; path: string; given: string | undefined }): Refusal[] {
  const bridge = object('KafkaBridge', `${settings.name}-bridge`);
  const { name: gateway, routes: wantedRoutes = gateway } = settings.gateway;
  const routed = object('Routes', `${settings.name}-routes`);
  const { app } = asRecord(asRecord(routed?.spec['workloadSelector'])['labels']);
  return [
    ...same(`${path}.context`, cluster, settings.context, region),
    ...same('bridge.namespace', namespace ?? bridge?.namespace, wanted, everything),
    ...same('bridge.name', bridge?.name, name, bridges),
    ...same('bridge.port', bridge && String(asRecord(bridge.spec['http'])['port']), String(wantedPort), port),
    ...same(`${path}.gateway.name`, object('Gateway', `${settings.name}-gateway`)?.name, gateway, address),
    // Of another gateway they may be others.
    ...(app === gateway ? same(`${path}.gateway.routes`, routed?.name, wantedRoutes, routes) : []),
    ...handedOver(namespace, given),
  ];
}

function ofTier1(running: Running, { tsb: { api }, tier1: { context, namespace: wanted, name, tls }, given }: Pick<Configuration, 'tsb' | 'tier1'> & { given: string | undefined }): Refusal[] {
  const { cluster, namespace, object } = running;
  const left = handedOver(namespace, given);
  // By whichever kind its pods and Service were made.
  const gateway = object('Gateway', 'tier1-gateway');
  // Tier1 has a kind of its own only among the deprecated ones.
  const runningApi = gateway && (gateway.kind === 'Tier1Gateway' ? 'tier1gateway' : 'gateway');
  return [
    ...same('tsb.api', runningApi, api, gateways),
    ...same('tier1.context', cluster, context, everything),
    ...same('tier1.namespace', namespace ?? gateway?.namespace, wanted, everything),
    ...same('tier1.name', gateway?.name, name, address),
    ...left,
    ...(left.some(({ path }) => path === 'tier1.tls') ? [] : otherCertificate(running, tls)),
  ];
}

/** Generators that are no longer wanted may go. */
function ofGenerators({ cluster, namespace }: Running, wanted: Configuration['generators'], given: string | undefined): Refusal[] {
  if (wanted?.context === undefined) return [];
  return [...same('generators.context', cluster, wanted.context, traffic), ...same('generators.namespace', namespace, wanted.namespace, traffic), ...handedOver(namespace, given)];
}

function brokers({ object }: Running, { brokers: wanted }: InstalledKafka): Refusal[] {
  const controllers = object('KafkaNodePool', 'kafka-pool')?.spec['replicas'];
  if (typeof controllers === 'number') return same('kafka.brokers', String(controllers), String(wanted), quorum);
  const { replicas } = asRecord(object('Kafka', 'kafka')?.spec['kafka']);
  return typeof replicas === 'number' && wanted < replicas ? [{ path: 'kafka.brokers', running: String(replicas), wanted: String(wanted), instead: brokersOfPartitions }] : [];
}

function storage(path: string, running: RunningVolumes['kafka'], wanted: InstalledKafka['storage']): Refusal[] {
  if (running === undefined) return [];
  const size = textOf(running['size']) ?? '0';
  const storageClass = textOf(running['class']);
  return [
    ...(amountOf(wanted.size) < amountOf(size) ? [{ path: `${path}.size`, running: size, wanted: wanted.size, instead: smaller }] : []),
    ...(storageClass === wanted.class ? [] : [{ path: `${path}.class`, running: storageClass ?? "the cluster's default", wanted: wanted.class ?? "the cluster's default", instead: smaller }]),
  ];
}
