import { strimziBridgeService } from '../../config/names.ts';
import type { Report, RunRecord } from './report.ts';
import { bridgeOf, brokerDead, kafkaOf, tier1Of, upstreamOf } from './predict/configuration.ts';
import type { HopSettings } from './predict/configuration.ts';

/** What a run shows, and the names of objectives that it missed. */
export interface Shown {
  run: RunRecord;
  produce: Report['produce'];
  isMissed: (name: string) => boolean;
}

/** The program's own settings that would have to change, where what was read back from the clusters explains what the run missed. */
export function adviseOnSettings({ run, produce, isMissed }: Shown): string[] {
  const { configuration = {}, faults, plan } = run;
  const [tier1, upstream] = [tier1Of(configuration), upstreamOf(configuration, plan.region)];
  const struck = [plan.fault, ...faults.map(({ fault }) => fault)];
  const isLost = isMissed('produce') || isMissed('prediction') || isMissed('regions');
  const ofGateway = struck.some((fault) => /^(gateway|region)-/.test(fault));
  // Who has to find out, and go elsewhere.
  const hop = ofGateway ? tier1 : upstream;
  const [bridge, kafka] = [bridgeOf(configuration, plan.region), kafkaOf(configuration)];
  const brokerDeadMs = kafka === undefined ? 0 : brokerDead(kafka).reduce((sum, { ms }) => sum + ms, 0);
  const repeating = [upstream, tier1].map((each) => each?.retryOn ?? '').find((retryOn) => mayRepeatWritten.test(retryOn));
  const rows: readonly [boolean, string][] = [
    [isLost && ofGateway && tier1?.weighted === true,
      'Tier1 gives each region a fixed share and lets no other take it over, so that the share of a region whose gateway is gone is lost: set tier1.mode to failover.'],
    [repeating !== undefined && (isMissed('log.duplicates') || isMissed('log.phantom') || isMissed('consume.skipped')),
      `Gateways send again what may have been carried out (retryOn ${repeating}): set tier1.retries to safe.`],
    [(isLost || produce.unknown > 0) && hop !== undefined && hop.healthCheckIntervalMs === undefined && struck.some((fault) => silences.test(fault)),
      `Nothing but requests finds a ${ofGateway ? 'gateway' : 'bridge'} that is silent: set tsb.envoyFilters to internal-group, which checks health actively.`],
    [isMissed('produce') && struck.includes('broker-leader-kill') && bridge?.deliveryTimeoutMs !== undefined && bridge.deliveryTimeoutMs < brokerDeadMs,
      `A broker that died is waited for in each of its partitions for up to ${brokerDeadMs} ms, and bridges give up before, after ${bridge?.deliveryTimeoutMs} ms: where clients should rather wait than not know, set bridge.producer.deliveryTimeoutMs to more, and bridge.timeouts and the clients' own above it, or shorten broker.session.timeout.ms in kafka.config.`],
    [isLost && isSlowToEject(hop),
      `A host is left out only after ${hop?.consecutiveGatewayErrors} errors in a row, and then for ${hop?.ejectionMs} ms, also when it is back sooner: set tier1.retries to safe (at the first failed connection, for 2 s).`],
    [(isMissed('consume') || (run.ending.kind !== 'complete' && run.ending.reason.includes('consumer'))) && upstream?.host?.includes(`${strimziBridgeService('')}.`) === true,
      'Consumers go to whichever bridge a gateway chooses, and are known to one: set bridge.service to own, which keeps them in their region.'],
  ];
  return rows.filter(([shown]) => shown).map(([, advice]) => advice);
}

/** Conditions that are also met by a request that a bridge had: it may have been written. */
const mayRepeatWritten = /(^|,)\s*(reset|5xx|5\d\d|gateway-error|unavailable|cancelled|retriable-status-codes)\s*(,|$)/;

/** Faults in which nobody refuses: something has to notice the silence. */
const silences = /-(hang|black-hole|cut-from-kafka)$/;

/** Failed connections count as errors like any other, and one is not enough. */
function isSlowToEject(hop: HopSettings | undefined): boolean {
  return hop?.consecutiveLocalOriginFailures === undefined && (hop?.consecutiveGatewayErrors ?? 0) > 1 && hop?.ejectionMs !== undefined;
}
