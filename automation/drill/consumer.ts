import { setTimeout as delay } from 'node:timers/promises';

import { messageOf } from '../../errors.ts';
import type { Content } from './content.ts';
import type { Exchange } from './exchange.ts';
import { describe, Instance } from './instance.ts';
import type { InstanceOptions, PolledRecord } from './instance.ts';
import { judgeProduce } from './outcome.ts';
import { recordId } from './records.ts';
import type { Commit, Delivery } from './records.ts';

export interface ConsumerOptions extends InstanceOptions {
  /** Tells the consumers of a group apart in the deliveries. */
  index: number;
  /** Partitions of its own; without, it subscribes and the group gives it some. */
  partitions?: readonly number[];
  /** Whether what a proxy on the way refuses may be its last try alone (outcome.ts). */
  proxiesRepeat: boolean;
  /** What was sent, to compare with. */
  content: Pick<Content, 'isAltered'>;
  /** Called with every batch before it is committed. */
  onDeliveries: (deliveries: Delivery[]) => void;
  /** Called with what was committed, once the bridge said that it was, or once it is clear that nobody will say. */
  onCommits: (commits: Commit[]) => void;
  /** Called with the partitions of a commit that nobody said was carried out, and with what was answered instead. */
  onNotCommitted: (partitions: number[], why: string) => void;
  /** Called when an instance was lost and another was made. */
  onRecreated: (why: string) => void;
  /** Called when it takes part no more though nobody stopped it: no instance could be made in place of a lost one, or it broke itself. */
  onEnded: (how: 'not recreated' | 'broken', why: string) => void;
}

/** A consumer that gets a little at a time would otherwise ask without a pause, and be more load than the load. */
export const pollPauseMs = 200;
/**
 * After so many records it asks again at once, as more may wait: a poll gives 500 at most (Kafka's `max.poll.records`), so that with a pause after each a consumer takes less than
 * 2,500 a second. A poll and a commit for each hundred records are a fiftieth of the load's own requests.
 */
const manyRecords = 100;
/** An instance that cannot be made for this long is given up. */
export const recreateForMs = 90_000;
/** By then a bridge has dropped an idle instance by itself: the program's default of `consumer.idleTimeoutSeconds`. */
const deleteForMs = 60_000;
const deletePauseMs = 1_000;
/** What is not committed when nobody is given anything any more is tried so often, with a pause between. */
const lastCommits = { tries: 3, pauseMs: 500 };
/** Between two tries to make one. Short, as every try may come to another region, and the consumer gets nothing meanwhile. */
export const recreatePausesMs = { first: 25, longest: 250 };

/** No instance could be made through the common host name, however often it was tried. */
class NotMade extends Error {}

/**
 * A consumer over the Bridge's HTTP API, as the API asks: it follows the `base_uri` it was given and commits after
 * each batch. An instance lives on one bridge; when that is gone, the next one is made through the global hostname.
 */
export class BridgeConsumer {
  readonly #o: ConsumerOptions;
  readonly #stop = new AbortController();
  readonly #forgotten: Promise<unknown>[] = [];
  /** The offset after the last that it was given, by partition. */
  readonly #next = new Map<number, number>();
  /** The same, of partitions of which nobody said that it is committed. */
  readonly #uncommitted = new Map<number, number>();
  #instance: Instance | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Whether its instance was lost, and another is being made. */
  isLost = false;

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
      this.isLost = false;
      if (!this.#stop.signal.aborted) this.#o.onEnded(error instanceof NotMade ? 'not recreated' : 'broken', messageOf(error));
    });
    await first;
  }

  /** Ends after the batch in hand; the instance stays, until `stop`. Safe to repeat. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Commits again what it could not, of the partitions and positions that are wanted. For when every consumer of the group has ended, so that none is taken back by it. */
  async commitAgain(isWanted: (partition: number, offset: number) => boolean, signal: AbortSignal): Promise<void> {
    for (let tries = 0; tries < lastCommits.tries && this.#instance !== undefined; tries += 1) {
      const positions = new Map([...this.#uncommitted].filter(([partition, offset]) => isWanted(partition, offset)));
      if (positions.size === 0) return;
      if (tries > 0) await delay(lastCommits.pauseMs, undefined, { signal });
      await this.#commit(this.#instance, positions);
    }
  }

  /** The same as `end`, and deletes the instance. Safe to repeat. */
  async stop(): Promise<void> {
    await this.end();
    this.#forget({ lost: false });
    await Promise.all(this.#forgotten);
  }

  async #consume(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && this.#instance !== undefined) {
      const polled = await this.#pollOnce(this.#instance);
      if (typeof polled === 'string') await this.#replace(polled);
      else if (polled < manyRecords) await delay(pollPauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Why the instance is lost, or how many records were taken and committed. */
  async #pollOnce(instance: Instance): Promise<string | number> {
    const askedMs = this.#o.clock();
    const records = await instance.poll();
    if (typeof records === 'string') return records;
    if (records.length === 0) return 0;
    this.#o.onDeliveries(this.#deliveries(instance, askedMs, records));
    const positions = new Map<number, number>();
    for (const { partition, offset } of records) positions.set(partition, Math.max(positions.get(partition) ?? 0, offset + 1));
    for (const [partition, next] of positions) {
      this.#next.set(partition, next);
      this.#uncommitted.set(partition, next);
    }
    const answer = await this.#commit(instance, positions);
    // 500 is the group's answer to a commit during a rebalance: the next poll joins again, and the batch comes once more.
    return answer.status === 204 ? records.length : answer.status === 500 ? 0 : `commit: ${describe(answer)}`;
  }

  async #commit(instance: Instance, positions: ReadonlyMap<number, number>): Promise<Exchange> {
    const commitMs = this.#o.clock();
    const answer = await instance.commit(positions, this.#o.partitions === undefined ? 'subscribed' : 'assigned');
    const isCommitted = answer.status === 204;
    if (isCommitted) for (const partition of positions.keys()) this.#uncommitted.delete(partition);
    else this.#o.onNotCommitted([...positions.keys()], describe(answer));
    if (isCommitted || this.#isUnanswered(answer)) {
      const told = isCommitted ? { tMs: answer.endMs } : { tMs: commitMs, unanswered: true as const };
      this.#o.onCommits([...positions].map(([partition, offset]) => ({ consumer: this.#o.index, instance: instance.name, partition, offset, ...told })));
    }
    return answer;
  }

  /** Nobody who must know says that it was not carried out: of a request to write something that is known already. 500 is the group's own refusal. */
  #isUnanswered(answer: Exchange): boolean {
    return answer.status !== 500 && judgeProduce(answer, { proxiesRepeat: this.#o.proxiesRepeat }).outcome !== 'failed';
  }

  #deliveries({ name }: Instance, askedMs: number, records: readonly PolledRecord[]): Delivery[] {
    const tMs = this.#o.clock();
    const { index: consumer, content } = this.#o;
    return records.map(({ partition, offset, key, value }) => {
      const id = recordId(value);
      const delivery: Delivery = { consumer, instance: name, askedMs, tMs, partition, offset };
      if (id === undefined) return delivery;
      return { ...delivery, id, ...(content.isAltered(id, key, value) ? { altered: true } : {}) };
    });
  }

  async #replace(why: string): Promise<void> {
    this.#forget({ lost: true });
    // Whoever is given its partitions now begins at what is committed, and is given this again.
    if (this.#o.partitions === undefined) this.#uncommitted.clear();
    this.isLost = true;
    this.#instance = await this.#create(this.#stop.signal);
    this.isLost = false;
    this.#o.onRecreated(why);
  }

  /** Makes an instance that is ready to be polled, trying again with a growing pause. */
  async #create(signal: AbortSignal): Promise<Instance> {
    const { clock, index, group } = this.#o;
    const deadline = clock() + recreateForMs;
    for (let pauseMs = recreatePausesMs.first; ; pauseMs = Math.min(pauseMs * 2, recreatePausesMs.longest)) {
      signal.throwIfAborted();
      const made = await this.#createOnce();
      if (typeof made !== 'string') return made;
      if (clock() > deadline) throw new NotMade(`consumer ${index} of group ${group} could not be made within ${recreateForMs} ms: ${made}`);
      await delay(pauseMs, undefined, { signal });
    }
  }

  /** The new instance, or why there is none. */
  async #createOnce(): Promise<Instance | string> {
    const instance = await Instance.create(this.#o);
    if (typeof instance === 'string') return instance;
    const failure = this.#o.partitions === undefined ? await instance.subscribe() : await this.#take(instance, this.#o.partitions);
    if (failure === undefined) return instance;
    this.#forgotten.push(this.#deleteLost(instance));
    return failure;
  }

  /** Nobody else reads its partitions: it goes on after what it was given last, also where the commit of that was lost. */
  async #take(instance: Instance, partitions: readonly number[]): Promise<string | undefined> {
    return await instance.assign(partitions) ?? (this.#next.size === 0 ? undefined : await instance.seek(this.#next));
  }

  /** Deletes the instance; nobody waits for it until the end. */
  #forget({ lost }: { lost: boolean }): void {
    if (this.#instance !== undefined) this.#forgotten.push(lost ? this.#deleteLost(this.#instance) : this.#instance.delete({ lost }));
    this.#instance = undefined;
  }

  /**
   * Until its bridge says that it has none: the bridge may be gone for good, but where only the way to it was, it still holds the instance as a
   * member of the group, whose partitions nobody is given before the bridge takes it for idle.
   */
  async #deleteLost(instance: Instance): Promise<void> {
    const deadline = this.#o.clock() + deleteForMs;
    const { signal } = this.#stop;
    while (!await instance.delete({ lost: true }) && !signal.aborted && this.#o.clock() < deadline) {
      await delay(deletePauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
