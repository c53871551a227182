import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

/** A file is put aside at this size, and the one put aside before it is dropped: a container run keeps at most twice as much. */
const fileBytes = 4 * 1024 * 1024;
/** A line longer than this is broken up. */
const lineBytes = 16 * 1024;

type Stream = 'stdout' | 'stderr';

/** The output of one run of a container: lines, each after its time, in a file of bounded size. */
export class ContainerLog {
  readonly #path: string;
  readonly #followers = new Set<(line: string | undefined) => void>();
  readonly #streams: Record<Stream, { decoder: StringDecoder; rest: string }>;
  readonly #maxBytes: number;
  #descriptor: number;
  #size: number;
  /** Lines that found no room since one last did. */
  #dropped = 0;
  #ended = false;

  /** Appends to the file when it is there already. */
  constructor(path: string, maxBytes = fileBytes) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#descriptor = openSync(path, 'a', 0o600);
    this.#size = statSync(path).size;
    this.#streams = { stdout: { decoder: new StringDecoder(), rest: '' }, stderr: { decoder: new StringDecoder(), rest: '' } };
  }

  write(stream: Stream, chunk: Buffer): void {
    const from = this.#streams[stream];
    const lines = (from.rest + from.decoder.write(chunk)).split('\n');
    from.rest = lines.pop() ?? '';
    while (from.rest.length > lineBytes) {
      lines.push(from.rest.slice(0, lineBytes));
      from.rest = from.rest.slice(lineBytes);
    }
    if (lines.length > 0 && !this.#ended) this.#append(lines);
  }

  /** No more is to come. */
  end(): void {
    if (this.#ended) return;
    const rests = Object.values(this.#streams).map(({ rest }) => rest).filter((rest) => rest !== '');
    if (rests.length > 0 || this.#dropped > 0) this.#append(rests);
    this.#ended = true;
    closeSync(this.#descriptor);
    for (const follower of this.#followers) follower(undefined);
    this.#followers.clear();
  }

  /** Calls with each further line (time included), and with undefined at the end. Returns what stops it. */
  follow(follower: (line: string | undefined) => void): () => void {
    if (this.#ended) follower(undefined);
    else this.#followers.add(follower);
    return () => { this.#followers.delete(follower); };
  }

  /** Without their times. */
  lastLines(count: number): string {
    return readLog(this.#path).slice(-count).map((line) => line.slice(line.indexOf(' ') + 1)).join('\n');
  }

  /** A full disk costs lines, and not the agent, which all pods depend on. */
  #append(lines: readonly string[]): void {
    const time = new Date().toISOString();
    const gap = this.#dropped === 0 ? [] : [`The node agent had no room for ${this.#dropped} lines here.`];
    const stamped = [...gap, ...lines].map((line) => `${time} ${line}`);
    if (!this.#store(Buffer.from(`${stamped.join('\n')}\n`))) {
      this.#dropped += lines.length;
      return;
    }
    this.#dropped = 0;
    for (const line of stamped) for (const follower of this.#followers) follower(line);
    if (this.#size > this.#maxBytes) this.#rotate();
  }

  /** @returns Whether all of it has found room; nothing of it is there otherwise. */
  #store(text: Buffer): boolean {
    try {
      const written = writeSync(this.#descriptor, text);
      if (written < text.length) ftruncateSync(this.#descriptor, this.#size);
      else this.#size += written;
      return written === text.length;
    } catch {
      return false;
    }
  }

  #rotate(): void {
    try {
      // It is not there when the last time there was no room for the new one.
      if (existsSync(this.#path)) renameSync(this.#path, older(this.#path));
      const next = openSync(this.#path, 'a', 0o600);
      closeSync(this.#descriptor);
      this.#descriptor = next;
      this.#size = 0;
    } catch {
      // The old one goes on, until there is room for another.
    }
  }
}

/** All kept lines of a run's log, oldest first; none when there is no file. */
export function readLog(path: string): string[] {
  const text = [older(path), path].filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8')).join('');
  return text === '' ? [] : text.trimEnd().split('\n');
}

/** The log file of a container's nth run (0 is the first). @param podDir The pod's directory of logs. */
export function logPath(podDir: string, container: string, run: number): string {
  return join(podDir, container, `${run}.log`);
}

/** Keeps the logs of this run and the one before it. */
export function dropOldLogs(podDir: string, container: string, run: number): void {
  const dir = join(podDir, container);
  if (!existsSync(dir)) return;
  for (const file of readdirSync(dir)) if (Number.parseInt(file, 10) < run - 1) rmSync(join(dir, file), { force: true });
}

function older(path: string): string {
  return path.replace(/\.log$/, '.older.log');
}
