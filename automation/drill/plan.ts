/** What a drill is to do. All of it stands in the report, so that a reader can do it again. */
export interface Plan {
  run: string;
  /** The fault of the first step that has one. */
  fault: string;
  /** The region it hurts. */
  region: string;
  /** Records a second. */
  rate: number;
  durationSeconds: number;
  connections: number;
  requestTimeoutMs: number;
  topic: string;
  partitions: number;
  keys: number;
  consumers: ConsumersPlan;
  load: LoadPlan;
  /** What is done under load, one after the other. */
  steps: PlanStep[];
  /** Share (0 to 1) of the records of 10 s that may end other than ok before the drill is ended. Absent: half. */
  abortAfterErrors?: number;
  /** Whatever is left to chance follows from it. */
  seed: number;
  /** Objectives of the caller's, as they were given. */
  objectives?: string[];
}

export interface LoadPlan {
  pattern: 'constant' | 'ramp' | 'poisson';
  /** Records a second at a ramp's begin. */
  rampFrom?: number;
  /** Length of a record's value, bytes; 0: as short as its identity allows. */
  payloadBytes: number;
  keyDistribution: 'uniform' | 'zipf';
  format: 'json' | 'binary';
  /** A connection is closed after so many requests; without, it is kept. */
  requestsPerConnection?: number;
  /** What its client does with a request that was not ok: nothing, send again what certainly was not written, or send again whatever became of it. */
  retry: 'none' | 'safe' | 'always';
  /** Producers in the cluster; 0: in this process. */
  workers: number;
  /** What these run; without, Node.js as its makers publish it. */
  workerImage?: string;
}

export interface ConsumersPlan {
  count: number;
  /** Members of a group that share the partitions, or consumers with partitions of their own. */
  mode: 'subscribe' | 'assign';
}

export type PlanStep =
  | { kind: 'do'; fault: string; region: string; /** How long it stays in effect; without, a third of the drill. */ forSeconds?: number }
  | { kind: 'wait'; seconds: number }
  | { kind: 'expect'; objective: string };

/** Whether a region answers requests. `any`: nothing follows from the fault. */
export type Serving = 'serves' | 'silent' | 'any';

/** What is expected of a region. */
export interface Expected {
  before: Serving;
  during: Serving;
  after: Serving;
  /** Of all requests (0 to 1), where tier1 gives each region a share of its own; absent: as many as come to any other. */
  share?: number;
}

/** One fault as it went, ms since the drill began. What never happened is absent. */
export interface FaultMark {
  fault: string;
  region?: string;
  /** What was hit, as a person finds it in its cluster. */
  target: string;
  /** Who answers before, under and after the fault if failover works, by region; measured shares are judged by it. */
  expects: Record<string, Expected>;
  /** What is in flight when it strikes cannot be saved without being written twice. */
  losesInFlight?: true;
  injectMs: number;
  tookHoldMs?: number;
  healMs?: number;
  recoveredMs?: number;
}

/** A step as it went, ms since the drill began. */
export interface StepRecord {
  kind: 'do' | 'expect';
  text: string;
  startMs: number;
  endMs?: number;
  met?: boolean;
  measured?: number | string;
}

/** Settings as the clusters have them, by object: `{ 'east gateway → bridge': { ejectionMs: 2000 } }`. */
export type AppliedConfiguration = Record<string, Record<string, string | number | boolean>>;

/** How a run came to its end. */
export type Ending =
  | { kind: 'complete' }
  /** Something outside the drill's question kept it from being answered. */
  | { kind: 'inconclusive'; reason: string }
  | { kind: 'aborted'; reason: string };
