import type { LogFindings } from './checker.ts';
import type { RegionShares, Samples, Shares } from './figures.ts';
import type { Losses } from './in-flight.ts';
import type { Prediction } from './predict/predict.ts';
import type { Report, RunRecord } from './report.ts';

/** What of a run its objectives are judged by. */
export interface Measured {
  run: RunRecord;
  produce: Report['produce'];
  /** What of its failed and unknown records cannot have been in flight at a fault. */
  lostBesides: Losses;
  consume?: Report['consume'];
  log?: LogFindings;
  regions: RegionShares[];
  predicted?: Prediction;
  /** How long nobody may be answered under each fault, ms; undefined where nothing bounds that. */
  boundsMs?: readonly (number | undefined)[];
  /** Around the first fault, as `regions` are. */
  samples: Samples;
  /** Around each other fault. */
  later: Shares[];
  /** Records that were due, and that nobody handed over. */
  notHandedOver?: number;
  /** Requests for which the machine that was to send them had no socket. */
  ownSockets: number;
  /** 99th percentile of the generator's own lateness, ms. */
  latenessMs: number;
  /** Its largest. */
  latenessMaxMs: number;
  /** How much it may have added to what each step expects that was carried out, ms; undefined where that is no time, or to be long. */
  stepLatenessMs: readonly (number | undefined)[];
  /** How much of the longest gap it may have made itself, ms. */
  latenessInGapMs?: number;
  /** How long the typical request waited for a connection shortly before the fault, ms. */
  connectionWaitMs?: number;
  /** How far consumers were behind the log at the fault, ms. */
  consumersBehindMs?: number;
  clockJumps: number;
}

/** Between two faults there may be no time. */
export const laterPhases = ['during', 'after'] as const;
