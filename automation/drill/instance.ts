import type { Dispatcher } from 'undici';

import { mediaType, readJson } from './content.ts';
import type { Format } from './content.ts';
import { exchange } from './exchange.ts';
import type { Clock, Exchange } from './exchange.ts';

export interface InstanceOptions {
  dispatcher: Pick<Dispatcher, 'dispatch'>;
  /** Global hostname, where instances are made. */
  hostname: string;
  group: string;
  topic: string;
  format: Format;
  clock: Clock;
}

export interface PolledRecord {
  partition: number;
  offset: number;
  /** Key and value as they were written; undefined where they are no JSON text. */
  key: unknown;
  value: unknown;
}

/** The offset to read next, by partition. */
export type Positions = ReadonlyMap<number, number>;

const contentType = 'application/vnd.kafka.v2+json';
/** How long the bridge may wait for records; short, as a waiting poll holds one of its threads. */
export const pollWaitMs = 500;
/** A poll must be answered when its own wait is over. */
export const pollTimeoutMs = pollWaitMs + 2_000;
/**
 * How long each call may take before its bridge counts as gone. A killed one is a refused or reset connection at once; only of one that hangs nothing is
 * heard, and the sooner it is given up, the shorter the consumer goes without. A
 * commit may wait for a new coordinator, and costs a member of a group its membership when it is given up too soon; a deletion for Kafka's own leave of the
 * group, unless the bridge is most likely gone.
 */
const timeoutsMs = { create: 5_000, poll: pollTimeoutMs, commit: { subscribed: 5_000, assigned: 2_500 }, other: 5_000, delete: 10_000, deleteLost: 2_000 };

/** A consumer instance on its bridge, called by the `base_uri` that this bridge gave it. Every answer is a result; nothing rejects. */
export class Instance {
  readonly name: string;
  readonly #o: InstanceOptions;
  readonly #host: string;
  readonly #path: string;

  private constructor(options: InstanceOptions, name: string, baseUri: URL) {
    this.#o = options;
    this.name = name;
    this.#host = baseUri.host;
    this.#path = baseUri.pathname;
  }

  /** A new instance through the global hostname, or why there is none. */
  static async create(options: InstanceOptions): Promise<Instance | string> {
    const { dispatcher, hostname, group, format, clock } = options;
    const settings = { format, 'auto.offset.reset': 'earliest', 'enable.auto.commit': false };
    const answer = await exchange(dispatcher, {
      method: 'POST', host: hostname, path: `/consumers/${group}`, headers: { 'content-type': contentType },
      body: JSON.stringify(settings), timeoutMs: timeoutsMs.create,
    }, clock);
    if (answer.status !== 200 || answer.error !== undefined) return `create: ${describe(answer)}`;
    const { instance_id: name, base_uri } = (readBody(answer) ?? {}) as { instance_id?: unknown; base_uri?: unknown };
    if (typeof name !== 'string' || typeof base_uri !== 'string' || !URL.canParse(base_uri)) return `create: no answer of a bridge: ${describe(answer)}`;
    return new Instance(options, name, new URL(base_uri));
  }

  /** Joins the group; which partitions it is given shows in its polls. Gives why that failed, or undefined. */
  async subscribe(): Promise<string | undefined> {
    return wanted('subscribe', await this.#call('POST', '/subscription', timeoutsMs.other, { topics: [this.#o.topic] }));
  }

  /** Takes these partitions, whoever else reads them. They go on where the group committed. Gives why that failed, or undefined. */
  async assign(partitions: readonly number[]): Promise<string | undefined> {
    const { topic } = this.#o;
    return wanted('assign', await this.#call('POST', '/assignments', timeoutsMs.other, { partitions: partitions.map((partition) => ({ topic, partition })) }));
  }

  /** Goes on elsewhere in partitions that it has. Gives why that failed, or undefined. */
  async seek(positions: Positions): Promise<string | undefined> {
    return wanted('seek', await this.#call('POST', '/positions', timeoutsMs.other, { offsets: this.#offsets(positions) }));
  }

  /** The next records, or why there are none to be had. */
  async poll(): Promise<PolledRecord[] | string> {
    const answer = await this.#call('GET', `/records?timeout=${pollWaitMs}`, timeoutsMs.poll);
    if (answer.status !== 200 || answer.error !== undefined) return `poll: ${describe(answer)}`;
    const records = readBody(answer);
    if (!Array.isArray(records)) return `poll: no answer of a bridge: ${describe(answer)}`;
    return (records as PolledRecord[]).map(({ partition, offset, key, value }) => ({ partition, offset, key: readJson(this.#o.format, key), value: readJson(this.#o.format, value) }));
  }

  commit(positions: Positions, how: 'subscribed' | 'assigned'): Promise<Exchange> {
    return this.#call('POST', '/offsets', timeoutsMs.commit[how], { offsets: this.#offsets(positions) });
  }

  /** False where its bridge did not say that it is gone. */
  async delete({ lost }: { lost: boolean }): Promise<boolean> {
    const { status } = await this.#call('DELETE', '', lost ? timeoutsMs.deleteLost : timeoutsMs.delete);
    return status === 204 || status === 404;
  }

  #offsets(positions: Positions): { topic: string; partition: number; offset: number }[] {
    return [...positions].map(([partition, offset]) => ({ topic: this.#o.topic, partition, offset }));
  }

  #call(method: 'GET' | 'POST' | 'DELETE', operation: string, timeoutMs: number, body?: unknown): Promise<Exchange> {
    const { dispatcher, clock, format } = this.#o;
    return exchange(dispatcher, {
      method, host: this.#host, path: `${this.#path}${operation}`, timeoutMs,
      headers: method === 'GET' ? { accept: mediaType(format) } : { 'content-type': contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }, clock);
  }
}

/** Undefined where it is no JSON: somebody else on the way may have answered. */
function readBody({ body }: Exchange): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function wanted(what: string, answer: Exchange): string | undefined {
  return answer.status === 204 ? undefined : `${what}: ${describe(answer)}`;
}

/** What became of a call, for a person. */
export function describe({ status, error, body }: Exchange): string {
  return error === undefined ? `${status} ${body.slice(0, 200).replaceAll(/\s+/g, ' ')}` : `${error.code} ${error.message}`;
}
