import type { Configuration, InstalledKafka } from '../config/schema.ts';
import { asRecord } from '../config/text.ts';
import { plainError } from './cluster-reader.ts';
import type { Previous } from './previous.ts';

/** A setting whose new value would replace what is running. */
export interface Refusal {
  /** Where, as the person wrote it: `kafka.storage.size`. */
  readonly path: string;
  readonly running: string;
  readonly wanted: string;
  /** What it would do, and what to do instead. */
  readonly instead: string;
}

const another = 'That would make another Kafka and delete this one with its records: give the other a stack of its own.';
const volumes = 'Volumes of brokers only grow, and Strimzi would leave them as they are without a word: set it back, or mirror the records to a Kafka of another stack.';
const everything = 'Everything in it would be deleted and made again while clients wait: set it back, or run destroy first.';
const converted = 'Set it back: the objects have to be converted as Strimzi describes, and taken over by a stack of their own.';
const gateways = 'Every gateway would be deleted and made again under the same name while clients wait: set it back, or run destroy first.';
const region = 'Give the region over there another name, run up, then take this one out and run up again: so clients always have one.';

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
export function unchangeable(previous: Previous, { kafka, regions, bridge, tsb, tier1 }: Configuration): Refusal[] {
  const same = (path: string, running: string | undefined, wanted: string, instead: string): Refusal[] =>
    running === undefined || running === wanted ? [] : [{ path, running, wanted, instead }];
  const cluster = (type: string, name: string): string | undefined => text(previous.outputsOf(`kbf:index:${type}`, name)?.['cluster']);
  const namespace = (name: string): string | undefined => metadataName(previous.outputsOf('kubernetes:core/v1:Namespace', `${name}-namespace`));
  return [
    ...(kafka.existing === undefined
      ? [
          ...same('kafka.context', cluster('KafkaCluster', 'kafka'), kafka.context, another),
          ...same('kafka.namespace', namespace('kafka'), kafka.namespace, another),
          ...same('kafka.name', kafkaName(previous, kafka), kafka.name, another),
          ...same('kafka.api', kafkaApi(previous), kafka.api, converted),
          ...storage(previous, kafka),
        ]
      : same('kafka.existing', namespace('kafka') && 'one that this stack made', 'one that exists already', another)),
    ...regions.flatMap(({ name, context }, index) => [
      ...same(`regions[${index}].context`, cluster('KafkaBridgeRegion', name), context, region),
      ...same('bridge.namespace', namespace(name), bridge.namespace, everything),
    ]),
    ...same('tsb.context', cluster('TsbWorkspace', 'tsb'), tsb.context, everything),
    ...same('tsb.api', tsbApi(previous), tsb.api, gateways),
    ...same('tsb.namespace', namespace('tsb'), tsb.namespace, everything),
    ...same('tier1.context', cluster('Tier1Failover', 'tier1'), tier1.context, everything),
    ...same('tier1.namespace', namespace('tier1'), tier1.namespace, everything),
  ].filter(({ path }, index, all) => all.findIndex((other) => other.path === path) === index);
}

function kafkaName(previous: Previous, { api }: InstalledKafka): string | undefined {
  return metadataName(previous.outputsOf(`kubernetes:kafka.strimzi.io/${api}:Kafka`, 'kafka'));
}

/** The version of Strimzi's API by which the running Kafka was made. */
function kafkaApi(previous: Previous): InstalledKafka['api'] | undefined {
  return (['v1', 'v1beta2'] as const).find((api) => previous.outputsOf(`kubernetes:kafka.strimzi.io/${api}:Kafka`, 'kafka') !== undefined);
}

/** By which kinds the running gateways were made: tier1 has a kind of its own only among the deprecated ones. */
function tsbApi(previous: Previous): Configuration['tsb']['api'] | undefined {
  const installed = (kind: string): boolean => previous.outputsOf(`kubernetes:install.tetrate.io/v1alpha1:${kind}`, 'tier1-gateway') !== undefined;
  if (installed('Tier1Gateway')) return 'tier1gateway';
  return installed('Gateway') ? 'gateway' : undefined;
}

function storage(previous: Previous, { api, storage: wanted }: InstalledKafka): Refusal[] {
  const running = volumeOf(previous.outputsOf(`kubernetes:kafka.strimzi.io/${api}:KafkaNodePool`, 'kafka-pool')?.['spec'])
    ?? volumeOf(asRecord(asRecord(previous.outputsOf(`kubernetes:kafka.strimzi.io/${api}:Kafka`, 'kafka')?.['spec'])['kafka']));
  if (running === undefined) return [];
  const size = text(running['size']) ?? '0';
  const storageClass = text(running['class']);
  return [
    ...(bytes(wanted.size) < bytes(size) ? [{ path: 'kafka.storage.size', running: size, wanted: wanted.size, instead: volumes }] : []),
    ...(storageClass === wanted.class ? [] : [{ path: 'kafka.storage.class', running: storageClass ?? "the cluster's default", wanted: wanted.class ?? "the cluster's default", instead: volumes }]),
  ];
}

/** The first volume of a node pool, or the one of a Kafka without pools. */
function volumeOf(spec: unknown): Record<string, unknown> | undefined {
  const { storage: given } = asRecord(spec);
  if (given === undefined) return undefined;
  const { volumes: list } = asRecord(given);
  return asRecord(Array.isArray(list) ? list[0] : given);
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** A Kubernetes quantity as the settings allow it. */
function bytes(quantity: string): number {
  const [, digits = '0', unit = ''] = /^(\d+)(\w*)$/.exec(quantity) ?? [];
  return Number(digits) * (units[unit] ?? 1);
}

function metadataName(outputs: Readonly<Record<string, unknown>> | undefined): string | undefined {
  return text(asRecord(outputs?.['metadata'])['name']);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
