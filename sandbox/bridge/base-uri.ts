/** The parts of a request from which a consumer's `base_uri` is built. */
export interface UriSource {
  /** `Host` or `:authority`, as the client wrote it. */
  readonly authority: string;
  /** The request's path without its query, e.g. `/consumers/my-group`. */
  readonly path: string;
  header(name: string): string | undefined;
}

/**
 * The address under which a new consumer instance is to be reached, by the Bridge's rules: `Forwarded` wins when it is there
 * (with both `host=` and `proto=`, else nothing forwarded counts), then `X-Forwarded-Host` together with `X-Forwarded-Proto`
 * (one alone is ignored), then the request itself; a missing port is written out (80 or 443); `X-Forwarded-Path` replaces the path.
 * @throws Error when a scheme other than http and https comes without a port
 */
export function baseUri(request: UriSource, instance: string): string {
  const { scheme, host } = origin(request);
  const path = request.header('x-forwarded-path') || request.path;
  const separator = request.path.endsWith('/') ? '' : '/';
  return `${scheme}://${withPort(scheme, host)}${path}${separator}instances/${instance}`;
}

function origin(request: UriSource): { scheme: string; host: string } {
  const direct = { scheme: 'http', host: request.authority };
  const forwarded = request.header('forwarded');
  if (forwarded) {
    const host = /host=([^;]+)/i.exec(forwarded)?.[1];
    const scheme = /proto=([^;]+)/i.exec(forwarded)?.[1];
    return host !== undefined && scheme !== undefined ? { scheme, host } : direct;
  }
  const host = request.header('x-forwarded-host');
  const scheme = request.header('x-forwarded-proto');
  return host && scheme ? { scheme, host } : direct;
}

function withPort(scheme: string, host: string): string {
  if (/^.*:[0-9]+$/.test(host)) return host;
  if (scheme === 'http') return `${host}:80`;
  if (scheme === 'https') return `${host}:443`;
  throw new Error(`${scheme} is not a valid schema/proto.`);
}
