import { blipSeconds } from '../fault-times.ts';
import type { Plan } from '../plan.ts';
import { asksForKafka, brokerDead, connection, detectionMs, ejectsAtOnce, envoyBackoffMs, first, kafkaDeliveryTimeoutMs, neverOut, newClientMs, noFailover, pingTerms, readinessTerms, repeatsRefused, unread } from './configuration.ts';
import type { HopSettings } from './configuration.ts';
import { longestInterval } from './intervals.ts';
import type { Bound, Scene, Terms } from './predict.ts';

/** The first record through a producer that was not there before, ms: 300 to 500 were measured on the official bridges. */
const newProducerMs = 500;
/** Until a Service that lost an endpoint no longer leads to it, ms: the least time between two of kube-proxy's changes by its own default. */
const endpointsMs = 1000;
const blipMs = blipSeconds.most * 1000;
/** Envoy's own times of an ejection, outlier_detection: base_ejection_time, max_ejection_time, interval. */
const envoyEjectionMs = { base: 30_000, most: 300_000, interval: 10_000 };
/** Kafka's own retry.backoff.max.ms of its clients: until they ask for the new leader. */
const clientBackoffMs = 1000;

/** How long no record may be acknowledged under a fault, as the terms that follow one another. */
export function produceTerms(scene: Scene): Bound {
  const bound = (byFault[scene.fault] ?? unknownFault)(scene);
  return 'none' in bound ? bound : { terms: [...own(scene), ...bound.terms] };
}

/** What every gap holds: the load's own interval, and a request's own time. */
function own({ plan, ownMs, measured }: Scene): Terms {
  return [
    { name: 'interval of the load', ms: Math.ceil(longestInterval(plan, measured, 1)), from: `plan.rate ${plan.rate}/s, ${plan.load.pattern}` },
    ...(ownMs > 0 ? [{ name: 'a slow request', ms: ownMs, from: 'measured before the fault (99th percentile)' }] : []),
  ];
}

const byFault: Record<string, (scene: Scene) => Bound> = {
  // Refused at once: the gateway tries the next host, which may have to make a producer.
  'bridge-scale-0': bridgeRefuses, 'bridge-terminate': bridgeRefuses, 'bridge-drain': bridgeRefuses, 'bridge-kill': bridgeRefuses,
  'bridge-hang': hangs,
  'bridge-cut-from-kafka': cutFromKafka,
  'bridge-slow': () => ({ none: 'a slow bridge answers: how slowly is the fault\'s own measure' }),
  'gateway-kill': ({ tier1 }) => refused(tier1, 'tier1'),
  'gateway-black-hole': blackHole, 'region-black-hole': blackHole,
  'broker-leader-kill': leaderGone,
  'tier1-restart': () => ({ terms: [{ name: 'until the Service leads to the new tier1 alone', ms: endpointsMs, from: 'kube-proxy\'s default of iptables-min-sync-period' }] }),
  'both-regions-blip': blip,
  'fail-back': (scene) => ({ terms: [firstRecord(scene)] }),
  // No request asks them. A new connection may, on the official bridge: docs/verdict.md says what that costs, no term does.
  'api-server-down': () => ({ terms: [] }), 'istiod-down': () => ({ terms: [] }), 'operator-down': () => ({ terms: [] }),
};

function firstRecord({ typicalMs }: Scene): Terms[number] {
  return { name: 'first record of a new producer', ms: newClientMs(newProducerMs, typicalMs), from: 'measured on bridges 0.33 and 1.1 (300 to 500 ms), and more where a request takes long' };
}

function unknownFault({ fault }: Scene): Bound {
  return { none: `nothing is known of the fault ${fault}` };
}

function bridgeRefuses(scene: Scene): Bound {
  const bound = refused(scene.upstream, 'the gateway');
  return 'none' in bound ? bound : { terms: [...bound.terms, firstRecord(scene)] };
}

/** A host that refuses connections, seen from one proxy. */
function refused(hop: HopSettings | undefined, proxy: string): Bound {
  if (hop === undefined) return unread(proxy);
  if (hop.weighted === true) return noFailover;
  if (!repeatsRefused(hop)) return { none: `${proxy} does not try again where a connection is refused, and every such request is lost` };
  return {
    terms: [
      { name: 'back-off before the repetition', ms: hop.retryBackoffMs ?? envoyBackoffMs, from: hop.retryBackoffMs === undefined ? 'Envoy\'s default' : `${proxy}: retries.backoff` },
      connection('to another host', hop, proxy),
      // A host that is let back in while it is dead is found out late for as long as changes of health are merged.
      ...((hop.mergeWindowMs ?? 1000) > 0 ? [{ name: 'merge window of changes of health', ms: hop.mergeWindowMs ?? 1000, from: hop.mergeWindowMs === undefined ? 'Envoy\'s default' : `${proxy}: update_merge_window` }] : []),
    ],
  };
}

/** The broker that leads takes nothing, and a bridge's answer waits for as long as it is patient. */
function leaderGone(scene: Scene): Bound {
  const { kafka, bridge } = scene;
  if (kafka === undefined) return unread('Kafka');
  const terms: Terms = [...brokerDead(kafka), { name: 'until clients ask for the new leader', ms: clientBackoffMs, from: 'Kafka\'s default of retry.backoff.max.ms' }];
  return after(terms, ejections(scene, Math.min(sumOf(terms), bridge?.deliveryTimeoutMs ?? kafkaDeliveryTimeoutMs)));
}

/**
 * A host that says nothing any more. A failed check ends no request that waits for it already (Envoy only drains its connections), so that what waits holds the
 * load's connections until a ping is found unanswered, or somebody gives up.
 * @param living what ends a wait at a host that lives, pings being answered
 * @param probes what takes it away where nothing at the proxy puts it out
 */
function silent({ plan }: Scene, hop: HopSettings | undefined, proxy: string, { living, probes = [] }: { living?: Terms; probes?: Terms } = {}): Bound {
  if (hop === undefined) return unread(proxy);
  if (hop.weighted === true) return noFailover;
  const checkMs = detectionMs(hop);
  const check: Terms = checkMs === undefined ? [] : [{
    name: 'health check', ms: checkMs,
    from: `${proxy}: ${hop.healthCheckUnhealthyThreshold} × (interval ${hop.healthCheckIntervalMs} + timeout ${hop.healthCheckTimeoutMs}) ms`,
  }];
  const next: Terms = [
    ...((hop.mergeWindowMs ?? 1000) > 0 ? [{ name: 'merge window of changes of health', ms: hop.mergeWindowMs ?? 1000, from: hop.mergeWindowMs === undefined ? 'Envoy\'s default' : `${proxy}: update_merge_window` }] : []),
    connection('to another host', hop, proxy),
  ];
  const ping = living === undefined ? pingTerms(hop, proxy) : [];
  // Where a failure does not put a host out, requests go to it again until a check does, and the last of them wait for another ping.
  if (ping.length > 0 && !ejectsAtOnce(hop)) {
    const out = check.length === 0 ? probes : check;
    return out.length === 0 ? { none: `${proxy} goes on sending requests to a host that answers no pings` } : { terms: [...out, ...ping, ...next] };
  }
  const [one, ...other] = [...check, ...ping];
  const found = one && first([one, ...other]);
  if (found !== undefined && found.ms * plan.rate / 1000 < plan.connections) return { terms: [found, ...next] };
  return { terms: [firstToGiveUp(plan.requestTimeoutMs, hop, proxy, [...ping, ...living ?? []]), ...next] };
}

/**
 * A bridge that hangs. Where no check and no failure puts it out, its region's gateway goes on preferring it until its readiness has failed: what gave up comes to it again, if tier1 sends it
 * nowhere else.
 */
function hangs(scene: Scene): Bound {
  const { upstream: hop, tier1, bridge, region, plan } = scene;
  const probes = bridge === undefined ? [] : readinessTerms(bridge);
  const bound = silent(scene, hop, 'the gateway', { probes });
  if (hop === undefined || 'none' in bound || detectionMs(hop) !== undefined || pingTerms(hop, 'the gateway').length > 0) return bound;
  const isCounted = firstToGiveUp(plan.requestTimeoutMs, hop, 'the gateway', []).ms < plan.requestTimeoutMs;
  if (isCounted && ejectsAtOnce(hop)) return bound;
  if (tier1 === undefined) return unread('tier1');
  if (tier1.firstRegion !== region) return bound;
  if (bridge === undefined) return unread('the bridge');
  return probes.length === 0 ? { none: neverOut } : { terms: [...probes, ...bound.terms] };
}

/** New connections to it get no answer either: what waits for one does so until the time for connecting is over, however soon others were told. */
function blackHole(scene: Scene): Bound {
  const bound = silent(scene, scene.tier1, 'tier1');
  if ('none' in bound || scene.tier1 === undefined) return bound;
  const [found, ...next] = bound.terms;
  const connecting = connection('to the silent host', scene.tier1, 'tier1');
  return { terms: found === undefined || found.ms < connecting.ms ? [connecting, ...next] : bound.terms };
}

/** Who ends a request that gets no answer. */
function firstToGiveUp(requestTimeoutMs: number, { perTryTimeoutMs, routeTimeoutMs }: HopSettings, proxy: string, others: Terms): Terms[number] {
  return first([
    { name: 'the client\'s own timeout', ms: requestTimeoutMs, from: 'plan.requestTimeoutMs: nothing ends a request in flight before' },
    ...others,
    ...(perTryTimeoutMs === undefined ? [] : [{ name: 'timeout of a try', ms: perTryTimeoutMs, from: `${proxy}: retries.perTryTimeout` }]),
    ...(routeTimeoutMs === undefined ? [] : [{ name: 'timeout of the route', ms: routeTimeoutMs, from: `${proxy}: timeout` }]),
  ]);
}

/** Everybody stands still for a moment and goes on; where checks fail so soon, or requests, everybody is also out for a time. */
function blip(scene: Scene): Bound {
  const { upstream } = scene;
  if (upstream === undefined) return unread('the gateway');
  const [found, ejected] = [detectionMs(upstream), ejections(scene, blipMs, upstream.pingTimeoutMs)];
  if ('none' in ejected) return ejected;
  const checked: Terms = found === undefined || found > blipMs * 2 ? [] : [letIn(upstream)];
  // Both are over when the longer one is.
  return { terms: [{ name: 'moment in which every bridge stands still', ms: blipMs, from: 'the fault itself' }, ...(sumOf(checked) > sumOf(ejected.terms) ? checked : ejected.terms)] };
}

function letIn({ healthCheckIntervalMs: interval = 0, healthCheckUnhealthyIntervalMs: ms = interval, healthCheckHealthyThreshold: threshold = 1 }: HopSettings): Terms[number] {
  return { name: 'until a check lets bridges back in', ms: threshold * ms, from: 'the gateway: healthy threshold × interval of the health check' };
}

/**
 * How long nobody answers after every bridge of every region stood still, and there was nobody to go to: whatever fails a request meanwhile may put out all of them. Their gateways then answer
 * 503, so that tier1 may put these out as well. Nothing where all are tried once none is left.
 * @param stillMs for how long a request may wait
 * @param pingMs after how long a ping counts as unanswered, where bridges answer none
 */
function ejections({ upstream, tier1, plan }: Scene, stillMs: number, pingMs?: number): Bound {
  if (upstream === undefined) return unread('the gateway');
  if (tier1 === undefined) return unread('tier1');
  const isOver = (ms: number | undefined): boolean => ms !== undefined && ms <= stillMs;
  const fails = (hop: HopSettings, ping?: number): boolean => [hop.perTryTimeoutMs, hop.routeTimeoutMs, ping].some(isOver);
  const bridges = fails(upstream, pingMs) ? ejection(upstream, 'the gateway', plan) : [];
  return { terms: [...bridges, ...(bridges.length > 0 || fails(tier1) ? ejection(tier1, 'tier1', plan) : [])] };
}

/** A first ejection; the next of the same host lasts longer, which under a later fault of a plan this may be. */
function ejection(hop: HopSettings, proxy: string, { steps }: Plan): Terms {
  if (!ejects(hop) || (hop.panicPercent ?? 0) > 0) return [];
  const { ejectionMs: base = envoyEjectionMs.base, maxEjectionMs: most = envoyEjectionMs.most, ejectionIntervalMs: interval = envoyEjectionMs.interval } = hop;
  const isRepeated = steps.filter(({ kind }) => kind === 'do').length > 1;
  return [{
    name: `until ${proxy} lets hosts back in`, ms: (isRepeated ? Math.max(base, most) : base) + interval,
    from: `${proxy}: ${isRepeated ? 'max_ejection_time' : 'baseEjectionTime'} + interval of outlierDetection, or Envoy's defaults`,
  }];
}

/** Errors of 5xx count where an ejection is set up, and nothing says otherwise. */
function ejects({ ejectionMs, ejectionIntervalMs, consecutive5xxErrors, consecutiveGatewayErrors, consecutiveLocalOriginFailures }: HopSettings): boolean {
  const said = [consecutive5xxErrors, consecutiveGatewayErrors, consecutiveLocalOriginFailures];
  const isSetUp = [ejectionMs, ejectionIntervalMs, ...said].some((each) => each !== undefined);
  return isSetUp && (consecutive5xxErrors === undefined || said.some((errors) => (errors ?? 0) > 0));
}

function sumOf(terms: Terms): number {
  return terms.reduce((sum, { ms }) => sum + ms, 0);
}

function after(terms: Terms, next: Bound): Bound {
  return 'none' in next ? next : { terms: [...terms, ...next.terms] };
}

/** The bridge lives and answers 200, so that only a check that needs Kafka finds it. */
function cutFromKafka(scene: Scene): Bound {
  const { upstream, bridge } = scene;
  if (upstream === undefined) return unread('the gateway');
  if (!asksForKafka(upstream)) return { none: `a bridge without Kafka answers 200 with failed records, which no gateway takes for a failure${bridge?.deliveryTimeoutMs === undefined ? '' : `, each after ${bridge.deliveryTimeoutMs} ms`}` };
  const ms = bridge?.deliveryTimeoutMs;
  return silent(scene, upstream, 'the gateway', { living: ms === undefined ? [] : [{ name: 'delivery timeout of the bridge', ms, from: 'KafkaBridge: delivery.timeout.ms of its producer' }] });
}
