import { execa } from 'execa';
import type { ResultPromise } from 'execa';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive } from '../automation/locks.ts';

const program = fileURLToPath(new URL('../automation/kbf.mjs', import.meta.url));

/** A session of its own: a terminal's Ctrl-C goes to the whole group, and must not end what cleans up. It takes the time that it takes. */
const options = { reject: false, all: true, stdin: 'ignore', detached: true, forceKillAfterDelay: false } as const;
type Options = typeof options;
const mostTries = 5;

/** @param context kubeconfig context */
export type Kubectl = (context: string, args: readonly string[], input?: string) => Promise<string>;

/** `kbf` with a state directory of its own and room for one sandbox, named `bench`; both are gone afterwards. */
export class BenchKbf implements AsyncDisposable {
  readonly #stateDir: string;
  readonly #signal: AbortSignal;

  private constructor(stateDir: string, signal: AbortSignal) {
    this.#stateDir = stateDir;
    this.#signal = signal;
  }

  /**
   * Ends what killed benches have left running, which would be measured too.
   * @param signal ends a command, after it has cleaned up, and begins no other
   */
  static async open(signal: AbortSignal): Promise<BenchKbf> {
    for (const stateDir of await abandoned()) await new BenchKbf(stateDir, signal)[Symbol.asyncDispose]();
    return new BenchKbf(await mkdtemp(join(tmpdir(), `kbf-bench-${String(process.pid)}-`)), signal);
  }

  /** Where the sandbox lies. */
  get sandboxDir(): string {
    return join(this.#stateDir, 'sandboxes', 'bench');
  }

  /** @throws when it ends with anything but 0 or the exit codes that are allowed, with all that it said. @returns its standard output */
  async run(args: readonly string[], { allowed = [0] }: { allowed?: readonly number[] } = {}): Promise<string> {
    this.#signal.throwIfAborted();
    return await this.#run(args, allowed, this.#signal);
  }

  /** A command for the caller to end, and to wait for. */
  start(args: readonly string[]): ResultPromise<Options> {
    this.#signal.throwIfAborted();
    return this.#start(args, this.#signal);
  }

  /** kubectl from outside the sandbox, which needs no namespace to be entered for each command. */
  readonly kubectl: Kubectl = async (context, args, input) => {
    const { kubectl } = JSON.parse(await readFile(join(this.sandboxDir, 'tools.json'), 'utf8')) as { kubectl: string };
    const { stdout } = await execa(kubectl, ['--kubeconfig', join(this.sandboxDir, 'kubeconfig.outside'), '--cache-dir', join(this.#stateDir, 'kubectl'), '--context', context, ...args], {
      cancelSignal: this.#signal, ...(input === undefined ? { stdin: 'ignore' } : { input }),
    });
    return stdout;
  };

  /** @throws where the sandbox cannot be stopped; its directory, by which it can be, then stays */
  async [Symbol.asyncDispose](): Promise<void> {
    const down = ['sandbox', 'down', '--name', 'bench'];
    let ended = await this.#start(down);
    // One more Ctrl-C ends a process that is just being made, as it is not in its own session yet.
    for (let tries = 1; tries < mostTries && ended.signal !== undefined; tries += 1) ended = await this.#start(down);
    this.#check(down, ended, [0]);
    await rm(this.#stateDir, { recursive: true, force: true });
  }

  async #run(args: readonly string[], allowed: readonly number[], cancelSignal?: AbortSignal): Promise<string> {
    const ended = await this.#start(args, cancelSignal);
    cancelSignal?.throwIfAborted();
    this.#check(args, ended, allowed);
    return ended.stdout;
  }

  #check(args: readonly string[], { exitCode, signal, all }: Awaited<ResultPromise<Options>>, allowed: readonly number[]): void {
    if (!allowed.includes(exitCode ?? -1)) throw new Error(`kbf --state-dir ${this.#stateDir} ${args.join(' ')} ended with ${String(exitCode ?? signal)}:\n${all}`);
  }

  #start(args: readonly string[], cancelSignal?: AbortSignal): ResultPromise<Options> {
    return execa(process.execPath, [program, '--state-dir', this.#stateDir, ...args], { ...options, ...(cancelSignal === undefined ? {} : { cancelSignal }) });
  }
}

/** The directories of this user's benches whose process is dead. */
async function abandoned(): Promise<string[]> {
  const found = (await readdir(tmpdir())).filter((name) => {
    const pid = /^kbf-bench-(\d+)-/.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  }).map((name) => join(tmpdir(), name));
  const owners = await Promise.all(found.map((stateDir) => stat(stateDir).then(({ uid }) => uid, () => undefined)));
  return found.filter((_, index) => owners[index] === process.getuid?.());
}
