import { regionHostname } from '../../config/names.ts';
import { byAddress } from './addresses.ts';
import { entrance } from './entrance.ts';
import { exchange } from './exchange.ts';
import { servedBy } from './outcome.ts';
import type { ServingRegion } from './outcome.ts';
import type { Drill } from './phases.ts';

/** Longer than any answer of a region that serves takes, ms: who has not answered by then is silent. */
const answerTimeoutMs = 5000;

/** When a region was last heard, ms since the drill began; asks it where nothing else does. */
export type LastHeard = () => Promise<number>;

type Listener = Pick<Drill, 'live' | 'clock' | 'outputs' | 'signal'>;

/**
 * How the silence of a region can be told: from the load, where that is served by it (`serves`) and was; else by asking the region itself, as it may
 * stand by for another and be silent at any rate. Undefined where it does not answer while nothing is wrong.
 */
export async function listenTo(drill: Listener, region: string, serves: boolean): Promise<LastHeard | undefined> {
  const { live, clock } = drill;
  if (serves && live.lastServedMs(region) > 0) return () => Promise.resolve(live.lastServedMs(region));
  const regions = await byAddress(drill.outputs.regions);
  let lastMs: number | undefined;
  const ask = async (): Promise<number | undefined> => {
    if (await answers(drill, region, regions)) lastMs = clock();
    return lastMs;
  };
  return await ask() === undefined ? undefined : async () => await ask() ?? 0;
}

/** Whether a bridge of the region answers what it needs Kafka for, asked by the host name that is pinned to the region. Another's answer is none. */
async function answers({ clock, outputs, signal }: Listener, region: string, regions: readonly ServingRegion[]): Promise<boolean> {
  const pool = entrance(outputs, { connections: 1 });
  // An interrupted drill does not wait for answers.
  const end = (): void => { void pool.destroy(); };
  signal.addEventListener('abort', end, { once: true });
  try {
    const { status, headers } = await exchange(pool, { method: 'GET', host: regionHostname(region, outputs.hostname), path: '/topics', timeoutMs: answerTimeoutMs }, clock);
    return status === 200 && servedBy(headers, regions) === region;
  } finally {
    signal.removeEventListener('abort', end);
    await pool.destroy();
  }
}
