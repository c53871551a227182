import type { Dispatcher } from 'undici';
import type { Lanes } from './lanes.ts';

/** Milliseconds since the drill began, monotonic. */
export type Clock = () => number;

/** A clock that begins now. */
export function startClock(): Clock {
  return clockSince(process.hrtime.bigint());
}

/**
 * A clock that began at that time of `process.hrtime`, which all threads of a process share; `performance.now` begins anew in each.
 * Microseconds are all the precision that is kept.
 */
export function clockSince(beginNs: bigint): Clock {
  const offset = performance.now() - Number(process.hrtime.bigint() - beginNs) / 1e6;
  return () => Math.round((performance.now() - offset) * 1000) / 1000;
}

/** When the clock began, by `process.hrtime`. */
export function beginOf(clock: Clock): bigint {
  return process.hrtime.bigint() - BigInt(Math.round(clock() * 1e6));
}

export interface ExchangeRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** The public name asked for; the connection goes to the dispatcher's own origin. */
  host: string;
  path: string;
  headers?: Record<string, string>;
  /** A function is asked when a connection is free: what waits for one holds no body. */
  body?: string | (() => string);
  /**
   * How long it may wait for a connection, and how long it may then take to the last byte of the answer. One timeout over both would
   * send requests with no time left after a stall, and spend every connection on them.
   */
  timeoutMs: number;
  /** Where it waits for a connection. Without, it is the HTTP client's business. */
  lanes?: Lanes;
}

/** One HTTP request with its times, whatever became of it. `status` is absent when no answer began. */
export interface Exchange {
  issuedMs: number;
  sentMs?: number;
  endMs: number;
  status?: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  /** Set when the answer is missing or incomplete; `code` as undici or the system names it, `CLIENT_TIMEOUT` for our own. */
  error?: { code: string; message: string };
}

/** More than any bridge sends at once (500 records of a poll, of 1 MiB at most, are fetched as 50 MiB), and less than a text can be long. */
const mostBytes = 256 * 2 ** 20;

/**
 * Makes one request. Never rejects: a refused connection, a reset and a timeout are results here.
 * The low-level dispatch tells the moment a connection took the request, without which a request that was never sent
 * could not be told from one that may have been carried out.
 */
export function exchange(dispatcher: Pick<Dispatcher, 'dispatch'>, request: ExchangeRequest, clock: Clock): Promise<Exchange> {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  const result: Exchange = { issuedMs: clock(), endMs: 0, headers: {}, body: '' };
  const chunks: Buffer[] = [];
  let bytes = 0;
  let controller: Dispatcher.DispatchController | undefined;
  let finished = false;
  const finish = (error?: Error & { code?: string }): void => {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    // Not before this function is done: another request may start in there.
    queueMicrotask(() => { leave?.(); });
    result.endMs = clock();
    result.body = Buffer.concat(chunks).toString('utf8');
    if (error !== undefined) result.error = { code: error.code ?? error.name, message: error.message };
    resolve(result);
  };
  const giveUp = (why: string, code: string): void => {
    const error = Object.assign(new Error(why), { code });
    finish(error);
    controller?.abort(error);
  };
  const timer = setTimeout(() => { giveUp(`no answer within ${request.timeoutMs} ms`, 'CLIENT_TIMEOUT'); }, request.timeoutMs);
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      // It timed out while its connection was being made: it must not be sent any more.
      if (finished) started.abort(new Error('timed out before it was sent'));
      else result.sentMs = clock();
    },
    onResponseStart(_, status, headers) {
      result.status = status;
      result.headers = headers;
    },
    onResponseData(_, chunk) {
      bytes += chunk.length;
      if (bytes <= mostBytes) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      giveUp(`an answer of more than ${mostBytes / 2 ** 20} MiB`, 'ANSWER_TOO_LARGE');
    },
    onResponseEnd() {
      finish();
    },
    onResponseError(_, error) {
      finish(error);
    },
  };
  const { method, path, body, host, headers, lanes } = request;
  const send = (): void => {
    timer.refresh();
    dispatcher.dispatch({ method, path, body: (typeof body === 'function' ? body() : body) ?? null, headers: { ...headers, host } }, handler);
  };
  const leave = lanes?.enter(send);
  if (lanes === undefined) send();
  return promise;
}
