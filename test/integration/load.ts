/** Requests at a steady pace, whatever becomes of those before: a client that nobody may notice a change of. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';

/** What became of one request. */
export interface Outcome {
  /** Milliseconds since the load began. */
  readonly at: number;
  readonly what: 'produce' | 'topics';
  readonly ms: number;
  /** The region that answered, as its gateway says. */
  readonly region: string;
  /** Why it failed; absent when it did not. */
  readonly failure?: string;
}

const periodMs = 40;
/** Longer than anything in between may take. */
const patienceMs = 20_000;

/** Produces a record and reads the topics, in turn, through tier1. */
export class Load {
  readonly outcomes: Outcome[] = [];
  /** The `id` of every record that was acknowledged; no other load has the same. */
  readonly acked: string[] = [];
  readonly #id = randomUUID();
  readonly #pool: Pool;
  readonly #hostname: string;
  readonly #startedAt = performance.now();
  readonly #stop = new AbortController();
  readonly #pending = new Set<Promise<void>>();
  readonly #done: Promise<void>;
  #stopped: Promise<void> | undefined;

  /** @param address tier1's `host:port` */
  constructor(address: string, hostname: string) {
    this.#pool = new Pool(`http://${address}`, { connections: 8, headersTimeout: patienceMs, bodyTimeout: patienceMs });
    this.#hostname = hostname;
    this.#done = this.#run();
  }

  /** Milliseconds since it began. */
  get now(): number {
    return performance.now() - this.#startedAt;
  }

  /** Shares of the successful requests since a time, by region. */
  shares(since: number): Record<string, number> {
    const served = this.outcomes.filter(({ at, failure }) => at >= since && failure === undefined);
    return Object.fromEntries([...Map.groupBy(served, ({ region }) => region)].map(([region, some]) => [region, some.length / served.length]));
  }

  get failures(): Outcome[] {
    return this.outcomes.filter(({ failure }) => failure !== undefined);
  }

  /** Ends it, once every request has its outcome. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  /** Ends it, and says what became of its requests. @throws AssertionError with those that failed */
  async unharmed(): Promise<void> {
    await this.stop();
    const slowest = Math.max(...this.outcomes.map(({ ms }) => ms));
    console.log(`      ${String(this.outcomes.length)} requests, ${String(this.failures.length)} failed, the slowest took ${slowest.toFixed(0)} ms`);
    assert.deepEqual(this.failures, []);
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    await Promise.all(this.#pending);
    await this.#pool.close();
  }

  async #run(): Promise<void> {
    for (let sent = 0; !this.#stop.signal.aborted; sent += 1) {
      const request = this.#send(sent % 2 === 0 ? 'produce' : 'topics', sent);
      this.#pending.add(request);
      void request.finally(() => this.#pending.delete(request));
      await sleep(Math.max(0, (sent + 1) * periodMs - this.now), undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #send(what: Outcome['what'], id: number): Promise<void> {
    const at = this.now;
    const { region, failure } = await this.#ask(what, id).catch((error: unknown) => ({ region: '', failure: String(error) }));
    if (what === 'produce' && failure === undefined) this.acked.push(this.#recordId(id));
    this.outcomes.push({ at, what, ms: this.now - at, region, ...(failure === undefined ? {} : { failure }) });
  }

  #recordId(id: number): string {
    return `${this.#id}/${String(id)}`;
  }

  async #ask(what: Outcome['what'], id: number): Promise<{ region: string; failure?: string }> {
    const { statusCode, headers, body } = await this.#pool.request(what === 'produce'
      ? { method: 'POST', path: '/topics/load', headers: { host: this.#hostname, 'content-type': 'application/vnd.kafka.json.v2+json' }, body: JSON.stringify({ records: [{ key: String(id % 7), value: { id: this.#recordId(id) } }] }) }
      : { method: 'GET', path: '/topics', headers: { host: this.#hostname } });
    const text = await body.text();
    const region = String(headers['x-kbf-gateway'] ?? '');
    // A record that failed comes in an answer that did not.
    return statusCode === 200 && !text.includes('error_code') ? { region } : { region, failure: `HTTP ${String(statusCode)}: ${text.slice(0, 200)}` };
  }
}
