import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { exchange } from './exchange.ts';
import type { Clock, Exchange } from './exchange.ts';
import { recordId } from './records.ts';
import type { Delivery } from './records.ts';

export interface ConsumerOptions {
  dispatcher: Dispatcher;
  /** Global hostname, where instances are made. */
  hostname: string;
  group: string;
  topic: string;
  /** Tells the consumers of a group apart in the deliveries. */
  index: number;
  clock: Clock;
  /** Called with every batch before it is committed. */
  onDeliveries: (deliveries: Delivery[]) => void;
  /** Called when an instance was lost and another was made. */
  onRecreated: (why: string) => void;
}

/** Where an instance lives, as the bridge that made it said. */
interface Instance {
  name: string;
  host: string;
  path: string;
}

const contentType = 'application/vnd.kafka.v2+json';
const embeddedFormat = 'application/vnd.kafka.json.v2+json';
const callTimeoutMs = 10_000;
/** How long the bridge may wait for records; short, as a waiting poll holds one of its threads. */
const pollWaitMs = 500;
/** A consumer that gets a little at a time would otherwise ask without a pause, and be more load than the load. */
const pollPauseMs = 200;
/** An instance that cannot be made for this long is given up. */
const recreateForMs = 90_000;

/**
 * One member of a consumer group over the Bridge's HTTP API, as the API asks: it follows the `base_uri` it was given and commits after
 * each batch. An instance lives on one bridge; when that is gone, the next one is made through the global hostname.
 */
export class BridgeConsumer {
  readonly #o: ConsumerOptions;
  readonly #stop = new AbortController();
  readonly #forgotten: Promise<unknown>[] = [];
  #instance: Instance | undefined;
  #running: Promise<void> = Promise.resolve();
  /** What ended it before it was stopped. */
  failure: string | undefined;

  constructor(options: ConsumerOptions) {
    this.#o = options;
  }

  /** Makes the first instance and starts to consume. Rejects when none can be made. */
  async start(signal: AbortSignal): Promise<void> {
    const first = this.#create(AbortSignal.any([signal, this.#stop.signal]));
    this.#running = first.then((instance) => {
      this.#instance = instance;
      return this.#consume();
    }).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.failure = error instanceof Error ? error.message : String(error);
    });
    await first;
  }

  /** Ends after the batch in hand and deletes the instance. Safe to repeat. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (this.#instance !== undefined) this.#forget(this.#instance);
    this.#instance = undefined;
    await Promise.all(this.#forgotten);
  }

  async #consume(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && this.#instance !== undefined) {
      const lost = await this.#pollOnce(this.#instance);
      if (lost !== undefined) await this.#replace(lost);
      await delay(pollPauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Why the instance is lost, or undefined. */
  async #pollOnce(instance: Instance): Promise<string | undefined> {
    const poll = await this.#call(instance, 'GET', `/records?timeout=${pollWaitMs}`);
    if (poll.status !== 200 || poll.error !== undefined) return `poll: ${describe(poll)}`;
    const deliveries = this.#parse(instance, poll.body);
    if (deliveries.length === 0) return undefined;
    this.#o.onDeliveries(deliveries);
    const commit = await this.#call(instance, 'POST', '/offsets', { offsets: this.#positions(deliveries) });
    // 500 is the group's answer to a commit during a rebalance: the next poll joins again, and the batch comes once more.
    return commit.status === 204 || commit.status === 500 ? undefined : `commit: ${describe(commit)}`;
  }

  #parse({ name }: Instance, body: string): Delivery[] {
    const { index, clock } = this.#o;
    const tMs = clock();
    const records = JSON.parse(body) as { partition: number; offset: number; value: unknown }[];
    return records.map(({ partition, offset, value }) => {
      const id = recordId(value);
      return { consumer: index, instance: name, tMs, partition, offset, ...(id === undefined ? {} : { id }) };
    });
  }

  #positions(deliveries: Delivery[]): { topic: string; partition: number; offset: number }[] {
    const next = new Map<number, number>();
    for (const { partition, offset } of deliveries) next.set(partition, Math.max(next.get(partition) ?? 0, offset + 1));
    return [...next].map(([partition, offset]) => ({ topic: this.#o.topic, partition, offset }));
  }

  async #replace(why: string): Promise<void> {
    if (this.#instance !== undefined) this.#forget(this.#instance);
    this.#instance = undefined;
    this.#instance = await this.#create(this.#stop.signal);
    this.#o.onRecreated(why);
  }

  /** Makes an instance that is subscribed, trying again with a growing pause. */
  async #create(signal: AbortSignal): Promise<Instance> {
    const deadline = this.#o.clock() + recreateForMs;
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1000)) {
      signal.throwIfAborted();
      const made = await this.#createOnce();
      if (typeof made !== 'string') return made;
      if (this.#o.clock() > deadline) throw new Error(`consumer ${this.#o.index} of group ${this.#o.group} could not be made within ${recreateForMs} ms: ${made}`);
      await delay(pauseMs, undefined, { signal });
    }
  }

  /** The new instance, or why there is none. */
  async #createOnce(): Promise<Instance | string> {
    const { dispatcher, hostname, group, topic, clock } = this.#o;
    const settings = { format: 'json', 'auto.offset.reset': 'earliest', 'enable.auto.commit': false };
    const answer = await exchange(dispatcher, {
      method: 'POST', host: hostname, path: `/consumers/${group}`, headers: { 'content-type': contentType },
      body: JSON.stringify(settings), timeoutMs: callTimeoutMs,
    }, clock);
    if (answer.status !== 200 || answer.error !== undefined) return `create: ${describe(answer)}`;
    const { instance_id: name, base_uri } = JSON.parse(answer.body) as { instance_id: string; base_uri: string };
    const { host, pathname } = new URL(base_uri);
    const instance = { name, host, path: pathname };
    const subscription = await this.#call(instance, 'POST', '/subscription', { topics: [topic] });
    if (subscription.status === 204) return instance;
    this.#forget(instance);
    return `subscribe: ${describe(subscription)}`;
  }

  #call({ host, path }: Instance, method: 'GET' | 'POST' | 'DELETE', operation: string, body?: unknown): Promise<Exchange> {
    const { dispatcher, clock } = this.#o;
    return exchange(dispatcher, {
      method, host, path: `${path}${operation}`, timeoutMs: callTimeoutMs,
      headers: method === 'GET' ? { accept: embeddedFormat } : { 'content-type': contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }, clock);
  }

  /** Deletes an instance for good measure: its bridge may be gone, or may still hold it as a member of the group. */
  #forget(instance: Instance): void {
    this.#forgotten.push(this.#call(instance, 'DELETE', ''));
  }
}

function describe({ status, error, body }: Exchange): string {
  return error === undefined ? `${status} ${body.slice(0, 200)}` : `${error.code} ${error.message}`;
}
