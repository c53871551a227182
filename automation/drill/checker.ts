import type { Attempt, Delivery, LogRecord } from './records.ts';

export interface History {
  run: string;
  attempts: readonly Attempt[];
  log: readonly LogRecord[];
  deliveries: readonly Delivery[];
  /** First offset the group would read next, by partition, as Kafka says; what lies below was to be delivered. */
  committed?: Readonly<Record<number, number>>;
}

export interface LogFindings {
  /** Answered ok, and nowhere in the log. */
  ackedLost: number;
  /** Answered ok with a partition and offset where the log holds something else, or two records at one offset. */
  offsetMismatch: number;
  /** In the log, but never sent, or answered in a way that says it was not written. */
  phantom: number;
  /** Sent after another record of its key was answered, yet below it in the same partition. */
  reordered: number;
  /** In the log though its client was never told so. */
  unackedPresent: number;
  /** Copies beyond the first, by cause. `proxyRetry` is absent where no proxy said how often it tried. */
  duplicates: { clientRetry: number; proxyRetry?: number; unexplained: number };
}

export interface ConsumeFindings {
  /** Records of the log that a consumer was given at least once. */
  delivered: number;
  /** Deliveries of a record beyond its first. */
  redelivered: number;
  /** In the log, below what was committed or delivered of its partition, and never delivered. */
  skipped: number;
  /** In the log, not delivered, and not skipped: the tail that the consumers had not reached. */
  undelivered: number;
}

/** Up to 20 records for each finding, for a reader to look up. */
export type Evidence = Record<string, string[]>;

export interface Findings {
  log: LogFindings;
  consume: ConsumeFindings;
  evidence: Evidence;
}

/**
 * What happened to the data, from what clients were told, what the log holds and what consumers were given. Pure; memory
 * grows with the records. Unknown outcomes are never counted as lost or as written.
 */
export function check(history: History): Findings {
  const evidence: Evidence = {};
  const note = (finding: string, what: string): void => {
    const list = (evidence[finding] ??= []);
    if (list.length < 20) list.push(what);
  };
  const attempts = Map.groupBy(history.attempts, (attempt) => keyOf(attempt.producer, attempt.seq));
  const log = indexLog(history);
  const found = {
    ...checkAcknowledged(history.attempts, log, note),
    ...checkPresent(attempts, log, note),
    reordered: checkOrder(history.attempts, note),
  };
  const duplicates = checkDuplicates(attempts, log, note);
  return { log: { ...found, duplicates }, consume: checkDeliveries(history, note), evidence };
}

type Note = (finding: string, what: string) => void;

interface LogIndex {
  /** Where each of the run's records lies. */
  byId: Map<string, LogRecord[]>;
  byPlace: Map<string, LogRecord>;
  /** Records that are not this run's, and places that two records claim. */
  foreign: LogRecord[];
  clashes: LogRecord[];
}

function indexLog({ run, log }: History): LogIndex {
  const index: LogIndex = { byId: new Map(), byPlace: new Map(), foreign: [], clashes: [] };
  for (const record of log) {
    const place = placeOf(record);
    if (index.byPlace.has(place)) index.clashes.push(record);
    index.byPlace.set(place, record);
    if (record.id?.run !== run) {
      index.foreign.push(record);
      continue;
    }
    const id = keyOf(record.id.producer, record.id.seq);
    const copies = index.byId.get(id);
    if (copies === undefined) index.byId.set(id, [record]);
    else copies.push(record);
  }
  return index;
}

function checkAcknowledged(attempts: readonly Attempt[], log: LogIndex, note: Note): Pick<LogFindings, 'ackedLost' | 'offsetMismatch'> {
  let ackedLost = 0;
  let offsetMismatch = log.clashes.length;
  for (const clash of log.clashes) note('offsetMismatch', `two records at ${placeOf(clash)}`);
  for (const attempt of attempts) {
    if (attempt.outcome !== 'ok') continue;
    const id = keyOf(attempt.producer, attempt.seq);
    if (!log.byId.has(id)) {
      ackedLost += 1;
      note('ackedLost', `${id}, answered ${placeOf(attempt)}`);
    } else if (!isAt(log.byPlace.get(placeOf(attempt)), attempt)) {
      offsetMismatch += 1;
      note('offsetMismatch', `${id} is not at ${placeOf(attempt)} as answered`);
    }
  }
  return { ackedLost, offsetMismatch };
}

function isAt(record: LogRecord | undefined, { producer, seq }: Attempt): boolean {
  return record?.id?.producer === producer && record.id.seq === seq;
}

function checkPresent(attempts: Map<string, Attempt[]>, log: LogIndex, note: Note): Pick<LogFindings, 'phantom' | 'unackedPresent'> {
  let phantom = log.foreign.length;
  let unackedPresent = 0;
  for (const record of log.foreign) note('phantom', `a record of another origin at ${placeOf(record)}`);
  for (const [id, [record]] of log.byId) {
    const outcomes = new Set(attempts.get(id)?.map(({ outcome }) => outcome));
    if (outcomes.has('ok')) continue;
    if (outcomes.has('unknown')) {
      unackedPresent += 1;
      note('unackedPresent', id);
    } else {
      phantom += 1;
      note('phantom', `${id} at ${record === undefined ? '?' : placeOf(record)}, ${outcomes.size === 0 ? 'never sent' : 'answered as not written'}`);
    }
  }
  return { phantom, unackedPresent };
}

function checkDuplicates(attempts: Map<string, Attempt[]>, log: LogIndex, note: Note): LogFindings['duplicates'] {
  const all = [...attempts.values()].flat();
  const proxySpeaks = all.some(({ proxyAttempts }) => proxyAttempts !== undefined);
  let clientRetry = 0;
  let proxyRetry = 0;
  let unexplained = 0;
  for (const [id, copies] of log.byId) {
    let extra = copies.length - 1;
    if (extra === 0) continue;
    const tries = (attempts.get(id) ?? []).filter(({ outcome }) => outcome !== 'failed');
    const byClient = Math.min(extra, Math.max(0, tries.length - 1));
    extra -= byClient;
    const byProxy = Math.min(extra, tries.reduce((sum, { proxyAttempts = 1 }) => sum + proxyAttempts - 1, 0));
    extra -= byProxy;
    clientRetry += byClient;
    proxyRetry += byProxy;
    unexplained += extra;
    note(extra > 0 ? 'duplicates.unexplained' : 'duplicates.explained', `${id} at ${copies.map(placeOf).join(', ')}`);
  }
  return { clientRetry, ...(proxySpeaks ? { proxyRetry } : {}), unexplained };
}

/**
 * Records are sent over several connections without waiting for each other, so only those pairs have an order where one was
 * answered before the other was sent. Within a partition the later one must then lie above.
 */
function checkOrder(attempts: readonly Attempt[], note: Note): number {
  let reordered = 0;
  const acknowledged = attempts.filter(({ outcome, offset, sentMs }) => outcome === 'ok' && offset !== undefined && sentMs !== undefined);
  for (const group of Map.groupBy(acknowledged, ({ key, partition }) => `${partition} ${key}`).values()) {
    const byEnd = group.toSorted((a, b) => a.endMs - b.endMs);
    let highest = -1;
    let ended = 0;
    for (const attempt of group.toSorted((a, b) => (a.sentMs ?? 0) - (b.sentMs ?? 0))) {
      for (let earlier = byEnd[ended]; earlier !== undefined && earlier.endMs < (attempt.sentMs ?? 0); earlier = byEnd[ended]) {
        highest = Math.max(highest, earlier.offset ?? -1);
        ended += 1;
      }
      if ((attempt.offset ?? 0) > highest) continue;
      reordered += 1;
      note('reordered', `${keyOf(attempt.producer, attempt.seq)} at ${placeOf(attempt)}, sent after offset ${highest} was answered`);
    }
  }
  return reordered;
}

function checkDeliveries({ log, deliveries, committed }: History, note: Note): ConsumeFindings {
  const given = new Set<string>();
  const position = new Map<number, number>();
  for (const [partition, offset] of Object.entries(committed ?? {})) position.set(Number(partition), offset);
  for (const delivery of deliveries) {
    given.add(placeOf(delivery));
    position.set(delivery.partition, Math.max(position.get(delivery.partition) ?? 0, delivery.offset + 1));
  }
  const missing = log.filter((record) => !given.has(placeOf(record)));
  const skipped = missing.filter(({ partition, offset }) => offset < (position.get(partition) ?? 0));
  for (const record of skipped) note('skipped', placeOf(record));
  return {
    delivered: log.length - missing.length,
    redelivered: deliveries.length - given.size,
    skipped: skipped.length,
    undelivered: missing.length - skipped.length,
  };
}

function keyOf(producer: string, seq: number): string {
  return `${producer}/${seq}`;
}

function placeOf({ partition, offset }: { partition?: number; offset?: number }): string {
  return `partition ${partition} offset ${offset}`;
}

