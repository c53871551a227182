import type { Dispatcher } from 'undici';
import { BridgeConsumer } from './consumer.ts';
import type { ConsumerOptions } from './consumer.ts';
import { entrance } from './entrance.ts';
import type { Tier1 } from './entrance.ts';
import type { Bounds } from './kafka.ts';
import type { Delivery } from './records.ts';
import { until } from './until.ts';

export interface GroupOptions extends Omit<ConsumerOptions, 'dispatcher' | 'index' | 'onDeliveries' | 'onRecreated'> {
  /** Where every hostname leads. */
  tier1: Tier1;
  /** Number of consumers. */
  size: number;
  onDelivery: (delivery: Delivery) => void;
}

/** The consumers of one group, and what they were given so far. */
export class ConsumerGroup {
  readonly #pool: Dispatcher;
  readonly #members: BridgeConsumer[];
  readonly #given = new Map<number, Set<number>>();
  readonly #busy = new Set<number>();
  readonly #waiting = new Set<() => void>();
  /** Why each instance that was made anew had been lost. */
  readonly recreated: string[] = [];

  constructor({ tier1, size, onDelivery, ...options }: GroupOptions) {
    // One connection each: a consumer's calls follow one another, and a waiting poll must not keep another's waiting.
    this.#pool = entrance(tier1, { connections: size });
    this.#members = Array.from({ length: size }, (_, index) => new BridgeConsumer({
      ...options, dispatcher: this.#pool, index,
      onDeliveries: (deliveries) => {
        for (const delivery of deliveries) {
          onDelivery(delivery);
          this.#note(delivery);
        }
        for (const check of this.#waiting) check();
      },
      onRecreated: (why) => this.recreated.push(why),
    }));
  }

  /** Rejects when a member's instance cannot be made. */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#members.map((member) => member.start(signal)));
  }

  /** Whether every member was given something. */
  get allBusy(): boolean {
    return this.#busy.size === this.#members.length;
  }

  /** What made a member end before its time. */
  get failures(): string[] {
    return this.#members.flatMap(({ failure }) => failure ?? []);
  }

  /** Waits until every record within the bounds was delivered. False when that took longer than `timeoutMs`. */
  drained(bounds: Bounds, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const all = (): boolean => [...bounds].every(([partition, { begin, end }]) => (this.#given.get(partition)?.size ?? 0) >= Number(end - begin));
    return until(this.#waiting, all, { timeoutMs, signal });
  }

  /** Deletes every instance. Safe to repeat. */
  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
    await this.#pool.destroy();
  }

  #note({ consumer, partition, offset }: Delivery): void {
    this.#busy.add(consumer);
    const given = this.#given.get(partition);
    if (given === undefined) this.#given.set(partition, new Set([offset]));
    else given.add(offset);
  }
}
