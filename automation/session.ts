import { onInterrupt } from './interrupt.ts';
import type { Interrupt } from './interrupt.ts';
import { printable } from './printable.ts';
import { openProgress } from './progress.ts';
import type { Output, Progress } from './progress.ts';
import { runWorker } from './runWorker.ts';
import type { SandboxModules } from './sandboxes.ts';

/** What a command reaches of the world; a test gives its own. */
export interface Surroundings {
  stdout: Output & NodeJS.WritableStream;
  stderr: Output & NodeJS.WritableStream;
  modules: () => Promise<SandboxModules>;
  work?: typeof runWorker;
}

/** One run of `kbf`: where it writes, when it has to stop and what it will answer. */
export class Session {
  readonly here: Surroundings;
  readonly signal: AbortSignal;
  readonly work: typeof runWorker;
  stateDir = '';
  exitCode = 0;
  /** A person works in a program that this one started: SIGINT is meant for that one alone. */
  interactive = false;
  #progress: Progress | undefined;
  readonly #interrupt: Interrupt;

  constructor(here: Surroundings) {
    this.here = here;
    this.#interrupt = onInterrupt((why) => {
      if (this.interactive && why === 'SIGINT') return false;
      this.close();
      here.stderr.write(`\n${why}: stopping and cleaning up\n`);
      return true;
    });
    this.signal = this.#interrupt.signal;
    // A closed terminal or pipe must not end this process before it has cleaned up, nor when its last words come too late.
    for (const stream of [here.stdout, here.stderr]) stream.on('error', () => { this.#interrupt.abort('nobody reads what this writes'); });
    this.work = here.work ?? runWorker;
  }

  /** Live lines: on standard output, or on standard error where that is taken by a document. */
  progress(json: boolean): Progress {
    this.#progress ??= openProgress(json ? this.here.stderr : this.here.stdout);
    return this.#progress;
  }

  /** The answer of a command: one JSON document, or the lines for a person. */
  answer(json: boolean, document: unknown, lines: () => string): void {
    this.close();
    this.here.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : printable(lines()).replace(/\n?$/, '\n'));
  }

  /** Gives the signals back. */
  [Symbol.dispose](): void {
    this.close();
    this.#interrupt.dispose();
  }

  /** Ends the live lines. */
  close(): void {
    this.#progress?.close();
    this.#progress = undefined;
  }
}
