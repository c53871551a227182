import { execFile, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, rmSync } from 'node:fs';
import { writeFile, readFile, readdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { startedMark } from './container-root.ts';
import type { ContainerLog } from './logs.ts';
import { podNamespace } from './network.ts';
import { ProcessorShare } from './processor-share.ts';

export interface Exit {
  readonly exitCode: number;
  readonly finishedAt: Date;
  /** The program never ran: what the start script said. */
  readonly startError?: string;
}

export interface ContainerProcess {
  /** Of `unshare`, which leads the process group and lives as long as the container. */
  readonly pid: number;
  /** When the program began to run; undefined when it never did. */
  readonly started: Promise<Date | undefined>;
  /** Resolves, and never rejects, when all of its processes are gone and its output is complete. */
  readonly exited: Promise<Exit>;
  /** To the whole process group. */
  signal(name: NodeJS.Signals): void;
  /** From now on it need not give way to others any more. */
  ready(): void;
}

/** Signal numbers of the exit codes that a shell and a kubelet report (128 + n). */
const signalNumbers: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15,
};

/** Runs a start script of `layOutRoot` in the pod's network namespace and fresh namespaces of its own. */
export async function startProcess(dir: string, podIp: string, log: ContainerLog): Promise<ContainerProcess> {
  const [stdout, stderr] = await outputs(dir);
  const child = spawn('nsenter', [
    `--net=/run/netns/${podNamespace(podIp)}`, '--',
    // The kernel ends what is left in the PID namespace when its first process ends, and that one when unshare is killed.
    'unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--', 'sh', join(dir, 'start.sh'),
  // Whatever stands in the root directory moves along with it when the script changes the root, so that a probe finds its way in.
  ], { cwd: '/', detached: true, stdio: ['ignore', stdout.end, stderr.end, 'pipe'], env: { PATH: process.env.PATH } });
  closeSync(stdout.end);
  closeSync(stderr.end);
  const started = Promise.withResolvers<Date | undefined>();
  let running = false;
  let ended = false;
  let said = '';
  stdout.from.on('data', (chunk: Buffer) => { log.write('stdout', chunk); });
  stderr.from.on('data', (chunk: Buffer) => { log.write('stderr', chunk); });
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (running || !said.endsWith(startedMark)) return;
    running = true;
    started.resolve(new Date());
  });
  const exited = new Promise<Exit>((resolve) => {
    const end = (exitCode: number, message: string) => {
      ended = true;
      started.resolve(undefined);
      log.end();
      resolve({ exitCode, finishedAt: new Date(), ...(running ? {} : { startError: message }) });
    };
    child.on('error', (error) => { end(128, error.message); });
    child.on('close', (code, signal) => {
      void Promise.all([stdout.ended, stderr.ended]).then(() => {
        end(code ?? 128 + (signal === null ? 0 : signalNumbers[signal] ?? 0), (said + log.lastLines(5)).trim());
      });
    });
  });
  const { pid } = child;
  const share = pid === undefined ? undefined : new ProcessorShare(pid);
  child.once('close', () => { share?.ended(); });
  if (pid !== undefined) await writeFile(join(dir, 'pid'), `${pid} ${startTime(pid) ?? ''}`);
  return {
    pid: pid ?? 0, started: started.promise, exited,
    signal(name) { if (pid !== undefined && !ended) signalGroup(pid, name); },
    ready() { share?.ready(); },
  };
}

interface Output { readonly end: number; readonly from: Socket; readonly ended: Promise<unknown> }

/**
 * Two pipes. What Node makes by itself are socket pairs, and a program that opens /dev/stdout or /proc/1/fd/1 anew cannot open a socket.
 */
async function outputs(dir: string): Promise<[Output, Output]> {
  const make = (name: string): Output => {
    const path = join(dir, name);
    // The reading end first, without waiting: the other one then opens at once.
    const from = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
    const end = openSync(path, constants.O_WRONLY);
    rmSync(path);
    from.on('error', () => undefined);
    return { end, from, ended: new Promise((resolve) => { from.on('close', resolve); }) };
  };
  await promisify(execFile)('mkfifo', [join(dir, 'stdout'), join(dir, 'stderr')]);
  return [make('stdout'), make('stderr')];
}

/** Ends the processes that an agent before this one has left, so that none runs twice. @param podsDir Holds the pods' working files. */
export async function endPreviousLife(podsDir: string): Promise<number> {
  const records = (await readdir(podsDir, { recursive: true }).catch(() => [])).filter((path) => /^[^/]+\/containers\/[^/]+\/pid$/.test(path));
  const alive: { pid: number; start: string }[] = [];
  for (const record of records) {
    const [pid = '', start = ''] = (await readFile(join(podsDir, record), 'utf8')).split(' ');
    if (start !== '' && startTime(Number(pid)) === start) alive.push({ pid: Number(pid), start });
  }
  for (const { pid } of alive) signalGroup(pid, 'SIGKILL');
  for (let waited = 0; waited < 5000 && alive.some(({ pid, start }) => startTime(pid) === start); waited += 20) await delay(20);
  return alive.length;
}

/** To a process group, by the id of its leader. */
export function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch (error) {
    // Gone already: the usual race.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** In clock ticks since the boot; with the pid it names one process. Undefined when there is none, or only its zombie. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold spaces; the fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
