import { repeatsRefused, tier1Of, upstreamOf } from './predict/configuration.ts';
import type { HopSettings } from './predict/configuration.ts';
import type { RunRecord } from './report.ts';

type Run = Pick<RunRecord, 'configuration' | 'regions'>;

/** Of requests that no proxy found a host for: what would have to be set, or where all of it is, what to look at. */
export function onNoBridge(run: Run): string {
  const missing = lacking([tier1Of(run.configuration ?? {}), ...upstreams(run)], [
    [repeatsRefused, 'let gateways repeat what was never sent (retryOn connect-failure,refused-stream) to another host'],
    [({ ejectionMs = Infinity }) => ejectionMs <= 2000, 'keep ejections short (baseEjectionTime 2s)'],
  ]);
  return missing.length > 0 ? `Requests found no bridge: ${missing.join(', and ')}.`
    : `Requests found no bridge, although gateways repeat what was never sent and keep ejections short: ${whoWasLeft}.`;
}

/** The same of requests that were answered by 503 without a word of how far they got. Tier1 leaves them to the regions' gateways. */
export function onAnswered503(run: Run): string {
  const missing = lacking(upstreams(run), [
    [({ retryOn = '' }) => retryOn.includes('retriable-headers'), 'let it say so (tsb.envoyFilters internal-group)'],
    [({ consecutiveGatewayErrors }) => consecutiveGatewayErrors === 1, 'eject at the first one (consecutiveGatewayFailure 1)'],
    [({ healthCheckIntervalMs }) => healthCheckIntervalMs !== undefined, 'check health actively'],
  ]);
  return missing.length > 0 ? `Behind a sidecar a dead bridge is a 503 that nobody may repeat unless the sidecar says that it was not sent: ${missing.join(', and ')}.`
    : `Clients were answered 503 or another 5xx, although gateways repeat what a sidecar says was not sent, eject at the first one and check health: ${whoWasLeft}, and what the logs of bridges and sidecars say.`;
}

const whoWasLeft = 'see which hosts were left to them, whether another region\'s bridges were healthy and its gateway was reached, or all went at once';

/** What any proxy lacks that could be read; all of it where none could. */
function lacking(hops: readonly (HopSettings | undefined)[], remedies: readonly [has: (hop: HopSettings) => boolean, remedy: string][]): string[] {
  const known = hops.filter((hop) => hop !== undefined);
  return remedies.filter(([has]) => known.length === 0 || !known.every(has)).map(([, remedy]) => remedy);
}

function upstreams({ configuration = {}, regions }: Run): (HopSettings | undefined)[] {
  return regions.map((region) => upstreamOf(configuration, region));
}
