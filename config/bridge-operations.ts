/** An operation of a bridge's API that is asked for by GET. */
export interface BridgeOperation {
  readonly path: RegExp;
  /** As openapi.json calls it, and the bridge its logger. */
  readonly name: string;
  /** Whether every bridge that has Kafka, or needs none, answers it with 200: a consumer is known to one bridge only. */
  readonly answered: boolean;
}

/**
 * From openapi.json of bridges 0.26.0 to 1.1.0, but for records, which need a header, and for healthy, ready and metrics: since 1.0 the API's port answers those with 501 or 503, before
 * that the first two with 204.
 */
export const bridgeOperations: readonly BridgeOperation[] = [
  { path: /^\/$/, name: 'info', answered: true },
  { path: /^\/openapi$/, name: 'openapi', answered: true },
  { path: /^\/topics$/, name: 'listTopics', answered: true },
  { path: /^\/topics\/[^/]+$/, name: 'getTopic', answered: true },
  { path: /^\/topics\/[^/]+\/partitions$/, name: 'listPartitions', answered: true },
  { path: /^\/topics\/[^/]+\/partitions\/\d+$/, name: 'getPartition', answered: true },
  { path: /^\/topics\/[^/]+\/partitions\/\d+\/offsets$/, name: 'getOffsets', answered: true },
  { path: /^\/consumers\/[^/]+\/instances\/[^/]+\/subscription$/, name: 'listSubscriptions', answered: false },
];
