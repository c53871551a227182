import { consumersPath } from '../../../components/region-routes.ts';
import { pollPauseMs, recreatePausesMs } from '../consumer.ts';
import { pollTimeoutMs, pollWaitMs } from '../instance.ts';
import { asksForKafka, brokerDead, connection, detectionMs, ejectsAtOnce, first, neverOut, newClientMs, noFailover, pingTerms, readinessTerms, unread } from './configuration.ts';
import type { BridgeSettings, HopSettings } from './configuration.ts';
import { longestInterval } from './intervals.ts';
import type { Bound, Scene, Terms } from './predict.ts';

/** A poll that waits for records, and the pause before the next. */
const pollCycleMs = pollWaitMs + pollPauseMs;
/** The first poll of a new consumer, ms, where Kafka and the gateways are near: it finds its coordinator, joins and fetches. */
const firstPollMs = 1000;
/** Kafka's own defaults of a consumer. */
const kafkaSessionMs = 45_000;
const kafkaHeartbeatMs = 3000;
const kafkaMaxPollIntervalMs = 300_000;

const atOnce = new Set(['bridge-scale-0', 'bridge-terminate', 'bridge-drain', 'bridge-kill', 'gateway-kill']);
const silent = new Set(['bridge-hang', 'gateway-black-hole', 'region-black-hole']);
/** The instance lives on. Under api-server-down an official bridge makes no new one, which is no term. */
const untouched = new Set(['both-regions-blip', 'tier1-restart', 'fail-back', 'api-server-down', 'istiod-down', 'operator-down']);

/** How long a partition may give its consumer nothing, as the terms that follow one another. */
export function consumeTerms(scene: Scene): Bound {
  const { fault, plan, measured, bridge, tier1, kafka, ownMs, typicalMs } = scene;
  if (plan.load.keyDistribution !== 'uniform') return { none: 'the load prefers some keys, and leaves partitions idle by itself' };
  const own: Terms = [
    { name: 'interval of a partition', ms: Math.ceil(longestInterval(plan, measured, Math.max(plan.keys, plan.partitions))), from: `plan.keys ${plan.keys}, each in turn at ${plan.rate}/s, ${plan.load.pattern}` },
    { name: 'a poll and the pause after it', ms: pollCycleMs, from: 'the drill\'s consumers' },
    ...(ownMs > 0 ? [{ name: 'requests of a poll and its commit', ms: 2 * ownMs, from: 'as a slow request before the fault each (99th percentile)' }] : []),
  ];
  const firstPoll = (from: string): Terms[number] => ({ name: 'first poll', ms: newClientMs(firstPollMs, typicalMs), from });
  if (untouched.has(fault)) return { terms: own };
  if (fault === 'broker-leader-kill') {
    return kafka === undefined ? unread('Kafka') : { terms: [...own, ...brokerDead(kafka), firstPoll('the coordinator has to be found again')] };
  }
  // A new instance is made through the common host name, and may be sent to the lost region again and again.
  if (/^(gateway|region)-/.test(fault)) {
    if (tier1 === undefined) return unread('tier1');
    if (tier1.weighted === true) return noFailover;
  }
  const [lost, left] = [loss(scene), regionLeft(scene)];
  if ('none' in lost) return lost;
  if ('none' in left) return left;
  const away = [...lost.terms, ...left.terms, anew];
  const poll = firstPoll('a new consumer finds its coordinator and fetches');
  if (plan.consumers.mode === 'assign') return { terms: [...own, ...away, poll] };
  return bridge === undefined ? unread('the bridge') : { terms: [...own, ...rejoined(bridge, away, fault.startsWith('gateway-') ? abandoned(bridge) : session(bridge)), poll] };
}

const answered = 'polls go on being answered, with nothing';

const anew = { name: 'new instance', ms: recreatePausesMs.longest, from: 'the drill\'s consumers: the longest pause between two tries' };

/** Until the client has noticed, and the host is out. */
function loss(scene: Scene): Bound {
  const { fault, upstream, tier1 } = scene;
  if (atOnce.has(fault)) return { terms: [] };
  if (fault === 'bridge-slow') return { none: answered };
  if (!silent.has(fault) && fault !== 'bridge-cut-from-kafka') return { none: `nothing is known of the fault ${fault}` };
  const [hop, proxy] = fault.startsWith('bridge-') ? [upstream, 'the gateway'] : [tier1, 'tier1'];
  if (hop === undefined) return unread(proxy);
  const seenByCheck = fault === 'bridge-cut-from-kafka';
  if (seenByCheck && !asksForKafka(hop)) return { none: answered };
  const found = detectionMs(hop);
  const hung = fault === 'bridge-hang' && found === undefined ? untilNotReady(scene, hop) : { terms: [] };
  if ('none' in hung) return hung;
  const ended = first([
    { name: 'the client\'s own timeout of a poll', ms: pollTimeoutMs, from: 'the drill\'s consumers: nothing ends a poll in flight before' },
    ...(seenByCheck ? [] : pingTerms(hop, proxy)),
  ]);
  return {
    terms: [
      ended, ...hung.terms,
      // Until the host is out, a new instance may be made on it again.
      ...(found !== undefined ? [{ name: 'health check', ms: Math.max(0, found - ended.ms), from: `${proxy}: threshold × (interval + timeout)` }].filter(({ ms }) => ms > 0) : []),
      // Nor does a black hole answer the connection that this takes.
      ...(fault.endsWith('-black-hole') ? [connection('to the silent host', hop, proxy)] : []),
    ],
  };
}

/** Where nothing at its gateway finds a bridge that hangs, and the other regions stand by, new instances are made on it again until its readiness has failed. Who gives up is no failure of it. */
function untilNotReady({ region, tier1, bridge }: Scene, hop: HopSettings): Bound {
  if (ejectsAtOnce(hop) && pingTerms(hop, 'the gateway').length > 0) return { terms: [] };
  if (tier1 === undefined) return unread('tier1');
  if (tier1.firstRegion !== region) return { terms: [] };
  if (bridge === undefined) return unread('the bridge');
  const probes = readinessTerms(bridge);
  return probes.length === 0 ? { none: neverOut } : { terms: probes };
}

/**
 * Until tier1 sends no new consumer to a region any more whose gateway lives without its bridge. Its check finds that where it asks as consumers do: it is answered 503 at once. Without such
 * a check the next try may come to another region, unless they all stand by. Weights go on sending each region its share.
 */
function regionLeft({ fault, region, upstream, tier1 }: Scene): Bound {
  if (!fault.startsWith('bridge-')) return { terms: [] };
  if (upstream === undefined) return unread('the gateway');
  if (tier1 === undefined) return unread('tier1');
  if (upstream.consumersStay !== true) return { terms: [] };
  if (tier1.weighted === true) return { none: `tier1 goes on sending ${region} its share of new consumers while its gateway lives, as weights have it` };
  const { healthCheckPath, healthCheckIntervalMs: interval = 0, healthCheckUnhealthyThreshold: threshold = 0 } = tier1;
  if (healthCheckPath?.startsWith(consumersPath) === true) return { terms: [{ name: 'tier1\'s check of the region', ms: threshold * interval, from: 'tier1: threshold × interval, as the gateway answers 503 at once' }] };
  return tier1.firstRegion === region ? { none: `tier1 goes on sending new consumers to ${region} while its gateway lives` } : { terms: [] };
}

/** Nothing is heard of the lost member any more. */
function session({ sessionTimeoutMs }: BridgeSettings): Terms[number] {
  return { name: 'session of the lost member', ms: sessionTimeoutMs ?? kafkaSessionMs, from: sessionTimeoutMs === undefined ? 'Kafka\'s default of session.timeout.ms' : 'KafkaBridge: session.timeout.ms' };
}

/**
 * A bridge behind a gateway that is gone still reaches Kafka, and goes on sending its member's heartbeats though nobody polls it: until it takes it for idle, which it looks for
 * every half of that time, or Kafka's own client gives up.
 */
function abandoned({ idleConsumerMs = -1, maxPollIntervalMs }: BridgeSettings): Terms[number] {
  const name = 'membership that nobody polls';
  const unpolled = { name, ms: maxPollIntervalMs ?? kafkaMaxPollIntervalMs, from: maxPollIntervalMs === undefined ? 'Kafka\'s default of max.poll.interval.ms' : 'KafkaBridge: max.poll.interval.ms' };
  return idleConsumerMs < 0 ? unpolled : first([unpolled, { name, ms: idleConsumerMs * 1.5, from: 'KafkaBridge: consumer.timeoutSeconds, and half as much again, as it is looked for every half of it' }]);
}

/**
 * A group waits for the lost member until it counts as gone; its client makes a new one meanwhile, so that only the longer of both counts. The others
 * hear of the new assignment with a heartbeat.
 */
function rejoined(bridge: BridgeSettings, lost: Terms, member: Terms[number]): Terms {
  const lostMs = lost.reduce((sum, { ms }) => sum + ms, 0);
  const heartbeat = { name: 'heartbeat of the others', ms: bridge.heartbeatIntervalMs ?? kafkaHeartbeatMs, from: bridge.heartbeatIntervalMs === undefined ? 'Kafka\'s default' : 'KafkaBridge: heartbeat.interval.ms' };
  return [...(lostMs > member.ms ? lost : [member]), heartbeat];
}
