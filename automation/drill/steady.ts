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
  clock: Clock;
  signal: AbortSignal;
}

const timeoutMs = 60_000;
const pauseMs = 25;
/** The last so many probes have to be answered ok. */
const recent = 30;
/**
 * Each region has to have served so many of the last 15 probes for each region. One that is sent its share at random has served fewer of so many
 * with less than 0.01 %, however many regions there are.
 */
const servedAtLeast = 3;
const recentOfEach = 15;

/**
 * Proves by real produces and polls that everything serves before anything is measured: every region's bridge writes, and every consumer that there is is given
 * something. Returns what is missing when that is not so within a minute, else undefined.
 */
export async function reachSteadyState({ probe, consumers, regions, clock, signal }: SteadyOptions): Promise<string | undefined> {
  let failure: string | undefined;
  consumers?.start(signal).catch((error: unknown) => {
    failure = messageOf(error);
  });
  const begin = clock();
  const last: Attempt[] = [];
  let missing: string | undefined;
  while (clock() - begin < timeoutMs) {
    signal.throwIfAborted();
    last.push(await probe());
    if (last.length > Math.max(recent, regions.length * recentOfEach)) last.shift();
    missing = failure ?? missingOf(last, regions) ?? (consumers?.allBusy !== false ? undefined : 'a consumer was given nothing');
    if (missing === undefined) return undefined;
    if (failure !== undefined) break;
    await delay(pauseMs, undefined, { signal });
  }
  return `no steady state within ${timeoutMs / 1000} s, so nothing was injected: ${missing ?? 'no answer'}`;
}

function missingOf(last: readonly Attempt[], regions: readonly string[]): string | undefined {
  const bad = last.slice(-recent).findLast(({ outcome }) => outcome !== 'ok');
  if (bad !== undefined) return `produce answered ${bad.class}`;
  const idle = regions.filter((name) => last.filter(({ region }) => region === name).length < servedAtLeast);
  return idle.length === 0 ? undefined : `${idle.join(' and ')} served none or too few of the last ${last.length} requests`;
}
