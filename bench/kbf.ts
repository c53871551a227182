import { execa } from 'execa';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../automation/kbf.mjs', import.meta.url));

/** `kbf` with a state directory of its own and room for one sandbox, named `bench`; both are gone afterwards. */
export class BenchKbf implements AsyncDisposable {
  readonly #stateDir: string;
  readonly #signal: AbortSignal;

  private constructor(stateDir: string, signal: AbortSignal) {
    this.#stateDir = stateDir;
    this.#signal = signal;
  }

  /** @param signal ends a command, after it has cleaned up, and begins no other */
  static async open(signal: AbortSignal): Promise<BenchKbf> {
    return new BenchKbf(await mkdtemp(join(tmpdir(), 'kbf-bench-')), signal);
  }

  /** Where the sandbox lies. */
  get sandboxDir(): string {
    return join(this.#stateDir, 'sandboxes', 'bench');
  }

  /** @throws when it ends with anything but 0 or the exit codes that are allowed, with all that it said */
  async run(args: readonly string[], { allowed = [0] }: { allowed?: readonly number[] } = {}): Promise<void> {
    this.#signal.throwIfAborted();
    await this.#run(args, allowed, this.#signal);
  }

  /** @throws where the sandbox cannot be stopped; its directory, by which it can be, then stays */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run(['sandbox', 'down', '--name', 'bench'], [0]);
    await rm(this.#stateDir, { recursive: true, force: true });
  }

  async #run(args: readonly string[], allowed: readonly number[], cancelSignal?: AbortSignal): Promise<void> {
    const { exitCode, all } = await execa(process.execPath, [program, '--state-dir', this.#stateDir, ...args], {
      reject: false, all: true, stdin: 'ignore',
      // A session of its own: a terminal's Ctrl-C goes to the whole group, and must not end what cleans up. It takes the time that it takes.
      detached: true, forceKillAfterDelay: false, ...(cancelSignal === undefined ? {} : { cancelSignal }),
    });
    cancelSignal?.throwIfAborted();
    if (!allowed.includes(exitCode ?? -1)) throw new Error(`kbf --state-dir ${this.#stateDir} ${args.join(' ')} ended with ${String(exitCode)}:\n${all}`);
  }
}
