import { execa, ExecaError } from 'execa';

/** One source of a tool did not work; `remedy` says what a person can do about it. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string, cause?: unknown) {
    super(message, { cause });
    this.remedy = remedy;
  }
}

export interface RunOptions {
  signal: AbortSignal | undefined;
  cwd?: string;
  env?: Record<string, string>;
  /** Called with each line of standard error, where builders tell their progress. */
  onLine?: (line: string) => void;
}

const errorLines = 12;

/** The packages that bring the commands we start, by Debian's names. */
const packages: Record<string, string> = {
  python3: 'python3 with pip (Debian: python3-pip)',
  mvn: 'Maven and a JDK (Debian: maven)',
  go: 'Go',
  setpriv: 'util-linux',
};

/**
 * Runs a command to its end and returns its standard output.
 * It has a process group of its own, all of which an abort ends, and the kernel kills it when this process is killed.
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { signal, cwd, env, onLine } = options;
  signal?.throwIfAborted();
  try {
    const child = execa('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      stdin: 'ignore',
      killDescendants: true,
      forceKillAfterDelay: 2_000,
      ...(signal ? { cancelSignal: signal } : {}),
      ...(cwd ? { cwd } : {}),
      ...(env ? { env } : {}),
      ...(onLine ? { stderr: ['pipe', lineReader(onLine)] } : {}),
    });
    return (await child).stdout;
  } catch (error) {
    signal?.throwIfAborted();
    throw describe(command, args, error);
  }
}

function lineReader(onLine: (line: string) => void): (line: unknown) => Generator<unknown> {
  return function* (line) {
    onLine(String(line));
    yield line;
  };
}

function describe(command: string, args: readonly string[], error: unknown): SourceError {
  if (!(error instanceof ExecaError)) throw error;
  const stderr = String(error.stderr ?? '');
  if (error.code === 'ENOENT') return missing('setpriv', error);
  // setpriv answers 127 when there is no such command.
  if (error.exitCode === 127 && stderr.startsWith('setpriv')) return missing(command, error);
  const tail = (stderr.trim() || String(error.stdout ?? '').trim()).split('\n').slice(-errorLines).join('\n');
  const how = error.signal ? `was ended by ${error.signal}` : `failed with exit code ${String(error.exitCode)}`;
  return new SourceError(`${command} ${args[0] ?? ''} ${how}: ${tail || 'it printed nothing'}`, remedyOf(stderr), error);
}

/** Of the two mishaps that are likely on a machine where the command itself is there. */
function remedyOf(stderr: string): string | undefined {
  if (stderr.includes('No module named pip')) return `install ${String(packages['python3'])}`;
  if (/name resolution|no such host|unknown host|could not resolve|connection refused|timed? ?out|unreachable/i.test(stderr)) {
    return 'check the network and the settings of proxies and mirrors';
  }
  return undefined;
}

function missing(command: string, cause: unknown): SourceError {
  return new SourceError(`${command} is not installed`, `install ${packages[command] ?? command}`, cause);
}
