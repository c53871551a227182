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
 * Bridges that an operator can run: those that take their settings and answer their probes as its own does.
 * Settings moved from variables to a file with bridge 0.32, probes to a port of their own with 1.0.
 */
export function bridgesFor(release: OperatorRelease): string[] {
  return [...new Set(operatorReleases.map(({ bridge }) => bridge))].filter((bridge) => eraOf(bridge) === eraOf(release.bridge));
}

/** Negative if a comes before b. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  return [0, 1, 2].map((part) => (left?.[part] ?? 0) - (right?.[part] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function eraOf(bridge: string): number {
  return ['0.32.0', '1.0.0'].filter((start) => compareVersions(bridge, start) >= 0).length;
}

function release(api: OperatorRelease['api'], zookeeper: boolean): (row: readonly [string, string, string]) => OperatorRelease {
  return ([operator, bridge, kafka]) => ({ operator, bridge, kafka: kafka.split(' '), api, zookeeper });
}
