import type { Exchange } from './exchange.ts';
import type { Outcome } from './records.ts';

export interface Judged {
  outcome: Outcome;
  class: string;
  partition?: number;
  offset?: number;
}

/**
 * What one produce request of one record came to. The rule: `failed` only where the record certainly was not written,
 * `ok` only with an offset; all the rest is `unknown`. The Bridge answers 200 also for records that failed, so the
 * record's own entry decides, not the status. `proxiesRepeat`: proxies on the way may send again what was sent, or nobody knows that they do not; how
 * often they did has to be told then.
 */
export function judgeProduce(answer: Exchange, { proxiesRepeat = false }: { proxiesRepeat?: boolean } = {}): Judged {
  if (answer.error !== undefined) return judgeBroken(answer, answer.error.code);
  const judged = judgeAnswer(answer);
  // A proxy that tried more than once tells of its last try only; an earlier one may have been carried out.
  const tries = proxyAttempts(answer.headers) ?? (proxiesRepeat ? Infinity : 1);
  const retried = /retried and the latest/.test(answer.body) || tries > 1;
  return judged.outcome === 'failed' && retried ? { ...judged, outcome: 'unknown' } : judged;
}

function judgeAnswer({ status = 0, body }: Exchange): Judged {
  if (status === 200) return judgeEntry(body);
  return status === 503 || status === 504 ? judgeProxy(status, body) : judgeStatus(status);
}

function judgeBroken(answer: Exchange, code: string): Judged {
  const name = classByCode[code] ?? code.toLowerCase();
  return { outcome: answer.sentMs === undefined ? 'failed' : 'unknown', class: answer.sentMs === undefined ? `unsent-${name}` : name };
}

/** Classes of a request that was never sent, as the machine that was to send it had no port, file handle or buffer left for another connection: no part that is drilled is to blame. */
export const ownSockets: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EMFILE', 'ENFILE', 'ENOBUFS'].map((code) => `unsent-${code.toLowerCase()}`));

const classByCode: Record<string, string> = {
  CLIENT_TIMEOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'connect-timeout',
  UND_ERR_SOCKET: 'reset',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNREFUSED: 'refused',
  UND_ERR_DESTROYED: 'drill-ended',
};

function judgeEntry(body: string): Judged {
  const entry = firstOffset(body);
  if (entry === undefined) return { outcome: 'unknown', class: 'unreadable-answer' };
  const { partition, offset, error_code } = entry;
  // A producer that waits for no acknowledgement (acks=0) is told -1.
  if (isPlace(partition) && isPlace(offset)) {
    return { outcome: 'ok', class: 'ok', partition, offset };
  }
  // 404 inside a 200: the bridge never had metadata of the topic, so nothing was sent. Any other code may have been
  // written all the same; records reported as "Expiring" were found in the log.
  if (error_code === 404) return { outcome: 'failed', class: 'record-404' };
  return { outcome: 'unknown', class: `record-${typeof error_code === 'number' ? error_code : 'without-offset'}` };
}

function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

interface OffsetEntry {
  partition?: unknown;
  offset?: unknown;
  error_code?: unknown;
}

function firstOffset(body: string): OffsetEntry | undefined {
  try {
    const answer = JSON.parse(body) as { offsets?: unknown } | null;
    const entry: unknown = Array.isArray(answer?.offsets) ? answer.offsets[0] : undefined;
    return typeof entry === 'object' && entry !== null ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** 503 and 504 come from the bridge (JSON) or from an Envoy on the way (plain text, which says how far the request got). */
function judgeProxy(status: 503 | 504, body: string): Judged {
  const known = (isJson(body) ? bridgeTexts : [...bridgeTexts, ...proxyTexts]).find(({ text }) => text.test(body));
  if (known === undefined) return { outcome: 'unknown', class: `http-${status}` };
  return { outcome: known.unsent ? 'failed' : 'unknown', class: known.class };
}

/** Whose answers quote what they were told, so that words of Envoy's in them say nothing of this request. */
function isJson(body: string): boolean {
  return body.trimStart().startsWith('{');
}

interface KnownText {
  text: RegExp;
  class: string;
  unsent: boolean;
}

const bridgeTexts: readonly KnownText[] = [{ text: /Bridge is overloaded|is disabled in config/i, class: 'bridge-refused', unsent: true }];

/** Envoy's local reply bodies; https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage has the flags. */
const proxyTexts: readonly KnownText[] = [
  { text: /connection termination/i, class: 'upstream-reset', unsent: false },
  { text: /no healthy upstream/i, class: 'no-healthy-upstream', unsent: true },
  { text: /connection refused|remote connection failure|local connection failure/i, class: 'upstream-refused', unsent: true },
  { text: /reset reason: connection failure|connection timeout/i, class: 'upstream-connect-failure', unsent: true },
  { text: /reset reason: overflow/i, class: 'upstream-overflow', unsent: true },
  { text: /remote refused stream/i, class: 'upstream-refused-stream', unsent: true },
  { text: /remote reset|local reset|protocol error/i, class: 'upstream-reset', unsent: false },
  { text: /upstream request timeout|stream timeout/i, class: 'upstream-timeout', unsent: false },
];

function judgeStatus(status: number): Judged {
  if (status === 204) return { outcome: 'unknown', class: 'async' };
  // 4xx is refused before anything is sent to Kafka; 408 alone can come after the request went on.
  if (status >= 400 && status < 500 && status !== 408) return { outcome: 'failed', class: `http-${status}` };
  return { outcome: 'unknown', class: `http-${status}` };
}

/** A region as far as telling who served goes; one whose gateway has several addresses is there once for each (addresses.ts). */
export interface ServingRegion {
  name: string;
  /** An IP address. */
  gatewayAddress: string;
}

/**
 * The region whose bridge served a request: a gateway that handed it to another region's gateway was only passing
 * it on. Both headers can hold one value per gateway on the way, the one nearest to the bridge first.
 */
export function servedBy(headers: Exchange['headers'], regions: readonly ServingRegion[]): string | undefined {
  for (const upstream of values(headers['x-kbf-upstream'])) {
    const peer = regions.find(({ gatewayAddress }) => upstream.startsWith(`${gatewayAddress}:`));
    if (peer !== undefined) return peer.name;
  }
  const gateway = values(headers['x-kbf-gateway'])[0];
  return regions.find(({ name }) => name === gateway)?.name;
}

/** How often proxies tried, as they say it; of several on the way each adds its own repetitions. Undefined where none says anything. */
export function proxyAttempts(headers: Exchange['headers']): number | undefined {
  const told = values(headers['x-envoy-attempt-count']).map(Number).filter(Number.isInteger);
  return told.length === 0 ? undefined : told.reduce((sum, tries) => sum + Math.max(0, tries - 1), 1);
}

function values(header: string | string[] | undefined): string[] {
  return [header ?? []].flat().flatMap((value) => value.split(',')).map((value) => value.trim()).filter((value) => value !== '');
}
