import { Worker } from 'node:worker_threads';

import { messageOf, UserError } from '../../errors.ts';
import { byAddress } from './addresses.ts';
import type { Tier1 } from './entrance.ts';
import { beginOf } from './exchange.ts';
import type { Clock } from './exchange.ts';
import type { Load } from './load.ts';
import type { ServingRegion } from './outcome.ts';
import type { Plan } from './plan.ts';
import type { Attempt } from './records.ts';

/** What the generator's thread is given when it starts. */
export interface GeneratorData {
  tier1: Tier1;
  /** Global hostname, as the Host header. */
  hostname: string;
  plan: Plan;
  regions: ServingRegion[];
  /** Proxies on the way may send again what was sent. */
  proxiesRepeat: boolean;
  /** When the drill's clock began, by `process.hrtime`. */
  beginNs: bigint;
}

/** One load at a time: the plan's, or an even one of its rate. */
export type GeneratorCommand =
  | { kind: 'start'; producer: string; schedule: 'planned' | 'even'; /** On the drill's clock; without, it begins now. */ beginMs?: number }
  | { kind: 'stop' }
  | { kind: 'abort' };

export type GeneratorEvent = { kind: 'ready' } | { kind: 'attempts'; attempts: Attempt[] } | { kind: 'stopped' };

/**
 * Sends the load from a thread of its own, as nothing else that a drill does (consumers, clusters' APIs, storing) may make a request late.
 * Its connections are kept from one load to the next.
 */
export class Generator {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<undefined>();
  readonly #ended = Promise.withResolvers<never>();
  #onAttempt: (attempt: Attempt) => void = () => undefined;
  #onStopped: () => void = () => undefined;
  #isOver = false;

  private constructor(data: GeneratorData, onDied: (why: UserError) => void) {
    this.#worker = new Worker(new URL('generator-thread.ts', import.meta.url), { workerData: data, name: 'load generator' });
    this.#worker.on('message', (event: GeneratorEvent) => {
      if (event.kind === 'attempts') for (const attempt of event.attempts) this.#onAttempt(attempt);
      else if (event.kind === 'stopped') this.#onStopped();
      else this.#ready.resolve(undefined);
    });
    // Nobody may be waiting for it yet.
    this.#ended.promise.catch(() => undefined);
    const end = (why: UserError): void => {
      this.#ended.reject(why);
      if (!this.#isOver) onDied(why);
      this.#isOver = true;
    };
    this.#worker.on('error', (cause) => { end(new UserError(`the load generator ended: ${messageOf(cause)}`, { cause })); });
    this.#worker.on('exit', () => { end(new UserError('the load generator ended before its load did')); });
  }

  /** Resolves when it can send at once. `onDied` is told, once, when its thread ends before it is closed: nothing is sent any more then. Throws a UserError where a region's address is a name that is not known. */
  static async start({ clock, regions, onDied = () => undefined, ...data }: Omit<GeneratorData, 'beginNs'> & { clock: Clock; onDied?: (why: UserError) => void }): Promise<Generator> {
    const generator = new Generator({ ...data, regions: await byAddress(regions), beginNs: beginOf(clock) }, onDied);
    await Promise.race([generator.#ready.promise, generator.#ended.promise]);
    return generator;
  }

  /** Begins a load, now or at `beginMs`; a producer's next load goes on with the numbers of its records. `onAttempt` is told of each attempt within some 10 ms of its end. `stop` rejects if the thread died. */
  load(producer: string, schedule: 'planned' | 'even', onAttempt: (attempt: Attempt) => void, beginMs?: number): Load {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#onAttempt = onAttempt;
    this.#onStopped = () => { resolve(undefined); };
    this.#tell({ kind: 'start', producer, schedule, ...(beginMs === undefined ? {} : { beginMs }) });
    let stopped: Promise<void> | undefined;
    return {
      stop: () => {
        if (stopped === undefined) this.#tell({ kind: 'stop' });
        return stopped ??= Promise.race([promise, this.#ended.promise]);
      },
    };
  }

  /** Ends every request in hand now, as who interrupts a drill does not wait for answers; of those that have no connection yet nothing is told. Safe to repeat. */
  abort(): void {
    this.#tell({ kind: 'abort' });
  }

  /** Ends the thread. Safe to repeat. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#worker.terminate();
  }

  #tell(command: GeneratorCommand): void {
    this.#worker.postMessage(command);
  }
}
