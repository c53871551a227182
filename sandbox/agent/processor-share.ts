import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { familyOf } from '../family.ts';

/** A tenth of what others get, where there is not enough for all. */
const starting = 10;
const full = 0;
/** No longer: where others are busy all the time, it would never come to its first answer, and its liveness probe (after 15 s by Strimzi's default) would end it again and again. */
const giveWayMs = 15_000;
/** Programs that make a session of their own, as the start of Envoy does, have made it by then. */
const sessionsMadeMs = 100;
/** Who is not root may change one session each 100 ms, whoever else does. */
const retryMs = { least: 50, most: 200 };
const mostTries = 300;

/**
 * What a container gets of the machine's processors beside others. On clusters of machines of their own a pod that starts takes nothing from those that serve elsewhere;
 * here all share a few processors, and a bridge that came back after a fault was felt as a gap at the other regions (docs/sandbox.md has figures). So what starts gives way until it is ready, for 15 s at most.
 * The scheduler shares processors out among sessions (sched(7), autogroup): a nice value of a process would change nothing. Where the kernel does not do that, nothing is changed.
 */
export class ProcessorShare {
  readonly #pid: number;
  readonly #patience: NodeJS.Timeout;
  #isReady = false;
  #setting: Promise<void>;

  /** @param pid that leads the container's session; others below it are found */
  constructor(pid: number, mostMs = giveWayMs) {
    this.#pid = pid;
    this.#patience = setTimeout(() => { this.ready(); }, mostMs).unref();
    this.#setting = this.#giveWay();
  }

  async #giveWay(): Promise<void> {
    await setShare(this.#pid, starting);
    await delay(sessionsMadeMs, undefined, { ref: false });
    if (!this.#isReady) await setShare(this.#pid, starting);
  }

  /** From now on it gets as much as any other. */
  ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.ended();
    this.#setting = this.#setting.then(() => setShare(this.#pid, full));
  }

  /** Its processes are gone, and their numbers may be others'. */
  ended(): void {
    clearTimeout(this.#patience);
  }

  /** Resolves when what was asked for so far is done. */
  get settled(): Promise<void> {
    return this.#setting;
  }
}

async function setShare(pid: number, nice: number): Promise<void> {
  for (const each of await familyOf(pid)) await setSession(each, nice);
}

/** Sets it for the session of a process; does nothing where that is gone, or may not be changed. */
async function setSession(pid: number, nice: number): Promise<void> {
  const file = `/proc/${pid}/autogroup`;
  for (let tries = 0; tries < mostTries; tries += 1) {
    try {
      if ((await readFile(file, 'utf8')).endsWith(` ${nice}\n`)) return;
      await writeFile(file, String(nice));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      await delay(retryMs.least + Math.random() * (retryMs.most - retryMs.least), undefined, { ref: false });
    }
  }
}
