import { nearest } from '../near.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import { valueAt } from '../text.ts';
import { bridgeSettings, bridgesFor, isLaterThanKnown, operatorRelease, operatorReleases, type OperatorRelease, runsOwnKafka, takes } from '../versions.ts';

export const versionRules = [
  'Strimzi 0.46 to 0.48 are not supported: those operators run no ZooKeeper any more, and do not serve v1 yet.',
  '`kafka.version` and `kafka.api` are what the operator of `operators.strimzi.version` serves, and `bridge.version` is one that it can run. With `kafka.existing` it serves v1. Of operators later than the table below nothing is checked.',
  'Given are only settings of bridges that the operator has a field for: `bridge.executorThreads` since 1.0.0, `bridge.consumer.idleTimeoutSeconds` since 0.42.0, `bridge.metrics: strimzi` since 0.48.0. Their defaults are not written before.',
];

/** What is asked for must be what the operator serves. Of operators that came later than the table nothing is known. */
export function checkVersions(configuration: Readable): Finding[] {
  const version = configuration.operators?.strimzi?.version;
  if (version === undefined || isLaterThanKnown(version)) return [];
  const release = operatorRelease(version);
  if (release !== undefined) return [...ofKafka(release, configuration), ...ofExistingKafka(release, configuration), ...ofBridge(release, configuration)];
  const known = operatorReleases.map(({ operator }) => operator);
  return [{ path: ['operators', 'strimzi', 'version'], allowed: `a release of Strimzi: ${known.join(', ')}, or a later one`, suggestion: nearest(version, known) }];
}

/** Settings that are given, and that the operator would drop without a word. */
export function checkEffects({ operators, bridge }: Readable, raw: unknown): Finding[] {
  const version = operators?.strimzi?.version;
  if (version === undefined) return [];
  const dropped = (setting: keyof typeof bridgeSettings, keys: readonly string[], instead: string): Finding[] => {
    const path = ['bridge', ...keys];
    if (takes(version, setting) || valueAt(raw, path) === undefined) return [];
    return [{ path, allowed: `${instead}: the operator ${version} has no field for it, which came with ${bridgeSettings[setting]} (operators.strimzi.version)` }];
  };
  return [
    ...dropped('executorThreads', ['executorThreads'], 'nothing'),
    ...dropped('idleTimeoutSeconds', ['consumer', 'idleTimeoutSeconds'], 'nothing'),
    ...(bridge?.metrics === 'strimzi' ? dropped('strimziMetrics', ['metrics'], 'none, jmx') : []),
  ];
}

function ofKafka(release: OperatorRelease, { kafka }: Readable): Finding[] {
  if (kafka === undefined) return [];
  const { operator, kafka: versions, api, zookeeper } = release;
  if (!runsOwnKafka(release)) return [{ path: ['operators', 'strimzi', 'version'], allowed: notForOwnKafka(operator) }];
  const served = kafka.version === undefined || versions.includes(kafka.version);
  return [
    ...(served ? [] : [{ path: ['kafka', 'version'], allowed: `what the operator ${operator} serves (operators.strimzi.version): ${versions.join(', ')}` }]),
    ...(kafka.api === 'v1' && !api.includes('v1') ? [{ path: ['kafka', 'api'], allowed: `v1beta2: the operator ${operator} does not serve v1 (operators.strimzi.version)` }] : []),
    ...(kafka.api === 'v1beta2' && !zookeeper ? [{ path: ['kafka', 'api'], allowed: `v1: the operator ${operator} runs no ZooKeeper, which ended with 0.45 (operators.strimzi.version)` }] : []),
  ];
}

/** Neither API would do: whichever is taken, the other would be asked for. */
function notForOwnKafka(operator: string): string {
  const usable = operatorReleases.filter(runsOwnKafka);
  const before = usable.findLast(({ zookeeper }) => zookeeper);
  const after = usable.find(({ zookeeper }) => !zookeeper);
  return `${before?.operator ?? 'none'} or earlier (with kafka.api: v1beta2), or ${after?.operator ?? 'none'} or later: ${operator} runs no ZooKeeper any more and does not serve v1 yet, so that it cannot run a Kafka of the program’s own`;
}

/** Beside a Kafka of somebody else's, bridges are of today's API. */
function ofExistingKafka({ api }: OperatorRelease, { existingKafka }: Readable): Finding[] {
  if (existingKafka === undefined || api.includes('v1')) return [];
  const first = operatorReleases.find((later) => later.api.includes('v1'));
  return [{ path: ['operators', 'strimzi', 'version'], allowed: `${first?.operator ?? 'none'} or later: with kafka.existing bridges are of the API v1, which earlier ones do not serve` }];
}

function ofBridge(release: OperatorRelease, { bridge }: Readable): Finding[] {
  const allowed = bridgesFor(release);
  if (bridge?.version === undefined || allowed.includes(bridge.version)) return [];
  return [{ path: ['bridge', 'version'], allowed: `a bridge that the operator ${release.operator} can run (operators.strimzi.version): ${allowed.join(', ')}`, suggestion: nearest(bridge.version, allowed) }];
}
