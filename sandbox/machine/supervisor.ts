import { messageOf } from '../../errors.ts';
import { describeExit, processError } from '../process.ts';
import type { ManagedProcess } from '../process.ts';
import type { ProcessStatus } from './protocol.ts';

interface Entry { readonly stage: number; process: ManagedProcess; restarts: number; state: ProcessStatus['state']; detail?: string }

/** More often than this, a restart is no cure. */
const maxRestarts = 5;

/** Keeps the tree's servers: reports them, starts some of them again when they die, and ends them in order. */
export class Supervisor {
  readonly #entries = new Map<string, Entry>();
  readonly #tell: (name: string, detail: string) => void;
  readonly #broken = Promise.withResolvers<never>();
  #stopped: Promise<void> | undefined;

  /** `tell` hears of every server that ends by itself. */
  constructor(tell: (name: string, detail: string) => void = () => undefined) {
    this.#tell = tell;
    // Whoever does not wait for it need not handle it.
    this.#broken.promise.catch(() => undefined);
  }

  /** Rejects with a UserError when a server has ended for good; what is started meanwhile would wait for it in vain. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  /**
   * Starts a server and keeps it. Those of the highest stage are stopped first, those of one stage together.
   * With `again`, it is started anew when it ends by itself, at most five times.
   * @throws what `start` throws; only a later death is handled here.
   */
  async keep(stage: number, start: () => Promise<ManagedProcess>, { again = false } = {}): Promise<void> {
    const process = await start();
    if (this.#stopped !== undefined) return process.stop();
    const entry: Entry = { stage, process, restarts: 0, state: 'running' };
    this.#entries.set(process.name, entry);
    void this.#watch(entry, again ? start : undefined);
  }

  report(): ProcessStatus[] {
    return [...this.#entries.values()].map(({ process, state, restarts, detail }) => ({
      name: process.name, state, pid: process.pid, restarts, log: process.log, ...(detail === undefined ? {} : { detail }),
    }));
  }

  /** Idempotent; resolves when all have ended. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopInOrder();
    return this.#stopped;
  }

  async #stopInOrder(): Promise<void> {
    const entries = [...this.#entries.values()];
    for (const stage of [...new Set(entries.map((e) => e.stage))].sort((a, b) => b - a)) {
      await Promise.all(entries.filter((e) => e.stage === stage).map((e) => e.process.stop()));
    }
  }

  async #watch(entry: Entry, again: (() => Promise<ManagedProcess>) | undefined): Promise<void> {
    for (;;) {
      const exit = await entry.process.exited;
      if (entry.process.stopping || this.#stopped !== undefined) return;
      entry.detail = describeExit(exit);
      this.#tell(entry.process.name, entry.detail);
      if (again === undefined || entry.restarts >= maxRestarts || !await this.#restart(entry, again)) {
        entry.state = 'ended';
        this.#broken.reject(await processError(entry.process, entry.detail));
        return;
      }
    }
  }

  async #restart(entry: Entry, start: () => Promise<ManagedProcess>): Promise<boolean> {
    entry.state = 'restarting';
    entry.restarts += 1;
    try {
      entry.process = await start();
      entry.state = 'running';
      // A stop that began meanwhile knew only the process before this one.
      if (this.#stopped !== undefined) await entry.process.stop();
      return true;
    } catch (error) {
      entry.detail = messageOf(error);
      this.#tell(entry.process.name, `could not be started again: ${entry.detail}`);
      return false;
    }
  }
}
