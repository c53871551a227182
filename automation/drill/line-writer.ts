import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

import { UserError } from '../../errors.ts';

/** Lines are gathered for so long, or up to so much, before they are written: one write each would cost more than what is stored. */
const gather = { ms: 20, bytes: 64 << 10 };
/** With so much unwritten, who can wait should. */
const highWaterMark = 4 << 20;
/** With so much unwritten the disk does not keep up, and the run ends: an open loop cannot be told to wait, and memory has an end. */
const mostUnwritten = 64 << 20;

/** Appends lines to a file. `onError` is told at once, and once, when that fails; what comes after is dropped. */
export class LineWriter {
  readonly #file: string;
  readonly #stream: WriteStream;
  readonly #onError: (error: UserError) => void;
  #gathered = '';
  #timer: NodeJS.Timeout | undefined;
  #taken: Promise<void> | undefined;
  #failure: UserError | undefined;

  constructor(file: string, onError: (error: UserError) => void) {
    this.#file = file;
    this.#onError = onError;
    this.#stream = createWriteStream(file, { flags: 'a', highWaterMark });
    this.#stream.on('error', (cause) => { this.#fail(`${file} cannot be written: ${cause.message}`, 'make room on the disk, then run the drill again', cause); });
  }

  /** A promise only while much is unwritten, for those who can wait; it resolves when that is written, or never will be. */
  append(line: string): Promise<void> | undefined {
    if (this.#failure !== undefined) return undefined;
    this.#gathered += `${line}\n`;
    if (this.#gathered.length >= gather.bytes) this.#flush();
    else this.#timer ??= setTimeout(() => { this.#flush(); }, gather.ms);
    return this.#stream.writableNeedDrain ? this.#taken ??= this.#waitForDisk() : undefined;
  }

  async #waitForDisk(): Promise<void> {
    const over = new AbortController();
    await Promise.race([once(this.#stream, 'drain', over), once(this.#stream, 'close', over)]).catch(() => undefined);
    over.abort();
    this.#taken = undefined;
  }

  /** Resolves when what was appended can be read, or could not be written. */
  async written(): Promise<void> {
    this.#flush();
    await new Promise<unknown>((resolve) => { this.#stream.write('', resolve); });
  }

  /** Resolves when all of it is on its way to the disk. Throws a UserError if any of it could not be written. */
  async close(): Promise<void> {
    this.#flush();
    this.#stream.end();
    await finished(this.#stream).catch(() => undefined);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#gathered;
    this.#gathered = '';
    if (lines === '' || this.#failure !== undefined) return;
    this.#stream.write(lines);
    if (this.#stream.writableLength > mostUnwritten) {
      this.#fail(`${this.#file} cannot be written: the disk takes less than there is to store, and ${mostUnwritten >> 20} MiB wait for it`, 'name a directory on a faster disk, or a lower rate');
      this.#stream.destroy();
    }
  }

  #fail(message: string, remedy: string, cause?: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = new UserError(message, { remedy, cause });
    this.#onError(this.#failure);
  }
}
