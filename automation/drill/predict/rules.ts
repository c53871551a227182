import { at, list, number, text } from './raw.ts';
import type { RawObject } from './raw.ts';
import { covers, fullName } from './routes.ts';
import type { Destination } from './routes.ts';
import { hasLabels } from './filters.ts';
import type { PodLabels } from './filters.ts';

/** What DestinationRules say of a host. */
export interface Rule {
  trafficPolicy: unknown;
  subsets: readonly unknown[];
}

/** What of a traffic policy the prediction reads, as it counts for one port and subset. */
export interface Policy {
  connectionPool: unknown;
  outlierDetection: unknown;
  loadBalancer: unknown;
}

/**
 * The rule of one namespace that Istio takes for a host: its own name before names with `*`, of these the longest. Of several by the same name the oldest says the policy, those for these pods
 * before those for all; subsets come from each.
 */
export function ruleOf(host: string, destinationRules: readonly RawObject[], proxyLabels: PodLabels | undefined): Rule | undefined {
  const covering = destinationRules
    .map((rule) => ({ rule, name: fullName(text(at(rule.spec, 'host')) ?? '', rule.metadata?.namespace) }))
    .filter(({ rule: { spec }, name }) => covers(name, host) && hasLabels(proxyLabels, at(spec, 'workloadSelector', 'matchLabels')));
  const name = covering.some((each) => each.name === host) ? host : covering.map((each) => each.name).toSorted((a, b) => b.length - a.length)[0];
  const rules = covering.filter((each) => each.name === name).map(({ rule }) => rule)
    .toSorted((a, b) => forAll(a) - forAll(b) || (a.metadata?.creationTimestamp ?? '').localeCompare(b.metadata?.creationTimestamp ?? ''));
  if (rules.length === 0) return undefined;
  return { trafficPolicy: rules.map(({ spec }) => at(spec, 'trafficPolicy')).find((policy) => policy !== undefined), subsets: rules.flatMap(({ spec }) => list(at(spec, 'subsets'))) };
}

/** The policies that may count where requests go: one, unless a route leaves the port open and the rule tells ports apart. */
export function policiesFor({ trafficPolicy, subsets }: Rule, { port, subset }: Pick<Destination, 'port' | 'subset'>): Policy[] {
  const ofSubset = subset === '' ? undefined : at(subsets.find((each) => at(each, 'name') === subset), 'trafficPolicy');
  const named = [trafficPolicy, ofSubset].flatMap((policy) => list(at(policy, 'portLevelSettings'))).map((settings) => number(at(settings, 'port', 'number')));
  return [...new Set(port === undefined ? [undefined, ...named] : [port])].map((each) => atPort(ofSubset, each, atPort(trafficPolicy, each)));
}

/** What a policy leaves out it has from the one that it is laid over, each section as a whole; but settings of a port have nothing from anywhere. */
function atPort(policy: unknown, port: number | undefined, below?: Policy): Policy {
  const ofPort = port === undefined ? undefined : list(at(policy, 'portLevelSettings')).find((settings) => number(at(settings, 'port', 'number')) === port);
  const section = (name: keyof Policy): unknown => (ofPort === undefined ? at(policy, name) ?? below?.[name] : at(ofPort, name));
  return { connectionPool: section('connectionPool'), outlierDetection: section('outlierDetection'), loadBalancer: section('loadBalancer') };
}

function forAll({ spec }: RawObject): number {
  return at(spec, 'workloadSelector') === undefined ? 1 : 0;
}
