import { randomUUID } from 'node:crypto';
import type { Cluster } from './cluster.ts';
import type { BridgeConfig } from './config.ts';
import { ConsumerInstance } from './consumer.ts';
import { HttpError } from './errors.ts';
import { log } from './log.ts';
import type { Format } from './records.ts';

/** The body of a create request, after the schema. */
export interface ConsumerBody {
  readonly name?: string;
  readonly format?: string;
  readonly 'auto.offset.reset'?: string;
  readonly 'fetch.min.bytes'?: number;
  readonly 'consumer.request.timeout.ms'?: number;
  readonly 'enable.auto.commit'?: boolean;
  readonly 'isolation.level'?: string;
}

/** All consumer instances of this bridge, by group and name; those that nobody asks for are deleted after a while, if configured. */
export class Consumers {
  readonly #config: BridgeConfig;
  readonly #cluster: Cluster;
  readonly #instances = new Map<string, { instance: ConsumerInstance; lastUsed: number; busy: number }>();
  readonly #sweeper: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(config: BridgeConfig, cluster: Cluster) {
    this.#config = config;
    this.#cluster = cluster;
    const { consumerTimeoutMs } = config;
    if (consumerTimeoutMs !== undefined) this.#sweeper = setInterval(() => { this.#sweep(consumerTimeoutMs); }, consumerTimeoutMs / 2).unref();
  }

  /** The name that a new instance gets. */
  nameFor(body: ConsumerBody): string {
    return body.name ?? `${this.#config.id ?? 'kafka-bridge-consumer'}-${randomUUID()}`;
  }

  /** @throws HttpError 409 when the name is taken, 503 while the bridge stops, 422 for a value that Kafka's consumer refuses */
  create(group: string, name: string, body: ConsumerBody): void {
    if (this.#closed) throw new HttpError(503, 'The bridge is shutting down');
    const key = keyOf(group, name);
    if (this.#instances.has(key)) throw new HttpError(409, 'A consumer instance with the specified name already exists in the Kafka Bridge.');
    const settings = this.#config.consumer.with({
      'auto.offset.reset': body['auto.offset.reset'],
      'isolation.level': body['isolation.level'],
      'enable.auto.commit': text(body['enable.auto.commit']),
      'fetch.min.bytes': text(body['fetch.min.bytes']),
      'request.timeout.ms': text(body['consumer.request.timeout.ms']),
    });
    oneOf('auto.offset.reset', settings.text('auto.offset.reset', 'latest'), ['earliest', 'latest', 'none']);
    oneOf('isolation.level', settings.text('isolation.level', 'read_uncommitted'), ['read_committed', 'read_uncommitted']);
    for (const setting of ['fetch.min.bytes', 'request.timeout.ms']) {
      const value = settings.integer(setting, 0);
      if (value < 0) throw new HttpError(422, `Invalid value ${String(value)} for configuration ${setting}: Value must be at least 0`);
    }
    const instance = new ConsumerInstance({ group, name, format: format(body.format ?? 'binary') }, this.#cluster, this.#config.client, settings);
    this.#instances.set(key, { instance, lastUsed: Date.now(), busy: 0 });
    log('INFO', `Created consumer ${name} in group ${group}`);
  }

  /** Runs one operation on an instance. @throws HttpError 404 when it is not on this bridge */
  async use<T>(group: string, name: string, operation: (instance: ConsumerInstance) => Promise<T>): Promise<T> {
    const entry = this.#instances.get(keyOf(group, name));
    if (entry === undefined) throw new HttpError(404, 'The specified consumer instance was not found.');
    entry.lastUsed = Date.now();
    entry.busy += 1;
    try {
      return await operation(entry.instance);
    } finally {
      entry.busy -= 1;
    }
  }

  /** @throws HttpError 404 when it is not on this bridge */
  async delete(group: string, name: string): Promise<void> {
    const key = keyOf(group, name);
    const entry = this.#instances.get(key);
    if (entry === undefined) throw new HttpError(404, 'The specified consumer instance was not found.');
    this.#instances.delete(key);
    await entry.instance.close();
    log('INFO', `Deleted consumer ${name} from group ${group}`);
  }

  /** Closes all instances, for good: running polls end with what they have. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#closed = true;
    for (const { instance } of this.#instances.values()) instance.interrupt();
    const instances = [...this.#instances.values()];
    this.#instances.clear();
    await Promise.allSettled(instances.map(({ instance }) => instance.close()));
  }

  #sweep(timeoutMs: number): void {
    for (const { instance, lastUsed, busy } of this.#instances.values()) {
      // Unlike the original, which counts a request's start only, an instance in the middle of a long poll is not idle.
      if (busy > 0 || Date.now() - lastUsed <= timeoutMs) continue;
      log('WARN', `Consumer ${instance.name} deleted after inactivity timeout (${String(timeoutMs / 1000)}s).`);
      this.delete(instance.group, instance.name).catch((error: unknown) => { log('ERROR', String(error)); });
    }
  }
}

const keyOf = (group: string, name: string): string => `${group}\n${name}`;
const text = (value: number | boolean | undefined): string | undefined => (value === undefined ? undefined : String(value));

function format(name: string): Format {
  if (name === 'json' || name === 'binary' || name === 'text') return name;
  throw new HttpError(422, 'Invalid format type.');
}

function oneOf(setting: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw new HttpError(422, `Invalid value ${value} for configuration ${setting}: String must be one of: ${allowed.join(', ')}`);
}
