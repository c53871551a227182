import { Growing, Paged } from '../columns.ts';
import type { ConsumersPlan } from '../plan.ts';
import type { Commit, Delivery } from '../records.ts';
import type { Evidence } from './evidence.ts';
import { placeOf } from './places.ts';
import type { Places } from './places.ts';

export interface ConsumeFindings {
  /** Records of the log that a consumer was given at least once. */
  delivered: number;
  /** Deliveries of a record beyond its first. */
  redelivered: number;
  /** Of these, asked for after its group had committed beyond it. Absent when the clock went back. */
  redeliveredAfterCommit?: number;
  /** Partitions of which Kafka has less as committed at the end than it had said before. Absent when the clock went back, and where nobody could be asked. */
  commitsLost?: number;
  /** Partitions of which Kafka has less as committed at the end than was given, though consumers tried to commit it. Absent where they did not try to the end. */
  uncommitted?: number;
  /**
   * Deliveries at or below one that the same instance was given before: where a rebalance took it back to what was committed. Of consumers with partitions of
   * their own: at or below one that anybody was given before.
   */
  backwards: number;
  /** Of these, at or below one that the same answer gave before: no rebalance does that. */
  backwardsInPoll: number;
  /** In the log, below what was committed or delivered of its partition, and never delivered. */
  skipped: number;
  /** In the log, not delivered, and not skipped: the tail that the consumers had not reached. */
  undelivered: number;
}

/** By partition. */
interface CommittedAtEnd {
  committed: Readonly<Record<number, number>> | undefined;
  notCommitted: Readonly<Record<number, string>> | undefined;
}

/** What one group was given, against the log. Commits are fed first, then the deliveries. */
export class Consumption {
  readonly #places: Places;
  readonly #evidence: Evidence;
  readonly #mode: ConsumersPlan['mode'];
  readonly #partitions = new Map<number, Partition>();
  #redelivered = 0;
  #afterCommit = 0;
  #backwards = 0;
  #inPoll = 0;

  constructor(places: Places, evidence: Evidence, mode: ConsumersPlan['mode']) {
    this.#places = places;
    this.#evidence = evidence;
    this.#mode = mode;
  }

  commit({ partition, tMs, offset, unanswered }: Commit): void {
    if (unanswered === true) this.#of(partition).mayCommit(offset);
    else this.#of(partition).commit(tMs, offset);
  }

  /** `isSame`: the log holds that record there. */
  deliver(delivery: Delivery, record: number): { isFirst: boolean; isSame: boolean } {
    const { partition: number, offset, instance, tMs, askedMs = tMs } = delivery;
    const partition = this.#of(number);
    const isFirst = partition.given.get(offset) === 0;
    if (!isFirst) this.#redelivered += 1;
    partition.given.set(offset, 1);
    partition.position = Math.max(partition.position, offset + 1);
    // A partition of one's own has one reader all along, also where its instance was lost and made anew: that one goes on where the last one was.
    const last = partition.lastOf(this.#mode === 'assign' ? '' : instance);
    if (offset <= last.offset) {
      this.#backwards += 1;
      // A consumer asks again only when it was answered: what it asked for at one time came in one answer.
      if (delivery.askedMs !== undefined && delivery.askedMs === last.askedMs) this.#upsideDown(delivery, last.offset);
    }
    last.offset = offset;
    last.askedMs = delivery.askedMs;
    const committed = partition.committedBefore(askedMs);
    if (offset < committed) {
      this.#afterCommit += 1;
      this.#evidence.note('consume.redeliveredAfterCommit', `${placeOf(delivery)} was given to consumer ${delivery.consumer}, which had asked at ${askedMs} ms, when ${committed} was committed`);
    }
    return { isFirst, isSame: this.#places.holds(delivery, record) };
  }

  #upsideDown(delivery: Delivery, last: number): void {
    this.#inPoll += 1;
    this.#evidence.note('consume.backwardsInPoll', `${placeOf(delivery)} was given to consumer ${delivery.consumer} after offset ${last}, by the same answer`);
  }

  /** `committed`: what Kafka says of the group at the end, if it was asked. `notCommitted`: what was answered where consumers could not commit then. `steadyClock`: whether times can be compared. */
  findings({ committed, notCommitted }: CommittedAtEnd, steadyClock: boolean): ConsumeFindings {
    const missing = { skipped: 0, undelivered: 0 };
    let delivered = 0;
    for (const { partition: number, offsets } of this.#places.all()) {
      const partition = this.#of(number);
      const position = Math.max(partition.position, partition.highestCommit, committed?.[number] ?? 0);
      offsets.forEach((offset) => {
        if (partition.given.get(offset) !== 0) {
          delivered += 1;
          return;
        }
        const kind = offset < position ? 'skipped' : 'undelivered';
        missing[kind] += 1;
        this.#evidence.note(`consume.${kind}`, placeOf({ partition: number, offset }));
      });
    }
    return {
      delivered, redelivered: this.#redelivered, ...(steadyClock ? { redeliveredAfterCommit: this.#afterCommit } : {}),
      ...(steadyClock && committed !== undefined ? { commitsLost: this.#commitsLost(committed) } : {}),
      ...(committed !== undefined && notCommitted !== undefined ? { uncommitted: this.#uncommitted(committed, notCommitted) } : {}), backwards: this.#backwards, backwardsInPoll: this.#inPoll, ...missing,
    };
  }

  #commitsLost(committed: Readonly<Record<number, number>>): number {
    let count = 0;
    for (const [number, { highestCommit, leastUnanswered }] of this.#partitions) {
      const { [number]: there = 0 } = committed;
      const least = this.#mode === 'assign' ? Math.min(highestCommit, leastUnanswered) : highestCommit;
      if (there >= least) continue;
      count += 1;
      this.#evidence.note('consume.commitsLost', `partition ${number}: ${least} was committed, and Kafka has ${there} at the end`);
    }
    return count;
  }

  /** Of the others somebody has committed all, or whoever was given it last was lost, and nobody has been given it again yet. */
  #uncommitted(committed: Readonly<Record<number, number>>, notCommitted: Readonly<Record<number, string>>): number {
    let count = 0;
    for (const [number, { position }] of this.#partitions) {
      const { [number]: there = 0 } = committed;
      if (notCommitted[number] === undefined || there >= position) continue;
      count += 1;
      this.#evidence.note('consume.uncommitted', `partition ${number}: consumers were given all below ${position}, and Kafka has ${there} as committed; the last commit was answered ${notCommitted[number]}`);
    }
    return count;
  }

  #of(partition: number): Partition {
    let found = this.#partitions.get(partition);
    if (found === undefined) this.#partitions.set(partition, found = new Partition());
    return found;
  }
}

interface LastGiven {
  /** Below every offset while it was given nothing. */
  offset: number;
  askedMs: number | undefined;
}

class Partition {
  readonly given = new Paged();
  /** By who was given it. */
  readonly #last = new Map<string, LastGiven>();
  /** Behind the highest offset that was given to anybody. */
  position = 0;
  readonly #times = new Growing();
  /** Highest offset committed up to each time. */
  readonly #highest = new Growing();
  /**
   * Of the commits that nobody answered, which may be carried out at any later time. A group refuses one once it has given the partition to another member, which begins at what is
   * committed; until then nobody but its sender has committed anything there, and no more than that. Consumers with partitions of their own are members of nothing: theirs come to pass whenever they arrive.
   */
  leastUnanswered = Infinity;

  /** What it was given last. */
  lastOf(reader: string): LastGiven {
    let last = this.#last.get(reader);
    if (last === undefined) this.#last.set(reader, last = { offset: -1, askedMs: undefined });
    return last;
  }

  get highestCommit(): number {
    return this.#highest.at(this.#highest.length - 1);
  }

  /** Answers are stored as they come, so times only grow; where they do not, the clock went back and nothing is made of them. */
  commit(tMs: number, offset: number): void {
    this.#times.push(tMs);
    this.#highest.push(Math.max(this.highestCommit, offset));
  }

  mayCommit(offset: number): void {
    this.leastUnanswered = Math.min(this.leastUnanswered, offset);
  }

  /** What was certainly committed at that time: its answer had come before. */
  committedBefore(tMs: number): number {
    const last = this.#times.lastBelow(tMs);
    return last < 0 ? 0 : this.#highest.at(last);
  }
}
