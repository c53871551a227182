import { onAnswered503, onNoBridge } from './advice-hosts.ts';
import { adviseOnSettings } from './advice-settings.ts';
import type { Objective } from './objective.ts';
import { ownSockets } from './outcome.ts';
import { asksForKafka, upstreamOf } from './predict/configuration.ts';
import type { Prediction } from './predict/predict.ts';
import type { Report, RunRecord } from './report.ts';

export interface AdviceOn {
  run: RunRecord;
  objectives: readonly Objective[];
  produce: Report['produce'];
  predicted?: Prediction;
}

/** What would have to change, the most valuable first: a sentence for each cause that the run shows, naming the setting. */
export function adviseOn(on: AdviceOn): string[] {
  const missed = on.objectives.filter(({ met, measured }) => !met && measured !== undefined).map(({ name }) => name);
  const isMissed = (name: string): boolean => missed.some((other) => other === name || other.startsWith(`${name}.`));
  return [...new Set([...ofData(isMissed), ...ofConditions(isMissed), ...adviseOnSettings({ ...on, isMissed }), ...ofErrors(on), ...ofOrderlyEnds(on), ...(isMissed('produce') || isMissed('consume') || isMissed('prediction') ? ofTerms(on, isMissed) : []), ...ofRegions(on, missed)])];
}

type IsMissed = (name: string) => boolean;

function ofData(isMissed: IsMissed): string[] {
  const table: readonly [string, string][] = [
    ['log.ackedLost', 'Acknowledged records were lost: see that bridges have acks=all, topics a replication factor of 3 and min.insync.replicas of 2, and that brokers do not allow unclean leader election.'],
    ['log.duplicates.unexplained', 'Records were written twice without a client or a proxy that says so: look for a retry policy on the way (TSB\'s default replays 503 and resets), and let proxies tell how often they tried (include_attempt_count_in_response).'],
    ['log.duplicates.proxyRetry', 'A gateway sent again what had been written: let none repeat what it has sent (retryOn connect-failure,refused-stream).'],
    ['log.reordered', 'Records of a key changed their order: let bridges have enable.idempotence, with at most 5 requests in flight on a connection.'],
    ['log.phantom', 'The log holds records that nobody sent or that were answered as not written: see who else writes to the topic, and whether a proxy repeats requests that it then calls failed.'],
    ['log.offsetMismatch', 'Answers name places where the log holds something else: a partition was cut short and written again (unclean leader election), or records were changed.'],
    ['consume.skipped', 'Consumers passed records over: offsets were committed that had not been delivered; a retry policy on GET records or on commits does that, so have none there.'],
    ['consume.redeliveredAfterCommit', 'Records came again although they had been committed: two consumers believe to own the partition, or commits were lost with their coordinator; see that __consumer_offsets has a replication factor of 3.'],
    ['consume.commitsLost', 'Commits that Kafka had said to have are gone: see that __consumer_offsets has a replication factor of 3 and min.insync.replicas of 2, and that nobody else uses the group.'],
    ['consume.backwards', 'A consumer with partitions of its own was given records again: see who else uses its instance, and whether a retry policy repeats polls or seeks.'],
    ['consume.backwardsInPoll', 'One answer gave a consumer records of a partition out of their order: see that nothing between its bridge and Kafka changes what a poll gives, and which version the bridge has.'],
    ['consume.uncommitted', 'What consumers were given could not be committed, so that a restart gives them all of it again: the report has what their commits were answered; see that the bridges may read the group (ACLs), and that nothing on the way refuses POST to an instance\'s /offsets.'],
    ['consume.notRecreated', 'Consumers whose bridge was lost could not be made anew through the common host name: see where it leads while a region is away, that tier1 sends nobody to a gateway whose bridge is gone (tsb.envoyFilters), and that regions have room for more consumers.'],
    ['consume.undelivered', 'Consumers did not come to the end of the log: see whether they could be made anew through the common host name, and whether session.timeout.ms lets dead members go.'],
  ];
  return table.filter(([name]) => isMissed(name)).map(([, advice]) => advice);
}

/** Faults that end bridges with SIGTERM and a grace period. */
const orderly = /^bridge-(scale-0|terminate|drain)$/;

/** Why a bridge that was given the time to answer did not. `fail-back` has ended its bridges before the load begins. */
function ofOrderlyEnds({ run: { plan, faults }, produce: { unknown } }: AdviceOn): string[] {
  if (unknown === 0 || ![plan.fault, ...faults.map(({ fault }) => fault)].some((fault) => orderly.test(fault))) return [];
  return ['Requests were left without an answer, and bridges were ended in order: the official bridge exits at once or half a second after SIGTERM, whatever is in flight, in every release up to 1.1.0, and a KafkaBridge has no preStop wait to set. '
    + 'See what a newer release does (bridge.version), let clients send again (--retry always shows how often records are then written twice), or allow for what one end may cost, one request for each connection: --objective \'produce.unknown<=4\' for four.'];
}

/** By the class of what clients were answered; the most frequent first. */
function ofErrors({ run, produce: { errors, failed, unknown } }: AdviceOn): string[] {
  if (failed + unknown === 0) return [];
  const isAskedForKafka = asksForKafka(upstreamOf(run.configuration ?? {}, run.plan.region) ?? {});
  const table: readonly [RegExp, string][] = [
    [/^record-/, `A bridge answered 200 with a failed record, as it gave up on Kafka: ${isAskedForKafka ? 'see which brokers were away, and for how long' : 'let the gateway\'s health check ask for something that needs Kafka (GET /topics)'}.`],
    [/upstream-refused|upstream-connect-failure|refused-stream|no-healthy-upstream/, onNoBridge(run)],
    [/upstream-reset|^reset/, 'Requests were cut while a bridge had them: that cannot be hidden without duplicates, and a client that sends again knows of them.'],
    [/^unsent-timeout$/, 'Requests had no connection of the load until they were given up: look first at what held them, and whether tier1 answered new ones; then give more connections or a lower rate.'],
    [/^unsent-(?!drill-ended$)/, 'Tier1 refused, cut or did not answer connections, before anything was sent: see that its pods are ready, and that its address leads to them.'],
    [/timeout/, 'Requests waited until somebody gave up: an active health check finds a silent host and sends it nothing more (bridge.healthCheck), but what waits there already ends only by an HTTP/2 ping (connection_keepalive, of gateways and of bridges\' sidecars) or a timeout: shorten the client\'s, or delivery.timeout.ms and with it the timeout of a try (bridge.timeouts.perTryMs).'],
    [/^http-5/, onAnswered503(run)],
  ];
  return errors.flatMap(({ class: name }) => (ownSockets.has(name) ? noSocketLeft : table.find(([pattern]) => pattern.test(name))?.[1] ?? []));
}

/** More connections would need more of them. */
const noSocketLeft = 'The machine that sends the load had no port, file handle or buffer left for another connection, as a port is away for up to a minute after its connection was closed: '
  + 'let connections carry more requests (--requests-per-connection) or give a lower rate, else the machine more ports (net.ipv4.ip_local_port_range) or open files (ulimit -n).';

function ofConditions(isMissed: IsMissed): string[] {
  const table: readonly [string, string][] = [
    ['condition.faultTookHold', 'The fault was not seen from outside, so that nothing was measured: see whether the region served before, and what its cluster says of the fault.'],
    ['condition.faultLasted', 'The fault was over before the settings have another region serve: give a longer duration, or the step of the plan a longer one.'],
    ['condition.recovered', 'A fault was not seen to be over: see what its cluster says, and `kbf faults heal`.'],
    ['condition.notHandedOver', 'Records that were due were never sent: give a lower rate, or the machine less other work.'],
    ['condition.ownSockets', noSocketLeft],
    ['condition.generatorLatenessInGapMs', 'The load stood still within the longest gap: give a lower rate, or the machine less other work.'],
    ['condition.generatorLatenessP99Ms', 'The load was sent late: give a lower rate, or the machine less other work.'],
    ['condition.generatorLatenessMaxMs', 'The load was sent late: give a lower rate, or the machine less other work.'],
    ['condition.generatorLatenessInStepMs', 'The load was sent late: give a lower rate, or the machine less other work.'],
    ['condition.connectionWaitP50Ms', 'The load\'s own connections did not carry it before the fault: give a lower rate or more connections.'],
    ['condition.produceBound', 'Nothing says how long requests may wait: see that the drill can read what it could not, or say it (--objective \'produce.blackoutMs<=2s\').'],
    ['condition.consumeBound', 'Nothing says how long consumers may wait: see that the drill can read what it could not, or say it (--objective \'consume.blackoutMs<=30s\').'],
    ['condition.consumersBroken', 'A consumer of the drill\'s own broke: run the drill again, and report it if that comes back.'],
    ['condition.consumersBehindMs', 'Consumers did not keep up with the load before the fault: give a lower rate, smaller payloads, or more consumers (--consumers).'],
    ['condition.workerClocksMs', 'The clocks of workers could not be told nearly enough: see that their machines\' clocks are kept and that bridges answer quickly without a load.'],
    ['condition.clock', 'The clock of the machine that drove the drill went back: run the drill where it does not.'],
    ['condition.samples', 'There were too few requests to judge by: give a higher rate or a longer duration.'],
  ];
  return table.filter(([name]) => isMissed(name)).map(([, advice]) => advice);
}

/** The largest term of a bound is what holds it up. */
function ofTerms({ predicted }: AdviceOn, isMissed: IsMissed): string[] {
  const kinds = (['produce', 'consume'] as const).filter((kind) => isMissed(kind) || isMissed(`prediction.${kind}BlackoutMs`));
  return kinds.flatMap((kind) => {
    const largest = predicted?.terms.filter(({ of }) => of === kind).toSorted((a, b) => b.ms - a.ms)[0];
    if (largest === undefined) return [];
    return `The largest part of the longest gap that the settings allow ${kind === 'produce' ? 'requests' : 'consumers'} is: ${largest.name}, ${largest.ms} ms (${largest.from}).`;
  });
}

function ofRegions({ run }: AdviceOn, missed: readonly string[]): string[] {
  const missing = (phase: string): string[] => run.regions.filter((region) => missed.includes(`regions.${region}.${phase}`));
  const after = missing('after');
  const struck = [run.plan.region, ...run.plan.steps.flatMap((step) => (step.kind === 'do' ? [step.region] : []))];
  // Where any of several may stand in, they are named together.
  const together = missed.flatMap((name) => /^regions\.(.*\+.*)\.during/.exec(name)?.[1]?.split('+') ?? []);
  const others = [...missing('during').filter((region) => !struck.includes(region)), ...together];
  return [
    ...(others.length === 0 ? [] : [`${others.join(' and ')} did not take over: see that tier1 names the regions without weights (weights switch failover off) and that the gateways reach one another's east-west port.`]),
    ...(after.length === 0 ? [] : [`${after.join(' and ')} did not serve again: see whether its bridge became ready, and for how long hosts stay ejected (maxEjectionTime).`]),
  ];
}
