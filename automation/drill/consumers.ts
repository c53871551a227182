import type { Dispatcher } from 'undici';
import { Paged } from './columns.ts';
import { BridgeConsumer, recreateForMs } from './consumer.ts';
import type { ConsumerOptions } from './consumer.ts';
import { entrance } from './entrance.ts';
import type { Tier1 } from './entrance.ts';
import type { Bounds } from './kafka.ts';
import type { ConsumersPlan } from './plan.ts';
import type { Commit, Delivery } from './records.ts';
import { until } from './until.ts';

export interface GroupOptions extends Omit<ConsumerOptions, 'dispatcher' | 'index' | 'partitions' | 'onDeliveries' | 'onCommits' | 'onNotCommitted' | 'onRecreated' | 'onEnded'> {
  /** Where every hostname leads. */
  tier1: Tier1;
  /** With `assign` each consumer takes a fair share of the topic's partitions for good; with `subscribe` the group shares them out. */
  consumers: ConsumersPlan;
  /** Number of the topic's partitions. */
  partitions: number;
  onDelivery: (delivery: Delivery) => void;
  onCommit: (commit: Commit) => void;
}

/** The consumers of one group, and what they were given so far. */
export class ConsumerGroup {
  readonly #pool: Dispatcher;
  readonly #members: BridgeConsumer[];
  /** By partition: 1 for each offset that was given to anybody, how many those are, the end of the last, and the highest position of which a bridge said that it is committed. */
  readonly #given = new Map<number, { offsets: Paged; count: number; end: number; committed: number }>();
  /** What was answered to the last commit of each partition since `committed` was waited for, where that was not carried out. */
  readonly #notCommitted = new Map<number, string>();
  readonly #busy = new Set<number>();
  readonly #waiting = new Set<() => void>();
  /** Why each instance that was made anew had been lost. */
  readonly recreated: string[] = [];
  /** Why each that was lost could not be made anew. */
  readonly notRecreated: string[] = [];
  /** What made any other end before its time. */
  readonly broken: string[] = [];

  constructor({ tier1, consumers: { count, mode }, partitions, onDelivery, onCommit, ...options }: GroupOptions) {
    // One connection each, as a waiting poll must not keep another's waiting, and one more for the deletion of an instance whose bridge does not answer.
    this.#pool = entrance(tier1, { connections: 2 * count });
    const shareOf = (index: number): number[] => Array.from({ length: partitions }, (_, partition) => partition).filter((partition) => partition % count === index);
    this.#members = Array.from({ length: count }, (_, index) => new BridgeConsumer({
      ...options, dispatcher: this.#pool, index, ...(mode === 'assign' ? { partitions: shareOf(index) } : {}),
      onDeliveries: (deliveries) => {
        for (const delivery of deliveries) {
          onDelivery(delivery);
          this.#note(delivery);
        }
        this.#check();
      },
      onCommits: (commits) => {
        for (const commit of commits) {
          onCommit(commit);
          this.#noteCommit(commit);
        }
        this.#check();
      },
      onNotCommitted: (partitions, why) => { for (const partition of partitions) this.#notCommitted.set(partition, why); },
      onRecreated: (why) => {
        this.recreated.push(why);
        this.#check();
      },
      onEnded: (how, why) => {
        (how === 'broken' ? this.broken : this.notRecreated).push(why);
        this.#check();
      },
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

  /** Waits until every record within the bounds was delivered. False when that took longer than `timeoutMs`. */
  drained(bounds: Bounds, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const all = (): boolean => [...bounds].every(([partition, { begin, end }]) => (this.#given.get(partition)?.count ?? 0) >= Number(end - begin));
    return until(this.#waiting, all, { timeoutMs, signal });
  }

  /** Waits until all that was given is committed. False when that took longer than `timeoutMs`. */
  committed(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    this.#notCommitted.clear();
    return until(this.#waiting, () => this.#allCommitted, { timeoutMs, signal });
  }

  /** Ends all consumers, has them commit once more what is not committed, and gives what was answered, by the partitions of which that failed. Of those that nobody tried to commit since `committed` there is nothing. */
  async commitAgain(signal: AbortSignal): Promise<Record<number, string>> {
    const before = this.#allCommitted;
    await Promise.all(this.#members.map((member) => member.end()));
    // A batch that was in hand at the end: who could not commit that may have lost its instance since, and cannot try again.
    if (before) this.#notCommitted.clear();
    const isLast = (partition: number, offset: number): boolean => {
      const { end, committed } = this.#given.get(partition) ?? {};
      return offset === end && offset !== committed;
    };
    await Promise.all(this.#members.map((member) => member.commitAgain(isLast, signal)));
    return Object.fromEntries(this.#notCommitted);
  }

  get #allCommitted(): boolean {
    return [...this.#given.values()].every(({ end, committed }) => committed >= end);
  }

  /** The bounds, and where anybody was given more, as far as that. */
  atLeast(bounds: Bounds): Bounds {
    return new Map([...bounds].map(([partition, { begin, end }]) => {
      const given = BigInt(this.#given.get(partition)?.end ?? 0);
      return [partition, { begin, end: given > end ? given : end }];
    }));
  }

  /** Waits until each that was lost is made anew, or is given up, which it is after a time: whether it can be made says more than what the others took over meanwhile. */
  async settled(signal: AbortSignal): Promise<void> {
    await until(this.#waiting, () => !this.someLost, { timeoutMs: 2 * recreateForMs, signal });
  }

  /** Whether any member has no instance, and tries to make one. */
  get someLost(): boolean {
    return this.#members.some(({ isLost }) => isLost);
  }

  /** Deletes every instance. Safe to repeat. */
  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
    await this.#pool.destroy();
  }

  #check(): void {
    for (const check of this.#waiting) check();
  }

  #note({ consumer, partition, offset }: Delivery): void {
    this.#busy.add(consumer);
    let given = this.#given.get(partition);
    if (given === undefined) this.#given.set(partition, given = { offsets: new Paged(), count: 0, end: 0, committed: 0 });
    if (given.offsets.get(offset) === 0) given.count += 1;
    given.offsets.set(offset, 1);
    given.end = Math.max(given.end, offset + 1);
  }

  #noteCommit({ partition, offset, unanswered }: Commit): void {
    const given = this.#given.get(partition);
    if (given === undefined || unanswered === true) return;
    given.committed = Math.max(given.committed, offset);
    if (given.committed >= given.end) this.#notCommitted.delete(partition);
  }
}
