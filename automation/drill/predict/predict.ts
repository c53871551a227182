import type { AppliedConfiguration, Plan } from '../plan.ts';
import { bridgeOf, kafkaOf, objectName, tier1Of, upstreamOf } from './configuration.ts';
import { consumeTerms } from './consume.ts';
import type { LoadSpan } from './intervals.ts';
import { produceTerms } from './produce.ts';

/** One part of a bound. */
export interface Term {
  of: 'produce' | 'consume';
  name: string;
  ms: number;
  /** The setting, or the published or measured figure, that it comes from. */
  from: string;
}

export interface Prediction {
  /** Absent when the settings bound nothing, or could not be read. */
  produceBlackoutMs?: number;
  consumeBlackoutMs?: number;
  /** The settings were read, and let nothing take over what the fault silences. */
  noFailover?: true;
  /** What could not be read, and why not, where that is why there is no bound. Absent where the settings were read and bound nothing. */
  unread?: { produce?: string; consume?: string };
  terms: Term[];
  why: string;
}

/** What a prediction rests on besides the configuration. */
export interface Circumstances {
  plan: Plan;
  /** The faults, each with the region that it hurts. */
  faults: readonly { fault: string; region?: string }[];
  /** Latency of a slow request (99th percentile) before the fault: the machine's own share of every gap. */
  requestMs?: number;
  /** Of the typical one (median): how far it is. */
  typicalMs?: number;
  /** The part of the load in which gaps are measured; default: all of it, as planned. */
  measured?: LoadSpan;
}

export type Terms = Omit<Term, 'of'>[];

/** Terms that add up to a bound, or why there is none; `noFailover`: because nothing takes over; `unread`: because nobody could read its settings, with the reason. */
export type Bound = { terms: Terms } | { none: string; noFailover?: true; unread?: string; reason?: string };

/** What one fault meets. */
export interface Scene {
  fault: string;
  region: string;
  plan: Plan;
  bridge: ReturnType<typeof bridgeOf>;
  /** From the hurt region's gateway to the bridges. */
  upstream: ReturnType<typeof upstreamOf>;
  /** From tier1 to the regions' gateways. */
  tier1: ReturnType<typeof tier1Of>;
  kafka: ReturnType<typeof kafkaOf>;
  /** What every gap holds, fault or not. */
  ownMs: number;
  typicalMs: number;
  measured: LoadSpan;
}

/**
 * The longest gaps that the settings in effect allow: for each fault the terms that follow one another until requests are answered again.
 * Pure. Of several faults the largest bound counts. docs/verdict.md has the terms and where they come from.
 */
export function predict(configuration: AppliedConfiguration, { plan, faults, requestMs = 0, typicalMs = 0, measured = { fromMs: 0, toMs: plan.durationSeconds * 1000 } }: Circumstances): Prediction {
  const struck = faults.length > 0 ? faults : [{ fault: plan.fault, region: plan.region }];
  const scenes = struck.map(({ fault, region = plan.region }): Scene => ({
    fault, region, plan, measured, ownMs: Math.round(requestMs), typicalMs: Math.round(typicalMs),
    bridge: bridgeOf(configuration, region), upstream: upstreamOf(configuration, region), tier1: tier1Of(configuration), kafka: kafkaOf(configuration),
  }));
  const boundsOf = (termsUnder: (scene: Scene) => Bound): Bound[] => scenes.map((scene) => withReason(termsUnder(scene), scene, configuration));
  const [ofProduce, ofConsume] = [boundsOf(produceTerms), boundsOf(consumeTerms)];
  const [produce, consume] = [worst(ofProduce), worst(ofConsume)];
  const unread = { ...unreadOf('produce', ofProduce), ...unreadOf('consume', ofConsume) };
  return {
    ...('terms' in produce ? { produceBlackoutMs: sum(produce) } : {}),
    ...('terms' in consume ? { consumeBlackoutMs: sum(consume) } : {}),
    ...('noFailover' in produce ? { noFailover: true } : {}),
    ...(Object.keys(unread).length === 0 ? {} : { unread }),
    terms: [...termsOf('produce', produce), ...termsOf('consume', consume)],
    why: `${told('Requests', produce)} ${told('Consumers', consume)}`,
  };
}

/** What could not be read comes last: with it there would be no bound either. */
function worst(bounds: readonly Bound[]): Bound {
  const none = bounds.filter((bound) => 'none' in bound);
  return none.find((bound) => 'noFailover' in bound) ?? none.find((bound) => !('unread' in bound)) ?? none[0] ?? bounds.toSorted((a, b) => sum(b) - sum(a))[0] ?? { none: 'there was no fault' };
}

/** Of settings that could not be read, what whoever asked was told. */
function withReason(bound: Bound, { region }: Scene, configuration: AppliedConfiguration): Bound {
  if (!('unread' in bound)) return bound;
  const objects: Record<string, string> = { 'the bridge': objectName.bridge(region), 'the gateway': objectName.upstream(region), tier1: objectName.tier1, Kafka: objectName.kafka };
  const reason = configuration[objects[bound.unread ?? ''] ?? '']?.['unreadable'];
  return reason === undefined ? bound : { ...bound, reason: String(reason) };
}

/** Of any of the faults: that another has no bound by what it is leaves nobody to say what this one may cost. */
function unreadOf(of: Term['of'], bounds: readonly Bound[]): NonNullable<Prediction['unread']> {
  const bound = bounds.find((each) => 'unread' in each);
  return bound === undefined || !('none' in bound) ? {} : { [of]: `${bound.none}${bound.reason === undefined ? '' : ` (${bound.reason})`}` };
}

function sum(bound: Bound): number {
  return 'terms' in bound ? bound.terms.reduce((total, { ms }) => total + ms, 0) : Infinity;
}

function termsOf(of: Term['of'], bound: Bound): Term[] {
  return 'terms' in bound ? bound.terms.map((term) => ({ of, ...term })) : [];
}

function told(who: string, bound: Bound): string {
  return 'none' in bound ? `${who}: no bound, as ${bound.none}.` : `${who}: ${bound.terms.map(({ name, ms }) => `${name} (${ms} ms)`).join(' + ')} = ${sum(bound)} ms at most.`;
}
