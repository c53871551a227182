import { setTimeout as sleep } from 'node:timers/promises';
import { Admin, findErrorBy, type ClusterPartitionMetadata, type Connection } from '@platformatic/kafka';
import { messageOf } from '../../errors.ts';
import type { BridgeConfig, Settings } from './config.ts';
import { HttpError } from './errors.ts';

/** Waited between two tries of a request that may be repeated, ms. */
const backoffMs = 100;

/**
 * The one long-lived client for metadata, topics and produce requests. It never repeats a request by itself: who asks knows
 * how long an answer is worth waiting for.
 */
export class Cluster {
  readonly admin: Admin;
  readonly #refresher: NodeJS.Timeout;

  constructor(clientId: string, client: BridgeConfig['client'], settings: Settings) {
    const maxAge = settings.integer('metadata.max.age.ms', 300_000);
    this.admin = new Admin({
      clientId,
      ...client,
      retries: 0,
      connectTimeout: settings.connectTimeoutMs,
      requestTimeout: settings.integer('request.timeout.ms', 30_000),
      metadataMaxAge: maxAge,
    });
    // Beside the requests, so that none of them waits for it: how new partitions of a topic are noticed.
    this.#refresher = setInterval(() => { void this.#refresh(); }, maxAge).unref();
  }

  /**
   * The partitions of a topic, from memory where they are known.
   * @returns undefined when the cluster does not answer, does not know the topic, or the time is up
   * @throws the library's error where waiting does not help (e.g. an invalid topic name, a wrong password)
   */
  async partitions(topic: string, deadline: number, refresh = false): Promise<readonly ClusterPartitionMetadata[] | undefined> {
    const known = refresh ? undefined : this.admin.currentMetadata?.topics.get(topic)?.partitions;
    if (known !== undefined && known.length > 0) return known;
    for (let force = refresh; ; force = true) {
      const found = await before(deadline, this.#partitions(topic, force));
      if (found !== undefined && found.length > 0) return found;
      if (Date.now() + backoffMs >= deadline) return undefined;
      await sleep(backoffMs);
    }
  }

  async #partitions(topic: string, force: boolean): Promise<readonly ClusterPartitionMetadata[] | undefined> {
    try {
      // Like Kafka's own clients: a topic that is not there is made by the broker, if the broker makes topics.
      const metadata = await this.admin.metadata({ topics: [topic], forceUpdate: force, autocreateTopics: true });
      return metadata.topics.get(topic)?.partitions;
    } catch (error) {
      if (apiError(error) === 'INVALID_TOPIC_EXCEPTION' || refusal(error) !== undefined) throw error;
      return undefined;
    }
  }

  /** A connection to a broker by its id; made where there is none. */
  async connection(brokerId: number): Promise<Connection> {
    const metadata = await this.admin.metadata({ topics: [] });
    const broker = metadata.brokers.get(brokerId);
    if (broker === undefined) throw new Error(`broker ${String(brokerId)} is not in the metadata`);
    return this.admin.connections.get(broker);
  }

  async #refresh(): Promise<void> {
    const topics = [...(this.admin.currentMetadata?.topics.keys() ?? [])];
    // A cluster that does not answer now is asked again by the next request that needs it.
    await this.admin.metadata({ topics, forceUpdate: true }).catch(() => undefined);
  }

  async close(): Promise<void> {
    clearInterval(this.#refresher);
    await this.admin.close();
  }
}

/** Kafka's name of the error that a broker answered with, e.g. `NOT_LEADER_OR_FOLLOWER`; undefined for others (a lost connection). */
export function apiError(error: unknown): string | undefined {
  const all = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  for (const each of all) {
    const nested: string | undefined = each instanceof AggregateError ? apiError(each) : (each as { apiId?: string } | undefined)?.apiId;
    if (nested !== undefined) return nested;
  }
  return undefined;
}

/** The broker's own words about an error, where it gave some (they say which limit was hit), else the error's. */
export function serverText(error: unknown): string {
  const words = refusal(error);
  if (words !== undefined) return words;
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  if (first instanceof AggregateError) return serverText(first);
  const { serverErrorMessage } = first as { serverErrorMessage?: string | null };
  return serverErrorMessage || messageOf(first);
}

/** Kafka's own words when it does not take the bridge for who it says it is; undefined for any other error. The library hides them under a connection that failed. */
export function refusal(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { apiId, serverErrorMessage } = error as { apiId?: string; serverErrorMessage?: string | null };
  // Not any error of the library's kind for this: a connection that is lost in the middle looks the same.
  if (apiId === 'SASL_AUTHENTICATION_FAILED' || apiId === 'UNSUPPORTED_SASL_MECHANISM') return serverErrorMessage || error.message;
  const below = error instanceof AggregateError ? (error.errors as unknown[]) : [error.cause];
  return below.map(refusal).find((text) => text !== undefined);
}

/** As the official bridge answers then, but for records, whose failure is Kafka's words alone. */
export function refused(error: unknown): HttpError | undefined {
  const text = refusal(error);
  return text === undefined ? undefined : new HttpError(500, `org.apache.kafka.common.errors.SaslAuthenticationException: ${text}`);
}

/** Whether trying again can help: not for an error that a broker will answer with each time. */
export function isRetriable(error: unknown): boolean {
  return refusal(error) === undefined && !(error instanceof Error && findErrorBy(error, 'canRetry', false) !== null);
}

/** What a promise answers, or undefined when the deadline (ms since the epoch) comes first. */
export async function before<T>(deadline: number, promise: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([promise, sleep(Math.max(0, deadline - Date.now()), undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
    promise.catch(() => undefined);
  }
}
