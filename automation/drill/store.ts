import { existsSync } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, UserError } from '../../errors.ts';
import { wrongLine } from './line-schema.ts';
import { LineWriter } from './line-writer.ts';
import { PlainLines } from './plain-lines.ts';
import type { Attempt, Commit, Delivery, LogRecord } from './records.ts';

/** The kinds of lines a run stores, by the name of their file. */
export interface Lines {
  attempts: Attempt;
  deliveries: Delivery;
  commits: Commit;
  log: LogRecord;
}

/** The files that a run makes while it goes on. */
export const runFiles: readonly string[] = [...(['attempts', 'deliveries', 'commits', 'log'] as const satisfies readonly (keyof Lines)[]).map((kind) => `${kind}.ndjson`), 'run.json'];

/** A file that only grows. */
export interface Appender<T> {
  /** A promise only while much is unwritten: who can wait (a reader, not a load) waits for it. */
  append(record: T): Promise<void> | undefined;
  /** Resolves, to how many there are, when all that was appended can be read. */
  written(): Promise<number>;
  /** Resolves, to how many there are, when all of it is on its way to the disk. Throws a UserError if any of it could not be written. */
  close(): Promise<number>;
}

/**
 * Throws a UserError (2) where the report of a drill, or of a `series` of them, would be mixed with what a directory holds: the one could not be judged any more beside the other.
 * A series may go on.
 */
export function mustTakeReport(directory: string, { series }: { series: boolean }): void {
  const holds = (...names: readonly string[]): boolean => names.some((name) => existsSync(path.join(directory, name)));
  if (holds('report.json', ...runFiles)) throw taken(directory);
  if (!series && holds('repeat.json', 'run-001')) {
    throw new UserError(`the report directory ${directory} already holds a series of drills`, { exitCode: 2, remedy: 'go on with that series (--repeat), or name another directory with --report' });
  }
}

function taken(directory: string, cause?: unknown): UserError {
  return new UserError(`the report directory ${directory} already holds a run`, { exitCode: 2, remedy: 'name another directory with --report, or remove that one', cause });
}

/** Makes the report directory; a run is evidence, so one that is already there is never written over. */
export async function makeReportDirectory(directory: string): Promise<void> {
  mustTakeReport(directory, { series: false });
  await mkdir(directory, { recursive: true }).catch((cause: unknown) => {
    throw new UserError(`the report directory ${directory} cannot be made: ${messageOf(cause)}`, { exitCode: 2, cause });
  });
  await writeFile(fileOf(directory, 'attempts'), '', { flag: 'wx' }).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw taken(directory, cause);
    throw new UserError(`the report directory ${directory} cannot be written: ${messageOf(cause)}`, { exitCode: 2, remedy: 'name a directory that you may write', cause });
  });
}

/** Opens one of a run's files. Its first line says what it holds. `onError` is told at once when a line cannot be written (a full disk). */
export function openAppender<K extends keyof Lines>(directory: string, kind: K, onError: (error: UserError) => void): Appender<Lines[K]> {
  const writer = new LineWriter(fileOf(directory, kind), onError);
  void writer.append(JSON.stringify({ schema: schemaOf(kind) }));
  let count = 0;
  return {
    append: (record) => {
      count += 1;
      return writer.append(JSON.stringify(record));
    },
    written: async () => {
      const appended = count;
      await writer.written();
      return appended;
    },
    close: async () => {
      await writer.close();
      return count;
    },
  };
}

/** Told of a file whose end is missing, in a sentence. Who does not say what to do with such a run cannot judge it. */
export type OnCut = (note: string) => void;

const refuse: OnCut = (note) => { throw new UserError(note, { remedy: 'the run was cut short; it cannot be judged' }); };

/**
 * Reads one of a run's files back in pieces, so that memory does not grow with it. A last line that broke off, as a killed driver leaves it, is left
 * out, and `onCut` told. `whole`: when all of it is stored, where it is read meanwhile. Throws a UserError naming file and line where anything else is not what it should be.
 */
export async function* readBatches<K extends keyof Lines>(directory: string, kind: K, { onCut = refuse, whole }: { onCut?: OnCut | undefined; whole?: Promise<unknown> } = {}): AsyncGenerator<Lines[K][]> {
  const file = fileOf(directory, kind);
  const plain = kind === 'commits' ? undefined : new PlainLines(kind);
  let number = 0;
  for await (const { bytes, broken } of linesOf(file, whole)) {
    if (broken) onCut(`${file} breaks off in line ${number + 1}: what was to follow is not known`);
    const batch: Lines[K][] = [];
    for (let at = 0; at < bytes.length; at += 1) {
      number += 1;
      const record = number === 1 ? undefined : plain?.read(bytes, at);
      if (plain !== undefined && record !== undefined && bytes[plain.end] === newline) {
        batch.push(record as Lines[K]);
        at = plain.end;
        continue;
      }
      const end = bytes.indexOf(newline, at);
      const parsed = parse(bytes.toString('utf8', at, end), `${file}:${number}`) as { schema?: unknown } | null;
      at = end;
      if (number === 1) {
        if (parsed?.schema !== schemaOf(kind)) throw new UserError(`${file} is not ${schemaOf(kind)} but ${String(parsed?.schema)}`);
        continue;
      }
      const wrong = wrongLine(kind, parsed);
      if (wrong !== undefined) throw new UserError(`${file}:${number} is no line of ${schemaOf(kind)}: ${wrong}`, { remedy: 'the run was changed; it cannot be judged' });
      batch.push(parsed as Lines[K]);
    }
    yield batch;
  }
  if (number === 0) onCut(`${file} is empty: what was to be in it is not known`);
}

const newline = 10;
/** So much is read at once: few reads, and as few records that wait to be judged. */
const chunkBytes = 256 << 10;

/** How soon the end of a file that is still written is looked for again, ms. */
const growsMs = 5;

/** Whole lines, as they are read, valid until the next are asked for; and at the end whether another one broke off. */
async function* linesOf(file: string, whole: Promise<unknown> | undefined): AsyncGenerator<{ bytes: Buffer; broken: boolean }> {
  let rest = 0;
  let isWhole = whole === undefined;
  const end = (): void => { isWhole = true; };
  whole?.then(end, end);
  try {
    await using handle = await open(file);
    let [buffer, other] = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)];
    let reading = handle.read(buffer);
    let isLast = isWhole;
    for (;;) {
      const filled = rest + (await reading).bytesRead;
      if (filled === rest) {
        if (isLast) break;
        if (!isWhole) await delay(growsMs);
        isLast = isWhole;
        reading = handle.read(buffer, rest);
        continue;
      }
      const end = buffer.lastIndexOf(newline, filled - 1) + 1;
      rest = filled - end;
      if (other.length < 2 * rest) other = Buffer.allocUnsafe(2 * rest);
      buffer.copy(other, 0, end, filled);
      // What comes next is read while these are worked on.
      isLast = isWhole;
      reading = handle.read(other, rest);
      reading.catch(() => undefined);
      if (end > 0) yield { bytes: buffer.subarray(0, end), broken: false };
      [buffer, other] = [other, buffer];
    }
  } catch (cause) {
    if (cause instanceof UserError || (cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new UserError(`${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
  if (rest > 0) yield { bytes: Buffer.alloc(0), broken: true };
}

function parse(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new UserError(`${where} is not JSON: ${messageOf(cause)}`, { remedy: 'the run was changed; it cannot be judged', cause });
  }
}

function fileOf(directory: string, kind: keyof Lines): string {
  return path.join(directory, `${kind}.ndjson`);
}

function schemaOf(kind: keyof Lines): string {
  return `kbf-${kind}/1`;
}
