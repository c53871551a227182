import { at, duration, list, number, text } from './raw.ts';
import type { RawObject } from './raw.ts';

/** A request as a gateway meets it, as far as anybody can tell beforehand. */
export interface AskedFor {
  method: string;
  path: string;
}

/** What one route of a VirtualService does with a request. */
export interface Route {
  destinations: readonly Destination[];
  timeoutMs: number | undefined;
  retryOn: string | undefined;
  /** Undefined where the route says nothing of retries: Istio's own. */
  retryAttempts: number | undefined;
  retryBackoffMs: number | undefined;
  perTryTimeoutMs: number | undefined;
}

export interface Destination {
  /** Fully qualified. */
  host: string;
  /** Undefined where a route names none, as of a host that has one only. */
  port: number | undefined;
  /** Empty where a route names none. */
  subset: string;
  hasWeight: boolean;
}

/** Whether a match is met; `maybe`: that hangs on what nobody can tell, such as headers. */
type Met = 'yes' | 'maybe' | 'no';

/**
 * The routes that may take a request, as Istio has them: of a VirtualService the first whose match is met takes it, unless one before it does of which that cannot be told. Where several
 * VirtualServices serve a host, Istio puts their routes together in an order that is not theirs, and each may be asked first.
 */
export function routesFor(virtualServices: readonly RawObject[], asked: AskedFor, meshRetries?: unknown): Route[] {
  return virtualServices.flatMap(({ metadata, spec }) => {
    const http = list(at(spec, 'http')).map((route) => ({ route, met: takes(route, asked) }));
    const first = http.findIndex(({ met }) => met === 'yes');
    return http.slice(0, first === -1 ? undefined : first + 1).filter(({ met }) => met !== 'no').map(({ route }) => routeOf(route, metadata?.namespace, meshRetries));
  });
}

/** VirtualServices that a gateway may ask where a request comes by one of these host names; undefined: by whichever. One that names no hosts is asked by another one. */
export function servicesOf(virtualServices: readonly RawObject[], hosts: readonly string[] | undefined): RawObject[] {
  return virtualServices.filter(({ metadata, spec }) => {
    const [named, gateways] = [list(at(spec, 'hosts')), list(at(spec, 'gateways'))];
    const ofHosts = hosts === undefined || named.length === 0 || named.some((name) => hosts.some((host) => covers(fullName(text(name) ?? '', metadata?.namespace), host)));
    return ofHosts && !isOfSidecarsAlone(gateways);
  });
}

export function leadsTo(host: string): (route: Route) => boolean {
  return ({ destinations }) => destinations.some((to) => to.host === host);
}

/** As Istio completes a short name of a Service, by the namespace of who names it. */
export function fullName(host: string, namespace: string | undefined): string {
  return namespace === undefined || host.includes('.') || host.includes('*') ? host : `${host}.${namespace}.svc.cluster.local`;
}

/** Whether a name, which may begin with `*`, is that of a host. */
export function covers(name: string, host: string): boolean {
  return name.startsWith('*') ? host.endsWith(name.slice(1)) : name === host;
}

function isOfSidecarsAlone(gateways: readonly unknown[]): boolean {
  return gateways.length > 0 && gateways.every((gateway) => gateway === 'mesh');
}

function routeOf(route: unknown, namespace: string | undefined, meshRetries: unknown): Route {
  const retries = at(route, 'retries') ?? meshRetries;
  return {
    destinations: list(at(route, 'route')).map((to) => ({
      host: fullName(text(at(to, 'destination', 'host')) ?? '', namespace), port: number(at(to, 'destination', 'port', 'number')),
      subset: text(at(to, 'destination', 'subset')) ?? '', hasWeight: number(at(to, 'weight')) !== undefined,
    })),
    // 0 is no time at all, but no limit.
    timeoutMs: duration(at(route, 'timeout')) || undefined,
    retryOn: text(at(retries, 'retryOn')),
    // Istio takes retries without attempts for none at all.
    retryAttempts: number(at(retries, 'attempts')) ?? (retries === undefined ? undefined : 0),
    retryBackoffMs: duration(at(retries, 'backoff')),
    perTryTimeoutMs: duration(at(retries, 'perTryTimeout')) || undefined,
  };
}

/** A route takes what meets any of its matches, and everything where it has none. */
function takes(route: unknown, asked: AskedFor): Met {
  const matches = list(at(route, 'match'));
  if (matches.length === 0) return 'yes';
  const met = matches.map((match) => meets(match, asked));
  return met.find((each) => each === 'yes') ?? met.find((each) => each === 'maybe') ?? 'no';
}

/** What can be judged of a request beforehand, and what has no say in it. */
const judged = new Set(['uri', 'method', 'gateways', 'name', 'ignoreUriCase', 'statPrefix']);

/** A match is met where all that it names is. */
function meets(match: unknown, { method, path }: AskedFor): Met {
  const met = [
    isMet(at(match, 'uri'), path, at(match, 'ignoreUriCase') === true), isMet(at(match, 'method'), method),
    isOfSidecarsAlone(list(at(match, 'gateways'))) ? 'no' : 'yes',
    Object.keys(match ?? {}).every((name) => judged.has(name)) ? 'yes' : 'maybe',
  ] as const;
  return met.find((each) => each === 'no') ?? met.find((each) => each === 'maybe') ?? 'yes';
}

/** One of Istio's matches of a text. */
function isMet(match: unknown, value: string, anyCase = false): Met {
  if (match === undefined) return 'yes';
  const [exact, prefix, regex] = ['exact', 'prefix', 'regex'].map((kind) => text(at(match, kind)));
  const same = (name: string): string => (anyCase ? name.toLowerCase() : name);
  if (exact !== undefined) return same(exact) === same(value) ? 'yes' : 'no';
  if (prefix !== undefined) return same(value).startsWith(same(prefix)) ? 'yes' : 'no';
  return regex === undefined ? 'maybe' : isWhole(regex, value);
}

/** Envoy's expressions are RE2's, and have to fit the whole; what JavaScript does not know of them cannot be told. */
function isWhole(regex: string, value: string): Met {
  try {
    return new RegExp(`^(?:${regex})$`, 'u').test(value) ? 'yes' : 'no';
  } catch {
    return 'maybe';
  }
}
