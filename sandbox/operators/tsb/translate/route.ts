import type { Rule, StringMatch } from '../model.ts';
import { defined } from '../resilience.ts';
import type { HostPolicy } from '../resilience.ts';

/** Where a rule's requests go, and how its gateway treats that host. */
export interface Target {
  readonly destinations: readonly { readonly host: string; readonly port: number; readonly subset?: string; readonly weight?: number }[];
  /** The request's Host from here on. */
  readonly authority?: string;
  readonly policy: HostPolicy;
}

/** One HTTPRoute of a VirtualService from a rule of a Gateway; without a target the rule redirects or answers itself. */
export function httpRoute({ match, modify, timeout, redirect, directResponse }: Omit<Rule, 'route'>, target: Target | undefined): object {
  const authority = modify?.rewrite?.authority ?? target?.authority;
  const rewrite = defined({ uri: modify?.rewrite?.uri, authority });
  return defined({
    match: match?.length ? match.map(({ uri, headers }) => defined({ uri: stringMatch(uri), headers: headers && mapValues(headers, stringMatch) })) : undefined,
    headers: modify?.headers,
    rewrite: target && Object.keys(rewrite).length > 0 ? rewrite : undefined,
    redirect,
    directResponse: directResponse && defined({ status: directResponse.status, body: directResponse.body && { string: directResponse.body.string ?? '' } }),
    ...(target && {
      route: target.destinations.map(({ host, port, subset, weight }) =>
        defined({ destination: defined({ host, port: { number: port }, subset }), weight })),
      timeout: timeout ?? target.policy.timeout,
      retries: target.policy.retries,
    }),
  });
}

function stringMatch(match: StringMatch | undefined): object | undefined {
  return match && defined({ exact: match.exact, prefix: match.prefix, regex: match.regex });
}

function mapValues<T, U>(fields: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, change(value)]));
}
