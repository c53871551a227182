import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import type { ConsumerGroup } from './consumers.ts';
import type { Clock } from './exchange.ts';
import type { Attempt } from './records.ts';

export interface SteadyOptions {
  /** Sends a record of its own and tells what became of it. */
  probe: () => Promise<Attempt>;
  /** Absent: only who serves producers is of interest yet. */
  consumers?: ConsumerGroup;
  regions: readonly string[];
  /** Of the requests that tier1 sends, by region (0 to 1); absent: all the same. */
  shares?: Readonly<Record<string, number>> | undefined;
  /** TSB ranks regions by where tier1 stands, so that some may stand by without anybody's saying so. */
  byPlace?: boolean | undefined;
  clock: Clock;
  signal: AbortSignal;
}

const timeoutMs = 60_000;
const pauseMs = 25;
/** The last so many probes have to be answered ok. */
const recent = 30;
/**
 * Each region has to have served so many of the last probes: of as many as bring 15 to the one that is sent the fewest. One that is sent its share at random has served fewer of
 * so many with less than 0.01 %, whatever its share is.
 */
const servedAtLeast = 3;
const recentOfEach = 15;

/**
 * Proves by real produces and polls that everything serves before anything is measured: every region's bridge writes, and every consumer that there is is given
 * something. Returns what is missing when that is not so within a minute, or, where all are answered, after as many probes as have to be looked at; else undefined.
 */
export async function reachSteadyState({ probe, consumers, regions, shares, byPlace, clock, signal }: SteadyOptions): Promise<string | undefined> {
  let failure: string | undefined;
  consumers?.start(signal).catch((error: unknown) => {
    failure = messageOf(error);
  });
  const begin = clock();
  const last: Attempt[] = [];
  const lookedAt = Math.max(recent, Math.ceil(recentOfEach / Math.min(...regions.map((name) => shares?.[name] ?? 1 / regions.length)) - 1e-9));
  let missing: string | undefined;
  let unlucky = false;
  // Of a small share a minute may bring too few.
  while (clock() - begin < timeoutMs || (unlucky && last.length < lookedAt)) {
    signal.throwIfAborted();
    last.push(await probe());
    if (last.length > lookedAt) last.shift();
    const bad = badOf(last);
    const idle = idleOf(last, regions);
    unlucky = bad === undefined && idle !== undefined;
    missing = failure ?? bad ?? (idle === undefined ? undefined : `${idle}${byPlace === true ? `. ${standBy}` : ''}`) ?? (consumers?.allBusy !== false ? undefined : 'a consumer was given nothing');
    if (missing === undefined) return undefined;
    if (failure !== undefined) break;
    await delay(pauseMs, undefined, { signal });
  }
  return `no steady state within ${Math.round((unlucky ? Math.max(timeoutMs, clock() - begin) : timeoutMs) / 1000)} s, so nothing was injected: ${missing ?? 'no answer'}`;
}

const standBy = 'With tsb.api: tier1gateway TSB ranks regions by where tier1 stands, and they may stand by: a drill has to know who serves, as with tsb.api: gateway, or with tier1.mode: weighted';

function badOf(last: readonly Attempt[]): string | undefined {
  const bad = last.slice(-recent).findLast(({ outcome }) => outcome !== 'ok');
  return bad === undefined ? undefined : `produce answered ${bad.class}`;
}

function idleOf(last: readonly Attempt[], regions: readonly string[]): string | undefined {
  const idle = regions.filter((name) => last.filter(({ region }) => region === name).length < servedAtLeast);
  return idle.length === 0 ? undefined : `${idle.join(' and ')} served none or too few of the last ${last.length} requests`;
}
