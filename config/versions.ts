/** What one release of Strimzi's operator serves. */
export interface OperatorRelease {
  readonly operator: string;
  /** Tag of the bridge image that it starts by itself. */
  readonly bridge: string;
  /** Versions of Kafka that it runs; the last is its default. */
  readonly kafka: readonly string[];
  readonly api: readonly ('v1' | 'v1beta2')[];
  /** Whether it runs Kafka on ZooKeeper. */
  readonly zookeeper: boolean;
}

/** From the files bridge.version, kafka-versions.yaml and the Kafka CRD of each release's tag; ZooKeeper from its change log. */
export const operatorReleases: readonly OperatorRelease[] = [
  ...([
    ['0.36.0', '0.26.0', '3.4.0 3.4.1 3.5.0'],
    ['0.36.1', '0.26.1', '3.4.0 3.4.1 3.5.0 3.5.1'],
    ['0.37.0', '0.26.1', '3.4.0 3.4.1 3.5.0 3.5.1'],
    ['0.38.0', '0.27.0', '3.5.0 3.5.1 3.6.0'],
    ['0.39.0', '0.27.0', '3.5.0 3.5.1 3.5.2 3.6.0 3.6.1'],
    ['0.40.0', '0.28.0', '3.6.0 3.6.1 3.7.0'],
    ['0.41.0', '0.28.0', '3.6.0 3.6.1 3.6.2 3.7.0'],
    ['0.42.0', '0.29.0', '3.6.0 3.6.1 3.6.2 3.7.0 3.7.1'],
    ['0.43.0', '0.30.0', '3.7.0 3.7.1 3.8.0'],
    ['0.44.0', '0.30.0', '3.7.0 3.7.1 3.8.0'],
    ['0.45.0', '0.31.1', '3.8.0 3.8.1 3.9.0'],
    ['0.45.1', '0.31.2', '3.8.0 3.8.1 3.9.0 3.9.1'],
    ['0.45.2', '0.31.2', '3.8.0 3.8.1 3.9.0 3.9.1 3.9.2'],
  ] as const).map(release(['v1beta2'], true)),
  ...([
    ['0.46.0', '0.32.0', '3.9.0 4.0.0'],
    ['0.46.1', '0.32.0', '3.9.0 4.0.0'],
    ['0.47.0', '0.32.0', '3.9.0 3.9.1 4.0.0'],
    ['0.48.0', '0.33.1', '4.0.0 4.1.0'],
  ] as const).map(release(['v1beta2'], false)),
  ...([
    ['0.49.0', '0.33.1', '4.0.0 4.0.1 4.1.0 4.1.1'],
    ['0.49.1', '0.33.1', '4.0.0 4.0.1 4.1.0 4.1.1'],
    ['0.50.0', '0.33.1', '4.0.0 4.0.1 4.1.0 4.1.1'],
    ['0.50.1', '0.33.1', '4.0.0 4.0.1 4.1.0 4.1.1'],
    ['0.51.0', '0.33.1', '4.1.0 4.1.1 4.2.0'],
  ] as const).map(release(['v1', 'v1beta2'], false)),
  ...([
    ['1.0.0', '1.0.0', '4.1.0 4.1.1 4.1.2 4.2.0'],
    ['1.0.1', '1.0.0', '4.1.0 4.1.1 4.1.2 4.2.0'],
    ['1.1.0', '1.0.0', '4.2.0 4.2.1 4.3.0'],
    ['1.2.0', '1.1.0', '4.2.0 4.2.1 4.3.0 4.3.1'],
  ] as const).map(release(['v1'], false)),
];

/** The release of a version; undefined if the table does not have it. */
export function operatorRelease(version: string): OperatorRelease | undefined {
  return operatorReleases.find(({ operator }) => operator === version);
}

/** The release that each of these settings of a bridge came with. From the KafkaBridge CRD of each release's tag: earlier ones drop them without a word. */
export const bridgeSettings = { executorThreads: '1.0.0', idleTimeoutSeconds: '0.42.0', strimziMetrics: '0.48.0' } as const;

/** Whether Kafka can be the program's own with it: on ZooKeeper by v1beta2, or without by v1. Releases between those have neither. */
export function runsOwnKafka({ api, zookeeper }: OperatorRelease): boolean {
  return zookeeper || api.includes('v1');
}

/** Whether an operator makes something of a setting of a bridge. */
export function takes(operator: string, setting: keyof typeof bridgeSettings): boolean {
  return compareVersions(operator, bridgeSettings[setting]) >= 0;
}

/** The tag of an image, without the `v` that some have. */
export function imageVersion(image = ''): string | undefined {
  return /:v?([^:/@]+)(@|$)/.exec(image)?.[1];
}

/**
 * The release that an operator's image is of, where it does not run this version of Kafka; undefined where it does, and where nothing is known of it.
 * Its release decides which Kafka it runs, whatever its definitions take.
 */
export function releaseWithout(kafka: string, image: string | undefined): OperatorRelease | undefined {
  const release = operatorRelease(imageVersion(image) ?? '');
  return release?.kafka.includes(kafka) === false ? release : undefined;
}

/** Whether a version is later than every one of the table, which then can say nothing of it. */
export function isLaterThanKnown(version: string): boolean {
  return operatorReleases.every(({ operator }) => compareVersions(version, operator) > 0);
}

/**
 * Since which operator its settings reach a bridge in another way, and the bridges that read them so: the first, and the first that does not any more.
 * From KafkaBridgeCluster and KafkaBridgeConfigurationBuilder of each operator's tag, and kafka_bridge_run.sh of each bridge's.
 */
const handovers: readonly { readonly operator: string; readonly first: string; readonly before?: string }[] = [
  // As variables.
  { operator: '0.36.0', first: '0.26.0', before: '0.29.0' },
  // With three of HTTP besides, without which these bridges do not start, and which those before them drop.
  { operator: '0.42.0', first: '0.29.0', before: '0.32.0' },
  // As a file.
  { operator: '0.46.0', first: '0.32.0', before: '1.0.0' },
  // With probes at a port of their own. The file names stores of certificates in /tmp, which bridges make up to 1.0.0.
  { operator: '1.0.0', first: '1.0.0', before: '1.1.0' },
  // Certificates by their Secrets' names, which 1.0.0 reads as well.
  { operator: '1.1.0', first: '1.0.0' },
];

/** Bridges that an operator can run, among those that operators start by themselves. */
export function bridgesFor({ operator }: OperatorRelease): string[] {
  const { first, before } = handovers.findLast((each) => compareVersions(operator, each.operator) >= 0) ?? { first: '0.0.0' };
  return [...new Set(operatorReleases.map(({ bridge }) => bridge))].filter((bridge) => compareVersions(bridge, first) >= 0 && (before === undefined || compareVersions(bridge, before) < 0));
}

/** Negative if a comes before b. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  return [0, 1, 2].map((part) => (left?.[part] ?? 0) - (right?.[part] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function release(api: OperatorRelease['api'], zookeeper: boolean): (row: readonly [string, string, string]) => OperatorRelease {
  return ([operator, bridge, kafka]) => ({ operator, bridge, kafka: kafka.split(' '), api, zookeeper });
}
