import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { UserError } from '../../errors.ts';
import type { Attempt, Commit, Delivery, LogRecord } from './records.ts';

/** The kinds of lines a run stores, by the name of their file. */
export interface Lines {
  attempts: Attempt;
  deliveries: Delivery;
  commits: Commit;
  log: LogRecord;
}

/** A file that only grows. */
export interface Appender<T> {
  append(record: T): void;
  /** Resolves when all of it is on its way to the disk. Throws a UserError if any of it could not be written. */
  close(): Promise<void>;
}

/** Makes the report directory; a run is evidence, so one that is already there is never written over. */
export async function makeReportDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true }).catch((cause: unknown) => {
    throw new UserError(`the report directory ${directory} cannot be made: ${reason(cause)}`, { exitCode: 2, cause });
  });
  await writeFile(fileOf(directory, 'attempts'), '', { flag: 'wx' }).catch((cause: unknown) => {
    const taken = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new UserError(`the report directory ${directory} ${taken ? 'already holds a run' : `cannot be written: ${reason(cause)}`}`,
      { exitCode: 2, remedy: taken ? 'name another directory, or remove that one' : 'name a directory that you may write', cause });
  });
}

/** Opens one of a run's files. Its first line says what it holds. `onError` is told at once when a line cannot be written (a full disk). */
export function openAppender<K extends keyof Lines>(directory: string, kind: K, onError: (error: UserError) => void): Appender<Lines[K]> {
  const file = fileOf(directory, kind);
  const stream = createWriteStream(file, { flags: 'a' });
  let failure: UserError | undefined;
  stream.on('error', (cause) => {
    failure = new UserError(`${file} cannot be written: ${cause.message}`, { remedy: 'make room on the disk, then run the drill again', cause });
    onError(failure);
  });
  stream.write(`${JSON.stringify({ schema: schemaOf(kind) })}\n`);
  return {
    append: (record) => void stream.write(`${JSON.stringify(record)}\n`),
    async close() {
      stream.end();
      await finished(stream).catch(() => undefined);
      if (failure !== undefined) throw failure;
    },
  };
}

/** Reads one of a run's files back. Throws a UserError naming file and line where it is not what it should be. */
export async function readLines<K extends keyof Lines>(directory: string, kind: K): Promise<Lines[K][]> {
  const file = fileOf(directory, kind);
  const records: Lines[K][] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number += 1;
    const record = parse(line, `${file}:${number}`) as Lines[K] & { schema?: unknown };
    if (number > 1) records.push(record);
    else if (record.schema !== schemaOf(kind)) throw new UserError(`${file} is not ${schemaOf(kind)} but ${String(record.schema)}`);
  }
  return records;
}

function parse(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new UserError(`${where} is not JSON: ${reason(cause)}`, { remedy: 'the run was cut short or changed; it cannot be judged', cause });
  }
}

function fileOf(directory: string, kind: keyof Lines): string {
  return path.join(directory, `${kind}.ndjson`);
}

function schemaOf(kind: keyof Lines): string {
  return `kbf-${kind}/1`;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
